import type { Metadata } from "@grpc/grpc-js";
import type { ShownAnswer } from "./convert.ts";
import { statusNameOf } from "./errors.ts";

/** Follows calls in traces. Where nobody wants to there is none of it, and nothing is asked of it. */
export interface Tracing {
  /** Begins the span of a call: in the trace that its metadata name, else in one of its own. */
  begin(method: string, metadata: Metadata): CallSpan;
  /** The span of a call that has begun; each has metadata of its own. */
  spanOf(metadata: Metadata): CallSpan | undefined;
}

export interface Span {
  /** Absent where nobody could find the trace by it. */
  readonly traceId?: string;
  decided(answer: ShownAnswer): void;
  /** The name of a gRPC status, such as `OK`. */
  end(status: string): void;
}

export interface CallSpan extends Span {
  /** Begins the span of one of the requests that a call carries. */
  item(): Span;
}

/** Makes one of the requests of a call, in a span of its own where calls have spans. */
export const inItemSpan = <T>(call: CallSpan | undefined, work: (span: Span | undefined) => Promise<T>): Promise<T> =>
  call ? spanned(call.item(), work) : work(undefined);

async function spanned<T>(span: Span, work: (span: Span) => Promise<T>): Promise<T> {
  try {
    const done = await work(span);
    span.end("OK");
    return done;
  } catch (error) {
    span.end(statusNameOf(error));
    throw error;
  }
}
