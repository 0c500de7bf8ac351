import type { Windows } from "./policy.ts";
import type { DecisionRecord, LedgerEvent } from "./record.ts";
import { Suspensions, type SuspensionsView } from "./suspensions.ts";
import { type AgentMemory, createMemory, raiseSeen, remember } from "./tasks/seen.ts";
import { joinKey, type Task } from "./tasks/self-asserted.ts";
import { createTasksByUse, type TasksByUse } from "./tasks/use-order.ts";
import { durationMs, type Instant, type Outcome } from "./words.ts";

/** What decisions read beside the policy. It changes by `apply` alone, the same live and when it is rebuilt from the ledger. */
export interface State {
  windows: Windows;
  /** Open tasks. */
  readonly tasks: TasksByUse;
  /** Id of the open task by join key. */
  readonly joined: Map<string, string>;
  /** By tenant and agent. */
  readonly memories: Map<string, AgentMemory>;
  /** Remembered request ids, oldest first. */
  readonly attempts: Map<string, Attempt>;
  readonly suspensions: Suspensions;
}

/** What is remembered of a request id. */
export interface Attempt {
  readonly decisionId: string;
  readonly at: Instant;
  /** Keyed digest of the content. */
  readonly content: string;
  readonly outcome: Outcome;
  readonly validUntil?: Instant;
  /** As they were resolved then: a suspension of either covers the answer. */
  readonly effect: string;
  readonly task?: string;
}

/** Names what one turn may read. */
export interface StateKeys {
  readonly tenant: string;
  readonly caller: string;
  readonly requestId?: string;
  readonly agent: string;
  readonly principal: string;
  readonly session: string;
  /** Reads this task instead of the one that the rest would join. */
  readonly taskId?: string;
}

/** What the keys name, and how full the state is. */
export interface StateView {
  readonly attempt?: Attempt;
  readonly task?: Task;
  readonly memory?: AgentMemory;
  readonly leastUsedTask?: Task;
  readonly openTasks: number;
  readonly agentsRemembered: number;
  readonly attemptsRemembered: number;
  readonly suspensions: SuspensionsView;
}

const DAY_MS = 24 * 60 * 60 * 1000;

export const createState = (): State => ({
  // Replaced by the first policy that is loaded; until then nothing is forgotten early.
  windows: { memory: durationMs(DAY_MS), reportWithin: durationMs(DAY_MS), idempotency: durationMs(DAY_MS) },
  tasks: createTasksByUse(),
  joined: new Map(),
  memories: new Map(),
  attempts: new Map(),
  suspensions: new Suspensions(),
});

const attemptKey = (tenant: string, caller: string, requestId: string): string => JSON.stringify([tenant, caller, requestId]);
const memoryKey = (tenant: string, agent: string): string => JSON.stringify([tenant, agent]);

export function view(state: State, keys: StateKeys): StateView {
  const { tenant, caller, agent } = keys;
  const taskId = keys.taskId ?? state.joined.get(joinKey(keys));
  const task = taskId === undefined ? undefined : state.tasks.get(taskId);
  const attempt = keys.requestId === undefined ? undefined : state.attempts.get(attemptKey(tenant, caller, keys.requestId));
  const memory = state.memories.get(memoryKey(tenant, agent));
  const leastUsedTask = state.tasks.leastUsed;
  return {
    ...(attempt && { attempt }),
    ...(task && { task }),
    ...(memory && { memory }),
    ...(leastUsedTask && { leastUsedTask }),
    openTasks: state.tasks.size,
    agentsRemembered: state.memories.size,
    attemptsRemembered: state.attempts.size,
    suspensions: state.suspensions,
  };
}

export function apply(state: State, event: LedgerEvent): void {
  switch (event.kind) {
    case "policy_loaded":
      state.windows = event.windows;
      break;
    case "task_opened":
      state.tasks.use(event.task);
      state.joined.set(joinKey(event.task), event.task.id);
      break;
    case "task_closed":
      closeTask(state, event.task);
      break;
    case "decision":
      applyDecision(state, event);
      break;
    case "suspended":
      state.suspensions.add(event.suspension);
      break;
    case "resumed":
      state.suspensions.remove(event.suspension);
      break;
  }
}

function closeTask(state: State, id: string): void {
  const task = state.tasks.get(id);
  if (!task) return;
  state.tasks.remove(id);
  // A newer task may have taken the place already.
  if (state.joined.get(joinKey(task)) === id) state.joined.delete(joinKey(task));
}

function applyDecision(state: State, record: DecisionRecord): void {
  const { at, tenant, attempt, judgement, seenAfter, subject } = record;
  const { standing, id } = subject.task;
  const task = id === undefined ? undefined : state.tasks.get(id);
  // A decision about a task that has closed must not keep it alive.
  if (task && (standing === "open" || standing === "new")) {
    state.tasks.use({ ...task, lastUsedAt: at, seen: seenAfter ? raiseSeen(task.seen, seenAfter) : task.seen });
  }
  if (seenAfter || judgement.outcome === "ALLOW") {
    const key = memoryKey(tenant, subject.request.agent.id);
    const known = state.memories.get(key);
    const memory = known ?? createMemory(at);
    remember(memory, seenAfter ?? subject.task.seen, { at, window: state.windows.memory });
    if (!known) state.memories.set(key, memory);
  }
  if (attempt) {
    const key = attemptKey(tenant, record.caller, attempt.id);
    // Set anew at the end: the map stays in the order of time.
    state.attempts.delete(key);
    state.attempts.set(key, {
      decisionId: record.id,
      at,
      content: attempt.content,
      outcome: judgement.outcome,
      ...(judgement.validUntil !== undefined && { validUntil: judgement.validUntil }),
      effect: record.resolved.effect,
      ...(id !== undefined && { task: id }),
    });
  }
}

/**
 * Drops what has left its window. Whoever reads the state looks at the window as well, so this changes no answer and may come at any time; it
 * walks over every memory, so it should not come with every turn.
 */
export function forget(state: State, now: Instant): void {
  state.suspensions.forget(now);
  for (const [key, attempt] of state.attempts) {
    if (now - attempt.at < state.windows.idempotency) break;
    state.attempts.delete(key);
  }
  for (const [key, memory] of state.memories) {
    if (now - memory.lastAt >= state.windows.memory) state.memories.delete(key);
  }
}
