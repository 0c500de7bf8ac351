import type { FactDeclaration } from "../../core/fact.ts";
import { FACTS } from "../../core/facts.ts";
import { isList, type Known } from "../../core/json.ts";
import type { Comparison, Slot } from "../../core/policy.ts";
import type { Json } from "../../core/words.ts";

/** A comparison of one fact with a literal. */
export type LiteralComparison = Comparison & { readonly value: { readonly literal: Json } };

/** Of this many different members all lists are tried; with more there are too many. */
const MEMBERS_MAX = 8;

/**
 * Values of a fact such that each value it can have in a decision answers all these comparisons as one of them does: the constants, what lies
 * beside and between them, and something else of each type. Undefined when there would be too many.
 */
export function representativesOf(
  slot: Slot,
  comparisons: readonly LiteralComparison[],
  classifications: readonly string[],
): readonly Known[] | undefined {
  const declaration = FACTS[slot.fact];
  if (!declaration) return undefined;
  const constants = [...new Set(comparisons.flatMap(({ value: { literal } }) => (isList(literal) ? literal : [literal])))];
  if (!declaration.total || slot.path.length > 0) return anything(constants, comparisons);
  return ofTotal(slot.fact, declaration, { constants, classifications });
}

interface About {
  readonly constants: readonly Json[];
  readonly classifications: readonly string[];
}

function ofTotal(name: string, { type, values, worsening }: FactDeclaration, { constants, classifications }: About): readonly Known[] | undefined {
  switch (type) {
    case "string":
      return values ?? (worsening?.by === "classification" ? classifications : [...strings(constants), another(constants)]);
    case "boolean":
      return [true, false];
    case "integer":
      return integers(constants, name.endsWith(".classification_rank") ? classifications.length - 1 : Number.MAX_SAFE_INTEGER);
    case "list":
      return subsetsOf([...strings(constants), another(constants)]);
    case "map":
      return undefined;
  }
}

const strings = (constants: readonly Json[]): readonly string[] => constants.filter((value) => typeof value === "string");
const numbers = (constants: readonly Json[]): readonly number[] =>
  [...new Set(constants.filter((value) => typeof value === "number"))].sort((a, b) => a - b);

/** A string that is none of the constants. */
function another(constants: readonly Json[]): string {
  let word = "something else";
  while (constants.includes(word)) word += "'";
  return word;
}

function anotherNumber(constants: readonly Json[]): number {
  let number = 0.5;
  while (constants.includes(number)) number++;
  return number;
}

/** No count and no rank is below 0. */
function integers(constants: readonly Json[], max: number): readonly number[] {
  const near = numbers(constants).flatMap((value) => [Math.floor(value) - 1, Math.floor(value), Math.ceil(value), Math.ceil(value) + 1]);
  return [...new Set([0, ...near, max])].filter((value) => value >= 0 && value <= max);
}

/** A partial fact may be absent, and of any type. */
function anything(constants: readonly Json[], comparisons: readonly LiteralComparison[]): readonly Known[] | undefined {
  const sought = comparisons.filter(({ operator }) => operator === "contains" || operator === "doesNotContain").map(({ value }) => value.literal);
  const lists = listsFor([...new Set(sought)].filter((value) => !isList(value)));
  return lists && [undefined, null, true, false, {}, ...strings(constants), another(constants), ...reals(numbers(constants)), ...lists];
}

/** The constants, a number between each two, one below and one above. */
function reals(constants: readonly number[]): readonly number[] {
  const between = constants.slice(1).flatMap((value, at) => {
    const before = constants[at] ?? value;
    return [before / 2 + value / 2, (before + value) / 2];
  });
  return [...new Set([...constants, ...between, Number.MAX_VALUE, -Number.MAX_VALUE])].filter(Number.isFinite);
}

/** What a list holds matters only as far as it is sought, or of a type that is. */
function listsFor(sought: readonly Json[]): readonly (readonly Json[])[] | undefined {
  const members = new Set<Json>([...sought, {}]);
  for (const value of sought) {
    if (typeof value === "string") members.add(another(sought));
    if (typeof value === "number") members.add(anotherNumber(sought));
    if (typeof value === "boolean") members.add(true).add(false);
  }
  return subsetsOf([...members]);
}

function subsetsOf<T>(members: readonly T[]): readonly (readonly T[])[] | undefined {
  if (members.length > MEMBERS_MAX) return undefined;
  return Array.from({ length: 2 ** members.length }, (_, bits) => members.filter((_member, at) => (bits >> at) % 2 === 1));
}
