import type { MessageInitShape } from "@bufbuild/protobuf";
import * as wire from "../gen/behest/v1/approval_pb.ts";
import type { MakeCall, MakeStream } from "./call.ts";

export interface ApprovalClient {
  listApprovals(question?: MessageInitShape<typeof wire.ListApprovalsRequestSchema>): Promise<wire.ListApprovalsResponse>;
  /** Throws `CallFailed` with NOT_FOUND if there is none that the caller may see. */
  getApproval(approvalId: string): Promise<wire.GetApprovalResponse>;
  /** Throws `CallFailed` with FAILED_PRECONDITION if it is not pending any more, PERMISSION_DENIED if it is not the caller's to answer. */
  resolveApproval(answer: MessageInitShape<typeof wire.ResolveApprovalRequestSchema>): Promise<wire.ResolveApprovalResponse>;
  /** Those that are open, then each that changes, until the server stops or `signal` is aborted. Has no deadline. */
  watchApprovals(
    question?: MessageInitShape<typeof wire.WatchApprovalsRequestSchema>,
    signal?: AbortSignal,
  ): AsyncIterable<wire.WatchApprovalsResponse>;
}

export function approvalCalls(call: MakeCall, stream: MakeStream): ApprovalClient {
  const { method } = wire.ApprovalService;
  return {
    listApprovals: (question = {}) => call(method.listApprovals, question),
    getApproval: (approvalId) => call(method.getApproval, { approvalId }),
    resolveApproval: (answer) => call(method.resolveApproval, answer),
    watchApprovals: (question = {}, signal) => stream(method.watchApprovals, question, signal),
  };
}
