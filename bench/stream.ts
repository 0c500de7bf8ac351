import { rmSync } from "node:fs";
import { join } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import * as wire from "../src/gen/behest/v1/decision_pb.ts";
import { connectBatches } from "./batch-load.ts";
import { figuresRow, measureInTurn, othersOf, type ServerFigures, type Target, warmUp } from "./measure.ts";
import { MARKER, numberedBodies } from "./numbered-bodies.ts";
import { type Asked, DISTINCT, requestOf, requestTemplates } from "./requests.ts";
import { type Bench, must, type Scale, type Section, type SectionReport } from "./section.ts";
import { type BehestServer, checkAnswer, startBehest } from "./servers.ts";
import { median, rounded } from "./statistics.ts";
import { connectStreams } from "./stream-load.ts";
import { openTasks } from "./tasks.ts";
import { readWritten, type Written, type WrittenAlone, writeAlone } from "./writer-alone.ts";

/**
 * Many decisions at once: `DecideStream` and `DecideBatch`, on disk and with the ledger in memory, beside what the writer takes of the same rows
 * when nobody decides.
 */
export const stream: Section = {
  name: "stream",
  says: "DecideStream and DecideBatch, beside the writer alone and with the ledger in memory",
  run: measureStreams,
};

interface Plan {
  /** Of the server's CPU time. */
  readonly warmUpMs: number;
  readonly runMs: number;
  readonly repetitions: number;
  readonly memory: boolean;
}

const PLANS: Readonly<Record<Scale, Plan>> = {
  full: { warmUpMs: 4_000, runMs: 2_000, repetitions: 3, memory: true },
  quick: { warmUpMs: 3_000, runMs: 1_000, repetitions: 2, memory: true },
  check: { warmUpMs: 2_500, runMs: 1_000, repetitions: 3, memory: false },
};

const TASKS = 100;
/** As many as four streams take. */
const IN_FLIGHT = 1_024;
const BATCH = 128;

async function measureStreams(bench: Bench): Promise<SectionReport> {
  const plan = PLANS[bench.scale];
  bench.tell("starting the servers");
  const durable = await targetsOf(await startBehest(bench.stage, { name: "stream" }), "");
  const memory = plan.memory
    ? await targetsOf(await startBehest(bench.stage, { name: "stream-memory", memory: true }), ", ledger in memory")
    : undefined;
  const all = [durable.stream, durable.batch, ...(memory ? [memory.stream, memory.batch] : [])];
  bench.tell("warming every server up");
  for (const target of all) await warmUp(target, IN_FLIGHT, plan.warmUpMs);
  bench.tell(`streams and batches, ${IN_FLIGHT} decisions in flight`);
  const figures = await measureInTurn(all, { concurrency: IN_FLIGHT, durationMs: plan.runMs }, plan.repetitions);
  for (const target of all) target.load.close();
  bench.tell("the writer alone, on the same rows");
  const written = readWritten(join(durable.server.data, "behest.db"));
  await durable.server.process.stop();
  const alone = await measureWriter(bench, written, plan);
  return reportOf({ rows: [...figures].map(([{ says }, made]) => ({ says, figures: made })), alone, ...ratesOf(figures, durable, memory) });
}

interface Targets {
  readonly server: BehestServer;
  readonly stream: Target;
  readonly batch: Target;
}

async function targetsOf(server: BehestServer, how: string): Promise<Targets> {
  const asked = await openTasks(server, TASKS);
  const { address, tokens, process } = server;
  return {
    server,
    stream: await streamTarget(server, asked, { says: `DecideStream${how}` }),
    batch: {
      says: `DecideBatch, ${BATCH} each${how}`,
      process,
      load: await connectBatches({ address, path: `/${wire.DecisionService.typeName}/DecideBatch`, token: tokens.enforcer }, BATCH),
      bodies: numberedBodies(requestTemplates(DISTINCT, asked)),
      check: checkBatch,
    },
  };
}

/** Decisions over streams. */
export async function streamTarget(
  { address, tokens, process }: BehestServer,
  asked: readonly Asked[],
  { says, connections }: { readonly says: string; readonly connections?: number },
): Promise<Target> {
  return {
    says,
    process,
    load: await connectStreams({
      address,
      path: `/${wire.DecisionService.typeName}/DecideStream`,
      token: tokens.enforcer,
      ...(connections && { connections }),
    }),
    bodies: numberedBodies(streamTemplates(asked)),
    check: checkStreamed,
  };
}

const streamTemplates = (asked: readonly Asked[]): readonly Uint8Array[] =>
  asked.map((who) => {
    const item = create(wire.DecideStreamRequestSchema, { correlationId: String(MARKER), decide: requestOf(DISTINCT, who) });
    return toBinary(wire.DecideStreamRequestSchema, item);
  });

