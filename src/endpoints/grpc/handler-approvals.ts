import { create, toBinary } from "@bufbuild/protobuf";
import type { ApprovalKeeper, ResolveRequest } from "../../core/approvals/keeper.ts";
import type { ApprovalStatus } from "../../core/approvals/status.ts";
import type { ApprovalWatching } from "../../core/approvals/watching.ts";
import type { PolicySource } from "../../core/ports.ts";
import type { Caller } from "../../core/request.ts";
import * as wire from "../../gen/behest/v1/approval_pb.ts";
import { authorize, type ByteLimit, type CallPorts, decode, type StreamHandler, type UnaryHandler } from "./call.ts";
import { FieldReader, type RequestLimits } from "./convert.ts";
import { listFromWire, listToWire, readFilter, resolveFromWire, summaryToWire } from "./convert-approvals.ts";
import { shownToWire } from "./convert-shown.ts";

export interface ApprovalHandlerPorts extends CallPorts {
  readonly approvals: ApprovalKeeper;
  readonly watching: ApprovalWatching;
  readonly policies: PolicySource;
  readonly limits: RequestLimits & { readonly requestBytesMax: number };
  /** Told of each answer that was taken. */
  readonly onApproval: (caller: Caller, done: ApprovalDone) => void;
}

export interface ApprovalDone {
  readonly verdict: ResolveRequest["verdict"];
  readonly status: ApprovalStatus;
}

type Method = "ListApprovals" | "GetApproval" | "ResolveApproval";

/** The methods of ApprovalService, by name. */
export function createApprovalHandlers(
  ports: ApprovalHandlerPorts,
): Readonly<Record<Method, UnaryHandler>> & { readonly WatchApprovals: StreamHandler } {
  const { approvals, policies, limits, onApproval } = ports;
  const limit: ByteLimit = { name: "request_bytes", bytesMax: limits.requestBytesMax };
  return {
    async ListApprovals(body, metadata) {
      const caller = authorize(ports, metadata, "ListApprovals");
      const question = listFromWire(decode(wire.ListApprovalsRequestSchema, body, limit), limits);
      return toBinary(wire.ListApprovalsResponseSchema, listToWire(await approvals.list(caller, question), policies.current().settings));
    },
    async GetApproval(body, metadata) {
      const caller = authorize(ports, metadata, "GetApproval");
      const { approvalId } = decode(wire.GetApprovalRequestSchema, body, limit);
      const found = await approvals.show(caller, new FieldReader(limits).identifier("approval_id", approvalId));
      return toBinary(wire.GetApprovalResponseSchema, shownToWire(found, policies.current()));
    },
    async ResolveApproval(body, metadata) {
      const caller = authorize(ports, metadata, "ResolveApproval");
      const asked = resolveFromWire(decode(wire.ResolveApprovalRequestSchema, body, limit), limits);
      const status = await approvals.resolve(caller, asked);
      onApproval(caller, { verdict: asked.verdict, status });
      const approval = summaryToWire(status, policies.current().settings);
      return toBinary(wire.ResolveApprovalResponseSchema, create(wire.ResolveApprovalResponseSchema, { approval }));
    },
    WatchApprovals: {
      async *stream(body, metadata, gone) {
        // A token that is not known any more, or has fewer roles, is told no more.
        const caller = (): Caller => authorize(ports, metadata, "WatchApprovals");
        caller();
        const question = readFilter(decode(wire.WatchApprovalsRequestSchema, body, limit), limits);
        for await (const { status, existing } of ports.watching.watch(caller, question, gone())) {
          const approval = summaryToWire(status, policies.current().settings);
          yield toBinary(wire.WatchApprovalsResponseSchema, create(wire.WatchApprovalsResponseSchema, { approval, existing }));
        }
      },
    },
  };
}
