import type { Approval, AwaitedApproval, GivenAnswer, Granted } from "./approvals/approval.ts";
import type { Judgement } from "./combine.ts";
import type { Windows } from "./policy.ts";
import type { Subject } from "./situation.ts";
import type { Suspension } from "./suspensions.ts";
import type { Charge } from "./tasks/budget.ts";
import type { RegisteredTask } from "./tasks/registered.ts";
import type { Seen } from "./tasks/seen.ts";
import type { Task } from "./tasks/self-asserted.ts";
import type { Instant, Trust } from "./words.ts";

/** Part of every record: raise it when the shape changes. */
export const RECORD_VERSION = 1;

/** One decision, whole: with the policy it names, it can be made again from this alone. Stored as its JSON text, and its hash is taken over that. */
export interface DecisionRecord {
  readonly kind: "decision";
  readonly v: typeof RECORD_VERSION;
  /** UUIDv7. */
  readonly id: string;
  readonly at: Instant;
  readonly tenant: string;
  readonly caller: string;
  /** Digest of the policy that decided. */
  readonly policy: string;
  readonly subject: Omit<Subject, "at" | "tenant" | "caller">;
  /** What the catalog made of the action, for the columns. */
  readonly resolved: {
    readonly effect: string;
    readonly resource?: string;
    readonly classification: string;
    readonly environment: string;
    readonly principal: string;
  };
  readonly judgement: Judgement;
  readonly cache: { readonly hit: boolean; readonly repeats?: string };
  /** The attempt's id and the keyed digest of its content. */
  readonly attempt?: { readonly id: string; readonly content: string };
  /**
   * Ties a later report to these arguments: their digest as it is where the record holds them all in clear, else its keyed digest, because a
   * plain digest gives a short secret away.
   */
  readonly arguments: string;
  /** What the task has seen from here on, where this decision raised it. */
  readonly seenAfter?: Seen;
  /** What an ALLOW may bring back at worst, if nobody reports it: absent where that raises nothing. */
  readonly worst?: Seen;
  /** What an ALLOW took from the budgets of its registered task and of those above it. */
  readonly charge?: Charge;
  /** What a REQUIRE_APPROVAL waits for, or what allowed an ALLOW, as it stood when this was decided. */
  readonly approval?: AwaitedApproval;
  /** The decision whose call waited for people; this one was made when they had answered. */
  readonly continues?: string;
}

/** What the decision was made from: with the policy it names, `judge` makes it again. */
export const subjectOf = ({ at, tenant, caller, subject }: DecisionRecord): Subject => ({ at, tenant, caller, ...subject });

export interface TaskOpened {
  readonly kind: "task_opened";
  readonly v: typeof RECORD_VERSION;
  readonly id: string;
  readonly at: Instant;
  readonly task: Task;
}

export interface TaskClosed {
  readonly kind: "task_closed";
  readonly v: typeof RECORD_VERSION;
  readonly id: string;
  readonly at: Instant;
  readonly tenant: string;
  readonly task: string;
  /** `idle`: not used for `lifetimes.self_asserted_idle`; `evicted`: the least recently used when the bound on open tasks was reached. */
  readonly reason: "idle" | "evicted";
}

/** An initiator opened a task, or one was handed on. */
export interface TaskRegistered {
  readonly kind: "task_registered";
  readonly v: typeof RECORD_VERSION;
  /** That of the task too. */
  readonly id: string;
  readonly at: Instant;
  readonly task: RegisteredTask;
}

/** A registered task was closed, or its time was found to be over: from then on it stays over, whatever the clock says. */
export interface TaskEnded {
  readonly kind: "task_ended";
  readonly v: typeof RECORD_VERSION;
  readonly id: string;
  readonly at: Instant;
  readonly tenant: string;
  readonly task: string;
  readonly root: string;
  readonly how: "closed" | "expired";
  /** The caller that closed it. */
  readonly by?: string;
  readonly reason?: string;
}

/** A registered task was taken back, and with it everything below it. */
export interface TaskRevoked {
  readonly kind: "task_revoked";
  readonly v: typeof RECORD_VERSION;
  readonly id: string;
  readonly at: Instant;
  readonly tenant: string;
  readonly task: string;
  readonly root: string;
  readonly by: string;
  readonly reason?: string;
}

export const REPORT_STATUSES = ["executed", "failed", "blocked", "abandoned"] as const;
export type ReportStatus = (typeof REPORT_STATUSES)[number];

