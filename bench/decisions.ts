import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import * as wire from "../src/gen/behest/v1/decision_pb.ts";
import { connect, type Load, type LoadResult } from "./http2-load.ts";
import { type CpuTime, machineBusyMs, type ServerProcess, type Stage } from "./processes.ts";
import { again, encodeRequests, once, type RequestKind } from "./requests.ts";
import { median, rounded } from "./statistics.ts";

/** How long and how often to measure. */
export interface Plan {
  readonly warmUpMs: number;
  /** CPU time is counted in hundredths of a second, so seconds are needed. */
  readonly runMs: number;
  readonly repetitions: number;
  readonly concurrencies: readonly number[];
}

/** What one server took, the median of the repetitions. */
export interface ServerFigures {
  readonly perSecond: number;
  readonly mainThreadUs: number;
  readonly processUs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Main-thread µs of each repetition: how far they lie apart is the noise. */
  readonly repetitions: readonly number[];
  /** What work other than the benchmark's took of the whole machine meanwhile; above 5 or so the figures are of a disturbed machine. */
  readonly othersPercent: number;
}

export interface AtConcurrency {
  readonly concurrency: number;
  readonly decide: ServerFigures;
  /** A bare grpc-js server that answers the same bytes with 200 of its own. */
  readonly echo: ServerFigures;
  /** Main thread of `decide` over that of `echo`. */
  readonly ratio: number;
}

export interface Variant {
  readonly says: string;
  readonly figures: ServerFigures;
}

export interface DecisionReport {
  readonly byConcurrency: readonly AtConcurrency[];
  /** All at the same concurrency. */
  readonly variants: { readonly concurrency: number; readonly rows: readonly Variant[] };
}

type Tell = (what: string) => void;

/** Starts both servers, each with every setting at its default, and measures them in turn: A B A B. */
export async function measureDecisions(stage: Stage, plan: Plan, tell: Tell): Promise<DecisionReport> {
  const targets = await startTargets(stage);
  try {
    tell("warming both servers up");
    for (const target of [targets.decide, targets.echo]) await measureOnce(target, { kind: MISS, concurrency: 128, durationMs: plan.warmUpMs });
    const byConcurrency: AtConcurrency[] = [];
    for (const concurrency of plan.concurrencies) {
      tell(`Decide and echo, ${concurrency} at a time`);
      byConcurrency.push(await compareAt(targets, plan, concurrency));
    }
    tell("forms of arguments, and the decision cache");
    return { byConcurrency, variants: { concurrency: VARIANTS_AT, rows: await measureVariants(targets.decide, plan) } };
  } finally {
    targets.decide.connections.close();
    targets.echo.connections.close();
  }
}

interface Target {
  readonly server: ServerProcess;
  readonly connections: Load;
  readonly bodies: (kind: RequestKind, durationMs: number) => Iterator<Buffer, undefined>;
  /** Whether the answers are what the figures are said to be of. @throws {Error} */
  readonly check: (kept: readonly Buffer[], kind: RequestKind) => void;
}

const MISS: RequestKind = { variety: "distinct", form: "json" };

async function startTargets(stage: Stage): Promise<{ readonly decide: Target; readonly echo: Target }> {
  const data = join(stage.directory, "data");
  const behest = await stage.start("../src/cli/main.ts", ["serve", "--data", data, "--grpc", "127.0.0.1:0"]);
  const echo = await stage.start("./echo-server.ts", []);
  const token = readFileSync(join(data, "enforcer.token"), "utf8").trim();
  const path = `/${wire.DecisionService.typeName}/Decide`;
  let sent = 0;
  return {
    decide: {
      server: behest,
      connections: await connect({ address: behest.address, path, token }),
      bodies(kind, durationMs) {
        const count = mostCalls(durationMs);
        const bodies = encodeRequests(kind, sent, count);
        sent += count;
        return kind.variety === "identical" ? again(bodies) : once(bodies);
      },
      check: checkDecisions,
    },
    echo: {
      server: echo,
      connections: await connect({ address: echo.address, path: "/behest.bench.Echo/Echo", token }),
      bodies: (kind) => again(encodeRequests(kind, 0, 1_000)),
      check: () => undefined,
    },
  };
}

/** More than this machine's kind can decide; a run that uses them all up just ends earlier. */
const DECISIONS_PER_SECOND_MAX = 15_000;
const mostCalls = (durationMs: number): number => Math.ceil((durationMs / 1_000) * DECISIONS_PER_SECOND_MAX);

