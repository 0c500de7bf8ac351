import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createRandom } from "../test/storage/under-load.ts";
import { lookAfterCut, placeFiles } from "./after-cut.ts";
import type { Breakage } from "./break.ts";
import { drawCutPoints } from "./cut-points.ts";
import type { Fault, Outcome, Setting } from "./fault.ts";
import { type RecordedRun, recordRun } from "./recorded-run.ts";
import { ReplayedDisk } from "./replayed-disk.ts";
import type { Draw } from "./replayed-file.ts";
import type { Entry } from "./shim/log.ts";

/** What commits without waiting for the disk. */
const SYNCED_LATER: readonly Breakage[] = [
  { file: "src/storage/sqlite/connection.ts", passage: '"synchronous = FULL"', instead: '"synchronous = NORMAL"' },
  { file: "src/storage/sqlite/connection.ts", passage: "!== 2", instead: "!== 1" },
];

const CUTS = { short: 300, long: 3_000 } as const;
const CUTS_OF_TWIN = 30;

export const powerCut: Fault = {
  name: "power-cut",
  claim: "nothing that was acknowledged is lost and nothing is corrupt, wherever the power goes and whatever of the unsynced writes is lost or torn",
  strike: (setting) => cutPower(setting, { cuts: CUTS[setting.form], breakages: [] }),
  control: {
    says: "the database is written with `synchronous=NORMAL`",
    strike: (setting) => cutPower({ ...setting, form: "short" }, { cuts: CUTS_OF_TWIN, breakages: SYNCED_LATER }),
  },
};

interface Cutting {
  readonly cuts: number;
  readonly breakages: readonly Breakage[];
}

async function cutPower(setting: Setting, { cuts, breakages }: Cutting): Promise<Outcome> {
  const run = await recordRun(setting, breakages);
  if ("obstacle" in run) return { figures: {}, broken: [], skipped: run.obstacle };
  const draw = createRandom(setting.seed);
  const points = drawCutPoints(run.entries, cuts, draw);
  const found = await replay(run, points, { setting, draw });
  return {
    figures: {
      cuts: found.cuts,
      cuts_that_broke: found.cutsBroken,
      writes: run.entries.filter(({ kind }) => kind === "written").length,
      syncs: run.entries.filter(({ kind }) => kind === "sync ended").length,
      decisions_acknowledged: run.decisions.length,
      controls_acknowledged: run.suspended.length + run.resumed.length,
      webhooks_delivered: run.delivered.length,
    },
    broken: found.broken,
  };
}

interface Found {
  readonly cuts: number;
  readonly cutsBroken: number;
  readonly broken: readonly string[];
}

/** More say no more. */
const SENTENCES_MAX = 20;

/** Starts are mostly waiting: for their threads, and for the disk. */
const CUTS_AT_ONCE = 3;
/** One in so many cuts is followed by the start of a whole ledger. */
const STARTS_EVERY = 5;

async function replay(run: RecordedRun, points: readonly number[], { setting, draw }: { setting: Setting; draw: Draw }): Promise<Found> {
  const disk = new ReplayedDisk(draw);
  const broken: string[] = [];
  let [cuts, cutsBroken, applied] = [0, 0, 0];
  const cutBefore = (point: number): Promise<readonly string[]> => {
    for (; applied < point; applied++) disk.apply(entryAt(run, applied));
    const during = entryAt(run, point);
    const directory = join(setting.directory, `cut-${point}`);
    mkdirSync(directory);
    placeFiles(directory, disk.cut(draw, during));
    return lookAfterCut(directory, { run, atNs: during.atNs, starts: draw(STARTS_EVERY) === 0 }).finally(() =>
      rmSync(directory, { recursive: true }),
    );
  };
  for (let next = 0; next < points.length && !setting.signal.aborted; next += CUTS_AT_ONCE) {
    setting.progress(`cut ${next + 1} of ${points.length}`, next / points.length);
    const slice = points.slice(next, next + CUTS_AT_ONCE);
    for (const [index, sentences] of (await Promise.all(slice.map(cutBefore))).entries()) {
      cuts++;
      if (sentences.length === 0) continue;
      cutsBroken++;
      const point = slice[index] ?? 0;
      for (const sentence of sentences) {
        if (broken.length < SENTENCES_MAX) broken.push(`cut before entry ${point} (${entryAt(run, point).kind}): ${sentence}`);
      }
    }
  }
  return { cuts, cutsBroken, broken };
}

function entryAt({ entries }: RecordedRun, at: number): Entry {
  const entry = entries[at];
  if (!entry) throw new RangeError(`the log has no entry ${at}`);
  return entry;
}
