import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import { status as Code, Metadata, type StatusObject } from "@grpc/grpc-js";
import { type ErrorCode, ServiceError, type Violation } from "../../core/errors.ts";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import { type Status, StatusSchema } from "../../gen/google/rpc/status_pb.ts";

interface Rendering {
  readonly code: Code;
  /** The caller may try again after so many seconds. */
  readonly retryAfterS?: number;
}

const RENDERINGS: Readonly<Record<ErrorCode, Rendering>> = {
  REQUEST_MALFORMED: { code: Code.INVALID_ARGUMENT },
  REQUEST_TOO_BIG: { code: Code.RESOURCE_EXHAUSTED },
  REQUEST_COMPRESSED: { code: Code.UNIMPLEMENTED },
  REQUEST_TIMED_OUT: { code: Code.DEADLINE_EXCEEDED },
  REQUEST_ID_REUSED: { code: Code.INVALID_ARGUMENT },
  CALLER_UNAUTHENTICATED: { code: Code.UNAUTHENTICATED },
  CALLER_FORBIDDEN: { code: Code.PERMISSION_DENIED },
  OVERLOADED: { code: Code.RESOURCE_EXHAUSTED, retryAfterS: 1 },
  SERVER_STOPPING: { code: Code.UNAVAILABLE, retryAfterS: 1 },
  RATE_LIMITED: { code: Code.RESOURCE_EXHAUSTED, retryAfterS: 60 },
  STATE_FULL: { code: Code.RESOURCE_EXHAUSTED },
  POLICY_INVALID: { code: Code.FAILED_PRECONDITION },
  POLICY_UNKNOWN: { code: Code.NOT_FOUND },
  POLICY_UNAVAILABLE: { code: Code.UNAVAILABLE, retryAfterS: 5 },
  DISK_FULL: { code: Code.RESOURCE_EXHAUSTED },
  TASK_UNKNOWN: { code: Code.NOT_FOUND },
  TASK_ENDED: { code: Code.FAILED_PRECONDITION },
  SCOPE_TOO_WIDE: { code: Code.INVALID_ARGUMENT },
  DECISION_UNKNOWN: { code: Code.NOT_FOUND },
  REPORT_CONFLICT: { code: Code.ALREADY_EXISTS },
  SUSPENSION_UNKNOWN: { code: Code.NOT_FOUND },
  APPROVAL_UNKNOWN: { code: Code.NOT_FOUND },
  APPROVAL_SETTLED: { code: Code.FAILED_PRECONDITION },
  LEDGER_UNAVAILABLE: { code: Code.UNAVAILABLE, retryAfterS: 1 },
};

/** What goes on the wire for an error. What we did not throw ourselves says nothing of its cause; that goes to the log. */
export function toStatus(error: unknown): Status {
  if (!(error instanceof ServiceError)) return create(StatusSchema, { code: Code.INTERNAL, message: "internal error" });
  const { code, retryAfterS } = RENDERINGS[error.code];
  const { field, limit, violations } = error.detail;
  const details: Any[] = [pack(ErrorInfoSchema, { reason: error.code, domain: "behest.v1", metadata: limit === undefined ? {} : { limit } })];
  if (field !== undefined) details.push(pack(BadRequestSchema, { fieldViolations: [{ field, description: error.message }] }));
  if (violations) details.push(pack(BadRequestSchema, { fieldViolations: fitting(violations) }));
  if (retryAfterS !== undefined) details.push(pack(RetryInfoSchema, { retryDelay: { seconds: BigInt(retryAfterS) } }));
  return create(StatusSchema, { code, message: error.message, details });
}

/** Trailers are small: some clients take 8 KiB of them and no more. */
const VIOLATIONS_MAX = 8;
const VIOLATION_LENGTH_MAX = 200;

const fitting = (violations: readonly Violation[]): Violation[] =>
  violations.slice(0, VIOLATIONS_MAX).map(({ field, description, reason }) => ({
    // A place ends in what matters most.
    field: field.length > VIOLATION_LENGTH_MAX ? `…${field.slice(-VIOLATION_LENGTH_MAX).toWellFormed()}` : field,
    description: description.length > VIOLATION_LENGTH_MAX ? `${description.slice(0, VIOLATION_LENGTH_MAX).toWellFormed()}…` : description,
    reason,
  }));

const pack = <T extends DescMessage>(schema: T, init: MessageInitShape<T>): Any => anyPack(schema, create(schema, init));

/** What its status is called. */
export const statusNameOf = (error: unknown): string => Code[error instanceof ServiceError ? RENDERINGS[error.code].code : Code.INTERNAL];

/** The same, as grpc-js sends it: with the whole status in the standard trailer. */
export function toStatusObject(error: unknown): StatusObject {
  const status = toStatus(error);
  const metadata = new Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from(toBinary(StatusSchema, status)));
  return { code: status.code, details: status.message, metadata };
}
