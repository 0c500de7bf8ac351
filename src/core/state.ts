import { Approvals, type ApprovalsView } from "./approvals/register.ts";
import type { ObservedView } from "./intent/observed.ts";
import { type ObservedInTree, ObservedTrees } from "./intent/observed-trees.ts";
import type { Windows } from "./policy.ts";
import type { DecisionRecord, LedgerEvent, PolicyLoaded, Reported, TaskEnded, TaskRevoked } from "./record.ts";
import { Suspensions, type SuspensionsView } from "./suspensions.ts";
import { type AwaitedCall, awaitCall, createAwaited, endAwaiting, keepOverdue } from "./tasks/awaited.ts";
import { giveBack, spend } from "./tasks/budget.ts";
import { type AgentMemory, createMemory, remember, settleOverdue } from "./tasks/memory.ts";
import { chainOf, type EndedTask, endOf, RegisteredTasks, type RegisteredTasksView, type TaskEnd, type TaskState } from "./tasks/registered.ts";
import { raiseSeen } from "./tasks/seen.ts";
import { joinKey, type OpenTask } from "./tasks/self-asserted.ts";
import { createTasksByUse, type TasksByUse } from "./tasks/use-order.ts";
import { durationMs, type Instant, type Outcome } from "./words.ts";

/** What decisions read beside the policy. It changes by `apply` alone, the same live and when it is rebuilt from the ledger. */
export interface State {
  windows: Windows;
  /** Open self-asserted tasks. */
  readonly tasks: TasksByUse;
  /** Id of the open self-asserted task by join key. */
  readonly joined: Map<string, string>;
  readonly registered: RegisteredTasks;
  /** By tenant and agent. */
  readonly memories: Map<string, AgentMemory>;
  /** Remembered request ids, oldest first. */
  readonly attempts: Map<string, Attempt>;
  readonly suspensions: Suspensions;
  readonly approvals: Approvals;
  /** What tools returned, by the task at the root. Fed by what comes with a turn, not by its events: it is kept apart, and forgotten with its task. */
  readonly observed: ObservedTrees;
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
  /** Its task is a registered one. */
  readonly registered?: true;
  /** The approval that allowed it. */
  readonly approvedBy?: string;
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
  /** That is used or answered. */
  readonly approvalId?: string;
}

/** What the keys name, and how full the state is. */
export interface StateView {
  readonly attempt?: Attempt;
  /** Self-asserted. */
  readonly task?: OpenTask;
  /** The registered task that the keys name. */
  readonly registered?: TaskState;
  readonly registeredTasks: RegisteredTasksView;
  readonly memory?: AgentMemory;
  readonly leastUsedTask?: OpenTask;
  readonly openTasks: number;
  readonly agentsRemembered: number;
  readonly attemptsRemembered: number;
  readonly selfAsserted: Pick<TasksByUse, "get">;
  readonly suspensions: SuspensionsView;
  readonly approvals: ApprovalsView;
  /** What tools returned to the task, and to the whole tree of a registered one. */
  readonly observed?: ObservedView;
}

const DAY_MS = 24 * 60 * 60 * 1000;

export const createState = (): State => ({
  // Replaced by the first policy that is loaded; until then nothing is forgotten early.
  windows: { memory: durationMs(DAY_MS), reportWithin: durationMs(DAY_MS), idempotency: durationMs(DAY_MS) },
  tasks: createTasksByUse(),
  joined: new Map(),
  registered: new RegisteredTasks(),
  memories: new Map(),
  attempts: new Map(),
  suspensions: new Suspensions(),
  approvals: new Approvals(),
  observed: new ObservedTrees(),
});

const attemptKey = (tenant: string, caller: string, requestId: string): string => JSON.stringify([tenant, caller, requestId]);
const memoryKey = (tenant: string, agent: string): string => JSON.stringify([tenant, agent]);

