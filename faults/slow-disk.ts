import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fromBinary } from "@bufbuild/protobuf";
import Sqlite from "better-sqlite3";
import { connect, type Load, type LoadResult } from "../bench/http2-load.ts";
import { numberedBodies } from "../bench/numbered-bodies.ts";
import { CONVERSATIONS, DISTINCT, requestTemplates } from "../bench/requests.ts";
import { DATABASE_FILE } from "../src/data-directory.ts";
import { DecideResponseSchema } from "../src/gen/behest/v1/decision_pb.ts";
import { type Breakage, brokenBy } from "./break.ts";
import { examine } from "./examine.ts";
import type { Fault, Outcome, Setting } from "./fault.ts";
import { type Served, withServers } from "./served.ts";
import { buildShim, type Shim } from "./shim/shim.ts";

const UNBOUNDED = "Number.MAX_SAFE_INTEGER";

/** What takes whatever comes. */
const QUEUES_ALL: readonly Breakage[] = [
  { file: "src/service.ts", passage: "turnsWaitingMax: config.turns_waiting_max", instead: `turnsWaitingMax: ${UNBOUNDED}` },
  { file: "src/grpc-limits.ts", passage: "decisionsInFlightMax: config.decisions_in_flight_max", instead: `decisionsInFlightMax: ${UNBOUNDED}` },
  { file: "src/grpc-limits.ts", passage: "queueAgeMaxMs: config.queue_age_max_ms", instead: `queueAgeMaxMs: ${UNBOUNDED}` },
];

export const slowDisk: Fault = {
  name: "slow-disk",
  claim:
    "when every fsync takes 20 or 200 ms longer and more is asked than that takes, the queue stays bounded, whoever is not served is told RESOURCE_EXHAUSTED, and memory stays within 512 MB",
  strike: (setting) => slowDown(setting, { delaysMs: [20, 200], breakages: [] }),
  control: {
    says: "whatever is asked is queued",
    strike: (setting) => slowDown({ ...setting, form: "short" }, { delaysMs: [200], breakages: QUEUES_ALL }),
  },
};

interface Slowing {
  readonly delaysMs: readonly number[];
  readonly breakages: readonly Breakage[];
}

const CONNECTIONS = 16;
const OUTSTANDING_MAX = 16_000;
const FEW = 32;
const MANY = 512;
const MEASURE_MS = 1_500;
const OVERLOAD_MS = { short: 3_000, long: 60_000 } as const;
/** Offered, of what was taken with a few hundred calls at a time. */
const OVERLOAD = 3;
const DOUBLED_MAX = 3;
/** `turns_waiting_max`, and as many again that are being decided. */
const QUEUE_MAX = 4_096;
const RESIDENT_MAX_KIB = 512 * 1_024;
const LOOK_EVERY_MS = 100;
/** After the overload, for what is still under way. */
const LAST_CALLS_MS = 8_000;
const WARM_UP_MS = 1_000;
const AFTERWARDS_MS = 500;

/** How it went with one delay. */
interface Slowed {
  readonly delayMs: number;
  readonly taken: number;
  readonly offered: number;
  readonly overloaded: LoadResult;
  readonly after: LoadResult;
  readonly queueMost: number;
}

async function slowDown(setting: Setting, { delaysMs, breakages }: Slowing): Promise<Outcome> {
  const data = join(setting.directory, "data");
  mkdirSync(data);
  const shim = await buildShim({ directory: setting.directory, data, records: false });
  if ("obstacle" in shim) return { figures: {}, broken: [], skipped: shim.obstacle };
  const slowed: Slowed[] = [];
  const resident = await withServers(async (serve) => {
    const twin = brokenBy(breakages);
    const server = await serve({ data, flags: ["--log-level", "warn"], ...twin, environment: { ...twin.environment, ...shim.environment } });
    const load = await connect({
      address: server.address,
      path: "/behest.v1.DecisionService/Decide",
      token: server.token("enforcer"),
      connections: CONNECTIONS,
    });
    for (const delayMs of delaysMs) slowed.push(await slowDownBy(delayMs, { server, shim, load, setting }));
    load.close();
    const most = server.residentMostKib();
    await server.terminate();
    return most;
  });
  const lost = missing(data, slowed);
  return {
    figures: {
      ...Object.fromEntries(slowed.flatMap(figuresOf)),
      resident_most_mib: Math.round(resident / 1_024),
    },
    broken: [
      ...slowed.flatMap(brokenPromises),
      ...(resident > RESIDENT_MAX_KIB ? [`it held ${Math.round(resident / 1_024)} MiB of memory`] : []),
      ...(lost > 0 ? [`${lost} decisions that were answered have no record`] : []),
      ...examine(data).broken,
    ],
  };
}

interface Slow {
  readonly server: Served;
  readonly shim: Shim;
  readonly load: Load;
  readonly setting: Setting;
}

