import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { watchRules } from "../policy/watch.ts";
import { failureOf } from "./failure.ts";

/** Editors write a file in several steps. */
const SETTLE_MS = 100;
/** How soon a change is noticed that the file system does not tell of. */
const POLL_MS = 1_000;

/** Runs at once and again after every change in a directory, until the process is told to stop. What goes wrong is told, and the next change is awaited. */
export async function onEveryChange(directory: string, run: () => Promise<void>): Promise<never> {
  let seen = "";
  let changed = Promise.withResolvers<void>();
  const look = async (): Promise<void> => {
    if (marksOf(directory) !== seen) changed.resolve();
  };
  watchRules({ directory, pollMs: POLL_MS, look, onUnwatchable: () => undefined });
  // Watching alone keeps no process alive.
  setInterval(() => undefined, POLL_MS);
  for (;;) {
    // What changes while this runs counts as well.
    seen = marksOf(directory);
    changed = Promise.withResolvers<void>();
    if (process.stdout.isTTY) process.stdout.write("\u001b[2J\u001b[H");
    try {
      await run();
    } catch (error) {
      process.stderr.write(`behest: ${failureOf(error).message}\n`);
    }
    process.stderr.write(`\nwaiting for a change in ${directory}; Ctrl-C stops\n`);
    await changed.promise;
    await new Promise((settled) => setTimeout(settled, SETTLE_MS));
  }
}

/** Names, inodes, times and sizes of all that may matter, cases included: the fingerprint of a policy leaves them out. */
function marksOf(directory: string): string {
  return [directory, join(directory, "catalog")].flatMap((place) => namesIn(place).map((name) => markOf(join(place, name)))).join("\n");
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
      .filter((name) => !name.startsWith("."))
      .sort();
  } catch {
    return [];
  }
}

function markOf(path: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return [path, dev, ino, size, mtimeNs, ctimeNs].join(" ");
  } catch {
    return path;
  }
}
