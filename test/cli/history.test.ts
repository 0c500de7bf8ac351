import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readRequestJson } from "../../src/client/request-json.ts";
import { type RunningServer, runServer, temporaryDirectory } from "../running-server.ts";
import { type Finished, run } from "./running-command.ts";

const directory = temporaryDirectory();
let server: RunningServer;
let ids: string[];
beforeAll(async () => {
  server = await runServer({ data: join(directory.path, "state") });
  const client = server.client("enforcer");
  const tools = ["filesystem/read_text_file", "nobody/knows_this", "filesystem/create_directory"];
  ids = [];
  for (const tool of tools) ids.push((await client.decide(readRequestJson({ agent: { id: "coding-assistant" }, action: { tool } }))).decisionId);
});
afterAll(async () => {
  await server.close();
  directory.remove();
});

const history = (...args: readonly string[]): Promise<Finished> => run(["history", ...args, "--data", server.data]);

describe.concurrent("history list", () => {
  const listed = async (...flags: readonly string[]) =>
    (JSON.parse((await history("list", "-o", "json", ...flags)).stdout) as { decision_id: string }[]).map(({ decision_id }) => decision_id);

  it("shows the latest decisions first", async () => {
    expect(await listed()).toEqual([...ids].reverse());
    expect(await listed("--limit", "1")).toEqual(ids.slice(2));
  });

  it("finds them by outcome, in any case, and by tool and agent", async () => {
    expect(await listed("--outcome", "deny")).toEqual([ids[1]]);
    expect(await listed("--tool", "filesystem/read_text_file", "--agent", "coding-assistant")).toEqual([ids[0]]);
    expect(await listed("--agent", "' OR '1'='1")).toEqual([]);
  });

  it("prints a table for people, and a line each for programs", async () => {
    const { stdout } = await history("list");
    expect(stdout).toMatch(/^at +decision_id +outcome +score +agent +tool +effect +resource +reasons\n/);
    expect(stdout.trim().split("\n")).toHaveLength(4);
    const lines = (await history("list", "-o", "ndjson")).stdout.trim().split("\n");
    expect(lines.map((line) => JSON.parse(line).outcome)).toEqual(["REQUIRE_APPROVAL", "DENY", "ALLOW"]);
    expect((await history("list", "--agent", "nobody")).stdout).toBe("(no rows)\n");
  });

  it.each(["0", "many", "100001"])("refuses --limit %s", async (limit) => {
    const { code, stderr } = await history("list", "--limit", limit);
    expect(code).toBe(2);
    expect(stderr).toContain("Give an integer from 1 to 100000.");
  });
});

describe.concurrent("history show", () => {
  it("prints one decision whole, by its id or enough of its end", async () => {
    const id = ids[1] ?? "";
    const whole = await history("show", id);
    expect(JSON.parse(whole.stdout)).toMatchObject({ kind: "decision", id, judgement: { outcome: "DENY" } });
    expect(await history("show", id.slice(-12))).toEqual(whole);
  });

  it.each<{ says: string; id: () => string; stderr: RegExp }>([
    { says: "no id", id: () => "%", stderr: /`%` is no decision id: at least 4 hexadecimal digits of it/ },
    { says: "an id of nothing", id: () => "ffffffff-ffff", stderr: /no decision `ffffffff-ffff`; see `bin\/behest history list --data .*`/ },
    { says: "an id of several", id: () => (ids[0] ?? "").slice(0, 4), stderr: /several decisions match `[0-9a-f]{4}`; write more of it/ },
  ])("refuses $says", async ({ id, stderr }) => {
    const finished = await history("show", id());
    expect(finished).toMatchObject({ code: 2, stdout: "" });
    expect(finished.stderr).toMatch(stderr);
  });
});

