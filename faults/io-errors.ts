import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createRandom } from "../test/storage/under-load.ts";
import type { Asking } from "./asking.ts";
import type { Breakage } from "./break.ts";
import { cutAt } from "./cutting.ts";
import { examine } from "./examine.ts";
import type { Fault, Outcome, Setting } from "./fault.ts";
import { askOf, now, type Recorded, type RecordedRun, recordRun, suspend, until } from "./recorded-run.ts";
import type { Draw } from "./replayed-file.ts";
import { usedAfterFailing } from "./shim/descriptors.ts";
import type { Entry } from "./shim/log.ts";
import type { Strike } from "./shim/strikes.ts";

const CONNECTION = "src/storage/sqlite/connection.ts";

/** Each has to be caught. */
const TWINS: readonly Breakage[] = [
  // A failed COMMIT is taken for a good one.
  {
    file: "src/storage/sqlite/writer.ts",
    passage: 'say({ kind: "written", ...write(message) });',
    instead: 'try { say({ kind: "written", ...write(message) }); } catch { say({ kind: "written", events: 0, commitMs: 0 }); break; }',
  },
  // A failed connection takes a last checkpoint when it closes.
  { file: CONNECTION, passage: "opened.push(guard);", instead: "opened.unshift(guard);" },
  // What is read of a log that was left behind is trusted, although it may be in memory alone.
  { file: CONNECTION, passage: "  writeAnew(path);", instead: "" },
];

export const ioErrors: Fault = {
  name: "io-errors",
  claim:
    "an fsync or a write that fails is told to everybody who waits for it, no descriptor is used again after its fsync has failed, the ledger reopens by itself, and nothing that was acknowledged is lost, also not to a power cut meanwhile",
  strike: (setting) => strikeDisk(setting, { blows: blowsOf(setting.form), breakages: [], waitMs: 30_000, cutsPerBlow: 6 }),
  control: {
    says: "a failed group is acknowledged; a failed connection is used for a last checkpoint; a log that may be in memory alone is trusted: each by itself",
    strike: strikeTwins,
  },
};

/** By chance, one cut may show nothing. */
const TWIN_STRIKING = { waitMs: 3_000, cutsPerBlow: 30 } as const;

/** One that goes unnoticed makes all of them so. */
async function strikeTwins(setting: Setting): Promise<Outcome> {
  const broken: string[] = [];
  for (const [index, breakage] of TWINS.entries()) {
    const directory = join(setting.directory, `twin-${index}`);
    mkdirSync(directory);
    const [blow] = blowsOf("short");
    const outcome = await strikeDisk(
      { ...setting, form: "short", directory },
      { ...TWIN_STRIKING, blows: blow ? [blow] : [], breakages: [breakage] },
    );
    if (outcome.skipped !== undefined) return outcome;
    if (outcome.broken.length === 0) return { figures: { unnoticed: breakage.instead || `without ${breakage.passage}` }, broken: [] };
    broken.push(...outcome.broken);
  }
  return { figures: {}, broken };
}

/** What fails at once. All of it keeps the ledger from being written, until it has been opened anew. */
type Blow = readonly Strike[];

const CONCURRENCY = 16;
const N_MAX = { short: 3, long: 40 } as const;
const LOG = "behest.db-wal";
const FILE = "behest.db";

/** The N-th sync or write of the log and of the file, by turns with each error. */
function blowsOf(form: Setting["form"]): readonly Blow[] {
  const blows: Blow[] = [];
  const errors = ["EIO", "ENOSPC"] as const;
  const fails = (what: Strike["what"], suffix: string, nth: number): Strike => ({
    what,
    suffix,
    nth,
    times: 1,
    error: errors[blows.length % 2] ?? "EIO",
  });
  for (let nth = 1; nth <= N_MAX[form]; nth++) {
    blows.push([fails("sync", LOG, nth)]);
    blows.push([fails("write", LOG, 1 + (nth - 1) * 7)]);
  }
  for (let nth = 1; nth <= N_MAX[form] / 3; nth++) {
    // While the log is taken into the file.
    blows.push([fails("sync", FILE, nth)]);
    blows.push([fails("write", FILE, 1 + (nth - 1) * 5)]);
    // And once more while it is opened anew.
    blows.push([fails("sync", LOG, nth), fails("sync", FILE, 1)]);
  }
  return blows;
}

interface Striking {
  readonly blows: readonly Blow[];
  readonly breakages: readonly Breakage[];
  /** For it to say that it does not serve, and then that it does. */
  readonly waitMs: number;
  readonly cutsPerBlow: number;
}

/** A blow, from when it was told to the shim until the server served again. */
interface Struck {
  readonly blow: Blow;
  readonly fromNs: bigint;
  readonly toNs: bigint;
  /** Calls that were told UNAVAILABLE meanwhile. */
  readonly refused: number;
  readonly servesAgain: boolean;
}