export function view(state: State, keys: StateKeys): StateView {
  const { tenant, caller, agent } = keys;
  const taskId = keys.taskId ?? state.joined.get(joinKey(keys));
  const task = taskId === undefined ? undefined : state.tasks.get(taskId);
  const named = taskId === undefined ? undefined : state.registered.get(taskId);
  // Another tenant's task is nobody's.
  const registered = named?.task.tenant === tenant ? named : undefined;
  const attempt = keys.requestId === undefined ? undefined : state.attempts.get(attemptKey(tenant, caller, keys.requestId));
  const memory = state.memories.get(memoryKey(tenant, agent));
  const leastUsedTask = state.tasks.leastUsed;
  const root = registered?.task.root ?? task?.id;
  const observed = root === undefined ? undefined : state.observed.of(root);
  return {
    ...(attempt && { attempt }),
    ...(task && { task }),
    ...(registered && { registered }),
    registeredTasks: state.registered,
    ...(memory && { memory }),
    ...(observed && { observed }),
    ...(leastUsedTask && { leastUsedTask }),
    openTasks: state.tasks.size,
    agentsRemembered: state.memories.size,
    attemptsRemembered: state.attempts.size,
    selfAsserted: state.tasks,
    suspensions: state.suspensions,
    approvals: state.approvals,
  };
}

export function apply(state: State, event: LedgerEvent): void {
  switch (event.kind) {
    case "policy_loaded":
      changeWindows(state, event);
      break;
    case "task_opened":
      state.tasks.use({ ...event.task, awaited: createAwaited() });
      state.joined.set(joinKey(event.task), event.task.id);
      break;
    case "task_closed":
      closeTask(state, event.task);
      break;
    case "task_registered":
      state.registered.add(event.task);
      break;
    case "task_ended":
      state.registered.end(event.task, endedBy(event, event.how));
      state.observed.drop(event.task);
      break;
    case "task_revoked":
      state.registered.end(event.task, endedBy(event, "revoked"));
      state.observed.drop(event.task);
      break;
    case "decision":
      applyDecision(state, event);
      break;
    case "reported":
      applyReport(state, event);
      break;
    case "suspended":
      state.suspensions.add(event.suspension);
      break;
    case "resumed":
      state.suspensions.remove(event.suspension);
      break;
    case "approval_opened":
      state.approvals.open(event.approval);
      break;
    case "approval_answered":
      state.approvals.answer(event);
      break;
    case "approval_used":
      state.approvals.use(event);
      break;
    case "approval_ended":
      state.approvals.end(event);
      break;
  }
}

/** Takes in what a tool returned, unless the task is over: nobody will ask for it any more. */
export function observe(state: State, observed: ObservedInTree): void {
  const root = state.registered.get(observed.root);
  if (root ? root.ended === undefined : state.tasks.get(observed.root) !== undefined) state.observed.feed(observed);
}

/** What came to be overdue under the windows until now is settled first. */
function changeWindows(state: State, { at, windows }: PolicyLoaded): void {
  const due = { at, within: state.windows.reportWithin };
  for (const memory of state.memories.values()) settle(state, memory, at);
  for (const id of state.tasks.ids()) keepOverdue(state.tasks.get(id)?.awaited ?? createAwaited(), due);
  for (const { parent, tree } of state.registered.all()) if (!parent) keepOverdue(tree.awaited, due);
  state.windows = windows;
}

function closeTask(state: State, id: string): void {
  const task = state.tasks.get(id);
  if (!task) return;
  state.observed.drop(id);
  state.tasks.remove(id);
  // A newer task may have taken the place already.
  if (state.joined.get(joinKey(task)) === id) state.joined.delete(joinKey(task));
}

const endedBy = ({ at, by, reason }: TaskEnded | TaskRevoked, how: TaskEnd): EndedTask => ({
  how,
  at,
  ...(by !== undefined && { by }),
  ...(reason !== undefined && { reason }),
});

function applyDecision(state: State, record: DecisionRecord): void {
  const { at, judgement, seenAfter, subject } = record;
  const { standing, id } = subject.task;
  const call: AwaitedCall | undefined = judgement.outcome === "ALLOW" ? { at, worst: record.worst ?? seenAfter ?? subject.task.seen } : undefined;
  const task = id === undefined ? undefined : state.tasks.get(id);
  // A decision about a task that has closed must not keep it alive.
  if (task && (standing === "open" || standing === "new")) {
    state.tasks.use({ ...task, lastUsedAt: at, seen: seenAfter ? raiseSeen(task.seen, seenAfter) : task.seen });
    if (call) awaitCall(task.awaited, record.id, call);
  }
  const registered = id === undefined ? undefined : state.registered.get(id);
  if (registered) applyToRegistered(registered, record, call);
  // Naming another agent's task tells an agent nothing of what that has seen.
  if ((seenAfter && standing !== "mismatch") || call) applyToMemory(state, record, call);
  if (record.approval && judgement.outcome === "REQUIRE_APPROVAL") state.approvals.await(record);
  if (record.attempt) rememberAttempt(state, record, record.attempt);
}

