import type { ControlView, Ledger } from "../../src/core/ports.ts";
import type { ControlEvent } from "../../src/core/record.ts";

/** An ALLOW, from when it was asked for to when it left, in ticks of one count of everything that happens. */
export interface Allowed {
  readonly asked: number;
  readonly left: number;
}

/** From the acknowledgement of a stop to the call that ended it. */
export interface Stopped {
  readonly acknowledged: number;
  readonly resumed: number;
}

/** A small generator with a seed, so that a schedule can be had again. */
export function createRandom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

export const pause = (random: (below: number) => number): Promise<void> =>
  new Promise((resolve) => (random(3) === 0 ? setTimeout(resolve, random(4)) : setImmediate(resolve)));

/** Every ALLOW that was asked for, or that left, while it was certainly stopped. */
export const forbidden = (allowed: readonly Allowed[], stopped: readonly Stopped[]): readonly Allowed[] =>
  allowed.filter(({ asked, left }) =>
    stopped.some(({ acknowledged, resumed }) => [asked, left].some((tick) => acknowledged < tick && tick < resumed)),
  );

/** Reading a record takes as long as a disk may take. */
export const withSlowReads = (ledger: Ledger, changes: Partial<Ledger> = {}): Ledger => {
  const bound: Ledger = {
    transact: (keys, turn) => ledger.transact(keys, turn),
    peek: (keys, read) => ledger.peek(keys, read),
    control: (turn) => ledger.control(turn),
    suspensions: () => ledger.suspensions(),
    tasks: () => ledger.tasks(),
    report: (decisionId) => ledger.report(decisionId),
    endedSuspensions: (question) => ledger.endedSuspensions(question),
    async decision(id) {
      const record = await ledger.decision(id);
      await new Promise((resolve) => setTimeout(resolve, 3));
      return record;
    },
    recordPolicy: (stored) => ledger.recordPolicy(stored),
    approvalEvents: (question) => ledger.approvalEvents(question),
    onApprovalChange: (listener) => ledger.onApprovalChange(listener),
    policy: (digest) => ledger.policy(digest),
    ready: true,
    onReadyChange: () => undefined,
    close: () => ledger.close(),
  };
  return { ...bound, ...changes };
};

/** A control turn that is answered although the turns before it have not been. */
export const acknowledgesTooEarly = (ledger: Ledger): Ledger =>
  withSlowReads(ledger, {
    control: async (turn) => {
      let answered: { readonly answer: unknown } | undefined;
      void ledger.control((view) => {
        const done = turn(view);
        answered = done;
        return done;
      });
      return { answer: answered?.answer as never, durable: true };
    },
  });

/** A broken twin: what is stopped is shown as `seen` has it, and becomes true only some time after it was acknowledged. */
export function stopsOnlyOnDisk(ledger: Ledger, seen: () => ControlView, note: (events: readonly ControlEvent[]) => void = () => undefined): Ledger {
  let written = Promise.resolve();
  return withSlowReads(ledger, {
    control: async (turn) => {
      const { events, answer } = turn(seen());
      note(events);
      const write = async (): Promise<void> => {
        await new Promise((resolve) => setTimeout(resolve, 2));
        await ledger.control(() => ({ events, answer: undefined }));
      };
      // The last of them may come when the test is over.
      written = written.then(write).catch(() => undefined);
      return { answer, durable: true };
    },
  });
}
