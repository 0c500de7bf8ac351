import { join } from "node:path";
import { asTyped, quoted } from "./hint.ts";
import { paint, visible } from "./output.ts";
import { TEMPLATES, type TemplateName } from "./templates.ts";

export interface Made {
  readonly directory: string;
  readonly template: TemplateName;
  /** Of all files below `rules`, relative to the directory. */
  readonly paths: readonly string[];
  /** Those of them that were there before. */
  readonly overwritten: readonly string[];
  /** What else is there, and is read as well. */
  readonly kept: readonly string[];
  /** What was done with the editor's settings. */
  readonly settings: string;
}

/** What was made, as a short tree, and what to type next. */
export function describeMade({ directory, template, paths, overwritten, kept, settings }: Made): string {
  const rules = join(directory, "rules");
  const others = Object.keys(TEMPLATES).filter((name) => name !== template);
  const place = quoted(visible(rules));
  return [
    `a policy for ${TEMPLATES[template]}`,
    paint("dim", `template ${template}; there are also ${others.join(" and ")}`),
    "",
    ...treeOf(rules, paths, join(directory, ".vscode/settings.json")),
    `    ${settings}`,
    "",
    ...(overwritten.length > 0 ? [`overwritten: ${overwritten.length === 1 ? "1 file" : `${overwritten.length} files`} of these names`, ""] : []),
    ...(kept.length > 0 ? ["there before, and part of the policy too; remove what does not belong:", ...shortened(directory, kept), ""] : []),
    "next:",
    ...[`rules lint ${place}`, `rules test ${place}`, `serve --rules ${place}`].map((words) => `  ${paint("bold", asTyped(words))}`),
    "",
  ].join("\n");
}

const KEPT_SHOWN = 10;

function shortened(directory: string, kept: readonly string[]): readonly string[] {
  const shown = kept.slice(0, KEPT_SHOWN).map((path) => `    ${visible(join(directory, path))}`);
  return kept.length > KEPT_SHOWN ? [...shown, `    and ${kept.length - KEPT_SHOWN} more`] : shown;
}

/** What a file is for, by how its name ends; the first that fits. */
const MEANINGS: readonly (readonly [string, string])[] = [
  ["README.md", "what these rules guard against, what to change first"],
  ["policy.json", "classifications, bands, who approves"],
  ["agents.json", "your agents, and what each may do at most"],
  ["safeguards.rules.json", "rules that every template has"],
  ["safeguards.cases.json", "examples of what they decide"],
  [".rules.json", "the rules of this template"],
  [".cases.json", "examples of what they decide"],
];

const DIRECTORY_MEANINGS: Readonly<Record<string, string>> = {
  catalog: "what your tools do, where secrets lie",
  schema: "for editors; not read by the server",
};

function treeOf(rules: string, paths: readonly string[], settings: string): readonly string[] {
  const inside = paths.map((path) => path.split("/").slice(1));
  const files = inside.filter((segments) => segments.length === 1).map(([name = ""]) => name);
  const directories = [...new Set(inside.filter((segments) => segments.length > 1).map(([name = ""]) => name))];
  const rows: readonly (readonly [string, string])[] = [
    ...files.sort(byMeaning).map((name) => [name, MEANINGS[placeOf(name)]?.[1] ?? ""] as const),
    ...directories.sort().map((name) => [`${name}/`, DIRECTORY_MEANINGS[name] ?? ""] as const),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return [`${visible(rules)}/`, ...rows.map(([name, meaning]) => `    ${name.padEnd(width)}  ${paint("dim", meaning)}`.trimEnd()), visible(settings)];
}

const placeOf = (name: string): number => MEANINGS.findIndex(([ending]) => name.endsWith(ending));
const byMeaning = (a: string, b: string): number => placeOf(a) - placeOf(b) || (a < b ? -1 : 1);
