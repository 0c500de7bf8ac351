import type { DurationMs, Instant } from "../words.ts";
import { raiseSeen, type Seen } from "./seen.ts";

/** An allowed call of which nobody has said yet what came of it. */
export interface AwaitedCall {
  readonly at: Instant;
  /** The worst that its tool can return. */
  readonly worst: Seen;
  /** It was overdue when other windows came into force, and stays so. */
  readonly overdue?: true;
}

/** By the decision that allowed them, in the order in which they were. Changed by `apply` alone. */
export interface AwaitedCalls {
  readonly calls: CallsInOrder;
  /** None of the calls was allowed before: while this is within time, so are all, and none has to be looked at. */
  earliestAt: number;
  /** Calls that were given up on, because there were too many to wait for. */
  forgone: number;
}

/** Calls by their decisions. A Map that also knows its oldest: to read that off a Map takes the longer the more was deleted before it. */
class CallsInOrder {
  readonly #calls = new Map<string, AwaitedCall>();
  /** Stands behind the oldest. Let go where it may not be needed soon: while it stands still, every table that its Map has outgrown is kept for it. */
  #walk: Iterator<string, undefined> | undefined;
  #oldest: string | undefined;

  get size(): number {
    return this.#calls.size;
  }

  get(decision: string): AwaitedCall | undefined {
    return this.#calls.get(decision);
  }

  /** One that is there keeps its place. */
  set(decision: string, call: AwaitedCall): void {
    this.#calls.set(decision, call);
  }

  delete(decision: string): void {
    this.#calls.delete(decision);
    this.#walk = undefined;
    this.#oldest = undefined;
  }

  values(): Iterable<AwaitedCall> {
    return this.#calls.values();
  }

  [Symbol.iterator](): IterableIterator<[string, AwaitedCall]> {
    return this.#calls.entries();
  }

  get oldest(): AwaitedCall | undefined {
    if (this.#oldest === undefined) {
      this.#walk ??= this.#calls.keys();
      this.#oldest = this.#walk.next().value;
    }
    return this.#oldest === undefined ? undefined : this.#calls.get(this.#oldest);
  }

  /** For one that comes instead. */
  replaceOldest(decision: string, call: AwaitedCall): void {
    if (this.oldest && this.#oldest !== undefined) this.#calls.delete(this.#oldest);
    this.#oldest = undefined;
    this.#calls.set(decision, call);
  }
}

/** One beyond counts at once as what its tool can return at worst. */
export const AWAITED_MAX = 256;

export const createAwaited = (): AwaitedCalls => ({ calls: new CallsInOrder(), earliestAt: Number.POSITIVE_INFINITY, forgone: 0 });

export interface Overdue {
  readonly count: number;
  /** The seen that was given, and the worst that each of them can have shown. */
  readonly seen: Seen;
}

export interface Due {
  readonly at: Instant;
  readonly within: DurationMs;
}

export const isOverdue = (call: AwaitedCall, { at, within }: Due): boolean => call.overdue === true || at - call.at >= within;

/** Whether any can be overdue. */
export const mayBeOverdue = ({ earliestAt }: AwaitedCalls, { at, within }: Due): boolean => at - earliestAt >= within;

/** After some were taken away. */
export function lookForEarliest(awaited: AwaitedCalls): void {
  awaited.earliestAt = Number.POSITIVE_INFINITY;
  for (const call of awaited.calls.values()) awaited.earliestAt = Math.min(awaited.earliestAt, earliestOf(call));
}

const earliestOf = ({ at, overdue }: AwaitedCall): number => (overdue ? Number.NEGATIVE_INFINITY : at);

/** What was overdue under the windows until now stays so under longer ones: what was seen is not unseen. */
export function keepOverdue(awaited: AwaitedCalls, due: Due): void {
  for (const [decision, call] of awaited.calls) if (isOverdue(call, due)) awaited.calls.set(decision, { ...call, overdue: true });
  lookForEarliest(awaited);
}

/** What was not reported in time, and what has to be taken for seen because of it. */
export function overdueAt(awaited: AwaitedCalls, seen: Seen, { at, within }: Due): Overdue {
  const { calls, forgone } = awaited;
  if (!mayBeOverdue(awaited, { at, within })) return { count: forgone, seen };
  let count = forgone;
  let risen = seen;
  for (const call of calls.values()) {
    // Not the first that is in time ends it: the clock may have been put back between two calls.
    if (!isOverdue(call, { at, within })) continue;
    count++;
    risen = raiseSeen(risen, call.worst);
  }
  return { count, seen: risen };
}

/** The call that one more would leave no room for: what it can have shown counts at once. */
export function crowdedOut({ calls }: AwaitedCalls): AwaitedCall | undefined {
  return calls.size < AWAITED_MAX ? undefined : calls.oldest;
}

/** It was reported. */
export function endAwaiting(awaited: AwaitedCalls, decision: string): void {
  awaited.calls.delete(decision);
  if (awaited.calls.size === 0) awaited.earliestAt = Number.POSITIVE_INFINITY;
}

/** Waits for one more report. Answers the call that is no longer waited for because of it. */
export function awaitCall(awaited: AwaitedCalls, decision: string, call: AwaitedCall): AwaitedCall | undefined {
  const { calls } = awaited;
  const given = crowdedOut(awaited);
  if (given) {
    calls.replaceOldest(decision, call);
    awaited.forgone++;
  } else calls.set(decision, call);
  awaited.earliestAt = Math.min(awaited.earliestAt, earliestOf(call));
  return given;
}
