import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readRows } from "../endpoints/raw-calls.ts";
import { type RunningServer, runServer, temporaryDirectory } from "../running-server.ts";
import { type Finished, type RunOptions, run } from "./running-command.ts";

const directory = temporaryDirectory();
let server: RunningServer;
beforeAll(async () => {
  server = await runServer({ data: join(directory.path, "state") });
});
afterAll(async () => {
  await server.close();
  directory.remove();
});

const ask = (command: string, args: readonly string[], options?: RunOptions): Promise<Finished> =>
  run([command, "--data", server.data, "--grpc", server.address, ...args], options);
const decide = (...args: readonly string[]): Promise<Finished> => ask("decide", args);

const request = (tool: string, agent = "coding-assistant") => ({ agent: { id: agent }, action: { tool, arguments: { path: "/srv/handbook.md" } } });
const ALLOWED = request("filesystem/read_text_file");
const ASKED = request("filesystem/create_directory");
const DENIED = request("nobody/knows_this");
const MALFORMED = request("filesystem/read_text_file", "a\u200b");

let files = 0;
function fileOf(text: string): string {
  const path = join(directory.path, `requests-${++files}.json`);
  writeFileSync(path, text);
  return path;
}

describe.concurrent("decide, from flags", () => {
  const flags = ["--agent", "coding-assistant", "--tool", "filesystem/read_text_file", "--arg", "path=/srv/handbook.md"];

  it("prints the decision for people, and where to go from there", async () => {
    const { code, stdout, stderr } = await decide(...flags);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^✔ ALLOW {2}coding-assistant → filesystem\/read_text_file {2}risk \d+ \(low\) {2}basis AVAILABLE\n/);
    expect(stderr).toMatch(/^next: bin\/behest report [0-9a-f-]{36} --status executed --data \S+ --grpc \S+\n$/);
  });

  it("sends whoever was not allowed, and whoever did it before, to the explanation", async () => {
    const explained = /^next: bin\/behest explain [0-9a-f-]{36} --data \S+\n$/;
    expect((await decide("--agent", "coding-assistant", "--tool", "nobody/knows_this")).stderr).toMatch(explained);
    await decide(...flags, "--request-id", "once");
    expect((await decide(...flags, "--request-id", "once")).stderr).toMatch(explained);
  });

  it("has the report made by the caller that asked", async () => {
    const { stderr } = await decide(...flags, "--token-file", join(server.data, "enforcer.token"));
    expect(stderr).toMatch(/^next: bin\/behest report [0-9a-f-]{36} --status executed --token-file \S+ --data \S+ --grpc \S+\n$/);
  });

  it("prints the whole answer as JSON", async () => {
    const { code, stdout, stderr } = await decide(...flags, "-o", "json");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({ outcome: "OUTCOME_ALLOW", basis: "BASIS_AVAILABLE", recorded: true, replayed: false });
  });

  it("passes every flag on", async () => {
    const more = [
      "--arg",
      "head=3",
      "--operation",
      "whole",
      "--effect",
      "update",
      "--resource",
      "file:/srv/handbook.md",
      "--classification",
      "internal",
    ];
    const most = [
      "--category",
      "personal",
      "--environment",
      "test",
      "--attribute",
      "ticket=OPS-7",
      "--attribute",
      "hour=3",
      "--statement",
      "Read it",
      "--session",
      "s",
      "--behest-of",
      "user:alice",
    ];
    const { stdout } = await decide(...flags, ...more, ...most, "--request-id", "flags", "-o", "json");
    const { decision_id } = JSON.parse(stdout);
    const record = JSON.parse((await run(["history", "show", decision_id, "--data", server.data])).stdout);
    expect(record.subject.request).toEqual({
      session: "s",
      agent: { id: "coding-assistant" },
      delegation: [
        { type: "user", id: "alice" },
        { type: "agent", id: "coding-assistant" },
      ],
      action: {
        tool: "filesystem/read_text_file",
        operation: "whole",
        effect: "update",
        arguments: { path: "/srv/handbook.md", head: 3 },
        resource: { type: "file", id: "/srv/handbook.md" },
      },
      data: { classification: "internal", categories: ["personal"] },
      context: { environment: "test", attributes: { ticket: "OPS-7", hour: 3 } },
    });
    expect(record.subject.task.statement).toBe("Read it");
    expect(record.attempt.id).toBe("flags");
  });

  it("writes no colours where nobody sees them", async () => {
    const { stdout } = await decide("--agent", "coding-assistant", "--tool", "a b", "--resource", "file:x", "--task", "none");
    expect(stdout).toContain("✖ DENY");
    expect(stdout).not.toContain("\u001b");
  });
});

