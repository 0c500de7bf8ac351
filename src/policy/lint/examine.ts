import { FACTS } from "../../core/facts.ts";
import type { Known } from "../../core/json.ts";
import { FALSE, type Kleene, TRUE, UNKNOWN } from "../../core/kleene.ts";
import type { CompiledCondition, CompiledRule } from "../../core/policy.ts";
import { type Choice, type Combination, forEachCombination, type Model, modelOf, type Vocabulary } from "./model.ts";

/** More combinations of one condition than these are not tried, and nothing is said of it. */
export const COMBINATIONS_MAX = 16_384;

/** How much may be tried for one policy: a policy of ordinary rules stays far below. */
export interface Effort {
  /** Parts of conditions that may still be asked. */
  left: number;
}

/** What a rule does over everything that can happen. */
export interface Examined {
  readonly rule: CompiledRule;
  readonly fires: "never" | "always" | "sometimes";
  /** When every partial fact is absent it stands whatever the total ones say, and not because it is met. */
  readonly unknownWhenAbsent: boolean;
  /** What is unknown for no other reason than that a map of attributes is empty, by the map. */
  readonly unguarded: ReadonlyMap<string, Unguarded>;
  /** Conditions that are false whatever the facts say. */
  readonly impossible: ReadonlySet<CompiledCondition>;
  /** Facts with which it fires, and with which it does not stand. */
  readonly firing: Facts | undefined;
  readonly resting: Facts | undefined;
}

export interface Unguarded {
  /** The comparison. */
  readonly condition: CompiledCondition;
  /** With which the whole rule is unknown. */
  readonly facts: Facts;
}

/** Values of some facts, by their slots. */
export type Facts = readonly { readonly slot: number; readonly value: Known }[];

/** A rule that helps the caller does so only when it is known to match; any other counts unless it is known not to. */
export const isHelping = ({ event, points }: CompiledRule): boolean => event === "allow" || points < 0;
export const firesWith = (rule: CompiledRule, result: Kleene): boolean => (isHelping(rule) ? result === TRUE : result !== FALSE);

/** Undefined when there are too many combinations to try. */
export function examine(rule: CompiledRule, vocabulary: Vocabulary, effort: Effort): Examined | undefined {
  const model = modelOf([rule.condition], vocabulary);
  if (!affords(model, effort)) return undefined;
  const root = model.nodes.length - 1;
  const possible: boolean[] = new Array(model.nodes.length).fill(false);
  let [firing, resting]: [Facts | undefined, Facts | undefined] = [undefined, undefined];
  let [always, absentStands, absentUnknown] = [true, true, false];
  const unguarded = new Map<string, Unguarded>();
  const maps = ATTRIBUTE_MAPS.filter((map) => model.variables.some(({ facts }) => facts.includes(map)));
  forEachCombination(model, (combination) => {
    const { results, whenAbsent, chosen } = combination;
    for (let at = 0; at < results.length; at++) if (results[at] !== FALSE) possible[at] = true;
    const result = results[root] ?? FALSE;
    if (firesWith(rule, result)) firing ??= factsOf(chosen);
    else always = false;
    if (result === FALSE) resting ??= factsOf(chosen);
    if (whenAbsent && result === FALSE) absentStands = false;
    if (whenAbsent && result === UNKNOWN) absentUnknown = true;
    if (result === UNKNOWN) {
      for (const map of maps) {
        if (unguarded.has(map) || !isAllThatIsUnknown(map, model, chosen)) continue;
        const condition = firstUnknown(model, combination);
        if (condition) unguarded.set(map, { condition, facts: factsOf(chosen) });
      }
    }
    return true;
  });
  const impossible = new Set(model.nodes.filter((_, at) => !possible[at]).map(({ condition }) => condition));
  const fires = firing === undefined ? "never" : always ? "always" : "sometimes";
  return { rule, fires, unknownWhenAbsent: absentStands && absentUnknown, unguarded, impossible, firing, resting };
}

/** A tool brings its arguments along; nothing brings attributes. */
const ATTRIBUTE_MAPS = Object.keys(FACTS).filter((name) => FACTS[name]?.type === "map" && name !== "action.arguments");

/** Whether nothing is in this map, and all that does not read it is known. */
const isAllThatIsUnknown = (map: string, { variables }: Model, chosen: readonly Choice[]): boolean =>
  variables.every(({ facts, free }, at) => {
    const { results = [], whenAbsent = false } = chosen[at] ?? {};
    if (!facts.includes(map)) return !results.includes(UNKNOWN);
    return free ? results[0] === UNKNOWN : whenAbsent;
  });

/** The first comparison that leaves the whole unknown. */
function firstUnknown({ nodes }: Model, { results }: Combination): CompiledCondition | undefined {
  let at: number | undefined = nodes.length - 1;
  while (at !== undefined) {
    const node: Model["nodes"][number] | undefined = nodes[at];
    if (!node || node.condition.comparison) return node?.condition;
    at = node.parts.find((part) => results[part] === UNKNOWN);
  }
  return undefined;
}

/** Whether a model is small enough to be tried, and takes what that costs. */
export function affords({ combinations, nodes }: Model, effort: Effort): boolean {
  if (combinations > COMBINATIONS_MAX || effort.left < combinations * nodes.length) return false;
  effort.left -= combinations * nodes.length;
  return true;
}

const factsOf = (chosen: readonly Choice[]): Facts => chosen.flatMap(({ example }) => (example ? [example] : []));
