import { CERBOS_PATH, cerbosTemplates, checkCerbos, startCerbos } from "./cerbos.ts";
import { connect } from "./http2-load.ts";
import {
  figuresRow,
  measureInTurn,
  measureOpen,
  othersOf,
  type Run,
  ratioOf,
  type ServerFigures,
  summarise,
  type Target,
  warmUp,
} from "./measure.ts";
import { numberedBodies } from "./numbered-bodies.ts";
import { type Bench, must, type Scale, type Section, type SectionReport } from "./section.ts";
import { type BehestServer, decideTarget, echoTarget, startBehest, type UnaryTarget } from "./servers.ts";
import { rounded } from "./statistics.ts";
import { openTasks } from "./tasks.ts";

/**
 * `Decide`, one call each: tokens checked, the starter policy, a registered task with twenty observations, each request different, the record on
 * disk before the answer. Beside it the same with the ledger in memory, a bare echo, and Cerbos.
 */
export const unary: Section = {
  name: "unary",
  says: "Decide over gRPC, beside a bare echo, Cerbos, and itself with the ledger in memory",
  run: measureUnary,
};

interface Plan {
  /** Of the server's CPU time. */
  readonly warmUpMs: number;
  readonly runMs: number;
  readonly repetitions: number;
  /** At the concurrency at which the musts are stated. */
  readonly repetitionsAtHigh: number;
  readonly concurrencies: readonly number[];
  /** Over how many tasks the calls are spread. */
  readonly spreads: readonly [one: number, hundred: number, ...rest: readonly number[]];
  readonly cerbos: boolean;
  readonly halfLoad: boolean;
}

const PLANS: Readonly<Record<Scale, Plan>> = {
  full: {
    warmUpMs: 3_000,
    runMs: 1_500,
    repetitions: 3,
    repetitionsAtHigh: 4,
    concurrencies: [4, 32, 128],
    spreads: [1, 100, 10_000],
    cerbos: true,
    halfLoad: true,
  },
  quick: {
    warmUpMs: 3_000,
    runMs: 1_000,
    repetitions: 2,
    repetitionsAtHigh: 2,
    concurrencies: [4, 128],
    spreads: [1, 100, 1_000],
    cerbos: true,
    halfLoad: true,
  },
  check: {
    warmUpMs: 3_000,
    runMs: 1_000,
    repetitions: 5,
    repetitionsAtHigh: 5,
    concurrencies: [128],
    spreads: [1, 100],
    cerbos: false,
    halfLoad: false,
  },
};

interface Targets {
  readonly spread: ReadonlyMap<number, UnaryTarget>;
  readonly memory: UnaryTarget;
  readonly echo: UnaryTarget;
  readonly cerbos?: Target;
}

/** How many tasks the other targets are spread over. */
const MANY = 100;

async function measureUnary(bench: Bench): Promise<SectionReport> {
  const plan = PLANS[bench.scale];
  const targets = await startTargets(bench, plan);
  const all = [...targets.spread.values(), targets.memory, targets.echo, ...(targets.cerbos ? [targets.cerbos] : [])];
  bench.tell("warming every server up");
  for (const target of all) await warmUp(target, HIGH, plan.warmUpMs);
  const measured = new Map<number, Map<Target, ServerFigures>>();
  for (const concurrency of plan.concurrencies) {
    bench.tell(`Decide beside the others, ${concurrency} at a time`);
    const repetitions = concurrency === HIGH ? plan.repetitionsAtHigh : plan.repetitions;
    measured.set(concurrency, await measureInTurn(all, { concurrency, durationMs: plan.runMs }, repetitions));
  }
  const at = (target: Target | undefined, concurrency: number): ServerFigures | undefined => target && measured.get(concurrency)?.get(target);
  const many = targets.spread.get(MANY);
  const capacity = at(many, HIGH)?.perSecond ?? 0;
  if (plan.halfLoad) bench.tell("Decide and echo, as many calls a second as half of what Decide can take");
  const half = many && plan.halfLoad ? await measureHalfLoad([many, targets.echo], capacity / 2, plan) : [];
  for (const target of all) target.load.close();
  return reportOf({ targets, plan, at, half });
}

/** Concurrency at which the musts are stated. */
const HIGH = 128;

async function startTargets({ stage, tell, warn }: Bench, plan: Plan): Promise<Targets> {
  tell(`starting the servers and opening ${plan.spreads.join(", ")} tasks`);
  const behest = await startBehest(stage, { name: "unary" });
  const memory = await startBehest(stage, { name: "unary-memory", memory: true });
  const spread = new Map<number, UnaryTarget>();
  for (const tasks of plan.spreads) spread.set(tasks, await spreadTarget(behest, tasks, ""));
  const echo = await stage.start("./echo-server.ts", []);
  const agents = Array.from({ length: MANY }, (_, number) => ({ agent: `agent-${number}`, taskId: "01m8g000-0000-7000-8000-000000000000" }));
  const cerbos = plan.cerbos ? await cerbosTarget(stage, warn) : undefined;
  return {
    spread,
    memory: await spreadTarget(memory, MANY, ", ledger in memory"),
    echo: await echoTarget(echo, behest.tokens.enforcer, agents),
    ...(cerbos && { cerbos }),
  };
}

