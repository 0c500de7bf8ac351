import { type Command, InvalidArgumentError, Option } from "commander";
import { COMPLAINT_IDS, type ComplaintId } from "../policy/complaint-kinds.ts";
import { type Complaint, nearest, PolicyInvalid } from "../policy/complaints.ts";
import { FIXABLE } from "../policy/lint/fix.ts";
import { type LintReport, lintPolicy } from "../policy/lint/lint.ts";
import { type LoadedPolicy, loadPolicy } from "../policy/load.ts";
import { judgeCases, readCaseFiles } from "./cases.ts";
import { EXIT } from "./failure.ts";
import { fixRules } from "./fix-rules.ts";
import { createProgress } from "./progress.ts";
import { rulesDirectory } from "./rules-directory.ts";
import { countOf, LINT_REPORTS, type LintFindings, type LintFormat } from "./rules-lint-report.ts";

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
  throw new InvalidArgumentError(`No complaint has the id \`${word}\`${near ? `; did you mean \`${near}\`?` : ""} docs/lint/ lists them.`);
}

/** Reports, and answers the exit code. */
function run(directory: string, options: LintOptions): number {
  const wanted = options.id && new Set<ComplaintId>(options.id);
  if (options.fix) fixRules(directory, wanted);
  const found = look(directory);
  const complaints = found.complaints.filter(({ severity, id }) => severity === "error" || !wanted || wanted.has(id));
  const findings = { ...found, complaints };
  process.stdout.write(LINT_REPORTS[options.format](findings));
  process.stderr.write(summaryOf(findings));
  const bad = countOf(complaints, "error") > 0 || (options.strict === true && complaints.length > 0);
  return bad ? EXIT.rulesInvalid : EXIT.ok;
}

/** All that is wrong with a rules directory: of its cases even where its policy is refused. */
function look(directory: string): LintFindings {
  const loaded = attempt(() => loadPolicy(directory));
  if ("complaints" in loaded) {
    const cases = attempt(() => readCaseFiles(directory));
    const complaints = [...loaded.complaints, ...("complaints" in cases ? cases.complaints.filter(isAboutCases) : [])];
    return { directory, complaints, notes: [], rules: undefined };
  }
  const cases = standingRules(directory, loaded.value);
  const progress = createProgress("rules", loaded.value.policy.rules.length);
  const { complaints, notes }: LintReport = lintPolicy(loaded.value, { standing: cases.standing, onProgress: (done) => progress.tell(done) });
  progress.end();
  return { directory, complaints: [...cases.complaints, ...complaints], notes: [...cases.notes, ...notes], rules: loaded.value.policy.rules.length };
}

const isAboutCases = ({ file }: Complaint): boolean => file.endsWith(".cases.json");

function attempt<T>(read: () => T): { readonly value: T } | { readonly complaints: readonly Complaint[] } {
  try {
    return { value: read() };
  } catch (error) {
    if (error instanceof PolicyInvalid) return { complaints: error.complaints };
    throw error;
  }
}

interface Standing {
  readonly standing: ReadonlySet<string> | undefined;
  readonly complaints: readonly Complaint[];
  readonly notes: readonly string[];
}

/** Names of the rules that some case makes stand. */
function standingRules(directory: string, { policy }: LoadedPolicy): Standing {
  const cases = attempt(() => readCaseFiles(directory));
  if ("complaints" in cases) return { standing: undefined, complaints: cases.complaints, notes: [] };
  if (cases.value.length === 0) {
    return {
      standing: undefined,
      complaints: [],
      notes: ["there are no cases, so nothing shows what the rules do; write some into a `NAME.cases.json`"],
    };
  }
  const judged = judgeCases(policy, cases.value);
  return { standing: new Set(judged.flatMap(({ judgement }) => judgement.findings.map(({ rule }) => rule))), complaints: [], notes: [] };
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
  const [first] = [...complaints].sort((a, b) => (a.severity === b.severity ? 0 : a.severity === "error" ? -1 : 1));
  const where = directory === "rules" ? "" : ` ${directory}`;
  if (!first) return `behest rules test${where}`;
  if (complaints.some(({ severity, id }) => severity === "warning" && isFixable(id))) return `behest rules lint${where} --fix`;
  return `read docs/lint/${first.id}.md`;
}

const isFixable = (id: ComplaintId): boolean => FIXABLE.some((fixable) => fixable === id);

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;
