import type { MessageInitShape } from "@bufbuild/protobuf";
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
  const { method } = wire.TaskService;
  return {
    openTask: (request) => call(method.openTask, request),
    delegateTask: (request) => call(method.delegateTask, request),
    getTask: (taskId, { tree = false } = {}) => call(method.getTask, { taskId, tree }),
    listTasks: (question = {}) => call(method.listTasks, question),
    closeTask: (taskId, reason = "") => call(method.closeTask, { taskId, reason }),
    revokeTask: (taskId, reason = "") => call(method.revokeTask, { taskId, reason }),
  };
}
