import { readFileSync, writeFileSync } from "node:fs";

/**
 * A machine's clock that can be stepped, for one server: preloaded with `node --import`, in its main thread and in every other, it adds to `Date.now`
 * what a file says at the time. That is all that Behest reads of the machine's clock (`src/clock.ts`); timers, and the clock that counts what passes,
 * go on as they do where an operator or NTP steps the real one.
 */

/** Where `node` finds the file's path. */
const FILE_VARIABLE = "FAULTS_CLOCK_FILE";
/** How often it is looked at. */
const LOOK_MS = 2;

/** A clock, and what to start a server with so that it has that. */
export interface SteppedClock {
  readonly execArgv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** As the server has it. */
  now(): number;
  step(ms: number): void;
}

export function createSteppedClock(file: string): SteppedClock {
  let offsetMs = 0;
  const write = (): void => writeFileSync(file, String(offsetMs));
  write();
  return {
    execArgv: ["--import", import.meta.url],
    environment: { [FILE_VARIABLE]: file },
    now: () => Date.now() + offsetMs,
    step(ms) {
      offsetMs += ms;
      write();
    },
  };
}

const path = process.env[FILE_VARIABLE];
if (path !== undefined) stepNow(path);

function stepNow(file: string): void {
  const machine = Date.now;
  let offsetMs = 0;
  let lookedMs = Number.NEGATIVE_INFINITY;
  Date.now = () => {
    const elapsedMs = performance.now();
    if (elapsedMs - lookedMs >= LOOK_MS) {
      lookedMs = elapsedMs;
      // Empty for the moment in which it is written anew.
      const text = readFileSync(file, "utf8");
      if (text !== "") offsetMs = Number(text);
    }
    return machine() + offsetMs;
  };
}
