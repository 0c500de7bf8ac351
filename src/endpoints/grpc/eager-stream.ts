import { ServerInterceptingCall, type ServerInterceptor } from "@grpc/grpc-js";

/** What may lie with the transport of one stream before it is asked for more room; a few hundred answers. */
const UNSENT_BYTES_MAX = 64 * 1_024;

/**
 * Hands the answers of a stream on while those before them are still being sent. grpc-js waits for each, and so every answer is a write to the socket of its own, and a round of the event loop;
 * without that, Node sends together whatever has come meanwhile.
 */
class EagerCall extends ServerInterceptingCall {
  #unsentBytes = 0;
  #waiting: (() => void) | undefined;

  override sendMessage(message: Buffer, callback: () => void): void {
    const { length } = message;
    this.#unsentBytes += length;
    super.sendMessage(message, () => {
      this.#unsentBytes -= length;
      const waiting = this.#waiting;
      if (!waiting || this.#unsentBytes > UNSENT_BYTES_MAX) return;
      this.#waiting = undefined;
      waiting();
    });
    if (this.#unsentBytes > UNSENT_BYTES_MAX) this.#waiting = callback;
    else callback();
  }
}

/** For the calls in which both sides stream; the others pay nothing for it. */
export const eagerStreams: ServerInterceptor = (method, call) =>
  // Any call will do for grpc-js, which made this one; its type asks for one that was wrapped before.
  method.requestStream && method.responseStream ? new EagerCall(call) : (call as ServerInterceptingCall);
