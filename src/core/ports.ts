import type { Approval } from "./approvals/approval.ts";
import type { Evaluation } from "./evaluate.ts";
import type { ObservedInTree } from "./intent/observed-trees.ts";
import type { Policy } from "./policy.ts";
import type { ApprovalEvent, ControlEvent, DecisionRecord, LedgerEvent, Reported } from "./record.ts";
import type { Situation } from "./situation.ts";
import type { StateKeys, StateView } from "./state.ts";
import type { EndedSuspension, SuspensionsView } from "./suspensions.ts";
import type { RegisteredTasksView } from "./tasks/registered.ts";
import type { DurationMs, Instant, Json } from "./words.ts";

/** One pure step: what it read decides what it answers and which events it adds. */
export interface Turn<A> {
  readonly events: readonly LedgerEvent[];
  /** What a tool returned: it is no event, because it is deleted when its task ends, and events never are. */
  readonly observed?: ObservedInTree;
  readonly answer: A;
}

/** What can be stopped at once, also while the ledger cannot be written: then the tasks are those that it last told of. */
export interface ControlView {
  readonly suspensions: SuspensionsView;
  readonly tasks: RegisteredTasksView;
}

/** A turn that stops something at once, or lets it go on. */
export interface ControlTurn<A> {
  readonly events: readonly ControlEvent[];
  readonly answer: A;
}

export interface Controlled<A> {
  readonly answer: A;
  /** Whether the events outlast this process. */
  readonly durable: boolean;
}

export interface Ledger {
  /**
   * Runs `turn` once over the state that `keys` name, applies its events before any other turn sees that state, and answers when they
   * are on disk. Events are written, and answers leave, in the order of the turns; a turn without events waits for those before it.
   * What tools returned applies with the events, and is kept as keyed digests of its values until the task at the root is over.
   * What `turn` throws is thrown, and nothing is written.
   * @throws {ServiceError} LEDGER_UNAVAILABLE: not acknowledged. Whether it was written shows once the ledger has reopened. OVERLOADED:
   * more turns, or more that tools returned, wait for the disk than may; nothing was written.
   */
  transact<A>(keys: StateKeys, turn: (view: StateView) => Turn<A>): Promise<A>;

  /**
   * Reads the state that `keys` name, as the next turn would see it, and changes nothing.
   * @throws {ServiceError} LEDGER_UNAVAILABLE
   */
  peek<A>(keys: StateKeys, read: (view: StateView) => A): A;

  /**
   * Runs `turn` once over the suspensions and the registered tasks, and applies its events before any other turn sees the state. It is refused neither for what waits nor
   * because the ledger cannot be written: then its events go to a control journal that lies ready, and from there into the ledger, once, before
   * anything is decided. Answers when every earlier turn has been answered or has failed, and the events are on disk in either; where neither
   * takes them they hold as long as the process, and `durable` is false. What `turn` throws is thrown, and nothing is written.
   * @throws {ServiceError} LEDGER_UNAVAILABLE: it is closed; nothing was run.
   */
  control<A>(turn: (view: ControlView) => ControlTurn<A>): Promise<Controlled<A>>;

  /** The suspensions, as the next turn would see them, also while the ledger cannot be written. */
  suspensions(): SuspensionsView;

  /** The registered tasks, as the next turn would see them. @throws {ServiceError} LEDGER_UNAVAILABLE */
  tasks(): RegisteredTasksView;

  /** Suspensions that no longer hold, the last made first. @throws {ServiceError} LEDGER_UNAVAILABLE */
  endedSuspensions(question: EndedSuspensionsQuestion): Promise<readonly EndedSuspension[]>;

  /** The stored record of a decision whose turn has been answered; undefined if there is none. */
  decision(id: string): Promise<DecisionRecord | undefined>;

  /** What was reported of a decision, where that has been answered; undefined if nothing was. @throws {ServiceError} LEDGER_UNAVAILABLE */
  report(decisionId: string): Promise<Reported | undefined>;

  /**
   * Keeps the files a policy was read from, once per digest, and the event that it was loaded. Answers when both are on disk.
   * @throws {ServiceError} LEDGER_UNAVAILABLE: whether they were written shows once the ledger has reopened; cached answers of other policies
   * are dropped only if they were. DISK_FULL: it does not fit with what decisions need; nothing was written, and decisions go on.
   */
  recordPolicy(stored: StoredPolicy): Promise<void>;

  /** The files of a policy that was ever recorded, and when it first was; undefined if it never was. @throws {ServiceError} LEDGER_UNAVAILABLE */
  policy(digest: string): Promise<KeptPolicy | undefined>;

  /**
   * The events about approvals that are numbered above `after`, in order, as many as `limit`, each with the approval it is about; and the number of the
   * ledger's last event, of whatever kind. Only what is on disk.
   * @throws {ServiceError} LEDGER_UNAVAILABLE
   */
  approvalEvents(question: ApprovalEventsQuestion): Promise<ApprovalEvents>;

