import type { ServerDuplexStream } from "@grpc/grpc-js";
import { ServiceError } from "../../core/errors.ts";
import type { DuplexHandler } from "./call.ts";
import { toStatusObject } from "./errors.ts";

export interface DuplexOptions {
  /** Messages of one call that may be without an answer at once; no more are read. */
  readonly itemsMax: number;
  /** Aborted when the server stops. */
  readonly stopping: AbortSignal;
  /** Told what we did not throw ourselves. */
  readonly onInternalError: (error: unknown) => void;
}

export interface Conversation extends DuplexOptions {
  /** Told once that the call has ended, or that its caller has gone; and of what it ended with, if that was an error. */
  readonly onEnd: (failed?: unknown) => void;
}

/**
 * Answers each message of a call as soon as there is an answer. A message is in flight until the transport has room for its answer, so whoever sends and
 * does not read is read no further either. However the call ends, what is in flight is answered first, unless nobody is there any more.
 */
export function converse(call: ServerDuplexStream<Buffer, Buffer>, handler: DuplexHandler, options: Conversation): void {
  const { itemsMax, stopping, onInternalError, onEnd } = options;
  const gone = new AbortController();
  let inFlight = 0;
  let ending: { readonly failed?: unknown } | undefined;
  let ended = false;

  const endIfAnswered = (): void => {
    if (!ending || inFlight > 0 || ended) return;
    ended = true;
    if (call.cancelled) return;
    if (ending.failed === undefined) call.end();
    else call.emit("error", toStatusObject(ending.failed));
    onEnd(ending.failed);
  };
  const end = (failed?: unknown): void => {
    if (ending?.failed !== undefined) return;
    ending = failed === undefined ? {} : { failed };
    if (failed !== undefined) {
      call.pause();
      // What waits for people is answered now, or the call would wait for them.
      gone.abort();
      if (!(failed instanceof ServiceError)) onInternalError(failed);
    }
    endIfAnswered();
  };
  const settle = (): void => {
    inFlight--;
    if (!ending && inFlight < itemsMax && call.isPaused()) call.resume();
    endIfAnswered();
  };
  const stop = (): void => end(new ServiceError("SERVER_STOPPING", "the server is stopping; what was not answered was not decided"));

  const answer = opened();
  if (!answer) return;
  stopping.addEventListener("abort", stop);
  call.once("close", () => stopping.removeEventListener("abort", stop));
  call.once("cancelled", () => {
    gone.abort();
    if (!ended) onEnd();
  });
  call.on("data", (body: Buffer) => {
    if (ending) return;
    inFlight++;
    if (inFlight >= itemsMax) call.pause();
    answer(body).then(
      (bytes) => (call.cancelled ? settle() : call.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), settle)),
      (failed: unknown) => {
        end(failed);
        settle();
      },
    );
  });
  call.once("end", () => end());
  if (stopping.aborted) stop();

  function opened(): ReturnType<DuplexHandler["open"]> | undefined {
    try {
      return handler.open(call.metadata, () => gone.signal);
    } catch (failed) {
      end(failed);
      return undefined;
    }
  }
}
