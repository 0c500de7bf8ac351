import type { WaitingDecider } from "../../core/approvals/waiting.ts";
import type { Answer, Asked } from "../../core/decide.ts";
import type { InOrder } from "../../core/in-order.ts";
import type { Caller } from "../../core/request.ts";
import type * as wire from "../../gen/behest/v1/decision_pb.ts";
import type { ByteLimit, CallPorts, Gone } from "./call.ts";
import { fromWire, type RequestLimits, type ShownAnswer } from "./convert.ts";

/** Decides, records, waits for people where the request says so, and tells of it. @throws {ServiceError} */
export type Decide = (asked: Asked, gone: Gone) => Promise<ShownAnswer>;

/** What every call that decides needs, whether it carries one request or many. */
export interface DecidingPorts extends CallPorts {
  readonly decide: Decide;
  readonly limits: RequestLimits & { readonly requestBytesMax: number };
  /** Told what we did not throw ourselves: the wire says nothing of it. */
  readonly onInternalError: (error: unknown) => void;
}

/** For whom, and who waits for it. */
export interface Asking {
  readonly caller: Caller;
  readonly gone: Gone;
  readonly inOrder?: InOrder;
}

export const decideOne = (ports: DecidingPorts, { caller, gone, inOrder }: Asking, message: wire.DecideRequest): Promise<ShownAnswer> =>
  ports.decide({ caller, ...fromWire(message, ports.limits), ...(inOrder && { inOrder }) }, gone);

export interface TellingPorts {
  readonly waiting: Pick<WaitingDecider, "decide">;
  /** Told of each answer, and how long it took. */
  readonly onDecision: (caller: Caller, answer: Answer, durationMs: number) => void;
}

export const decideAndTell =
  ({ waiting, onDecision }: TellingPorts): ((asked: Asked, gone: Gone) => Promise<Answer>) =>
  async (asked, gone) => {
    const began = performance.now();
    const answer = await waiting.decide(asked, gone);
    onDecision(asked.caller, answer, performance.now() - began);
    return answer;
  };

export const requestLimit = ({ limits }: Pick<DecidingPorts, "limits">): ByteLimit => ({ name: "request_bytes", bytesMax: limits.requestBytesMax });