async function strikeDisk(setting: Setting, { blows, breakages, waitMs, cutsPerBlow }: Striking): Promise<Outcome> {
  const struck: Struck[] = [];
  const broken: string[] = [];
  const use = async (recorded: Recorded): Promise<void> => {
    const asking = askOf(recorded, { prefix: "asked", concurrency: CONCURRENCY });
    for (const [index, blow] of blows.entries()) {
      if (setting.signal.aborted) break;
      setting.progress(`${sayBlow(blow)}`, index / blows.length);
      struck.push(await strikeOnce(recorded, { blow, asking, waitMs }));
    }
    if (breakages.length === 0) broken.push(...(await brokenJournal(recorded)));
    await asking.stop();
  };
  const run = await recordRun(setting, { breakages, use });
  if ("obstacle" in run) return { figures: {}, broken: [], skipped: run.obstacle };
  const draw = createRandom(setting.seed);
  const found = await cutAt(run, pointsAfter(run, { struck, cutsPerBlow, draw }), { setting, draw });
  const examined = examine(
    `${setting.directory}/data`,
    run.decisions.map(({ what }) => what),
  );
  const reused = usedAfterFailing(run.entries);
  return {
    figures: {
      blows: struck.length,
      calls_that_failed: run.entries.filter((entry) => "error" in entry && entry.error !== 0).length,
      slowest_until_serving_ms: Math.max(0, ...struck.map(({ fromNs, toNs }) => Number((toNs - fromNs) / 1_000_000n))),
      refused: struck.reduce((sum, { refused }) => sum + refused, 0),
      decisions_acknowledged: run.decisions.length,
      power_cuts: found.cuts,
    },
    broken: [
      ...broken,
      ...struck.flatMap((one) => brokenBlow(one, run.entries)),
      ...[...new Set(reused)].map((name) => `\`${name}\` was used again on a descriptor whose sync had failed`),
      ...found.broken,
      ...examined.broken,
      ...(run.ended.code === 0 ? [] : [`it ended with ${run.ended.code ?? run.ended.signal}`]),
    ],
  };
}

const sayBlow = (blow: Blow): string => blow.map(({ what, nth, suffix, error }) => `${what} ${nth} of ${suffix} fails with ${error}`).join(", and ");

async function strikeOnce({ server, shim }: Recorded, { blow, asking, waitMs }: { blow: Blow; asking: Asking; waitMs: number }): Promise<Struck> {
  const client = server.client("enforcer");
  const refusedBefore = asking.errors.get("UNAVAILABLE") ?? 0;
  const fromNs = now();
  shim.strikes.set(blow);
  const servesAgain = await until(async () => !(await client.isServing()), sayBlow(blow), waitMs)
    .then(() => until(() => client.isServing(), "serves again", waitMs))
    .then(
      () => true,
      () => false,
    );
  shim.strikes.set([]);
  return { blow, fromNs, toNs: now(), refused: (asking.errors.get("UNAVAILABLE") ?? 0) - refusedBefore, servesAgain };
}

function brokenBlow({ blow, fromNs, toNs, refused, servesAgain }: Struck, entries: readonly Entry[]): readonly string[] {
  const failed = entries.filter((entry) => "error" in entry && entry.error !== 0 && entry.atNs > fromNs && entry.atNs < toNs).length;
  const says = sayBlow(blow);
  return [
    ...(failed >= blow.length ? [] : [`${says}: only ${failed} calls failed`]),
    ...(refused > 0 ? [] : [`${says}: nobody was refused`]),
    ...(servesAgain ? [] : [`${says}: it did not stop serving, or did not serve again`]),
  ];
}

/** While nothing can be written, and the journal neither: what operators do holds, and is not called durable. */
async function brokenJournal(recorded: Recorded): Promise<readonly string[]> {
  const { server, shim } = recorded;
  const operator = server.client("operator");
  shim.strikes.set([
    { what: "write", suffix: LOG, nth: 1, error: "EIO" },
    { what: "sync", suffix: "control.journal", nth: 1, times: 1, error: "EIO" },
  ]);
  await until(async () => !(await operator.isServing()), "a server that cannot write says so");
  const durable = [await suspend(recorded, "agent-apart"), await suspend(recorded, "agent-away")];
  const holding = (await operator.listSuspensions()).suspensions.map(({ value }) => value);
  shim.strikes.set([]);
  await until(() => operator.isServing(), "a server that can write again says so");
  return [
    ...(durable[0] ? ["a suspension that the control journal could not sync was called durable"] : []),
    ...(durable[1] ? [] : ["the control journal took nothing any more after one sync had failed"]),
    ...(holding.length === 2 ? [] : [`of two suspensions that were made, ${holding.length} held`]),
  ];
}

/** Some from each failure to when the server served again, where least is certain. */
function pointsAfter(
  { entries }: RecordedRun,
  { struck, cutsPerBlow, draw }: Pick<Striking, "cutsPerBlow"> & { struck: readonly Struck[]; draw: Draw },
): readonly number[] {
  const points = new Set<number>();
  for (const { fromNs, toNs } of struck) {
    const first = entries.findIndex((entry) => entry.atNs > fromNs && "error" in entry && entry.error !== 0);
    const last = entries.findLastIndex((entry) => entry.atNs < toNs);
    if (first < 0) continue;
    for (let count = 0; count < cutsPerBlow; count++) points.add(first + 1 + draw(Math.max(1, last - first)));
  }
  return [...points].filter((at) => at < entries.length).sort((a, b) => a - b);
}
