/** The words of the decision: the vocabulary that code, proto, SQL, CLI and docs share. */

declare const brand: unique symbol;
export type Branded<T, B extends string> = T & { readonly [brand]: B };

/** Milliseconds since the Unix epoch, UTC. */
export type Instant = Branded<number, "Instant">;
export const instant = (ms: number): Instant => ms as Instant;

/** A length of time in milliseconds. */
export type DurationMs = Branded<number, "DurationMs">;
export const durationMs = (ms: number): DurationMs => ms as DurationMs;

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

export type Outcome = "ALLOW" | "DENY" | "REQUIRE_APPROVAL";
export type Basis = "AUTHORIZED" | "INFERRED" | "AVAILABLE" | "NONE";
export type RiskLevel = "low" | "middle" | "top";

/** Best first: a request may only replace the catalog's word by a later one. */
export const EFFECTS = ["read", "browse", "create", "update", "delete", "send", "share", "pay", "credential", "execute", "unknown"] as const;
export type Effect = (typeof EFFECTS)[number];
export const isEffect = (word: string): word is Effect => (EFFECTS as readonly string[]).includes(word);
export const worseEffect = (a: Effect, b: Effect): Effect => (EFFECTS.indexOf(a) >= EFFECTS.indexOf(b) ? a : b);

/** How far what a tool returned can be trusted, best first. */
export const TRUST_LEVELS = ["trusted", "untrusted"] as const;
export type Trust = (typeof TRUST_LEVELS)[number];

/** How far an agent is trusted, best first. */
export const AGENT_TRUST_LEVELS = ["high", "medium", "low", "unregistered"] as const;
export type AgentTrust = (typeof AGENT_TRUST_LEVELS)[number];

/** Whether an agent may act at all: the registry's word. Only an active one has reach. */
export const AGENT_STATUSES = ["active", "paused", "retired", "unregistered"] as const;
export type AgentStatus = (typeof AGENT_STATUSES)[number];

/** Whether an effect can be taken back, best first. */
export const REVERSIBILITIES = ["reversible", "irreversible", "unknown"] as const;
export type Reversibility = (typeof REVERSIBILITIES)[number];

export const PRINCIPAL_TYPES = ["user", "service", "agent"] as const;
export type PrincipalType = (typeof PRINCIPAL_TYPES)[number];

export const RULE_EVENTS = ["risk", "deny", "require-approval", "allow", "oblige"] as const;
export type RuleEvent = (typeof RULE_EVENTS)[number];
export type FindingResult = "matched" | "unknown";

export const REASON_CODES = [
  "CALLER_NOT_ENTITLED",
  "IDENTITY_MISMATCH",
  "CREDENTIAL_UNVERIFIABLE",
  "SUSPENDED",
  "TASK_UNKNOWN",
  "TASK_CLOSED",
  "TASK_EXPIRED",
  "TASK_REVOKED",
  "CHAIN_BROKEN",
  "CHAIN_MISMATCH",
  "OUTSIDE_SCOPE",
  "BUDGET_SPENT",
  "CLASSIFICATION_EXCEEDED",
  "OUTSIDE_REACH",
  "EVALUATION_ERROR",
  "RULE_DENY",
  "RISK_TOP",
  "OBLIGATION_CONFLICT",
  "OBLIGATION_UNSUPPORTED",
  "BASIS_DENIED",
  "NO_LONGER_STANDS",
  "RULE_ASKS",
  "RISK_MIDDLE",
  "BASIS_ASKS",
  "APPROVAL_NOT_APPLICABLE",
  "APPROVAL_DENIED",
  "NO_APPROVER",
  "ARGUMENTS_TRUNCATED",
] as const;
export type ReasonCode = (typeof REASON_CODES)[number];

/** What one rule or one built-in invariant said; `not_matched` is said by leaving it out. */
export interface Finding {
  readonly rule: string;
  readonly event: RuleEvent;
  readonly result: FindingResult;
  /** What it added to the score. */
  readonly points: number;
  readonly reason: string;
  readonly controls: readonly string[];
}

/** One reason to ask a person. */
export interface Hold {
  readonly name: string;
  /** `principal`, `issuer`, `user:…` or `group:…`. */
  readonly approvers: readonly string[];
  readonly quorum: number;
  /** How long they have to answer; absent: `lifetimes.approval`. */
  readonly lifetime?: DurationMs;
}
