import { figuresRow, measureInTurn, othersOf, type ServerFigures, warmUp } from "./measure.ts";
import type { RequestKind } from "./requests.ts";
import type { Bench, Scale, Section, SectionReport } from "./section.ts";
import { type BehestServer, decideTarget, startBehest, type UnaryTarget } from "./servers.ts";
import { rounded } from "./statistics.ts";
import { openTasks } from "./tasks.ts";

/** What the decision cache saves: answers that were evaluated and answers that were not, apart, with a scorer of 5 ms and without. */
export const cache: Section = {
  name: "cache",
  says: "hits and misses of the decision cache, with a scorer that takes 5 ms and without",
  run: measureCache,
};

interface Plan {
  readonly runMs: number;
  readonly repetitions: number;
}

const PLANS: Readonly<Record<Scale, Plan>> = {
  full: { runMs: 1_000, repetitions: 3 },
  quick: { runMs: 700, repetitions: 2 },
  check: { runMs: 1_000, repetitions: 3 },
};

/** Few: latencies are wanted, not queues. */
const CONCURRENCY = 4;
const TASKS = 100;

const KINDS: readonly { readonly says: string; readonly kind: RequestKind }[] = [
  { says: "miss: every fact new", kind: { variety: "distinct", form: "json" } },
  { says: "miss: every fact new, arguments as a Struct", kind: { variety: "distinct", form: "struct" } },
  { says: "hit: another file each time", kind: { variety: "same_facts", form: "json" } },
  { says: "hit: the same request again", kind: { variety: "identical", form: "json" } },
];

async function measureCache({ stage, scale, tell }: Bench): Promise<SectionReport> {
  const plan = PLANS[scale];
  tell("starting the servers");
  const scorer = await stage.start("./slow-scorer.ts", []);
  const bare = await startBehest(stage, { name: "cache" });
  const scored = await startBehest(stage, { name: "cache-scored", settings: { BEHEST_SCORER_URL: `http://${scorer.address}` } });
  const targets = [...(await targetsOf(bare, "no scorer")), ...(await targetsOf(scored, "scorer of 5 ms"))];
  tell("warming both up");
  for (const target of targets) await warmUp(target, 32, plan.runMs);
  tell(`hits and misses, ${CONCURRENCY} at a time`);
  const figures = await measureInTurn(targets, { concurrency: CONCURRENCY, durationMs: plan.runMs }, plan.repetitions);
  for (const target of targets) target.load.close();
  return reportOf([...figures].map(([{ says }, made]) => ({ says, figures: made })));
}

async function targetsOf(server: BehestServer, how: string): Promise<readonly UnaryTarget[]> {
  const asked = await openTasks(server, TASKS);
  return Promise.all(KINDS.map(({ says, kind }) => decideTarget(server, { says: `${how}; ${says}`, asked, kind })));
}

function reportOf(rows: readonly { readonly says: string; readonly figures: ServerFigures }[]): SectionReport {
  const mainThread = (at: number): number => rows[at]?.figures.mainThreadUs ?? Number.NaN;
  return {
    figures: rows,
    othersPercent: othersOf(rows.map(({ figures }) => figures)),
    tables: [
      {
        title:
          `Hits and misses of the decision cache, ${CONCURRENCY} at a time, recorded durably each. A scorer is asked of each request that it has not\n` +
          "answered yet, hit or miss; what it answered of the same request before is kept apart.",
        rows: rows.map(({ says, figures }) => figuresRow(says, figures)),
      },
    ],
    musts: [],
    ratios: { "cache.main_thread_hit_over_miss": rounded(mainThread(2) / mainThread(0), 2) },
  };
}
