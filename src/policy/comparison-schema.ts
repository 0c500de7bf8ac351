import { FACT_TYPES, type FactDeclaration } from "../core/fact.ts";
import { FACTS } from "../core/facts.ts";
import { EFFECTS } from "../core/words.ts";
import { KIND_OF_TYPE } from "./conditions.ts";
import { listed } from "./document.ts";
import { FACT_PATH, factNames, MAPS, reads } from "./fact-schema.ts";
import { DECORATOR_MEANINGS, EFFECT_MEANINGS, OPERATOR_MEANINGS } from "./meanings.ts";
import { DECORATORS, OPERATORS, type StaticKind, whyUndecidable } from "./operators.ts";
import { definition, has, type Schema, when, wordsSchema } from "./schema.ts";

/** Facts that can be compared in the same ways. */
export interface FactGroup {
  readonly kind: StaticKind;
  /** Every word they can be, where that is a closed list. */
  readonly words?: readonly string[];
  /** What each word means, where that is not plain. */
  readonly meanings?: Readonly<Record<string, string>>;
  /** What policy-specific words look like. */
  readonly examples?: readonly string[];
  /** That `fact` and `path` name one of them. */
  readonly reads: Schema;
  /** A partial fact may be absent: it can be asked for. */
  readonly partial: boolean;
}

const groupKey = ({ type, values, worsening }: FactDeclaration): string => JSON.stringify([type, values, worsening?.by === "classification"]);

/** The declared facts by what can be compared with them, and last what lies inside an open map. */
export function factGroups(): readonly FactGroup[] {
  const groups = Map.groupBy(Object.entries(FACTS), ([, fact]) => groupKey(fact));
  const inside: FactGroup = { kind: "any", reads: reads(MAPS, "inside"), partial: true };
  const whole = [...groups.values()].map((entries): FactGroup => {
    const [, { type, total, values, worsening }] = entries[0] as [string, FactDeclaration];
    return {
      kind: KIND_OF_TYPE[type],
      ...(values && { words: values }),
      ...(values === EFFECTS && { meanings: EFFECT_MEANINGS }),
      ...(worsening?.by === "classification" && { examples: ["public", "internal", "confidential", "restricted"] }),
      reads: reads(
        entries.map(([name]) => name),
        "whole",
      ),
      partial: !total,
    };
  });
  return [...whole, inside];
}

const SCALARS = ["string", "number", "boolean", "null"] as const;
/** How deep lists of lists are told apart; what lies deeper is a list. */
const LIST_DEPTH_MAX = 3;
/** How many decorators of an operator are looked through; with more of them, its value is not checked. */
const DECORATORS_MAX = 2;

const BASES = Object.keys(OPERATORS).filter((name) => name !== "present");
const PREFIXES = prefixesUpTo(DECORATORS_MAX);

function prefixesUpTo(count: number): readonly string[] {
  if (count === 0) return [""];
  const shorter = prefixesUpTo(count - 1);
  const longest = shorter.filter((prefix) => prefix.split(":").length === count);
  return [...shorter, ...Object.keys(DECORATORS).flatMap((decorator) => longest.map((prefix) => `${decorator}:${prefix}`))];
}

/** What values an operator can be decided with. */
interface Accepted {
  readonly scalars: readonly string[];
  /** Kinds of a list's items, of which it must hold one; the rest may be anything. */
  readonly items: readonly string[];
  /** Kinds of other facts. */
  readonly facts: readonly StaticKind[];
}

const FACT_KINDS: readonly StaticKind[] = ["string", "number", "boolean", { listOf: "string" }, "object", "any"];

/** Asks the loader's own judgement of every kind of value. */
function acceptedBy(operator: string, fact: StaticKind): Accepted {
  const decides = (value: StaticKind): boolean => whyUndecidable(operator, fact, value) === undefined;
  const deeper = SCALARS.some((scalar) => {
    let kind: StaticKind = { listOf: scalar };
    for (let depth = 2; depth <= LIST_DEPTH_MAX; depth++) {
      kind = { listOf: kind };
      if (decides(kind)) return true;
    }
    return false;
  });
  return {
    scalars: SCALARS.filter(decides),
    items: [...SCALARS.filter((listOf) => decides({ listOf })), ...(deeper ? ["array"] : [])],
    facts: FACT_KINDS.filter(decides),
  };
}

/** The operators that can be decided over such facts, and the values that each can be decided with. */
export function comparisonSchema(group: FactGroup): Schema {
  const { kind, partial } = group;
  const groups = Map.groupBy(
    BASES.flatMap((base) => PREFIXES.map((prefix) => ({ base, prefix, accepted: acceptedBy(prefix + base, kind) }))).filter(
      ({ accepted: { scalars, items, facts } }) => scalars.length + items.length + facts.length > 0,
    ),
    ({ accepted }) => JSON.stringify(accepted),
  );
  const known = [...groups.values()].map((spellings) => ({
    pattern: patternOf(spellings),
    value: valueSchema((spellings[0] as { accepted: Accepted }).accepted, group),
  }));
  const names = offeredOperators(kind, partial ? "partial" : "total");
  return {
    properties: {
      operator: {
        // One pattern, so that another operator is one mistake; what is offered refuses nothing.
        pattern: [...known.map(({ pattern }) => pattern), "^present$", MORE_DECORATORS].join("|"),
        patternErrorMessage: `no operator that can be decided here; there are ${listed(names)}`,
        anyOf: [{ enum: names, enumDescriptions: names.map(operatorInWords) }, {}],
      },
    },
    allOf: [
      ...known.map(({ pattern, value }) => when(has("operator", { pattern }), { properties: { value } })),
      when(has("operator", { pattern: "^present$" }), { properties: { value: PRESENCE } }),
      when(has("operator", { pattern: MORE_DECORATORS }), { properties: { value: anyValue() } }),
    ],
  };
}

