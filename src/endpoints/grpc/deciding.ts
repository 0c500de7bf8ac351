import type { WaitingDecider } from "../../core/approvals/waiting.ts";
import type { Answer, Asked } from "../../core/decide.ts";
import type { InOrder } from "../../core/in-order.ts";
import type { Caller } from "../../core/request.ts";
import type * as wire from "../../gen/behest/v1/decision_pb.ts";
import type { ByteLimit, CallPorts, Gone } from "./call.ts";
import { fromWire, type RequestLimits, type ShownAnswer } from "./convert.ts";
import type { Span, Tracing } from "./tracing.ts";

/** Decides, records, waits for people where the request says so, and tells of it. @throws {ServiceError} */
export type Decide = (asked: FollowedAsked, gone: Gone) => Promise<ShownAnswer>;

export interface FollowedAsked extends Asked {
  /** For the log, where somebody follows the call. */
  readonly traceId?: string;
}

/** What every call that decides needs, whether it carries one request or many. */
export interface DecidingPorts extends CallPorts {
  readonly decide: Decide;
  readonly limits: RequestLimits & { readonly requestBytesMax: number };
  /** Absent where nobody follows calls. */
  readonly tracing?: Pick<Tracing, "spanOf">;
  /** Told what we did not throw ourselves: the wire says nothing of it. */
  readonly onInternalError: (error: unknown) => void;
}

/** For whom, and who waits for it. */
export interface Asking {
  readonly caller: Caller;
  readonly gone: Gone;
  readonly inOrder?: InOrder;
  readonly span?: Span | undefined;
}

export function decideOne(ports: DecidingPorts, { caller, gone, inOrder, span }: Asking, message: wire.DecideRequest): Promise<ShownAnswer> {
  const asked = { caller, ...fromWire(message, ports.limits), ...(inOrder && { inOrder }) };
  return span ? decideSpanned(ports, { asked, gone, span }) : ports.decide(asked, gone);
}

interface Spanned {
  readonly asked: Asked;
  readonly gone: Gone;
  readonly span: Span;
}

async function decideSpanned({ decide }: DecidingPorts, { asked, gone, span }: Spanned): Promise<ShownAnswer> {
  const answer = await decide({ ...asked, ...(span.traceId !== undefined && { traceId: span.traceId }) }, gone);
  span.decided(answer);
  return answer;
}

export interface TellingPorts {
  readonly waiting: Pick<WaitingDecider, "decide">;
  /** Told of each answer, and how long it took. */
  readonly onDecision: (caller: Caller, answer: Answer, call: AnsweredCall) => void;
  /** Told why there is no answer. */
  readonly onNoDecision: (error: unknown) => void;
}

export interface AnsweredCall {
  readonly durationMs: number;
  /** Where somebody follows it. */
  readonly traceId?: string | undefined;
}

export const decideAndTell =
  ({ waiting, onDecision, onNoDecision }: TellingPorts): ((asked: FollowedAsked, gone: Gone) => Promise<Answer>) =>
  async (asked, gone) => {
    const began = performance.now();
    try {
      const answer = await waiting.decide(asked, gone);
      onDecision(asked.caller, answer, { durationMs: performance.now() - began, traceId: asked.traceId });
      return answer;
    } catch (error) {
      onNoDecision(error);
      throw error;
    }
  };

export const requestLimit = ({ limits }: Pick<DecidingPorts, "limits">): ByteLimit => ({ name: "request_bytes", bytesMax: limits.requestBytesMax });
