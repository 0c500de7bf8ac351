import type { ApprovalsView } from "../approvals/register.ts";
import type { Policy } from "../policy.ts";
import type { Caller, DecisionRequest, Hop } from "../request.ts";
import { type Instant, instant } from "../words.ts";
import { overdueAt } from "./awaited.ts";
import { type Budget, hasCaps } from "./budget.ts";
import { type AgentMemory, recall } from "./memory.ts";
import { chainOf, endOf, hopsOf, isPast, type Principal, type RegisteredTask, type ScopeKind, type TaskState } from "./registered.ts";
import type { Scope } from "./scope.ts";
import { raiseSeen, type Seen } from "./seen.ts";
import { assertedPrincipal, isIdle, type OpenTask } from "./self-asserted.ts";

export const STANDINGS = ["new", "open", "unknown", "closed", "expired", "revoked", "mismatch"] as const;

/** How the task that a request belongs to stands, as far as the decision reads it. */
export interface TaskStanding {
  readonly standing: (typeof STANDINGS)[number];
  /** Absent when the request names a task that is not its own. */
  readonly id?: string;
  readonly statement?: string;
  /** The request states something else than the task does. */
  readonly restated: boolean;
  /** Before this decision. */
  readonly seen: Seen;
  /** Allowed calls that were not reported in time; absent: none. */
  readonly unreported?: number;
  /** Of a task that an initiator opened, or that was handed on below one. */
  readonly registered?: RegisteredStanding;
}

/** What a decision reads of a registered task, and of those above it. */
export interface RegisteredStanding {
  readonly root: string;
  /** How many times it was handed on. */
  readonly depth: number;
  readonly principal: Principal;
  /** The caller that opened the root. */
  readonly issuer: string;
  readonly scopeKind: ScopeKind;
  /** What bounds the action; absent where nothing was bound: a scope that a planner proposed for a root only tells what it expects. */
  readonly boundary?: Scope;
  /** How many hops of the request's chain are the task's own; the rest is the caller's word. */
  readonly hops: number;
  /** Of the task and of those above it, where anything is capped. */
  readonly budgets?: readonly Budget[];
  /** Its statement is other words than its root's. */
  readonly reworded?: true;
  /** Its statement's time is over. */
  readonly statementExpired?: true;
  /** The first instant at which the task, one above it, or what it states no longer holds. */
  readonly until: Instant;
  /** The task above it, or itself, that has ended. */
  readonly endedTask?: string;
}

export interface TaskQuestion {
  readonly policy: Policy;
  readonly caller: Caller;
  readonly request: DecisionRequest;
  /** The open self-asserted task that the request names or would join. */
  readonly task: OpenTask | undefined;
  /** The registered task that the request names. */
  readonly registered: TaskState | undefined;
  readonly memory: AgentMemory | undefined;
  readonly approvals: Pick<ApprovalsView, "isAwaited">;
  readonly at: Instant;
  /** Makes the id of a task that this request opens. */
  readonly freshId: () => string;
}

/** Finds the task of a request, or says why it has none. */
export function standingOf(question: TaskQuestion): TaskStanding {
  const { policy, caller, request, task, registered, at } = question;
  const { memory: window, reportWithin } = policy.settings.windows;
  if (registered && !isPast(registered.tree, at, window)) {
    return standingOfRegistered(registered, question);
  }
  const statement = request.task?.statement;
  const inherited = recall(question.memory, { at, window, reportWithin });
  if (request.task?.id !== undefined) {
    if (!task || task.tenant !== caller.tenant || task.caller !== caller.id) {
      return { standing: "unknown", restated: false, seen: inherited };
    }
    if (task.agent !== request.agent.id) return { standing: "mismatch", restated: false, seen: inherited };
    // Without a chain the request says nothing about the principal; with one it must be the task's.
    if (request.delegation && assertedPrincipal(request) !== task.principal) {
      return { standing: "mismatch", restated: false, seen: inherited };
    }
    if (isIdle(task, question)) return { standing: "closed", id: task.id, restated: false, seen: task.seen };
  }
  if (!task || isIdle(task, question)) {
    return { standing: "new", id: question.freshId(), ...(statement !== undefined && { statement }), restated: false, seen: inherited };
  }
  const first = task.statement;
  const overdue = overdueAt(task.awaited, task.seen, { at, within: reportWithin });
  return {
    standing: "open",
    id: task.id,
    ...(first !== undefined && { statement: first }),
    restated: statement !== undefined && statement !== first,
    // Also what the agent has seen meanwhile in another conversation: which one it is in is only its caller's word.
    seen: raiseSeen(overdue.seen, inherited),
    ...(overdue.count > 0 && { unreported: overdue.count }),
  };
}

