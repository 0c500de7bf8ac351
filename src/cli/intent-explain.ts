import { readSync } from "node:fs";
import type { Command } from "commander";
import type { Language, StatementReading } from "../core/intent/language.ts";
import { createToolWords, type Match, matchOf, type Reached, reachedBy } from "../core/intent/scope.ts";
import type { Policy, Tool } from "../core/policy.ts";
import type { Effect } from "../core/words.ts";
import { createValueReader, type NamedValue, TEXT_MAX } from "../inference/named-values.ts";
import { sentencesOf } from "../inference/sentences.ts";
import { createLanguage, SENTENCES_MAX } from "../inference/statement.ts";
import { hasForeignLetters, nameTokens, tokensOf } from "../inference/tokens.ts";
import { orMean } from "../policy/complaints.ts";
import { loadPolicy } from "../policy/load.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import { asTyped, quoted } from "./hint.ts";
import { dataOfStatement, dataOfTool, explanationText, toolText } from "./intent-report.ts";
import { type Format, formatOption, printJson, printLine, visible } from "./output.ts";
import { rulesDirectory } from "./rules-directory.ts";

interface ExplainOptions {
  readonly rules?: string;
  readonly tool?: string;
  readonly all?: boolean;
  readonly output: Format;
}

/** A statement with all that is read out of it. */
export interface ExplainedStatement {
  readonly statement: string;
  readonly reading: StatementReading;
  readonly values: readonly NamedValue[];
  /** Words in letters that nobody here can read. */
  readonly foreign: readonly string[];
  /** All of its words are such. */
  readonly isForeign: boolean;
  /** Sentences beyond those that are read. */
  readonly unreadSentences: number;
}

/** How a tool, or one of its operations, stands to a statement. */
export interface ExplainedTool {
  readonly name: string;
  readonly operation?: string;
  readonly effect: Effect;
  readonly reached: Reached;
  /** The effect that the verb of the match asks for, which may only need the tool's. */
  readonly asked?: Effect;
  readonly match: Match;
  /** What its actions are done to. */
  readonly objects: readonly string[];
  /** The catalog says so; else its name does. */
  readonly objectsFrom: "catalog" | "name";
}

/** What a server takes for a task's statement where its `statement_bytes_max` says nothing else. */
const STATEMENT_BYTES_MAX = TEXT_MAX;
const FOREIGN_SHOWN = 12;

export function addIntentExplain(intent: Command): void {
  intent
    .command("explain")
    .description("what a statement asks for and names, which tools that reaches, and by which of its words")
    .argument("<statement>", "what was asked for, in the asker's words; - for stdin")
    .option("--rules <directory>", "rules directory (default: $BEHEST_RULES, else ./rules)")
    .option("--tool <name>", "only how this tool of the catalog stands to it, and why")
    .option("--all", "list the tools outside, and those that only read, as well")
    .addOption(formatOption())
    .addHelpText(
      "after",
      '\nExamples:\n  behest intent explain "Email the report to bob@example.org"\n  behest intent explain "Delete the draft" --tool send_email\n  behest intent explain - -o json < statement.txt\n',
    )
    .action((statement: string, options: ExplainOptions) => run(statement, options));
}

function run(stated: string, options: ExplainOptions): void {
  const statement = readStated(stated);
  const { policy } = loadPolicy(rulesDirectory(options.rules));
  const chosen = options.tool === undefined ? undefined : toolNamed(policy, options.tool);
  const language = createLanguage();
  const reading = language.readStatement(statement);
  const stand = standingsIn(language, { statement, reading });
  const tools = (chosen ? [chosen] : [...policy.tools.values()]).flatMap(stand);
  if (chosen) showTool(tools, options.output);
  else showAll(explain(statement, reading), tools, options);
}

function explain(statement: string, reading: StatementReading): ExplainedStatement {
  const words = [...new Set(statement.match(/[\p{L}\p{M}\p{N}]+/gu) ?? [])];
  const foreign = words.filter(hasForeignLetters);
  return {
    statement,
    reading,
    values: createValueReader()(statement),
    foreign: foreign.slice(0, FOREIGN_SHOWN),
    isForeign: words.length > 0 && foreign.length === words.length,
    unreadSentences: Math.max(0, sentencesOf(statement).length - SENTENCES_MAX),
  };
}

