import { type Command, InvalidArgumentError, Option } from "commander";
import type { Policy } from "../core/policy.ts";
import type { JudgedCase } from "../policy/case-judge.ts";
import { withFound } from "../policy/case-update.ts";
import { PolicyInvalid } from "../policy/complaints.ts";
import { coverageOf, percentOf } from "../policy/coverage.ts";
import { loadPolicy } from "../policy/load.ts";
import { judgeCases, type ReadyCase, readCaseFiles } from "./cases.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import { withConsequence } from "./failure.ts";
import { asTyped } from "./hint.ts";
import { replaceText } from "./replace-text.ts";
import { rulesDirectory } from "./rules-directory.ts";
import { CASE_REPORTS, type CaseReport, REFUSED_REPORTS, type ReportFormat } from "./rules-test-report.ts";
import { onEveryChange } from "./watch.ts";

interface TestOptions {
  readonly format: ReportFormat;
  readonly filter?: string;
  readonly threshold?: number;
  readonly update?: boolean;
  readonly watch?: boolean;
  readonly verbose?: boolean;
}

export function addRulesTest(rules: Command): void {
  rules
    .command("test")
    .description("decide the cases beside the rules, and say what of the rules no case reaches")
    .argument("[directory]", "rules directory (default: $BEHEST_RULES, else ./rules)")
    .option("--filter <text>", "only cases whose file or name holds this text")
    .option("--threshold <percent>", "exit 5 if cases reach less of the rules or of their branches", percent)
    .option("--update", "write what was found into cases that expect something else")
    .option("--watch", "again at every change, until Ctrl-C")
    .option("--verbose", "name every case")
    .addOption(new Option("--format <format>", "how to report").choices(Object.keys(CASE_REPORTS)).default("pretty"))
    .addHelpText(
      "after",
      "\nExamples:\n  behest rules test\n  behest rules test rules --filter refund --watch\n  behest rules test --threshold 100 --format junit > report.xml\n",
    )
    .action((directory: string | undefined, options: TestOptions) => run(rulesDirectory(directory), options));
}

export function percent(text: string): number {
  const number = Number(text);
  if (text.trim() === "" || !(number >= 0 && number <= 100)) throw new InvalidArgumentError("Give a number from 0 to 100.");
  return number;
}

async function run(directory: string, options: TestOptions): Promise<void> {
  if (options.filter !== undefined && options.threshold !== undefined) {
    throw new CommandFailed(EXIT.usage, "--threshold is about all cases and --filter leaves some out; use one of the two");
  }
  if (options.watch) await onEveryChange(directory, async () => void testOnce(directory, options));
  else process.exitCode = testOnce(directory, options);
}

/** Reports, and answers the exit code. */
function testOnce(directory: string, options: TestOptions): number {
  try {
    return decideCases(directory, options);
  } catch (error) {
    throw withConsequence(error, "nothing was tested");
  }
}

function decideCases(directory: string, options: TestOptions): number {
  let policy: Policy;
  try {
    ({ policy } = loadPolicy(directory));
    readCaseFiles(directory, policy);
  } catch (error) {
    // Whoever reads a report must find one.
    if (error instanceof PolicyInvalid && options.format !== "pretty") process.stdout.write(REFUSED_REPORTS[options.format](error));
    throw error;
  }
  let report = reportOf(policy, directory, options);
  const failed = report.judged.filter(({ disagreements }) => disagreements.length > 0);
  if (options.update && failed.length > 0) {
    updateFiles(failed);
    report = reportOf(policy, directory, options);
  }
  process.stdout.write(CASE_REPORTS[options.format](report));
  if (report.judged.some(({ disagreements }) => disagreements.length > 0)) return EXIT.testsFailed;
  return report.missed ? EXIT.belowThreshold : EXIT.ok;
}

function reportOf(policy: Policy, directory: string, { filter, threshold, verbose = false }: TestOptions): CaseReport {
  const all = readCaseFiles(directory, policy);
  if (all.length === 0) {
    throw new CommandFailed(
      EXIT.testsFailed,
      `no case in \`${directory}\`: write one into a \`NAME.cases.json\`, or begin with \`${asTyped("case from DECISION-ID")}\``,
    );
  }
  const chosen = filter === undefined ? all : all.filter((one) => isMeant(one, filter));
  if (chosen.length === 0) throw new CommandFailed(EXIT.usage, `no case of ${all.length} holds \`${filter}\` in its file's name or its own`);
  const judged = judgeCases(policy, chosen);
  const coverage = coverageOf(policy, judged);
  const least = Math.min(percentOf(coverage.rules), percentOf(coverage.branches));
  return {
    judged,
    coverage,
    verbose,
    ...(filter !== undefined && { filter }),
    ...(threshold !== undefined && { threshold }),
    missed: threshold !== undefined && least < threshold,
  };
}

const isMeant = ({ stated }: ReadyCase, filter: string): boolean =>
  `${stated.source.document.file} ${stated.name}`.toLowerCase().includes(filter.toLowerCase());

function updateFiles(failed: readonly JudgedCase[]): void {
  const byFile = Map.groupBy(failed, ({ stated }) => stated.source.document.file);
  for (const [file, cases] of byFile) {
    const changes = cases.map(({ stated, disagreements }) => ({ index: stated.source.index, disagreements }));
    const before = cases[0]?.stated.source.document.text ?? "";
    replaceText(file, { before, after: withFound(before, changes) });
    process.stderr.write(`updated ${cases.length} ${cases.length === 1 ? "case" : "cases"} in ${file}: look at the difference before you keep it\n`);
  }
}
