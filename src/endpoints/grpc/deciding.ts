import type { WaitingDecider } from "../../core/approvals/waiting.ts";
import type { Answer } from "../../core/decide.ts";
import type { InOrder } from "../../core/in-order.ts";
import type { Caller } from "../../core/request.ts";
import type * as wire from "../../gen/behest/v1/decision_pb.ts";
import type { ByteLimit, CallPorts, Gone } from "./call.ts";
import { fromWire, type RequestLimits } from "./convert.ts";

/** What every call that decides needs, whether it carries one request or many. */
export interface DecidingPorts extends CallPorts {
  readonly waiting: Pick<WaitingDecider, "decide">;
  readonly limits: RequestLimits & { readonly requestBytesMax: number };
  /** Told of each answer, and how long it took. */
  readonly onDecision: (caller: Caller, answer: Answer, durationMs: number) => void;
  /** Told what we did not throw ourselves: the wire says nothing of it. */
  readonly onInternalError: (error: unknown) => void;
}

/** For whom, and who waits for it. */
export interface Asking {
  readonly caller: Caller;
  readonly gone: Gone;
  readonly inOrder?: InOrder;
}

export async function decideOne(ports: DecidingPorts, { caller, gone, inOrder }: Asking, message: wire.DecideRequest): Promise<Answer> {
  const began = performance.now();
  const answer = await ports.waiting.decide({ caller, ...fromWire(message, ports.limits), ...(inOrder && { inOrder }) }, gone);
  ports.onDecision(caller, answer, performance.now() - began);
  return answer;
}

export const requestLimit = ({ limits }: Pick<DecidingPorts, "limits">): ByteLimit => ({ name: "request_bytes", bytesMax: limits.requestBytesMax });