function standingOfRegistered(leaf: TaskState, { policy, request, at }: TaskQuestion): TaskStanding {
  const { task, tree } = leaf;
  const end = endOf(leaf, at);
  const overdue = overdueAt(tree.awaited, tree.seen, { at, within: policy.settings.windows.reportWithin });
  const own = hopsOf(leaf);
  const chain = request.delegation ?? own;
  const words = wordsOf(leaf, at);
  const told = request.task?.statement;
  return {
    standing: end ? end.how : repeats(own, chain, request) ? "open" : "mismatch",
    id: task.id,
    ...(words.statement !== undefined && { statement: words.statement }),
    restated: told !== undefined && told !== task.statement,
    seen: overdue.seen,
    ...(overdue.count > 0 && { unreported: overdue.count }),
    registered: {
      root: task.root,
      depth: task.depth,
      principal: task.principal,
      issuer: tree.tasks[0]?.task.caller ?? task.caller,
      scopeKind: task.scopeKind,
      ...(bounds(task) && { boundary: boundaryOf(leaf, policy) }),
      hops: own.length,
      ...budgetsOf(leaf),
      ...(words.reworded && { reworded: true }),
      ...(words.expired && { statementExpired: true }),
      until: words.until,
      ...(end && { endedTask: end.task }),
    },
  };
}

/** A chain may be left out, repeated, or go on below the task's agent; and it ends with the agent that acts. */
function repeats(own: readonly Hop[], chain: readonly Hop[], request: DecisionRequest): boolean {
  const same = own.every((hop, at) => {
    const said = chain[at];
    return said !== undefined && said.type === hop.type && said.id === hop.id && (said.taskId === undefined || said.taskId === hop.taskId);
  });
  const below = chain.slice(own.length);
  return same && chain.at(-1)?.id === request.agent.id && below.every((hop) => hop.type === "agent" && hop.taskId === undefined);
}

/** The chain that a request stands for: the task's own, and below it what the request adds. */
export function chainFor(leaf: TaskState, request: DecisionRequest): readonly Hop[] {
  const own = hopsOf(leaf);
  return [...own, ...(request.delegation?.slice(own.length) ?? [])];
}

/** What was handed on bounds whoever it was handed to, even where only a planner proposed it. */
const bounds = ({ scopeKind, depth }: RegisteredTask): boolean => scopeKind === "issued" || depth > 0;

/** Within every scope above it when it was handed on; classifications may have been put into another order since. */
function boundaryOf(leaf: TaskState, { settings }: Policy): Scope {
  // Its caps are read with those of the tasks above it, as budgets.
  const { maxCalls: _, maxAmounts: __, ...scope } = leaf.task.scope;
  const { order } = settings.classification;
  const caps = chainOf(leaf).flatMap(({ task }) => task.scope.maxClassification ?? []);
  const [lowest] = caps.sort((a, b) => order.indexOf(a) - order.indexOf(b));
  return lowest === undefined ? scope : { ...scope, maxClassification: lowest };
}

/** What the task states at this instant, and until when that and the task itself hold: words that were handed on end with those they come from. */
function wordsOf(leaf: TaskState, at: Instant) {
  const chain = chainOf(leaf);
  const { statement, root } = leaf.task;
  const ends = chain.flatMap(({ task }) => (task.statementExpiresAt === undefined ? [] : [task.statementExpiresAt]));
  const expired = ends.some((end) => at >= end);
  const holds = [...chain.map(({ task }) => task.expiresAt), ...ends.filter((end) => at < end)];
  return {
    ...(!expired && { statement }),
    expired,
    reworded: leaf.task.id !== root && statement !== chain[0]?.task.statement,
    until: instant(Math.min(...holds)),
  };
}

function budgetsOf(leaf: TaskState): { readonly budgets?: readonly Budget[] } {
  const budgets = chainOf(leaf)
    .filter(({ task }) => hasCaps(task.scope))
    .map(({ task: { id, scope }, spent }): Budget => {
      const { maxCalls, maxAmounts } = scope;
      return { task: id, spent, ...(maxCalls && { maxCalls }), ...(maxAmounts && { maxAmounts }) };
    });
  return budgets.length > 0 ? { budgets } : {};
}
