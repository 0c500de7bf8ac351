import { type FactDeclaration, mayHelp } from "../core/fact.ts";
import { isList } from "../core/json.ts";
import { offeredOperators, operatorInWords } from "../policy/comparison-schema.ts";
import { KIND_OF_TYPE } from "../policy/conditions.ts";
import { type ExampleCondition, exampleCondition } from "../policy/fact-example.ts";
import { INFLUENCE_MEANINGS, presenceInWords, typeInWords, worseningInWords } from "../policy/fact-words.ts";
import { paint, wrap } from "./output.ts";

export type Entry = readonly [name: string, fact: FactDeclaration];

const worseOf = (fact: FactDeclaration): string => worseningInWords(fact.worsening).replaceAll("`", "");

/** A fact for programs. */
export const dataOf = ([name, fact]: Entry) => ({
  fact: name,
  type: fact.type,
  total: fact.total,
  influence: fact.influence,
  may_help: mayHelp(fact.influence),
  worse: worseOf(fact),
  ...(fact.values && { values: fact.values }),
  meaning: fact.meaning,
  example: fact.example,
});

/** The operators that fit a fact, or what is in it, and a condition to begin with. */
export function howToAsk([name, fact]: Entry) {
  const kind = fact.type === "map" ? "any" : KIND_OF_TYPE[fact.type];
  const operators = offeredOperators(kind, fact.total ? "total" : "partial");
  return {
    operators: Object.fromEntries(operators.map((operator) => [operator, operatorInWords(operator)])),
    condition: exampleCondition(name, fact),
  };
}

/** A fact as a line of a table. */
export const rowOf = ([name, fact]: Entry) => ({
  fact: name,
  type: typeInWords(fact),
  presence: presenceInWords(fact),
  influence: fact.influence,
  worse: worseOf(fact),
  meaning: fact.meaning,
  example: JSON.stringify(fact.example),
});

/** For a terminal: a line of columns for each fact, and below it what does not fit into columns. */
export function factsList(entries: readonly Entry[], columns: number): string {
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
export function factPage([name, fact]: Entry, terminalColumns = WIDTH_MAX): string {
  const columns = Math.min(terminalColumns, WIDTH_MAX);
  const { operators, condition } = howToAsk([name, fact]);
  const worse = worseOf(fact);
  const values = fact.values ? `: ${fact.values.join(", ")}` : "";
  const parts: readonly (readonly [string, string])[] = [
    ["type", fact.type === "map" ? `open map: a path leads on into it, as in ${condition.fact}` : `${fact.type}${values}`],
    ["presence", fact.total ? "total: it is always there" : "partial: where it is absent, a condition on it is unknown"],
    ["influence", `${fact.influence}: ${INFLUENCE_MEANINGS[fact.influence]}`],
    ["help", mayHelp(fact.influence) ? "`allow` rules and negative points may read it" : "`allow` rules and negative points may not read it"],
    ...(worse === "" ? [] : [["worse", `${worse}: a restrictive rule must not stop applying in that direction`] as const]),
    ["example", JSON.stringify(fact.example)],
  ];
  return [
    paint("bold", name),
    wrap(fact.meaning, { columns, indent: 2 }),
    "",
    ...parts.map(([label, text]) => labelled(label, text, { columns, indent: 13 })),
    "",
    fact.type === "map" ? "operators, of all that is in it" : "operators",
    ...Object.entries(operators).map(([operator, means]) => labelled(operator, means, { columns, indent: 24 })),
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

const labelled = (label: string, text: string, { columns, indent }: { readonly columns: number; readonly indent: number }): string =>
  `  ${paint("dim", label)}${wrap(text, { columns, indent }).slice(2 + label.length)}`;
