import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { Caller } from "../../core/request.ts";
import type { TaskKeeper } from "../../core/tasks/keeper.ts";
import type { TaskStatus } from "../../core/tasks/status.ts";
import * as wire from "../../gen/behest/v1/task_pb.ts";
import { authorize, type ByteLimit, type CallPorts, decode, type UnaryHandler } from "./call.ts";
import { FieldReader } from "./convert.ts";
import type { ScopeLimits } from "./convert-scope.ts";
import { delegatedToWire, delegateFromWire, endFromWire, listFromWire, openFromWire, tasksToWire, taskToWire } from "./convert-tasks.ts";

export interface TaskHandlerPorts extends CallPorts {
  readonly tasks: TaskKeeper;
  readonly limits: ScopeLimits & { readonly requestBytesMax: number };
  /** Told of each task that was opened, handed on, closed or revoked. */
  readonly onTask: (caller: Caller, done: TaskDone) => void;
}

export interface TaskDone {
  readonly what: "opened" | "handed on" | "closed" | "revoked";
  readonly status: TaskStatus;
  /** Absent where it always is. */
  readonly durable?: boolean;
}

type Method = "OpenTask" | "DelegateTask" | "GetTask" | "ListTasks" | "CloseTask" | "RevokeTask";

/** The methods of TaskService, by name. */
export function createTaskHandlers(ports: TaskHandlerPorts): Readonly<Record<Method, UnaryHandler>> {
  const { tasks, limits, onTask } = ports;
  const limit: ByteLimit = { name: "request_bytes", bytesMax: limits.requestBytesMax };
  return {
    async OpenTask(body, metadata) {
      const caller = authorize(ports, metadata, "OpenTask");
      const status = await tasks.open(caller, openFromWire(decode(wire.OpenTaskRequestSchema, body, limit), limits));
      onTask(caller, { what: "opened", status });
      return toBinary(wire.OpenTaskResponseSchema, create(wire.OpenTaskResponseSchema, { task: taskToWire(status) }));
    },
    async DelegateTask(body, metadata) {
      const caller = authorize(ports, metadata, "DelegateTask");
      const asked = delegateFromWire(decode(wire.DelegateTaskRequestSchema, body, limit), limits);
      const { status, trimmed } = await tasks.delegate(caller, asked);
      onTask(caller, { what: "handed on", status });
      return toBinary(wire.DelegateTaskResponseSchema, delegatedToWire(status, trimmed));
    },
    async GetTask(body, metadata) {
      const caller = authorize(ports, metadata, "GetTask");
      const { taskId, tree } = decode(wire.GetTaskRequestSchema, body, limit);
      const found = tasks.get(caller, new FieldReader(limits).identifier("task_id", taskId));
      const below = tree ? { below: tasksToWire(found.below), belowTotal: found.belowTotal } : {};
      return answer({ task: taskToWire(found.status), ...below });
    },
    async ListTasks(body, metadata) {
      const caller = authorize(ports, metadata, "ListTasks");
      const question = listFromWire(decode(wire.ListTasksRequestSchema, body, limit), limits);
      const found = tasks.list(caller, question);
      const listed = create(wire.ListTasksResponseSchema, { tasks: tasksToWire(found.tasks), total: found.total });
      return toBinary(wire.ListTasksResponseSchema, listed);
    },
    async CloseTask(body, metadata) {
      const caller = authorize(ports, metadata, "CloseTask");
      const status = await tasks.close(caller, endFromWire(decode(wire.CloseTaskRequestSchema, body, limit), limits));
      onTask(caller, { what: "closed", status });
      return toBinary(wire.CloseTaskResponseSchema, create(wire.CloseTaskResponseSchema, { task: taskToWire(status) }));
    },
    async RevokeTask(body, metadata) {
      const caller = authorize(ports, metadata, "RevokeTask");
      const { status, durable } = await tasks.revoke(caller, endFromWire(decode(wire.RevokeTaskRequestSchema, body, limit), limits));
      onTask(caller, { what: "revoked", status, durable });
      return toBinary(wire.RevokeTaskResponseSchema, create(wire.RevokeTaskResponseSchema, { task: taskToWire(status), durable }));
    },
  };
}

const answer = (init: MessageInitShape<typeof wire.GetTaskResponseSchema>): Uint8Array =>
  toBinary(wire.GetTaskResponseSchema, create(wire.GetTaskResponseSchema, init));
