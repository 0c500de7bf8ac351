import { copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cutUnfinished } from "../../src/storage/sqlite/wal-tail.ts";
import { temporaryDirectory } from "../running-server.ts";

let directory: ReturnType<typeof temporaryDirectory>;
let db: Sqlite.Database;
beforeEach(() => {
  directory = temporaryDirectory();
  db = new Sqlite(join(directory.path, "live.db"));
  db.pragma("journal_mode = WAL");
  // What does not fit in two pages of memory goes to the WAL before it is committed.
  db.pragma("cache_size = 2");
  db.exec("CREATE TABLE t (x TEXT)");
});
afterEach(() => {
  db.close();
  directory.remove();
});

const insert = (text: string): unknown => db.prepare("INSERT INTO t VALUES (?)").run(text.repeat(200_000));
const copy = (): string => join(directory.path, "copy.db");
const walBytes = (path: string): number => statSync(`${path}-wal`).size;

/** The files as they would stand if the process ended now. */
function crash(): void {
  for (const end of ["", "-wal"]) copyFileSync(`${db.name}${end}`, `${copy()}${end}`);
}

function kept(): readonly unknown[] {
  const after = new Sqlite(copy());
  try {
    expect(after.pragma("integrity_check", { simple: true })).toBe("ok");
    return after.prepare("SELECT substr(x, 1, 1) FROM t ORDER BY rowid").pluck().all();
  } finally {
    after.close();
  }
}

describe("cutting off what an unfinished transaction has left in a WAL", () => {
  it("leaves what is committed, and nothing behind it", () => {
    insert("a");
    insert("b");
    const committedBytes = walBytes(db.name);
    db.exec("BEGIN IMMEDIATE");
    insert("c");
    crash();
    expect(walBytes(copy())).toBeGreaterThan(committedBytes);
    cutUnfinished(copy());
    expect(walBytes(copy())).toBe(committedBytes);
    expect(kept()).toEqual(["a", "b"]);
  });

  it("takes no commit of an earlier round of the log for one of this round", () => {
    insert("a");
    insert("b");
    insert("c");
    db.pragma("wal_checkpoint(RESTART)");
    db.exec("BEGIN IMMEDIATE");
    insert("d");
    crash();
    cutUnfinished(copy());
    expect(walBytes(copy())).toBe(32);
    expect(kept()).toEqual(["a", "b", "c"]);
  });

  it("leaves a WAL alone that ends with a commit", () => {
    insert("a");
    crash();
    const before = readFileSync(`${copy()}-wal`);
    cutUnfinished(copy());
    expect(readFileSync(`${copy()}-wal`).equals(before)).toBe(true);
    expect(kept()).toEqual(["a"]);
  });

  it("disturbs no reader that is under way", () => {
    insert("a");
    const reader = new Sqlite(db.name, { readonly: true });
    reader.exec("BEGIN");
    const read = () => reader.prepare("SELECT count(*) FROM t").pluck().get();
    expect(read()).toBe(1);
    db.exec("BEGIN IMMEDIATE");
    insert("b");
    db.exec("ROLLBACK");
    cutUnfinished(db.name);
    insert("c");
    expect(read()).toBe(1);
    reader.exec("COMMIT");
    expect(read()).toBe(2);
    reader.close();
  });

  it.each([
    { says: "is empty", bytes: Buffer.alloc(0) },
    { says: "is shorter than its header", bytes: Buffer.from("377f0682", "hex") },
    { says: "is none", bytes: Buffer.alloc(8_192, "x") },
  ])("leaves a WAL alone that $says", ({ bytes }) => {
    writeFileSync(`${copy()}-wal`, bytes);
    cutUnfinished(copy());
    expect(readFileSync(`${copy()}-wal`).equals(bytes)).toBe(true);
  });

  it("does nothing where there is no WAL", () => {
    cutUnfinished(copy());
    expect(existsSync(`${copy()}-wal`)).toBe(false);
  });
});
