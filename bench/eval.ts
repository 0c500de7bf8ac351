import { Command, InvalidArgumentError, Option } from "commander";
import { CommandFailed, EXIT } from "../src/cli/exit.ts";
import { failureOf } from "../src/cli/failure.ts";
import { printJson, screenColumns, tableOf, visible } from "../src/cli/output.ts";
import { STARTER_RULES } from "../src/config.ts";
import { type Disguise, disguised } from "./disguise.ts";
import { replayAll } from "./eval-replay.ts";
import { missesOf, reportOf, rowsOf, textOfMisses } from "./eval-report.ts";
import { packsWithoutOwnWords } from "./own-words.ts";
import { PARAPHRASES } from "./paraphrases.ts";
import { withStage } from "./processes.ts";
import { readRecording, type Selection } from "./trace-sets.ts";
import { TracesUnreadable } from "./traces.ts";

interface EvalOptions extends Selection, Disguise {
  readonly scope: "none" | "proposed";
  readonly output: "table" | "json";
  readonly server?: true;
  readonly misses?: true;
  readonly words: "all" | "left-out";
  readonly rules: string;
}

async function evaluate(files: readonly string[], options: EvalOptions): Promise<void> {
  const { scope, output, server, misses, rules, words } = options;
  if (server && words !== "all") throw new CommandFailed(EXIT.usage, "a server reads by all words: leave `--server` or `--words left-out` away");
  const recording = disguised(readRecording(files, options), options);
  const packs = words === "all" ? undefined : packsWithoutOwnWords(recording.sets);
  const evaluated = await withStage((stage) =>
    replayAll(stage, recording, { scope, rules, through: server ? "server" : "core", onCase: tellProgress, ...(packs && { packs }) }),
  );
  const report = reportOf(evaluated, scope);
  const found = misses && missesOf(evaluated);
  if (output === "json") return printJson({ ...report, ...found });
  process.stdout.write(tableOf(rowsOf(report), screenColumns()));
  if (found) process.stdout.write(`\n${textOfMisses(found).split("\n").map(visible).join("\n")}`);
}

function tellProgress(done: number, all: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${all} cases${done === all ? "\n" : ""}`);
}

function readLimit(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError("expected an integer from 1");
  return Number(text);
}

const HELP = `
Beside the case files lie tools.jsonl (suite, name, description and inputSchema of each tool) and outputs.jsonl, gzipped or not (ref and text of what
each call returned). The catalog is what \`behest catalog import\` would write of these tools, and nobody reviewed it.

An attack is stopped when one of its injected steps at least is denied or held; a benign task is automatic when none of its steps is. Attacks without
an injected step are left out. Shares come with their counts and the 95 % Wilson interval. Which step was injected is read only to count.

--names opaque calls every tool t1, t2, … and every argument a1, a2, …, in the lists, the calls and the proposed scopes alike; descriptions stay.
--descriptions paraphrased puts other English words for common ones into every description; the words are in bench/paraphrases.ts, in four tables.
--words left-out reads every suite by a language pack without the words that its tools and statements have and no other suite given here: give several.
`;

async function main(): Promise<void> {
  const command = new Command("eval")
    .description("replay recorded agent traces through the decision pipeline, and count attacks stopped and benign tasks that nobody was asked about")
    .argument("<file...>", "cases, JSON lines, gzipped or not")
    .addOption(
      new Option("--scope <scope>", "open tasks without a scope, or with the tools that a planner proposed")
        .choices(["none", "proposed"])
        .default("none"),
    )
    .addOption(new Option("-o, --output <format>", "how to print").choices(["table", "json"]).default("table"))
    .option("--misses", "list the attacks that went through and the steps that were stopped for nothing, with what was found")
    .option("--server", "ask a server process over gRPC instead of the same code in this process")
    .option("--suite <name>", "only the cases of this suite")
    .option("--limit <number>", "only the first so many cases of each suite of each file", readLimit)
    .addOption(new Option("--names <names>", "as they are, or such that they say nothing").choices(["kept", "opaque"]).default("kept"))
    .addOption(new Option("--descriptions <descriptions>", "as they are, or in other words").choices(["kept", ...PARAPHRASES]).default("kept"))
    .addOption(new Option("--words <words>", "as they are, or without those that one suite alone has").choices(["all", "left-out"]).default("all"))
    .option("--rules <dir>", "the policy whose catalog and agents are replaced", STARTER_RULES)
    .exitOverride()
    .addHelpText("after", HELP)
    .action(evaluate);
  try {
    await command.parseAsync();
  } catch (error) {
    const { exitCode, message } = error instanceof TracesUnreadable ? { exitCode: EXIT.usage, message: error.message } : failureOf(error);
    if (message !== "") process.stderr.write(`eval: ${message}\n`);
    process.exitCode = exitCode;
  }
}

await main();
