import { existsSync } from "node:fs";
import { join } from "node:path";
import Sqlite, { type Database } from "better-sqlite3";
import { type Command, InvalidArgumentError } from "commander";
import { DATABASE_FILE } from "../data-directory.ts";
import { readConnectConfig } from "./connect.ts";
import { CommandFailed, EXIT } from "./failure.ts";
import { type Format, formatOption, printJson, printRows, type Row } from "./output.ts";

interface HistoryOptions {
  readonly data?: string;
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

function show(id: string, options: HistoryOptions): void {
  if (!/^[0-9a-fA-F-]{4,36}$/.test(id)) throw new CommandFailed(EXIT.usage, `\`${id}\` is no decision id: at least 4 hexadecimal digits of it`);
  const rows = query(
    options,
    "SELECT record FROM decisions WHERE decision_id = @id OR decision_id LIKE @begins OR decision_id LIKE @ends ORDER BY decision_id = @id DESC LIMIT 3",
    {
      id,
      begins: `${id}%`,
      ends: `%${id}`,
    },
  );
  const [first, second] = rows;
  if (!first) throw new CommandFailed(EXIT.usage, `no decision \`${id}\`; see \`behest history list\``);
  const record: unknown = JSON.parse(String(first["record"]));
  if (second && (record as { id?: unknown }).id !== id) throw new CommandFailed(EXIT.usage, `several decisions match \`${id}\`; write more of it`);
  printJson(record);
}

function sql(text: string, options: HistoryOptions): void {
  printRows(query(options, text, {}), options.output);
}

/** Runs one reading statement. */
function query(options: HistoryOptions, text: string, parameters: Readonly<Record<string, unknown>>): readonly Row[] {
  const db = openReadOnly(join(readConnectConfig(options).data, DATABASE_FILE));
  try {
    const statement = db.prepare<[Readonly<Record<string, unknown>>], Row>(text);
    if (!statement.reader) throw new CommandFailed(EXIT.usage, "the query returns no rows; history can only be read");
    return statement.all(parameters);
  } catch (error) {
    if (error instanceof Sqlite.SqliteError) throw new CommandFailed(EXIT.usage, `SQLite: ${error.message}`, { cause: error });
    if (error instanceof RangeError || error instanceof TypeError) throw new CommandFailed(EXIT.usage, `SQLite: ${error.message}`, { cause: error });
    throw error;
  } finally {
    db.close();
  }
}

function openReadOnly(path: string): Database {
  if (!existsSync(path))
    throw new CommandFailed(
      EXIT.internal,
      `no database at \`${path}\`; start the server once with \`behest serve\`, or name its data directory with --data`,
    );
  const db = new Sqlite(path, { readonly: true, timeout: 5_000 });
  db.pragma("query_only = ON");
  return db;
}