function applyToRegistered(leaf: TaskState, { id, judgement, seenAfter, charge }: DecisionRecord, call: AwaitedCall | undefined): void {
  const { tree, decided } = leaf;
  if (judgement.outcome === "ALLOW") decided.allowed++;
  else if (judgement.outcome === "DENY") decided.denied++;
  else decided.held++;
  if (seenAfter) tree.seen = raiseSeen(tree.seen, seenAfter);
  if (call) awaitCall(tree.awaited, id, call);
  if (charge) for (const task of chainOf(leaf)) task.spent = spend(task.spent, charge);
}

function applyToMemory(state: State, { at, id, tenant, subject, seenAfter }: DecisionRecord, call: AwaitedCall | undefined): void {
  const memory = memoryOf(state, { tenant, agent: subject.request.agent.id, at });
  const moment = { at, window: state.windows.memory };
  settle(state, memory, at);
  remember(memory, seenAfter ?? subject.task.seen, moment);
  const forgone = call && awaitCall(memory.awaited, id, call);
  if (forgone) remember(memory, forgone.worst, moment);
}

/** Before anything else comes to a memory, so that it is the same whenever it was last settled. */
const settle = ({ windows: { memory: window, reportWithin } }: State, memory: AgentMemory, at: Instant): void =>
  settleOverdue(memory, { at, window, reportWithin });

interface Remembering {
  readonly tenant: string;
  readonly agent: string;
  readonly at: Instant;
}

function memoryOf(state: State, { tenant, agent, at }: Remembering): AgentMemory {
  const key = memoryKey(tenant, agent);
  const known = state.memories.get(key);
  if (known) return known;
  const memory = createMemory(at);
  state.memories.set(key, memory);
  return memory;
}

function rememberAttempt(state: State, record: DecisionRecord, attempt: NonNullable<DecisionRecord["attempt"]>): void {
  const { at, judgement, subject } = record;
  const key = attemptKey(record.tenant, record.caller, attempt.id);
  // Set anew at the end: the map stays in the order of time.
  state.attempts.delete(key);
  state.attempts.set(key, {
    decisionId: record.id,
    at,
    content: attempt.content,
    outcome: judgement.outcome,
    ...(judgement.validUntil !== undefined && { validUntil: judgement.validUntil }),
    effect: record.resolved.effect,
    ...(subject.task.id !== undefined && { task: subject.task.id }),
    ...(subject.task.registered && { registered: true }),
    ...(judgement.approvedBy !== undefined && { approvedBy: judgement.approvedBy }),
  });
}

function applyReport(state: State, { at, tenant, agent, decision, task: id, shows, refund }: Reported): void {
  const task = id === undefined ? undefined : state.tasks.get(id);
  if (task) {
    endAwaiting(task.awaited, decision);
    if (shows) state.tasks.replace({ ...task, seen: raiseSeen(task.seen, shows) });
  }
  const leaf = id === undefined ? undefined : state.registered.get(id);
  if (leaf) {
    endAwaiting(leaf.tree.awaited, decision);
    if (shows) leaf.tree.seen = raiseSeen(leaf.tree.seen, shows);
    if (refund) for (const above of chainOf(leaf)) above.spent = giveBack(above.spent, refund);
  }
  const memory = state.memories.get(memoryKey(tenant, agent));
  if (memory) {
    settle(state, memory, at);
    endAwaiting(memory.awaited, decision);
  }
  if (shows) remember(memoryOf(state, { tenant, agent, at }), shows, { at, window: state.windows.memory });
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
  const { memory: window } = state.windows;
  for (const [key, memory] of state.memories) {
    settle(state, memory, now);
    if (now - memory.lastAt >= window && memory.awaited.calls.size === 0) state.memories.delete(key);
  }
  state.registered.forget(now, window);
  state.observed.forget((root) => {
    const task = state.registered.get(root);
    return task ? endOf(task, now) === undefined : state.tasks.get(root) !== undefined;
  });
  state.approvals.forget(now, window, (task) => state.registered.get(task) !== undefined || state.tasks.get(task) !== undefined);
}
