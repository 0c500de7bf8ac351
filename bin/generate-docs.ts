/** Writes the pages that follow from declarations: docs/facts.md from the fact catalogue, docs/configuration.md from the settings, docs/lint/ from the kinds of complaints. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { SETTINGS, variableOf } from "../src/config.ts";
import { FACTS, INFLUENCES, type Worsening } from "../src/core/facts.ts";
import { KINDS } from "../src/policy/complaint-kinds.ts";
import type { ComplaintKind, Example } from "../src/policy/kinds/kind.ts";
import { COMBINATIONS_MAX } from "../src/policy/lint/examine.ts";

const GENERATED = "<!-- Written by `npm run generate`; change the declarations instead. -->";
const cell = (text: string): string => text.replaceAll("|", "\\|");
const row = (...cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |`;

function worseningInWords(worsening: Worsening | undefined): string {
  switch (worsening?.by) {
    case "tiers":
      return worsening.tiers.map((tier) => (tier.length > 3 ? "any other" : tier.map((value) => `\`${value}\``).join(" "))).join(" → ");
    case "classification":
      return "as `classification.order` of policy.json";
    case "rising":
      return "as it rises";
    case "growing":
      return "as it grows";
    case "becoming":
      return `when \`${worsening.value}\``;
    case undefined:
      return "";
  }
}

function factsPage(): string {
  const rows = Object.entries(FACTS).map(([name, fact]) =>
    row(
      `\`${name}\``,
      fact.meaning,
      fact.type === "map" ? "open map" : fact.type,
      fact.total ? "total" : "partial",
      fact.influence,
      worseningInWords(fact.worsening),
      `\`${JSON.stringify(fact.example)}\``,
    ),
  );
  return `# Facts
${GENERATED}

What a rule can read. A *total* fact always has a value; an absent *partial* one makes the condition that reads it unknown. A path leads on into
an open map: \`action.arguments.to[0]\`.

*Influence* is who can bring a value about, strongest first: ${INFLUENCES.map((influence) => `\`${influence}\``).join(", ")}. \`allow\` rules and negative
points may read only the first four. *Worse* is the direction in which a restrictive rule must not stop applying; the loader warns of one that does.

| fact | meaning | type | | influence | worse | example |
|---|---|---|---|---|---|---|
${rows.join("\n")}
`;
}

function configurationPage(): string {
  const rows = Object.entries(SETTINGS).map(([key, setting]) =>
    row(
      `\`${key}\``,
      "flag" in setting ? `\`${setting.flag}\`` : "",
      `\`${variableOf(key)}\``,
      `\`${setting.default}\``,
      setting.meaning + ("because" in setting ? ` (${setting.because})` : ""),
    ),
  );
  return `# Configuration
${GENERATED}

The other commands read \`BEHEST_DATA\` and \`BEHEST_GRPC\` too. Flags of \`behest serve\` come first, then variables, then the JSON file that \`--config\` or \`BEHEST_CONFIG\` names, then these defaults. Unknown keys,
unknown \`BEHEST_*\` variables and values out of range are errors, all told at once.

| key | flag | variable | default | meaning |
|---|---|---|---|---|
${rows.join("\n")}
`;
}

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
  const rows = Object.entries(KINDS).map(([id, { severity, title }]) => row(`[${id}](${id}.md)`, severity, title));
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
mkdirSync(join(root, "docs"), { recursive: true });
writeFileSync(join(root, "docs/facts.md"), factsPage());
writeFileSync(join(root, "docs/configuration.md"), configurationPage());

// Made anew, so that the page of a kind that is no more goes with it.
rmSync(join(root, "docs/lint"), { recursive: true, force: true });
mkdirSync(join(root, "docs/lint"));
writeFileSync(join(root, "docs/lint/README.md"), lintIndex());
for (const [id, kind] of Object.entries<ComplaintKind>(KINDS)) writeFileSync(join(root, `docs/lint/${id}.md`), lintPage(id, kind));