describe.concurrent("history sql", () => {
  it("answers a query, of several tables too", async () => {
    const query =
      "SELECT d.outcome, count(f.rule) AS findings FROM decisions d LEFT JOIN findings f USING (decision_id) WHERE d.outcome = 'ALLOW' GROUP BY d.outcome";
    expect(JSON.parse((await history("sql", query, "-o", "json")).stdout)).toEqual([{ outcome: "ALLOW", findings: expect.any(Number) }]);
  });

  it.each<{ query: string }>([
    { query: "DELETE FROM decisions" },
    { query: "DELETE FROM decisions RETURNING decision_id" },
    { query: "INSERT INTO policies VALUES ('x', 0, '{}') RETURNING *" },
    { query: "PRAGMA query_only = OFF" },
    { query: "PRAGMA writable_schema = ON" },
    { query: "ATTACH DATABASE 'elsewhere.db' AS elsewhere" },
    { query: "VACUUM INTO 'copy.db'" },
    { query: "SELECT 1; DELETE FROM decisions" },
    { query: "SELECT load_extension('/nonexistent.so')" },
    { query: "" },
  ])("refuses $query", async ({ query }) => {
    const { code, stdout, stderr } = await history("sql", query);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^behest: (SQLite: .+|the query returns no rows; history can only be read)\n$/);
  });

  it("cannot take the database out of its journal mode", async () => {
    await history("sql", "PRAGMA journal_mode = DELETE");
    expect((await history("sql", "PRAGMA journal_mode", "-o", "ndjson")).stdout).toBe('{"journal_mode":"wal"}\n');
  });
});

describe("after every attempt to write", () => {
  it("nothing has changed", async () => {
    expect((await history("sql", "SELECT count(*) AS n FROM decisions", "-o", "ndjson")).stdout).toBe('{"n":3}\n');
    for (const name of ["elsewhere.db", "copy.db"]) expect(existsSync(name)).toBe(false);
  });

  it("a query still says what is wrong with it", async () => {
    expect(await history("sql", "SELECT no_such_column FROM decisions")).toMatchObject({
      code: 2,
      stderr: "behest: SQLite: no such column: no_such_column\n",
    });
  });
});

it("history works on the data of a server that has stopped, and says when there are none", async () => {
  const other = await runServer({ data: join(directory.path, "other") });
  await other.close();
  const args = ["history", "sql", "SELECT count(*) AS n FROM policies", "-o", "ndjson", "--data"];
  expect(await run([...args, other.data])).toEqual({ code: 0, stdout: '{"n":1}\n', stderr: "" });
  expect(await run([...args, directory.path])).toEqual({
    code: 1,
    stdout: "",
    stderr: `behest: no database at \`${join(directory.path, "behest.db")}\`; start the server once with \`bin/behest serve\`, or name its data directory with --data\n`,
  });
});

describe.concurrent("help", () => {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));

  it("is the version, where that is asked for", async () => {
    expect(await run(["version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
    expect(await run(["--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
  });

  /** Every command below one, found as a user finds it. */
  async function commandsBelow(command: readonly string[]): Promise<readonly (readonly string[])[]> {
    const { stdout } = await run([...command, "--help"]);
    const [list = ""] = (stdout.split("\nCommands:\n")[1] ?? "").split("\n\n");
    return [...list.matchAll(/^ {2}([a-z-]+)/gm)].map(([, name = ""]) => [...command, name]).filter((path) => path.at(-1) !== "help");
  }

  it("has an example for every command", async () => {
    const commands = [...(await commandsBelow([])), ...(await commandsBelow(["history"]))];
    expect(commands.map((command) => command.join(" "))).toEqual(
      expect.arrayContaining(["serve", "decide", "explain", "history", "history list", "history show", "history sql", "healthcheck", "version"]),
    );
    const helps = await Promise.all(commands.map((command) => run([...command, "--help"])));
    for (const [index, command] of commands.entries()) {
      expect(helps[index]?.code).toBe(0);
      expect(helps[index]?.stdout).toMatch(new RegExp(`\nExamples?:\n  behest ${command.join(" ")}`));
    }
  });

  it("comes with what is not a command, and says which was meant", async () => {
    const { code, stdout, stderr } = await run(["decid"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("error: unknown command 'decid'\n(Did you mean decide?)");
  });
});
