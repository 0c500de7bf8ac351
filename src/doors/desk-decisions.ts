import type { Answer } from "../core/decide.ts";
import { createInOrder, type InOrder } from "../core/in-order.ts";
import type { Gone } from "../endpoints/grpc/call.ts";
import type { ShownAnswer } from "../endpoints/grpc/convert.ts";
import type { FollowedAsked } from "../endpoints/grpc/deciding.ts";
import type { Leaving, Say } from "./desk.ts";
import { failureOf } from "./failure.ts";
import type { AnsweredItem, AskedBatch, AskedItem } from "./messages.ts";

export interface DeciderPorts {
  readonly decide: (asked: FollowedAsked, gone: Gone) => Promise<Answer>;
  readonly queuedForMs: () => number;
  readonly onInternalError: (error: unknown) => void;
}

/** Decides what a door has read, and answers all at once what becomes ready at once. */
export function createDeskDecisions(ports: DeciderPorts, leaving: Leaving, say: Say): { take(text: string): void } {
  const orders = createOrders();
  let answers: AnsweredItem[] = [];
  let begun = 0;
  let flushing = false;
  const flush = (): void => {
    const text = JSON.stringify({ items: answers });
    answers = [];
    flushing = false;
    say({ kind: "decided", text, begun, queuedForMs: ports.queuedForMs() });
  };
  const flushSoon = (): void => {
    if (flushing) return;
    flushing = true;
    setImmediate(flush);
  };
  const answer = (item: AnsweredItem): void => {
    answers.push(item);
    flushSoon();
  };
  const refuse = (id: number, error: unknown): void => answer({ id, failure: failureOf(error, ports.onInternalError) });

  function begin({ id, caller: _, order, ...asked }: AskedItem, caller: FollowedAsked["caller"]): void {
    // Only a request that may wait for people ever asks who waits for it.
    const controller = asked.request.waitMs === undefined ? undefined : new AbortController();
    if (controller) leaving.set(id, controller);
    const inOrder = order === undefined ? undefined : orders.enter(order);
    const ended = (): void => {
      if (controller) leaving.delete(id);
      if (order !== undefined) orders.leave(order);
    };
    const gone: Gone = () => (controller ?? new AbortController()).signal;
    ports.decide({ ...asked, caller, ...(inOrder && { inOrder }) }, gone).then(
      (made) => {
        ended();
        answer({ id, answer: shown(made) });
      },
      (error: unknown) => {
        ended();
        refuse(id, error);
      },
    );
  }

  return {
    take(text) {
      const { callers, items }: AskedBatch = JSON.parse(text);
      for (const item of items) {
        const caller = callers[item.caller];
        if (caller) begin(item, caller);
        else refuse(item.id, new Error("a door asks for nobody"));
      }
      // The door hears at once that this is not too far behind, however long the answers take.
      begun++;
      flushSoon();
    },
  };
}

/** The orders in which turns are taken, each for as long as somebody waits in it: what comes after the last waits for nobody. */
function createOrders(): { enter(number: number): InOrder; leave(number: number): void } {
  const orders = new Map<number, { readonly inOrder: InOrder; waiting: number }>();
  return {
    enter(number) {
      const order = orders.get(number) ?? { inOrder: createInOrder(), waiting: 0 };
      orders.set(number, order);
      order.waiting++;
      return order.inOrder;
    },
    leave(number) {
      const order = orders.get(number);
      if (order && --order.waiting === 0) orders.delete(number);
    },
  };
}

/** What its caller gets to see crosses, and nothing else: that is a third of the record. */
const shown = ({ record: { id, at, policy, judgement, cache, approval, subject }, ...rest }: Answer): ShownAnswer => ({
  ...rest,
  record: { id, at, policy, judgement, cache, ...(approval && { approval }), subject: { task: taskOf(subject.task) } },
});

const taskOf = ({ id, standing }: Answer["record"]["subject"]["task"]): ShownAnswer["record"]["subject"]["task"] => ({
  standing,
  ...(id !== undefined && { id }),
});
