import Sqlite, { type Database } from "better-sqlite3";
import { migrate } from "./schema.ts";
import { cutUnfinished } from "./wal-tail.ts";

/** Nobody else writes; a backup may hold the file for a moment. */
const BUSY_MS = 1_000;

/** Opens the one connection that writes: WAL, fully synced, migrated, proven to take writes. @throws {Error} */
export function openForWriting(path: string, nowMs: number): Database {
  cutUnfinished(path);
  const db = new Sqlite(path, { timeout: BUSY_MS });
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  if (db.pragma("synchronous", { simple: true }) !== 2) throw new Error("`synchronous` cannot be set to FULL");
  db.pragma("foreign_keys = ON");
  // What is deleted, as all that is kept of a task's values when it ends, does not stay in free pages.
  db.pragma("secure_delete = ON");
  migrate(db);
  // Whatever an earlier, failed process left in the WAL is taken into the file before anything is decided on it.
  db.pragma("wal_checkpoint(TRUNCATE)");
  // Proves that the disk takes writes again.
  db.prepare("UPDATE _tree_edge SET reopened_at = ?").run(nowMs);
  return db;
}
