import type { ErrorCode, ErrorDetail } from "../core/errors.ts";
import type { Caller } from "../core/request.ts";
import type { ShownAnswer } from "../endpoints/grpc/convert.ts";
import type { FollowedAsked } from "../endpoints/grpc/deciding.ts";
import type { ShedReason } from "../endpoints/grpc/shedding.ts";

export interface SpanCounts {
  readonly exported: number;
  readonly failed: number;
  readonly dropped: number;
}

/** What a door says to the owner. Every call has an id, used once. */
export type ToOwner =
  /** It serves from now on. */
  | { readonly kind: "listening" }
  /** It cannot, and ends. */
  | { readonly kind: "refused"; readonly why: string }
  /** JSON text of `AskedBatch`: what came in one round of the door's. As text, because one long string crosses faster than many objects. */
  | { readonly kind: "decide"; readonly text: string }
  /** A call of one message that is answered with one. */
  | ({ readonly kind: "call" } & PassedCall)
  /** A call of one message that is answered with many; each is fetched with `next`. */
  | ({ readonly kind: "watch" } & PassedCall)
  | { readonly kind: "next"; readonly id: number }
  /** Nobody waits for the answer any more. */
  | { readonly kind: "gone"; readonly id: number }
  /** How often something was refused or cut, by why. */
  | { readonly kind: "shed"; readonly counts: readonly (readonly [ShedReason, number])[] }
  /** What has become of spans since it last said so. */
  | { readonly kind: "spans"; readonly counts: SpanCounts }
  /** What the door did not throw itself, for the log. */
  | { readonly kind: "problem"; readonly error: Error }
  /** What somebody should see to, for the log. */
  | { readonly kind: "warning"; readonly why: string }
  /** What somebody may want to know, for the log. */
  | { readonly kind: "told"; readonly what: string };

/** What the owner says to a door. */
export type ToDoor =
  /** JSON text of `AnsweredBatch`, whose items may be none; how many batches have been begun; how long the oldest decision has waited to be given to the disk. */
  | { readonly kind: "decided"; readonly text: string; readonly begun: number; readonly queuedForMs: number }
  | { readonly kind: "answer"; readonly id: number; readonly body: Uint8Array }
  | { readonly kind: "failed"; readonly id: number; readonly failure: Failure }
  /** A watch has no more answers. */
  | { readonly kind: "over"; readonly id: number }
  | { readonly kind: "serving"; readonly what: "decisions" | "policy"; readonly serving: boolean }
  /** Take nothing new, finish what is under way, cut the rest after `graceMs`, and end. */
  | { readonly kind: "close"; readonly graceMs: number };

/** A call that the owner answers from its bytes, as if they had come to itself. */
export interface PassedCall {
  readonly id: number;
  readonly service: string;
  readonly method: string;
  readonly body: Uint8Array;
  /** What handlers read of its metadata, by name. */
  readonly metadata: Readonly<Record<string, readonly string[]>>;
}

export interface AskedBatch {
  readonly callers: readonly Caller[];
  readonly items: readonly AskedItem[];
}

/** What is asked, as the door has proved and read it. */
export interface AskedItem extends Omit<FollowedAsked, "caller" | "inOrder" | "continues"> {
  readonly id: number;
  /** Which of the batch's callers. */
  readonly caller: number;
  /** Items of one number take their turns in their order. */
  readonly order?: number;
}

export interface AnsweredBatch {
  readonly items: readonly AnsweredItem[];
}

export type AnsweredItem = { readonly id: number; readonly answer: ShownAnswer } | { readonly id: number; readonly failure: Failure };

/** Why there is no answer: a ServiceError, or what only the owner's log is told of. */
export type Failure = { readonly code: ErrorCode; readonly message: string; readonly detail: Omit<ErrorDetail, "cause"> } | "internal";
