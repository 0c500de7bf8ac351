import { setTimeout } from "node:timers/promises";
import { type ClosedLoad, connect, type Load, type OpenLoad } from "../bench/http2-load.ts";
import { numberedBodies } from "../bench/numbered-bodies.ts";
import { CONVERSATIONS, DISTINCT, requestTemplates } from "../bench/requests.ts";
import { median, percentile, rounded } from "../bench/statistics.ts";
import { ask, codeName, variedRequests } from "./asking.ts";
import { type Breakage, brokenBy } from "./break.ts";
import type { Fault, Outcome, Setting } from "./fault.ts";
import { startControlling } from "./overload-control.ts";
import { watchResident } from "./resident.ts";
import { type Served, withServers } from "./served.ts";
import { starvedMs, stopwatch } from "./starved.ts";

interface Offered {
  /** How often as much as can be answered. */
  readonly times: number;
  /** The share of it that still has to be answered in time. */
  readonly goodputMin: number;
}

const LOADS: readonly Offered[] = [
  { times: 2, goodputMin: 0.8 },
  { times: 5, goodputMin: 0.7 },
  { times: 10, goodputMin: 0.7 },
];
const ROUNDS = { short: 2, long: 20 } as const;
const CAPACITY_MS = { short: 700, long: 3_000 } as const;
const OVERLOAD_MS = { short: 3_000, long: 10_000 } as const;
/** Until it gets no faster. */
const WARM_UP_MS = { step: 1_500, most: 25_000 } as const;
const FASTER = 1.1;
const CONNECTIONS = 32;
/** Calls at once that keep the server as busy as it can be. */
const CONCURRENCY = 512;
/** An answer later than that is of no use: whoever asked has taken it for a no. */
const DEADLINE_MS = 1_000;
/** All callers together wait for as many answers as take that long; what is beyond they do not send. */
const OUTSTANDING_MS = 1_800;
const CONTROL_WITHIN_MS = 1_000;
/** Who is held before he is refused is told later than whoever is refused at once, but still told. */
const REFUSED_WITHIN_MS = { median: DEADLINE_MS, p99: 2 * DEADLINE_MS } as const;
const RECOVERED_WITHIN_MS = 30_000;
const RESIDENT_MIB_MAX = 1_024;

export const overload: Fault = {
  name: "overload",
  claim:
    "asked for 2, 5 and 10 times what it can answer, a server answers in time at least 80, 70 and 70 % of what it could, refuses the rest, and heeds control within 1 s",
  strike: (setting) => overloadServer(setting, { loads: LOADS, rounds: ROUNDS[setting.form], breakages: [] }),
  control: {
    says: "the server begins every decision, however many wait",
    strike: (setting) => overloadServer(setting, { loads: LOADS.slice(-1), rounds: 3, breakages: BEGINS_ALL }),
  },
};

const BEGINS_ALL: readonly Breakage[] = [
  {
    file: "src/endpoints/grpc/admission.ts",
    passage: "    this.#turnSoon();\n    const nowMs",
    instead: "    return waiting.begin(), () => undefined;\n    const nowMs",
  },
];

interface Overload {
  readonly loads: readonly Offered[];
  readonly rounds: number;
  readonly breakages: readonly Breakage[];
}

async function overloadServer(setting: Setting, { loads, rounds, breakages }: Overload): Promise<Outcome> {
  return withServers(async (serve) => {
    const server = await serve({ data: setting.directory, flags: ["--log-level", "warn"], ...(breakages.length > 0 && brokenBy(breakages)) });
    const resident = watchResident(server);
    const path = "/behest.v1.DecisionService/Decide";
    const load = await connect({ address: server.address, path, token: server.token("enforcer"), connections: CONNECTIONS });
    const measuring = createMeasuring(load, server, setting);
    await measuring.warmUp();
    const controlling = await startControlling(server);
    const asking = startAskingNowAndThen(server);
    const slices: Slice[] = [];
    for (let round = 0; round < rounds && !setting.signal.aborted; round++) {
      setting.progress(`round ${round + 1} of ${rounds}`, round / rounds);
      for (const offered of loads) slices.push(await measuring.overload(offered));
    }
    const recoveredMs = await recovered(server);
    const control = await controlling.stop();
    const asked = await asking.stop();
    load.close();
    return judge({ loads, slices, recoveredMs, control, asked, residentMib: resident.stop() });
  });
}

