import type { CacheRow } from "./decision-cache.ts";
import type { Group, PolicyRow } from "./messages.ts";

/** A turn that waits until its events, and all before them, are on disk. */
export interface Waiting {
  readonly events: readonly string[];
  readonly policies: readonly PolicyRow[];
  readonly observed?: WaitingObserved;
  /** When it began to wait, in milliseconds of a clock that only goes forward. */
  readonly sinceMs: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export interface WaitingObserved {
  readonly text: string;
  /** How many values it holds. */
  readonly values: number;
}

/** Events of one transaction at most: what is behind them waits for the next. */
const GROUP_EVENTS_MAX = 1_024;
/** Values of one transaction, but for those of the last report in it: each takes a digest and a row, and whoever waits for the disk waits for them. */
const GROUP_VALUES_MAX = 2_048;
/** Values that tools returned and that wait for the disk, beside those under way: up to some 80 MB of text. */
export const VALUES_QUEUED_MAX = 262_144;
/** Cache rows of one transaction at most; more are forgotten, which is always allowed. */
const GROUP_CACHE_ROWS_MAX = 256;

/** What waits for the disk, in the order of its turns: one transaction is under way, and the next gathers behind it. */
export class GroupQueue {
  readonly #send: (group: Group) => void;
  #queue: Waiting[] = [];
  #valuesQueued = 0;
  #written: readonly Waiting[] = [];
  #cacheRows: CacheRow[] = [];
  #cacheDrop: string | undefined;
  #sending: NodeJS.Immediate | undefined;

  constructor(send: (group: Group) => void) {
    this.#send = send;
  }

  /** Turns that are not on disk. */
  get length(): number {
    return this.#queue.length + this.#written.length;
  }

  /** Since when the oldest turn waits that is not on disk; undefined if none does. */
  get oldestSinceMs(): number | undefined {
    return (this.#written[0] ?? this.#queue[0])?.sinceMs;
  }

  /** Since when the oldest turn waits to be sent: what is under way to the disk is being served, however long that takes; undefined if none does. */
  get unsentSinceMs(): number | undefined {
    return this.#queue[0]?.sinceMs;
  }

  /** Values that tools returned in turns that were not sent yet. */
  get valuesQueued(): number {
    return this.#valuesQueued;
  }

  add(waiting: Waiting): void {
    this.#valuesQueued += waiting.observed?.values ?? 0;
    this.#queue.push(waiting);
    if (this.#written.length === 0) this.#sendSoon();
  }

  addCacheRow(row: CacheRow): void {
    if (this.#cacheRows.length < GROUP_CACHE_ROWS_MAX) this.#cacheRows.push(row);
  }

  /** What was sent is on disk. */
  acknowledge(): void {
    const written = this.#written;
    this.#written = [];
    for (const waiting of written) waiting.resolve();
    if (this.#queue.length > 0) this.#sendSoon();
  }

  /** Empties itself, and answers who waited. The rows of the policy in force, and only they, stay: it decides on after reopening. */
  giveUp(policy: string | undefined): readonly Waiting[] {
    const refused = [...this.#written, ...this.#queue];
    this.#written = [];
    this.#queue = [];
    this.#valuesQueued = 0;
    this.#cacheRows = [];
    this.#cacheDrop = policy;
    return refused;
  }

  /** Once what has arrived together has been decided, so that it goes to disk together. */
  #sendSoon(): void {
    this.#sending ??= setImmediate(() => {
      this.#sending = undefined;
      if (this.#written.length === 0) this.#sendGroup();
    });
  }

  /** Sends what waits, as one transaction. */
  #sendGroup(): void {
    if (this.#queue.length === 0) return;
    const taken: Waiting[] = [];
    const events: string[] = [];
    const observed: string[] = [];
    let values = 0;
    for (const waiting of this.#queue) {
      if (events.length >= GROUP_EVENTS_MAX || values >= GROUP_VALUES_MAX) break;
      taken.push(waiting);
      for (const text of waiting.events) events.push(text);
      if (!waiting.observed) continue;
      observed.push(waiting.observed.text);
      values += waiting.observed.values;
    }
    this.#queue = this.#queue.slice(taken.length);
    this.#valuesQueued -= values;
    const policies = taken.flatMap((waiting) => waiting.policies);
    this.#written = taken;
    if (events.length === 0) {
      // Turns that only read: everything before them is on disk already.
      this.acknowledge();
      return;
    }
    const cacheRows = this.#cacheRows;
    this.#cacheRows = [];
    // With the policy that makes them useless, or not at all.
    const drop = policies.at(-1)?.digest ?? this.#cacheDrop;
    this.#cacheDrop = undefined;
    this.#send({ kind: "group", events, policies, observed, cacheRows, ...(drop !== undefined && { cacheDropOtherThan: drop }) });
  }
}
