import type { Known } from "../../core/json.ts";
import { FALSE } from "../../core/kleene.ts";
import type { Policy } from "../../core/policy.ts";
import { affords, type Effort, type Examined, type Facts, firesWith } from "./examine.ts";
import { forEachCombination, modelOf, type Vocabulary } from "./model.ts";

/** A rule that decides nothing, because whenever it would, a `deny` stands as well. */
export interface Shadow {
  readonly rule: Examined;
  readonly deny: Examined;
}

/** Of so many pairs of a rule and a `deny` one example is looked at. */
const PAIRS_MAX = 2_000_000;

export interface ShadowSearch {
  readonly shadows: readonly Shadow[];
  /** Some pairs were not looked at: there are too many, or they have too many combinations. */
  readonly cutShort: boolean;
}

interface Search {
  readonly policy: Policy;
  /** By index into `Policy.rules`; undefined where a rule could not be examined. */
  readonly examined: readonly (Examined | undefined)[];
  readonly vocabulary: Vocabulary;
  readonly effort: Effort;
}

/** Finds, for each rule, the first `deny` that stands whenever the rule fires. */
export function findShadows(search: Search): ShadowSearch {
  const { policy, examined } = search;
  const scratch: Known[] = new Array(policy.slots.length).fill(undefined);
  const shadows: Shadow[] = [];
  let [pairs, cutShort] = [0, false];
  for (const [at, rule] of examined.entries()) {
    if (!rule?.firing || rule.fires === "never") continue;
    for (const index of candidates(policy, rule.firing)) {
      const deny = examined[index];
      // A `deny` that always stands is told of itself.
      if (index === at || deny?.rule.event !== "deny" || deny.fires !== "sometimes") continue;
      if (++pairs > PAIRS_MAX) return { shadows, cutShort: true };
      if (isRefuted({ rule, deny }, scratch)) continue;
      const implied = implies(search, { rule, deny }, index < at);
      if (implied === "unknown") cutShort = true;
      if (implied !== "yes") continue;
      shadows.push({ rule, deny });
      break;
    }
  }
  return { shadows, cutShort };
}

/** The rules that could stand with these facts, whatever the others are: a guard that is not among them can be made false. */
function* candidates({ index }: Policy, firing: Facts): Generator<number> {
  yield* index.always.rules;
  for (const { slot, groups } of index.guards) {
    const known = firing.find((fact) => fact.slot === slot);
    if (known) yield* groups.get(known.value)?.rules ?? [];
  }
}

/** One example with which the rule fires and the `deny` does not stand is enough, and most pairs have one. */
function isRefuted({ rule, deny }: Shadow, scratch: Known[]): boolean {
  const facts = [...(deny.resting ?? []), ...(rule.firing ?? [])];
  for (const { slot, value } of facts) scratch[slot] = value;
  const refuted = firesWith(rule.rule, rule.rule.condition.test(scratch)) && deny.rule.condition.test(scratch) === FALSE;
  for (const { slot } of facts) scratch[slot] = undefined;
  return refuted;
}

/** Of two `deny` rules that stand in the same cases, only the later one is shadowed. */
function implies({ vocabulary, effort }: Search, { rule, deny }: Shadow, isEarlier: boolean): "yes" | "no" | "unknown" {
  const model = modelOf([rule.rule.condition, deny.rule.condition], vocabulary);
  if (!affords(model, effort)) return "unknown";
  const [ruleRoot = 0, denyRoot = 0] = model.roots;
  let [holds, same] = [true, true];
  forEachCombination(model, ({ results }) => {
    const stands = results[denyRoot] !== FALSE;
    const fires = firesWith(rule.rule, results[ruleRoot] ?? FALSE);
    if (fires && !stands) holds = false;
    if (stands && !fires) same = false;
    return holds;
  });
  return holds && (rule.rule.event !== "deny" || !same || isEarlier) ? "yes" : "no";
}