function checkDecisions(kept: readonly Buffer[], { variety }: RequestKind): void {
  for (const body of kept) {
    const { outcome, recorded, cache } = fromBinary(wire.DecideResponseSchema, body);
    if (outcome !== wire.Outcome.ALLOW || !recorded) throw new Error("a decision was not a recorded ALLOW: the figures would be of something else");
    // The first of a kind is evaluated; what is kept comes later.
    if (cache?.hit !== (variety !== "distinct")) throw new Error(`\`${variety}\` requests were ${cache?.hit ? "" : "not "}answered from the cache`);
  }
}

async function compareAt(
  { decide, echo }: { readonly decide: Target; readonly echo: Target },
  plan: Plan,
  concurrency: number,
): Promise<AtConcurrency> {
  const figures: { readonly decide: Run[]; readonly echo: Run[] } = { decide: [], echo: [] };
  for (let repetition = 0; repetition < plan.repetitions; repetition++) {
    figures.decide.push(await measureOnce(decide, { kind: MISS, concurrency, durationMs: plan.runMs }));
    figures.echo.push(await measureOnce(echo, { kind: MISS, concurrency, durationMs: plan.runMs }));
  }
  const ours = summarise(figures.decide);
  const bare = summarise(figures.echo);
  return { concurrency, decide: ours, echo: bare, ratio: rounded(ours.mainThreadUs / bare.mainThreadUs, 2) };
}

const VARIANTS_AT = 32;

const VARIANTS: readonly { readonly says: string; readonly kind: RequestKind }[] = [
  { says: "arguments_json, every fact new: evaluated", kind: MISS },
  { says: "arguments as a Struct, every fact new: evaluated", kind: { variety: "distinct", form: "struct" } },
  { says: "arguments_json, another file each time: from the cache", kind: { variety: "same_facts", form: "json" } },
  { says: "arguments_json, the same request again: from the cache", kind: { variety: "identical", form: "json" } },
];

/** In turn, so that what grows or warms up in the meantime falls upon all alike. */
async function measureVariants(target: Target, plan: Plan): Promise<readonly Variant[]> {
  const runs = VARIANTS.map((): Run[] => []);
  for (let repetition = 0; repetition < plan.repetitions; repetition++) {
    for (const [at, { kind }] of VARIANTS.entries()) {
      runs[at]?.push(await measureOnce(target, { kind, concurrency: VARIANTS_AT, durationMs: plan.runMs / 2 }));
    }
  }
  return VARIANTS.map(({ says }, at) => ({ says, figures: summarise(runs[at] ?? []) }));
}

interface Run {
  readonly load: LoadResult;
  readonly cpu: CpuTime;
  readonly othersPercent: number;
}

interface Measuring {
  readonly kind: RequestKind;
  readonly concurrency: number;
  readonly durationMs: number;
}

async function measureOnce({ server, connections, bodies, check }: Target, { kind, concurrency, durationMs }: Measuring): Promise<Run> {
  const encoded = bodies(kind, durationMs);
  const before = readClocks(server);
  const load = await connections.run({ concurrency, durationMs, bodies: encoded });
  const after = readClocks(server);
  refuseFailures(load);
  check(load.kept, kind);
  const cpu = { mainThreadMs: after.server.mainThreadMs - before.server.mainThreadMs, processMs: after.server.processMs - before.server.processMs };
  const othersMs = after.machineMs - before.machineMs - cpu.processMs - (after.loadMs - before.loadMs);
  return { load, cpu, othersPercent: Math.max(0, othersMs / (load.seconds * 10 * availableParallelism())) };
}

function refuseFailures({ failed }: LoadResult): void {
  const [why] = Object.entries(failed).map(([reason, count]) => `${count} calls failed: ${reason}`);
  if (why !== undefined) throw new Error(why);
}

interface Clocks {
  readonly server: CpuTime;
  readonly machineMs: number;
  /** This process: the load. */
  readonly loadMs: number;
}

function readClocks(server: ServerProcess): Clocks {
  const { user, system } = process.cpuUsage();
  return { server: server.cpu(), machineMs: machineBusyMs(), loadMs: (user + system) / 1_000 };
}

function summarise(runs: readonly Run[]): ServerFigures {
  const perCall = (ms: (run: Run) => number): readonly number[] => runs.map((run) => rounded((ms(run) * 1_000) / run.load.calls, 1));
  const mainThread = perCall(({ cpu }) => cpu.mainThreadMs);
  return {
    perSecond: Math.round(median(runs.map(({ load }) => load.calls / load.seconds))),
    mainThreadUs: rounded(median(mainThread), 1),
    processUs: rounded(median(perCall(({ cpu }) => cpu.processMs)), 1),
    p50Ms: rounded(median(runs.map(({ load }) => load.p50Ms)), 2),
    p99Ms: rounded(median(runs.map(({ load }) => load.p99Ms)), 2),
    repetitions: mainThread,
    othersPercent: Math.round(median(runs.map(({ othersPercent }) => othersPercent))),
  };
}
