import { coversAgent } from "../access.ts";
import { ServiceError, type Violation } from "../errors.ts";
import { matchesAnyGlob } from "../globs.ts";
import { isoOf } from "../instants.ts";
import type { Policy } from "../policy.ts";
import type { Caller } from "../request.ts";
import { type DurationMs, type Instant, instant } from "../words.ts";
import { chainOf, endOf, type RegisteredTask, type ScopeKind, type TaskState } from "./registered.ts";
import { fitScope, type Scope } from "./scope.ts";
import { withDelegates } from "./scope-check.ts";

/** How many tasks there may be, and for how long. */
export interface TaskLimits {
  /** Registered tasks that are remembered at once. */
  readonly registeredTasksMax: number;
  /** Tasks that are handed on from one. */
  readonly taskChildrenMax: number;
  readonly delegationDepthMax: number;
  /** How long a task lives if nobody says. */
  readonly taskLifetime: DurationMs;
  readonly taskLifetimeMax: DurationMs;
}

export interface DelegateRequest {
  readonly taskId: string;
  readonly agent: string;
  /** Absent: the parent's words are handed down. */
  readonly statement?: string;
  readonly scope: Scope;
  /** Absent: with the parent. */
  readonly expiresAt?: Instant;
  /** Trim what is wider than the parent's instead of refusing it. */
  readonly narrow: boolean;
}

interface HandingOn {
  readonly caller: Caller;
  readonly policy: Policy;
  readonly parent: TaskState;
  readonly at: Instant;
  readonly id: string;
}

export interface HandedOn {
  readonly task: RegisteredTask;
  readonly trimmed: readonly Wide[];
}

/** Makes the task that is handed on: within its parent in every part, of no better kind, for no longer. @throws {ServiceError} */
export function handOn(limits: TaskLimits, { caller, policy, parent, at, id }: HandingOn, asked: DelegateRequest): HandedOn {
  refuseEnded(parent, at);
  const scopeKind = kindFor(caller, parent, asked.agent);
  refuseTooDeep(limits, parent, asked.agent);
  const { scope, tooWide } = fitScope(withNamed(asked.scope, { caller, parent, scopeKind }), {
    parent: parent.task.scope,
    classifications: policy.settings.classification.order,
  });
  const latest = instant(Math.min(...chainOf(parent).map(({ task: above }) => above.expiresAt)));
  const wished = asked.expiresAt ?? latest;
  refusePast("expires_at", wished, at);
  const expiresAt = instant(Math.min(wished, latest));
  const late = wished > latest ? [{ part: "expires_at", asked: isoOf(wished), allowed: isoOf(latest) }] : [];
  const wide: readonly Wide[] = [...tooWide.map((one) => ({ ...one, part: `scope.${snake(one.part)}` })), ...late];
  if (!asked.narrow) refuseTooWide(parent, wide, "ask for less, or have it trimmed with `narrow`");
  const { principal, root, depth, treeExpiresAt, statementExpiresAt } = parent.task;
  const task: RegisteredTask = {
    id,
    tenant: caller.tenant,
    caller: caller.id,
    root,
    parent: parent.task.id,
    depth: depth + 1,
    principal,
    agent: asked.agent,
    statement: asked.statement ?? parent.task.statement,
    ...(statementExpiresAt !== undefined && { statementExpiresAt }),
    scopeKind,
    scope,
    openedAt: at,
    expiresAt,
    treeExpiresAt,
  };
  return { task, trimmed: wide };
}

function refuseEnded(parent: TaskState, at: Instant): void {
  const end = endOf(parent, at);
  if (!end) return;
  const which = end.task === parent.task.id ? `task \`${end.task}\`` : `task \`${end.task}\`, above \`${parent.task.id}\`,`;
  throw new ServiceError("TASK_ENDED", `${which} is ${end.how}; nothing can be handed on from it any more`, { field: "task_id" });
}

/**
 * An initiator that may open tasks for the agent issues what it hands on; so does one that named the agent when it opened the task. Anything else is an
 * agent's proposal. Never better than the parent's.
 */
