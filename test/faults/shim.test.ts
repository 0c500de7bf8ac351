import { execFile } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ReplayedDisk } from "../../faults/replayed-disk.ts";
import { type Entry, readDiskLog } from "../../faults/shim/log.ts";
import { buildShim, type Shim } from "../../faults/shim/shim.ts";
import { temporaryDirectory } from "../running-server.ts";
import { createRandom } from "../storage/under-load.ts";

const directory = temporaryDirectory();
afterAll(() => directory.remove());

const built = await buildShim({ directory: directory.path, data: directory.path });
if ("obstacle" in built) process.stderr.write(`the disk's shim is not tried: ${built.obstacle}\n`);

/** What a program of ours has done to a directory of its own. */
interface Ran {
  readonly data: string;
  readonly entries: readonly Entry[];
  readonly said: string;
}

let count = 0;
/** Runs a module's text, to which `data` is the directory and `src` where our sources are. */
async function run(text: string, strike?: (shim: Shim) => void): Promise<Ran> {
  const place = join(directory.path, `run-${count++}`);
  const data = join(place, "data");
  mkdirSync(data, { recursive: true });
  const shim = await buildShim({ directory: place, data });
  if ("obstacle" in shim) throw new Error(shim.obstacle);
  strike?.(shim);
  const source = `const data = ${JSON.stringify(data)}; const src = ${JSON.stringify(`${process.cwd()}/src`)}; ${text}`;
  const options = { env: { PATH: process.env["PATH"] ?? "", ...shim.environment }, cwd: process.cwd() };
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", source], options);
  return { data, entries: readDiskLog(shim.logPath), said: stdout };
}

const WRITES = `
  import fs from "node:fs";
  import Sqlite from "better-sqlite3";
  const file = fs.openSync(data + "/a", "w");
  fs.writeSync(file, "one"); fs.writevSync(file, [Buffer.from("two"), Buffer.from("three")]); fs.writeSync(file, "X", 1);
  fs.ftruncateSync(file, 9); fs.fsyncSync(file); fs.fdatasyncSync(file); fs.closeSync(file);
  await fs.promises.appendFile(data + "/a", "!"); await fs.promises.rename(data + "/a", data + "/b");
  fs.writeFileSync(data + "/gone", "x"); fs.rmSync(data + "/gone");
  const db = new Sqlite(data + "/c.db"); db.pragma("journal_mode = WAL"); db.exec("CREATE TABLE t (x); INSERT INTO t VALUES (zeroblob(100000))");
`;

describe.skipIf("obstacle" in built)("the disk's shim", () => {
  let ran: Ran;
  beforeAll(async () => {
    ran = await run(WRITES);
  });

  it("writes down everything that changes the files of its directory, by whichever call", () => {
    const disk = new ReplayedDisk(() => 0);
    for (const entry of ran.entries) disk.apply(entry);
    const live = disk.live();
    expect([...live.keys()].sort()).toEqual(["b", "c.db"]);
    for (const [name, bytes] of live) expect(bytes.equals(readFileSync(join(ran.data, name)))).toBe(true);
    expect(live.get("b")?.toString()).toBe("oXetwothr!");
  });

  it("writes down when each sync began and ended, and tells time in order", () => {
    const syncs = ran.entries.filter(({ kind }) => kind === "sync began" || kind === "sync ended").slice(0, 4);
    expect(syncs.map(({ kind }) => kind)).toEqual(["sync began", "sync ended", "sync began", "sync ended"]);
    const times = ran.entries.map(({ atNs }) => atNs);
    expect(times).toEqual(times.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)));
  });

  it("fails the syncs and writes that it is told to, and no others", async () => {
    const text = `
      import fs from "node:fs";
      const tell = (what, run) => { try { run(); console.log(what, "ok"); } catch (error) { console.log(what, error.code); } };
      for (const name of ["a.db", "b.db", "a.txt"]) {
        const file = fs.openSync(data + "/" + name, "w");
        for (let n = 1; n <= 4; n++) { tell(name + " write " + n, () => fs.writeSync(file, "x")); tell(name + " sync " + n, () => fs.fsyncSync(file)); }
        fs.closeSync(file);
      }`;
    const { said, entries } = await run(text, ({ strikes }) =>
      strikes.set([
        { what: "sync", suffix: "a.db", nth: 2, times: 1, error: "EIO" },
        { what: "write", suffix: ".db", nth: 7, error: "ENOSPC" },
      ]),
    );
    const failed = said.split("\n").filter((line) => line !== "" && !line.endsWith(" ok"));
    expect(failed).toEqual(["a.db sync 2 EIO", "b.db write 3 ENOSPC", "b.db write 4 ENOSPC"]);
    expect(entries.flatMap((entry) => ("error" in entry && entry.error !== 0 ? [`${entry.kind} ${entry.error}`] : []))).toEqual([
      "sync ended 5",
      "written 28",
      "written 28",
    ]);
  });
});

describe.skipIf("obstacle" in built)("what is made once and must not be lost", () => {
  it.each([
    {
      says: "the key of a data directory",
      name: "behest.key",
      text: 'const { holdDataDirectory } = await import(src + "/data-directory.ts"); holdDataDirectory(data);',
    },
    {
      says: "the secret of webhooks",
      name: "webhook.secret",
      text: 'const { readWebhookSecret } = await import(src + "/webhooks/signing.ts"); readWebhookSecret(data + "/webhook.secret");',
    },
    {
      says: "the place up to which webhooks were delivered",
      name: "webhook.cursor",
      text: 'const { openCursor } = await import(src + "/webhooks/cursor.ts"); await openCursor(data + "/webhook.cursor").moveTo(5);',
    },
  ])(
    "is there whole once it was made, wherever the power goes from then on, and before it is there whole or not at all: $says",
    async ({ name, text }) => {
      const { entries, data } = await run(text);
      const whole = readFileSync(join(data, name)).toString();
      const disk = new ReplayedDisk(() => 0);
      const draw = createRandom(3);
      const seen = (during?: Entry): Set<string | undefined> =>
        new Set(Array.from({ length: 60 }, () => disk.cut(draw, during).get(name)?.toString()));
      for (const entry of entries) {
        for (const text of seen(entry)) expect([undefined, whole]).toContain(text);
        disk.apply(entry);
      }
      expect(seen()).toEqual(new Set([whole]));
    },
  );
});
