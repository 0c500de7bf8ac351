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

interface Sent {
  readonly turns: readonly Waiting[];
  /** None: it was sent to nobody, there is nothing to write. */
  readonly events: number;
}

/** Events of one transaction at most: what is behind them waits for the next. */
const GROUP_EVENTS_MAX = 1_024;
/** Values of one transaction, but for those of the last report in it: each takes a digest and a row, and whoever waits for the disk waits for them. */
const GROUP_VALUES_MAX = 2_048;
/** Values that tools returned and that wait for the disk, beside those under way: up to some 80 MB of text. */
export const VALUES_QUEUED_MAX = 262_144;
/** Cache rows of one transaction at most; more are forgotten, which is always allowed. */
const GROUP_CACHE_ROWS_MAX = 256;

/** A transaction under way, and one more that the writer finds when that is done: it need not wait until this thread has heard of it. */
const GROUPS_SENT_MAX = 2;
/** Events that are sent although more may come in the same round: so that the disk is at work while a long round is decided. */
const GROUP_EVENTS_EAGER = 32;
/** For how long turns gather behind a transaction that is under way; a disk that takes longer for it is slow. */
const GATHERED_MS = 200;

/** What waits for the disk, in the order of its turns: transactions are under way, and the next gathers behind them. */
export class GroupQueue {
  readonly #send: (group: Group) => void;
  #queue: Waiting[] = [];
  #eventsQueued = 0;
  #valuesQueued = 0;
  /** In the order in which the writer takes them. */
  #sent: Sent[] = [];
  #turnsSent = 0;
  #cacheRows: CacheRow[] = [];
  #cacheDrop: string | undefined;
  #sending: NodeJS.Immediate | undefined;

  constructor(send: (group: Group) => void) {
    this.#send = send;
  }

  /** Turns that are not on disk. */
  get length(): number {
    return this.#queue.length + this.#turnsSent;
  }

  /** Since when the oldest turn waits that is not on disk; undefined if none does. */
  get oldestSinceMs(): number | undefined {
    return (this.#sent[0]?.turns[0] ?? this.#queue[0])?.sinceMs;
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
    this.#eventsQueued += waiting.events.length;
    this.#valuesQueued += waiting.observed?.values ?? 0;
    this.#queue.push(waiting);
    if (this.#isWorthATransaction(waiting.sinceMs)) this.#sendGroup();
    else if (this.#sent.length === 0) this.#sendSoon();
  }

  addCacheRow(row: CacheRow): void {
    if (this.#cacheRows.length < GROUP_CACHE_ROWS_MAX) this.#cacheRows.push(row);
  }

  /** The transaction that was sent first is on disk. */
  acknowledge(): void {
    this.#answerFirst();
    // What only reads has nothing of its own to wait for.
    while (this.#sent[0]?.events === 0) this.#answerFirst();
    if (this.#queue.length === 0) return;
    if (this.#sent.length === 0) this.#sendSoon();
    else if (this.#isWorthATransaction(performance.now())) this.#sendGroup();
  }

  /**
   * Behind a transaction that is under way none that is smaller: each costs much by itself, and what has to wait behind that one may as well wait for
   * more. Unless that takes long: what is not sent grows old.
   */
  #isWorthATransaction(nowMs: number): boolean {
    if (this.#sent.length >= GROUPS_SENT_MAX) return false;
    const eventsSent = this.#sent.reduce((sum, { events }) => sum + events, 0);
    if (this.#eventsQueued >= Math.min(GROUP_EVENTS_MAX, Math.max(GROUP_EVENTS_EAGER, eventsSent))) return true;
    const [oldest] = this.#queue;
    return oldest !== undefined && nowMs - oldest.sinceMs >= GATHERED_MS;
  }

  #answerFirst(): void {
    const turns = this.#sent.shift()?.turns ?? [];
    this.#turnsSent -= turns.length;
    for (const waiting of turns) waiting.resolve();
  }

  /** Empties itself, and answers who waited. The rows of the policy in force, and only they, stay: it decides on after reopening. */
  giveUp(policy: string | undefined): readonly Waiting[] {
    const refused = [...this.#sent.flatMap(({ turns }) => turns), ...this.#queue];
    this.#sent = [];
    this.#turnsSent = 0;
    this.#queue = [];
    this.#eventsQueued = 0;
    this.#valuesQueued = 0;
    this.#cacheRows = [];
    this.#cacheDrop = policy;
    return refused;
  }

  /** Once what has arrived together has been decided, so that it goes to disk together. */
  #sendSoon(): void {
    this.#sending ??= setImmediate(() => {
      this.#sending = undefined;
      if (this.#sent.length === 0) this.#sendGroup();
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
    this.#eventsQueued -= events.length;
    this.#valuesQueued -= values;
    const policies = taken.flatMap((waiting) => waiting.policies);
    this.#sent.push({ turns: taken, events: events.length });
    this.#turnsSent += taken.length;
    if (events.length === 0) {
      // Everything before them is on disk already, or on its way there before them.
      if (this.#sent.length === 1) this.acknowledge();
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
