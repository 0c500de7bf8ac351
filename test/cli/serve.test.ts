import type { ChildProcess } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readRequestJson } from "../../src/client/request-json.ts";
import { STARTER_RULES } from "../../src/config.ts";
import { readRows } from "../endpoints/raw-calls.ts";
import { temporaryDirectory } from "../running-server.ts";
import { launch, run, type Served, serve } from "./running-command.ts";

const REQUEST = { agent: { id: "reader" }, action: { tool: "filesystem/read_text_file", arguments: { path: "/srv/handbook.md" } } };

let directory: ReturnType<typeof temporaryDirectory>;
beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(() => directory.remove());

const MOMENTS_OF_START_MS = [0, 100, 400, 1_000] as const;

/** Waits until a process listens for SIGHUP: before its first line of code runs, nothing can. */
async function listening({ pid }: ChildProcess): Promise<void> {
  const caught = (): string => /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "0";
  await expect.poll(() => BigInt(`0x${caught()}`) & 1n, { interval: 5, timeout: 20_000 }).toBe(1n);
}

const at = (...names: readonly string[]): string => join(directory.path, ...names);
const linesOf = (text: string): readonly string[] => text.split("\n").filter((line) => line !== "");

describe("serve", () => {
  const held = temporaryDirectory();
  let server: Served;
  beforeAll(async () => {
    server = await serve(join(held.path, "state"));
  });
  afterAll(async () => {
    await server.stop();
    held.remove();
  });

  it("prints one line on stdout when it is ready, and only log lines on stderr", async () => {
    await server.client("enforcer").decide(readRequestJson(REQUEST));
    expect(linesOf(server.said.stdout)).toHaveLength(1);
    expect(server.ready).toEqual({
      ready: true,
      grpc: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      http: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      data: join(held.path, "state"),
      policy: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
    });
    await expect.poll(() => linesOf(server.said.stderr).map((line) => JSON.parse(line).msg), { timeout: 5_000 }).toContain("decided");
  });

  it("refuses a data directory that another one serves, and names it", async () => {
    const { code, stdout, stderr } = await run(["serve", "--data", server.data, "--grpc", "127.0.0.1:0"]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toBe(`behest: the data directory \`${server.data}\` is held by process ${server.pid}; stop it, or choose another with --data\n`);
  });

  it("is healthy, and says so to whoever asks", async () => {
    expect(await run(["healthcheck", "--grpc", server.address])).toEqual({ code: 0, stdout: "serving\n", stderr: "" });
  });

  it.each<NodeJS.Signals>(["SIGTERM", "SIGINT"])("ends with 0 on %s, after what is under way", async (signal) => {
    const other = await serve(at("state"));
    const client = other.client("enforcer");
    const answers = Array.from({ length: 20 }, () => client.decide(readRequestJson(REQUEST)).then(({ decisionId }) => decisionId));
    const first = await Promise.race(answers);
    const [settled, end] = await Promise.all([Promise.allSettled(answers), other.stop(signal)]);
    expect({ code: end.code, signal: end.signal }).toEqual({ code: 0, signal: null });
    expect(linesOf(end.stdout)).toHaveLength(1);
    const kept = new Set(readRows(at("state"), "SELECT decision_id FROM decisions").map((row) => row["decision_id"]));
    const answered = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    expect(answered).toContain(first);
    expect(answered.filter((id) => !kept.has(id))).toEqual([]);
  });

  it.runIf(existsSync("/proc/self")).each(MOMENTS_OF_START_MS)(
    "outlives a SIGHUP %i ms after its start, and reads the rules as asked",
    async (ms) => {
      const { child, said, ended } = launch(at("state"));
      await listening(child);
      expect(said.stdout).toBe("");
      await setTimeout(ms);
      child.kill("SIGHUP");
      await expect.poll(() => said.stderr, { timeout: 20_000 }).toContain("the rules are those in force already");
      child.kill("SIGTERM");
      const { code, signal, stdout } = await ended;
      expect({ code, signal, lines: linesOf(stdout).length }).toEqual({ code: 0, signal: null, lines: 1 });
    },
  );

  it.runIf(existsSync("/proc/self")).each(MOMENTS_OF_START_MS)("ends with 0 on SIGTERM or SIGINT %i ms after its start", async (ms) => {
    for (const asked of ["SIGTERM", "SIGINT"] as const) {
      const { child, said, ended } = launch(at("state"));
      await listening(child);
      expect(said.stdout).toBe("");
      await setTimeout(ms);
      child.kill(asked);
      const { code, signal, stderr } = await ended;
      expect({ code, signal, errors: stderr.includes('"level":50') }).toEqual({ code: 0, signal: null, errors: false });
    }
    // And has left nothing that would stand in the way of the next.
    await (await serve(at("state"))).stop();
  });

  it("warns when its data lie in a working tree", async () => {
    mkdirSync(at(".git"));
    const other = await serve(at("deep", "state"));
    const { stderr } = await other.stop();
    const warnings = linesOf(stderr)
      .map((line) => JSON.parse(line))
      .filter(({ level }) => level === 40);
    expect(warnings.map(({ msg }) => msg)).toEqual([
      `the data directory \`${at("deep", "state")}\` lies in the working tree \`${directory.path}\`; keys and records could be committed`,
    ]);
  });

  it("serves again after kill -9, with everything it has acknowledged", async () => {
    const first = await serve(at("state"));
    const client = first.client("enforcer");
    const acknowledged: string[] = [];
    const asking = Array.from({ length: 8 }, async () => {
      for (;;) acknowledged.push((await client.decide(readRequestJson(REQUEST))).decisionId);
    });
    await expect.poll(() => acknowledged.length, { timeout: 20_000 }).toBeGreaterThan(100);
    process.kill(first.pid, "SIGKILL");
    await Promise.allSettled(asking);
    expect((await first.stop()).signal).toBe("SIGKILL");
    const second = await serve(at("state"));
    expect((await second.client("enforcer").decide(readRequestJson(REQUEST))).recorded).toBe(true);
    await second.stop();
    const kept = new Set(readRows(at("state"), "SELECT decision_id FROM decisions").map((row) => row["decision_id"]));
    expect(acknowledged.filter((id) => !kept.has(id))).toEqual([]);
  });
});

describe("serve does not start", () => {
  it("where it cannot write, and says so in one line", async () => {
    writeFileSync(at("file"), "");
    for (const data of [at("file"), at("file", "below"), "/proc/behest"]) {
      const { code, stdout, stderr } = await run(["serve", "--data", data, "--grpc", "127.0.0.1:0"]);
      expect({ code, stdout, lines: linesOf(stderr).length }).toEqual({ code: 1, stdout: "", lines: 1 });
      expect(stderr).toContain(`behest: the data directory \`${data}\` cannot be written: `);
      expect(stderr).toContain("; choose another with --data");
    }
  });

  it("on a port that is taken", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", () => resolve()));
    const bound = taken.address();
    const port = typeof bound === "object" ? bound?.port : undefined;
    const { code, stdout, stderr } = await run(["serve", "--data", at("state"), "--grpc", `127.0.0.1:${port}`]);
    taken.close();
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    // And nothing in front of it: a library's own lines are no JSON.
    for (const line of stderr.trim().split("\n").slice(0, -1)) expect(() => JSON.parse(line), line).not.toThrow();
    expect(stderr).toMatch(/^behest: gRPC cannot be served on `127\.0\.0\.1:\d+`: .*EADDRINUSE.*; choose another address with --grpc$/m);
  });

  it("on a port that is taken for HTTP", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", () => resolve()));
    const bound = taken.address();
    const port = typeof bound === "object" ? bound?.port : undefined;
    const { code, stdout, stderr } = await run(["serve", "--data", at("state"), "--grpc", "127.0.0.1:0", "--http", `127.0.0.1:${port}`]);
    taken.close();
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(
      /^behest: HTTP cannot be served on `127\.0\.0\.1:\d+`: .*EADDRINUSE.*; choose another address with --http, or --http off$/m,
    );
  });

  it("on a database of another program", async () => {
    mkdirSync(at("state"));
    writeFileSync(at("state", "behest.key"), "0".repeat(64));
    writeFileSync(at("state", "behest.db"), "this is no database, however long it may be ".repeat(100));
    const { code, stderr } = await run(["serve", "--data", at("state"), "--grpc", "127.0.0.1:0"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^behest: the ledger `.*behest\.db` cannot be opened: file is not a database/);
  });

  it("without the key that its database was masked with", async () => {
    await (await serve(at("state"))).stop();
    rmSync(at("state", "behest.key"));
    const { code, stderr } = await run(["serve", "--data", at("state"), "--grpc", "127.0.0.1:0"]);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `behest: \`${at("state", "behest.key")}\` is missing beside its database; restore it, or move the database away to begin a new one\n`,
    });
  });

  it("without policy.json, and says that alone", async () => {
    cpSync(STARTER_RULES, at("rules"), { recursive: true });
    rmSync(at("rules", "policy.json"));
    const { code, stdout, stderr } = await run(["serve", "--data", at("state"), "--rules", at("rules"), "--grpc", "127.0.0.1:0"]);
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr).toBe(
      `behest: ${at("rules", "policy.json")}: is missing; without it nothing can be decided; \`behest init\` makes one\n\nthe rules have an error; nothing was started\n`,
    );
  });

  it("with rules that are wrong, and shows each place", async () => {
    cpSync(STARTER_RULES, at("rules"), { recursive: true });
    const rule = (fact: string, points: string) =>
      `{ "rules": [\n  { "name": "mine",\n    "conditions": { "all": [ { "fact": "${fact}", "operator": "equal", "value": "low" } ] },\n    "event": { "type": "risk", "params": { "points": ${points}, "reason": "is of little trust", "controls": ["owasp:ASI03"] } } } ] }\n`;
    writeFileSync(at("rules", "mine.rules.json"), rule("agnet.trust", '"many"'));
    writeFileSync(at("rules", "theirs.rules.json"), '{ "rules": [\n');
    const { code, stdout, stderr } = await run(["serve", "--data", at("state"), "--rules", at("rules"), "--grpc", "127.0.0.1:0"]);
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    const mine = at("rules", "mine.rules.json");
    expect(stderr).toContain(
      `${mine}:3:40: unknown fact \`agnet.trust\`; did you mean \`agent.trust\`?\n      "conditions": { "all": [ { "fact": "agnet.trust"`,
    );
    expect(stderr).toMatch(/\n {41}\^\n/);
    expect(stderr).toContain(`${mine}:4:54: expected an integer from -100 to 100, found a string\n`);
    expect(stderr).toContain(`${at("rules", "theirs.rules.json")}:2:1: not JSON: `);
    expect(stderr).toMatch(/the rules have \d+ errors; nothing was started\n$/);
  });

  it("with settings that are wrong, and names all of them at once", async () => {
    writeFileSync(at("config.json"), '{ "keys_max": -1, "colour": "blue" }');
    const env = { BEHEST_GRPCC: "127.0.0.1:1", BEHEST_NESTING_MAX: "deep", BEHEST_STATEMENT_BYTES_MAX: "1e9" };
    const flags = ["--grpc", "0.0.0.0:7080", "--http", "on", "--config", at("config.json"), "--log-level", "loud"];
    const { code, stdout, stderr } = await run(["serve", "--data", at("state"), ...flags], { env });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    for (const complaint of [
      "the variable `BEHEST_GRPCC` is no setting of Behest; see docs/configuration.md",
      "BEHEST_NESTING_MAX: expected an integer from 1 to 64, found `deep`",
      "BEHEST_STATEMENT_BYTES_MAX: expected an integer from 64, found `1e9`",
      "--grpc: expected HOST:PORT with a loopback host, such as `127.0.0.1:7080`; this version serves without TLS and so on loopback only, found `0.0.0.0:7080`",
      "--http: expected `off`, or HOST:PORT with a loopback host, such as `127.0.0.1:7081`; this version serves without TLS and so on loopback only, found `on`",
      "--log-level: expected one of debug, info, warn, error, found `loud`",
      `\`keys_max\` in ${at("config.json")}: expected an integer from 1, found \`-1\``,
      `\`colour\` in ${at("config.json")} is no setting of Behest; see docs/configuration.md`,
    ]) {
      expect(stderr).toContain(complaint);
    }
  });

  it("with a config file that is no JSON", async () => {
    writeFileSync(at("config.json"), "{");
    const { code, stderr } = await run(["serve", "--data", at("state"), "--config", at("config.json")]);
    expect(code).toBe(2);
    expect(stderr).toContain(`behest: the config file \`${at("config.json")}\` cannot be read: `);
  });
});