const spreadTarget = async (server: BehestServer, tasks: number, how: string): Promise<UnaryTarget> =>
  decideTarget(server, { says: `Decide, ${tasks} task${tasks === 1 ? "" : "s"}${how}`, asked: await openTasks(server, tasks) });

/** Without it its rows are left out, and said to be. */
async function cerbosTarget(stage: Bench["stage"], warn: Bench["warn"]): Promise<Target | undefined> {
  try {
    const server = await startCerbos(stage, warn);
    return {
      says: "Cerbos PDP, audit off",
      process: server,
      load: await connect({ address: server.address, path: CERBOS_PATH }),
      bodies: numberedBodies(cerbosTemplates(Array.from({ length: MANY }, (_, number) => `agent-${number}`))),
      check: checkCerbos,
    };
  } catch (error) {
    const why = error instanceof Error ? error.message.split("\n").slice(0, 3).join("; ") : String(error);
    warn(`no figures of Cerbos, which cannot be run here: ${why}`);
    return undefined;
  }
}

interface HalfLoad {
  readonly says: string;
  readonly ratePerSecond: number;
  readonly figures: ServerFigures;
  /** Calls answered after `LATE_AFTER_MS`. */
  readonly late: number;
}

const LATE_AFTER_MS = 50;
/** An open load takes longer to say anything about its slowest hundredth. */
const HALF_LOAD_RUNS = 2;

async function measureHalfLoad(targets: readonly UnaryTarget[], ratePerSecond: number, { runMs, repetitions }: Plan): Promise<readonly HalfLoad[]> {
  const runs = new Map<UnaryTarget, Run[]>(targets.map((target) => [target, []]));
  const offered = { ratePerSecond, durationMs: runMs * HALF_LOAD_RUNS, lateAfterMs: LATE_AFTER_MS, outstandingMax: 1_000 };
  for (let repetition = 0; repetition < repetitions; repetition++) {
    for (const [target, made] of runs) made.push(await measureOpen(target, offered));
  }
  return [...runs].map(([{ says }, made]) => ({
    says,
    ratePerSecond: Math.round(ratePerSecond),
    figures: summarise(made),
    late: made.reduce((sum, { result }) => sum + result.late, 0),
  }));
}

interface Measured {
  readonly targets: Targets;
  readonly plan: Plan;
  readonly at: (target: Target | undefined, concurrency: number) => ServerFigures | undefined;
  readonly half: readonly HalfLoad[];
}

function reportOf({ targets, plan, at, half }: Measured): SectionReport {
  const { spread, memory, echo, cerbos } = targets;
  const all = [...spread.values(), memory, echo, ...(cerbos ? [cerbos] : [])];
  const rows = plan.concurrencies.flatMap((concurrency) =>
    all.flatMap((target) => {
      const figures = at(target, concurrency);
      return figures ? [{ concurrency, says: target.says, figures }] : [];
    }),
  );
  const ratio = (over: Target | undefined, under: Target | undefined, figure: "rates" | "repetitions"): number =>
    ratioOf(at(over, HIGH), at(under, HIGH), figure);
  const [hot, many] = [spread.get(plan.spreads[0]), spread.get(MANY)];
  const overEcho = rounded(100 * ratio(many, echo, "rates"), 0);
  const hotLoss = rounded(100 * (1 - ratio(hot, many, "rates")), 0);
  const durability = rounded(100 * (1 - ratio(many, memory, "rates")), 0);
  return {
    figures: { decide: rows, halfLoad: half },
    othersPercent: othersOf(rows.map(({ figures }) => figures)),
    tables: [
      {
        title:
          "Decide, recorded durably, evaluated each time, in registered tasks with 20 observations each. 4 connections; the load runs on the same machine.\n" +
          "Others: what other work took of the machine meanwhile; above 5 the figures are of a disturbed machine.",
        rows: rows.map(({ concurrency, says, figures }) => ({ "at a time": concurrency, ...figuresRow(says, figures) })),
      },
      {
        title: `At half of what Decide takes over ${MANY} tasks; a call counts from when it was due, late after ${LATE_AFTER_MS} ms.`,
        rows: half.map(({ says, ratePerSecond, figures, late }) => ({ "offered per second": ratePerSecond, late, ...figuresRow(says, figures) })),
      },
    ],
    musts: [
      must({ what: "Decide over a bare echo, calls per second at 128", reached: overEcho, unit: " %", least: 50, goal: 70 }),
      ...(cerbos
        ? [must({ what: "Decide over Cerbos, calls per second at 128", reached: ratio(many, cerbos, "rates"), unit: " ×", least: 2, goal: 3 })]
        : []),
      ...half.slice(0, 1).map(({ figures }) => must({ what: "Decide, p99 at half load", reached: figures.p99Ms, unit: " ms", most: 5 })),
      must({ what: "one hot task, calls per second below many", reached: hotLoss, unit: " %", most: 10 }),
      must({ what: "durability's price, calls per second", reached: durability, unit: " %", most: 25 }),
    ],
    ratios: {
      "unary.main_thread_over_echo": ratio(many, echo, "repetitions"),
      "unary.main_thread_one_task_over_many": ratio(hot, many, "repetitions"),
      "unary.main_thread_over_memory": ratio(many, memory, "repetitions"),
    },
  };
}
