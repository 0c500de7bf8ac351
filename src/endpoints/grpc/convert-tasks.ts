import { create, type MessageInitShape, toBinary, type JsonObject as WireObject } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { DelegateRequest, HandedOn } from "../../core/tasks/delegate.ts";
import type { EndRequest, OpenRequest } from "../../core/tasks/keeper.ts";
import type { Principal, ScopeKind } from "../../core/tasks/registered.ts";
import type { Seen } from "../../core/tasks/seen.ts";
import { type ListQuestion, standingOfStatus, type TaskStatus } from "../../core/tasks/status.ts";
import type { Instant, JsonObject } from "../../core/words.ts";
import { PrincipalType, Trust } from "../../gen/behest/v1/decision_pb.ts";
import * as wire from "../../gen/behest/v1/task_pb.ts";
import { compact, FieldReader, malformed, PRINCIPAL_TYPES, timestamp, tooBig } from "./convert.ts";
import { readInstant, readReason } from "./convert-fields.ts";
import { amountsToWire, callsToWire, type ScopeLimits, scopeFromWire, scopeToWire } from "./convert-scope.ts";

/** @throws {ServiceError} REQUEST_MALFORMED or REQUEST_TOO_BIG, naming the field */
export function openFromWire(message: wire.OpenTaskRequest, limits: ScopeLimits): OpenRequest {
  const reader = new FieldReader(limits);
  const statement = readStatement(message.statement, reader);
  if (statement === undefined) throw malformed("statement", "is missing: say what was asked for, in the asker's words");
  return compact<OpenRequest>({
    statement,
    statementExpiresAt: readExpiry("statement_expires_at", message.statementExpiresAt),
    principal: readPrincipal(message.principal, reader),
    agent: reader.identifier("agent_id", message.agentId),
    scopeKind: readKind(message.scopeKind),
    scope: scopeFromWire(message.scope, limits),
    expiresAt: readExpiry("expires_at", message.expiresAt),
  });
}

/** @throws {ServiceError} REQUEST_MALFORMED or REQUEST_TOO_BIG, naming the field */
export function delegateFromWire(message: wire.DelegateTaskRequest, limits: ScopeLimits): DelegateRequest {
  const reader = new FieldReader(limits);
  return compact<DelegateRequest>({
    taskId: reader.identifier("task_id", message.taskId),
    agent: reader.identifier("agent_id", message.agentId),
    statement: readStatement(message.statement, reader),
    scope: scopeFromWire(message.scope, limits),
    expiresAt: readExpiry("expires_at", message.expiresAt),
    narrow: message.narrow,
  });
}

/** @throws {ServiceError} REQUEST_MALFORMED or REQUEST_TOO_BIG, naming the field */
export const endFromWire = ({ taskId, reason }: wire.CloseTaskRequest | wire.RevokeTaskRequest, limits: ScopeLimits): EndRequest =>
  compact<EndRequest>({ id: new FieldReader(limits).identifier("task_id", taskId), reason: readReason(reason) });

/** @throws {ServiceError} REQUEST_MALFORMED or REQUEST_TOO_BIG, naming the field */
export function listFromWire({ includeEnded, agentId, principal }: wire.ListTasksRequest, limits: ScopeLimits): ListQuestion {
  const reader = new FieldReader(limits);
  const whom = reader.optionalIdentifier("principal", principal);
  if (whom !== undefined && !/^(?:user|service):./.test(whom)) throw malformed("principal", `is \`${whom}\`; write \`user:ID\` or \`service:ID\``);
  return compact<ListQuestion>({ ended: includeEnded, agent: reader.optionalIdentifier("agent_id", agentId), principal: whom });
}

/** Words that show nothing ask for nothing. */
function readStatement(text: string, reader: FieldReader): string | undefined {
  const statement = reader.statement("statement", text);
  if (statement?.trim() === "") throw malformed("statement", "is blank: say what was asked for, or leave it out");
  return statement;
}

/** What is given must not last a moment too long. */
const readExpiry = (field: string, at: Timestamp | undefined): Instant | undefined => at && readInstant(field, at, "down");

function readPrincipal(principal: wire.TaskPrincipal | undefined, reader: FieldReader): Principal {
  if (!principal) throw malformed("principal", "is missing: say whom the task is for");
  const type = PRINCIPAL_TYPES[principal.type];
  if (type === undefined) throw malformed("principal.type", `is \`${principal.type}\`: write USER or SERVICE`);
  if (type === "agent") throw malformed("principal.type", "is an agent, at whose behest no task is opened: write USER or SERVICE");
  return compact<Principal>({
    type,
    id: reader.identifier("principal.id", principal.id),
    attributes: readAttributes(principal.attributes, reader),
  });
}