interface Slice {
  readonly times: number;
  /** Answered in time, as a share of what was answered just before and after. */
  readonly goodput: number;
  readonly capacityPerS: number;
  readonly failed: Readonly<Record<string, number>>;
}

interface Capacity {
  /** Answers in a second in which the server had a processor when it wanted one. */
  readonly perS: number;
  /** Answers in a second of the wall's clock. */
  readonly wallPerS: number;
  /** How much longer everything takes because others use the machine as well. */
  readonly stretch: number;
}

/** More than that nobody can take for the same machine, only slower. */
const STRETCH_MAX = 4;

/**
 * Capacity and overload take turns, so that what the machine does besides is in both; and rates are those of the time in which the server's thread had
 * a processor when it wanted one.
 */
function createMeasuring(load: Load, { pid }: Served, { form }: Setting) {
  const bodies = numberedBodies(requestTemplates(DISTINCT, CONVERSATIONS));
  let lastPerS = 0;
  const run = async (asked: Omit<OpenLoad, "bodies"> | Omit<ClosedLoad, "bodies">) => {
    const starvedBefore = starvedMs(pid);
    const result = await load.run({ ...asked, bodies });
    return { ...result, seconds: result.seconds - (starvedMs(pid) - starvedBefore) / 1_000, wallSeconds: result.seconds };
  };
  const capacity = async (durationMs: number): Promise<Capacity> => {
    const { calls, seconds, wallSeconds } = await run({ durationMs, concurrency: CONCURRENCY });
    lastPerS = calls / seconds;
    return { perS: lastPerS, wallPerS: calls / wallSeconds, stretch: Math.min(wallSeconds / seconds, STRETCH_MAX) };
  };
  return {
    async warmUp(): Promise<void> {
      const began = performance.now();
      for (let before = 0; performance.now() - began < WARM_UP_MS.most; before = lastPerS) {
        const { perS } = await capacity(WARM_UP_MS.step);
        if (perS < before * FASTER) return;
      }
    },
    async overload({ times }: Offered): Promise<Slice> {
      const before = await capacity(CAPACITY_MS[form]);
      const { calls, late, failed, seconds } = await run({
        durationMs: OVERLOAD_MS[form] * before.stretch,
        ratePerSecond: times * before.wallPerS,
        lateAfterMs: DEADLINE_MS * before.stretch,
        outstandingMax: Math.ceil((before.wallPerS * OUTSTANDING_MS * before.stretch) / 1_000),
      });
      const after = await capacity(CAPACITY_MS[form]);
      const capacityPerS = (before.perS + after.perS) / 2;
      return { times, goodput: (calls - late) / seconds / capacityPerS, capacityPerS, failed };
    },
  };
}

interface Asked {
  /** How long it took until a decision was refused. */
  readonly refusedMs: readonly number[];
  readonly answered: number;
  readonly broken: readonly string[];
}

const NOW_AND_THEN_MS = 40;

/** One more caller, with a client as callers have them: what he is told when he is refused, and how soon. */
function startAskingNowAndThen(server: Served): { stop(): Promise<Asked> } {
  const client = server.client("enforcer", { timeoutMs: 10_000 });
  const requestOf = variedRequests("now-and-then");
  const refusedMs: number[] = [];
  const broken: string[] = [];
  let answered = 0;
  let stopped = false;
  const lane = async (): Promise<void> => {
    for (let number = 0; !stopped; number++) {
      const took = stopwatch(server.pid);
      const { error } = await ask(client, requestOf(number));
      if (!error) answered++;
      else if (codeName(error) !== "RESOURCE_EXHAUSTED") broken.push(`a caller was told ${codeName(error)}: ${error.message}`);
      else {
        refusedMs.push(took());
        const saysWhen = error.status?.details.some(({ typeUrl }) => typeUrl.endsWith("google.rpc.RetryInfo"));
        if (!saysWhen) broken.push(`a caller was refused, and not told when to try again: ${error.message}`);
      }
      await setTimeout(NOW_AND_THEN_MS);
    }
  };
  const done = lane();
  done.catch(() => undefined);
  return {
    async stop() {
      stopped = true;
      await done;
      return { refusedMs, answered, broken: broken.slice(0, 3) };
    },
  };
}

