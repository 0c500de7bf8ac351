import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";

/**
 * Breaks a server on purpose, for a negative control: preloaded with `node --import`, in its main thread and in every other, it replaces a passage of one
 * source file while that is loaded. What is shipped has no switch for it.
 */

/** Where `node` finds the passages: the JSON text of `Breakage[]`. */
export const BREAKAGES_VARIABLE = "FAULTS_BREAKAGES";

export interface Breakage {
  /** Path of the source, relative to the project's directory. */
  readonly file: string;
  /** Has to stand there exactly once. */
  readonly passage: string;
  readonly instead: string;
}

/** What to start a server with, so that it is broken. */
export const brokenBy = (
  breakages: readonly Breakage[],
): { readonly execArgv: readonly string[]; readonly environment: Readonly<Record<string, string>> } => ({
  execArgv: ["--import", import.meta.url],
  environment: { [BREAKAGES_VARIABLE]: JSON.stringify(breakages) },
});

const text = process.env[BREAKAGES_VARIABLE];
if (text !== undefined) breakWhileLoading(JSON.parse(text));

function breakWhileLoading(breakages: readonly Breakage[]): void {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const byPath = Map.groupBy(breakages, ({ file }) => `${root}${file}`);
  for (const [path, wanted] of byPath) for (const { passage } of wanted) refuseUnlessOnce(path, passage);
  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      const here = url.startsWith("file:") ? byPath.get(fileURLToPath(url)) : undefined;
      if (!here) return loaded;
      const source = here.reduce((changed, { passage, instead }) => changed.replace(passage, () => instead), String(loaded.source));
      return { ...loaded, source };
    },
  });
}

/** A passage that has been rewritten meanwhile would leave the twin whole, and its test would prove nothing. */
function refuseUnlessOnce(path: string, passage: string): void {
  const times = readFileSync(path, "utf8").split(passage).length - 1;
  if (times !== 1) throw new Error(`the passage to break stands ${times} times in ${path}, not once: ${passage}`);
}
