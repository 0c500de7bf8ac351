import type { ReasonCode } from "./words.ts";

/** Reason codes of what denies by itself, whatever the rules say; each has a finding. */
export const INVARIANT_CODES = [
  "NO_LONGER_STANDS",
  "CALLER_NOT_ENTITLED",
  "CREDENTIAL_UNVERIFIABLE",
  "SUSPENDED",
  "TASK_UNKNOWN",
  "TASK_CLOSED",
  "CHAIN_MISMATCH",
  "CHAIN_BROKEN",
  "CLASSIFICATION_EXCEEDED",
  "OUTSIDE_REACH",
  "EVALUATION_ERROR",
  "OBLIGATION_CONFLICT",
  "OBLIGATION_UNSUPPORTED",
] as const satisfies readonly ReasonCode[];
export type InvariantCode = (typeof INVARIANT_CODES)[number];

/** Under names that no rule can have. */
export const findingNameOf = (code: InvariantCode): string => `behest:${code.toLowerCase().replaceAll("_", "-")}`;
export const BUILT_IN_FINDINGS: readonly string[] = INVARIANT_CODES.map(findingNameOf);

/** Holds that no rule asks for: of the middle band, and of an `ask` of the basis. */
export const BUILT_IN_HOLDS = ["behest:risk", "behest:basis"] as const;
export type BuiltInHold = (typeof BUILT_IN_HOLDS)[number];