async function slowDownBy(delayMs: number, slow: Slow): Promise<Slowed> {
  const { shim, load, setting } = slow;
  const bodies = numberedBodies(requestTemplates(DISTINCT, CONVERSATIONS));
  await load.run({ concurrency: FEW, durationMs: WARM_UP_MS, bodies });
  shim.strikes.set([{ what: "sync", suffix: "*", nth: 1, delayMs }]);
  setting.progress(`what is taken with ${delayMs} ms more for each fsync`);
  const measured = await load.run({ concurrency: MANY, durationMs: MEASURE_MS, bodies });
  const taken = Math.round(measured.calls / measured.seconds);
  let offered = OVERLOAD * taken;
  let overloading = await overload(offered, slow, bodies);
  // What was measured is what it took at that moment: where all of it is served, it was not more than it takes.
  for (let doubled = 0; doubled < DOUBLED_MAX && Object.keys(overloading.overloaded.failed).length === 0; doubled++) {
    offered *= 2;
    overloading = await overload(offered, slow, bodies);
  }
  shim.strikes.set([]);
  const after = await load.run({ concurrency: FEW, durationMs: AFTERWARDS_MS, bodies });
  return { delayMs, taken, offered, after, ...overloading };
}

async function overload(
  ratePerSecond: number,
  { server, load, setting }: Slow,
  bodies: Iterator<Buffer, undefined>,
): Promise<Pick<Slowed, "overloaded" | "queueMost">> {
  setting.progress(`${ratePerSecond} calls a second`);
  const watching = watchQueue(server);
  const overloaded = await load.run({
    ratePerSecond,
    durationMs: OVERLOAD_MS[setting.form],
    lateAfterMs: Number.POSITIVE_INFINITY,
    outstandingMax: OUTSTANDING_MAX,
    bodies,
    keptEvery: 7,
    lastCallsMs: LAST_CALLS_MS,
  });
  return { overloaded, queueMost: await watching.stop() };
}

/** Turns that wait for the disk, as its metrics tell, now and then. */
function watchQueue({ http, token }: Served): { stop(): Promise<number> } {
  let [most, stopped] = [0, false];
  const headers = { authorization: `Bearer ${token("auditor")}` };
  const look = async (): Promise<void> => {
    while (!stopped) {
      const text = await fetch(`http://${http}/metrics`, { headers }).then((answer) => answer.text());
      const turns = /^behest_ledger_queue_turns (\d+)$/m.exec(text)?.[1];
      if (turns === undefined) throw new Error("the metrics do not tell how long the queue is");
      most = Math.max(most, Number(turns));
      await setTimeout(LOOK_EVERY_MS);
    }
  };
  const looking = look();
  looking.catch(() => undefined);
  return {
    async stop() {
      stopped = true;
      await looking;
      return most;
    },
  };
}

const figuresOf = ({ delayMs, taken, offered, overloaded, queueMost }: Slowed): readonly (readonly [string, number])[] => [
  [`taken_per_second_at_${delayMs}_ms`, taken],
  [`offered_per_second_at_${delayMs}_ms`, offered],
  [`answered_at_${delayMs}_ms`, overloaded.calls],
  [`refused_at_${delayMs}_ms`, overloaded.failed["RESOURCE_EXHAUSTED"] ?? 0],
  [`unsent_at_${delayMs}_ms`, overloaded.unsent],
  [`answered_p99_ms_at_${delayMs}_ms`, Math.round(overloaded.p99Ms)],
  [`queue_most_at_${delayMs}_ms`, queueMost],
];

function brokenPromises({ delayMs, overloaded, after, queueMost }: Slowed): readonly string[] {
  const { RESOURCE_EXHAUSTED: refused = 0, ...otherwise } = overloaded.failed;
  const others = Object.entries({ ...otherwise, ...after.failed });
  const says = `with ${delayMs} ms more`;
  return [
    ...(queueMost <= QUEUE_MAX ? [] : [`${says}: ${queueMost} turns waited for the disk`]),
    ...(refused > 0 ? [] : [`${says}: nobody was refused`]),
    ...(overloaded.calls > 0 ? [] : [`${says}: nobody was answered`]),
    ...others.map(([why, count]) => `${says}: ${count} calls ended with ${why}`),
    ...(after.calls > 0 ? [] : [`${says}: nobody was answered afterwards`]),
  ];
}

/** Of the answers that were kept, how many have no record. */
function missing(data: string, slowed: readonly Slowed[]): number {
  const db = new Sqlite(join(data, DATABASE_FILE), { readonly: true });
  try {
    const find = db.prepare("SELECT 1 FROM decisions WHERE decision_id = ?").pluck();
    const kept = slowed.flatMap(({ overloaded }) => overloaded.kept);
    return kept.filter((body) => find.get(fromBinary(DecideResponseSchema, body).decisionId) === undefined).length;
  } finally {
    db.close();
  }
}
