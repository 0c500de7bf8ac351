import { BriefMap, nextKey } from "../endpoints/grpc/brief-map.ts";
import type { ShownAnswer } from "../endpoints/grpc/convert.ts";
import { errorOf } from "./failure.ts";
import type { AnsweredBatch, ToDoor } from "./messages.ts";

/** What a door has asked and has no answer to, by id. */
export interface Pending {
  newId(): number;
  /** A decision that is asked for, under a new id. */
  decision(resolve: (answer: ShownAnswer) => void, reject: (error: Error) => void): number;
  /** The next answer to a call; undefined if there is no more. */
  answer(id: number): Promise<Uint8Array | undefined>;
  take(message: Exclude<ToDoor, { readonly kind: "serving" | "close" }>): void;
  /** A batch of decisions has been sent. */
  sent(): void;
  /** How long the oldest decision has waited to be begun, or to be given to the disk, as far as has been heard. */
  queuedForMs(): number;
}

interface Waiting<A> {
  readonly resolve: (answer: A) => void;
  readonly reject: (error: Error) => void;
}

/** What was heard longer ago says nothing: else a door that refuses everything would never hear that it need not. */
const HEARD_WITHIN_MS = 100;

export function createPending(): Pending {
  const decisions = new BriefMap<Waiting<ShownAnswer>>();
  const calls = new BriefMap<Waiting<Uint8Array | undefined>>();
  let heard = { queuedForMs: 0, atMs: Number.NEGATIVE_INFINITY };
  let last = 0;
  const newId = (): number => {
    last = nextKey(last, [decisions, calls]);
    return last;
  };
  /** When the batches were sent that the owner has not begun. */
  const sentMs: number[] = [];
  let begun = 0;

  const decided = (text: string): void => {
    const { items }: AnsweredBatch = JSON.parse(text);
    for (const item of items) {
      const waiting = decisions.get(item.id);
      decisions.delete(item.id);
      if ("answer" in item) waiting?.resolve(item.answer);
      else waiting?.reject(errorOf(item.failure));
    }
  };
  return {
    newId,
    decision(resolve, reject) {
      const id = newId();
      decisions.set(id, { resolve, reject });
      return id;
    },
    answer: (id) => new Promise((resolve, reject) => calls.set(id, { resolve, reject })),
    take(message) {
      if (message.kind === "decided") {
        heard = { queuedForMs: message.queuedForMs, atMs: performance.now() };
        sentMs.splice(0, message.begun - begun);
        ({ begun } = message);
        decided(message.text);
        return;
      }
      const waiting = calls.get(message.id);
      calls.delete(message.id);
      if (message.kind === "answer") waiting?.resolve(message.body);
      else if (message.kind === "over") waiting?.resolve(undefined);
      else waiting?.reject(errorOf(message.failure));
    },
    sent: () => sentMs.push(performance.now()),
    queuedForMs() {
      const nowMs = performance.now();
      const [oldestMs = nowMs] = sentMs;
      return Math.max(nowMs - oldestMs, nowMs - heard.atMs < HEARD_WITHIN_MS ? heard.queuedForMs : 0);
    },
  };
}
