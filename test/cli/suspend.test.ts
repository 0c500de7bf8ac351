import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { readRequestJson } from "../../src/client/request-json.ts";
import { type RunningServer, runServer, temporaryDirectory } from "../running-server.ts";
import { type Finished, run } from "./running-command.ts";

const directory = temporaryDirectory();
let server: RunningServer;
beforeAll(async () => {
  server = await runServer({ data: join(directory.path, "state") });
});
afterEach(async () => {
  const operator = server.client("operator");
  for (const { suspensionId } of (await operator.listSuspensions()).suspensions) await operator.resume(suspensionId);
});
afterAll(async () => {
  await server.close();
  directory.remove();
});

const behest = (...args: readonly string[]): Promise<Finished> => run([...args, "--data", server.data, "--grpc", server.address]);
const reads = async (): Promise<readonly string[]> => {
  const request = readRequestJson({ agent: { id: "reader" }, action: { tool: "filesystem/read_text_file", arguments: { path: "/srv/x" } } });
  return (await server.client("enforcer").decide(request)).reasonCodes;
};
const UUID = /[0-9a-f]{8}-[0-9a-f-]{27}/;

describe("behest suspend, suspensions and resume", () => {
  it("say what now happens and what to type next, one after the other", async () => {
    expect((await behest("suspensions")).stdout).toBe("nothing is suspended\n");
    const suspended = await behest("suspend", "agent", "reader", "--reason", "reads too much");
    expect(suspended.code).toBe(0);
    expect(suspended.stdout).toBe(
      "■ SUSPENDED  agent reader  until it is resumed\n    from now on every action with this agent in its chain in tenant default is DENY, SUSPENDED\n    reads too much\n",
    );
    const [id = ""] = UUID.exec(suspended.stderr) ?? [];
    expect(suspended.stderr).toBe(`next: bin/behest resume ${id} --data ${server.data} --grpc ${server.address}\n`);
    expect(await reads()).toEqual(["SUSPENDED"]);

    const listed = await behest("suspensions");
    expect(listed.stdout).toMatch(/^suspension_id +kind +value +tenant +by +since +until +reason\n/);
    expect(listed.stdout).toContain("reads too much");
    expect(listed.stderr).toBe(suspended.stderr);

    const all = await behest("suspend", "all", "--reason", "INC-4711");
    expect(all.stdout).toContain("■ SUSPENDED  everything  until it is resumed\n    from now on every action of every agent of every tenant is DENY");
    const resumed = await behest("resume", id.slice(-10), "--reason", "it was a test");
    expect(resumed).toMatchObject({ code: 0, stdout: "▶ RESUMED  agent reader\n    1 other suspension holds\n" });
    expect(await reads()).toEqual(["SUSPENDED"]);
    const last = await behest("resume", UUID.exec(all.stderr)?.[0] ?? "");
    expect(last).toEqual({ code: 0, stdout: "▶ RESUMED  everything\n    nothing is suspended any more\n", stderr: "" });
    expect(await reads()).toEqual([]);

    const ended = JSON.parse((await behest("suspensions", "--ended", "-o", "json")).stdout);
    expect(ended[1]).toMatchObject({ suspension_id: id, kind: "agent", value: "reader", ended_by: "local-operator", because: "it was a test" });
    const rows = await run([
      "history",
      "sql",
      "SELECT value, ended_because FROM suspensions WHERE kind = 'agent'",
      "-o",
      "ndjson",
      "--data",
      server.data,
    ]);
    expect(rows.stdout).toBe('{"value":"reader","ended_because":"it was a test"}\n');
  });

  it("print for programs what the server said", async () => {
    const { stdout } = await behest("suspend", "tool", "filesystem/**", "--reason", "r", "-o", "json");
    const { suspension, durable } = JSON.parse(stdout);
    expect({ durable, ...suspension }).toMatchObject({ durable: true, kind: "SUSPENSION_KIND_TOOL", value: "filesystem/**", reason: "r" });
    const [line] = (await behest("suspensions", "-o", "ndjson")).stdout.split("\n");
    expect(JSON.parse(line ?? "")).toMatchObject({ suspension_id: suspension.suspension_id, kind: "tool", value: "filesystem/**", until: null });
    const ended = JSON.parse((await behest("resume", suspension.suspension_id, "-o", "ndjson")).stdout);
    expect(ended).toMatchObject({ durable: true, suspension: { suspension_id: suspension.suspension_id, ended_by: "local-operator" } });
  });

  it.each([
    { until: "2h", ms: 7_200_000 },
    { until: "90s", ms: 90_000 },
    { until: "7d", ms: 604_800_000 },
  ])("take --until $until from now", async ({ until, ms }) => {
    const { suspension } = JSON.parse((await behest("suspend", "agent", "x", "--reason", "r", "--until", until, "-o", "json")).stdout);
    expect(Math.abs(Date.parse(suspension.until) - Date.now() - ms)).toBeLessThan(20_000);
  });

  it("take --until an instant, in any offset, and say it in UTC", async () => {
    const { stdout } = await behest("suspend", "agent", "x", "--reason", "r", "--until", "2999-12-01T08:00:00+02:00");
    expect(stdout).toContain("until 2999-12-01T06:00:00.000Z\n");
  });

  it("warn of a pattern where it is none", async () => {
    const { code, stderr } = await behest("suspend", "agent", "read*", "--reason", "r");
    expect(code).toBe(0);
    expect(stderr).toContain("warning: only tools are named by patterns: this suspends the agent whose name has a `*` in it");
  });

  it.each<{ says: string; args: readonly string[]; complaint: string }>([
    { says: "no kind", args: ["suspend", "--reason", "r"], complaint: "missing required argument 'kind'" },
    { says: "a kind that is none", args: ["suspend", "planet", "earth", "--reason", "r"], complaint: "Allowed choices are all, tenant, agent" },
    {
      says: "no value",
      args: ["suspend", "agent", "--reason", "r"],
      complaint: 'name the agent to suspend: bin/behest suspend agent NAME --reason "…"',
    },
    { says: "a value of everything", args: ["suspend", "all", "x", "--reason", "r"], complaint: "a suspension of everything names nothing" },
    { says: "no reason", args: ["suspend", "all"], complaint: "required option '--reason <text>' not specified" },
    { says: "an empty reason", args: ["suspend", "all", "--reason", ""], complaint: "`reason` is missing" },
    {
      says: "a time without its offset",
      args: ["suspend", "all", "--reason", "r", "--until", "2999-01-01T00:00:00"],
      complaint: "Write a duration such as",
    },
    { says: "a time in words", args: ["suspend", "all", "--reason", "r", "--until", "tomorrow"], complaint: "Write a duration such as" },
    { says: "no time at all", args: ["suspend", "all", "--reason", "r", "--until", "0s"], complaint: "Write a duration such as" },
    { says: "a time in the past", args: ["suspend", "all", "--reason", "r", "--until", "2020-01-01T00:00:00Z"], complaint: "which is over" },
    { says: "an effect that is none", args: ["suspend", "effect", "PAY", "--reason", "r"], complaint: "`value` is `PAY`, which is no effect" },
    { says: "a principal without its type", args: ["suspend", "principal", "alice", "--reason", "r"], complaint: "which is no principal" },
    { says: "a suspension that is none", args: ["resume", "01999d5c"], complaint: "no suspension that holds has an id like `01999d5c`" },
    { says: "a whole id that is none", args: ["resume", "01999d5c-2f10-7b7e-a6c3-1b0a4a5e9f21"], complaint: "of this tenant holds" },
  ])("refuse $says with exit code 2, and suspend nothing", async ({ args, complaint }) => {
    const { code, stdout, stderr } = await behest(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(complaint);
    expect((await server.client("operator").listSuspensions()).holdingTotal).toBe(0);
  });

  it("refuse an id that begins two suspensions", async () => {
    for (let n = 0; n < 2; n++) await behest("suspend", "agent", `a${n}`, "--reason", "r");
    const { code, stderr } = await behest("resume", "0");
    expect(code).toBe(2);
    expect(stderr).toContain("2 suspensions have an id like `0`; look with bin/behest suspensions");
  });

  it("exit 6 where no server answers", async () => {
    const { code, stderr } = await run(["suspend", "all", "--reason", "r", "--data", server.data, "--grpc", "127.0.0.1:1"]);
    expect(code).toBe(6);
    expect(stderr).toContain("no server answers");
  });
});
