import { type Context, createTraceState, isSpanContextValid, ROOT_CONTEXT, type TraceState, trace } from "@opentelemetry/api";

/** The metadata of a call. */
export interface Carrier {
  get(name: string): readonly (string | Buffer)[];
}

/** Version, trace, parent, flags; later versions may say more behind that. https://www.w3.org/TR/trace-context/#traceparent-header */
const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const TRACEPARENT_LENGTH_MAX = 256;
const TRACESTATE_LENGTH_MAX = 512;

/** The caller's trace, to go on in; where it names none, or none that can be, a new one begins. */
export function parentOf(carrier: Carrier): Context {
  const [header, ...more] = carrier.get("traceparent");
  if (typeof header !== "string" || more.length > 0 || header.length > TRACEPARENT_LENGTH_MAX) return ROOT_CONTEXT;
  const [, version, traceId = "", spanId = "", flags = "", rest] = TRACEPARENT.exec(header) ?? [];
  if (version === undefined || (version === "00" && rest !== undefined)) return ROOT_CONTEXT;
  const traceState = stateOf(carrier.get("tracestate"));
  // Of the flags only the first is known: the caller records its part.
  const parent = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true, ...(traceState && { traceState }) };
  return isSpanContextValid(parent) ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
}

function stateOf(headers: readonly (string | Buffer)[]): TraceState | undefined {
  const text = headers.join(",");
  return text === "" || text.length > TRACESTATE_LENGTH_MAX ? undefined : createTraceState(text);
}
