import { watch } from "node:fs";
import { failureOf } from "./failure.ts";

/** Editors write a file in several steps. */
const SETTLE_MS = 100;

/** Runs at once and again after every change in a directory, until the process is told to stop. What goes wrong is told, and the next change is awaited. */
export async function onEveryChange(directory: string, run: () => Promise<void>): Promise<never> {
  let changed = Promise.withResolvers<void>();
  watch(directory, { recursive: true }, () => changed.resolve());
  for (;;) {
    // What changes while this runs counts as well.
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
