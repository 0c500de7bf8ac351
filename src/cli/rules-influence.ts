import type { Command } from "commander";
import { influenceOf, type RuleInfluence } from "../policy/influence.ts";
import { loadPolicy } from "../policy/load.ts";
import { valueInWords } from "../policy/monotonic.ts";
import { type Format, formatOption, printRows, type Row } from "./output.ts";
import { rulesDirectory } from "./rules-directory.ts";

export function addRulesInfluence(rules: Command): void {
  rules
    .command("influence")
    .description("who could bring about what each rule reads")
    .argument("[directory]", "rules directory (default: $BEHEST_RULES, else ./rules)")
    .addOption(formatOption())
    .addHelpText("after", "\nExample:\n  behest rules influence rules -o json\n")
    .action((directory: string | undefined, { output }: { readonly output: Format }) => {
      const { policy, stated } = loadPolicy(rulesDirectory(directory));
      const found = stated.map((rule) => influenceOf(rule, policy.settings.classification.order));
      if (output === "table") printRows(found.flatMap(rowsOf), output);
      else
        printRows(
          found.map((one) => ({ ...one })),
          output,
        );
    });
}

/** One row for each fact of a rule. */
const rowsOf = ({ rule, event, weakest, facts, softens }: RuleInfluence): readonly Row[] =>
  facts.map(({ fact, influence }) => {
    const soft = softens.filter((one) => one.fact === fact);
    return {
      rule,
      event,
      weakest,
      fact,
      influence,
      softens: soft.map(({ from, to, by }) => `from ${valueInWords(from)} to ${valueInWords(to)}, by ${by}`).join("; "),
    };
  });
