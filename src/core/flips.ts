import type { Judgement } from "./combine.ts";
import { FACTS } from "./facts.ts";
import { gather, type Reading } from "./gather.ts";
import { isList, type Known } from "./json.ts";
import { judgeSituation } from "./judge.ts";
import type { CompiledCondition, Policy, Slot } from "./policy.ts";
import type { Situation } from "./situation.ts";
import type { Steps } from "./steps.ts";
import { CHANGES } from "./what-if.ts";
import { EFFECTS, type Json, type Outcome } from "./words.ts";

/** Facts that would have to be otherwise for another outcome: all of these, and no fewer of them. */
export interface Flip {
  readonly outcome: Outcome;
  readonly changes: readonly FactChange[];
}

export interface FactChange {
  readonly fact: string;
  /** Undefined when the fact is absent. */
  readonly from: Known;
  /** Undefined when it would have to be absent. */
  readonly to: Known;
}

export interface FlipSearch {
  readonly flips: readonly Flip[];
  /** Whether all was tried that the search knows to try; else there may be other flips, and smaller ones. */
  readonly isComplete: boolean;
}

/** Decisions that one search makes at most; when they are spent, what has been found is answered. */
export const FLIP_TRIALS_MAX = 2_000;
/** Of so many facts every combination that could help is tried; of more, only some. */
export const FLIP_FACTS_TRIED = 2;
/** Of each other outcome. */
const FLIPS_PER_OUTCOME_MAX = 3;
/** Changes of facts that are tried together, two by two. */
const PAIRED_MAX = 24;
/** Values of one fact that are tried. */
const VALUES_PER_FACT_MAX = 12;

interface Candidate extends FactChange {
  readonly slot: Slot;
}

interface Trial {
  readonly candidates: readonly Candidate[];
  readonly judgement: Judgement;
}

/**
 * Searches the smallest changes of facts after which the outcome would be another: first every single one, then two at a time of those that
 * bring it nearer, then those that bring it nearest, one on top of the other. Every answer has been tried by the decision itself. It yields
 * after each trial, so that whoever runs it can let others go first.
 */
export function* findFlips(situation: Situation, judgement: Judgement): Steps<FlipSearch> {
  const search = createSearch(situation, judgement);
  const singles: Trial[] = [];
  for (const candidate of candidatesOf(situation)) {
    const trial = search.attempt([candidate]);
    if (trial) singles.push(trial);
    yield;
  }
  const nearer = singles
    .filter((trial) => isNearer(trial.judgement, judgement))
    .sort((a, b) => weightOf(a.judgement) - weightOf(b.judgement))
    .slice(0, PAIRED_MAX);
  for (const [index, first] of nearer.entries()) {
    for (const second of nearer.slice(index + 1)) {
      if (isSameFact(first, second)) continue;
      search.attempt([...first.candidates, ...second.candidates]);
      yield;
    }
  }
  yield* descend(search, nearer);
  return { flips: search.flips(), isComplete: !search.isSpent() };
}

/** Adds the nearest change to the nearest so far, until the outcome is better or nothing brings it nearer; then leaves out what was not needed. */
function* descend(search: Search, nearer: readonly Trial[]): Steps<void> {
  if (search.hasBetter()) return;
  let best = nearer[0];
  while (best && !search.isSpent()) {
    let next: Trial | undefined;
    for (const more of nearer) {
      if (isSameFact(best, more)) continue;
      const trial = search.attempt([...best.candidates, ...more.candidates]);
      yield;
      if (trial && weightOf(trial.judgement) < weightOf((next ?? best).judgement)) next = trial;
    }
    if (search.hasBetter()) return;
    best = next;
  }
}

interface Search {
  /** Undefined when it cannot be, or when the trials are spent. */
  attempt(candidates: readonly Candidate[]): Trial | undefined;
  hasBetter(): boolean;
  isSpent(): boolean;
  flips(): readonly Flip[];
}

const BEST_FIRST: readonly Outcome[] = ["ALLOW", "REQUIRE_APPROVAL", "DENY"];

