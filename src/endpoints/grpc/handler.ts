import { create, type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import type { Metadata } from "@grpc/grpc-js";
import { type Call, isEnforcerOnly, requireRole } from "../../core/access.ts";
import type { Answer, Decider } from "../../core/decide.ts";
import { ServiceError } from "../../core/errors.ts";
import type { RateLimiter } from "../../core/rate-limit.ts";
import type { Caller } from "../../core/request.ts";
import type { Instant } from "../../core/words.ts";
import * as wire from "../../gen/behest/v1/decision_pb.ts";
import { fromWire, type RequestLimits, toWire } from "./convert.ts";
import { toStatus } from "./errors.ts";
import { refuseMisframed } from "./framing.ts";

export interface HandlerPorts {
  readonly decider: Decider;
  /** Whose token it is; undefined for any that is not known. */
  readonly authenticate: (token: string) => Caller | undefined;
  readonly explains: RateLimiter;
  readonly now: () => Instant;
  readonly limits: HandlerLimits;
  /** Told of each answer of Decide, and how long it took. */
  readonly onDecision: (caller: Caller, answer: Answer, durationMs: number) => void;
  /** Told what we did not throw ourselves: the wire says nothing of it. */
  readonly onInternalError: (error: unknown) => void;
}

export interface HandlerLimits extends RequestLimits {
  readonly requestBytesMax: number;
  readonly batchBytesMax: number;
  readonly batchItemsMax: number;
}

/** Bytes in, bytes out; throws what `toStatusObject` renders. */
export type UnaryHandler = (body: Buffer, metadata: Metadata) => Promise<Uint8Array>;

/** The methods of DecisionService, by name. */
export function createDecisionHandlers(ports: HandlerPorts): Readonly<Record<Call, UnaryHandler>> {
  return {
    async Decide(body, metadata) {
      const caller = authorize(ports, metadata, "Decide");
      const message = decode(wire.DecideRequestSchema, body, ports.limits.requestBytesMax);
      return toBinary(wire.DecideResponseSchema, toWire(await decideOne(ports, caller, message)));
    },
    async DecideBatch(body, metadata) {
      const caller = authorize(ports, metadata, "DecideBatch");
      const { items } = decode(wire.DecideBatchRequestSchema, body, ports.limits.batchBytesMax);
      if (items.length > ports.limits.batchItemsMax) {
        throw new ServiceError("REQUEST_TOO_BIG", `\`items\` holds more than ${ports.limits.batchItemsMax} requests`, {
          field: "items",
          limit: "batch_items",
        });
      }
      // All are begun in their order before any is awaited, so they share the disk's time and keep their order.
      const answers = await Promise.all(items.map((item) => decideItem(ports, caller, item)));
      return toBinary(wire.DecideBatchResponseSchema, create(wire.DecideBatchResponseSchema, { items: answers }));
    },
    async Explain(body, metadata) {
      const caller = authorize(ports, metadata, "Explain");
      const message = decode(wire.ExplainRequestSchema, body, ports.limits.requestBytesMax);
      const answer = explain(ports, caller, message);
      return toBinary(wire.ExplainResponseSchema, create(wire.ExplainResponseSchema, { decision: toWire(answer) }));
    },
  };
}

async function decideOne(ports: HandlerPorts, caller: Caller, message: wire.DecideRequest): Promise<Answer> {
  const began = performance.now();
  const answer = await ports.decider.decide({ caller, ...fromWire(message, ports.limits) });
  ports.onDecision(caller, answer, performance.now() - began);
  return answer;
}

async function decideItem(ports: HandlerPorts, caller: Caller, item: wire.DecideRequest): Promise<wire.DecideBatchItem> {
  try {
    const decision = toWire(await decideOne(ports, caller, item));
    return create(wire.DecideBatchItemSchema, { result: { case: "decision", value: decision } });
  } catch (error) {
    if (!(error instanceof ServiceError)) ports.onInternalError(error);
    return create(wire.DecideBatchItemSchema, { result: { case: "error", value: toStatus(error) } });
  }
}

function explain(ports: HandlerPorts, caller: Caller, message: wire.ExplainRequest): Answer {
  if (!message.request) throw new ServiceError("REQUEST_MALFORMED", "`request` is missing", { field: "request" });
  const limited = isEnforcerOnly(caller);
  if (limited && message.caller !== "" && message.caller !== caller.id) {
    throw new ServiceError("CALLER_FORBIDDEN", "only auditors and operators may ask as another caller", { field: "caller" });
  }
  const asked = fromWire(message.request, ports.limits);
  if (limited) ports.explains.use(JSON.stringify([caller.tenant, caller.id, asked.request.agent.id]), ports.now());
  return ports.decider.explain({ ...asked, caller: message.caller === "" ? caller : { ...caller, id: message.caller } });
}

/** Who calls, if the call is theirs to make: looked at before anything of the message is. */
function authorize(ports: HandlerPorts, metadata: Metadata, call: Call): Caller {
  const [header, ...more] = metadata.get("authorization");
  const token = typeof header === "string" ? /^Bearer (\S+)$/i.exec(header)?.[1] : undefined;
  if (token === undefined || more.length > 0) {
    throw new ServiceError("CALLER_UNAUTHENTICATED", "send one `authorization: Bearer TOKEN` with the call; the tokens lie in the data directory");
  }
  const caller = ports.authenticate(token);
  if (!caller) throw new ServiceError("CALLER_UNAUTHENTICATED", "the token is not known; the tokens of this server lie in its data directory");
  requireRole(caller, call);
  return caller;
}

/** Three messages for each level of a Struct, and those around it. */
const WIRE_NESTING_MAX = 250;

function decode<T extends DescMessage>(schema: T, body: Buffer, bytesMax: number): MessageShape<T> {
  if (body.length > bytesMax) {
    throw new ServiceError("REQUEST_TOO_BIG", `the message has ${body.length} bytes, at most ${bytesMax} are read`, { limit: "request_bytes" });
  }
  try {
    const message = fromBinary(schema, body, { readUnknownFields: false, recursionLimit: WIRE_NESTING_MAX });
    refuseMisframed(schema, body);
    return message;
  } catch (error) {
    const why = error instanceof Error ? error.message : "";
    if (why.includes("recursion depth")) {
      throw new ServiceError("REQUEST_TOO_BIG", "the message nests too deeply", { limit: "nesting" }, { cause: error });
    }
    throw new ServiceError("REQUEST_MALFORMED", `the message is no ${schema.typeName}`, {}, { cause: error });
  }
}
