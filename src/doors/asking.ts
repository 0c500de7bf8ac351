import type { InOrder } from "../core/in-order.ts";
import type { Caller } from "../core/request.ts";
import type { FollowedAsked } from "../endpoints/grpc/deciding.ts";
import type { OnShed, ShedReason } from "../endpoints/grpc/shedding.ts";
import type { AskedItem } from "./messages.ts";

/** Sent at once, however the round goes on: whoever came first has waited longest. */
const ITEMS_MAX = 256;
const SHED_TOLD_EVERY_MS = 250;

/** Collects what is asked in one round of this thread. */
export function createAsking(send: (text: string) => void): { add(id: number, asked: FollowedAsked): void } {
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

/** Tells now and then how often what was shed. */
export function countShed(tell: (counts: readonly (readonly [ShedReason, number])[]) => void): OnShed {
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