function createSearch(situation: Situation, judgement: Judgement): Search {
  const found = new Map<Outcome, Trial[]>();
  let trials = 0;
  const decide = (candidates: readonly Candidate[]): Judgement | undefined => {
    if (trials >= FLIP_TRIALS_MAX) return undefined;
    trials++;
    const changed = applied(situation, candidates);
    return changed && judgeSituation(changed).judgement;
  };
  /** Leaves out, one by one, what the outcome does not need. */
  const withoutSurplus = (trial: Trial): Trial => {
    for (const candidate of trial.candidates) {
      const rest = trial.candidates.filter((other) => other !== candidate);
      const fewer = rest.length === 0 ? undefined : decide(rest);
      if (fewer?.outcome === trial.judgement.outcome) return withoutSurplus({ candidates: rest, judgement: fewer });
    }
    return trial;
  };
  const keep = (trial: Trial): void => {
    const known = found.get(trial.judgement.outcome) ?? [];
    found.set(trial.judgement.outcome, known);
    const facts = new Set(trial.candidates.map(({ fact }) => fact));
    // Nothing that holds a smaller answer, and no second value of the same facts.
    if (known.some(({ candidates }) => candidates.every(({ fact }) => facts.has(fact)))) return;
    if (known.length < FLIPS_PER_OUTCOME_MAX) known.push(trial);
  };
  return {
    attempt(candidates) {
      const after = decide(candidates);
      if (!after) return undefined;
      const trial = { candidates, judgement: after };
      if (after.outcome !== judgement.outcome) keep(candidates.length > 2 ? withoutSurplus(trial) : trial);
      return trial;
    },
    hasBetter: () => BEST_FIRST.slice(0, BEST_FIRST.indexOf(judgement.outcome)).some((outcome) => found.has(outcome)),
    isSpent: () => trials >= FLIP_TRIALS_MAX,
    flips: () =>
      BEST_FIRST.flatMap((outcome) =>
        (found.get(outcome) ?? []).map(({ candidates }) => ({ outcome, changes: candidates.map(({ fact, from, to }) => ({ fact, from, to })) })),
      ),
  };
}

/** The value that a slot would have. */
export interface SlotChange {
  readonly slot: Slot;
  readonly to: Known;
}

/** The situation after all changes; undefined when it cannot be. Maps first: what follows from a changed argument must not undo another change. */
export function applied(situation: Situation, changes: readonly SlotChange[]): Situation | undefined {
  const isMap = ({ slot }: SlotChange): boolean => slot.path.length > 0;
  const inOrder = [...changes.filter(isMap), ...changes.filter((change) => !isMap(change))];
  return inOrder.reduce<Situation | undefined>((changed, { slot, to }) => changed && CHANGES[slot.fact]?.(changed, to, slot.path), situation);
}

const isSameFact = (a: Trial, b: Trial): boolean => a.candidates.some(({ fact }) => b.candidates.some((other) => other.fact === fact));

/** What still stands against the action: each reason first, then the score. */
const weightOf = ({ outcome, reasonCodes, holds, findings, score }: Judgement): number =>
  (outcome === "DENY" ? 1_000_000 : 0) +
  (reasonCodes.length + holds.length) * 10_000 +
  findings.filter(({ event }) => event === "deny").length * 1_000 +
  score;

const isNearer = (after: Judgement, before: Judgement): boolean => weightOf(after) < weightOf(before);

/**
 * Every other value of every fact that could matter: what basis and reach look at, and what the rules that could stand read, with the values that
 * they compare it with and those beside them; facts that other rules are found by have the values with which those are found.
 */
