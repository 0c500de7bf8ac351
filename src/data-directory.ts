import { hkdfSync, randomBytes } from "node:crypto";
import { accessSync, chownSync, closeSync, constants, existsSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import Sqlite from "better-sqlite3";
import { writePrivate } from "./private-file.ts";
import { cutUnfinished } from "./storage/sqlite/wal-tail.ts";

/** Something about the surroundings that an operator must mend; its message is one line that says how. */
export class StartRefused extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StartRefused";
  }
}

export const DATABASE_FILE = "behest.db";
export const CONTROL_JOURNAL_FILE = "control.journal";
export const WEBHOOK_SECRET_FILE = "webhook.secret";
export const WEBHOOK_CURSOR_FILE = "webhook.cursor";
const KEY_FILE = "behest.key";
const LOCK_FILE = "serve.lock";
const PID_FILE = "serve.pid";
const EDIT_LOCK_FILE = "edit.lock";
/** An edit takes milliseconds; many may wait in line. */
const EDIT_WAIT_MS = 10_000;

export interface DataDirectory {
  readonly path: string;
  readonly databasePath: string;
  readonly controlJournalPath: string;
  readonly webhookSecretPath: string;
  readonly webhookCursorPath: string;
  /** Masks secrets and request contents. */
  readonly maskKey: Buffer;
  /** Seals rows that are read back. */
  readonly sealKey: Buffer;
  /** Hides what tools returned. */
  readonly observationKey: Buffer;
  release(): void;
}

/**
 * Makes a data directory ready and holds it for this process.
 * @throws {StartRefused} when it cannot be written or another process holds it.
 */
export function holdDataDirectory(path: string): DataDirectory {
  const absolute = resolve(path);
  try {
    makeDirectory(absolute);
    accessSync(absolute, constants.W_OK);
  } catch (error) {
    throw new StartRefused(`the data directory \`${absolute}\` cannot be written: ${messageOf(error)}; choose another with --data`, { cause: error });
  }
  const release = lock(absolute);
  try {
    const master = masterKey(absolute);
    return {
      path: absolute,
      databasePath: join(absolute, DATABASE_FILE),
      controlJournalPath: join(absolute, CONTROL_JOURNAL_FILE),
      webhookSecretPath: join(absolute, WEBHOOK_SECRET_FILE),
      webhookCursorPath: join(absolute, WEBHOOK_CURSOR_FILE),
      maskKey: derive(master, "behest mask v1"),
      sealKey: derive(master, "behest seal v1"),
      observationKey: derive(master, "behest observations v1"),
      release,
    };
  } catch (error) {
    release();
    throw error;
  }
}

/** One level at a time: where a file system answers ENOENT below a directory that is there, as /proc does, Node's own recursion never ends. */
function makeDirectory(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  makeDirectory(dirname(path));
  mkdirSync(path, { mode: 0o700 });
}

/**
 * Runs `work` while no other process does so for the same data directory; waits for one that does.
 * @throws {StartRefused} when it waits too long, or the directory cannot be written.
 */
export function whileEditing<T>(directory: string, work: () => T): T {
  let held: Sqlite.Database;
  try {
    const path = join(directory, EDIT_LOCK_FILE);
    closeSync(openSync(path, "a", 0o600));
    giveToOwner(directory, path);
    held = lockFile(path, EDIT_WAIT_MS);
  } catch (error) {
    const why = isBusy(error) ? `another process has held its \`${EDIT_LOCK_FILE}\` for ${EDIT_WAIT_MS / 1_000} s; try again` : messageOf(error);
    throw new StartRefused(`the data directory \`${directory}\` cannot be edited: ${why}`, { cause: error });
  }
  try {
    return work();
  } finally {
    held.close();
  }
}

/** What an administrator made in the directory of a server that runs as somebody else must not stand in that one's way. */
function giveToOwner(directory: string, path: string): void {
  const { uid, gid } = statSync(directory);
  if (process.geteuid?.() === 0 && uid !== 0) chownSync(path, uid, gid);
}

/** The lock is the kernel's: it ends with the process, however that ends. */
function lockFile(path: string, waitMs: number): Sqlite.Database {
  const db = new Sqlite(path, { timeout: waitMs });
  try {
    db.pragma("journal_mode = MEMORY");
    db.exec("BEGIN EXCLUSIVE");
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function lock(directory: string): () => void {
  const pidPath = join(directory, PID_FILE);
  let db: Sqlite.Database | undefined;
  try {
    db = lockFile(join(directory, LOCK_FILE), 0);
    // The first thing that writes would fail where an unfinished transaction has filled the disk.
    cutUnfinished(join(directory, DATABASE_FILE));
    writeFileSync(pidPath, `${process.pid}\n`, { mode: 0o600 });
  } catch (error) {
    db?.close();
    if (isBusy(error)) {
      const holder = existsSync(pidPath) ? readFileSync(pidPath, "utf8").trim() : "unknown";
      throw new StartRefused(`the data directory \`${directory}\` is held by process ${holder}; stop it, or choose another with --data`, {
        cause: error,
      });
    }
    throw new StartRefused(`the data directory \`${directory}\` cannot be written: ${messageOf(error)}`, { cause: error });
  }
  const held = db;
  return () => held.close();
}

const isBusy = (error: unknown): boolean =>
  error instanceof Error && "code" in error && typeof error.code === "string" && error.code.startsWith("SQLITE_BUSY");

function masterKey(directory: string): Buffer {
  const path = join(directory, KEY_FILE);
  if (!existsSync(path)) {
    if (existsSync(join(directory, DATABASE_FILE))) {
      throw new StartRefused(`\`${path}\` is missing beside its database; restore it, or move the database away to begin a new one`);
    }
    // One that a power cut left empty, or took away again, would make what was written under it worthless.
    writePrivate(path, `${randomBytes(32).toString("hex")}\n`);
  }
  const key = Buffer.from(readFileSync(path, "utf8").trim(), "hex");
  if (key.length !== 32) throw new StartRefused(`\`${path}\` does not hold a key of 64 hexadecimal digits; restore it`);
  return key;
}

const derive = (master: Buffer, purpose: string): Buffer => Buffer.from(hkdfSync("sha256", master, "", purpose, 32));

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The directory of the working tree that a path lies in, if it lies in one: data does not belong there. */
export function workingTreeOf(path: string): string | undefined {
  for (let directory = resolve(path); ; directory = dirname(directory)) {
    if (existsSync(join(directory, ".git"))) return directory;
    if (directory === dirname(directory)) return undefined;
  }
}
