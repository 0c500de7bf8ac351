import { create, type MessageInitShape } from "@bufbuild/protobuf";
import * as wire from "../gen/behest/v1/task_pb.ts";
import type { MakeCall } from "./call.ts";

export interface TaskClient {
  openTask(request: MessageInitShape<typeof wire.OpenTaskRequestSchema>): Promise<wire.OpenTaskResponse>;
  /** Throws `CallFailed` with INVALID_ARGUMENT, naming each part that is wider than the task's, unless the request says `narrow`. */
  delegateTask(request: MessageInitShape<typeof wire.DelegateTaskRequestSchema>): Promise<wire.DelegateTaskResponse>;
  getTask(taskId: string, options?: { readonly tree?: boolean }): Promise<wire.GetTaskResponse>;
  listTasks(question?: MessageInitShape<typeof wire.ListTasksRequestSchema>): Promise<wire.ListTasksResponse>;
  closeTask(taskId: string, reason?: string): Promise<wire.CloseTaskResponse>;
  /** When it answers, no decision allows any more anything for the task or one below it. A call that fails may have revoked it all the same. */
  revokeTask(taskId: string, reason?: string): Promise<wire.RevokeTaskResponse>;
}

export function taskCalls(call: MakeCall): TaskClient {
  const path = (method: string): string => `/${wire.TaskService.typeName}/${method}`;
  return {
    openTask: (request) =>
      call({
        path: path("OpenTask"),
        input: wire.OpenTaskRequestSchema,
        output: wire.OpenTaskResponseSchema,
        message: create(wire.OpenTaskRequestSchema, request),
      }),
    delegateTask: (request) =>
      call({
        path: path("DelegateTask"),
        input: wire.DelegateTaskRequestSchema,
        output: wire.DelegateTaskResponseSchema,
        message: create(wire.DelegateTaskRequestSchema, request),
      }),
    getTask: (taskId, { tree = false } = {}) =>
      call({
        path: path("GetTask"),
        input: wire.GetTaskRequestSchema,
        output: wire.GetTaskResponseSchema,
        message: create(wire.GetTaskRequestSchema, { taskId, tree }),
      }),
    listTasks: (question = {}) =>
      call({
        path: path("ListTasks"),
        input: wire.ListTasksRequestSchema,
        output: wire.ListTasksResponseSchema,
        message: create(wire.ListTasksRequestSchema, question),
      }),
    closeTask: (taskId, reason = "") =>
      call({
        path: path("CloseTask"),
        input: wire.CloseTaskRequestSchema,
        output: wire.CloseTaskResponseSchema,
        message: create(wire.CloseTaskRequestSchema, { taskId, reason }),
      }),
    revokeTask: (taskId, reason = "") =>
      call({
        path: path("RevokeTask"),
        input: wire.RevokeTaskRequestSchema,
        output: wire.RevokeTaskResponseSchema,
        message: create(wire.RevokeTaskRequestSchema, { taskId, reason }),
      }),
  };
}