function checkStreamed(answer: Buffer): void {
  const { result } = fromBinary(wire.DecideStreamResponseSchema, answer);
  if (result.case !== "decision") throw new Error(`an item of a stream failed: ${result.value?.message}`);
  checkAnswer(result.value, DISTINCT);
}

function checkBatch(answer: Buffer): void {
  const { items } = fromBinary(wire.DecideBatchResponseSchema, answer);
  for (const { result } of items) {
    if (result.case !== "decision") throw new Error(`an item of a batch failed: ${result.value?.message}`);
    checkAnswer(result.value, DISTINCT);
  }
}

interface Alone {
  readonly groupEvents: number;
  readonly perSecond: number;
  readonly cpuUs: number;
  readonly repetitions: readonly number[];
}

/** Enough for seconds. */
const ROWS_ALONE = 40_000;
/** The most that a transaction holds. */
const GROUP_EVENTS_MAX = 1_024;

/** In groups as the server wrote, and in the largest. */
async function measureWriter({ stage }: Bench, { texts, groupEvents }: Written, { repetitions }: Plan): Promise<readonly Alone[]> {
  const sizes = [Math.min(GROUP_EVENTS_MAX, Math.max(1, Math.round(groupEvents))), GROUP_EVENTS_MAX];
  const directory = join(stage.directory, "writer-alone");
  const figures = sizes.map((): WrittenAlone[] => []);
  for (let repetition = 0; repetition < repetitions; repetition++) {
    for (const [index, size] of sizes.entries()) {
      figures[index]?.push(await writeAlone(texts, { directory, counted: ROWS_ALONE, groupEvents: size }));
      rmSync(directory, { recursive: true, force: true });
    }
  }
  return sizes.map((size, index) => {
    const made = figures[index] ?? [];
    const repetitions = made.map(({ perSecond }) => Math.round(perSecond));
    return { groupEvents: size, perSecond: Math.round(median(repetitions)), cpuUs: rounded(median(made.map(({ cpuUs }) => cpuUs)), 1), repetitions };
  });
}

interface Rates {
  /** CPU of the whole server for a decision over a stream. */
  readonly processUs: number;
  readonly streamed: number;
  readonly batched: number;
  readonly inMemory?: number;
}

function ratesOf(figures: ReadonlyMap<Target, ServerFigures>, durable: Targets, memory: Targets | undefined): Rates {
  const rate = (target: Target): number => figures.get(target)?.perSecond ?? Number.NaN;
  return {
    processUs: figures.get(durable.stream)?.processUs ?? Number.NaN,
    streamed: rate(durable.stream),
    batched: rate(durable.batch),
    ...(memory && { inMemory: Math.max(rate(memory.stream), rate(memory.batch)) }),
  };
}

interface Measured extends Rates {
  readonly rows: readonly { readonly says: string; readonly figures: ServerFigures }[];
  readonly alone: readonly Alone[];
}

function reportOf({ rows, alone, processUs, streamed, batched, inMemory }: Measured): SectionReport {
  const writer = Math.max(...alone.map(({ perSecond }) => perSecond));
  const best = Math.max(streamed, batched);
  return {
    figures: { decisions: rows, writerAlone: alone },
    othersPercent: othersOf(rows.map(({ figures }) => figures)),
    tables: [
      {
        title: `Decisions over streams and in batches, ${IN_FLIGHT} in flight over 4 connections, each evaluated, in ${TASKS} tasks; a batch's latency is that of all its items.`,
        rows: rows.map(({ says, figures }) => figuresRow(says, figures)),
      },
      {
        title: "The writer alone, on the rows that the server wrote, in a new file.",
        rows: alone.map(({ groupEvents, perSecond, cpuUs, repetitions }) => ({
          "rows a transaction": groupEvents,
          "rows per second": perSecond,
          "CPU µs": cpuUs,
          each: repetitions.join(" "),
        })),
      },
    ],
    musts: [
      must({ what: "decisions per second, durable, by stream or batch", reached: best, least: 15_000, goal: 25_000 }),
      must({ what: "of what the writer alone takes", reached: rounded((100 * best) / writer, 0), unit: " %", least: 80 }),
      ...(inMemory === undefined ? [] : [must({ what: "decisions per second, ledger in memory", reached: inMemory, least: 25_000 })]),
    ],
    ratios: {
      "stream.cpu_over_writer_alone": rounded(processUs / Math.min(...alone.map(({ cpuUs }) => cpuUs)), 2),
    },
  };
}
