import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { lookAfterCut, placeFiles } from "./after-cut.ts";
import type { CutPoint } from "./cut-points.ts";
import type { Setting } from "./fault.ts";
import type { RecordedRun } from "./recorded-run.ts";
import { ReplayedDisk } from "./replayed-disk.ts";
import type { Draw } from "./replayed-file.ts";
import type { Entry } from "./shim/log.ts";

export interface Found {
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

/** Takes the power away at these points of a run, in order, starts on what is left, and looks whether what had been said is there. */
export async function cutAt(run: RecordedRun, points: readonly CutPoint[], { setting, draw }: { setting: Setting; draw: Draw }): Promise<Found> {
  const disk = new ReplayedDisk(draw);
  const broken: string[] = [];
  let [cuts, cutsBroken, applied] = [0, 0, 0];
  const cutBefore = (point: CutPoint): Promise<readonly string[]> => {
    for (; applied < point; applied++) disk.apply(entryAt(run, applied));
    const during = entryAt(run, point);
    const directory = join(setting.directory, `cut-${point}`);
    mkdirSync(directory);
    placeFiles(directory, disk.cut(draw, during));
    const cut = { run, atNs: during.atNs, starts: draw(STARTS_EVERY) === 0 };
    return lookAfterCut(directory, cut).finally(() => rmSync(directory, { recursive: true }));
  };
  for (let next = 0; next < points.length && !setting.signal.aborted; next += CUTS_AT_ONCE) {
    setting.progress(`cut ${next + 1} of ${points.length}`, next / points.length);
    const slice = points.slice(next, next + CUTS_AT_ONCE);
    for (const [index, sentences] of (await Promise.all(slice.map(cutBefore))).entries()) {
      cuts++;
      if (sentences.length === 0) continue;
      cutsBroken++;
      const point = slice[index] ?? 0;
      for (const sentence of sentences) broken.push(`cut before entry ${point} (${entryAt(run, point).kind}): ${sentence}`);
    }
  }
  return { cuts, cutsBroken, broken: broken.slice(0, SENTENCES_MAX) };
}

function entryAt({ entries }: RecordedRun, at: number): Entry {
  const entry = entries[at];
  if (!entry) throw new RangeError(`the log has no entry ${at}`);
  return entry;
}
