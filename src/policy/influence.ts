import { type FactDeclaration, INFLUENCES, type Influence } from "../core/fact.ts";
import type { Known } from "../core/json.ts";
import type { RuleEvent } from "../core/words.ts";
import { leavesOf } from "./conditions.ts";
import { spell } from "./fact-reference.ts";
import { softenings } from "./monotonic.ts";
import { isHelping, type StatedRule } from "./rules.ts";

/** Who could make a rule say what they want. */
export interface RuleInfluence {
  readonly rule: string;
  readonly event: RuleEvent;
  /** `file:line:column`. */
  readonly position: string;
  /** The weakest hand that any of its facts is in: an attacker needs no more. */
  readonly weakest: Influence;
  readonly facts: readonly { readonly fact: string; readonly influence: Influence }[];
  /** Where the rule is kinder although a fact got worse. */
  readonly softens: readonly SofteningOf[];
}

export interface SofteningOf {
  readonly fact: string;
  readonly from: Known;
  readonly to: Known;
  /** Who can bring that about. */
  readonly by: Influence;
  readonly position: string;
}

export function influenceOf(rule: StatedRule, classifications: readonly string[]): RuleInfluence {
  const facts = new Map<string, Influence>();
  for (const { leaf } of leavesOf(rule.condition)) {
    for (const fact of [leaf.fact, ...("fact" in leaf.value ? [leaf.value.fact] : [])]) {
      const { influence }: FactDeclaration = fact.declaration;
      facts.set(spell(fact), influence);
    }
  }
  const softens = softenings(rule.condition, isHelping(rule) ? "helping" : "restrictive", classifications);
  return {
    rule: rule.name,
    event: rule.event,
    position: rule.document.positionOf(rule.node),
    weakest: [...facts.values()].reduce(weaker, "policy"),
    facts: [...facts].map(([fact, influence]) => ({ fact, influence })),
    softens: softens.map(({ leaf, fact, better, worse }) => ({
      fact,
      from: better,
      to: worse,
      by: leaf.fact.declaration.influence,
      position: leaf.document.positionOf(leaf.node),
    })),
  };
}

const weaker = (a: Influence, b: Influence): Influence => (INFLUENCES.indexOf(b) > INFLUENCES.indexOf(a) ? b : a);
