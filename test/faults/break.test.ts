import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, it } from "vitest";
import { type Breakage, brokenBy } from "../../faults/break.ts";

const ROOT = join(import.meta.dirname, "../..");
const EMPTY = "export const EMPTY_TREE: TreeEdge = { size: 0, subtrees: [] };";
const breakage = (passage: string): Breakage => ({
  file: "src/core/tree.ts",
  passage,
  instead: "export const EMPTY_TREE: TreeEdge = { size: 7, subtrees: [] };",
});

/** A program that says what it was given, in its main thread and in another. */
const LOOK = `
const { EMPTY_TREE } = await import(${JSON.stringify(pathToFileURL(join(ROOT, "src/core/tree.ts")))});
const { isMainThread, Worker } = await import("node:worker_threads");
console.log(isMainThread ? "main" : "thread", EMPTY_TREE.size);
if (isMainThread) new Worker(new URL("data:text/javascript," + encodeURIComponent(process.env.LOOK)));
`;

const run = (breakages: readonly Breakage[]) => {
  const { execArgv, environment } = brokenBy(breakages);
  return [[...execArgv, "--input-type=module", "--eval", LOOK], { env: { ...environment, LOOK }, encoding: "utf8", cwd: ROOT }] as const;
};

it("replaces a passage in the main thread and in every other", () => {
  const [args, options] = run([breakage(EMPTY)]);
  expect(execFileSync(process.execPath, args, options)).toBe("main 7\nthread 7\n");
});

it("leaves everything else as it is", () => {
  const [args, options] = run([]);
  expect(execFileSync(process.execPath, args, options)).toBe("main 0\nthread 0\n");
});

it.each([
  { says: "does not stand there", passage: "what nobody wrote", times: 0 },
  { says: "stands there more than once", passage: "export ", times: 7 },
])("ends a program at once whose passage $says", ({ passage, times }) => {
  const [args, options] = run([breakage(passage)]);
  const { status, stderr, stdout } = spawnSync(process.execPath, args, options);
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  expect(stderr).toMatch(new RegExp(`the passage to break stands ${times} times in .*src/core/tree.ts, not once`));
});
