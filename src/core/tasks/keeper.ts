import { coversAgent } from "../access.ts";
import { ServiceError } from "../errors.ts";
import { isoOf } from "../instants.ts";
import { type KeyedDigest, maskAttributes } from "../masking.ts";
import type { Windows } from "../policy.ts";
import type { Clock, ControlTurn, Ledger, NewId, PolicySource, Turn } from "../ports.ts";
import { RECORD_VERSION, type TaskEnded, type TaskRegistered, type TaskRevoked } from "../record.ts";
import type { Caller } from "../request.ts";
import type { StateKeys, StateView } from "../state.ts";
import { type Instant, instant } from "../words.ts";
import { type DelegateRequest, type HandedOn, handOn, refusePast, type TaskLimits } from "./delegate.ts";
import { isPast, type Principal, type RegisteredTask, type RegisteredTasksView, type ScopeKind, type TaskEnd, type TaskState } from "./registered.ts";
import type { Scope } from "./scope.ts";
import { checkScope, quotedList, withDelegates } from "./scope-check.ts";
import { type ListQuestion, listTasks, statusOf, statusOfNew, type TaskStatus, treeOf } from "./status.ts";

export interface TaskKeeperPorts {
  readonly ledger: Pick<Ledger, "transact" | "control" | "tasks">;
  readonly policies: PolicySource;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly keyedDigest: KeyedDigest;
  readonly limits: TaskLimits;
}

export interface OpenRequest {
  readonly statement: string;
  readonly statementExpiresAt?: Instant;
  readonly principal: Principal;
  readonly agent: string;
  /** What the caller asks for; it may only weaken what the server would say. */
  readonly scopeKind: ScopeKind;
  readonly scope: Scope;
  readonly expiresAt?: Instant;
}

export interface Ended {
  readonly status: TaskStatus;
  /** Whether it outlasts this process. */
  readonly durable: boolean;
}

/** Opens tasks, hands them on, and ends them. */
export interface TaskKeeper {
  /** @throws {ServiceError} CALLER_FORBIDDEN for an agent that the caller's token does not cover */
  open(caller: Caller, asked: OpenRequest): Promise<TaskStatus>;
  /** @throws {ServiceError} SCOPE_TOO_WIDE, naming every part that is wider than the parent's, unless it is to be narrowed; TASK_ENDED */
  delegate(caller: Caller, asked: DelegateRequest): Promise<{ readonly status: TaskStatus; readonly trimmed: HandedOn["trimmed"] }>;
  /** A task with those below it, each before its own. @throws {ServiceError} TASK_UNKNOWN */
  get(caller: Caller, id: string): { readonly status: TaskStatus; readonly below: readonly TaskStatus[]; readonly belowTotal: number };
  /** The last opened first. */
  list(caller: Caller, question: ListQuestion): { readonly tasks: readonly TaskStatus[]; readonly total: number };
  /** Closing one that has ended answers how it ended. @throws {ServiceError} TASK_UNKNOWN, CALLER_FORBIDDEN */
  close(caller: Caller, asked: EndRequest): Promise<TaskStatus>;
  /** When it answers, no ALLOW for the task or anything below it leaves any more. @throws {ServiceError} TASK_UNKNOWN, CALLER_FORBIDDEN */
  revoke(caller: Caller, asked: EndRequest): Promise<Ended>;
}

export interface EndRequest {
  readonly id: string;
  readonly reason?: string;
}

