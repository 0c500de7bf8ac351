import type { Verification } from "./approvals/approval.ts";
import type { Effect, JsonObject, PrincipalType } from "./words.ts";

/** Who talks to Behest, as its token says. */
export interface Caller {
  readonly tenant: string;
  readonly id: string;
  readonly roles: readonly Role[];
  /** Globs of the agents that the token covers, to ask decisions for or to open tasks for; absent: all. */
  readonly agents?: readonly string[];
  /** How it is known who that is; absent: by a token file. */
  readonly verified?: Verification;
}

export const ROLES = ["enforcer", "initiator", "approver", "auditor", "operator"] as const;
export type Role = (typeof ROLES)[number];

/** One request for a decision, read and checked by an endpoint: identifiers are well formed, everything is within the limits. */
export interface DecisionRequest {
  /** Names the attempt; not part of the content. */
  readonly requestId?: string;
  readonly agent: { readonly id: string; readonly attributes?: JsonObject };
  readonly task?: { readonly id?: string; readonly statement?: string };
  readonly session?: string;
  readonly delegation?: readonly Hop[];
  readonly action: Action;
  readonly data?: { readonly classification?: string; readonly categories?: readonly string[] };
  readonly context?: { readonly environment?: string; readonly attributes?: JsonObject };
  readonly supportedObligations?: readonly string[];
  /** The approval that this attempt continues after. */
  readonly approvalId?: string;
  /** How long to wait for people, in milliseconds. Not part of the content. */
  readonly waitMs?: number;
  /** A credential came along, of the agent or of a hop; the credential itself never enters the core. */
  readonly credentialed?: boolean;
}

export interface Hop {
  readonly type: PrincipalType;
  readonly id: string;
  readonly taskId?: string;
}

export interface Action {
  readonly tool: string;
  readonly operation?: string;
  readonly effect?: Effect;
  readonly arguments: JsonObject;
  readonly argumentsTruncated?: boolean;
  readonly toolDefinitionDigest?: string;
  readonly resource?: { readonly type: string; readonly id: string; readonly attributes?: JsonObject };
}
