import type { ApprovalsView } from "../approvals/register.ts";
import type { Policy } from "../policy.ts";
import type { DecisionRequest } from "../request.ts";
import type { Instant } from "../words.ts";
import type { AwaitedCalls } from "./awaited.ts";
import type { Seen } from "./seen.ts";

/** A task that came from the agent's side: opened by the first request that names none. */
export interface Task {
  /** UUIDv7. */
  readonly id: string;
  readonly tenant: string;
  readonly caller: string;
  readonly agent: string;
  /** `user:…` or `service:…` as the first hop asserts it, else `none`. */
  readonly principal: string;
  readonly session: string;
  /** The first statement; it stays. */
  readonly statement?: string;
  readonly openedAt: Instant;
  readonly lastUsedAt: Instant;
  readonly seen: Seen;
}

/** An open self-asserted task as it stands. */
export interface OpenTask extends Task {
  /** Allowed calls of which nothing was reported yet. */
  readonly awaited: AwaitedCalls;
}

/** Who asked, as the chain asserts it. */
export function assertedPrincipal(request: DecisionRequest): string {
  const first = request.delegation?.[0];
  return first && first.type !== "agent" ? `${first.type}:${first.id}` : "none";
}

/** What a task is opened between. */
export type Parties = Pick<Task, "tenant" | "caller" | "agent" | "principal" | "session">;

/** The one open self-asserted task that a request without a task id joins. Injective: parts are JSON strings. */
export const joinKey = ({ tenant, caller, agent, principal, session }: Parties): string =>
  JSON.stringify([tenant, caller, agent, principal, session]);

export interface IdleQuestion {
  readonly policy: Policy;
  readonly at: Instant;
  readonly approvals: Pick<ApprovalsView, "isAwaited">;
}

/** While people are asked for it, or what they said can be used, a task is not idle. */
export const isIdle = (task: Task, { policy, at, approvals }: IdleQuestion): boolean =>
  at - task.lastUsedAt >= policy.settings.lifetimes.selfAssertedIdle && !approvals.isAwaited(task.id, at);
