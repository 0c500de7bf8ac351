import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Ledger } from "../../src/core/ports.ts";
import type { StateView } from "../../src/core/state.ts";
import { OPERATOR } from "../core/controls.ts";
import { randomRuns } from "../core/random-rules.ts";
import { deciderOver, keeperOver } from "./deciders.ts";
import { INITIATOR } from "./histories.ts";
import { ask } from "./requests.ts";
import { type OpenedStorage, openSqlite } from "./storages.ts";
import { type Allowed, acknowledgesTooEarly, createRandom, forbidden, pause, stopsOnlyOnDisk, withSlowReads } from "./under-load.ts";

interface Observed {
  readonly decisions: number;
  readonly replays: number;
  readonly allowed: number;
  readonly forbidden: readonly Allowed[];
}

const seed = randomRuns(1).seed ?? 1;
const ROUNDS = Number(process.env["RUNS"] ?? 150);

/** Decides for a task below another without a break, in bursts, some of it again, while the one above is revoked in every order of events. */
async function observe(storage: OpenedStorage, ledger: Ledger, roundsMax: number): Promise<Observed> {
  const random = createRandom(seed);
  const decider = deciderOver({ ...storage, ledger }, { limits: { requestIdsMax: 100_000 } });
  const keeper = keeperOver({ ...storage, ledger }, { limits: { registeredTasksMax: 100_000 } });
  let ticks = 0;
  let replays = 0;
  let allowed = 0;
  const decisions: Promise<void>[] = [];
  const rounds: { readonly allowed: readonly Allowed[]; readonly acknowledged: number }[] = [];
  const decide = async (id: string, those: Allowed[]): Promise<void> => {
    const asked = ++ticks;
    const requestId = random(2) === 0 ? `${id} ${random(10)}` : undefined;
    const { record, replayed } = await decider.decide(ask({ agent: { id: "worker" }, task: { id }, ...(requestId !== undefined && { requestId }) }));
    if (replayed) replays++;
    if (record.judgement.outcome === "ALLOW") those.push({ asked, left: ++ticks });
  };
  for (let round = 0; round < roundsMax; round++) {
    const { task: root } = await keeper.open(INITIATOR, {
      statement: "read on",
      principal: { type: "user", id: "alice" },
      agent: "bot",
      scopeKind: "issued",
      scope: {},
    });
    const { status } = await keeper.delegate(INITIATOR, { taskId: root.id, agent: "worker", scope: {}, narrow: false });
    const those: Allowed[] = [];
    const burst = (): void => {
      for (let n = random(12); n >= 0; n--) decisions.push(decide(status.task.id, those));
    };
    burst();
    if (random(2) === 0) await pause(random);
    burst();
    const revoking = keeper.revoke(OPERATOR, { id: root.id });
    burst();
    await revoking;
    rounds.push({ allowed: those, acknowledged: ++ticks });
    burst();
    if (random(2) === 0) await pause(random);
    burst();
  }
  await Promise.all(decisions);
  for (const those of rounds) allowed += those.allowed.length;
  const late = rounds.flatMap((those) => forbidden(those.allowed, [{ acknowledged: those.acknowledged, resumed: Number.POSITIVE_INFINITY }]));
  return { decisions: decisions.length, replays, allowed, forbidden: late };
}

/** The task as it would stand had it not been handed on. */
const orphaned = (view: StateView): StateView => ({ ...view, ...(view.registered && { registered: { ...view.registered, parent: undefined } }) });

describe("while decisions are made for a task without a break", () => {
  let storage: OpenedStorage;
  beforeEach(async () => {
    storage = await openSqlite();
  });
  afterEach(() => storage.close());

  it("no ALLOW for it is asked for or leaves after a task above it was revoked and that was acknowledged", async () => {
    const observed = await observe(storage, withSlowReads(storage.ledger), ROUNDS);
    expect({ seed, forbidden: observed.forbidden }).toEqual({ seed, forbidden: [] });
    // Enough of everything happened for that to mean something.
    expect(observed.decisions).toBeGreaterThan(ROUNDS * 20);
    expect(observed.allowed).toBeGreaterThan(ROUNDS * 5);
    expect(observed.replays).toBeGreaterThan(ROUNDS);
  }, 60_000);

  it.each<{ says: string; twin: (ledger: Ledger) => Ledger }>([
    { says: "acknowledges before earlier turns have been answered", twin: acknowledgesTooEarly },
    {
      says: "takes effect only when it is on disk",
      twin: (ledger) => stopsOnlyOnDisk(ledger, () => ({ suspensions: ledger.suspensions(), tasks: ledger.tasks() })),
    },
    {
      says: "answers a repeated ALLOW from its record without a second look",
      twin: (ledger) =>
        withSlowReads(ledger, {
          peek: (keys, read) =>
            ledger.peek(keys, (view) =>
              read({ ...view, ...(view.registered && { registered: { ...view.registered, ended: undefined, parent: undefined } }) }),
            ),
        }),
    },
    {
      says: "ends the task that was revoked and nothing below it",
      twin: (ledger) =>
        withSlowReads(ledger, {
          transact: (keys, turn) => ledger.transact(keys, (view) => turn(orphaned(view))),
          peek: (keys, read) => ledger.peek(keys, (view) => read(orphaned(view))),
        }),
    },
  ])(
    "the same look catches a ledger that $says",
    async ({ twin }) => {
      expect((await observe(storage, twin(storage.ledger), 40)).forbidden.length).toBeGreaterThan(0);
    },
    60_000,
  );
});
