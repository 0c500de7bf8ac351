import { toBinary } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { ServiceError } from "../../core/errors.ts";
import { createInOrder } from "../../core/in-order.ts";
import type { Caller } from "../../core/request.ts";
import * as wire from "../../gen/behest/v1/decision_pb.ts";
import { authorize, type DuplexHandler, decode } from "./call.ts";
import { FieldReader, malformed, type ShownAnswer, toWire } from "./convert.ts";
import { type Asking, type DecidingPorts, decideOne, requestLimit } from "./deciding.ts";
import { toStatus } from "./errors.ts";
import type { UnderWay } from "./shedding.ts";
import { inItemSpan } from "./tracing.ts";

export interface StreamHandlerPorts extends DecidingPorts {
  /** The items are decisions under way, like those that come in calls of their own. */
  readonly shedding: UnderWay;
}

/** Decides each item as Decide would; an item that is refused is answered with why. */
export const createStreamHandler = (ports: StreamHandlerPorts): DuplexHandler => ({
  open(metadata, gone) {
    authorize(ports, metadata, "DecideStream");
    const inFlight = new Set<string>();
    const inOrder = createInOrder();
    const call = ports.tracing?.spanOf(metadata);
    const decided = (caller: Caller, item: StreamItem): Promise<ShownAnswer> =>
      inItemSpan(call, (span) => decideItem(ports, { caller, gone, inOrder, span }, { item, inFlight }));
    return async (body) => {
      // For every item anew: a token that is not known any more, or has lost its role, decides no more. This ends the stream.
      const caller = authorize(ports, metadata, "DecideStream");
      const item = readItem(body);
      const { correlationId } = item;
      try {
        const result = { case: "decision" as const, value: toWire(await decided(caller, item)) };
        return toBinary(wire.DecideStreamResponseSchema, { $typeName: "behest.v1.DecideStreamResponse", correlationId, result });
      } catch (error) {
        if (!(error instanceof ServiceError)) ports.onInternalError(error);
        const result = { case: "error" as const, value: toStatus(error) };
        const named = Buffer.byteLength(correlationId) > ports.limits.identifierBytesMax ? "" : correlationId;
        return toBinary(wire.DecideStreamResponseSchema, { $typeName: "behest.v1.DecideStreamResponse", correlationId: named, result });
      }
    };
  },
});

interface Place {
  readonly item: StreamItem;
  /** The names of the items that have no answer yet. */
  readonly inFlight: Set<string>;
}

async function decideItem(ports: StreamHandlerPorts, asking: Asking, { item, inFlight }: Place): Promise<ShownAnswer> {
  const refusal = ports.shedding.refusal();
  if (refusal) throw refusal;
  const name = new FieldReader(ports.limits).identifier("correlation_id", item.correlationId);
  if (inFlight.has(name)) throw malformed("correlation_id", `is \`${name}\`, and the item of that name has no answer yet`);
  if (item.problem !== undefined) {
    throw new ServiceError("REQUEST_MALFORMED", "the message is no behest.v1.DecideStreamRequest", { cause: item.problem });
  }
  if (!item.decide) throw malformed("decide", "is missing");
  inFlight.add(name);
  ports.shedding.began();
  try {
    return await decideOne(ports, asking, decode(wire.DecideRequestSchema, item.decide, requestLimit(ports)));
  } finally {
    ports.shedding.ended();
    inFlight.delete(name);
  }
}

interface StreamItem {
  /** Empty where it is absent, or cannot be read. */
  readonly correlationId: string;
  /** Not decoded yet, so that it is measured first, and what is wrong with it is answered under the item's name. */
  readonly decide?: Uint8Array;
  /** Why the message is none. */
  readonly problem?: unknown;
}

/** Takes a DecideStreamRequest apart. Never throws: what could be read of a message that is none still names it. */
function readItem(body: Uint8Array): StreamItem {
  const reader = new BinaryReader(body);
  let correlationId = "";
  let decide: Uint8Array | undefined;
  try {
    while (reader.pos < body.length) {
      const [number, wireType] = reader.tag();
      if (number !== 1 && number !== 2) {
        reader.skip(wireType, number);
        continue;
      }
      if (wireType !== WireType.LengthDelimited) throw new Error(`field ${number} has wire type ${wireType}`);
      if (number === 1) {
        correlationId = reader.string(true);
      } else {
        // Others would merge the two.
        if (decide) throw new Error("`decide` stands twice");
        decide = reader.bytes();
      }
    }
    return { correlationId, ...(decide && { decide }) };
  } catch (problem) {
    return { correlationId, problem };
  }
}