/** What became of a decision, in the words of the caller that got it. */
export interface Reported {
  readonly kind: "reported";
  readonly v: typeof RECORD_VERSION;
  /** UUIDv7. */
  readonly id: string;
  readonly at: Instant;
  readonly tenant: string;
  readonly caller: string;
  readonly decision: string;
  readonly agent: string;
  readonly task?: string;
  readonly root?: string;
  readonly status: ReportStatus;
  readonly tookEffect?: boolean;
  /** It ran with other arguments than those that were decided. */
  readonly mutated: boolean;
  /** It ran, or may have, although it was not allowed. */
  readonly bypassed: boolean;
  /** It came after `windows.report_within`. */
  readonly late: boolean;
  readonly labels?: ReportLabels;
  readonly resultBytes: number;
  readonly truncated: boolean;
  /** Keyed digest of all that was said, so that the same report is known again. */
  readonly content: string;
  /** What has to be taken for seen because of it. */
  readonly shows?: Seen;
  /** What goes back to the budgets of the task and of those above it. */
  readonly refund?: Charge;
}

/** What the caller says of what the tool returned. */
export interface ReportLabels {
  readonly classification?: string;
  readonly categories?: readonly string[];
  readonly trust?: Trust;
}

/** People are asked. */
export interface ApprovalOpened {
  readonly kind: "approval_opened";
  readonly v: typeof RECORD_VERSION;
  /** That of the approval too. */
  readonly id: string;
  readonly at: Instant;
  readonly approval: Approval;
}

/** An event about an approval that is there. */
interface AboutApproval {
  readonly v: typeof RECORD_VERSION;
  readonly id: string;
  readonly at: Instant;
  readonly approval: string;
  readonly tenant: string;
  readonly task: string;
  readonly root: string;
}

/** Somebody said yes or no. */
export interface ApprovalAnswered extends AboutApproval {
  readonly kind: "approval_answered";
  readonly answer: GivenAnswer;
  /** How it stands from then on. */
  readonly standing: "pending" | "approved" | "denied";
  /** With `approved`, where everybody who said yes said a wider one. */
  readonly granted?: Granted;
}

/** It allowed an action: the decision that stands behind it in the same transaction. */
export interface ApprovalUsed extends AboutApproval {
  readonly kind: "approval_used";
  readonly decision: string;
  readonly standing: "approved" | "consumed";
}

/** Its time was over, its task ended, it was replaced, or somebody took it back. */
export interface ApprovalEnded extends AboutApproval {
  readonly kind: "approval_ended";
  readonly how: "expired" | "cancelled";
  readonly by?: string;
  readonly reason?: string;
}

export type ApprovalEvent = ApprovalOpened | ApprovalAnswered | ApprovalUsed | ApprovalEnded;

export interface PolicyLoaded {
  readonly kind: "policy_loaded";
  readonly v: typeof RECORD_VERSION;
  readonly id: string;
  readonly at: Instant;
  readonly policy: string;
  readonly windows: Windows;
}

export interface Suspended {
  readonly kind: "suspended";
  readonly v: typeof RECORD_VERSION;
  /** That of the suspension too. */
  readonly id: string;
  readonly at: Instant;
  readonly suspension: Suspension;
}

export interface Resumed {
  readonly kind: "resumed";
  readonly v: typeof RECORD_VERSION;
  readonly id: string;
  readonly at: Instant;
  /** Of the suspension. */
  readonly tenant: string;
  readonly suspension: string;
  /** The caller that resumed it. */
  readonly by: string;
  readonly reason?: string;
}

/** What is stopped at once, or let go on, whatever state the ledger is in. */
export type ControlEvent = Suspended | Resumed | TaskRevoked;

/** Everything that can change a decision. */
export type LedgerEvent =
  | DecisionRecord
  | TaskOpened
  | TaskClosed
  | TaskRegistered
  | TaskEnded
  | Reported
  | PolicyLoaded
  | ApprovalEvent
  | ControlEvent;

export const isApprovalEvent = (event: LedgerEvent): event is ApprovalEvent => event.kind.startsWith("approval_");

/** The bytes that are stored and hashed. */
export const encodeEvent = (event: LedgerEvent): string => JSON.stringify(event);

/** @throws {SyntaxError} for what is no JSON; {TypeError} for a record of another version. */
export function decodeEvent(text: string): LedgerEvent {
  const event = JSON.parse(text) as LedgerEvent;
  if (event.v !== RECORD_VERSION) throw new TypeError(`the record has version \`${String(event.v)}\`; this program reads ${RECORD_VERSION}`);
  return event;
}
