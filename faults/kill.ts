import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { createRandom } from "../test/storage/under-load.ts";
import { type Acknowledged, ask, startAsking, variedRequests } from "./asking.ts";
import { type Breakage, brokenBy } from "./break.ts";
import { type Approved, startConsuming, useOf } from "./consuming.ts";
import { type Examined, examine } from "./examine.ts";
import type { Fault, Outcome, Setting } from "./fault.ts";
import { type Serve, type Served, withServers } from "./served.ts";

const KILLS = { short: 20, long: 200 } as const;
const READY_WITHIN_MS = 3_000;
/** How long it is under load before it is killed, at most; the moment is drawn. */
const LOAD_MS_MAX = 400;
const ASKERS = 16;
const CONSUMERS = 2;
/** Approvals of an earlier life that are tried once more in each. */
const TRIED_AGAIN = 20;

export const kill: Fault = {
  name: "kill",
  claim:
    "SIGKILL at any moment loses no answer, breaks no root, lets nothing single-use be used twice, and leaves a server that is ready again in 3 s",
  strike: (setting) => killOften(setting, []),
  control: {
    says: "it answers 50 ms before the record is committed",
    strike: (setting) =>
      killOften(setting, [
        // Else a group is on disk before most of its answers have arrived, and it would take a lucky kill.
        {
          file: "src/storage/sqlite/ledger.ts",
          passage: "this.#writer?.send(group)",
          instead: "setTimeout(() => this.#writer?.send(group), 50)",
        },
        {
          file: "src/storage/sqlite/ledger.ts",
          passage: "resolve: done, reject });",
          instead: "resolve: () => undefined, reject });\nsetImmediate(done);",
        },
      ]),
  },
};

/** What all lives of the server together have answered. */
interface Lives {
  readonly data: string;
  readonly breakages: readonly Breakage[];
  readonly random: (below: number) => number;
  readonly acknowledged: Acknowledged[];
  /** Of the life before. */
  approved: readonly Approved[];
  used: number;
  readonly readyMs: number[];
  readonly readyUndisturbedMs: number[];
}

async function killOften({ form, directory, seed, progress, signal }: Setting, breakages: readonly Breakage[]): Promise<Outcome> {
  const lives: Lives = {
    data: join(directory, "data"),
    breakages,
    random: createRandom(seed),
    acknowledged: [],
    approved: [],
    used: 0,
    readyMs: [],
    readyUndisturbedMs: [],
  };
  let examined: Examined | undefined;
  let kills = 0;
  // A twin that was caught need not be killed again.
  while (kills < KILLS[form] && !signal.aborted && !examined?.broken.length) {
    progress(`${kills} kills, ${lives.acknowledged.length} answers`, kills / KILLS[form]);
    await withServers((serve) => liveOnce(serve, lives, kills));
    kills++;
    examined = examine(lives.data, lives.acknowledged);
  }
  // Whatever was left is good enough to go on with, and to end in order.
  const ended = await withServers(async (serve) => (await startServer(serve, lives)).terminate());
  const slow = lives.readyUndisturbedMs.filter((ms) => ms > READY_WITHIN_MS);
  return {
    figures: {
      kills,
      answers: lives.acknowledged.length,
      records: (examined?.decisions ?? 0) + (examined?.events ?? 0),
      approvals_used: lives.used,
      slowest_ready_ms: Math.round(Math.max(...lives.readyMs)),
      slowest_ready_undisturbed_ms: Math.round(Math.max(...lives.readyUndisturbedMs)),
    },
    broken: [
      ...(examined?.broken ?? []),
      ...(slow.length > 0 ? [`ready only after ${slow.map(Math.round).join(", ")} ms, not counting the time that it waited for a core`] : []),
      ...(ended.code === 0 ? [] : [`after the last kill it ended with ${ended.code ?? ended.signal}`]),
    ],
  };
}

async function startServer(serve: Serve, { data, breakages, readyMs, readyUndisturbedMs }: Lives): Promise<Served> {
  const server = await serve({ data, ...brokenBy(breakages) });
  readyMs.push(server.readyMs);
  readyUndisturbedMs.push(server.readyUndisturbedMs);
  return server;
}

/** From its start to its death under load. */
async function liveOnce(serve: Serve, lives: Lives, number: number): Promise<void> {
  const { acknowledged, random } = lives;
  const server = await startServer(serve, lives);
  const [enforcer, approver] = [server.client("enforcer"), server.client("approver")];
  for (const approved of lives.approved.slice(-TRIED_AGAIN)) {
    const { acknowledged: answer } = await ask(enforcer, useOf(approved, "again"));
    if (answer) acknowledged.push(answer);
  }
  const asking = startAsking({ client: enforcer, concurrency: ASKERS, requestOf: variedRequests(`life-${number}`) });
  const consuming = startConsuming({ enforcer, approver, prefix: `life-${number}`, lanes: CONSUMERS });
  await untilUsed(() => consuming.used() > 0 && asking.acknowledged.length > 0, server);
  await setTimeout(random(LOAD_MS_MAX));
  await server.kill();
  await Promise.all([asking.stop(), consuming.stop()]);
  acknowledged.push(...asking.acknowledged, ...consuming.acknowledged);
  lives.approved = consuming.approved;
  lives.used += consuming.used();
}

const FIRST_USE_WITHIN_MS = 30_000;

async function untilUsed(isUsed: () => boolean, server: Served): Promise<void> {
  for (const deadline = performance.now() + FIRST_USE_WITHIN_MS; !isUsed(); ) {
    if (performance.now() > deadline)
      throw new Error(`the server answered nothing for ${FIRST_USE_WITHIN_MS / 1_000} s: ${server.log().slice(-2_000)}`);
    await setTimeout(5);
  }
}
