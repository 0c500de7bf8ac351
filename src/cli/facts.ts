import type { Command } from "commander";
import { FACTS, type FactDeclaration, mayHelp } from "../core/facts.ts";
import { isList } from "../core/json.ts";
import { offeredOperators, operatorInWords } from "../policy/comparison-schema.ts";
import { nearest } from "../policy/complaints.ts";
import { KIND_OF_TYPE } from "../policy/conditions.ts";
import { type ExampleCondition, exampleCondition } from "../policy/fact-example.ts";
import { INFLUENCE_MEANINGS, presenceInWords, typeInWords, worseningInWords } from "../policy/fact-words.ts";
import { CommandFailed, EXIT } from "./failure.ts";
import { type Format, formatOption, paint, printJson, printLine, printRows, visible, wrap } from "./output.ts";

interface FactsOptions {
  readonly output: Format;
}

export function addFacts(program: Command): void {
  program
    .command("facts")
    .description("what rules can read: every fact with its type, its order and who can influence it")
    .argument("[name]", "all about one fact, or the facts whose names begin so")
    .addOption(formatOption())
    .addHelpText("after", "\nExamples:\n  behest facts\n  behest facts action.effect\n  behest facts task.seen -o json\n")
    .action((name: string | undefined, options: FactsOptions) => facts(name, options));
}

type Entry = readonly [name: string, fact: FactDeclaration];

function facts(name: string | undefined, { output }: FactsOptions): void {
  const found = name === undefined ? undefined : factAt(name);
  if (found) {
    if (output === "table") process.stdout.write(pageOf(found));
    else (output === "json" ? printJson : printLine)({ ...dataOf(found), ...howToAsk(found) });
    return;
  }
  const entries = Object.entries(FACTS).filter(([fact]) => name === undefined || fact.startsWith(`${name}.`));
  if (entries.length === 0 && name !== undefined) throw unknownFact(name);
  if (output !== "table") printRows(entries.map(dataOf), output);
  else if (process.stdout.isTTY) process.stdout.write(listOf(entries, process.stdout.columns));
  else printRows(entries.map(rowOf), output);
}

/** A declared fact, or a path into an open map. */
function factAt(name: string): Entry | undefined {
  if (Object.hasOwn(FACTS, name)) return [name, FACTS[name] as FactDeclaration];
  const map = Object.entries(FACTS).find(([fact, { type }]) => type === "map" && (name.startsWith(`${fact}.`) || name.startsWith(`${fact}[`)));
  return map && [map[0], map[1]];
}

function unknownFact(name: string): CommandFailed {
  const near = nearest(name.slice(0, 200), Object.keys(FACTS));
  const meant = near === undefined ? ":" : `; did you mean \`${near}\`?`;
  return new CommandFailed(EXIT.usage, `no fact \`${visible(name.slice(0, 200))}\`${meant} \`behest facts\` lists them all`);
}

const dataOf = ([name, fact]: Entry) => ({
  fact: name,
  type: fact.type,
  total: fact.total,
  influence: fact.influence,
  may_help: mayHelp(fact.influence),
  worse: worseningInWords(fact.worsening).replaceAll("`", ""),
  ...(fact.values && { values: fact.values }),
  meaning: fact.meaning,
  example: fact.example,
});

const howToAsk = ([name, fact]: Entry) => ({
  operators: Object.fromEntries(
    offeredOperators(KIND_OF_TYPE[fact.type], fact.total ? "total" : "partial").map((operator) => [operator, operatorInWords(operator)]),
  ),
  condition: exampleCondition(name, fact),
});

const rowOf = ([name, fact]: Entry) => ({
  fact: name,
  type: typeInWords(fact),
  presence: presenceInWords(fact),
  influence: fact.influence,
  worse: worseningInWords(fact.worsening).replaceAll("`", ""),
  meaning: fact.meaning,
  example: JSON.stringify(fact.example),
});

/** For a terminal: a line of columns for each fact, and below it what does not fit into columns. */
function listOf(entries: readonly Entry[], columns: number): string {
  const rows = entries.map(rowOf);
  const widths = (["fact", "type", "presence", "influence"] as const).map((key) => Math.max(key.length, ...rows.map((row) => row[key].length)));
  const line = (...cells: readonly string[]): string => cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join("  ");
  const header = paint("bold", cut(line("fact", "type", "presence", "influence", "example"), columns));
  const blocks = rows.map(({ fact, type, presence, influence, worse, meaning, example }) => {
    const first = cut(line(fact, type, presence, influence, example), columns);
    const below = worse === "" ? meaning : `${meaning} · worse: ${worse}`;
    return `${paint("bold", fact)}${first.slice(fact.length)}\n${wrap(below, { columns, indent: 2 })}`;
  });
  return `${[header, ...blocks].join("\n")}\n`;
}

const cut = (text: string, columns: number): string => (text.length > columns ? `${text.slice(0, columns - 1)}…` : text);

const WIDTH_MAX = 100;

/** All about one fact. */
function pageOf([name, fact]: Entry): string {
  const columns = Math.min(process.stdout.columns ?? WIDTH_MAX, WIDTH_MAX);
  const { operators, condition } = howToAsk([name, fact]);
  const worse = worseningInWords(fact.worsening).replaceAll("`", "");
  const values = fact.values ? `: ${fact.values.join(", ")}` : "";
  const parts: readonly (readonly [string, string])[] = [
    ["type", fact.type === "map" ? `open map: a path leads on into it, as in ${condition.fact}` : `${fact.type}${values}`],
    ["presence", fact.total ? "total: it is always there" : "partial: where it is absent, a condition on it is unknown"],
    ["influence", `${fact.influence}: ${INFLUENCE_MEANINGS[fact.influence]}`],
    ["help", mayHelp(fact.influence) ? "`allow` rules and negative points may read it" : "`allow` rules and negative points may not read it"],
    ...(worse === "" ? [] : [["worse", `${worse}: a restrictive rule must not stop applying in that direction`] as const]),
    ["example", JSON.stringify(fact.example)],
  ];
  const indent = Math.max(...Object.keys(operators).map((operator) => operator.length)) + 4;
  return [
    paint("bold", name),
    wrap(fact.meaning, { columns, indent: 2 }),
    "",
    ...parts.map(([label, text]) => labelled(label, text, { columns, indent: 13 })),
    "",
    fact.type === "map" ? "operators, of all that is in it" : "operators",
    ...Object.entries(fact.type === "map" ? operatorsInside() : operators).map(([operator, means]) =>
      labelled(operator, means, { columns, indent: Math.max(indent, 24) }),
    ),
    "",
    "a condition",
    `  ${conditionText(condition)}`,
    "",
  ].join("\n");
}

const conditionText = (condition: ExampleCondition): string =>
  `{ ${Object.entries(condition)
    .map(([key, value]) => `"${key}": ${isList(value) ? `[${value.map((one) => JSON.stringify(one)).join(", ")}]` : JSON.stringify(value)}`)
    .join(", ")} }`;

const operatorsInside = (): Readonly<Record<string, string>> =>
  Object.fromEntries(offeredOperators("any", "partial").map((operator) => [operator, operatorInWords(operator)]));

const labelled = (label: string, text: string, { columns, indent }: { readonly columns: number; readonly indent: number }): string =>
  `  ${paint("dim", label)}${wrap(text, { columns, indent }).slice(2 + label.length)}`;
