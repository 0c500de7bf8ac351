/** Writes docs/lint/ from the kinds of complaints: a page for each, and an index of them. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { KINDS } from "../src/policy/complaint-kinds.ts";
import type { ComplaintKind, Example } from "../src/policy/kinds/kind.ts";
import { COMBINATIONS_MAX } from "../src/policy/lint/examine.ts";

const GENERATED = "<!-- Written by `npm run generate`; change the declarations instead. -->";

const SEVERITIES = {
  error: "An error: a policy that has one is refused.",
  warning: "A warning: the policy is served all the same; `behest rules lint --strict` exits 3.",
} as const;

function lintPage(id: string, { severity, title, explanation, wrong, right }: ComplaintKind): string {
  return `# ${id}
${GENERATED}

${title[0]?.toUpperCase()}${title.slice(1)}. ${SEVERITIES[severity]}

${explanation}

## Wrong

${exampleOf(wrong)}

## Right

${exampleOf(right)}
`;
}

/** Each file under its name; long lines are cut, because what they show is that they are long. */
function exampleOf(example: Example): string {
  const files = Object.entries(example).map(([name, text]) => {
    if (text === null) return `\`rules/${name}\` is not there.`;
    if (name.endsWith("/")) return `\`rules/${name.slice(0, -1)}\` is a directory.`;
    return `\`rules/${name}\`\n\n\`\`\`json\n${text.trimEnd().replaceAll(/^(.{200}).{40,}$/gm, "$1 …")}\n\`\`\``;
  });
  return files.length === 0 ? "All files are there." : files.join("\n\n");
}

function lintIndex(): string {
  const rows = Object.entries(KINDS).map(([id, { severity, title }]) => `| [${id}](${id}.md) | ${severity} | ${title.replaceAll("|", "\\|")} |`);
  return `# What Behest complains of
${GENERATED}

\`behest rules lint\` tells all of these, and \`behest serve\` refuses a policy with an error. Each complaint names its file, line and column. A warning is never a false alarm:
where something cannot be told for sure, such as of a rule with more than ${COMBINATIONS_MAX} combinations of facts, nothing is said of it.

| id | | what has happened |
|---|---|---|
${rows.join("\n")}
`;
}

const root = resolve(process.argv[2] ?? join(import.meta.dirname, ".."));
// Made anew, so that the page of a kind that is no more goes with it.
rmSync(join(root, "docs/lint"), { recursive: true, force: true });
mkdirSync(join(root, "docs/lint"), { recursive: true });
writeFileSync(join(root, "docs/lint/README.md"), lintIndex());
for (const [id, kind] of Object.entries<ComplaintKind>(KINDS)) writeFileSync(join(root, `docs/lint/${id}.md`), lintPage(id, kind));
