import { create, toBinary } from "@bufbuild/protobuf";
import type { Control } from "../../core/control.ts";
import type { Caller } from "../../core/request.ts";
import type { Suspension } from "../../core/suspensions.ts";
import * as wire from "../../gen/behest/v1/control_pb.ts";
import { authorize, type ByteLimit, type CallPorts, decode, type UnaryHandler } from "./call.ts";
import type { RequestLimits } from "./convert.ts";
import { endedToWire, listToWire, resumeFromWire, suspendFromWire, suspensionToWire } from "./convert-control.ts";

export interface ControlHandlerPorts extends CallPorts {
  readonly control: Control;
  readonly limits: RequestLimits & { readonly requestBytesMax: number };
  /** Told of each suspension that was made or ended. */
  readonly onControl: (caller: Caller, done: ControlDone) => void;
}

export interface ControlDone {
  readonly what: "suspended" | "resumed";
  readonly suspension: Suspension;
  readonly durable: boolean;
}

/** The methods of ControlService, by name. */
export function createControlHandlers(ports: ControlHandlerPorts): Readonly<Record<"Suspend" | "Resume" | "ListSuspensions", UnaryHandler>> {
  const limit: ByteLimit = { name: "request_bytes", bytesMax: ports.limits.requestBytesMax };
  return {
    async Suspend(body, metadata) {
      const caller = authorize(ports, metadata, "Suspend");
      const asked = suspendFromWire(decode(wire.SuspendRequestSchema, body, limit), ports.limits);
      const { suspension, durable } = await ports.control.suspend(caller, asked);
      ports.onControl(caller, { what: "suspended", suspension, durable });
      return toBinary(wire.SuspendResponseSchema, create(wire.SuspendResponseSchema, { suspension: suspensionToWire(suspension), durable }));
    },
    async Resume(body, metadata) {
      const caller = authorize(ports, metadata, "Resume");
      const asked = resumeFromWire(decode(wire.ResumeRequestSchema, body, limit), ports.limits);
      const { ended, durable } = await ports.control.resume(caller, asked);
      ports.onControl(caller, { what: "resumed", suspension: ended.suspension, durable });
      return toBinary(wire.ResumeResponseSchema, create(wire.ResumeResponseSchema, { suspension: endedToWire(ended), durable }));
    },
    async ListSuspensions(body, metadata) {
      const caller = authorize(ports, metadata, "ListSuspensions");
      const { includeEnded } = decode(wire.ListSuspensionsRequestSchema, body, limit);
      return toBinary(wire.ListSuspensionsResponseSchema, listToWire(await ports.control.list(caller, { ended: includeEnded })));
    },
  };
}
