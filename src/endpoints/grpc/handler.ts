import { create, type DescMessage, fromBinary, type MessageInitShape, type MessageShape, toBinary } from "@bufbuild/protobuf";
import type { Metadata } from "@grpc/grpc-js";
import { type Call, isEnforcerOnly, requireRole } from "../../core/access.ts";
import type { Answer, Decider } from "../../core/decide.ts";
import { ServiceError } from "../../core/errors.ts";
import { explainJudgement } from "../../core/explain.ts";
import { findFlips } from "../../core/flips.ts";
import type { RateLimiter } from "../../core/rate-limit.ts";
import type { Caller } from "../../core/request.ts";
import type { Instant } from "../../core/words.ts";
import * as wire from "../../gen/behest/v1/decision_pb.ts";
import { fromWire, type RequestLimits, toWire } from "./convert.ts";
import { explanationToWire } from "./convert-explanation.ts";
import { toStatus } from "./errors.ts";
import { itemSizes, refuseMisframed } from "./framing.ts";

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
      const message = decode(wire.DecideRequestSchema, body, requestLimit(ports));
      return toBinary(wire.DecideResponseSchema, toWire(await decideOne(ports, caller, message)));
    },
    async DecideBatch(body, metadata) {
      const caller = authorize(ports, metadata, "DecideBatch");
      const { items } = decode(wire.DecideBatchRequestSchema, body, { name: "batch_bytes", bytesMax: ports.limits.batchBytesMax });
      if (items.length > ports.limits.batchItemsMax) {
        throw new ServiceError("REQUEST_TOO_BIG", `\`items\` holds more than ${ports.limits.batchItemsMax} requests`, {
          field: "items",
          limit: "batch_items",
        });
      }
      // All are begun in their order before any is awaited, so they share the disk's time and keep their order.
      const sizes = itemSizes(body);
      const answers = await Promise.all(items.map((item, index) => decideItem(ports, caller, { item, bytes: sizes[index] ?? body.length })));
      return toBinary(wire.DecideBatchResponseSchema, create(wire.DecideBatchResponseSchema, { items: answers }));
    },
    async Explain(body, metadata) {
      const caller = authorize(ports, metadata, "Explain");
      const message = decode(wire.ExplainRequestSchema, body, requestLimit(ports));
      return toBinary(wire.ExplainResponseSchema, create(wire.ExplainResponseSchema, await explain(ports, caller, message)));
    },
  };
}

async function decideOne(ports: HandlerPorts, caller: Caller, message: wire.DecideRequest): Promise<Answer> {
  const began = performance.now();
  const answer = await ports.decider.decide({ caller, ...fromWire(message, ports.limits) });
  ports.onDecision(caller, answer, performance.now() - began);
  return answer;
}

interface SizedItem {
  readonly item: wire.DecideRequest;
  readonly bytes: number;
}

async function decideItem(ports: HandlerPorts, caller: Caller, { item, bytes }: SizedItem): Promise<wire.DecideBatchItem> {
  try {
    refuseOversize(bytes, requestLimit(ports));
    const decision = toWire(await decideOne(ports, caller, item));
    return create(wire.DecideBatchItemSchema, { result: { case: "decision", value: decision } });
  } catch (error) {
    if (!(error instanceof ServiceError)) ports.onInternalError(error);
    return create(wire.DecideBatchItemSchema, { result: { case: "error", value: toStatus(error) } });
  }
}

async function explain(
  ports: HandlerPorts,
  caller: Caller,
  message: wire.ExplainRequest,
): Promise<MessageInitShape<typeof wire.ExplainResponseSchema>> {
  if (!message.request) throw new ServiceError("REQUEST_MALFORMED", "`request` is missing", { field: "request" });
  const limited = isEnforcerOnly(caller);
  if (limited && message.caller !== "" && message.caller !== caller.id) {
    throw new ServiceError("CALLER_FORBIDDEN", "only auditors and operators may ask as another caller", { field: "caller" });
  }
  if (limited && message.everyRule) {
    throw new ServiceError("CALLER_FORBIDDEN", "only auditors and operators may have every rule explained", { field: "every_rule" });
  }
  const asked = fromWire(message.request, ports.limits);
  if (limited) ports.explains.use(JSON.stringify([caller.tenant, caller.id, asked.request.agent.id]), ports.now());
  const { answer, verdict } = ports.decider.explain({ ...asked, caller: message.caller === "" ? caller : { ...caller, id: message.caller } });
  if (limited) return { decision: toWire(answer) };
  const { situation, judgement } = verdict;
  const explanation = explainJudgement(situation, judgement, { everyRule: message.everyRule });
  const flips = await inSlices(findFlips(situation, judgement));
  return { decision: toWire(answer), explanation: explanationToWire(explanation, flips) };
}

const SLICE_MS = 2;

/** Runs long work a little at a time, so that decisions are not kept waiting. */
async function inSlices<T>(work: Generator<undefined, T>): Promise<T> {
  for (;;) {
    const until = performance.now() + SLICE_MS;
    do {
      const step = work.next();
      if (step.done) return step.value;
    } while (performance.now() < until);
    await new Promise((next) => setImmediate(next));
  }
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

interface ByteLimit {
  readonly name: string;
  readonly bytesMax: number;
}

const requestLimit = ({ limits }: HandlerPorts): ByteLimit => ({ name: "request_bytes", bytesMax: limits.requestBytesMax });

function refuseOversize(bytes: number, { name, bytesMax }: ByteLimit): void {
  if (bytes <= bytesMax) return;
  throw new ServiceError("REQUEST_TOO_BIG", `the message has ${bytes} bytes, at most ${bytesMax} are read`, { limit: name });
}

function decode<T extends DescMessage>(schema: T, body: Buffer, limit: ByteLimit): MessageShape<T> {
  refuseOversize(body.length, limit);
  try {
    const message = fromBinary(schema, body, { readUnknownFields: false, recursionLimit: WIRE_NESTING_MAX });
    refuseMisframed(schema, body);
    return message;
  } catch (error) {
    const why = error instanceof Error ? error.message : "";
    if (why.includes("recursion depth")) {
      throw new ServiceError("REQUEST_TOO_BIG", "the message nests too deeply", { limit: "nesting", cause: error });
    }
    throw new ServiceError("REQUEST_MALFORMED", `the message is no ${schema.typeName}`, { cause: error });
  }
}
