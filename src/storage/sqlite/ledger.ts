import { ServiceError } from "../../core/errors.ts";
import type { ObservedInTree } from "../../core/intent/observed-trees.ts";
import type {
  ApprovalEvents,
  ApprovalEventsQuestion,
  Controlled,
  ControlTurn,
  ControlView,
  EndedSuspensionsQuestion,
  KeptPolicy,
  Ledger,
  StoredPolicy,
  Turn,
} from "../../core/ports.ts";
import {
  type ApprovalEvent,
  type ControlEvent,
  type DecisionRecord,
  decodeEvent,
  encodeEvent,
  isApprovalEvent,
  type LedgerEvent,
  type Reported,
} from "../../core/record.ts";
import { apply, createState, forget, observe, type State, type StateKeys, type StateView, view } from "../../core/state.ts";
import type { EndedSuspension, SuspensionsView } from "../../core/suspensions.ts";
import type { RegisteredTasksView } from "../../core/tasks/registered.ts";
import { type Instant, instant } from "../../core/words.ts";
import { approvalEventsOf } from "./approval-events.ts";
import { type ApprovalRow, refuseApprovalDifference } from "./approval-rows.ts";
import { createSqliteDecisionCache, type SqliteDecisionCache } from "./decision-cache.ts";
import { GroupQueue, VALUES_QUEUED_MAX, type WaitingObserved } from "./group-queue.ts";
import { HeldControls } from "./held-controls.ts";
import { type LedgerMeasures, measureState } from "./measures.ts";
import type { PolicyRow, WrittenGroup } from "./messages.ts";
import { createObservationDigests, type ObservationDigests } from "./observation-digests.ts";
import { refuseWithoutRoom } from "./policy-room.ts";
import { endedOf, refuseSuspensionDifference, type SuspensionRow } from "./suspension-rows.ts";
import { type RegisteredRow, refuseTaskDifference, type TaskRow } from "./task-rows.ts";
import { Writer } from "./writer-thread.ts";

export interface SqliteLedgerOptions {
  /** Path of the database file. */
  readonly path: string;
  /** Path of the control journal. */
  readonly journalPath: string;
  readonly now: () => Instant;
  /** Told the last instant that the ledger knows, before anything is decided on it: from there on `now` is later. */
  readonly notBefore: (at: Instant) => void;
  /** Key of the row seals of the decision cache; never in the database. */
  readonly sealKey: Buffer;
  readonly cacheRowsMax: number;
  /** Key of what is kept of observed values; never in the database. */
  readonly observationKey: Buffer;
  /** Turns that may wait for the disk at once. */
  readonly turnsWaitingMax: number;
  /** How long after a failure the file is opened anew. */
  readonly reopenAfterMs: number;
  /** Told why the ledger failed, and why it could not be reopened. */
  readonly onFailure: (error: Error) => void;
  /** Told what is wrong with the control journal. */
  readonly onJournalProblem: (problem: string) => void;
  /** Told of each group that is on disk, before those who wait for it. */
  readonly onGroupWritten: (group: WrittenGroup) => void;
}

export interface SqliteStorage {
  readonly ledger: Ledger;
  readonly cache: SqliteDecisionCache;
  /** How much there is of everything, for whoever looks: costs a walk over the approvals. */
  measure(): LedgerMeasures;
  /** How long the oldest turn has waited to be sent to the disk; 0 if none does. */
  queuedForMs(): number;
}

const FORGET_EVERY_MS = 1_000;

/**
 * Opens the ledger, makes what is missing, and rebuilds the state.
 * @throws {Error} with what to do, when the file cannot be used.
 */
export async function openSqliteStorage(options: SqliteLedgerOptions): Promise<SqliteStorage> {
  const storage = new SqliteLedger(options);
  try {
    await storage.open();
  } catch (error) {
    await storage.close();
    throw error;
  }
  return { ledger: storage, cache: storage.cache, measure: () => storage.measure(), queuedForMs: () => storage.queuedForMs() };
}

/**
 * State in memory on this thread, one writer on another. A turn's events apply at once; the turn is answered when its group is on disk. When
 * a group fails, everything that waits is refused, the state is discarded — there is no undo — and rebuilt from the reopened file.
 */
class SqliteLedger implements Ledger {
  readonly cache: SqliteDecisionCache;
  readonly #options: SqliteLedgerOptions;
  readonly #listeners = new Set<(ready: boolean) => void>();
  readonly #approvalListeners: ((event: ApprovalEvent) => void)[] = [];
  #state: State = createState();
  #writer: Writer | undefined;
  readonly #queue = new GroupQueue((group) => this.#writer?.send(group));
  /** The last one that is certainly on disk. */
  #policy: string | undefined;
  #closed = false;
  #reopening: NodeJS.Timeout | undefined;
  #opening: Promise<void> | undefined;
  readonly #forgetting: NodeJS.Timeout;
  readonly #controls: HeldControls;
  readonly #digests: ObservationDigests;

