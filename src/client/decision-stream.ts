import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Client, status as Code, type Metadata, type ServiceError } from "@grpc/grpc-js";
import * as wire from "../gen/behest/v1/decision_pb.ts";
import { type Status, StatusSchema } from "../gen/google/rpc/status_pb.ts";

export interface DecisionStream {
  /**
   * Decides one more action, in its turn after those that were sent before; its answer comes when it is ready. Throws `CallFailed` with what this one was
   * refused for, or with what the stream has ended with.
   */
  decide(request: wire.DecideRequest): Promise<wire.DecideResponse>;
  /** Sends no more, and waits until the server has answered all and ended the stream. Throws `CallFailed` if it ended otherwise. */
  end(): Promise<void>;
  /** Gives up whatever has no answer yet; it is decided all the same. */
  cancel(): void;
}

export interface DecisionStreamOptions {
  readonly metadata: Metadata;
  /** How long each answer may take, beyond the request's own `wait_ms`. */
  readonly timeoutMs: number;
  /** What is thrown for an item that was refused, or a stream that has ended. */
  readonly failure: (why: ServiceError | Status) => Error;
}

interface Pending {
  readonly resolve: (answer: wire.DecideResponse) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

export function openDecisionStream(client: Client, { metadata, timeoutMs, failure }: DecisionStreamOptions): DecisionStream {
  const { name, parent } = wire.DecisionService.method.decideStream;
  const call = client.makeBidiStreamRequest(
    `/${parent.typeName}/${name}`,
    (value: wire.DecideStreamRequest) => Buffer.from(toBinary(wire.DecideStreamRequestSchema, value)),
    (body: Buffer) => fromBinary(wire.DecideStreamResponseSchema, body),
    metadata,
  );
  const pending = new Map<string, Pending>();
  let last = 0;
  let over: Error | undefined;
  const ended = Promise.withResolvers<void>();
  // Whoever calls `end` hears of it; nobody has to.
  ended.promise.catch(() => undefined);

  const take = (correlationId: string): Pending | undefined => {
    const found = pending.get(correlationId);
    if (!found) return undefined;
    pending.delete(correlationId);
    clearTimeout(found.timer);
    return found;
  };
  const finish = (error?: Error): void => {
    if (over) return;
    over = error ?? failure(statusOf(Code.UNAVAILABLE, "the stream has ended"));
    for (const correlationId of [...pending.keys()]) take(correlationId)?.reject(over);
    if (error) ended.reject(error);
    else ended.resolve();
  };
  call.on("data", ({ correlationId, result }: wire.DecideStreamResponse) => {
    if (result.case === "decision") take(correlationId)?.resolve(result.value);
    else take(correlationId)?.reject(failure(result.value ?? statusOf(Code.INTERNAL, "the server answered nothing")));
  });
  let failed: ServiceError | undefined;
  call.on("error", (error: ServiceError) => {
    failed = error;
  });
  // After every answer that came before the error.
  call.on("end", () => finish(failed && failure(failed)));

  return {
    decide: (request) =>
      new Promise((resolve, reject) => {
        if (over) {
          reject(over);
          return;
        }
        // Never used again, so a late answer is nobody else's.
        const correlationId = String(++last);
        const late = (): void => take(correlationId)?.reject(failure(statusOf(Code.DEADLINE_EXCEEDED, "no answer came in time")));
        pending.set(correlationId, { resolve, reject, timer: setTimeout(late, timeoutMs + request.waitMs) });
        call.write(create(wire.DecideStreamRequestSchema, { correlationId, decide: request }));
      }),
    end: () => {
      call.end();
      return ended.promise;
    },
    cancel: () => call.cancel(),
  };
}

const statusOf = (code: Code, message: string): Status => create(StatusSchema, { code, message });