/** They are kept with every decision for the task. */
const ATTRIBUTES_BYTES_MAX = 4 * 1024;

function readAttributes(stated: JsonObject | undefined, reader: FieldReader): JsonObject | undefined {
  const attributes = reader.map("principal.attributes", stated);
  if (attributes && Buffer.byteLength(JSON.stringify(attributes)) > ATTRIBUTES_BYTES_MAX) {
    throw tooBig("principal.attributes", "principal_attributes_bytes", `are longer than ${ATTRIBUTES_BYTES_MAX} bytes of JSON`);
  }
  return attributes;
}

const KINDS: Readonly<Record<ScopeKind, wire.ScopeKind>> = { issued: wire.ScopeKind.ISSUED, proposed: wire.ScopeKind.PROPOSED };

function readKind(kind: wire.ScopeKind): ScopeKind {
  if (kind === wire.ScopeKind.UNSPECIFIED || kind === wire.ScopeKind.ISSUED) return "issued";
  if (kind === wire.ScopeKind.PROPOSED) return "proposed";
  throw malformed("scope_kind", `is \`${kind}\`: write ISSUED or PROPOSED`);
}

const STATES: Readonly<Record<ReturnType<typeof standingOfStatus>, wire.TaskState>> = {
  open: wire.TaskState.OPEN,
  closed: wire.TaskState.CLOSED,
  expired: wire.TaskState.EXPIRED,
  revoked: wire.TaskState.REVOKED,
};

export function taskToWire(status: TaskStatus): wire.Task {
  const { task, ended, spent, left, unreported, decided, children } = status;
  const { statementExpiresAt } = task;
  return create(wire.TaskSchema, {
    taskId: task.id,
    rootTaskId: task.root,
    parentTaskId: task.parent ?? "",
    depth: task.depth,
    principal: principalToWire(task.principal),
    agentId: task.agent,
    statement: task.statement,
    ...(statementExpiresAt !== undefined && { statementExpiresAt: timestamp(statementExpiresAt) }),
    scopeKind: KINDS[task.scopeKind],
    scope: scopeToWire(task.scope),
    caller: task.caller,
    openedAt: timestamp(task.openedAt),
    expiresAt: timestamp(task.expiresAt),
    state: STATES[standingOfStatus(status)],
    ...(ended && {
      endedAt: timestamp(ended.at),
      endedBy: ended.by ?? "",
      endedReason: ended.reason ?? "",
      endedTaskId: ended.task,
    }),
    spent: { calls: callsToWire(spent.calls), amounts: amountsToWire(spent.amounts) },
    left: { calls: callsToWire(left.calls), amounts: amountsToWire(left.amounts) },
    seen: seenToWire(status.seen),
    unreported,
    decisions: decided,
    children,
  });
}

const principalToWire = ({ type, id, attributes }: Principal): MessageInitShape<typeof wire.TaskPrincipalSchema> => ({
  type: type === "user" ? PrincipalType.USER : PrincipalType.SERVICE,
  id,
  ...(attributes && { attributes: attributes as WireObject }),
});

const seenToWire = ({ classifications, categories, trust, systems }: Seen): MessageInitShape<typeof wire.TaskSeenSchema> => ({
  classifications: [...classifications],
  categories: [...categories],
  trust: trust === "trusted" ? Trust.TRUSTED : Trust.UNTRUSTED,
  systems: [...systems],
});

export const delegatedToWire = (status: TaskStatus, trimmed: HandedOn["trimmed"]): wire.DelegateTaskResponse =>
  create(wire.DelegateTaskResponseSchema, {
    task: taskToWire(status),
    trimmed: trimmed.map(({ part, asked, allowed }) => ({ field: part, asked, allowed })),
  });

/** Clients take 4 MiB by default. */
const TASKS_BYTES_MAX = 3 * 1024 * 1024;

/** As many of them, from the first on, as an answer has room for. */
export function tasksToWire(statuses: readonly TaskStatus[]): wire.Task[] {
  let room = TASKS_BYTES_MAX;
  const tasks: wire.Task[] = [];
  for (const status of statuses) {
    const task = taskToWire(status);
    room -= toBinary(wire.TaskSchema, task).length;
    if (room < 0) break;
    tasks.push(task);
  }
  return tasks;
}
