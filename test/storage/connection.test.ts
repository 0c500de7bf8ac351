import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openForWriting, type WritingConnection } from "../../src/storage/sqlite/connection.ts";
import { writeAnew } from "../../src/storage/sqlite/wal-anew.ts";
import { temporaryDirectory } from "../running-server.ts";

let directory: ReturnType<typeof temporaryDirectory>;
let path: string;
beforeEach(() => {
  directory = temporaryDirectory();
  path = join(directory.path, "behest.db");
});
afterEach(() => directory.remove());

const write = ({ db }: WritingConnection, text: string): unknown => db.prepare("INSERT INTO _policy_texts VALUES (?, ?)").run(text, text);
const kept = ({ db }: WritingConnection): unknown[] => db.prepare("SELECT text FROM _policy_texts ORDER BY rowid").pluck().all();
interface Frames {
  readonly log: number;
  readonly checkpointed: number;
}
const frames = ({ db }: WritingConnection): Frames => {
  const found = db.prepare<[], Frames>("PRAGMA wal_checkpoint(NOOP)").get();
  if (!found) throw new Error("the log is not counted");
  return found;
};

describe("the connection that writes", () => {
  it("leaves the log as it is when it is abandoned, and nothing of it in the file", () => {
    const connection = openForWriting(path, 0);
    write(connection, "a");
    const [file, log] = [readFileSync(path), readFileSync(`${path}-wal`)];
    connection.abandon();
    expect(readFileSync(path).equals(file)).toBe(true);
    expect(readFileSync(`${path}-wal`).equals(log)).toBe(true);
    const next = openForWriting(path, 1);
    expect(kept(next)).toEqual(["a"]);
    next.close();
  });

  it("takes the log into the file when it closes", () => {
    const connection = openForWriting(path, 0);
    write(connection, "a");
    connection.close();
    expect(statSync(`${path}-wal`, { throwIfNoEntry: false })).toBeUndefined();
  });

  it("takes the log into the file when it has become long, and then begins it anew", () => {
    const connection = openForWriting(path, 0);
    let log = 0;
    for (let checkpointed = 0, count = 0; checkpointed === 0 && count < 200; count++) {
      write(connection, `${count}`.padEnd(400_000));
      connection.checkpoint();
      ({ log, checkpointed } = frames(connection));
      expect([0, log]).toContain(checkpointed);
    }
    expect(frames(connection)).toEqual({ busy: 0, log, checkpointed: log });
    const bytes = statSync(`${path}-wal`).size;
    expect(bytes).toBeLessThan(32 * 1_024 * 1_024);
    write(connection, "after");
    expect(frames(connection).log).toBeLessThan(log);
    expect(statSync(`${path}-wal`).size).toBe(bytes);
    connection.close();
  });
});

describe("writing a log anew", () => {
  it("changes no byte of it", () => {
    const connection = openForWriting(path, 0);
    write(connection, "x".repeat(1_500_000));
    const before = readFileSync(`${path}-wal`);
    writeAnew(path);
    expect(readFileSync(`${path}-wal`).equals(before)).toBe(true);
    connection.close();
  });

  it("does nothing where there is none", () => {
    expect(() => writeAnew(path)).not.toThrow();
  });
});
