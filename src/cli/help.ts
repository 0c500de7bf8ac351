import type { Command } from "commander";
import { nearest } from "../core/nearest.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import { asTyped } from "./hint.ts";
import { visible } from "./output.ts";

/** `behest help rules test`: commander's own stops at the first word. */
export function addHelp(program: Command): void {
  program
    .command("help")
    .description("what a command does and takes")
    .argument("[command...]", "such as `rules test`; without it, which commands there are")
    .addHelpText("after", "\nExamples:\n  behest help\n  behest help rules test\n")
    .action((words: readonly string[]) => words.reduce(commandNamed, program).outputHelp());
}

function commandNamed(group: Command, word: string): Command {
  const found = group.commands.find((one) => one.name() === word);
  if (found) return found;
  const known = group.commands.map((one) => one.name());
  const near = nearest(word.slice(0, 200), known);
  const meant = near === undefined ? ":" : `; did you mean \`${near}\`?`;
  const all = group.parent ? `help ${group.name()}` : "help";
  throw new CommandFailed(EXIT.usage, `no command \`${visible(word.slice(0, 200))}\`${meant} \`${asTyped(all)}\` lists them all`);
}
