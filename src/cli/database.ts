import { existsSync } from "node:fs";
import { join } from "node:path";
import Sqlite, { type Database } from "better-sqlite3";
import { type DecisionRecord, decodeEvent } from "../core/record.ts";
import { DATABASE_FILE } from "../data-directory.ts";
import type { PolicyFiles } from "../policy/files.ts";
import { compilePolicy, type LoadedPolicy } from "../policy/load.ts";
import { readConnectConfig } from "./connect.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import { asTyped, asTypedTo } from "./hint.ts";
import type { Row } from "./output.ts";

export interface DataOptions {
  readonly data?: string;
}

/** Runs one reading statement. */
export function query(options: DataOptions, text: string, parameters: Readonly<Record<string, unknown>>): readonly Row[] {
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
      `no database at \`${path}\`; start the server once with \`${asTyped("serve")}\`, or name its data directory with --data`,
    );
  const db = new Sqlite(path, { readonly: true, timeout: 5_000 });
  db.pragma("query_only = ON");
  return db;
}

/** What a decision id looks like, or enough of its beginning or end. */
export const isDecisionId = (text: string): boolean => /^[0-9a-fA-F-]{4,36}$/.test(text);

/** The record of one decision, named by enough of its id. @throws {CommandFailed} when there is none, or more than one. */
export function findRecord(options: DataOptions, id: string): DecisionRecord {
  if (!isDecisionId(id)) throw new CommandFailed(EXIT.usage, `\`${id}\` is no decision id: at least 4 hexadecimal digits of it`);
  const [first, second] = query(
    options,
    "SELECT record FROM decisions WHERE decision_id = @id OR decision_id LIKE @begins OR decision_id LIKE @ends ORDER BY decision_id = @id DESC LIMIT 3",
    { id, begins: `${id}%`, ends: `%${id}` },
  );
  if (!first) throw new CommandFailed(EXIT.usage, `no decision \`${id}\`; see \`${asTypedTo("history list", options)}\``);
  const record = decodeEvent(String(first["record"]));
  if (record.kind !== "decision") throw new CommandFailed(EXIT.internal, `the record of \`${id}\` is no decision`);
  if (second && record.id !== id) throw new CommandFailed(EXIT.usage, `several decisions match \`${id}\`; write more of it`);
  return record;
}

/** The policy that a decision names, compiled from its stored files; places in it begin with `rules/`. */
export function storedPolicy(options: DataOptions, digest: string): LoadedPolicy {
  const [row] = query(options, "SELECT files FROM policies WHERE policy_digest = @digest", { digest });
  if (!row) throw new CommandFailed(EXIT.internal, `the ledger lacks the policy \`${digest}\` that the decision names; restore it from a backup`);
  const files: PolicyFiles = JSON.parse(String(row["files"]));
  return compilePolicy(files);
}
