import type { Command } from "commander";
import type { FactDeclaration } from "../core/fact.ts";
import { FACTS } from "../core/facts.ts";
import { whyNoFact } from "../policy/fact-reference.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import { dataOf, type Entry, factPage, factsList, howToAsk, rowOf } from "./facts-page.ts";
import { asTyped } from "./hint.ts";
import { type Format, formatOption, printJson, printLine, printRows, visible } from "./output.ts";

interface FactsOptions {
  readonly output: Format;
}

export function addFacts(program: Command): void {
  program
    .command("facts")
    .description("what rules can read: every fact with its type, its order and who can influence it")
    .argument("[name]", "all about one fact, or the facts whose names begin so")
    .addOption(formatOption())
    .addHelpText("after", "\nExamples:\n  behest facts\n  behest facts action.effect\n  behest facts task.seen -o json\n")
    .action((name: string | undefined, options: FactsOptions) => facts(name, options));
}

function facts(name: string | undefined, { output }: FactsOptions): void {
  const found = name === undefined ? undefined : factAt(name);
  if (found) {
    if (output === "table") process.stdout.write(factPage(found, process.stdout.columns));
    else (output === "json" ? printJson : printLine)({ ...dataOf(found), ...howToAsk(found) });
    return;
  }
  const entries = Object.entries(FACTS).filter(([fact]) => name === undefined || fact.startsWith(`${name}.`));
  if (entries.length === 0 && name !== undefined) throw unknownFact(name);
  if (output !== "table") printRows(entries.map(dataOf), output);
  else if (process.stdout.isTTY) process.stdout.write(factsList(entries, process.stdout.columns));
  else printRows(entries.map(rowOf), output);
}

/** A declared fact, or a path into an open map. */
function factAt(name: string): Entry | undefined {
  if (Object.hasOwn(FACTS, name)) return [name, FACTS[name] as FactDeclaration];
  const map = Object.entries(FACTS).find(([fact, { type }]) => type === "map" && (name.startsWith(`${fact}.`) || name.startsWith(`${fact}[`)));
  return map && [map[0], map[1]];
}

function unknownFact(name: string): CommandFailed {
  const said = whyNoFact(name, `no fact \`${visible(name.slice(0, 200))}\``);
  const message = typeof said === "string" ? said : `${said.message} \`behest facts\` lists them all`;
  return new CommandFailed(EXIT.usage, message.replaceAll("`behest facts`", `\`${asTyped("facts")}\``));
}
