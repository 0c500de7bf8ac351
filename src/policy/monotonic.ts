import type { FactDeclaration } from "../core/fact.ts";
import { isList, type Known } from "../core/json.ts";
import type { Json } from "../core/words.ts";
import { type Condition, type Leaf, leavesOf } from "./conditions.ts";
import { spell } from "./fact-reference.ts";

/** A leaf that answers kinder although its fact got worse. */
export interface Softening {
  readonly leaf: Leaf;
  readonly fact: string;
  readonly better: Known;
  readonly worse: Known;
}

/**
 * Finds every leaf through which a rule would help the caller more when a fact gets worse: one through which a restrictive rule stops
 * applying, or a helping rule starts to. It tries the values next to the constants of the condition, leaf by leaf, so it may warn of a rule
 * that another of its leaves saves; it does not stay silent about one that is not saved.
 */
export function softenings(condition: Condition, event: "restrictive" | "helping", classifications: readonly string[]): readonly Softening[] {
  const found: Softening[] = [];
  for (const { leaf, negated } of leavesOf(condition)) {
    const { fact, operator, value } = leaf;
    const isAboutPresence = leaf.operatorName === "present";
    // What gets worse and may be absent is worst when it is: nobody has said anything better.
    if (fact.path.length > 0 || fact.declaration.worsening === undefined || (isAboutPresence && fact.declaration.total)) continue;
    const rising = (event === "restrictive") !== negated;
    const literal = "literal" in value ? value.literal : undefined;
    const steps = isAboutPresence ? [[fact.declaration.example, undefined] as const] : stepsOf(fact.declaration, literal, classifications);
    const pair = steps.find(([better, worse]) => {
      if (literal === undefined) return true;
      const [before, after] = [operator(better, literal), operator(worse, literal)];
      return rising ? after < before : after > before;
    });
    if (pair) found.push({ leaf, fact: spell(fact), better: pair[0], worse: pair[1] });
  }
  return found;
}

/** Pairs of a fact's values, the second worse than the first, that show any change a condition on these constants can make. */
function stepsOf(
  { worsening }: FactDeclaration,
  literal: Json | undefined,
  classifications: readonly string[],
): readonly (readonly [Known, Known])[] {
  switch (worsening?.by) {
    case "tiers":
      return pairsOf(worsening.tiers);
    case "classification":
      return pairsOf(classifications.map((word) => [word]));
    case "becoming":
      return [[!worsening.value, worsening.value]];
    case "rising": {
      const constants = constantsOf(literal).filter((value) => typeof value === "number");
      const near = [0, ...constants.flatMap((value) => [value - 1, value, value + 1]), Number.MAX_SAFE_INTEGER];
      // What rises is a count or a rank: neither is ever below 0.
      const possible = [...new Set(near)].filter((value) => value >= 0);
      return pairsOf(possible.sort((a, b) => a - b).map((value) => [value]));
    }
    case "growing":
      return growthOf([...constantsOf(literal), "something else"]);
    case undefined:
      return [];
  }
}

/** Also those of lists in lists. */
const constantsOf = (literal: Json | undefined): readonly Json[] =>
  literal === undefined ? [] : isList(literal) ? [...new Set(literal.flatMap(constantsOf))] : [literal];

/** Of more than so many members not every list is tried: only those that hold next to none of them, and all. */
const EVERY_LIST_MEMBERS_MAX = 6;

/** Lists that gain one member. */
function growthOf(members: readonly Json[]): readonly (readonly [Known, Known])[] {
  if (members.length > EVERY_LIST_MEMBERS_MAX) {
    return members.flatMap((member) => {
      const others = members.filter((other) => other !== member);
      return [[[], [member]] as const, ...others.map((other) => [[other], [other, member]] as const), [others, [...others, member]] as const];
    });
  }
  const lists = members.reduce<readonly (readonly Json[])[]>((found, member) => found.concat(found.map((list) => [...list, member])), [[]]);
  return lists.flatMap((list) => members.filter((member) => !list.includes(member)).map((member) => [list, [...list, member]] as const));
}

/** For messages. */
export const valueInWords = (value: Known): string => (value === undefined ? "absent" : JSON.stringify(value));

function pairsOf<T extends Known>(tiers: readonly (readonly T[])[]): readonly (readonly [T, T])[] {
  return tiers.flatMap((tier, index) =>
    tier.flatMap((better) => tiers.slice(index + 1).flatMap((worseTier) => worseTier.map((worse) => [better, worse] as const))),
  );
}
