import type { MessagePort } from "node:worker_threads";
import type { Asked } from "../core/decide.ts";
import { ServiceError } from "../core/errors.ts";
import type { InOrder } from "../core/in-order.ts";
import type { Caller } from "../core/request.ts";
import type { Gone, StreamHandler, UnaryHandler } from "../endpoints/grpc/call.ts";
import type { ShownAnswer } from "../endpoints/grpc/convert.ts";
import type { Decide } from "../endpoints/grpc/deciding.ts";
import type { OnShed, ShedReason } from "../endpoints/grpc/shedding.ts";
import type { AnsweredBatch, AskedItem, Failure, PassedCall, ToDoor, ToOwner } from "./messages.ts";

/** The owner, as a door sees it. */
export interface Owner {
  readonly decide: Decide;
  /** Has the owner answer a method from its bytes. */
  call(service: string, method: string): UnaryHandler;
  watch(service: string, method: string): StreamHandler;
  /** How long the oldest decision has waited to be given to the disk, as far as the door has heard. */
  queuedForMs(): number;
  readonly onShed: OnShed;
  /** Has the owner's log say what went wrong here; what went wrong there is in it. */
  onInternalError(error: unknown): void;
  /** What it is told besides answers. */
  onTold(listener: (told: Extract<ToDoor, { readonly kind: "serving" | "close" }>) => void): void;
  say(message: ToOwner): void;
}

/** Thrown for what the owner has told its own log of. */
class OwnerFailed extends Error {}

/** Sent at once, however the round goes on: whoever came first has waited longest. */
const ITEMS_MAX = 256;
/** What was heard longer ago says nothing: else a door that refuses everything would never hear that it need not. */
const HEARD_WITHIN_MS = 100;
const SHED_TOLD_EVERY_MS = 250;

interface Waiting {
  readonly decided?: (answer: ShownAnswer) => void;
  /** Undefined: there is no more. */
  readonly answered?: (body: Uint8Array | undefined) => void;
  readonly failed: (error: Error) => void;
}

export function createOwner(port: MessagePort): Owner {
  const waiting = new Map<number, Waiting>();
  const asking = createAsking((text) => say({ kind: "decide", text }));
  const heard = { queuedForMs: 0, atMs: 0 };
  let tell: Parameters<Owner["onTold"]>[0] = () => undefined;
  let last = 0;

  function say(message: ToOwner, moved: readonly ArrayBuffer[] = []): void {
    port.postMessage(message, moved);
  }
  function tellGone(id: number, gone: Gone): void {
    const signal = gone();
    const left = (): void => say({ kind: "gone", id });
    if (signal.aborted) left();
    else signal.addEventListener("abort", left, { once: true });
  }
  function take(id: number): Waiting | undefined {
    const found = waiting.get(id);
    waiting.delete(id);
    return found;
  }
  function pass(kind: "call" | "watch", call: Omit<PassedCall, "id" | "body">, body: Buffer): number {
    const id = ++last;
    // Of its own: what was received shares its memory with other calls.
    const copy = new Uint8Array(body);
    say({ kind, id, body: copy, ...call }, [copy.buffer]);
    return id;
  }
  function next(id: number): Promise<Uint8Array | undefined> {
    return new Promise((resolve, reject) => waiting.set(id, { answered: resolve, failed: reject }));
  }

  port.on("message", (message: ToDoor) => {
    switch (message.kind) {
      case "decided": {
        heard.queuedForMs = message.queuedForMs;
        heard.atMs = performance.now();
        const batch: AnsweredBatch = JSON.parse(message.text);
        for (const item of batch.items) {
          if ("answer" in item) take(item.id)?.decided?.(item.answer);
          else take(item.id)?.failed(errorOf(item.failure));
        }
        return;
      }
      case "answer":
        return take(message.id)?.answered?.(message.body);
      case "over":
        return take(message.id)?.answered?.(undefined);
      case "failed":
        return take(message.id)?.failed(errorOf(message.failure));
      case "serving":
      case "close":
        return tell(message);
    }
  });
  return {
    decide: (asked, gone) =>
      new Promise((resolve, reject) => {
        const id = ++last;
        waiting.set(id, { decided: resolve, failed: reject });
        asking.add(id, asked);
        // Nothing else waits with it.
        if (asked.request.waitMs !== undefined) tellGone(id, gone);
      }),
    call: (service, method) => async (body, metadata, gone) => {
      const id = pass("call", { service, method, metadata: passed(metadata) }, body);
      const answer = next(id);
      tellGone(id, gone);
      return (await answer) ?? new Uint8Array();
    },
    watch: (service, method) => ({
      async *stream(body, metadata, gone) {
        const id = pass("watch", { service, method, metadata: passed(metadata) }, body);
        tellGone(id, gone);
        try {
          for (let answer = next(id); ; answer = next(id)) {
            say({ kind: "next", id });
            const message = await answer;
            if (!message) return;
            yield message;
          }
        } finally {
          waiting.delete(id);
          say({ kind: "gone", id });
        }
      },
    }),
    queuedForMs: () => (performance.now() - heard.atMs < HEARD_WITHIN_MS ? heard.queuedForMs : 0),
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

/** Collects what is asked in one round of this thread. */
function createAsking(send: (text: string) => void): { add(id: number, asked: Asked): void } {
  let items: AskedItem[] = [];
  let callers = new Map<Caller, number>();
  const orders = createOrders();
  const flush = (): void => {
    if (items.length === 0) return;
    const text = JSON.stringify({ callers: [...callers.keys()], items });
    items = [];
    callers = new Map();
    send(text);
  };
  return {
    add(id, { caller, inOrder, ...asked }) {
      const known = callers.get(caller) ?? callers.size;
      callers.set(caller, known);
      items.push({ id, ...asked, caller: known, ...(inOrder && { order: orders(inOrder) }) });
      if (items.length === 1) setImmediate(flush);
      else if (items.length === ITEMS_MAX) flush();
    },
  };
}

/** A number for each order, which stands for it with the owner. */
function createOrders(): (inOrder: InOrder) => number {
  const numbers = new WeakMap<InOrder, number>();
  let last = 0;
  return (inOrder) => {
    const known = numbers.get(inOrder);
    if (known !== undefined) return known;
    numbers.set(inOrder, ++last);
    return last;
  };
}

function countShed(tell: (counts: readonly (readonly [ShedReason, number])[]) => void): OnShed {
  const counts = new Map<ShedReason, number>();
  return (reason) => {
    if (counts.size === 0) {
      setTimeout(() => {
        tell([...counts]);
        counts.clear();
      }, SHED_TOLD_EVERY_MS).unref();
    }
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  };
}

/** What handlers read of a call's metadata. */
const PASSED = ["authorization", "traceparent", "tracestate"] as const;

function passed(metadata: { get(name: string): readonly (string | Buffer)[] }): PassedCall["metadata"] {
  return Object.fromEntries(PASSED.map((name) => [name, metadata.get(name).filter((value) => typeof value === "string")]));
}

function errorOf(failure: Failure): Error {
  return failure === "internal" ? new OwnerFailed("the owner failed") : new ServiceError(failure.code, failure.message, failure.detail);
}
