import type { Reading } from "./gather.ts";
import { FALSE, UNKNOWN } from "./kleene.ts";
import type { CompiledRule, Policy } from "./policy.ts";
import type { Finding } from "./words.ts";

/** Part of every cache key: raise it when the same rules over the same facts would be answered otherwise. */
export const EVALUATOR_VERSION = 2;

/** What the rules answer. It depends on the policy and what was read of the facts alone, so it can be kept. */
export interface Evaluation {
  /** Sum of all points, clamped to 0..100. */
  readonly score: number;
  /** For each rule that stands, in order: twice its index in the policy, plus one if it is unknown. */
  readonly stands: readonly number[];
}

/** Asks every rule that could stand. Synchronous; reads nothing but its arguments. */
export function evaluate(policy: Policy, { values, groups }: Reading): Evaluation {
  const stands: number[] = [];
  let sum = 0;
  const { rules } = policy;
  for (const group of groups) {
    for (const index of group.rules) {
      const rule = rules[index];
      if (!rule) continue;
      const result = rule.condition.test(values);
      if (result === FALSE) continue;
      const unknown = result === UNKNOWN;
      // An unknown `allow` grants nothing, and unknown negative points lower nothing: it is said, and changes nothing.
      sum += (unknown ? rule.unknown : rule.matched).points;
      stands.push(index * 2 + (unknown ? 1 : 0));
    }
  }
  if (groups.length > 1) stands.sort(ascending);
  return { score: Math.min(100, Math.max(0, sum)), stands };
}

const ascending = (a: number, b: number): number => a - b;

export function findingsOf(policy: Policy, evaluation: Evaluation): readonly Finding[] {
  return evaluation.stands.map((stand) => {
    const rule = ruleAt(policy, stand);
    return stand % 2 === 1 ? rule.unknown : rule.matched;
  });
}

export function ruleAt(policy: Policy, stand: number): CompiledRule {
  const rule = policy.rules[stand >> 1];
  if (!rule) throw new RangeError(`no rule ${stand >> 1} in policy ${policy.digest}`);
  return rule;
}