function candidatesOf(situation: Situation): readonly Candidate[] {
  const { policy } = situation;
  const reading = gather(policy, situation);
  const constants = constantsBySlot(policy, reading);
  const found: Candidate[] = [];
  const add = (slot: Slot, from: Known, others: readonly Known[]): void => {
    const fresh = others.filter((to) => JSON.stringify(to) !== JSON.stringify(from) && !(isEmpty(to) && isAddress(situation, slot)));
    for (const to of fresh.slice(0, VALUES_PER_FACT_MAX)) found.push({ slot, fact: slot.name, from, to });
  };
  add(slotOf("action.effect"), situation.effect, EFFECTS);
  const isRanked = reading.slots.some((at) => policy.slots[at]?.fact === "data.classification_rank");
  const order = policy.settings.classification.order;
  const ranks = nearest(situation.classificationRank, [...order.keys()]);
  if (isRanked) add(slotOf("data.classification_rank"), situation.classificationRank, ranks);
  else
    add(
      slotOf("data.classification"),
      situation.classification,
      ranks.map((rank) => order[rank]),
    );
  const isAdded = ({ fact }: Slot): boolean => fact === "action.effect" || fact === "data.classification" || fact === "data.classification_rank";
  for (const at of new Set(reading.slots)) {
    const slot = policy.slots[at];
    if (slot && !isAdded(slot) && CHANGES[slot.fact]) add(slot, reading.values[at], valuesToTry(slot, reading.values[at], constants.get(at) ?? []));
  }
  return found;
}

const isEmpty = (value: Known): boolean => value === undefined || value === null || value === "";

/** To leave out whom or what a call is about is no way to have it allowed. */
function isAddress({ tool }: Situation, { fact, path: [name] }: Slot): boolean {
  const role = fact === "action.arguments" && typeof name === "string" ? tool?.roles.get(name) : undefined;
  return role === "target" || role === "destination";
}

const slotOf = (fact: string): Slot => ({ name: fact, fact, path: [] });

/** Stands for whatever an absent entry could be: only that it is there matters. */
export const ANYTHING = "anything";

function valuesToTry(slot: Slot, from: Known, constants: readonly Json[]): readonly Known[] {
  const declaration = FACTS[slot.fact];
  if (declaration?.values) return declaration.values;
  const isEntry = slot.path.length > 0;
  const words = [...new Set(constants.flatMap((value) => (isList(value) ? value : [value])))];
  switch (isEntry ? typeOfEntry(constants) : declaration?.type) {
    case "boolean":
      return [true, false];
    case "integer":
      return nearest(
        from,
        words.filter((value) => typeof value === "number").flatMap((value) => [value, value - 1, value + 1]),
      );
    case "list": {
      const present = isList(from) ? from : [];
      return [
        ...words.filter((word) => present.includes(word)).map((word) => present.filter((item) => item !== word)),
        ...words.filter((word) => !present.includes(word)).map((word) => [...present, word].sort()),
      ];
    }
    default:
      return [...words, ...(isEntry ? [from === undefined ? ANYTHING : undefined] : ["another"])];
  }
}

/** An open map declares no types: a value in it is of the type that rules compare it with. */
function typeOfEntry(constants: readonly Json[]): "integer" | "boolean" | "string" {
  if (constants.some((value) => typeof value === "number")) return "integer";
  return constants.some((value) => typeof value === "boolean") ? "boolean" : "string";
}

/** Those next to what is first; from nothing, the borders themselves. */
function nearest(from: Known, values: readonly number[]): readonly number[] {
  const each = [...new Set(values)];
  return typeof from === "number" ? each.sort((a, b) => Math.abs(a - from) - Math.abs(b - from)) : each;
}

/** What the rules that could stand compare each fact with, another fact's value included; and by which values others are found. */
function constantsBySlot(policy: Policy, { values, groups }: Reading): ReadonlyMap<number, readonly Json[]> {
  const found = new Map<number, Set<Json>>();
  const note = (slot: number, value: Known): void => {
    if (value === undefined) return;
    const known = found.get(slot) ?? new Set<Json>();
    found.set(slot, known);
    for (const item of isList(value) ? value : [value]) known.add(item);
  };
  const collect = ({ parts, comparison }: CompiledCondition): void => {
    for (const part of parts) collect(part);
    if (!comparison || comparison.operator === "present") return;
    const { slot, value } = comparison;
    if ("literal" in value) note(slot, value.literal);
    else {
      note(slot, values[value.slot]);
      note(value.slot, values[slot]);
    }
  };
  for (const index of groups.flatMap((group) => group.rules)) {
    const rule = policy.rules[index];
    if (rule) collect(rule.condition);
  }
  for (const { slot, groups: byValue } of policy.index.guards)
    for (const value of [...byValue.keys()].slice(0, VALUES_PER_FACT_MAX)) note(slot, value);
  return new Map([...found].map(([slot, known]) => [slot, [...known]]));
}
