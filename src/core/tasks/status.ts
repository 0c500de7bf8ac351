import type { Windows } from "../policy.ts";
import { EFFECTS, type Effect, type Instant } from "../words.ts";
import { overdueAt } from "./awaited.ts";
import type { Spent } from "./budget.ts";
import {
  chainOf,
  createTaskState,
  type EndedTask,
  endOf,
  isPast,
  type RegisteredTask,
  type RegisteredTasksView,
  type TaskEnd,
  type TaskState,
} from "./registered.ts";
import type { Amounts, CallCounts } from "./scope.ts";
import type { Seen } from "./seen.ts";

/** A registered task as people see it. */
export interface TaskStatus {
  readonly task: RegisteredTask;
  /** How it ended, by itself or with a task above it; absent while it is open. */
  readonly ended?: EndedTask & { readonly task: string };
  /** By it and everything below it. */
  readonly spent: Spent;
  /** What its own caps and those of the tasks above it leave: what is not capped is not named. */
  readonly left: { readonly calls: CallCounts; readonly amounts: Amounts };
  /** By the whole tree. */
  readonly seen: Seen;
  /** Allowed calls of the whole tree that were not reported in time. */
  readonly unreported: number;
  /** Decisions for it, without those for what is below it. */
  readonly decided: { readonly allowed: number; readonly denied: number; readonly held: number };
  readonly children: number;
}

export const standingOfStatus = ({ ended }: TaskStatus): "open" | TaskEnd => ended?.how ?? "open";

export function statusOf(state: TaskState, at: Instant, windows: Windows): TaskStatus {
  const ended = endOf(state, at);
  const overdue = overdueAt(state.tree.awaited, state.tree.seen, { at, within: windows.reportWithin });
  return {
    task: state.task,
    ...(ended && { ended }),
    spent: state.spent,
    left: leftOf(chainOf(state)),
    seen: overdue.seen,
    unreported: overdue.count,
    decided: { ...state.decided },
    children: state.children,
  };
}

/** Of a task that is being opened, below `parent` or below none. */
export const statusOfNew = (task: RegisteredTask, { at, windows, parent }: NewTask): TaskStatus =>
  statusOf(createTaskState(task, parent), at, windows);

interface NewTask {
  readonly at: Instant;
  readonly windows: Windows;
  readonly parent?: TaskState;
}

function leftOf(chain: readonly TaskState[]): TaskStatus["left"] {
  const calls: Partial<Record<Effect, number>> = {};
  const amounts: Record<string, number> = {};
  for (const { task, spent } of chain) {
    const { maxCalls = {}, maxAmounts = {} } = task.scope;
    for (const effect of EFFECTS) {
      const max = maxCalls[effect];
      if (max !== undefined) calls[effect] = Math.min(calls[effect] ?? max, Math.max(0, max - (spent.calls[effect] ?? 0)));
    }
    for (const [currency, max] of Object.entries(maxAmounts)) {
      amounts[currency] = Math.min(amounts[currency] ?? max, Math.max(0, max - (spent.amounts[currency] ?? 0)));
    }
  }
  return { calls, amounts };
}

/** Tasks in one answer. */
export const LISTED_TASKS_MAX = 500;

/** A task and what is below it, each task before those that were handed on from it. */
export function treeOf(state: TaskState, at: Instant, windows: Windows) {
  const below = new Map<TaskState | undefined, TaskState[]>();
  for (const task of state.tree.tasks) {
    const siblings = below.get(task.parent);
    if (siblings) siblings.push(task);
    else below.set(task.parent, [task]);
  }
  const ordered: TaskState[] = [];
  const waiting = [...(below.get(state) ?? [])].reverse();
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    ordered.push(next);
    waiting.push(...[...(below.get(next) ?? [])].reverse());
  }
  return {
    status: statusOf(state, at, windows),
    below: ordered.slice(0, LISTED_TASKS_MAX).map((task) => statusOf(task, at, windows)),
    belowTotal: ordered.length,
  };
}

export interface ListQuestion {
  readonly ended: boolean;
  /** Only of this agent. */
  readonly agent?: string;
  /** Only of this principal, `user:…` or `service:…`. */
  readonly principal?: string;
}

interface Listing extends ListQuestion {
  readonly tenant: string;
  readonly at: Instant;
  readonly windows: Windows;
}

export function listTasks(tasks: RegisteredTasksView, { tenant, ended, agent, principal, at, windows }: Listing) {
  const found: TaskState[] = [];
  for (const state of tasks.all()) {
    const { task, tree } = state;
    if (task.tenant !== tenant || isPast(tree, at, windows.memory)) continue;
    if (!ended && endOf(state, at)) continue;
    if (agent !== undefined && task.agent !== agent) continue;
    if (principal !== undefined && `${task.principal.type}:${task.principal.id}` !== principal) continue;
    found.push(state);
  }
  const listed = found.slice(-LISTED_TASKS_MAX).reverse();
  return { tasks: listed.map((state) => statusOf(state, at, windows)), total: found.length };
}
