import { join } from "node:path";
import { defineConfig } from "vitest/config";

// What Node makes of the sources is kept for all processes and threads that tests start: a ledger's writer is ready in less than half the time.
process.env["NODE_COMPILE_CACHE"] ??= join(import.meta.dirname, "node_modules/.cache/compiled");

/** Run twice: served by the thread that decides, and through two doors. */
const THROUGH_DOORS = ["batch", "callers", "stream", "watch"].map((suite) => `test/endpoints/${suite}.test.ts`);

export default defineConfig({
  test: {
    pool: "forks",
    // No test changes what another could see in its process, so none needs all modules loaded anew.
    isolate: false,
    // Many tests wait for processes of their own: left to itself, vitest leaves one core of two idle.
    maxWorkers: 2,
    execArgv: ["--max-semi-space-size=64", "--min-semi-space-size=32"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      { extends: true, test: { name: "one thread", include: ["test/**/*.test.ts"] } },
      { extends: true, test: { name: "two doors", include: THROUGH_DOORS, env: { TEST_DOORS: "2" } } },
    ],
  },
});