describe.concurrent("decide, from a file", () => {
  it.each<{ says: string; text: string; outcomes: readonly string[] }>([
    { says: "one request", text: JSON.stringify(ALLOWED, null, 2), outcomes: ["OUTCOME_ALLOW"] },
    { says: "a list of requests", text: JSON.stringify([ALLOWED, DENIED]), outcomes: ["OUTCOME_ALLOW", "OUTCOME_DENY"] },
    {
      says: "a request a line",
      text: `${JSON.stringify(ASKED)}\n\n${JSON.stringify(ALLOWED)}\n`,
      outcomes: ["OUTCOME_REQUIRE_APPROVAL", "OUTCOME_ALLOW"],
    },
  ])("reads $says", async ({ text, outcomes }) => {
    const { code, stdout } = await decide(fileOf(text), "-o", "ndjson");
    expect(code).toBe(0);
    expect(
      stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).outcome),
    ).toEqual(outcomes);
  });

  it("reads stdin when the file is `-`", async () => {
    const { code, stdout } = await ask("decide", ["-", "-o", "ndjson"], { input: JSON.stringify([ALLOWED, ASKED]) });
    expect({ code, lines: stdout.trim().split("\n").length }).toEqual({ code: 0, lines: 2 });
  });

  it("sends more than a batch takes in several, and keeps their order", async () => {
    const requests = Array.from({ length: 300 }, (_, index) => (index % 2 === 0 ? ALLOWED : DENIED));
    const { stdout } = await decide(fileOf(JSON.stringify(requests)), "-o", "json");
    const outcomes = JSON.parse(stdout).map(({ outcome }: { outcome: string }) => outcome);
    expect(outcomes).toEqual(requests.map((one) => (one === ALLOWED ? "OUTCOME_ALLOW" : "OUTCOME_DENY")));
  });

  it("reads the first steps of the documentation", async () => {
    const { stdout } = await decide("docs/examples/first-steps.json");
    expect(stdout.match(/^\S ([A-Z_]+)/gm)).toEqual(["✔ ALLOW", "✖ DENY", "? REQUIRE_APPROVAL"]);
  });
});

describe.concurrent("decide --exit-code", () => {
  it.each<{ says: string; requests: readonly object[]; code: number }>([
    { says: "all are allowed", requests: [ALLOWED, ALLOWED], code: 0 },
    { says: "one must be asked about", requests: [ALLOWED, ASKED], code: 21 },
    { says: "one is denied", requests: [ASKED, DENIED, ALLOWED], code: 20 },
    { says: "one could not be decided", requests: [ALLOWED, MALFORMED], code: 20 },
  ])("is $code when $says", async ({ requests, code }) => {
    expect((await decide(fileOf(JSON.stringify(requests)), "--exit-code")).code).toBe(code);
  });

  it("is not asked for unless it is: a denial is an answer like any other, an item in error is not", async () => {
    expect((await decide(fileOf(JSON.stringify(DENIED)))).code).toBe(0);
    const { code, stdout } = await decide(fileOf(JSON.stringify([MALFORMED, ALLOWED])));
    expect(code).toBe(2);
    expect(stdout).toContain("✖ ERROR  a� → filesystem/read_text_file\n    `agent.id` holds a control");
    expect(stdout).toContain("✔ ALLOW");
  });
});

