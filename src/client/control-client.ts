import type { MessageInitShape } from "@bufbuild/protobuf";
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
  const { method } = wire.ControlService;
  return {
    suspend: (request) => call(method.suspend, request),
    resume: (suspensionId, reason = "") => call(method.resume, { suspensionId, reason }),
    listSuspensions: ({ includeEnded = false } = {}) => call(method.listSuspensions, { includeEnded }),
  };
}
