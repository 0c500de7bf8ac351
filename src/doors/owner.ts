import type { MessagePort } from "node:worker_threads";
import type { Gone, StreamHandler, UnaryHandler } from "../endpoints/grpc/call.ts";
import type { Decide } from "../endpoints/grpc/deciding.ts";
import type { Elsewhere } from "../endpoints/grpc/handlers.ts";
import type { OnShed } from "../endpoints/grpc/shedding.ts";
import { countShed, createAsking } from "./asking.ts";
import { OwnerFailed } from "./failure.ts";
import type { PassedCall, ToDoor, ToOwner } from "./messages.ts";
import { createPending, type Pending } from "./pending.ts";

/** The owner, as a door sees it. */
export interface Owner extends Elsewhere {
  readonly decide: Decide;
  /** How long the oldest decision has waited to be begun, or to be given to the disk, as far as the door has heard. */
  queuedForMs(): number;
  readonly onShed: OnShed;
  /** Has the owner's log say what went wrong here; what went wrong there is in it. */
  onInternalError(error: unknown): void;
  /** What it is told besides answers. */
  onTold(listener: (told: Told) => void): void;
  say(message: ToOwner): void;
}

type Told = Extract<ToDoor, { readonly kind: "serving" | "close" }>;

export function createOwner(port: MessagePort): Owner {
  const say = (message: ToOwner): void => port.postMessage(message);
  const pending = createPending();
  const asking = createAsking((text) => {
    say({ kind: "decide", text });
    pending.sent();
  });
  let tell: (told: Told) => void = () => undefined;
  port.on("message", (message: ToDoor) => {
    if (message.kind === "serving" || message.kind === "close") tell(message);
    else pending.take(message);
  });
  return {
    ...createPassing(port, pending),
    decide: (asked, gone) =>
      new Promise((resolve, reject) => {
        const id = pending.decision(resolve, reject);
        asking.add(id, asked);
        // Nothing else waits with it.
        if (asked.request.waitMs !== undefined) tellGone(port, id, gone);
      }),
    queuedForMs: pending.queuedForMs,
    onShed: countShed((counts) => say({ kind: "shed", counts })),
    onInternalError: (error) => {
      if (error instanceof OwnerFailed) return;
      say({ kind: "problem", error: error instanceof Error ? error : new Error(String(error)) });
    },
    onTold: (listener) => {
      tell = listener;
    },
    say,
  };
}

/** Has the owner answer whole methods. */
function createPassing(port: MessagePort, pending: Pending): Elsewhere {
  const pass = (kind: "call" | "watch", call: Omit<PassedCall, "id" | "body">, body: Buffer): number => {
    const id = pending.newId();
    // Of its own: what was received shares its memory with other calls.
    const copy = new Uint8Array(body);
    port.postMessage({ kind, id, body: copy, ...call }, [copy.buffer]);
    return id;
  };
  return {
    call:
      (service, method): UnaryHandler =>
      async (body, metadata, gone) => {
        const id = pass("call", { service, method, metadata: passed(metadata) }, body);
        const answer = pending.answer(id);
        tellGone(port, id, gone);
        return (await answer) ?? new Uint8Array();
      },
    watch: (service, method): StreamHandler => ({
      async *stream(body, metadata, gone) {
        const id = pass("watch", { service, method, metadata: passed(metadata) }, body);
        tellGone(port, id, gone);
        try {
          for (;;) {
            const answer = pending.answer(id);
            port.postMessage({ kind: "next", id });
            const message = await answer;
            if (!message) return;
            yield message;
          }
        } finally {
          port.postMessage({ kind: "gone", id });
        }
      },
    }),
  };
}

function tellGone(port: MessagePort, id: number, gone: Gone): void {
  const signal = gone();
  const left = (): void => port.postMessage({ kind: "gone", id });
  if (signal.aborted) left();
  else signal.addEventListener("abort", left, { once: true });
}

/** What handlers read of a call's metadata. */
const PASSED = ["authorization", "traceparent", "tracestate"] as const;

function passed(metadata: { get(name: string): readonly (string | Buffer)[] }): PassedCall["metadata"] {
  return Object.fromEntries(PASSED.map((name) => [name, metadata.get(name).filter((value) => typeof value === "string")]));
}
