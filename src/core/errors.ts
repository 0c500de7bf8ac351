/** Why no decision was made. A DENY is never an error; an error never becomes an ALLOW. */
export type ErrorCode =
  | "REQUEST_MALFORMED" // the caller sent what we cannot read or do not serve; retrying as is will not help
  | "REQUEST_TOO_BIG" // the caller sent more than a limit allows; retrying as is will not help
  | "REQUEST_COMPRESSED" // the caller compresses its messages; it has to send them as they are
  | "REQUEST_TIMED_OUT" // the request did not arrive whole in time; the caller may send it again
  | "REQUEST_ID_REUSED" // the caller used one request id for two different requests; give each attempt its own
  | "CALLER_UNAUTHENTICATED" // the caller sent no token or one that we do not know
  | "CALLER_FORBIDDEN" // the caller's roles do not cover this call
  | "OVERLOADED" // more is in flight than may be; the caller may retry later
  | "SERVER_STOPPING" // the server takes nothing more; what was not answered was not decided, ask when it is back
  | "RATE_LIMITED" // the caller explains more often than it may; retry later
  | "STATE_FULL" // a bound on what is remembered is reached; an operator must raise it or wait
  | "POLICY_INVALID" // the rules directory holds a policy that cannot be used; the last good one decides, an operator must mend the rules
  | "POLICY_UNKNOWN" // no policy of this digest was ever loaded here
  | "POLICY_UNAVAILABLE" // no valid policy is loaded; an operator must mend the rules
  | "DISK_FULL" // what was to be kept does not fit on the disk; nothing was written, an operator must make room
  | "SUSPENSION_UNKNOWN" // no suspension of this id holds here; it may have been resumed already
  | "TASK_UNKNOWN" // no registered task of this id in the caller's tenant
  | "TASK_ENDED" // the task, or one above it, has ended; nothing can be handed on from it
  | "SCOPE_TOO_WIDE" // what is to be handed on lies outside what the task has; ask for less, or for it to be narrowed
  | "DECISION_UNKNOWN" // no decision of this id was made for the caller
  | "REPORT_CONFLICT" // something else was reported of this decision before; the first report stands
  | "APPROVAL_UNKNOWN" // no approval of this id is remembered for the caller
  | "APPROVAL_SETTLED" // the approval has been answered, used or ended; it cannot be answered any more
  | "LEDGER_UNAVAILABLE"; // the decision could not be made durable; it was written whole or not at all, request_id answers for it

export interface ErrorDetail extends ErrorOptions {
  /** The request field at fault, dotted, as the proto names it. */
  readonly field?: string;
  /** A limit's name, for errors about limits. */
  readonly limit?: string;
  /** What is wrong where, for errors about more than one thing. */
  readonly violations?: readonly Violation[];
}

export interface Violation {
  /** Where: a field, or `file:line:column`. */
  readonly field: string;
  readonly description: string;
  /** The kind of mistake, in UPPER_SNAKE_CASE. */
  readonly reason: string;
}

export class ServiceError extends Error {
  readonly code: ErrorCode;
  readonly detail: Omit<ErrorDetail, "cause">;

  constructor(code: ErrorCode, message: string, { cause, ...detail }: ErrorDetail = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "ServiceError";
    this.code = code;
    this.detail = detail;
  }
}
