import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, it } from "vitest";
import { createSteppedClock } from "../../faults/stepped-clock.ts";
import { temporaryDirectory } from "../running-server.ts";

const DAY_MS = 86_400_000;
/** Says what time it is, and what has passed, as often as it is asked. */
const TELL = `process.stdin.on("data", () => console.log(JSON.stringify({ now: Date.now(), elapsed: performance.now() })));`;

it("steps what a program takes for the time, while it runs, and not what it counts of what passes", async () => {
  const directory = temporaryDirectory();
  const { execArgv, environment, step } = createSteppedClock(join(directory.path, "clock"));
  const child = spawn(process.execPath, [...execArgv, "--eval", TELL], { env: environment, stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  const look = async (): Promise<{ readonly now: number; readonly elapsed: number }> => {
    child.stdin.write("?");
    const [line] = await once(lines, "line");
    return JSON.parse(line);
  };
  const before = await look();
  step(-DAY_MS);
  await new Promise((resolve) => setTimeout(resolve, 20));
  const after = await look();
  const passedMs = after.elapsed - before.elapsed;
  expect(Math.abs(after.now - before.now + DAY_MS - passedMs)).toBeLessThan(50);
  expect(passedMs).toBeGreaterThan(0);
  child.kill("SIGKILL");
  await once(child, "exit");
  directory.remove();
});
