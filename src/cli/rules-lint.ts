import { type Command, InvalidArgumentError, Option } from "commander";
import { nearest } from "../core/nearest.ts";
import { COMPLAINT_IDS, type ComplaintId } from "../policy/complaint-kinds.ts";
import type { Complaint } from "../policy/complaints.ts";
import { FIXABLE } from "../policy/lint/fix.ts";
import { systemNow } from "./clock.ts";
import { EXIT } from "./exit.ts";
import { fixRules } from "./fix-rules.ts";
import { asTypedOf } from "./hint.ts";
import { rulesDirectory } from "./rules-directory.ts";
import { lookAt } from "./rules-lint-look.ts";
import { countOf, LINT_REPORTS, type LintFindings, type LintFormat, pageOf } from "./rules-lint-report.ts";

interface LintOptions {
  readonly format: LintFormat;
  readonly strict?: boolean;
  readonly fix?: boolean;
  readonly id?: readonly ComplaintId[];
}

export function addRulesLint(rules: Command): void {
  rules
    .command("lint")
    .description("complain of rules that are wrong, and of those that do not do what they seem to")
    .argument("[directory]", "rules directory (default: $BEHEST_RULES, else ./rules)")
    .addOption(new Option("--format <format>", "how to report").choices(Object.keys(LINT_REPORTS)).default("pretty"))
    .option("--strict", "exit 3 on warnings too")
    .option("--fix", "mend what can be mended without changing a decision")
    .option("--id <ids...>", "only these warnings, and what they can mend; errors are always told", complaintId)
    .addHelpText(
      "after",
      "\nExamples:\n  behest rules lint\n  behest rules lint rules --fix --strict\n  behest rules lint --id never-fires shadowed-by-deny --format sarif > lint.sarif\n",
    )
    .action((directory: string | undefined, options: LintOptions) => {
      process.exitCode = run(rulesDirectory(directory), options);
    });
}

function complaintId(word: string, before: readonly ComplaintId[] | undefined): readonly ComplaintId[] {
  const id = COMPLAINT_IDS.find((known) => known === word);
  if (id) return [...(before ?? []), id];
  const near = nearest(word.slice(0, 200), COMPLAINT_IDS);
  throw new InvalidArgumentError(`No complaint has the id \`${word}\`${near ? `; did you mean \`${near}\`?` : "."} docs/lint/ lists them.`);
}

/** Reports, and answers the exit code. */
function run(directory: string, options: LintOptions): number {
  const wanted = options.id && new Set<ComplaintId>(options.id);
  if (options.fix) fixRules(directory, wanted);
  const found = lookAt(directory, systemNow());
  const complaints = found.complaints.filter(({ severity, id }) => severity === "error" || !wanted || wanted.has(id));
  const findings = { ...found, complaints };
  process.stdout.write(LINT_REPORTS[options.format](findings));
  process.stderr.write(summaryOf(findings));
  const bad = countOf(complaints, "error") > 0 || (options.strict === true && complaints.length > 0);
  return bad ? EXIT.rulesInvalid : EXIT.ok;
}

/** What was found, and what to type next. */
function summaryOf({ directory, complaints, notes, rules }: LintFindings): string {
  const [errors, warnings] = [countOf(complaints, "error"), countOf(complaints, "warning")];
  const lines = notes.map((note) => `note: ${note}\n`);
  const checked = rules === undefined ? "" : ` in ${counted(rules, "rule")}`;
  const what =
    complaints.length === 0 ? `nothing to complain of${checked}` : `${counted(errors, "error")}, ${counted(warnings, "warning")}${checked}`;
  return `${lines.join("")}${what}; next: ${nextOf(directory, complaints)}\n`;
}

function nextOf(directory: string, complaints: readonly Complaint[]): string {
  const first = complaints.find(({ severity }) => severity === "error") ?? complaints[0];
  if (!first) return asTypedOf("rules test", directory);
  const isMended = first.severity === "warning" && complaints.some(({ id }) => isFixable(id));
  const again = asTypedOf("rules lint", directory);
  return isMended ? `${again} --fix` : `mend them (${pageOf(first.id)} says more), then ${again}`;
}

const isFixable = (id: ComplaintId): boolean => FIXABLE.some((fixable) => fixable === id);

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;
