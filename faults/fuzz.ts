import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type Breakage, brokenBy } from "./break.ts";
import type { Fault, Outcome, Setting } from "./fault.ts";
import type { Fuzzed } from "./fuzzer.ts";

const INPUTS = { short: 200_000, long: 4_000_000 } as const;
const TWIN_INPUTS = 20_000;
/** A single input that takes so long will not end: nothing else is said meanwhile. */
const SILENT_MS_MAX = 60_000;
const FUZZER = fileURLToPath(new URL("fuzzer.ts", import.meta.url));

const CRASHES: readonly Breakage[] = [
  { file: "src/endpoints/grpc/convert.ts", passage: 'if (!action) throw malformed("action", "is missing");', instead: "" },
];
const IS_SLOW: readonly Breakage[] = [
  {
    file: "src/core/identifiers.ts",
    passage: "!UNFIT.test(text)",
    instead: "(!UNFIT.test(text) || (() => { let sum = 0; for (let n = 0; n < 1e9; n++) sum += n; return sum < 0; })())",
  },
];

export const fuzz: Fault = {
  name: "fuzz",
  claim: "no input ends the process, throws what is not a refusal, or takes more than 100 ms of CPU time: requests, files of a policy, tokens",
  strike: (setting) => fuzzIn(setting, { inputs: INPUTS[setting.form], breakages: [] }),
  control: {
    says: "a request without an action throws, and an identifier that is not fit is counted over a billion times; both have to be found",
    async strike(setting) {
      const twins = [];
      for (const breakages of [CRASHES, IS_SLOW]) twins.push(await fuzzIn(setting, { inputs: TWIN_INPUTS, breakages }));
      const isFound = twins.every(({ broken }) => broken.length > 0);
      return { figures: {}, broken: isFound ? twins.flatMap(({ broken }) => broken) : [] };
    },
  },
};

interface Fuzzing {
  readonly inputs: number;
  readonly breakages: readonly Breakage[];
}

async function fuzzIn({ seed, progress, signal }: Setting, { inputs, breakages }: Fuzzing): Promise<Outcome> {
  const { execArgv, environment } = brokenBy(breakages);
  const child = spawn(process.execPath, [...execArgv, FUZZER, String(seed), String(inputs)], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
    signal,
    killSignal: "SIGKILL",
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-2_000);
  });
  const ended = once(child, "close").catch(() => undefined);
  let done = 0;
  let fuzzed: Fuzzed | undefined;
  const isSilent = (): boolean => child.kill("SIGKILL");
  let silence = setTimeout(isSilent, SILENT_MS_MAX);
  for await (const line of createInterface({ input: child.stdout })) {
    clearTimeout(silence);
    silence = setTimeout(isSilent, SILENT_MS_MAX);
    const told: { readonly done?: number } | Fuzzed = JSON.parse(line);
    if ("broken" in told) fuzzed = told;
    else done = told.done ?? done;
    progress(`${done} inputs`, done / inputs);
  }
  clearTimeout(silence);
  await ended;
  if (fuzzed) return { figures: figuresOf(fuzzed), broken: fuzzed.broken };
  if (signal.aborted) return { figures: { inputs: done }, broken: [] };
  return {
    figures: { inputs: done },
    broken: [`after ${done} inputs of seed ${seed} the process ended with ${child.exitCode ?? child.signalCode}: ${said}`],
  };
}

function figuresOf({ inputs, slowestMs }: Fuzzed): Outcome["figures"] {
  const total = Object.values(inputs).reduce((sum, count) => sum + count, 0);
  const each = Object.entries(inputs).flatMap(([name, count]): [string, number][] => [
    [`${name}_inputs`, count],
    [`${name}_slowest_ms`, slowestMs[name] ?? 0],
  ]);
  return { inputs: total, ...Object.fromEntries(each) };
}
