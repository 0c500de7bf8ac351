import { Metadata } from "@grpc/grpc-js";
import type { Gone } from "../endpoints/grpc/call.ts";
import type { AllHandlers } from "../endpoints/grpc/handlers.ts";
import type { Leaving, Say } from "./desk.ts";
import { failureOf } from "./failure.ts";
import type { PassedCall } from "./messages.ts";

export interface PassedPorts {
  /** What answers the calls that doors pass on as they are. */
  readonly handlers: AllHandlers;
  readonly onInternalError: (error: unknown) => void;
}

/** Answers the calls that a door passes on as if they had come to this thread. */
export interface DeskCalls {
  call(passed: PassedCall): void;
  watch(passed: PassedCall): void;
  /** Answers a watch's next message, when there is one. */
  next(id: number): void;
  endWatch(id: number): void;
}

export function createDeskCalls({ handlers, onInternalError }: PassedPorts, leaving: Leaving, say: Say): DeskCalls {
  const watches = new Map<number, AsyncIterator<Uint8Array>>();
  const handlerOf = ({ service, method }: PassedCall) => handlers[service]?.[method];
  const failed = (id: number, error: unknown): void => say({ kind: "failed", id, failure: failureOf(error, onInternalError) });
  const unanswered = ({ id, service, method }: PassedCall): void => failed(id, new Error(`nothing answers \`${service}/${method}\``));
  const answered = (id: number, body: Uint8Array): void => {
    const copy = new Uint8Array(body);
    say({ kind: "answer", id, body: copy }, [copy.buffer]);
  };
  const goneFrom = (id: number): Gone => {
    const controller = new AbortController();
    leaving.set(id, controller);
    return () => controller.signal;
  };
  const endWatch = (id: number): void => {
    const watch = watches.get(id);
    if (!watch) return;
    watches.delete(id);
    leaving.delete(id);
    watch.return?.().catch(onInternalError);
  };
  return {
    endWatch,
    call(passed) {
      const { id, body, metadata } = passed;
      const handler = handlerOf(passed);
      if (typeof handler !== "function") {
        unanswered(passed);
        return;
      }
      handler(Buffer.from(body.buffer), metadataOf(metadata), goneFrom(id))
        .then(
          (answer) => answered(id, answer),
          (error: unknown) => failed(id, error),
        )
        .finally(() => leaving.delete(id))
        .catch(onInternalError);
    },
    watch(passed) {
      const { id, body, metadata } = passed;
      const handler = handlerOf(passed);
      if (!handler || !("stream" in handler)) unanswered(passed);
      else watches.set(id, handler.stream(Buffer.from(body.buffer), metadataOf(metadata), goneFrom(id))[Symbol.asyncIterator]());
    },
    next(id) {
      const watch = watches.get(id);
      if (!watch) {
        say({ kind: "over", id });
        return;
      }
      watch.next().then(
        ({ value, done }) => {
          if (done) {
            endWatch(id);
            say({ kind: "over", id });
          } else answered(id, value);
        },
        (error: unknown) => {
          endWatch(id);
          failed(id, error);
        },
      );
    },
  };
}

function metadataOf(values: PassedCall["metadata"]): Metadata {
  const metadata = new Metadata();
  for (const [name, all] of Object.entries(values)) for (const value of all) metadata.add(name, value);
  return metadata;
}
