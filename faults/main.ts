import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { readHardware } from "../bench/hardware.ts";
import { printJson, tableOf } from "../src/cli/output.ts";
import type { Fault, Outcome, Setting } from "./fault.ts";
import { FAULTS } from "./faults.ts";

interface FaultsOptions {
  readonly output: "table" | "json";
  readonly long?: boolean;
  readonly seed: number;
  readonly again: number;
  readonly soakMinutes?: number;
  readonly controls: boolean;
}

interface Struck {
  readonly fault: string;
  readonly claim: string;
  readonly outcome: Outcome;
  readonly control?: { readonly says: string; readonly outcome: Outcome };
  readonly seconds: number;
}

/** A broken promise, or a broken twin that nobody noticed. */
const EXIT_BROKEN = 4;

async function strikeAll(names: readonly string[], options: FaultsOptions): Promise<void> {
  const chosen = names.length === 0 ? FAULTS : names.map(faultNamed);
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stopping.abort());
  const struck: Struck[] = [];
  for (const fault of chosen) {
    if (stopping.signal.aborted) break;
    let one = await strikeOne(fault, options, stopping.signal);
    tellOutcome(one);
    for (let again = 0; again < options.again && isBroken(one) && !stopping.signal.aborted; again++) {
      one = await strikeOne(fault, options, stopping.signal);
      tellOutcome(one);
    }
    struck.push(one);
  }
  const { output, seed, long } = options;
  if (output === "json") printJson({ hardware: readHardware(), form: long ? "long" : "short", seed, faults: struck });
  else process.stdout.write(`${reportOf(struck)}`);
  if (stopping.signal.aborted || struck.some(isBroken)) process.exitCode = EXIT_BROKEN;
}

function faultNamed(name: string): Fault {
  const fault = FAULTS.find((known) => known.name === name);
  if (!fault) throw new InvalidArgumentError(`no fault is named \`${name}\`; there are ${FAULTS.map((known) => `\`${known.name}\``).join(", ")}`);
  return fault;
}

async function strikeOne(
  { name, claim, strike, control }: Fault,
  { long, seed, soakMinutes, controls }: FaultsOptions,
  signal: AbortSignal,
): Promise<Struck> {
  const began = performance.now();
  const form = long ? "long" : "short";
  const within = (what: string) => (run: Fault["strike"]) =>
    inDirectory(async (directory) =>
      run({ form, seed, signal, directory, progress: progressOf(what), ...(soakMinutes !== undefined && { soakMinutes }) }),
    );
  const outcome = await within(name)(strike).catch(endedBy);
  const skipControl = !controls || outcome.skipped !== undefined || signal.aborted;
  // A twin that could not be struck was not caught.
  const struckTwin = skipControl
    ? undefined
    : await within(`${name}, broken`)(control.strike).catch((error: unknown) => ({ ...endedBy(error), broken: [] }));
  const twin = struckTwin && { says: control.says, outcome: struckTwin };
  return { fault: name, claim, outcome, ...(twin && { control: twin }), seconds: Math.round((performance.now() - began) / 100) / 10 };
}

/** What a fault could not be tried for is told, and the others are tried. */
function endedBy(error: unknown): Outcome {
  const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${why}\n`);
  return { figures: {}, broken: [`it could not be tried to its end: ${why.split("\n")[0]}`] };
}

async function inDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), "behest-faults-"));
  try {
    return await use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function progressOf(name: string): Setting["progress"] {
  return (what, share) => {
    if (!process.stderr.isTTY) return;
    const percent = share === undefined ? "" : ` ${String(Math.round(share * 100)).padStart(3)} %`;
    process.stderr.write(`\r\x1b[K${name}:${percent} ${what}`);
  };
}

const goesUnnoticed = ({ control }: Struck): boolean =>
  control !== undefined && control.outcome.skipped === undefined && control.outcome.broken.length === 0;
const isBroken = (struck: Struck): boolean => struck.outcome.broken.length > 0 || goesUnnoticed(struck);

function tellOutcome(struck: Struck | undefined): void {
  if (!struck) return;
  const { fault, outcome, control, seconds } = struck;
  const said = outcome.skipped !== undefined ? `skipped: ${outcome.skipped}` : outcome.broken.length > 0 ? "BROKEN" : "held";
  process.stderr.write(`${process.stderr.isTTY ? "\r\x1b[K" : ""}${fault}: ${said} (${seconds} s)\n`);
  for (const sentence of outcome.broken) process.stderr.write(`  ${sentence}\n`);
  if (control && goesUnnoticed(struck)) process.stderr.write(`  its broken twin went unnoticed: ${control.says}\n`);
}

function reportOf(struck: readonly Struck[]): string {
  const rows = struck.map(({ fault, outcome, control, seconds }) => ({
    fault,
    promise: outcome.skipped !== undefined ? "skipped" : outcome.broken.length > 0 ? "BROKEN" : "held",
    "broken twin":
      control === undefined
        ? "not run"
        : control.outcome.skipped !== undefined
          ? "skipped"
          : control.outcome.broken.length > 0
            ? "caught"
            : "UNNOTICED",
    seconds,
    figures: Object.entries(outcome.figures)
      .map(([name, value]) => `${name} ${value}`)
      .join(", "),
  }));
  const held = struck.filter((one) => !isBroken(one) && one.outcome.skipped === undefined).length;
  const failed = struck.filter(isBroken).length;
  const skipped = struck.length - held - failed;
  return `${tableOf(rows, process.stdout.isTTY ? process.stdout.columns : undefined)}${held} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}\n`;
}

// What Node makes of the sources is kept for all servers and threads that are started.
process.env["NODE_COMPILE_CACHE"] ??= join(import.meta.dirname, "../node_modules/.cache/compiled");

const wholeNumber = (text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("give a whole number");
  return Number(text);
};

await new Command("faults")
  .description(
    "strike a server with everything that can fail, and look whether what is promised holds; each fault has a broken twin that must be caught",
  )
  .argument("[faults...]", `which: ${FAULTS.map(({ name }) => name).join(", ")}; all unless named`)
  .option("--long", "as often and as long as it takes to be sure: hours")
  .option("--seed <number>", "what random choices are drawn from", wholeNumber, 1)
  .option("--soak-minutes <minutes>", "how long the soak lasts, whatever the form", wholeNumber)
  .option(
    "--again <times>",
    "strike what broke so often again: a machine that stalls breaks promises about time by itself, and only once",
    wholeNumber,
    0,
  )
  .option("--no-controls", "leave the broken twins out")
  .addOption(new Option("-o, --output <format>", "how to print").choices(["table", "json"]).default("table"))
  .action(strikeAll)
  .parseAsync();