  constructor(options: SqliteLedgerOptions) {
    this.#options = options;
    this.#controls = new HeldControls({ path: options.journalPath, key: options.sealKey, onProblem: options.onJournalProblem });
    this.#digests = createObservationDigests(options.observationKey);
    this.cache = createSqliteDecisionCache({
      rowsMax: options.cacheRowsMax,
      key: options.sealKey,
      now: options.now,
      write: (row) => this.#queue.addCacheRow(row),
    });
    this.#forgetting = setInterval(() => forget(this.#state, options.now()), FORGET_EVERY_MS);
    this.#forgetting.unref();
  }

  get ready(): boolean {
    return this.#writer !== undefined && !this.#closed;
  }

  onReadyChange(listener: (ready: boolean) => void): void {
    this.#listeners.add(listener);
  }

  onApprovalChange(listener: (event: ApprovalEvent) => void): void {
    this.#approvalListeners.push(listener);
  }

  #tellApprovals(events: readonly LedgerEvent[]): void {
    for (const event of events) if (isApprovalEvent(event)) for (const listener of this.#approvalListeners) listener(event);
  }

  async open(): Promise<void> {
    const state = createState();
    let selfAsserted: readonly TaskRow[] = [];
    let registered: readonly RegisteredRow[] = [];
    let suspensionRows: readonly SuspensionRow[] = [];
    let approvalRows: readonly ApprovalRow[] = [];
    this.cache.clear();
    const { path, now, cacheRowsMax, observationKey } = this.#options;
    const { ids: taken, texts: controls } = this.#controls;
    const writer = new Writer({ path, nowMs: now(), cacheRowsMax, observationKey, controls });
    const at = instant(
      await writer.opened((message) => {
        if (message.kind === "events") for (const text of message.events) apply(state, decodeEvent(text));
        else if (message.kind === "tasks") ({ selfAsserted, registered } = message);
        else if (message.kind === "suspensions") suspensionRows = message.rows;
        else if (message.kind === "approvals") approvalRows = message.rows;
        else if (message.kind === "observed") state.observed.recall(message, this.#digests.of(message.root));
        else if (message.kind === "cache") this.cache.load(message.rows);
      }),
    );
    this.#options.notBefore(at);
    // As it would have been, had the process gone on.
    forget(state, at);
    try {
      refuseTaskDifference(state, selfAsserted, registered);
      refuseSuspensionDifference(state.suspensions, suspensionRows, at);
      refuseApprovalDifference(state.approvals, approvalRows);
    } catch (error) {
      await writer.close();
      throw error;
    }
    if (this.#closed) {
      // Closed while this was opening: nobody would ever let go of it.
      await writer.close();
      return;
    }
    writer.onWritten = (group) => {
      this.#options.onGroupWritten(group);
      this.#queue.acknowledge();
    };
    writer.onFailed = (error) => this.#fail(writer, error);
    this.#state = state;
    this.#writer = writer;
    this.#settleControls(taken);
    this.#tell();
  }

  /** What was given to the writer as it opened is in the ledger; what came meanwhile goes there first of all. */
  #settleControls(taken: readonly string[]): void {
    this.#controls.settle(taken);
    const { ids: rest, events } = this.#controls;
    if (rest.length === 0) return;
    this.#write({ events, answer: undefined }, []).then(
      () => this.#controls.settle(rest),
      // They are still among those to be taken when it opens again.
      () => undefined,
    );
  }

  transact<A>(keys: StateKeys, run: (view: StateView) => Turn<A>): Promise<A> {
    try {
      this.#refuseUnready();
      const waiting = this.#queue.length;
      if (waiting >= this.#options.turnsWaitingMax) {
        throw new ServiceError("OVERLOADED", `${waiting} decisions wait for the disk; retry after a moment`, { limit: "turns_waiting" });
      }
      return this.#write(run(view(this.#state, keys)), []);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  peek<A>(keys: StateKeys, read: (view: StateView) => A): A {
    this.#refuseUnready();
    return read(view(this.#state, keys));
  }

  async control<A>(run: (view: ControlView) => ControlTurn<A>): Promise<Controlled<A>> {
    if (this.#closed) throw new ServiceError("LEDGER_UNAVAILABLE", "the ledger is closed; nothing was done");
    const { events, answer } = run({ suspensions: this.#state.suspensions, tasks: this.#state.registered });
    const durable = await (this.#writer ? this.#writeControls(events) : this.#holdControls(events));
    // Whoever was answered before this has been answered when this goes on.
    await new Promise((resolve) => setImmediate(resolve));
    return { answer, durable };
  }

  /** A group that failed is in the ledger whole or not at all; what is in both counts once, by its id. */
  #writeControls(events: readonly ControlEvent[]): Promise<boolean> {
    return this.#write({ events, answer: undefined }, []).then(
      () => true,
      () => this.#controls.keep(events),
    );
  }

  #holdControls(events: readonly ControlEvent[]): Promise<boolean> {
    for (const event of events) apply(this.#state, event);
    return this.#controls.keep(events);
  }

  tasks(): RegisteredTasksView {
    this.#refuseUnready();
    return this.#state.registered;
  }

  suspensions(): SuspensionsView {
    return this.#state.suspensions;
  }

  async endedSuspensions(question: EndedSuspensionsQuestion): Promise<readonly EndedSuspension[]> {
    return (await this.#refuseUnready().readEndedSuspensions(question)).map(endedOf);
  }

  async approvalEvents(question: ApprovalEventsQuestion): Promise<ApprovalEvents> {
    return approvalEventsOf(await this.#refuseUnready().readApprovalEvents(question));
  }

  async decision(id: string): Promise<DecisionRecord | undefined> {
    const text = await this.#refuseUnready().read(id);
    const event = text === undefined ? undefined : decodeEvent(text);
    return event?.kind === "decision" ? event : undefined;
  }

  async report(decisionId: string): Promise<Reported | undefined> {
    const text = await this.#refuseUnready().readReport(decisionId);
    const event = text === undefined ? undefined : decodeEvent(text);
    return event?.kind === "reported" ? event : undefined;
  }

  async recordPolicy({ event, files }: StoredPolicy): Promise<void> {
    const row: PolicyRow = { digest: event.policy, atMs: event.at, files };
    refuseWithoutRoom(await this.#refuseUnready().measurePolicy(row));
    this.#refuseUnready();
    await this.#write({ events: [event], answer: undefined }, [row]);
    this.#policy = event.policy;
  }

  async policy(digest: string): Promise<KeptPolicy | undefined> {
    const row = await this.#refuseUnready().readPolicy(digest);
    return row && { files: row.files, firstLoadedAt: instant(row.atMs) };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    // From here on nothing new is taken; what was taken is written.
    const written = this.#writer && this.#write({ events: [], answer: undefined }, []).catch(() => undefined);
    this.#closed = true;
    clearTimeout(this.#reopening);
    clearInterval(this.#forgetting);
    await written;
    await this.#opening?.catch(() => undefined);
    await this.#writer?.close();
    this.#writer = undefined;
    await this.#controls.close();
  }

  measure(): LedgerMeasures {
    const { length: turns, oldestSinceMs } = this.#queue;
    const queue = { turns, oldestMs: oldestSinceMs === undefined ? 0 : performance.now() - oldestSinceMs };
    return { queue, state: this.ready ? measureState(this.#state, this.cache, this.#options.now()) : undefined };
  }

  queuedForMs(): number {
    const { unsentSinceMs } = this.#queue;
    return unsentSinceMs === undefined ? 0 : performance.now() - unsentSinceMs;
  }

  #refuseUnready(): Writer {
    if (!this.#writer || this.#closed) {
      throw new ServiceError("LEDGER_UNAVAILABLE", "the ledger cannot be written at present; nothing was decided, retry after a moment");
    }
    return this.#writer;
  }

  #write<A>({ events, observed, answer }: Turn<A>, policies: readonly PolicyRow[]): Promise<A> {
    // Encoded first: what cannot be written must not have been applied.
    const texts = events.map(encodeEvent);
    const kept = observed && this.#encodeObserved(observed);
    for (const event of events) apply(this.#state, event);
    if (observed) observe(this.#state, observed);
    return new Promise<A>((resolve, reject) => {
      const done = (): void => {
        this.#tellApprovals(events);
        resolve(answer);
      };
      this.#queue.add({ events: texts, policies, ...(kept && { observed: kept }), sinceMs: performance.now(), resolve: done, reject });
    });
  }

  /** Without the amounts: sums are looked for among them, which digests do not serve, so they last as long as the process. */
  #encodeObserved({ root, entries, followed }: ObservedInTree): WaitingObserved {
    if (this.#queue.valuesQueued >= VALUES_QUEUED_MAX) {
      throw new ServiceError("OVERLOADED", `${VALUES_QUEUED_MAX} values that tools returned wait for the disk; retry after a moment`, {
        limit: "values_waiting",
      });
    }
    return { text: JSON.stringify({ root, entries, followed }), values: entries.length + followed.length };
  }

  /** A writer that was given up earlier may still speak. */
  #fail(writer: Writer, error: Error): void {
    if (this.#writer !== writer) return;
    this.#writer = undefined;
    const refused = this.#queue.giveUp(this.#policy);
    // What operators did stands: it is in the ledger, or goes there when that opens again. The tasks are kept so that they can be revoked meanwhile.
    this.#state = { ...createState(), suspensions: this.#state.suspensions, registered: this.#state.registered };
    this.cache.clear();
    this.#tell();
    this.#options.onFailure(error);
    for (const waiting of refused) {
      waiting.reject(
        new ServiceError("LEDGER_UNAVAILABLE", "the decision could not be written; ask again under the same request id", { cause: error }),
      );
    }
    this.#reopenLater();
  }

  #reopenLater(): void {
    if (this.#closed) return;
    this.#reopening = setTimeout(() => {
      this.#opening = this.open();
      this.#opening.catch((error: unknown) => {
        this.#options.onFailure(error instanceof Error ? error : new Error(String(error)));
        this.#reopenLater();
      });
    }, this.#options.reopenAfterMs);
    this.#reopening.unref();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener(this.ready);
  }
}
