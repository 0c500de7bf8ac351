import type { Ledger, StoredPolicy, Turn } from "../../core/ports.ts";
import { type DecisionRecord, decodeEvent, encodeEvent } from "../../core/record.ts";
import { apply, createState, type StateKeys, type StateView, view } from "../../core/state.ts";

/** A ledger that forgets everything when the process ends: for tests, and to measure what durability costs. */
export interface MemoryLedger extends Ledger {
  /** The texts that a durable ledger would hold, in order. */
  readonly written: readonly string[];
}

export function createMemoryLedger(): MemoryLedger {
  const state = createState();
  const written: string[] = [];
  const decisions = new Map<string, number>();
  const policies = new Map<string, StoredPolicy>();

  const write = (turn: Turn<unknown>): void => {
    for (const event of turn.events) {
      apply(state, event);
      if (event.kind === "decision") decisions.set(event.id, written.length);
      written.push(encodeEvent(event));
    }
  };

  return {
    written,
    ready: true,
    onReadyChange: () => undefined,
    async transact<A>(keys: StateKeys, run: (view: StateView) => Turn<A>): Promise<A> {
      const turn = run(view(state, keys));
      write(turn);
      return turn.answer;
    },
    peek: (keys, read) => read(view(state, keys)),
    async decision(id): Promise<DecisionRecord | undefined> {
      const at = decisions.get(id);
      const text = at === undefined ? undefined : written[at];
      const event = text === undefined ? undefined : decodeEvent(text);
      return event?.kind === "decision" ? event : undefined;
    },
    async recordPolicy(stored) {
      policies.set(stored.event.policy, stored);
      write({ events: [stored.event], answer: undefined });
    },
    async close() {},
  };
}