const QUICK_MS = 100;

/** How long it takes until decisions are made as if nothing had been. */
async function recovered(server: Served): Promise<number> {
  const client = server.client("enforcer", { timeoutMs: RECOVERED_WITHIN_MS });
  const requestOf = variedRequests("recovered");
  const began = performance.now();
  for (let number = 0; performance.now() - began < RECOVERED_WITHIN_MS; number++) {
    const took = stopwatch(server.pid);
    const { error } = await ask(client, requestOf(number));
    if (!error && took() <= QUICK_MS) return performance.now() - began;
    await setTimeout(20);
  }
  return Number.POSITIVE_INFINITY;
}

interface Seen {
  readonly loads: readonly Offered[];
  readonly slices: readonly Slice[];
  readonly recoveredMs: number;
  /** How long each call took that stops something or asks for health. */
  readonly control: Readonly<Record<string, readonly number[]>>;
  readonly asked: Asked;
  readonly residentMib: number;
}

function judge({ loads, slices, recoveredMs, control, asked, residentMib }: Seen): Outcome {
  const goodput = loads.map(({ times }) => median(slices.filter((slice) => slice.times === times).map((slice) => slice.goodput)));
  const refused = slices.reduce((sum, { failed }) => sum + (failed["RESOURCE_EXHAUSTED"] ?? 0), 0);
  const unclear = slices.flatMap(({ failed }) => Object.entries(failed).filter(([why]) => why !== "RESOURCE_EXHAUSTED"));
  const longest = Object.fromEntries(Object.entries(control).map(([what, tookMs]) => [what, Math.round(Math.max(0, ...tookMs))]));
  const refusedMedianMs = asked.refusedMs.length === 0 ? 0 : Math.round(median(asked.refusedMs));
  const refusedP99Ms = asked.refusedMs.length === 0 ? 0 : Math.round(percentile([...asked.refusedMs], 0.99));
  return {
    figures: {
      capacity_per_s: Math.round(median(slices.map(({ capacityPerS }) => capacityPerS))),
      ...Object.fromEntries(loads.map(({ times }, index) => [`goodput_at_${times}`, rounded(goodput[index] ?? 0, 2)])),
      refused,
      refused_median_ms: refusedMedianMs,
      refused_p99_ms: refusedP99Ms,
      ...Object.fromEntries(Object.entries(longest).map(([what, ms]) => [`${what}_longest_ms`, ms])),
      recovered_ms: Math.round(recoveredMs),
      resident_mib: residentMib,
    },
    broken: [
      ...loads.flatMap(({ times, goodputMin }, index) => {
        const share = rounded(goodput[index] ?? 0, 2);
        return share >= goodputMin ? [] : [`asked for ${times} times as much, it answered ${share} of what it can, not ${goodputMin}`];
      }),
      ...unclear.slice(0, 3).map(([why, count]) => `${count} calls failed, and not by being refused: ${why}`),
      ...Object.entries(longest).flatMap(([what, ms]) => (ms <= CONTROL_WITHIN_MS ? [] : [`${what} took ${ms} ms`])),
      ...(refusedMedianMs > REFUSED_WITHIN_MS.median || refusedP99Ms > REFUSED_WITHIN_MS.p99
        ? [`a refusal took ${refusedMedianMs} ms at the median, ${refusedP99Ms} ms at p99`]
        : []),
      ...asked.broken,
      ...(recoveredMs <= RECOVERED_WITHIN_MS ? [] : ["it had not recovered after 30 s"]),
      ...(residentMib <= RESIDENT_MIB_MAX ? [] : [`it took ${residentMib} MiB of memory`]),
    ],
  };
}