it("takes each setting from flag, variable and config file, the first that states it", async () => {
  writeFileSync(at("config.json"), JSON.stringify({ log_level: "error", identifier_bytes_max: 64, data: at("from-file") }));
  const other = await serve(at("from-flag"), ["--config", at("config.json")], {
    env: { BEHEST_DATA: at("from-variable"), BEHEST_LOG_LEVEL: "info" },
  });
  expect(other.ready["data"]).toBe(at("from-flag"));
  const tooLong = other.client("enforcer").decide(readRequestJson({ ...REQUEST, agent: { id: "x".repeat(65) } }));
  await expect(tooLong).rejects.toThrow("`agent.id` is longer than 64 bytes");
  await other.client("enforcer").decide(readRequestJson(REQUEST));
  expect((await other.stop()).stderr).toContain('"decided"');
});

it("keeps its data where the desktop keeps state, unless it is told otherwise", async () => {
  const { code, stderr } = await run(["decide", "--agent", "a", "--tool", "b"], { env: { XDG_STATE_HOME: at("home") } });
  expect({ code, stderr }).toEqual({
    code: 7,
    stderr: `behest: no token at \`${at("home", "behest", "enforcer.token")}\`; start the server once with \`bin/behest serve\`, or name its data directory with --data\n`,
  });
  expect(() => readFileSync(at("home", "behest"))).toThrow("ENOENT");
});
