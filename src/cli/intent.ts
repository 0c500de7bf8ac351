import type { Command } from "commander";
import { addIntentExplain } from "./intent-explain.ts";

/** `behest intent …`: what is read out of people's words. */
export function addIntent(program: Command): void {
  const intent = program
    .command("intent")
    .description("what is read out of the words of a task")
    .addHelpText("after", '\nExample:\n  behest intent explain "Email the report to bob@example.org"\n');
  addIntentExplain(intent);
}
