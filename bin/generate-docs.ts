/** Writes the pages that follow from declarations: docs/facts.md from the fact catalogue, docs/configuration.md from the settings. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { SETTINGS, variableOf } from "../src/config.ts";
import { INFLUENCES } from "../src/core/fact.ts";
import { FACTS } from "../src/core/facts.ts";
import { presenceInWords, typeInWords, worseningInWords } from "../src/policy/fact-words.ts";

const GENERATED = "<!-- Written by `npm run generate`; change the declarations instead. -->";
const cell = (text: string): string => text.replaceAll("|", "\\|");
const row = (...cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |`;

function factsPage(): string {
  const rows = Object.entries(FACTS).map(([name, fact]) =>
    row(
      `\`${name}\``,
      fact.meaning,
      typeInWords(fact),
      presenceInWords(fact),
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

The other commands read \`BEHEST_DATA\`, \`BEHEST_GRPC\` and \`BEHEST_HTTP\` too. Flags of \`behest serve\` come first, then variables, then the JSON file that \`--config\` or \`BEHEST_CONFIG\` names, then these defaults. Unknown keys,
unknown \`BEHEST_*\` variables and values out of range are errors, all told at once.

| key | flag | variable | default | meaning |
|---|---|---|---|---|
${rows.join("\n")}
`;
}

const root = resolve(process.argv[2] ?? join(import.meta.dirname, ".."));
mkdirSync(join(root, "docs"), { recursive: true });
writeFileSync(join(root, "docs/facts.md"), factsPage());
writeFileSync(join(root, "docs/configuration.md"), configurationPage());
