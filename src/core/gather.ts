import { FACTS } from "./facts.ts";
import { isList, isObject, type Known } from "./json.ts";
import type { Policy, RuleGroup, Slot } from "./policy.ts";
import type { Situation } from "./situation.ts";

/** All that the rules see of one situation: the facts that those rules read which could stand, frozen. */
export interface Reading {
  /** By the policy's slots; undefined where the fact is absent or was not read. */
  readonly values: readonly Known[];
  /** The slots that were read, in order. Which they are follows from the values of those before. */
  readonly slots: readonly number[];
  /** The rules that could stand. */
  readonly groups: readonly RuleGroup[];
}

export const gather = (policy: Policy, situation: Situation): Reading => gatherWith(policy, (slot) => readSlot(slot, situation));

/** Reads the facts that decide which rules could stand, then those that these rules read. */
export function gatherWith({ index, slots }: Policy, valueAt: (slot: Slot, at: number) => Known): Reading {
  // Beyond this the list is left sparse: to fill in thousands of places costs more than the few that are read.
  const values: Known[] = slots.length <= DENSE_SLOTS_MAX ? new Array(slots.length).fill(undefined) : [];
  const order: number[] = [];
  const read = (at: number): Known => {
    const slot = slots[at];
    if (!slot) return undefined;
    order.push(at);
    const value = valueAt(slot, at);
    values[at] = value;
    return value;
  };
  const groups = [index.always];
  for (const guard of index.guards) {
    const value = read(guard.slot);
    const group = typeof value === guard.type ? guard.groups.get(value) : guard.whole;
    if (group) groups.push(group);
  }
  for (const group of groups) for (const at of group.slots) read(at);
  return { values, slots: order, groups };
}

const DENSE_SLOTS_MAX = 256;

/** Every fact that any rule reads, whether or not the rule could stand: for explanations. */
export const gatherAll = (policy: Policy, situation: Situation): readonly Known[] => policy.slots.map((slot) => readSlot(slot, situation));

function readSlot({ fact, path }: Slot, situation: Situation): Known {
  const declaration = FACTS[fact];
  if (!declaration) throw new RangeError(`no fact \`${fact}\``);
  const value = declaration.read(situation);
  return path.length === 0 ? value : follow(value, path);
}

/** Own keys and list positions only: what a prototype brings is not there. */
function follow(value: Known, path: readonly (string | number)[]): Known {
  let found = value;
  for (const part of path) {
    if (typeof part === "number") found = isList(found) ? found[part] : undefined;
    else found = isObject(found) && Object.hasOwn(found, part) ? found[part] : undefined;
  }
  return found;
}
