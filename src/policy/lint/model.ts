import type { Known } from "../../core/json.ts";
import { FALSE, type Kleene, not, TRUE, UNKNOWN } from "../../core/kleene.ts";
import type { Comparison, CompiledCondition, Slot } from "../../core/policy.ts";
import { type LiteralComparison, representativesOf } from "./values.ts";

/** What a condition's facts are: by them its comparisons can be told apart. */
export interface Vocabulary {
  readonly slots: readonly Slot[];
  readonly classifications: readonly string[];
}

/**
 * All that can happen to some conditions, as a small number of combinations. Every decision there can be answers the comparisons as one of the
 * combinations does, so what holds in all of them holds always. The reverse is not so: facts are taken to be independent of each other, and a
 * comparison of two facts, or one with decorated operators, to come out in any way.
 */
export interface Model {
  /** Every part of the conditions, each after its own parts. */
  readonly nodes: readonly ModelNode[];
  /** Where in `nodes` each of the conditions stands. */
  readonly roots: readonly number[];
  readonly variables: readonly Variable[];
  readonly combinations: number;
}

export interface ModelNode {
  readonly condition: CompiledCondition;
  /** Indexes into `nodes`. */
  readonly parts: readonly number[];
  /** Of a comparison: which of the different ones it is. */
  readonly leaf: number;
}

/** One fact, or one comparison that may come out in any way. */
export interface Variable {
  readonly leaves: readonly number[];
  /** Declared names of the facts that it reads. */
  readonly facts: readonly string[];
  /** Whether it is one comparison that may come out in any way. */
  readonly free: boolean;
  readonly choices: readonly Choice[];
}

export interface Choice {
  /** By `leaves`. */
  readonly results: readonly Kleene[];
  /** One of the fact's values that lead to them. */
  readonly example?: { readonly slot: number; readonly value: Known };
  /** Can be so although every partial fact is absent. */
  readonly whenAbsent: boolean;
}

export function modelOf(conditions: readonly CompiledCondition[], vocabulary: Vocabulary): Model {
  const nodes: ModelNode[] = [];
  const leaves = new Map<string, { readonly index: number; readonly condition: CompiledCondition; readonly comparison: Comparison }>();
  const add = (condition: CompiledCondition): number => {
    const parts = condition.parts.map(add);
    const { comparison } = condition;
    let leaf = -1;
    if (comparison) {
      const key = JSON.stringify([comparison.slot, comparison.operator, comparison.value]);
      const known = leaves.get(key) ?? { index: leaves.size, condition, comparison };
      leaves.set(key, known);
      leaf = known.index;
    }
    return nodes.push({ condition, parts, leaf }) - 1;
  };
  const roots = conditions.map(add);
  const variables = variablesOf([...leaves.values()], vocabulary);
  return { nodes, roots, variables, combinations: variables.reduce((product, { choices }) => product * choices.length, 1) };
}

interface Leaf {
  readonly index: number;
  readonly condition: CompiledCondition;
  readonly comparison: Comparison;
}

function variablesOf(leaves: readonly Leaf[], vocabulary: Vocabulary): readonly Variable[] {
  const bySlot = new Map<number, Leaf[]>();
  const free: Leaf[] = [];
  for (const leaf of leaves) {
    if (!isPlain(leaf.comparison)) free.push(leaf);
    else bySlot.set(leaf.comparison.slot, [...(bySlot.get(leaf.comparison.slot) ?? []), leaf]);
  }
  const variables: Variable[] = [];
  for (const [slot, asked] of bySlot) {
    const choices = choicesOf(slot, asked, vocabulary);
    if (choices) variables.push({ leaves: asked.map(({ index }) => index), facts: factsOf([slot], vocabulary), free: false, choices });
    else free.push(...asked);
  }
  return [
    ...variables,
    ...free.map(({ index, comparison }) => ({ leaves: [index], facts: factsOf(slotsRead(comparison), vocabulary), free: true, choices: ANY })),
  ];
}

const slotsRead = ({ slot, value }: Comparison): readonly number[] => ("slot" in value ? [slot, value.slot] : [slot]);
const factsOf = (read: readonly number[], { slots }: Vocabulary): readonly string[] => read.flatMap((slot) => slots[slot]?.fact ?? []);

const OUTCOMES: readonly Kleene[] = [FALSE, UNKNOWN, TRUE];
const ANY: readonly Choice[] = OUTCOMES.map((result) => ({ results: [result], whenAbsent: true }));

const isPlain = (comparison: Comparison): comparison is LiteralComparison => "literal" in comparison.value && !comparison.operator.includes(":");

/** Values that answer all comparisons alike are one choice. */
function choicesOf(slot: number, leaves: readonly Leaf[], { slots, classifications }: Vocabulary): readonly Choice[] | undefined {
  const named = slots[slot];
  if (!named) return undefined;
  const comparisons = leaves.map(({ comparison }) => comparison).filter(isPlain);
  const values = representativesOf(named, comparisons, classifications);
  if (!values) return undefined;
  const partial = values.includes(undefined);
  const at: Known[] = [];
  const choices = new Map<string, Choice>();
  for (const value of values) {
    at[slot] = value;
    const results = leaves.map(({ condition }) => condition.test(at));
    const key = results.join("");
    if (!choices.has(key)) choices.set(key, { results, example: { slot, value }, whenAbsent: !partial || value === undefined });
  }
  return [...choices.values()];
}

export interface Combination {
  /** What each node comes out as. */
  readonly results: readonly Kleene[];
  /** Can be so although every partial fact is absent. */
  readonly whenAbsent: boolean;
  /** The choice of each variable. */
  readonly chosen: readonly Choice[];
}

/** Visits every combination until a visit answers false. The same object is visited each time. */
export function forEachCombination({ nodes, variables }: Model, visit: (combination: Combination) => boolean): void {
  const leaves: Kleene[] = [];
  const results: Kleene[] = new Array(nodes.length).fill(FALSE);
  const chosen: Choice[] = [];
  const combination = { results, whenAbsent: true, chosen };
  const choose = (at: number, whenAbsent: boolean): boolean => {
    const variable = variables[at];
    if (!variable) {
      for (let index = 0; index < nodes.length; index++) {
        const node = nodes[index];
        if (node) results[index] = resultOf(node, leaves, results);
      }
      combination.whenAbsent = whenAbsent;
      return visit(combination);
    }
    for (const choice of variable.choices) {
      for (let index = 0; index < variable.leaves.length; index++) leaves[variable.leaves[index] ?? 0] = choice.results[index] ?? UNKNOWN;
      chosen[at] = choice;
      if (!choose(at + 1, whenAbsent && choice.whenAbsent)) return false;
    }
    return true;
  };
  choose(0, true);
}

function resultOf({ condition: { kind }, parts, leaf }: ModelNode, leaves: readonly Kleene[], results: readonly Kleene[]): Kleene {
  if (kind === "compare") return leaves[leaf] ?? UNKNOWN;
  if (kind === "not") return not(results[parts[0] ?? 0] ?? UNKNOWN);
  let result: Kleene = kind === "all" ? TRUE : FALSE;
  for (const part of parts) {
    const found = results[part] ?? UNKNOWN;
    if (kind === "all" ? found < result : found > result) result = found;
  }
  return result;
}
