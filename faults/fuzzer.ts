import { createRandom } from "../test/storage/under-load.ts";
import { type Input, policies, requests, shorten, type Target, tokens } from "./fuzzing.ts";

/**
 * Throws inputs at everything that reads what comes from outside, in a process of its own: `node fuzzer.ts SEED COUNT`. Says on stdout how far it is, and at
 * the end what it found, as JSON lines.
 */

/** What it says at the end. */
export interface Fuzzed {
  readonly inputs: Readonly<Record<string, number>>;
  readonly slowestMs: Readonly<Record<string, number>>;
  readonly broken: readonly string[];
}

const TAKES_MS_MAX = 100;
/** Others use the machine as well, and V8 compiles and collects when it likes: what is slow is slow again. */
const TIMES_SLOW = 4;
const BROKEN_MAX = 3;
const TOLD_EVERY = 2_000;
const MICROSECONDS_PER_MS = 1_000;

const [seed = "1", count = "1000"] = process.argv.slice(2);
const say = (line: object): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};
say(await fuzz(Number(seed), Number(count)));

async function fuzz(from: number, inputsMax: number): Promise<Fuzzed> {
  const targets = [requests(), policies(), tokens()];
  const turns = targets.flatMap((target) => Array.from({ length: target.share }, () => target));
  const random = createRandom(from);
  const inputs: Record<string, number> = {};
  const slowestMs: Record<string, number> = {};
  const broken: string[] = [];
  for (let number = 0; number < inputsMax && broken.length < BROKEN_MAX; number++) {
    const { name, draw } = turns[number % turns.length] as Target;
    const input = draw(random);
    const { ms, wrong } = await tryOut(input);
    inputs[name] = (inputs[name] ?? 0) + 1;
    slowestMs[name] = Math.max(slowestMs[name] ?? 0, Math.round(ms * 10) / 10);
    if (wrong !== undefined) broken.push(`${name}, input ${number} of seed ${from}: ${wrong}: ${shorten(input.shown)}`);
    if (number % TOLD_EVERY === 0) say({ done: number });
  }
  for (const target of targets) target.close();
  return { inputs, slowestMs, broken };
}

interface Tried {
  readonly ms: number;
  readonly wrong?: string;
}

async function tryOut(input: Input): Promise<Tried> {
  let ms = Number.POSITIVE_INFINITY;
  for (let time = 0; time < TIMES_SLOW && ms > TAKES_MS_MAX; time++) {
    const before = process.threadCpuUsage();
    try {
      const wrong = await input.take();
      if (wrong !== undefined) return { ms: 0, wrong };
    } catch (error) {
      return {
        ms: 0,
        wrong: `it throws ${error instanceof Error ? (error.stack ?? error.message).split("\n").slice(0, 4).join(" ") : String(error)}`,
      };
    }
    const { user, system } = process.threadCpuUsage(before);
    ms = Math.min(ms, (user + system) / MICROSECONDS_PER_MS);
  }
  return ms > TAKES_MS_MAX ? { ms, wrong: `it takes ${Math.round(ms)} ms of CPU time` } : { ms };
}
