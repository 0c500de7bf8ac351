import { growHistory, growTasks } from "./growth-ledger.ts";
import { growRules } from "./growth-rules.ts";
import { growChains, growObservations } from "./growth-tasks.ts";
import { measureOnce, othersOf, type Run, type ServerFigures, summarise, type Target } from "./measure.ts";
import type { Bench, Scale, Section, SectionReport } from "./section.ts";
import { rounded } from "./statistics.ts";

/** What a decision takes, how much memory is resident, and how long a start takes, as everything grows that can. */
export const growth: Section = {
  name: "growth",
  says: "more rules, open tasks, observations and history, and deeper chains: time, memory and start-up at each",
  run: measureGrowth,
};

export interface GrowthPlan {
  readonly runMs: number;
  readonly repetitions: number;
  readonly rules: readonly number[];
  readonly tasks: readonly number[];
  readonly depths: readonly number[];
  readonly observations: readonly number[];
  readonly history: readonly number[];
}

const DEPTHS = [0, 4, 8];
const PLANS: Readonly<Record<Scale, GrowthPlan>> = {
  full: {
    runMs: 700,
    repetitions: 3,
    rules: [100, 1_000, 10_000],
    tasks: [1, 1_000, 10_000, 100_000],
    depths: DEPTHS,
    observations: [0, 20, 400, 4_000],
    history: [10_000, 50_000, 120_000],
  },
  quick: {
    runMs: 500,
    repetitions: 2,
    rules: [100, 10_000],
    tasks: [1, 1_000, 10_000],
    depths: DEPTHS,
    observations: [0, 20, 4_000],
    history: [1_000, 20_000],
  },
  check: { runMs: 700, repetitions: 3, rules: [], tasks: [1, 2_000], depths: [0, 8], observations: [0, 4_000], history: [] },
};

/** One size of one thing that grows. */
export interface GrowthRow {
  readonly what: "rules" | "open tasks" | "chain depth" | "observations" | "history, decisions";
  readonly size: number;
  /** Decide, evaluated and recorded durably. */
  readonly decide: ServerFigures;
  readonly residentMib: number;
  /** Of a start with all of it there. */
  readonly start?: { readonly readyMs: number; readonly residentMib: number };
  readonly databaseMib?: number;
  /** The longest that a decision waits while the policy is compiled. */
  readonly longestStepMs?: number;
}

async function measureGrowth(bench: Bench): Promise<SectionReport> {
  const plan = PLANS[bench.scale];
  const rows: GrowthRow[] = [];
  for (const grow of [growRules, growTasks, growChains, growObservations, growHistory]) rows.push(...(await grow(bench, plan)));
  return reportOf(rows);
}

const CONCURRENCY = 32;

/** The first run warms up what grew. */
export async function measureGrown(target: Target, { runMs, repetitions }: GrowthPlan): Promise<ServerFigures> {
  const runs: Run[] = [];
  for (let repetition = 0; repetition <= repetitions; repetition++) {
    const run = await measureOnce(target, { concurrency: CONCURRENCY, durationMs: runMs });
    if (repetition > 0) runs.push(run);
  }
  return summarise(runs);
}

function reportOf(rows: readonly GrowthRow[]): SectionReport {
  const of = (what: GrowthRow["what"]): readonly GrowthRow[] => rows.filter((row) => row.what === what);
  const ratio = (what: GrowthRow["what"]): number =>
    rounded((of(what).at(-1)?.decide.mainThreadUs ?? Number.NaN) / (of(what)[0]?.decide.mainThreadUs ?? Number.NaN), 2);
  return {
    figures: rows,
    othersPercent: othersOf(rows.map(({ decide }) => decide)),
    tables: [
      {
        title:
          `As it grows: Decide, ${CONCURRENCY} at a time, recorded durably; what of the server's memory is in RAM then; and a start with all of it there, and its memory.\n` +
          "Rules: beside the starter policy's, 30 of them name the tool that is asked for.",
        rows: rows.map(growthRow),
      },
    ],
    musts: [],
    ratios: {
      "growth.main_thread_many_tasks_over_one": ratio("open tasks"),
      "growth.main_thread_chain_over_none": ratio("chain depth"),
      "growth.main_thread_full_observations_over_none": ratio("observations"),
    },
  };
}

const growthRow = ({ what, size, decide, residentMib, start, databaseMib, longestStepMs }: GrowthRow) => ({
  what,
  size,
  "main thread µs": decide.mainThreadUs,
  "per second": decide.perSecond,
  "p99 ms": decide.p99Ms,
  "resident MiB": Math.round(residentMib),
  "start ms": start ? Math.round(start.readyMs) : "",
  "resident MiB at start": start ? Math.round(start.residentMib) : "",
  "database MiB": databaseMib === undefined ? "" : Math.round(databaseMib),
  "longest step ms": longestStepMs === undefined ? "" : rounded(longestStepMs, 1),
  "others %": decide.othersPercent,
});
