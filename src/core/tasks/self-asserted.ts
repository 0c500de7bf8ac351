import type { Policy } from "../policy.ts";
import type { Caller, DecisionRequest } from "../request.ts";
import type { Instant } from "../words.ts";
import { type AgentMemory, raiseSeen, recall, type Seen } from "./seen.ts";

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

/** How the task that a request belongs to stands, as far as the decision reads it. */
export interface TaskStanding {
  readonly standing: "open" | "new" | "unknown" | "closed" | "mismatch";
  /** Absent when the request names a task that is not its own. */
  readonly id?: string;
  readonly statement?: string;
  /** The request states something else than the task's first statement. */
  readonly restated: boolean;
  /** Before this decision. */
  readonly seen: Seen;
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

export interface TaskQuestion {
  readonly policy: Policy;
  readonly caller: Caller;
  readonly request: DecisionRequest;
  /** The open task that the request names or would join. */
  readonly task: Task | undefined;
  readonly memory: AgentMemory | undefined;
  readonly at: Instant;
  /** Makes the id of a task that this request opens. */
  readonly freshId: () => string;
}

/** Finds the task of a request, or says why it has none. */
export function standingOf(question: TaskQuestion): TaskStanding {
  const { policy, caller, request, task, at } = question;
  const statement = request.task?.statement;
  const inherited = recall(question.memory, at, policy.settings.windows.memory);
  if (request.task?.id !== undefined) {
    if (!task || task.tenant !== caller.tenant || task.caller !== caller.id) {
      return { standing: "unknown", restated: false, seen: inherited };
    }
    if (task.agent !== request.agent.id) return { standing: "mismatch", restated: false, seen: inherited };
    // Without a chain the request says nothing about the principal; with one it must be the task's.
    if (request.delegation && assertedPrincipal(request) !== task.principal) {
      return { standing: "mismatch", restated: false, seen: inherited };
    }
    if (isIdle(task, policy, at)) return { standing: "closed", id: task.id, restated: false, seen: task.seen };
  }
  if (!task || isIdle(task, policy, at)) {
    return { standing: "new", id: question.freshId(), ...(statement !== undefined && { statement }), restated: false, seen: inherited };
  }
  const first = task.statement;
  return {
    standing: "open",
    id: task.id,
    ...(first !== undefined && { statement: first }),
    restated: statement !== undefined && statement !== first,
    // Also what the agent has seen meanwhile in another conversation: which one it is in is only its caller's word.
    seen: raiseSeen(task.seen, inherited),
  };
}

export const isIdle = (task: Task, policy: Policy, at: Instant): boolean => at - task.lastUsedAt >= policy.settings.lifetimes.selfAssertedIdle;
