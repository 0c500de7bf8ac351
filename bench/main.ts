import { Command, Option } from "commander";
import { EXIT } from "../src/cli/exit.ts";
import { printJson } from "../src/cli/output.ts";
import { cache } from "./cache.ts";
import { compare, comparedRow, readBounds, sectionOf } from "./check.ts";
import { doors } from "./doors.ts";
import { evaluation } from "./evaluation.ts";
import { growth } from "./growth.ts";
import { readHardware } from "./hardware.ts";
import { withStage } from "./processes.ts";
import { profile } from "./profile.ts";
import { type Report, rowsOf, textOf } from "./report.ts";
import type { Bench, Scale, Section, SectionReport } from "./section.ts";
import { stream } from "./stream.ts";
import { unary } from "./unary.ts";

const SECTIONS: readonly Section[] = [evaluation, unary, profile, stream, doors, cache, growth];

interface BenchOptions {
  readonly output: "table" | "json" | "markdown";
  readonly only?: readonly string[];
  readonly quick?: boolean;
  readonly check?: boolean;
}

async function bench({ output, only, quick, check }: BenchOptions): Promise<void> {
  if (check) return checkRatios(output);
  const report = await measure(sectionsOf(only), quick ? "quick" : "full");
  if (output === "json") printJson(report);
  else process.stdout.write(textOf(report, output));
}

/** Whether what should not depend on the machine is what it was. */
async function checkRatios(output: BenchOptions["output"]): Promise<void> {
  const bounds = readBounds();
  const { hardware, seconds, sections } = await measure(sectionsOf(Object.keys(bounds).map(sectionOf)), "check");
  const compared = compare(bounds, Object.assign({}, ...Object.values(sections).map(({ ratios }) => ratios)));
  if (output === "json") printJson({ hardware, seconds, compared });
  else process.stdout.write(rowsOf(compared.map(comparedRow), output));
  if (compared.every(({ holds }) => holds)) return;
  process.stderr.write("bench: a ratio is out of its bound, see bench/bounds.json; `npm run bench` shows what it is made of\n");
  process.exitCode = EXIT.belowThreshold;
}

function sectionsOf(only: readonly string[] | undefined): readonly Section[] {
  return only === undefined ? SECTIONS : SECTIONS.filter(({ name }) => only.includes(name));
}

async function measure(sections: readonly Section[], scale: Scale): Promise<Report> {
  const hardware = readHardware();
  const began = performance.now();
  const measured: Record<string, SectionReport> = {};
  for (const section of sections) {
    try {
      // Each with servers and files of its own, so that none is measured in what another left behind.
      measured[section.name] = await withStage((stage) => section.run(benchOf(section, { scale, stage })));
    } catch (error) {
      // What the others say is true all the same.
      process.stderr.write(`bench ${section.name}: no figures: ${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = EXIT.internal;
    }
  }
  return { hardware, scale, seconds: Math.round((performance.now() - began) / 1_000), sections: measured };
}

const benchOf = ({ name }: Section, parts: Pick<Bench, "scale" | "stage">): Bench => ({
  ...parts,
  tell(what) {
    if (process.stderr.isTTY) process.stderr.write(`bench ${name}: ${what}\n`);
  },
  warn(what) {
    process.stderr.write(`bench ${name}: ${what}\n`);
  },
});

await new Command("bench")
  .description("measure Behest beside its peers: every figure with what it was measured on")
  .addOption(
    new Option("--only <name...>", `only these parts: ${SECTIONS.map(({ name, says }) => `${name} (${says})`).join("; ")}`).choices(
      SECTIONS.map(({ name }) => name),
    ),
  )
  .option("--quick", "a few minutes, with more noise")
  .option("--check", "compares ratios alone with bench/bounds.json; exits 5 when one is out of its bound")
  .addOption(new Option("-o, --output <format>", "how to print").choices(["table", "json", "markdown"]).default("table"))
  .action(bench)
  .parseAsync();
