import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Ledger } from "../../src/core/ports.ts";
import { Suspensions } from "../../src/core/suspensions.ts";
import { controlOver, OPERATOR } from "../core/controls.ts";
import { randomRuns } from "../core/random-rules.ts";
import { deciderOver } from "./deciders.ts";
import { ask } from "./requests.ts";
import { type OpenedStorage, openSqlite } from "./storages.ts";

/** An ALLOW, from when it was asked for to when it left, in ticks of one count of everything that happens. */
interface Allowed {
  readonly asked: number;
  readonly left: number;
}

/** From the acknowledgement of a suspension to the call that ended it. */
interface Stopped {
  readonly acknowledged: number;
  readonly resumed: number;
}

interface Observed {
  readonly decisions: number;
  readonly replays: number;
  readonly allowed: readonly Allowed[];
  readonly stopped: readonly Stopped[];
}

const ROUNDS = Number(process.env["RUNS"] ?? 200);

/** A small generator with a seed, so that a schedule can be had again. */
function createRandom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const pause = (random: (below: number) => number): Promise<void> =>
  new Promise((resolve) => (random(3) === 0 ? setTimeout(resolve, random(4)) : setImmediate(resolve)));

/** Decides without a break, in bursts, some of it again, while one agent is suspended and resumed in every order of events that comes about. */
async function observe(storage: OpenedStorage, ledger: Ledger, seed: number): Promise<Observed> {
  const random = createRandom(seed);
  const decider = deciderOver({ ...storage, ledger }, { limits: { requestIdsMax: 100_000 } });
  const control = controlOver({ ledger, clock: storage.clock });
  const allowed: Allowed[] = [];
  const stopped: Stopped[] = [];
  let ticks = 0;
  let replays = 0;
  const decisions: Promise<void>[] = [];
  const decide = async (): Promise<void> => {
    const requestId = random(2) === 0 ? `r${random(30)}` : undefined;
    const asked = ++ticks;
    const { record, replayed } = await decider.decide(
      ask({ ...(requestId !== undefined && { requestId: `${ROUNDS}-${stopped.length}-${requestId}` }) }),
    );
    if (replayed) replays++;
    if (record.judgement.outcome === "ALLOW") allowed.push({ asked, left: ++ticks });
  };
  const burst = (): void => {
    for (let n = random(12); n >= 0; n--) decisions.push(decide());
  };
  for (let round = 0; round < ROUNDS; round++) {
    burst();
    if (random(2) === 0) await pause(random);
    burst();
    const suspending = control.suspend(OPERATOR, { kind: "agent", value: "bot", reason: "r" });
    burst();
    const { suspension } = await suspending;
    const acknowledged = ++ticks;
    burst();
    if (random(2) === 0) await pause(random);
    burst();
    stopped.push({ acknowledged, resumed: ++ticks });
    const resuming = control.resume(OPERATOR, { id: suspension.id });
    burst();
    await resuming;
  }
  await Promise.all(decisions);
  return { decisions: decisions.length, replays, allowed, stopped };
}

/** Every ALLOW that was asked for, or that left, while the agent was certainly suspended. */
const forbidden = ({ allowed, stopped }: Observed): readonly Allowed[] =>
  allowed.filter(({ asked, left }) =>
    stopped.some(({ acknowledged, resumed }) => [asked, left].some((tick) => acknowledged < tick && tick < resumed)),
  );

/** Reading a record takes as long as a disk may take. */
const withSlowReads = (ledger: Ledger, changes: Partial<Ledger> = {}): Ledger => {
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
    policy: (digest) => ledger.policy(digest),
    ready: true,
    onReadyChange: () => undefined,
    close: () => ledger.close(),
  };
  return { ...bound, ...changes };
};

const seed = randomRuns(1).seed ?? 1;

describe("while decisions are made without a break", () => {
  let storage: OpenedStorage;
  beforeEach(async () => {
    storage = await openSqlite();
  });
  afterEach(() => storage.close());

  it("no ALLOW is asked for or leaves between the acknowledgement of a suspension and its end", async () => {
    const observed = await observe(storage, withSlowReads(storage.ledger), seed);
    expect({ seed, forbidden: forbidden(observed) }).toEqual({ seed, forbidden: [] });
    // Enough of everything happened for that to mean something.
    expect(observed.decisions).toBeGreaterThan(ROUNDS * 20);
    expect(observed.allowed.length).toBeGreaterThan(ROUNDS * 5);
    expect(observed.replays).toBeGreaterThan(ROUNDS);
  }, 60_000);

  it.each<{ says: string; twin: (ledger: Ledger) => Ledger }>([
    {
      says: "acknowledges before earlier turns have been answered",
      twin: (ledger) =>
        withSlowReads(ledger, {
          control: async (turn) => {
            let answered: { readonly answer: unknown } | undefined;
            void ledger.control((suspensions) => {
              const done = turn(suspensions);
              answered = done;
              return done;
            });
            return { answer: answered?.answer as never, durable: true };
          },
        }),
    },
    {
      says: "takes effect only when it is on disk",
      twin: (ledger) => {
        let written = Promise.resolve();
        const held = new Suspensions();
        return withSlowReads(ledger, {
          control: async (turn) => {
            const { events, answer } = turn({ suspensions: held, tasks: ledger.tasks() });
            for (const event of events) if (event.kind === "suspended") held.add(event.suspension);
            const write = async (): Promise<void> => {
              await new Promise((resolve) => setTimeout(resolve, 2));
              await ledger.control(() => ({ events, answer: undefined }));
            };
            // The last of them may come when the test is over.
            written = written.then(write).catch(() => undefined);
            return { answer, durable: true };
          },
        });
      },
    },
    {
      says: "answers a repeated ALLOW from its record without a second look",
      twin: (ledger) => {
        const none = new Suspensions();
        return withSlowReads(ledger, { peek: (keys, read) => ledger.peek(keys, (view) => read({ ...view, suspensions: none })) });
      },
    },
  ])(
    "the same look catches a ledger that $says",
    async ({ twin }) => {
      expect(forbidden(await observe(storage, twin(storage.ledger), seed)).length).toBeGreaterThan(0);
    },
    60_000,
  );
});
