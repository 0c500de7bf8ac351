import Sqlite, { type Database } from "better-sqlite3";
import { migrate } from "./schema.ts";
import { writeAnew } from "./wal-anew.ts";
import { cutUnfinished } from "./wal-tail.ts";

/** Nobody else writes; a backup may hold the file for a moment. */
const BUSY_MS = 1_000;
/** Of a file that is made anew. Two records of a decision do not fit into one of 4 KiB, which leaves nearly half of each empty, and half of what is written is nothing. */
const PAGE_BYTES = 8_192;
/** A WAL of 16 MiB. What is written over again meanwhile, as pages of an index are, is taken over once. */
const CHECKPOINT_AFTER_FRAMES = 2_048;

/** The one connection that writes. */
export interface WritingConnection {
  readonly db: Database;
  /**
   * Takes what the WAL holds into the file once that is much; called after each COMMIT. SQLite would do so by itself, but would tell nobody of an fsync that
   * fails there, and repeat it on the same descriptor. @throws {Error}
   */
  checkpoint(): void;
  close(): void;
  /**
   * Closes after a failure, without a last checkpoint: that would use descriptors again of which an fsync has failed. The kernel takes what it could not
   * write for written then, and a second fsync says so.
   */
  abandon(): void;
}

/** Opens it: WAL, fully synced, migrated, proven to take writes. @throws {Error} */
export function openForWriting(path: string, nowMs: number): WritingConnection {
  cutUnfinished(path);
  writeAnew(path);
  const db = new Sqlite(path, { timeout: BUSY_MS });
  const opened: Database[] = [db];
  const abandon = (): void => {
    for (const connection of opened) connection.close();
  };
  try {
    db.pragma(`page_size = ${PAGE_BYTES}`);
    db.pragma("journal_mode = WAL");
    // Only the last of two connections takes a checkpoint when it closes, and one that cannot write takes none.
    const guard = new Sqlite(path, { readonly: true, timeout: BUSY_MS });
    opened.push(guard);
    guard.pragma("schema_version");
    makeReady(db, nowMs);
    const frames = db.prepare<[], { readonly log: number }>("PRAGMA wal_checkpoint(NOOP)");
    return {
      db,
      checkpoint() {
        if ((frames.get()?.log ?? 0) >= CHECKPOINT_AFTER_FRAMES) db.pragma("wal_checkpoint(PASSIVE)");
      },
      close() {
        guard.close();
        db.close();
      },
      abandon,
    };
  } catch (error) {
    abandon();
    throw error;
  }
}

function makeReady(db: Database, nowMs: number): void {
  db.pragma("synchronous = FULL");
  if (db.pragma("synchronous", { simple: true }) !== 2) throw new Error("`synchronous` cannot be set to FULL");
  db.pragma("wal_autocheckpoint = 0");
  db.pragma("foreign_keys = ON");
  // What is deleted, as all that is kept of a task's values when it ends, does not stay in free pages.
  db.pragma("secure_delete = ON");
  migrate(db);
  // Whatever an earlier, failed process left in the WAL is taken into the file before anything is decided on it.
  db.pragma("wal_checkpoint(TRUNCATE)");
  // Proves that the disk takes writes again.
  db.prepare("UPDATE _tree_edge SET reopened_at = ?").run(nowMs);
}