describe.concurrent("what cannot be asked", () => {
  it.each<{ says: string; args: readonly string[]; code: number; stderr: string }>([
    {
      says: "without an agent",
      args: ["--tool", "t"],
      code: 2,
      stderr: "behest: name at least --agent and --tool, or a file of requests; see `bin/behest decide --help`",
    },
    { says: "with a flag that there is not", args: ["--agnt", "a"], code: 2, stderr: "error: unknown option '--agnt'\n(Did you mean --agent?)" },
    { says: "with a format that there is not", args: ["-o", "xml"], code: 2, stderr: "Allowed choices are table, json, ndjson" },
    { says: "with an argument that has no value", args: ["--agent", "a", "--tool", "t", "--arg", "path"], code: 2, stderr: "write KEY=VALUE." },
    {
      says: "with arguments that are no object",
      args: ["--agent", "a", "--tool", "t", "--args", "[1]"],
      code: 2,
      stderr: "behest: --args is a JSON object",
    },
    {
      says: "with a person without type",
      args: ["--agent", "a", "--tool", "t", "--behest-of", "alice"],
      code: 2,
      stderr: "behest: --behest-of is TYPE:ID, found `alice`",
    },
    {
      says: "with an effect that there is not",
      args: ["--agent", "a", "--tool", "t", "--effect", "fly"],
      code: 2,
      stderr: "behest: `fly` in `action.effect` is none of `read` `browse` `create`",
    },
    {
      says: "with what the server refuses",
      args: ["--agent", "a\u200b", "--tool", "t"],
      code: 2,
      stderr: "behest: `agent.id` holds a control, invisible or undecodable character, or begins or ends with space",
    },
    {
      says: "from a file that there is not",
      args: ["/nonexistent/requests.json"],
      code: 2,
      stderr: "behest: `/nonexistent/requests.json` cannot be read: ENOENT",
    },
  ])("$says", async ({ args, code, stderr }) => {
    const finished = await decide(...args);
    expect({ code: finished.code, stdout: finished.stdout }).toEqual({ code, stdout: "" });
    expect(finished.stderr).toContain(stderr);
  });

  it.each<{ says: string; text: string; stderr: RegExp }>([
    { says: "no JSON", text: "{ agent: }", stderr: /^behest: `.*` is not JSON: / },
    { says: "nothing", text: "", stderr: /^behest: `.*` is not JSON: |holds no request/ },
    { says: "no request", text: "[]", stderr: /^behest: `.*` holds no request/ },
    { says: "a number among requests", text: JSON.stringify([ALLOWED, 7]), stderr: /^behest: request 2: a request is a JSON object/ },
    {
      says: "a field that there is not",
      text: JSON.stringify({ ...ALLOWED, agnet: {} }),
      stderr: /^behest: unknown key `agnet`; did you mean `agent`\?$/m,
    },
    {
      says: "a mistake deep inside",
      text: JSON.stringify([ALLOWED, { ...ALLOWED, action: { tool: "t", efect: "raed", effect: "raed" } }]),
      stderr:
        /^behest: request 2: unknown key `efect` in `action`; did you mean `effect`\?\n`raed` in `action.effect` is none of `read` .*; did you mean `read`\?$/m,
    },
    {
      says: "another kind of value",
      text: JSON.stringify({ ...ALLOWED, session: 7 }),
      stderr: /^behest: `session`: expected a string, found a number$/m,
    },
    { says: "what a terminal would obey", text: JSON.stringify({ ...ALLOWED, "\u001b[2J": 7 }), stderr: /^behest: unknown key `.\[2J`$/m },
  ])("from a file that holds $says", async ({ text, stderr }) => {
    const finished = await decide(fileOf(text));
    expect({ code: finished.code, stdout: finished.stdout }).toEqual({ code: 2, stdout: "" });
    expect(finished.stderr).toMatch(stderr);
  });

  it("tells of the command's own help, and takes no flag of a request beside a file", async () => {
    expect((await ask("explain", [])).stderr).toContain("a file of requests; see `bin/behest explain --help`\n");
    const { code, stderr } = await decide(fileOf(JSON.stringify(ALLOWED)), "--attribute", "hour=3");
    expect(code).toBe(2);
    expect(stderr).toContain("holds whole requests, so --attribute would change nothing; leave out one of the two");
  });

  const flags = ["--agent", "a", "--tool", "t"];
  it.each(["decide", "explain"])("%s, when no server answers: 6, and how to start one", async (command) => {
    const { code, stdout, stderr } = await run([command, "--data", server.data, "--grpc", "127.0.0.1:1", ...flags]);
    expect({ code, stdout }).toEqual({ code: 6, stdout: "" });
    expect(stderr).toMatch(/^behest: no server answers \(.*\); start one with `bin\/behest serve`, or name another with --grpc\n$/);
  });

  it("healthcheck, when no server answers: 6", async () => {
    const { code, stdout } = await run(["healthcheck", "--grpc", "127.0.0.1:1"]);
    expect({ code, stdout }).toEqual({ code: 6, stdout: "" });
  });

  it("without a token: 7, and where it should be", async () => {
    const { code, stderr } = await run(["decide", "--data", directory.path, "--grpc", server.address, ...flags]);
    expect({ code, stderr }).toEqual({
      code: 7,
      stderr: `behest: no token at \`${join(directory.path, "enforcer.token")}\`; start the server once with \`bin/behest serve\`, or name its data directory with --data\n`,
    });
  });

  it("with a token that the server does not know: 7", async () => {
    const strange = temporaryDirectory();
    writeFileSync(join(strange.path, "enforcer.token"), `behest.enforcer.${"A".repeat(43)}\n`);
    const { code, stderr } = await run(["decide", "--data", strange.path, "--grpc", server.address, ...flags]);
    strange.remove();
    expect({ code, stderr }).toEqual({
      code: 7,
      stderr: "behest: the token is not known; the tokens of this server lie in its data directory\n",
    });
  });
});

describe.concurrent("explain", () => {
  it("says what decide would, and nothing of it can be found afterwards", async () => {
    const agent = "explained-only";
    const requests = [request("filesystem/create_directory", agent), request("nobody/knows_this", agent)];
    const { code, stdout, stderr } = await ask("explain", [fileOf(JSON.stringify(requests)), "-o", "ndjson"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(
      stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).decision),
    ).toEqual([
      expect.objectContaining({ outcome: "OUTCOME_REQUIRE_APPROVAL", decision_id: "", recorded: false }),
      expect.objectContaining({ outcome: "OUTCOME_DENY", decision_id: "", recorded: false }),
    ]);
    expect(readRows(server.data, `SELECT count(*) AS n FROM decisions WHERE agent = '${agent}'`)).toEqual([{ n: 0 }]);
  });

  it("asks as another caller", async () => {
    const asBot = ["--agent", "payments-bot", "--tool", "get_balance", "-o", "json"];
    const [own, gateway] = await Promise.all([ask("explain", asBot), ask("explain", [...asBot, "--as", "payments-gateway"])]);
    expect(JSON.parse(own.stdout).decision.reason_codes).toContain("CALLER_NOT_ENTITLED");
    expect(JSON.parse(gateway.stdout).decision.reason_codes).not.toContain("CALLER_NOT_ENTITLED");
  });
});
