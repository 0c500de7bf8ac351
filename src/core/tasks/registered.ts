import type { Hop } from "../request.ts";
import type { DurationMs, Instant, JsonObject } from "../words.ts";
import { type AwaitedCalls, createAwaited } from "./awaited.ts";
import { NOTHING_SPENT, type Spent } from "./budget.ts";
import type { Scope } from "./scope.ts";
import { NOTHING_SEEN, type Seen } from "./seen.ts";

/** Who stands behind a scope: `issued` by an initiator entitled to open tasks for the agent, `proposed` by a planner or an agent. */
export const SCOPE_KINDS = ["issued", "proposed"] as const;
export type ScopeKind = (typeof SCOPE_KINDS)[number];

/** Whom a task is for, as its initiator says. */
export interface Principal {
  readonly type: "user" | "service";
  readonly id: string;
  readonly attributes?: JsonObject;
}

/** A task that an initiator opened, or one that was handed on below it. It never changes; how it stands does. */
export interface RegisteredTask {
  /** UUIDv7. */
  readonly id: string;
  readonly tenant: string;
  /** Who opened it, or handed it on. */
  readonly caller: string;
  /** The task that an initiator opened. Its own id if it is that one. */
  readonly root: string;
  readonly parent?: string;
  /** How many times it was handed on: 0 for the root. */
  readonly depth: number;
  readonly principal: Principal;
  readonly agent: string;
  readonly statement: string;
  /** From here on its words say nothing any more, while the task goes on. */
  readonly statementExpiresAt?: Instant;
  readonly scopeKind: ScopeKind;
  /** Within the parent's in every part. */
  readonly scope: Scope;
  readonly openedAt: Instant;
  readonly expiresAt: Instant;
  /** When the root expires. */
  readonly treeExpiresAt: Instant;
}

/** How a task ends. Each is final. */
export const TASK_ENDS = ["closed", "expired", "revoked"] as const;
export type TaskEnd = (typeof TASK_ENDS)[number];

export interface EndedTask {
  readonly how: TaskEnd;
  readonly at: Instant;
  /** The caller that ended it. */
  readonly by?: string;
  readonly reason?: string;
}

/** A registered task as it stands. Changed by `apply` alone. */
export interface TaskState {
  readonly task: RegisteredTask;
  readonly parent: TaskState | undefined;
  /** From the root to the task: a decision asks for it a dozen times, and it never changes. */
  readonly chain: readonly TaskState[];
  /** Who handed the task to whom, the person first, the task's agent last. */
  readonly hops: readonly Hop[];
  readonly tree: TaskTree;
  /** How many were handed on from it. */
  children: number;
  ended: EndedTask | undefined;
  /** By it and everything below it. */
  spent: Spent;
  /** Decisions for it, without those for what is below it. */
  readonly decided: { allowed: number; denied: number; held: number };
}

/** What a task and all that was handed on from it have in common. */
export interface TaskTree {
  /** The root first. */
  readonly tasks: TaskState[];
  seen: Seen;
  /** Allowed calls of which nothing was reported yet. */
  readonly awaited: AwaitedCalls;
}

/** A task as it stands when it has just been opened, below `parent` or below none. */
export function createTaskState(task: RegisteredTask, parent: TaskState | undefined): TaskState {
  const chain: TaskState[] = [...(parent?.chain ?? [])];
  const { type, id } = task.principal;
  const above: readonly Hop[] = parent?.hops ?? [{ type, id }];
  const state: TaskState = {
    task,
    parent,
    chain,
    hops: [...above, { type: "agent", id: task.agent, taskId: task.id }],
    tree: parent?.tree ?? { tasks: [], seen: NOTHING_SEEN, awaited: createAwaited() },
    children: 0,
    ended: undefined,
    spent: NOTHING_SPENT,
    decided: { allowed: 0, denied: 0, held: 0 },
  };
  chain.push(state);
  return state;
}

/** From the root to the task. */
export const chainOf = ({ chain }: TaskState): readonly TaskState[] => chain;

/** Who handed the task to whom, the person first, the task's agent last. */
export const hopsOf = ({ hops }: TaskState): readonly Hop[] => hops;

/** How a task has ended, by itself or with one above it, the root first; undefined while it is open. */
export function endOf(leaf: TaskState, at: Instant): (EndedTask & { readonly task: string }) | undefined {
  let over: TaskState | undefined;
  for (let state: TaskState | undefined = leaf; state; state = state.parent) if (state.ended || at >= state.task.expiresAt) over = state;
  if (!over) return undefined;
  const { task, ended = { how: "expired", at: task.expiresAt } } = over;
  return { ...ended, task: task.id };
}

/** Whether a tree has been over for so long that nobody need be told more of it than that it is unknown. */
export function isPast({ tasks: [root] }: TaskTree, at: Instant, window: DurationMs): boolean {
  if (!root) return true;
  return at - Math.min(root.ended?.at ?? root.task.expiresAt, root.task.expiresAt) >= window;
}

/** The registered tasks, as a turn or a reader sees them. */
export interface RegisteredTasksView {
  /** How many are remembered, also of those that have ended. */
  readonly size: number;
  get(id: string): TaskState | undefined;
  /** In the order in which they were opened. */
  all(): Iterable<TaskState>;
}

/** The registered tasks by their ids, and in trees. Changed by `apply` alone. */
export class RegisteredTasks implements RegisteredTasksView {
  readonly #byId = new Map<string, TaskState>();

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): TaskState | undefined {
    return this.#byId.get(id);
  }

  all(): Iterable<TaskState> {
    return this.#byId.values();
  }

  /** One that was handed on from a task that is not there is not there either. */
  add(task: RegisteredTask): void {
    const parent = task.parent === undefined ? undefined : this.#byId.get(task.parent);
    if (!parent && task.parent !== undefined) return;
    const state = createTaskState(task, parent);
    if (parent) parent.children++;
    state.tree.tasks.push(state);
    this.#byId.set(task.id, state);
  }

  /** Only the first end counts. A task expired when its time was over, not when somebody found that out. */
  end(id: string, end: EndedTask): void {
    const state = this.#byId.get(id);
    if (state) state.ended ??= end.how === "expired" ? { ...end, at: state.task.expiresAt } : end;
  }

  forget(now: Instant, window: DurationMs): void {
    for (const { tree, parent } of this.#byId.values()) {
      if (parent || !isPast(tree, now, window)) continue;
      for (const { task } of tree.tasks) this.#byId.delete(task.id);
    }
  }
}