export function createTaskKeeper(ports: TaskKeeperPorts): TaskKeeper {
  const { ledger, policies, clock } = ports;
  const looking = (): Looking => ({ at: clock.now(), windows: policies.current().settings.windows });
  return {
    open: (caller, asked) => openTask(ports, caller, asked),
    async delegate(caller, asked) {
      const policy = policies.current();
      checkScope(asked.scope, policy);
      return ledger.transact(keysOf(caller, asked), (view) => {
        const look = looking();
        const parent = found(view.registered, asked.taskId, look);
        refuseOverfull(ports, view);
        const { at } = look;
        const { task, trimmed } = handOn(ports.limits, { caller, policy, parent, at, id: ports.newId(at) }, asked);
        return { events: [registered(task)], answer: { status: statusOfNew(task, { ...look, parent }), trimmed } };
      });
    },
    get({ tenant }, id) {
      const look = looking();
      return treeOf(ofTenant(ledger.tasks(), { tenant, id, ...look }), look.at, look.windows);
    },
    list: ({ tenant }, question) => listTasks(ledger.tasks(), { ...question, tenant, ...looking() }),
    close: (caller, asked) =>
      ledger.transact(keysOf(caller, { agent: "none", taskId: asked.id }), (view) => {
        const look = looking();
        const state = found(view.registered, asked.id, look);
        return closing(ports, { caller, state, look }, asked);
      }),
    async revoke(caller, asked) {
      const { answer, durable } = await ledger.control(({ tasks }) => {
        const look = looking();
        const state = ofTenant(tasks, { tenant: caller.tenant, id: asked.id, ...look });
        return revoking(ports, { caller, state, look }, asked);
      });
      return { status: answer, durable };
    },
  };
}

/** At this instant, under these windows. */
interface Looking {
  readonly at: Instant;
  readonly windows: Windows;
}

const registered = (task: RegisteredTask): TaskRegistered => ({ kind: "task_registered", v: RECORD_VERSION, id: task.id, at: task.openedAt, task });

async function openTask(ports: TaskKeeperPorts, caller: Caller, asked: OpenRequest): Promise<TaskStatus> {
  refuseUncovered(caller, asked.agent);
  const policy = ports.policies.current();
  checkScope(asked.scope, policy);
  const scope = withDelegates(asked.scope, caller);
  if ((policy.agents.get(asked.agent)?.tenant ?? caller.tenant) !== caller.tenant) {
    throw new ServiceError("CALLER_FORBIDDEN", `agent \`${asked.agent}\` belongs to another tenant`, { field: "agent_id" });
  }
  return ports.ledger.transact(keysOf(caller, { agent: asked.agent }), (view) => {
    const at = ports.clock.now();
    refuseOverfull(ports, view);
    const id = ports.newId(at);
    const expiresAt = expiryOf(ports, asked, at);
    const { statement, statementExpiresAt, principal, agent, scopeKind } = asked;
    refusePast("statement_expires_at", statementExpiresAt, at);
    const task: RegisteredTask = {
      id,
      tenant: caller.tenant,
      caller: caller.id,
      root: id,
      depth: 0,
      principal: masked(principal, ports.keyedDigest),
      agent,
      statement,
      ...(statementExpiresAt !== undefined && { statementExpiresAt }),
      scopeKind,
      scope,
      openedAt: at,
      expiresAt,
      treeExpiresAt: expiresAt,
    };
    return { events: [registered(task)], answer: statusOfNew(task, { at, windows: policy.settings.windows }) };
  });
}

/** Secrets are never kept, whoever says them. */
const masked = ({ attributes, ...principal }: Principal, digest: KeyedDigest): Principal =>
  attributes ? { ...principal, attributes: maskAttributes(attributes, digest) } : principal;

interface Ending {
  readonly caller: Caller;
  readonly state: TaskState;
  readonly look: Looking;
}

function closing({ newId }: TaskKeeperPorts, { caller, state, look: { at, windows } }: Ending, { id, reason }: EndRequest): Turn<TaskStatus> {
  refuseStranger(caller, state);
  const status = statusOf(state, at, windows);
  if (state.ended) return { events: [], answer: status };
  const isOver = at >= state.task.expiresAt;
  const event: TaskEnded = {
    kind: "task_ended",
    v: RECORD_VERSION,
    id: newId(at),
    at,
    tenant: caller.tenant,
    task: id,
    root: state.task.root,
    how: isOver ? "expired" : "closed",
    ...(!isOver && { by: caller.id, ...(reason !== undefined && { reason }) }),
  };
  return { events: [event], answer: endedBy(status, event, event.how) };
}

