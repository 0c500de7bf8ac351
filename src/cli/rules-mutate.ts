import { type Command, Option } from "commander";
import { percentOf } from "../policy/coverage.ts";
import { loadPolicy } from "../policy/load.ts";
import { createNoticer, type Mutant, mutantsOf } from "../policy/mutants.ts";
import { judgeCases, readCaseFiles } from "./cases.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import { withConsequence } from "./failure.ts";
import { asTypedOf } from "./hint.ts";
import { folded, paint, printJson, screenColumns, visible } from "./output.ts";
import { createProgress } from "./progress.ts";
import { rulesDirectory } from "./rules-directory.ts";
import { percent } from "./rules-test.ts";
import { shownPath } from "./shown-path.ts";

interface MutateOptions {
  readonly format: "pretty" | "json";
  readonly threshold?: number;
  readonly rule?: string;
}

export function addRulesMutate(rules: Command): void {
  rules
    .command("mutate")
    .description("make small mistakes in the rules, one at a time, and list those that no case notices")
    .argument("[directory]", "rules directory (default: $BEHEST_RULES, else ./rules)")
    .option("--rule <name>", "only in this rule")
    .option("--threshold <percent>", "exit 5 if cases notice fewer", percent)
    .addOption(new Option("--format <format>", "how to report").choices(["pretty", "json"]).default("pretty"))
    .addHelpText("after", "\nExample:\n  behest rules mutate rules --rule money-above-a-limit-asks\n")
    .action((directory: string | undefined, options: MutateOptions) => {
      try {
        run(rulesDirectory(directory), options);
      } catch (error) {
        throw withConsequence(error, "nothing was tested");
      }
    });
}

function run(directory: string, { format, threshold, rule }: MutateOptions): void {
  const { policy } = loadPolicy(directory);
  const judged = judgeCases(policy, readCaseFiles(directory, policy));
  const failing = judged.find(({ disagreements }) => disagreements.length > 0);
  if (failing || judged.length === 0) {
    const why = failing ? `the case \`${failing.stated.name}\` does not hold as the rules are` : `no case in \`${directory}\``;
    throw new CommandFailed(EXIT.testsFailed, `${why}; mend that first, with \`${asTypedOf("rules test", directory)}\``);
  }
  const mutants = mutantsOf(policy).filter(({ mutated }) => rule === undefined || [...mutated.values()].some(({ name }) => name === rule));
  if (mutants.length === 0)
    throw new CommandFailed(EXIT.usage, rule === undefined ? "the policy has no rules" : `no rule \`${rule}\` in \`${directory}\``);
  const isNoticed = createNoticer(policy, judged);
  const progress = createProgress("mutants", mutants.length);
  const survivors = mutants.filter((mutant, done) => {
    progress.tell(done);
    return !isNoticed(mutant);
  });
  progress.end();
  const share = { reached: mutants.length - survivors.length, all: mutants.length };
  const missed = threshold !== undefined && percentOf(share) < threshold;
  if (format === "json") printJson({ mutants: share.all, noticed: share.reached, percent: percentOf(share), survivors: survivors.map(asJson) });
  else
    process.stdout.write(
      prettyOf(survivors, `${share.all} mutants: ${share.reached} noticed (${percentOf(share)} %), ${survivors.length} not`, missed),
    );
  process.exitCode = missed ? EXIT.belowThreshold : EXIT.ok;
}

const rulesOf = ({ mutated }: Mutant): readonly string[] => [...mutated.values()].map(({ name }) => name);
const asJson = (mutant: Mutant) => ({ position: mutant.position, what: mutant.what, rules: rulesOf(mutant) });

function prettyOf(survivors: readonly Mutant[], summary: string, missed: boolean): string {
  const lines: string[] = [];
  for (const [rules, mutants] of Map.groupBy(survivors, (mutant) => rulesOf(mutant).join(", "))) {
    lines.push(
      paint("bold", visible(rules)),
      ...mutants.map(({ position, what }) => folded(`    ${shownPath(position)}  ${visible(what)}`, screenColumns())),
    );
  }
  const advice = survivors.length > 0 ? ["", "Each line is a change of a rule that no case notices: write the case that would."] : [];
  return `${[...lines, ...advice, "", missed ? paint("red", summary) : summary].join("\n").trimStart()}\n`;
}
