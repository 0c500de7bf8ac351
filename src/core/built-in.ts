import type { ReasonCode } from "./words.ts";

/** Reason codes of what denies by itself, whatever the rules say; each has a finding. */
export const INVARIANT_CODES = [
  "NO_LONGER_STANDS",
  "CALLER_NOT_ENTITLED",
  "CREDENTIAL_UNVERIFIABLE",
  "SUSPENDED",
  "TASK_UNKNOWN",
  "TASK_CLOSED",
  "TASK_EXPIRED",
  "TASK_REVOKED",
  "CHAIN_MISMATCH",
  "OUTSIDE_SCOPE",
  "BUDGET_SPENT",
  "CHAIN_BROKEN",
  "CLASSIFICATION_EXCEEDED",
  "OUTSIDE_REACH",
  "EVALUATION_ERROR",
  "OBLIGATION_CONFLICT",
  "OBLIGATION_UNSUPPORTED",
  "APPROVAL_DENIED",
  "NO_APPROVER",
  "ARGUMENTS_TRUNCATED",
] as const satisfies readonly ReasonCode[];
export type InvariantCode = (typeof INVARIANT_CODES)[number];

/** Under names that no rule can have. */
export const findingNameOf = (code: InvariantCode): string => `behest:${code.toLowerCase().replaceAll("_", "-")}`;
/** Said, and decides nothing: the request states another task than the one that was registered. */
export const STATEMENT_DIFFERS = "behest:statement-differs";
export const BUILT_IN_FINDINGS: readonly string[] = [...INVARIANT_CODES.map(findingNameOf), STATEMENT_DIFFERS];

/** Holds that no rule asks for: of the middle band, of an `ask` of the basis, and of what lies outside an issued scope where policy.json lets its issuer be asked. */
export const BUILT_IN_HOLDS = ["behest:risk", "behest:basis", "behest:outside-scope"] as const;
export type BuiltInHold = (typeof BUILT_IN_HOLDS)[number];
