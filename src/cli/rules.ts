import type { Command } from "commander";

/** `behest rules …`: what an author of rules does with them. */
export function addRules(program: Command): void {
  program
    .command("rules")
    .description("check, test and understand rules")
    .addHelpText("after", "\nExample:\n  behest rules lint && behest rules test\n");
}