function revoking({ newId }: TaskKeeperPorts, { caller, state, look: { at, windows } }: Ending, { id, reason }: EndRequest): ControlTurn<TaskStatus> {
  refuseStranger(caller, state);
  const status = statusOf(state, at, windows);
  if (state.ended?.how === "revoked") return { events: [], answer: status };
  const event: TaskRevoked = {
    kind: "task_revoked",
    v: RECORD_VERSION,
    id: newId(at),
    at,
    tenant: caller.tenant,
    task: id,
    root: state.task.root,
    by: caller.id,
    ...(reason !== undefined && { reason }),
  };
  // Whether it was closed may not be on disk yet, and never come there; then it is revoked all the same.
  return { events: [event], answer: state.ended ? status : endedBy(status, event, "revoked") };
}

/** Names what a turn about a registered task may read. */
const keysOf = ({ tenant, id }: Caller, { agent, taskId }: { readonly agent: string; readonly taskId?: string }): StateKeys => ({
  tenant,
  caller: id,
  agent,
  principal: "none",
  session: "none",
  ...(taskId !== undefined && { taskId }),
});

function found(state: TaskState | undefined, id: string, { at, windows }: Looking): TaskState {
  if (state && !isPast(state.tree, at, windows.memory)) return state;
  throw new ServiceError("TASK_UNKNOWN", `no registered task \`${id}\` of this tenant is known; ListTasks names those that are`, {
    field: "task_id",
  });
}

interface OfTenant extends Looking {
  readonly tenant: string;
  readonly id: string;
}

/** Where one above it has ended, that is how it ended, and stays so. */
function endedBy(status: TaskStatus, { task, at, by, reason }: TaskEnded | TaskRevoked, how: TaskEnd): TaskStatus {
  if (status.ended && status.ended.task !== task) return status;
  return { ...status, ended: { task, how, at, ...(by !== undefined && { by }), ...(reason !== undefined && { reason }) } };
}

/** Whether another tenant has a task of this id is nobody's business. */
function ofTenant(tasks: RegisteredTasksView, { tenant, id, ...look }: OfTenant): TaskState {
  const state = tasks.get(id);
  return found(state?.task.tenant === tenant ? state : undefined, id, look);
}

function refuseUncovered({ id, agents }: Caller, agent: string): void {
  if (!agents || coversAgent(agents, agent)) return;
  throw new ServiceError("CALLER_FORBIDDEN", `the token of \`${id}\` does not cover agent \`${agent}\`; it covers ${quotedList(agents)}`, {
    field: "agent_id",
  });
}

/** Tasks are ended by who opened them or the tree they stand in, and by operators. */
function refuseStranger({ id, roles }: Caller, { task, tree }: TaskState): void {
  if (roles.includes("operator") || task.caller === id || tree.tasks[0]?.task.caller === id) return;
  throw new ServiceError("CALLER_FORBIDDEN", `task \`${task.id}\` was opened by \`${task.caller}\`; it or an operator may end it`, {
    field: "task_id",
  });
}

function refuseOverfull({ limits: { registeredTasksMax } }: TaskKeeperPorts, { registeredTasks }: StateView): void {
  if (registeredTasks.size < registeredTasksMax) return;
  throw new ServiceError("STATE_FULL", `${registeredTasksMax} registered tasks are remembered; close some, or raise \`registered_tasks_max\``, {
    limit: "registered_tasks",
  });
}

function expiryOf({ limits: { taskLifetime, taskLifetimeMax } }: TaskKeeperPorts, { expiresAt }: OpenRequest, at: Instant): Instant {
  if (expiresAt === undefined) return instant(at + taskLifetime);
  refusePast("expires_at", expiresAt, at);
  if (expiresAt - at > taskLifetimeMax) {
    throw new ServiceError(
      "REQUEST_MALFORMED",
      `\`expires_at\` is \`${isoOf(expiresAt)}\`; \`task_lifetime_max_hours\` lets a task live until \`${isoOf(instant(at + taskLifetimeMax))}\` at most`,
      { field: "expires_at" },
    );
  }
  return expiresAt;
}
