import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { measureOnce, warmUp } from "./measure.ts";
import type { Bench, Scale, Section, SectionReport } from "./section.ts";
import { decideTarget, startBehest } from "./servers.ts";
import { rounded } from "./statistics.ts";
import { openTasks } from "./tasks.ts";

/** Where the main thread spends its time while it answers `Decide`: V8's sampling profile of a server under load, by part of the program. */
export const profile: Section = {
  name: "profile",
  says: "where the main thread spends its time, by part and by function",
  run: measureProfile,
};

const RUN_MS: Readonly<Record<Scale, number>> = { full: 6_000, quick: 3_000, check: 3_000 };
const WARM_UP_MS = 4_000;
const CONCURRENCY = 128;
const TASKS = 100;

async function measureProfile({ stage, scale, tell }: Bench): Promise<SectionReport> {
  tell("starting a server that samples itself");
  const directory = join(stage.directory, "profile");
  mkdirSync(directory);
  const server = await startBehest(stage, { name: "profiled", settings: { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${directory}` } });
  const target = await decideTarget(server, { says: "Decide, profiled", asked: await openTasks(server, TASKS) });
  await warmUp(target, CONCURRENCY, WARM_UP_MS);
  tell("Decide, 128 at a time");
  const { result, othersPercent } = await measureOnce(target, { concurrency: CONCURRENCY, durationMs: RUN_MS[scale] });
  target.load.close();
  await server.process.stop();
  return reportOf(sampledIn(mainThreadProfile(directory), result.seconds), Math.round(othersPercent));
}

interface Frame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
}

interface Profile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: Frame; readonly children?: readonly number[] }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** One file for each thread, named by its number; the main thread's is 0. */
function mainThreadProfile(directory: string): Profile {
  const file = readdirSync(directory).find((name) => /^CPU\.\d+\.\d+\.\d+\.0\./.test(name));
  if (file === undefined) throw new Error("the server left no profile of its main thread");
  return JSON.parse(readFileSync(join(directory, file), "utf8"));
}

interface Sampled {
  readonly part: string;
  readonly where: string;
  readonly us: number;
}

const IDLE = "(idle)";

/** What was sampled in the last so many seconds in which the thread was not idle: the run, and the little that ends the server. */
function sampledIn({ nodes, samples, timeDeltas }: Profile, seconds: number): readonly Sampled[] {
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  /** What is V8's own, or one of Node's tools, counts for whoever called it. */
  const placed = (id: number): Frame | undefined => {
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      const frame = frames.get(at);
      if (frame && ((frame.url !== "" && !TOOLS.test(frame.url)) || frame.functionName.startsWith("("))) return frame;
    }
    return undefined;
  };
  const found: Sampled[] = [];
  let leftUs = seconds * 1e6;
  for (let index = samples.length - 1; index >= 0 && leftUs > 0; index--) {
    const id = samples[index] ?? 0;
    const us = timeDeltas[index] ?? 0;
    const [own, frame] = [frames.get(id), placed(id)];
    if (!own || !frame || own.functionName === IDLE) continue;
    leftUs -= us;
    found.push({ part: partOf(frame), where: whereOf(own, frame), us });
  }
  return found;
}

const TOOLS = /^node:(internal\/)?(crypto|buffer|fs|util|worker|per_context)/;

const PARTS: readonly (readonly [pattern: RegExp, part: string])[] = [
  [/\/node_modules\/@grpc\//, "grpc-js"],
  [/^node:/, "HTTP/2, sockets and streams of Node"],
  [/\/node_modules\/@bufbuild\//, "protobuf"],
  [/\/src\/gen\//, "protobuf"],
  [/\/src\/(endpoints|doors|identity|limits)/, "endpoint: tokens, limits, between wire and core"],
  [/\/src\/(core|policy|inference|results)\//, "the decision: facts, rules, intent, record"],
  [/\/src\/storage\//, "ledger: handing over to the writer's thread"],
  [/\/node_modules\/(pino|sonic-boom)/, "log"],
];

function partOf({ functionName, url }: Frame): string {
  if (url === "") return functionName === "(garbage collector)" ? "garbage collection" : "V8 and system calls without a place";
  return PARTS.find(([pattern]) => pattern.test(url))?.[1] ?? "everything else";
}

const whereOf = (own: Frame, { url, lineNumber }: Frame): string =>
  url === "" ? own.functionName : `${own.functionName || "(anonymous)"} ${url.replace(/^.*\/(?=(src|node_modules)\/)/, "")}:${lineNumber + 1}`;

const FUNCTIONS_SHOWN = 20;

function reportOf(sampled: readonly Sampled[], othersPercent: number): SectionReport {
  const parts = sharesBy(sampled, ({ part }) => part);
  const functions = sharesBy(sampled, ({ where }) => where).slice(0, FUNCTIONS_SHOWN);
  return {
    figures: { parts, functions },
    tables: [
      { title: `The main thread while it answers Decide, ${CONCURRENCY} at a time, by part of the program.`, rows: parts },
      { title: "The functions that take most of it themselves.", rows: functions },
    ],
    musts: [],
    othersPercent,
    ratios: {},
  };
}

function sharesBy(sampled: readonly Sampled[], nameOf: (sample: Sampled) => string) {
  const sums = new Map<string, number>();
  for (const sample of sampled) sums.set(nameOf(sample), (sums.get(nameOf(sample)) ?? 0) + sample.us);
  const all = sampled.reduce((sum, { us }) => sum + us, 0);
  return [...sums].sort(([, a], [, b]) => b - a).map(([what, us]) => ({ what, "share %": rounded((100 * us) / all, 1) }));
}