const OFFERED_DECORATED = ["someFact:in", "someFact:notIn", "everyFact:in", "everyFact:notIn"];

/** The operators that an author is likely to mean, of those that can be decided over such a fact. */
export function offeredOperators(kind: StaticKind, presence: "total" | "partial"): readonly string[] {
  const offered = [...BASES, ...OFFERED_DECORATED].filter((name) => isOffered(name, kind));
  return presence === "partial" ? ["present", ...offered] : offered;
}

function isOffered(name: string, kind: StaticKind): boolean {
  if (kind === "object" || (kind === "boolean" && /[iI]n$/.test(name))) return false;
  const { scalars, items } = acceptedBy(name, kind);
  return scalars.length + items.length > 0;
}

/** `everyFact:in`: for each of the fact's list: the value, a list, holds it. */
export function operatorInWords(name: string): string {
  const parts = name.split(":");
  const base = OPERATOR_MEANINGS[parts.at(-1) ?? ""] ?? "";
  const before = parts.slice(0, -1).map((part) => DECORATOR_MEANINGS[part]);
  return [...before, /Fact:/.test(name) ? base.replace("the fact", "it") : base].join(": ");
}

interface Spelling {
  readonly base: string;
  readonly prefix: string;
}

const alternatives = (words: readonly string[]): string => (words.length === 1 ? String(words[0]) : `(?:${words.join("|")})`);

/** A pattern that matches exactly these spellings; bases with the same prefixes share them. */
function patternOf(spellings: readonly Spelling[]): string {
  const byBase = Map.groupBy(spellings, ({ base }) => base);
  const byPrefixes = Map.groupBy(byBase, ([, ofBase]) => alternatives(ofBase.map(({ prefix }) => prefix)));
  const parts = [...byPrefixes].map(([prefixes, bases]) => `${prefixes}${alternatives(bases.map(([base]) => base))}`);
  return `^${alternatives(parts)}$`;
}

const MORE_DECORATORS = `^(?:${alternatives(Object.keys(DECORATORS))}:){${DECORATORS_MAX + 1},}${alternatives(BASES)}$`;

/** One word that such facts can be. */
const wordSchema = ({ words, meanings, examples }: FactGroup): Schema =>
  words ? wordsSchema(words, meanings) : { type: "string", ...(examples && { examples }) };

function valueSchema({ scalars, items, facts }: Accepted, group: FactGroup): Schema {
  const rest = scalars.filter((scalar) => scalar !== "string");
  const text = scalars.includes("string") ? [wordSchema(group)] : [];
  return {
    anyOf: [
      ...text,
      ...(rest.length === 0 ? [] : [{ type: rest }]),
      ...(items.length === 0 ? [] : [listSchema(items, group)]),
      ...(facts.length === 0 ? [] : [definition(otherFactName(facts))]),
    ],
  };
}

function listSchema(items: readonly string[], group: FactGroup): Schema {
  const anything = SCALARS.every((scalar) => items.includes(scalar));
  return {
    type: "array",
    minItems: 1,
    items: { anyOf: [...(anything || !items.includes("string") ? [] : [wordSchema(group)]), group.words ? { not: { type: "string" } } : {}] },
    ...(!anything && { contains: { type: items } }),
  };
}

const anyValue = (): Schema => ({
  anyOf: [{ type: SCALARS }, { type: "array", minItems: 1 }, definition(otherFactName(FACT_KINDS))],
});

const PRESENCE: Schema = {
  anyOf: [{ enum: [true, false], enumDescriptions: ["the fact has a value", "the fact has none"] }, definition(otherFactName(["boolean"]))],
};

/** What another fact than the compared one is called in `definitions`, by the kinds it may be of. */
function otherFactName(kinds: readonly StaticKind[]): string {
  return `fact-of-type-${kinds.map((kind) => (typeof kind === "object" ? "list" : kind)).join("-or-")}`;
}

/** Every other fact that a value can be, by its name in `definitions`. */
export function otherFacts(): Readonly<Record<string, Schema>> {
  const found = new Map<string, readonly StaticKind[]>([[otherFactName(["boolean"]), ["boolean"]]]);
  for (const { kind } of factGroups()) {
    for (const base of BASES) {
      for (const prefix of PREFIXES) {
        const { facts } = acceptedBy(prefix + base, kind);
        if (facts.length > 0) found.set(otherFactName(facts), facts);
      }
    }
  }
  return Object.fromEntries([...found].map(([name, kinds]) => [name, otherFact(kinds)]));
}

function otherFact(kinds: readonly StaticKind[]): Schema {
  const isOne = (kind: StaticKind): boolean => kinds.some((one) => JSON.stringify(one) === JSON.stringify(kind));
  const types = FACT_TYPES.filter((type) => isOne(KIND_OF_TYPE[type]));
  const names = Object.entries(FACTS).flatMap(([name, { type }]) => (types.includes(type) ? [name] : []));
  return {
    type: "object",
    description: "another fact",
    properties: { fact: factNames(types), path: FACT_PATH },
    required: ["fact"],
    additionalProperties: false,
    anyOf: [...(names.length === 0 ? [] : [reads(names, "whole")]), ...(isOne("any") ? [reads(MAPS, "inside")] : [])],
  };
}