  /** Told of each approval that was opened, answered, used or ended, once that is on disk and before the turn is answered. */
  onApprovalChange(listener: (event: ApprovalEvent) => void): void;

  /** Whether turns are taken at present, and word of each change. */
  readonly ready: boolean;
  onReadyChange(listener: (ready: boolean) => void): void;

  /** Waits until every turn so far is on disk, then lets go of everything. */
  close(): Promise<void>;
}

export interface EndedSuspensionsQuestion {
  /** Theirs, and those that stopped everything or all of this tenant. */
  readonly tenant: string;
  readonly now: Instant;
  readonly limit: number;
}

export interface ApprovalEventsQuestion {
  /** Number of an event; 0 is before the first. */
  readonly after: number;
  readonly limit: number;
}

export interface ApprovalEvents {
  readonly events: readonly NumberedApprovalEvent[];
  readonly last: number;
}

export interface NumberedApprovalEvent {
  readonly seq: number;
  readonly event: ApprovalEvent;
  /** As it was opened. */
  readonly approval: Approval;
}

/** Text by path relative to the rules directory. */
export type PolicyFiles = Readonly<Record<string, string>>;

export interface StoredPolicy {
  readonly event: LedgerEvent & { readonly kind: "policy_loaded" };
  readonly files: PolicyFiles;
}

export interface KeptPolicy {
  readonly files: PolicyFiles;
  readonly firstLoadedAt: Instant;
}

/** What the rules answered before. Best effort: forgetting is always allowed, answering something else never. */
export interface DecisionCache {
  /** What is kept under a key; a use of it counts as meeting the key again. */
  get(key: string): CachedEvaluation | undefined;
  /** The same, for a look that leaves no trace. */
  peek(key: string): CachedEvaluation | undefined;
  /** Keeps an answer; one that is kept twice may outlive the process. */
  put(key: string, cached: CachedEvaluation): void;
}

export interface CachedEvaluation {
  readonly policy: string;
  readonly evaluation: Evaluation;
  /** The decision that first got this answer. */
  readonly decisionId: string;
}

/** The one policy that decides at present. */
export interface PolicySource {
  /** @throws {ServiceError} POLICY_UNAVAILABLE */
  current(): Policy;
}

/** Where the rules lie. */
export interface PolicyDirectory {
  readonly path: string;
  /** A text that changes whenever what would be read may have changed; cheap, and never more than stated limits of work. */
  fingerprint(): Promise<string>;
  /** Waits, for a bounded time, until a burst of changes has ended; answers the fingerprint then. */
  settle(): Promise<string>;
  /** Reads everything as it stood at one instant, and compiles it. Never throws for anything that the directory holds. */
  read(): Promise<ReadPolicy>;
}

export interface ReadPolicy {
  /** Of what was read; undefined if it would not hold still. */
  readonly fingerprint: string | undefined;
  readonly outcome: LoadedPolicy | RefusedPolicy;
}

export interface LoadedPolicy {
  readonly policy: Policy;
  readonly files: PolicyFiles;
  readonly warnings: readonly PolicyComplaint[];
}

/** A policy that was once loaded. */
export interface FoundPolicy {
  readonly kept: KeptPolicy;
  /** Absent if this version of Behest would refuse it. */
  readonly policy?: Policy;
}

/** What is to be said of a policy that is not loaded. */
export interface ValidatedPolicy {
  /** Absent if it would be refused. */
  readonly digest?: string;
  readonly complaints: readonly PolicyComplaint[];
}

/** Why a policy cannot be used: at least one error. */
export interface RefusedPolicy {
  readonly complaints: readonly PolicyComplaint[];
}

/** One thing that is wrong in a rules directory, for whoever mends it. */
export interface PolicyComplaint {
  /** What kind of complaint it is, such as `unknown-fact`. */
  readonly id: string;
  readonly severity: "error" | "warning";
  readonly file: string;
  /** From 1; absent when the complaint is about the file or directory as a whole. */
  readonly at?: { readonly line: number; readonly column: number; readonly source: string };
  readonly message: string;
  readonly suggestion?: string;
}

export interface Clock {
  now(): Instant;
}

/** Is never put back, so that no lifetime is lengthened. */
export interface SteadyClock extends Clock {
  /** How far it is before the machine's clock, because that was put back; most of the time nothing. */
  ahead(): DurationMs;
}

/** Makes identifiers that sort by time: UUIDv7. */
export type NewId = (at: Instant) => string;

/** RFC 8785 text of a JSON value; members that are undefined are left out. */
export type Canonical = (value: object) => string;

/** Sees what was evaluated afresh, after the answer; a second opinion may raise an alarm and never changes an answer. */
export type SecondOpinion = (situation: Situation, evaluation: Evaluation) => void;

/**
 * The mapping or list that a text is as a whole, as a tool printed it; undefined for prose and for whatever is beyond the limits: then nothing in it
 * attests. Never throws.
 */
export type ReadResult = (text: string) => Json | undefined;
