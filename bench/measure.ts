import { availableParallelism } from "node:os";
import type { ClosedLoad, Load, LoadResult, OpenLoad } from "./http2-load.ts";
import { type CpuTime, machineBusyMs, type ServerProcess } from "./processes.ts";
import { median, rounded } from "./statistics.ts";

/** A server, and what it is asked. */
export interface Target {
  readonly says: string;
  readonly process: Pick<ServerProcess, "cpu">;
  readonly load: ClosedLoading;
  readonly bodies: Iterator<Buffer, undefined>;
  /** Whether an answer is what the figures are said to be of. @throws {Error} */
  readonly check: (answer: Buffer) => void;
}

/** Something that asks at its own pace. */
export interface ClosedLoading {
  run(load: ClosedLoad): Promise<LoadResult>;
  close(): void;
}

/** What one server took, the median of the repetitions. */
export interface ServerFigures {
  readonly perSecond: number;
  readonly mainThreadUs: number;
  readonly processUs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** Main-thread µs of each repetition: how far they lie apart is the noise. */
  readonly repetitions: readonly number[];
  /** Calls per second of each repetition. */
  readonly rates: readonly number[];
  /** What work other than the benchmark's took of the whole machine meanwhile; above 5 or so the figures are of a disturbed machine. */
  readonly othersPercent: number;
  /** Calls that failed, in all repetitions. */
  readonly failed: number;
}

export interface Run {
  readonly result: LoadResult;
  readonly cpu: CpuTime;
  readonly othersPercent: number;
}

type Offered = Pick<ClosedLoad, "concurrency" | "durationMs">;
type OpenOffered = Pick<OpenLoad, "ratePerSecond" | "durationMs" | "lateAfterMs" | "outstandingMax">;

/** A server that is stalled by other work on the machine may refuse some; more than these, and the figures are of something else. */
const FAILED_SHARE_MAX = 0.05;

/** @throws {Error} when calls failed, or was answered otherwise than the figures say. */
export const measureOnce = (target: Target, offered: Offered): Promise<Run> =>
  measuring(target, () => target.load.run({ ...offered, bodies: target.bodies }));

/** The same of calls that come whatever becomes of those before. @throws {Error} */
export const measureOpen = (target: Target & { readonly load: Load }, offered: OpenOffered): Promise<Run> =>
  measuring(target, () => target.load.run({ ...offered, bodies: target.bodies }));

async function measuring({ process: server, check, says }: Target, run: () => Promise<LoadResult>): Promise<Run> {
  const before = readClocks(server);
  const result = await run();
  const after = readClocks(server);
  const failed = Object.values(result.failed).reduce((sum, count) => sum + count, 0);
  if (failed > FAILED_SHARE_MAX * result.calls)
    throw new Error(`${says}: ${failed} of ${failed + result.calls} calls failed: ${JSON.stringify(result.failed)}`);
  for (const answer of result.kept) check(answer);
  const cpu = { mainThreadMs: after.server.mainThreadMs - before.server.mainThreadMs, processMs: after.server.processMs - before.server.processMs };
  const othersMs = after.machineMs - before.machineMs - cpu.processMs - (after.loadMs - before.loadMs);
  return { result, cpu, othersPercent: Math.max(0, othersMs / (result.seconds * 10 * availableParallelism())) };
}

const WARM_UP_STEP_MS = 500;
/** As many times longer than it works, at most: on a machine that others use, it waits for its turn. */
const WARM_UP_MOST = 5;

/** Until the server has worked for so long: what is measured before it was compiled is something else, and time alone does not say that it was. */
export async function warmUp(target: Target, concurrency: number, workedMs: number): Promise<void> {
  const until = performance.now() + WARM_UP_MOST * workedMs;
  for (let worked = 0; worked < workedMs && performance.now() < until; ) {
    worked += (await measureOnce(target, { concurrency, durationMs: WARM_UP_STEP_MS })).cpu.processMs;
  }
}

/** All targets in turn in each repetition, so that a slow moment of the machine, and what grows meanwhile, strikes all of them. */
export async function measureInTurn<T extends Target>(targets: readonly T[], offered: Offered, repetitions: number): Promise<Map<T, ServerFigures>> {
  const runs = new Map<T, Run[]>(targets.map((target) => [target, []]));
  for (let repetition = 0; repetition < repetitions; repetition++) {
    for (const [target, made] of runs) made.push(await measureOnce(target, offered));
  }
  return new Map([...runs].map(([target, made]) => [target, summarise(made)]));
}

interface Clocks {
  readonly server: CpuTime;
  readonly machineMs: number;
  /** This process: the load. */
  readonly loadMs: number;
}

function readClocks(server: Target["process"]): Clocks {
  const { user, system } = process.cpuUsage();
  return { server: server.cpu(), machineMs: machineBusyMs(), loadMs: (user + system) / 1_000 };
}

export function summarise(runs: readonly Run[]): ServerFigures {
  const perCall = (ms: (run: Run) => number): readonly number[] => runs.map((run) => rounded((ms(run) * 1_000) / run.result.calls, 1));
  const mainThread = perCall(({ cpu }) => cpu.mainThreadMs);
  const latency = (ms: (result: LoadResult) => number): number => rounded(median(runs.map(({ result }) => ms(result))), 2);
  return {
    perSecond: Math.round(median(runs.map(({ result }) => result.calls / result.seconds))),
    mainThreadUs: rounded(median(mainThread), 1),
    processUs: rounded(median(perCall(({ cpu }) => cpu.processMs)), 1),
    p50Ms: latency(({ p50Ms }) => p50Ms),
    p95Ms: latency(({ p95Ms }) => p95Ms),
    p99Ms: latency(({ p99Ms }) => p99Ms),
    repetitions: mainThread,
    rates: runs.map(({ result }) => Math.round(result.calls / result.seconds)),
    failed: runs.flatMap(({ result }) => Object.values(result.failed)).reduce((sum, count) => sum + count, 0),
    othersPercent: Math.round(median(runs.map(({ othersPercent }) => othersPercent))),
  };
}

/**
 * The median of the ratios of each repetition: what was measured right after each other is compared, because the machine's own speed moves more in a
 * minute than what is looked for. Not a number where either is missing.
 */
export function ratioOf(over: ServerFigures | undefined, under: ServerFigures | undefined, figure: "rates" | "repetitions"): number {
  if (!over || !under) return Number.NaN;
  if (over[figure].length !== under[figure].length) throw new RangeError("what is compared was not measured in turn");
  return rounded(median(over[figure].map((each, repetition) => each / (under[figure][repetition] ?? Number.NaN))), 2);
}

/** Of all that a section measured. */
export const othersOf = (figures: readonly ServerFigures[]): number => Math.round(median(figures.map(({ othersPercent }) => othersPercent)));

export const figuresRow = (what: string, figures: ServerFigures) => ({
  what,
  "per second": figures.perSecond,
  "main thread µs": figures.mainThreadUs,
  "process µs": figures.processUs,
  "p50 ms": figures.p50Ms,
  "p95 ms": figures.p95Ms,
  "p99 ms": figures.p99Ms,
  "main thread µs, each": figures.repetitions.join(" "),
  failed: figures.failed,
  "others %": figures.othersPercent,
});
