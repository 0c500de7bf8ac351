import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    pool: "forks",
    // No test changes what another could see in its process, so none needs all modules loaded anew.
    isolate: false,
    // Many tests wait for processes of their own: left to itself, vitest leaves one core of two idle.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
