import { FACTS } from "../core/facts.ts";
import { isList, type Known } from "../core/json.ts";
import { type CompiledCondition, type CompiledRule, type RuleGroup, type RuleGuard, type RuleIndex, type Slot, slotsOf } from "../core/policy.ts";
import type { Steps } from "../core/steps.ts";

/** What a condition demands of one fact: with any other value it is false, whatever the rest. */
interface Demand {
  readonly slot: number;
  readonly values: ReadonlySet<Known>;
}

/** Sorts rules by what they demand, so that a decision finds those that could stand. */
export function* indexRules(rules: readonly CompiledRule[], slots: readonly Slot[]): Steps<RuleIndex> {
  const demands: (readonly Demand[])[] = [];
  for (const { condition } of rules) {
    demands.push(demandsOf(condition, slots));
    yield;
  }
  const spread = spreadOf(demands.flat());
  const always: number[] = [];
  const guards = new Map<number, Map<Known, number[]>>();
  for (const [index, stated] of demands.entries()) {
    const demand = mostTelling(stated, spread);
    if (!demand) {
      always.push(index);
      continue;
    }
    const groups = guards.get(demand.slot) ?? new Map<Known, number[]>();
    guards.set(demand.slot, groups);
    for (const value of demand.values) {
      const group = groups.get(value);
      if (group) group.push(index);
      else groups.set(value, [index]);
    }
    yield;
  }
  const read = new Set(guards.keys());
  const slotsUnread = (indexes: readonly number[]): readonly number[] => slotsOfAll(indexes, rules).filter((slot) => !read.has(slot));
  const unguarded: RuleGroup = { rules: always, slots: slotsUnread(always) };
  for (const slot of unguarded.slots) read.add(slot);
  const ready: RuleGuard[] = [];
  for (const [slot, groups] of guards) ready.push(yield* guardOf({ slot, type: guardTypeOf(slots[slot]) ?? "string", groups, slotsUnread }));
  return { always: unguarded, guards: ready };
}

interface GuardParts extends Pick<RuleGuard, "slot" | "type"> {
  readonly groups: ReadonlyMap<Known, readonly number[]>;
  /** The slots that these rules read, without those that are read before. */
  readonly slotsUnread: (indexes: readonly number[]) => readonly number[];
}

function* guardOf({ slot, type, groups, slotsUnread }: GuardParts): Steps<RuleGuard> {
  const ready = new Map<Known, RuleGroup>();
  for (const [value, indexes] of groups) {
    ready.set(value, { rules: indexes, slots: slotsUnread(indexes) });
    yield;
  }
  const whole = [...new Set([...groups.values()].flat())].sort((a, b) => a - b);
  const slots = new Set([...ready.values()].flatMap((group) => group.slots));
  return { slot, type, groups: ready, whole: { rules: whole, slots: [...slots].sort((a, b) => a - b) } };
}

/** A total fact that is one word is never unknown, so that whatever is compared with another word is false. */
function guardTypeOf(slot: Slot | undefined): RuleGuard["type"] | undefined {
  const declaration = slot && FACTS[slot.fact];
  return declaration?.total && (declaration.type === "string" || declaration.type === "boolean") ? declaration.type : undefined;
}

function demandsOf({ kind, parts, comparison }: CompiledCondition, slots: readonly Slot[]): readonly Demand[] {
  switch (kind) {
    case "all":
      return parts.flatMap((part) => demandsOf(part, slots));
    case "any":
      return demandsOfAny(parts.map((part) => demandsOf(part, slots)));
    case "not":
      return [];
    case "compare": {
      if (!comparison || !("literal" in comparison.value) || !guardTypeOf(slots[comparison.slot])) return [];
      const { slot, operator, value } = comparison;
      if (operator === "equal" && !isList(value.literal)) return [{ slot, values: new Set([value.literal]) }];
      return operator === "in" && isList(value.literal) ? [{ slot, values: new Set(value.literal) }] : [];
    }
  }
}

/** One part of several suffices: a fact is demanded only if each part demands something of it, and then any of that will do. */
function demandsOfAny(parts: readonly (readonly Demand[])[]): readonly Demand[] {
  const [first = [], ...rest] = parts;
  return first.flatMap(({ slot, values }) => {
    const others = rest.map((demands) => demands.find((demand) => demand.slot === slot));
    if (others.some((other) => other === undefined)) return [];
    return [{ slot, values: new Set([...values, ...others.flatMap((other) => [...(other?.values ?? [])])]) }];
  });
}

/** How many different values all rules together demand of each fact. */
function spreadOf(demands: readonly Demand[]): ReadonlyMap<number, number> {
  const values = new Map<number, Set<Known>>();
  for (const demand of demands) {
    const known = values.get(demand.slot) ?? new Set<Known>();
    values.set(demand.slot, known);
    for (const value of demand.values) known.add(value);
  }
  return new Map([...values].map(([slot, known]) => [slot, known.size]));
}

/** The one that few requests meet: of the fact that tells most rules apart, and with the fewest values. */
function mostTelling(demands: readonly Demand[], spread: ReadonlyMap<number, number>): Demand | undefined {
  const share = ({ slot, values }: Demand): number => values.size / (spread.get(slot) ?? 1);
  return demands.reduce<Demand | undefined>((best, demand) => (best === undefined || share(demand) < share(best) ? demand : best), undefined);
}

function slotsOfAll(indexes: readonly number[], rules: readonly CompiledRule[]): readonly number[] {
  const found = new Set<number>();
  for (const index of indexes) {
    const rule = rules[index];
    if (rule) slotsOf(rule.condition, found);
  }
  return [...found].sort((a, b) => a - b);
}
