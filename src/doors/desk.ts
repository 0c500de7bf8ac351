import { Metadata } from "@grpc/grpc-js";
import type { Answer, Asked } from "../core/decide.ts";
import { ServiceError } from "../core/errors.ts";
import { createInOrder, type InOrder } from "../core/in-order.ts";
import type { Gone } from "../endpoints/grpc/call.ts";
import type { ShownAnswer } from "../endpoints/grpc/convert.ts";
import type { AllHandlers } from "../endpoints/grpc/handlers.ts";
import type { OnShed, UnderWay } from "../endpoints/grpc/shedding.ts";
import type { AnsweredItem, AskedBatch, AskedItem, Failure, PassedCall, ToDoor, ToOwner } from "./messages.ts";

export interface DeskPorts {
  readonly decide: (asked: Asked, gone: Gone) => Promise<Answer>;
  /** What answers the calls that doors pass on as they are. */
  readonly handlers: AllHandlers;
  /** The decisions of all doors together. */
  readonly shedding: UnderWay;
  readonly queuedForMs: () => number;
  readonly onShed: OnShed;
  readonly onInternalError: (error: unknown) => void;
}

/** Answers what one door asks. */
export interface Desk {
  take(message: ToOwner): void;
  /** The door is not there any more: what it asked is decided and recorded, and nobody waits for people on its behalf. */
  leave(): void;
}

type Say = (message: ToDoor, moved?: readonly ArrayBuffer[]) => void;

export function createDesk(ports: DeskPorts, say: Say): Desk {
  /** Of whatever may wait long. */
  const leaving = new Map<number, AbortController>();
  const watches = new Map<number, AsyncIterator<Uint8Array>>();
  const decisions = createDecisions(ports, leaving, say);

  const failed = (id: number, error: unknown): void => say({ kind: "failed", id, failure: failureOf(ports, error) });
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
    leaving.delete(id);
    const watch = watches.get(id);
    watches.delete(id);
    watch?.return?.()?.catch(ports.onInternalError);
  };

  function call({ id, service, method, body, metadata }: PassedCall): void {
    const handler = ports.handlers[service]?.[method];
    if (typeof handler !== "function") return failed(id, new Error(`nothing answers \`${service}/${method}\``));
    handler(Buffer.from(body.buffer), metadataOf(metadata), goneFrom(id))
      .then(
        (answer) => answered(id, answer),
        (error: unknown) => failed(id, error),
      )
      .finally(() => leaving.delete(id));
  }

  function watch({ id, service, method, body, metadata }: PassedCall): void {
    const handler = ports.handlers[service]?.[method];
    if (!handler || !("stream" in handler)) return failed(id, new Error(`nothing answers \`${service}/${method}\``));
    watches.set(id, handler.stream(Buffer.from(body.buffer), metadataOf(metadata), goneFrom(id))[Symbol.asyncIterator]());
  }

  function next(id: number): void {
    watches
      .get(id)
      ?.next()
      .then(
        ({ value, done }) => {
          if (!done) return answered(id, value);
          endWatch(id);
          say({ kind: "over", id });
        },
        (error: unknown) => {
          endWatch(id);
          failed(id, error);
        },
      );
  }

  function gone(id: number): void {
    leaving.get(id)?.abort();
    endWatch(id);
  }

  return {
    take(message) {
      switch (message.kind) {
        case "decide":
          return decisions.take(message.text);
        case "call":
          return call(message);
        case "watch":
          return watch(message);
        case "next":
          return next(message.id);
        case "gone":
          return gone(message.id);
        case "shed":
          for (const [reason, count] of message.counts) for (let told = 0; told < count; told++) ports.onShed(reason);
          return;
        case "problem":
          return ports.onInternalError(message.error);
      }
    },
    leave() {
      for (const id of [...leaving.keys()]) gone(id);
    },
  };
}

function createDecisions(ports: DeskPorts, leaving: Map<number, AbortController>, say: Say): { take(text: string): void } {
  const orders = new Map<number, { readonly inOrder: InOrder; waiting: number }>();
  let answers: AnsweredItem[] = [];
  const flush = (): void => {
    const text = JSON.stringify({ items: answers });
    answers = [];
    say({ kind: "decided", text, queuedForMs: ports.queuedForMs() });
  };
  const answer = (item: AnsweredItem): void => {
    answers.push(item);
    if (answers.length === 1) setImmediate(flush);
  };
  const orderOf = (number: number): InOrder => {
    const order = orders.get(number) ?? { inOrder: createInOrder(), waiting: 0 };
    orders.set(number, order);
    order.waiting++;
    return order.inOrder;
  };
  /** What comes after the last one waits for nobody, and so may begin a new one. */
  const leaveOrder = (number: number): void => {
    const order = orders.get(number);
    if (order && --order.waiting === 0) orders.delete(number);
  };
  const begin = ({ id, caller, order, ...asked }: AskedItem, { callers }: AskedBatch): void => {
    const refusal = ports.shedding.refusal();
    const by = callers[caller];
    if (refusal || !by) return answer({ id, failure: failureOf(ports, refusal ?? new Error("a door asks for nobody")) });
    // Only a request that may wait for people ever asks who waits for it.
    const controller = asked.request.waitMs === undefined ? undefined : new AbortController();
    if (controller) leaving.set(id, controller);
    const ended = (item: AnsweredItem): void => {
      ports.shedding.ended();
      if (controller) leaving.delete(id);
      if (order !== undefined) leaveOrder(order);
      answer(item);
    };
    ports.shedding.began();
    const gone: Gone = () => (controller ?? new AbortController()).signal;
    ports.decide({ ...asked, caller: by, ...(order !== undefined && { inOrder: orderOf(order) }) }, gone).then(
      (made) => ended({ id, answer: shown(made) }),
      (error: unknown) => ended({ id, failure: failureOf(ports, error) }),
    );
  };
  return {
    take(text) {
      const batch: AskedBatch = JSON.parse(text);
      for (const item of batch.items) begin(item, batch);
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

function failureOf({ onInternalError }: DeskPorts, error: unknown): Failure {
  if (error instanceof ServiceError) return { code: error.code, message: error.message, detail: error.detail };
  onInternalError(error);
  return "internal";
}

function metadataOf(values: PassedCall["metadata"]): Metadata {
  const metadata = new Metadata();
  for (const [name, all] of Object.entries(values)) for (const value of all) metadata.add(name, value);
  return metadata;
}