function kindFor(caller: Caller, { task }: TaskState, agent: string): ScopeKind {
  const isEntitled = caller.roles.includes("initiator") && coversAgent(caller.agents, agent);
  const speaksFor = caller.roles.includes("enforcer") && coversAgent(caller.agents, task.agent);
  if (!isEntitled && !speaksFor) {
    throw new ServiceError(
      "CALLER_FORBIDDEN",
      `\`${caller.id}\` may not hand this on: as an initiator its token must cover agent \`${agent}\`, or as an enforcer the task's agent \`${task.agent}\``,
      { field: "agent_id" },
    );
  }
  if (task.scopeKind !== "issued") return "proposed";
  const isNamed = task.scope.delegates !== undefined && matchesAnyGlob(task.scope.delegates, agent);
  return isEntitled || isNamed ? "issued" : "proposed";
}

/** Where nobody above has said to whom the task may be handed on, whoever issues it says so of the agents that its token covers, and of no others. */
function withNamed(scope: Scope, { caller, parent, scopeKind }: Naming): Scope {
  return scopeKind === "issued" && !parent.task.scope.delegates ? withDelegates(scope, caller) : scope;
}

interface Naming {
  readonly caller: Caller;
  readonly parent: TaskState;
  readonly scopeKind: ScopeKind;
}

function refuseTooDeep({ taskChildrenMax, delegationDepthMax }: TaskLimits, parent: TaskState, agent: string): void {
  const { scope, id, depth } = parent.task;
  const { delegates } = scope;
  const wide: Wide[] = [];
  if (delegates && !matchesAnyGlob(delegates, agent)) wide.push({ part: "agent_id", asked: agent, allowed: delegates.join(", ") || "nobody" });
  if (scope.maxDepth === 0) wide.push({ part: "task_id", asked: "handing it on once more", allowed: "scope.max_depth 0" });
  // Nothing that is trimmed makes another agent of it.
  refuseTooWide(parent, wide, "ask the task's initiator for one that may be handed on so");
  if (depth + 1 > delegationDepthMax) {
    throw new ServiceError("REQUEST_TOO_BIG", `task \`${id}\` was handed on ${depth} times already, and ${delegationDepthMax} are the most`, {
      field: "task_id",
      limit: "delegation_depth",
    });
  }
  if (parent.children >= taskChildrenMax) {
    throw new ServiceError("STATE_FULL", `task \`${id}\` was handed on to ${taskChildrenMax} agents; raise \`task_children_max\``, {
      limit: "task_children",
    });
  }
}

/** A part of a request that asks for more than the task has. */
export interface Wide {
  /** The request's field. */
  readonly part: string;
  readonly asked: string;
  readonly allowed: string;
}

const TOLD_MAX = 20;

function refuseTooWide(parent: TaskState, wide: readonly Wide[], wayOut: string): void {
  if (wide.length === 0) return;
  const violations = wide.slice(0, TOLD_MAX).map(
    ({ part, asked, allowed }): Violation => ({
      field: part,
      description: `\`${asked}\` lies outside what task \`${parent.task.id}\` has: ${allowed}`,
      reason: "TOO_WIDE",
    }),
  );
  const words = wide.slice(0, TOLD_MAX).map(({ part, asked, allowed }) => `\`${part}\` asks for \`${asked}\`, it has ${allowed}`);
  throw new ServiceError(
    "SCOPE_TOO_WIDE",
    `task \`${parent.task.id}\` cannot hand this on: ${words.join("; ")}${wide.length > TOLD_MAX ? "; …" : ""}; ${wayOut}`,
    { violations },
  );
}

const snake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** What ends must end ahead. @throws {ServiceError} REQUEST_MALFORMED, naming the field */
export function refusePast(field: string, when: Instant | undefined, at: Instant): void {
  if (when !== undefined && when <= at)
    throw new ServiceError(
      "REQUEST_MALFORMED",
      `\`${field}\` is \`${isoOf(when)}\`, which is over; write an instant that lies ahead, or leave it out`,
      { field },
    );
}
