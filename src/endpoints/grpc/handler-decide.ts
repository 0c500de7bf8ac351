import { create, toBinary } from "@bufbuild/protobuf";
import { ServiceError } from "../../core/errors.ts";
import { createInOrder } from "../../core/in-order.ts";
import * as wire from "../../gen/behest/v1/decision_pb.ts";
import { authorize, type DuplexHandler, decode, refuseOversize, type UnaryHandler } from "./call.ts";
import { toWire } from "./convert.ts";
import { type Asking, type DecidingPorts, decideOne, requestLimit } from "./deciding.ts";
import { toStatus } from "./errors.ts";
import { itemSizes } from "./framing.ts";
import { createStreamHandler, type StreamHandlerPorts } from "./handler-stream.ts";
import { type CallSpan, inItemSpan } from "./tracing.ts";

export interface DecideHandlerPorts extends StreamHandlerPorts {
  readonly limits: StreamHandlerPorts["limits"] & { readonly batchBytesMax: number; readonly batchItemsMax: number };
}

/** The methods of DecisionService that decide, by name. */
export function createDecideHandlers(
  ports: DecideHandlerPorts,
): Readonly<Record<"Decide" | "DecideBatch", UnaryHandler>> & { readonly DecideStream: DuplexHandler } {
  return {
    DecideStream: createStreamHandler(ports),
    async Decide(body, metadata, gone) {
      const caller = authorize(ports, metadata, "Decide");
      const message = decode(wire.DecideRequestSchema, body, requestLimit(ports));
      return toBinary(wire.DecideResponseSchema, toWire(await decideOne(ports, { caller, gone, span: ports.tracing?.spanOf(metadata) }, message)));
    },
    async DecideBatch(body, metadata, gone) {
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
      const asking = { caller, gone, inOrder: createInOrder(), call: ports.tracing?.spanOf(metadata) };
      const answers = await Promise.all(items.map((item, index) => decideItem(ports, asking, { item, bytes: sizes[index] ?? body.length })));
      return toBinary(wire.DecideBatchResponseSchema, create(wire.DecideBatchResponseSchema, { items: answers }));
    },
  };
}

interface SizedItem {
  readonly item: wire.DecideRequest;
  readonly bytes: number;
}

interface AskingMany extends Omit<Asking, "span"> {
  readonly call: CallSpan | undefined;
}

async function decideItem(ports: DecidingPorts, { call, ...asking }: AskingMany, { item, bytes }: SizedItem): Promise<wire.DecideBatchItem> {
  try {
    refuseOversize(bytes, requestLimit(ports));
    const decision = toWire(await inItemSpan(call, (span) => decideOne(ports, { ...asking, span }, item)));
    return create(wire.DecideBatchItemSchema, { result: { case: "decision", value: decision } });
  } catch (error) {
    if (!(error instanceof ServiceError)) ports.onInternalError(error);
    return create(wire.DecideBatchItemSchema, { result: { case: "error", value: toStatus(error) } });
  }
}
