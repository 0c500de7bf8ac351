import type { CompiledRule, Policy } from "../../core/policy.ts";

/**
 * What the points of all rules come to at most: a bound, which no decision exceeds in which each rule adds no more than `pointsMax` says. Rules
 * under different values of one guard never stand together.
 */
export function scoreMax({ rules, index }: Policy, pointsMax: (rule: CompiledRule) => number): number {
  const sumOf = (indexes: readonly number[]): number =>
    indexes.reduce((sum, at) => {
      const rule = rules[at];
      return rule ? sum + pointsMax(rule) : sum;
    }, 0);
  let sum = sumOf(index.always.rules);
  for (const { groups } of index.guards) {
    let most = 0;
    for (const group of groups.values()) most = Math.max(most, sumOf(group.rules));
    sum += most;
  }
  return sum;
}