type Read = Pick<ExplainedStatement, "statement" | "reading">;

/** A tool with operations has an effect for each. */
function standingsIn(language: Language, { statement, reading }: Read): (tool: Tool) => readonly ExplainedTool[] {
  const toolWords = createToolWords(language);
  const asWritten = wordsByStem(language, statement);
  return (tool) => {
    const isListed = tool.objects !== undefined && tool.objects.length > 0;
    const inName = (): readonly string[] => nameTokens(tool.name).flatMap(({ word }) => (language.stemsIn(word).size > 0 ? [word] : []));
    const objects = isListed ? (tool.objects ?? []) : inName();
    const standing = (effect: Effect, operation?: string): ExplainedTool => {
      const found = matchOf(reading, effect, toolWords(tool));
      const match = { ...found, objects: found.objects.map((word) => asWritten.get(word) ?? word) };
      const reached = reachedBy(found, tool, effect);
      const asked = reading.asks.find(({ verb }) => verb === found.verb)?.effect;
      return {
        name: tool.name,
        ...(operation !== undefined && { operation }),
        effect,
        ...(asked !== undefined && { asked }),
        reached,
        match,
        objects,
        objectsFrom: isListed ? "catalog" : "name",
      };
    };
    return tool.operations ? [...tool.operations].map(([operation, effect]) => standing(effect, operation)) : [standing(tool.effect)];
  };
}

/** Where only stems are compared, people are shown the word. */
function wordsByStem(language: Language, statement: string): ReadonlyMap<string, string> {
  const words = new Map<string, string>();
  for (const { raw } of tokensOf(statement)) for (const stem of language.stemsIn(raw)) if (!words.has(stem)) words.set(stem, raw);
  return words;
}

function showTool(tools: readonly ExplainedTool[], format: Format): void {
  if (format === "table") process.stdout.write(toolText(tools));
  else (format === "json" ? printJson : printLine)({ tools: tools.map(dataOfTool) });
}

function showAll(explained: ExplainedStatement, tools: readonly ExplainedTool[], { output, all = false }: ExplainOptions): void {
  if (output !== "table") {
    (output === "json" ? printJson : printLine)({ ...dataOfStatement(explained), tools: tools.map(dataOfTool) });
    return;
  }
  process.stdout.write(explanationText(explained, { tools, all }));
  const some = tools.find(({ reached }) => reached !== "inside") ?? tools[0];
  if (some) process.stderr.write(`next: ${asTyped(`intent explain … --tool ${quoted(some.name)}`)} tells why one tool is inside or not\n`);
}

function toolNamed({ tools }: Policy, name: string): Tool {
  const tool = tools.get(name);
  if (tool) return tool;
  const shown = visible(name.slice(0, 200));
  const said = orMean(`no tool \`${shown}\` in the catalog, so nothing that it does lies inside`, name, tools.keys());
  throw new CommandFailed(
    EXIT.usage,
    typeof said === "string" ? `${said}; \`${asTyped("intent explain … --all")}\` lists those that it has` : said.message,
  );
}

/** @throws {CommandFailed} for what no server would take as a statement. */
function readStated(stated: string): string {
  const bytes = stated === "-" ? readStdin() : Buffer.from(stated);
  if (bytes.length > STATEMENT_BYTES_MAX)
    throw new CommandFailed(
      EXIT.usage,
      `the statement is longer than ${STATEMENT_BYTES_MAX} bytes, which no server takes unless its \`statement_bytes_max\` is more`,
    );
  try {
    const statement = new TextDecoder("utf-8", { fatal: true }).decode(bytes).trim();
    if (statement !== "") return statement;
  } catch {
    throw new CommandFailed(EXIT.usage, "the statement is not valid UTF-8");
  }
  throw new CommandFailed(
    EXIT.usage,
    'the statement is empty; say what is to be done, such as "Email the report to Bob", or `-` and send it to stdin',
  );
}

/** No more than shows that it is too long. */
function readStdin(): Buffer {
  const buffer = Buffer.alloc(STATEMENT_BYTES_MAX + 1);
  let length = 0;
  while (length < buffer.length) {
    const read = readSync(0, buffer, length, buffer.length - length, null);
    if (read === 0) break;
    length += read;
  }
  return buffer.subarray(0, length);
}
