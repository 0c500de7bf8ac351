import { create, type MessageInitShape } from "@bufbuild/protobuf";
import * as wire from "../gen/behest/v1/control_pb.ts";
import type { MakeCall } from "./call.ts";

export interface ControlClient {
  /** When it answers, no decision allows any more what this stops. A call that fails may have suspended all the same. */
  suspend(request: MessageInitShape<typeof wire.SuspendRequestSchema>): Promise<wire.SuspendResponse>;
  /** Throws `CallFailed` with NOT_FOUND if no such suspension holds. */
  resume(suspensionId: string, reason?: string): Promise<wire.ResumeResponse>;
  listSuspensions(options?: { readonly includeEnded?: boolean }): Promise<wire.ListSuspensionsResponse>;
}

export function controlCalls(call: MakeCall): ControlClient {
  const path = (method: string): string => `/${wire.ControlService.typeName}/${method}`;
  return {
    suspend: (request) =>
      call({
        path: path("Suspend"),
        input: wire.SuspendRequestSchema,
        output: wire.SuspendResponseSchema,
        message: create(wire.SuspendRequestSchema, request),
      }),
    resume: (suspensionId, reason = "") =>
      call({
        path: path("Resume"),
        input: wire.ResumeRequestSchema,
        output: wire.ResumeResponseSchema,
        message: create(wire.ResumeRequestSchema, { suspensionId, reason }),
      }),
    listSuspensions: ({ includeEnded = false } = {}) =>
      call({
        path: path("ListSuspensions"),
        input: wire.ListSuspensionsRequestSchema,
        output: wire.ListSuspensionsResponseSchema,
        message: create(wire.ListSuspensionsRequestSchema, { includeEnded }),
      }),
  };
}
