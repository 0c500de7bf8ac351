import type { Command } from "commander";
import { addRulesInfluence } from "./rules-influence.ts";
import { addRulesLint } from "./rules-lint.ts";
import { addRulesMutate } from "./rules-mutate.ts";
import { addRulesReload } from "./rules-reload.ts";
import { addRulesShow } from "./rules-show.ts";
import { addRulesStatus } from "./rules-status.ts";
import { addRulesTest } from "./rules-test.ts";

/** `behest rules …`: what an author of rules does with them. */
export function addRules(program: Command): void {
  const rules = program
    .command("rules")
    .description("check, test and understand rules")
    .addHelpText("after", "\nExample:\n  behest rules lint && behest rules test\n");
  addRulesLint(rules);
  addRulesTest(rules);
  addRulesMutate(rules);
  addRulesInfluence(rules);
  addRulesReload(rules);
  addRulesStatus(rules);
  addRulesShow(rules);
}
