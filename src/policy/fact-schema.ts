import { FACT_TYPES, type FactDeclaration, type FactType } from "../core/fact.ts";
import { FACTS } from "../core/facts.ts";
import { factInWords } from "./fact-words.ts";
import { definition, type Schema } from "./schema.ts";

/** What follows an open map's name, as fact-reference.ts reads it. */
const STEP = "(?:\\.[A-Za-z0-9_-]+|\\[\\d{1,4}\\])";
const PATH = { pattern: `^\\$${STEP}*$`, patternErrorMessage: "a path has the form `$.a.b[0]`: names and list positions, nothing else" };

const literally = (name: string): string => name.replaceAll(".", "\\.");
const oneOfThese = (names: readonly string[]): string => `(?:${names.map(literally).join("|")})`;
const whole = (pattern: string): Schema => ({ pattern: `^${pattern}$` });

const namesOfType = (type: FactType): readonly string[] => Object.entries(FACTS).flatMap(([name, fact]) => (fact.type === type ? [name] : []));

export const MAPS = namesOfType("map");

const declared = (name: string): FactDeclaration => FACTS[name] as FactDeclaration;

/** Paths into open maps, which are there whatever type somebody looks for. */
const INSIDE: Schema = {
  anyOf: MAPS.map((name) => ({ ...whole(`${literally(name)}${STEP}+`), description: `in \`${name}\`: ${declared(name).meaning}` })),
  defaultSnippets: MAPS.map((name) => ({
    label: `${name}.…`,
    description: `a path into \`${name}\`: ${declared(name).meaning}`,
    body: `${name}.$1`,
  })),
};

/** The facts of each type with all that is declared of them, once in a whole schema. */
export const factDefinitions = (): Schema => ({
  ...Object.fromEntries(
    FACT_TYPES.map((type) => {
      const names = namesOfType(type);
      return [`${type}-facts`, { enum: names, enumDescriptions: names.map((name) => factInWords(declared(name))) }];
    }),
  ),
  "inside-open-maps": INSIDE,
});

const namesOf = (types: readonly FactType[]): readonly Schema[] => [...types.map((type) => `${type}-facts`), "inside-open-maps"].map(definition);

/** Every declared name, and paths into the open maps, as one pattern: what is none of them is one mistake, not one for each. */
export const FACT_NAME: Schema = {
  ...whole(`(?:${oneOfThese(Object.keys(FACTS))}|${oneOfThese(MAPS)}${STEP}+)`),
  patternErrorMessage: "there is no such fact; `behest facts` and docs/facts.md list them",
};

/** What an editor offers where facts of these types can stand; it refuses nothing. */
export const factNames = (types: readonly FactType[]): Schema => ({
  type: "string",
  description: "a fact's name, or a path into an open map: `action.arguments.to[0]`; docs/facts.md and `behest facts` list them",
  anyOf: [...namesOf(types), {}],
});

export const FACT_PATH: Schema = {
  type: "string",
  ...PATH,
  description: "what follows the fact's name: `$.to[0]`; the fact may say it itself, as in `action.arguments.to[0]`",
};

/** An object whose `fact` and `path` together name one of these facts, or lead on from one of them. */
export function reads(names: readonly string[], into: "whole" | "inside"): Schema {
  const rest = into === "whole" ? "" : `${STEP}+`;
  const dotted = { properties: { fact: whole(`${oneOfThese(names)}${rest}`), ...(into === "whole" && { path: whole("\\$") }) } };
  const apart = [...prefixesOf(names, into)].map(([prefix, rests]) => ({
    properties: { fact: whole(literally(prefix)), path: whole(`\\$${rests.length === 0 ? "" : oneOfThese(rests)}${rest}`) },
    required: ["path"],
  }));
  return { required: ["fact"], anyOf: [dotted, ...apart] };
}

/** The ways of splitting names at a dot: `task` → `.seen.trust`, `task.seen` → `.trust`. */
function prefixesOf(names: readonly string[], into: "whole" | "inside"): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const name of names) {
    const parts = name.split(".");
    for (let length = 1; length < parts.length; length++) {
      const prefix = parts.slice(0, length).join(".");
      found.set(prefix, [...(found.get(prefix) ?? []), `.${parts.slice(length).join(".")}`]);
    }
    if (into === "inside") found.set(name, []);
  }
  return found;
}
