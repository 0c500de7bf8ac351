import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Ledger } from "../../src/core/ports.ts";
import { Suspensions } from "../../src/core/suspensions.ts";
import { controlOver, OPERATOR } from "../core/controls.ts";
import { randomRuns } from "../core/random-rules.ts";
import { deciderOver } from "./deciders.ts";
import { ask } from "./requests.ts";
import { type OpenedStorage, openSqlite } from "./storages.ts";
import { type Allowed, acknowledgesTooEarly, createRandom, forbidden, pause, type Stopped, stopsOnlyOnDisk, withSlowReads } from "./under-load.ts";

interface Observed {
  readonly decisions: number;
  readonly replays: number;
  readonly allowed: readonly Allowed[];
  readonly stopped: readonly Stopped[];
}

const ROUNDS = Number(process.env["RUNS"] ?? 200);

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

const seed = randomRuns(1).seed ?? 1;

describe("while decisions are made without a break", () => {
  let storage: OpenedStorage;
  beforeEach(async () => {
    storage = await openSqlite();
  });
  afterEach(() => storage.close());

  it("no ALLOW is asked for or leaves between the acknowledgement of a suspension and its end", async () => {
    const observed = await observe(storage, withSlowReads(storage.ledger), seed);
    expect({ seed, forbidden: forbidden(observed.allowed, observed.stopped) }).toEqual({ seed, forbidden: [] });
    // Enough of everything happened for that to mean something.
    expect(observed.decisions).toBeGreaterThan(ROUNDS * 20);
    expect(observed.allowed.length).toBeGreaterThan(ROUNDS * 5);
    expect(observed.replays).toBeGreaterThan(ROUNDS);
  }, 60_000);

  it.each<{ says: string; twin: (ledger: Ledger) => Ledger }>([
    { says: "acknowledges before earlier turns have been answered", twin: acknowledgesTooEarly },
    {
      says: "takes effect only when it is on disk",
      twin: (ledger) => {
        const held = new Suspensions();
        return stopsOnlyOnDisk(
          ledger,
          () => ({ suspensions: held, tasks: ledger.tasks() }),
          (events) => {
            for (const event of events) if (event.kind === "suspended") held.add(event.suspension);
          },
        );
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
      const { allowed, stopped } = await observe(storage, twin(storage.ledger), seed);
      expect(forbidden(allowed, stopped).length).toBeGreaterThan(0);
    },
    60_000,
  );
});
