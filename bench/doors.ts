import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { figuresRow, measureInTurn, ratioOf, type ServerFigures, type Target, warmUp } from "./measure.ts";
import { measureOwner, type OwnerAlone } from "./owner-alone.ts";
import { CONVERSATIONS } from "./requests.ts";
import type { Bench, Scale, Section, SectionReport } from "./section.ts";
import { decideTarget, startBehest } from "./servers.ts";
import { median, rounded } from "./statistics.ts";
import { streamTarget } from "./stream.ts";

/** More cores: what the thread that decides takes by itself, and what one door and two in front of it make of that. */
export const doors: Section = {
  name: "doors",
  says: "the owner's own ceiling, and decisions through no door, one and two",
  run: measureDoors,
};

interface Plan {
  /** Of the server's CPU time. */
  readonly warmUpMs: number;
  readonly runMs: number;
  readonly repetitions: number;
  readonly decisionsAlone: number;
}

const PLANS: Readonly<Record<Scale, Plan>> = {
  full: { warmUpMs: 2_500, runMs: 1_500, repetitions: 3, decisionsAlone: 25_000 },
  quick: { warmUpMs: 1_500, runMs: 1_000, repetitions: 2, decisionsAlone: 15_000 },
  check: { warmUpMs: 1_500, runMs: 1_000, repetitions: 2, decisionsAlone: 15_000 },
};

const DOORS = [0, 1, 2] as const;
/** The system spreads connections by chance: of so many, both of two doors get some. */
const CONNECTIONS = 16;
const CALLS_IN_FLIGHT = 128;
const ITEMS_IN_FLIGHT = 1_024;

interface Through {
  readonly doors: number;
  readonly unary: Target;
  readonly stream: Target;
}

async function measureDoors(bench: Bench): Promise<SectionReport> {
  const plan = PLANS[bench.scale];
  bench.tell("the owner alone");
  const alone = { memory: await measureAlone(bench, plan, false), durable: await measureAlone(bench, plan, true) };
  const through: Through[] = [];
  for (const count of DOORS) {
    bench.tell(`starting a server with ${count} doors`);
    through.push(await openThrough(bench, count));
  }
  bench.tell("warming every server up");
  for (const { unary, stream } of through) {
    await warmUp(unary, CALLS_IN_FLIGHT, plan.warmUpMs);
    await warmUp(stream, ITEMS_IN_FLIGHT, plan.warmUpMs);
  }
  bench.tell("calls");
  const calls = await measureInTurn(
    through.map(({ unary }) => unary),
    { concurrency: CALLS_IN_FLIGHT, durationMs: plan.runMs },
    plan.repetitions,
  );
  bench.tell("streams");
  const streams = await measureInTurn(
    through.map(({ stream }) => stream),
    { concurrency: ITEMS_IN_FLIGHT, durationMs: plan.runMs },
    plan.repetitions,
  );
  for (const { unary, stream } of through) {
    unary.load.close();
    stream.load.close();
  }
  return reportOf(alone, new Map([...calls, ...streams]), through);
}

async function measureAlone({ stage }: Bench, { decisionsAlone, repetitions }: Plan, isDurable: boolean): Promise<readonly OwnerAlone[]> {
  const made: OwnerAlone[] = [];
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const directory = join(stage.directory, "owner-alone");
    mkdirSync(directory);
    made.push(await measureOwner({ decisions: decisionsAlone, ...(isDurable && { directory }) }));
    rmSync(directory, { recursive: true });
  }
  return made;
}

async function openThrough({ stage }: Bench, count: number): Promise<Through> {
  const server = await startBehest(stage, { name: `doors-${count}`, settings: { BEHEST_WORKERS: String(count) } });
  const how = count === 0 ? "no door" : count === 1 ? "1 door" : `${count} doors`;
  const connections = CONNECTIONS;
  return {
    doors: count,
    unary: await decideTarget(server, { says: `Decide, ${how}`, asked: CONVERSATIONS, connections }),
    stream: await streamTarget(server, CONVERSATIONS, { says: `DecideStream, ${how}`, connections }),
  };
}

function reportOf(
  { memory, durable }: { readonly memory: readonly OwnerAlone[]; readonly durable: readonly OwnerAlone[] },
  figures: ReadonlyMap<Target, ServerFigures>,
  through: readonly Through[],
): SectionReport {
  const rows = [...figures].map(([{ says }, made]) => ({ says, figures: made }));
  const of = (count: number, pick: "unary" | "stream"): ServerFigures | undefined => {
    const target = through.find(({ doors: opened }) => opened === count)?.[pick];
    return target && figures.get(target);
  };
  const scaling = (["unary", "stream"] as const).map((pick) => ({
    what: pick === "unary" ? "Decide" : "DecideStream",
    "2 doors over 1": ratioOf(of(2, pick), of(1, pick), "rates"),
    "1 door over none": ratioOf(of(1, pick), of(0, pick), "rates"),
    // What its thread would take with cores to spare for doors, writer and callers.
    "owner's ceiling by its CPU": Math.round(1e6 / (of(2, pick)?.mainThreadUs ?? Number.NaN)),
    "of no door": Math.round(1e6 / (of(0, pick)?.mainThreadUs ?? Number.NaN)),
  }));
  const ownerRow = (what: string, made: readonly OwnerAlone[]) => ({
    what,
    "decisions per second": Math.round(median(made.map(({ perSecond }) => perSecond))),
    "its thread's CPU µs": rounded(median(made.map(({ threadUs }) => threadUs)), 1),
    each: made.map(({ perSecond }) => perSecond).join(" "),
  });
  const alone = [ownerRow("ledger on disk", durable), ownerRow("ledger in memory", memory)];
  const mainThread = (count: number): number => of(count, "unary")?.mainThreadUs ?? Number.NaN;
  return {
    figures: { alone, decisions: rows, scaling },
    tables: [
      { title: "The owner alone: requests read beforehand, answers going nowhere.", rows: alone },
      {
        title: `Decisions through doors, over ${CONNECTIONS} connections; with a door the main thread is the owner's.`,
        rows: rows.map(({ says, figures: made }) => figuresRow(says, made)),
      },
      { title: "What doors bring. Rates need cores to spare; CPU does not.", rows: scaling },
    ],
    musts: [],
    ratios: { "doors.owner_cpu_over_whole": rounded(mainThread(1) / mainThread(0), 2) },
  };
}
