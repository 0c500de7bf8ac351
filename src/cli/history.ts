import { type Command, InvalidArgumentError } from "commander";
import { type DataOptions, findRecord, query } from "./database.ts";
import { type Format, formatOption, printJson, printRows } from "./output.ts";

interface HistoryOptions extends DataOptions {
  readonly output: Format;
}

interface ListOptions extends HistoryOptions {
  readonly limit: number;
  readonly agent?: string;
  readonly outcome?: string;
  readonly task?: string;
  readonly tool?: string;
}

const LIMIT_MAX = 100_000;

export function addHistory(program: Command): void {
  const history = program
    .command("history")
    .description("look at what was decided; reads the database, never writes it")
    .addHelpText("after", "\nExample:\n  behest history list --outcome DENY\n");
  const common = (command: Command): Command =>
    command.addOption(formatOption()).option("--data <dir>", "data directory of the server (default: $XDG_STATE_HOME/behest)");
  common(history.command("list"))
    .description("the latest decisions")
    .option("--limit <n>", "how many at most", limitOf, 20)
    .option("--agent <id>", "of this agent")
    .option("--outcome <outcome>", "ALLOW, DENY or REQUIRE_APPROVAL", outcomeOf)
    .option("--task <id>", "of this task")
    .option("--tool <name>", "of this tool")
    .addHelpText("after", "\nExample:\n  behest history list --outcome DENY --limit 5\n")
    .action((options: ListOptions) => list(options));
  common(history.command("show"))
    .description("one decision, whole")
    .argument("<decision-id>", "the id, or enough of its beginning or end")
    .addHelpText("after", "\nExample:\n  behest history show 01999d5c-2f10-7b7e-a6c3-1b0a4a5e9f21\n")
    .action((id: string, options: HistoryOptions) => show(id, options));
  common(history.command("sql"))
    .description("any query, with the SQLite that Behest brings; docs/history.md names the tables")
    .argument("<query>", "one SELECT")
    .addHelpText("after", '\nExample:\n  behest history sql "SELECT outcome, count(*) AS n FROM decisions GROUP BY outcome"\n')
    .action((query: string, options: HistoryOptions) => sql(query, options));
}

const OUTCOMES: readonly string[] = ["ALLOW", "DENY", "REQUIRE_APPROVAL"];

function outcomeOf(text: string): string {
  const outcome = text.toUpperCase();
  if (!OUTCOMES.includes(outcome)) throw new InvalidArgumentError(`Give one of ${OUTCOMES.join(", ")}.`);
  return outcome;
}

function limitOf(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > LIMIT_MAX) throw new InvalidArgumentError(`Give an integer from 1 to ${LIMIT_MAX}.`);
  return limit;
}

function list(options: ListOptions): void {
  const filters = { agent: options.agent, outcome: options.outcome, task_id: options.task, tool: options.tool };
  const stated = Object.entries(filters).filter(([, value]) => value !== undefined);
  const where = stated.length === 0 ? "" : `WHERE ${stated.map(([column]) => `${column} = @${column}`).join(" AND ")}`;
  const rows = query(
    options,
    `SELECT at_iso AS at, decision_id, outcome, score, agent, tool, effect, resource, reason_codes AS reasons FROM decisions ${where} ORDER BY seq DESC LIMIT @limit`,
    { ...Object.fromEntries(stated), limit: options.limit },
  );
  printRows(rows, options.output);
}

const show = (id: string, options: HistoryOptions): void => printJson(findRecord(options, id));

function sql(text: string, options: HistoryOptions): void {
  printRows(query(options, text, {}), options.output);
}
