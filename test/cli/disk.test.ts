import { execFileSync } from "node:child_process";
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { CallFailed } from "../../src/client/client.ts";
import { readRequestJson } from "../../src/client/request-json.ts";
import { SuspensionKind } from "../../src/gen/behest/v1/control_pb.ts";
import { readRows } from "../endpoints/raw-calls.ts";
import { filesOf } from "../policies.ts";
import { denyRule, writeRules } from "../policy/bad-directories.ts";
import { temporaryDirectory } from "../running-server.ts";
import { run, serve } from "./running-command.ts";

const directory = temporaryDirectory();

/** Why a small file system of our own cannot be had here; undefined when it has been mounted. */
function mountSmallDisk(): string | undefined {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=3m", "tmpfs", directory.path], { stdio: "pipe" });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const obstacle = mountSmallDisk();
afterAll(() => {
  if (obstacle === undefined) execFileSync("umount", [directory.path]);
  directory.remove();
});
if (obstacle !== undefined) process.stderr.write(`a full disk is not tried: no tmpfs can be mounted here (${obstacle})\n`);

const filler = join(directory.path, "filler");
/** Takes every byte that is left. */
function fillDisk(): void {
  const file = openSync(filler, "w");
  const block = Buffer.alloc(4_096);
  try {
    for (;;) writeSync(file, block);
  } catch {
    closeSync(file);
  }
}

const requestOf = (id: string) =>
  readRequestJson({
    request_id: id,
    agent: { id: "reader" },
    task: { statement: "x".repeat(8_000) },
    action: { tool: "filesystem/read_text_file", arguments: { path: "/srv/handbook.md" } },
  });

/** About 180 kB in the request, and more in its record. */
const bigRequestOf = (id: string) =>
  readRequestJson({
    request_id: id,
    agent: { id: "reader" },
    action: { tool: "filesystem/read_text_file", arguments: { text: "x".repeat(180_000) } },
  });

/** About 3 MB of rules. */
const BIG = filesOf({
  rules: Array.from({ length: 4_000 }, (_, n) => ({
    name: `r${n}`,
    conditions: { all: [{ fact: "action.tool", operator: "equal", value: `nobody/calls-${n}` }] },
    event: { type: "deny", params: { reason: "why ".repeat(140), controls: ["owasp:ASI02"] } },
  })),
});

describe.skipIf(obstacle !== undefined)("a full disk", () => {
  it("stops decisions and not the server, which resumes by itself and has lost nothing it acknowledged", async () => {
    const data = join(directory.path, "state");
    const server = await serve(data);
    const client = server.client("enforcer");
    const acknowledged: string[] = [];
    let asked = 0;
    const ask = async (): Promise<unknown> => {
      try {
        const { decisionId, outcome } = await client.decide(requestOf(`request-${asked++}`));
        acknowledged.push(decisionId);
        return outcome;
      } catch (error) {
        return error;
      }
    };
    for (let count = 0; count < 5; count++) await ask();
    expect(acknowledged).toHaveLength(5);

    fillDisk();
    // What the log has taken from the disk already may still hold a few.
    let failure: unknown;
    for (let count = 0; count < 1_000 && !(failure instanceof CallFailed); count++) failure = await ask();
    expect(failure).toMatchObject({ code: 14, message: "the decision could not be written; ask again under the same request id" });
    await expect.poll(() => client.isServing(), { timeout: 10_000 }).toBe(false);
    expect(await ask()).toMatchObject({ code: 14, message: "the ledger cannot be written at present; nothing was decided, retry after a moment" });
    const health = await run(["healthcheck", "--grpc", server.address]);
    expect(health).toEqual({ code: 6, stdout: "", stderr: "behest: the server answers, and does not decide at present: its log says why\n" });
    const decided = await run(["decide", "--data", data, "--grpc", server.address, "--agent", "reader", "--tool", "t"]);
    expect(decided).toMatchObject({ code: 6, stdout: "", stderr: expect.stringContaining("the ledger cannot be written at present") });

    rmSync(filler);
    await expect.poll(() => client.isServing(), { timeout: 20_000 }).toBe(true);
    for (let id = 0; id < asked; id++) expect((await client.decide(requestOf(`request-${id}`))).recorded).toBe(true);
    const { code, stderr } = await server.stop();
    expect(code).toBe(0);
    expect(stderr).toContain("nothing is decided until it can, tried again every second");
    expect(stderr).toContain("the ledger is open again");

    const kept = new Set(readRows(data, "SELECT decision_id FROM decisions").map((row) => row["decision_id"]));
    expect(acknowledged.filter((id) => !kept.has(id))).toEqual([]);
    // Each attempt is there once, whether it was acknowledged, refused, or asked again.
    const attempts = readRows(data, "SELECT record ->> '$.attempt.id' AS id, count(*) AS n FROM decisions WHERE id IS NOT NULL GROUP BY id");
    expect(attempts.filter(({ n }) => n !== 1)).toEqual([]);
    expect(attempts).toHaveLength(asked);
    rmSync(data, { recursive: true });
  });

  it("keeps nobody from suspending, which lasts when the process is killed, and holds before the first decision afterwards", async () => {
    const data = join(directory.path, "suspended");
    const server = await serve(data);
    const [enforcer, operator] = [server.client("enforcer"), server.client("operator")];
    const earlier = (await operator.suspend({ kind: SuspensionKind.AGENT, value: "writer", reason: "INC-1" })).suspension?.suspensionId ?? "";
    fillDisk();
    for (let count = 0; count < 1_000 && (await enforcer.isServing()); count++) await enforcer.decide(requestOf(`r${count}`)).catch(() => undefined);
    expect({ decisions: await enforcer.isServing(), control: await operator.isServing("control") }).toEqual({ decisions: false, control: true });

    const { code, stdout } = await run(["suspend", "agent", "reader", "--reason", "INC-2", "-o", "json", "--data", data, "--grpc", server.address]);
    expect({ code, durable: JSON.parse(stdout).durable }).toEqual({ code: 0, durable: true });
    expect(await operator.resume(earlier)).toMatchObject({ durable: true });
    expect((await operator.listSuspensions()).suspensions.map(({ value }) => value)).toEqual(["reader"]);
    expect((await operator.suspend({ kind: SuspensionKind.ALL, reason: "INC-3" })).durable).toBe(true);
    await server.stop("SIGKILL");

    rmSync(filler);
    const next = await serve(data);
    expect((await next.client("operator").listSuspensions()).suspensions.map(({ reason }) => reason)).toEqual(["INC-3", "INC-2"]);
    const everything = (await next.client("operator").listSuspensions()).suspensions[0]?.suspensionId ?? "";
    expect((await next.client("enforcer").decide(requestOf("first"))).reasonCodes).toEqual(["SUSPENDED"]);
    await next.client("operator").resume(everything);
    expect((await next.client("enforcer").decide(requestOf("second"))).findings[0]?.reason).toContain("INC-2");
    await next.stop();
    const kinds = readRows(data, "SELECT kind, count(*) AS n FROM events WHERE kind IN ('suspended', 'resumed') GROUP BY kind ORDER BY kind");
    expect(kinds).toEqual([
      { kind: "resumed", n: 2 },
      { kind: "suspended", n: 3 },
    ]);
    rmSync(data, { recursive: true });
  });

  it("keeps nobody from revoking a task, which lasts when the process is killed, and is recorded once", async () => {
    const data = join(directory.path, "revoked");
    const server = await serve(data);
    const [enforcer, operator] = [server.client("enforcer"), server.client("operator")];
    const opened = await server.client("initiator").openTask({ statement: "read on", agentId: "reader", principal: { type: 1, id: "alice" } });
    const taskId = opened.task?.taskId ?? "";
    const request = {
      agent: { id: "reader" },
      task: { id: taskId },
      action: { tool: "filesystem/read_text_file", arguments: { path: "/srv/handbook.md" } },
    };
    const ask = (requestId: string) => readRequestJson({ ...request, request_id: requestId });
    expect((await enforcer.decide(ask("before"))).reasonCodes).toEqual([]);
    fillDisk();
    for (let count = 0; count < 1_000 && (await enforcer.isServing()); count++) await enforcer.decide(requestOf(`r${count}`)).catch(() => undefined);
    expect(await enforcer.isServing()).toBe(false);
    for (let time = 0; time < 2; time++) expect((await operator.revokeTask(taskId, "INC-5")).durable).toBe(true);
    await server.stop("SIGKILL");

    rmSync(filler);
    const next = await serve(data);
    expect((await next.client("enforcer").decide(ask("before"))).reasonCodes).toContain("TASK_REVOKED");
    await next.stop();
    expect(readRows(data, "SELECT task_id FROM events WHERE kind = 'task_revoked'")).toEqual([{ task_id: taskId }]);
    expect(readRows(data, "SELECT state, closed_because, ended_by FROM tasks WHERE kind = 'registered'")).toEqual([
      { state: "revoked", closed_because: "INC-5", ended_by: "local-operator" },
    ]);
    rmSync(data, { recursive: true });
  });

  it("that has room again lets the server resume by itself, with what was suspended in force before anything is decided", async () => {
    const data = join(directory.path, "resumed");
    const server = await serve(data);
    const [enforcer, operator] = [server.client("enforcer"), server.client("operator")];
    fillDisk();
    for (let count = 0; count < 1_000 && (await enforcer.isServing()); count++) await enforcer.decide(requestOf(`r${count}`)).catch(() => undefined);
    const { suspension, durable } = await operator.suspend({ kind: SuspensionKind.AGENT, value: "reader", reason: "INC-4" });
    expect(durable).toBe(true);
    rmSync(filler);
    let first: unknown;
    for (const deadline = Date.now() + 20_000; first === undefined && Date.now() < deadline; ) {
      first = await enforcer.decide(requestOf("first")).then(
        ({ reasonCodes }) => reasonCodes,
        () => undefined,
      );
    }
    expect(first).toEqual(["SUSPENDED"]);
    await operator.resume(suspension?.suspensionId ?? "");
    expect((await enforcer.decide(requestOf("second"))).reasonCodes).toEqual([]);
    await server.stop();
    rmSync(data, { recursive: true });
  });

  it("that a policy does not fit on refuses the policy and nothing else, until there is room or another policy", async () => {
    const rules = temporaryDirectory();
    const data = join(directory.path, "too-big");
    writeRules(rules.path, filesOf({}));
    const server = await serve(data, ["--rules", rules.path], { env: { BEHEST_RULES_POLL_MS: "100" } });
    const client = server.client("enforcer");
    const { policyDigest } = await client.decide(requestOf("before"));
    writeRules(rules.path, BIG);
    await expect.poll(() => server.said.stderr, { timeout: 20_000 }).toContain("the policy does not fit on the disk");
    expect(server.said.stderr).toMatch(/recording it takes \d\.\d MB and \d\.\d MB are free; make room or make it smaller/);
    const { code, stderr } = await run(["rules", "reload", "--data", data, "--grpc", server.address]);
    expect(code).toBe(3);
    expect(stderr).toContain("the policy does not fit on the disk");
    expect(stderr).toContain(`\`${policyDigest}\` stays in force`);
    expect(await client.decide(requestOf("meanwhile"))).toMatchObject({ policyDigest, recorded: true });
    expect(await client.isServing()).toBe(true);

    writeRules(rules.path, filesOf({ rules: [denyRule("small")] }));
    await expect.poll(async () => (await client.decide(requestOf("after"))).policyDigest === policyDigest, { timeout: 20_000 }).toBe(true);
    await expect.poll(() => server.said.stderr, { timeout: 20_000 }).toContain("another policy is in force");
    expect((await client.decide(requestOf("afterwards"))).policyDigest).not.toBe(policyDigest);
    expect(server.said.stderr).not.toContain("the ledger cannot be written");
    await server.stop();

    writeRules(rules.path, BIG);
    const refused = await run(["serve", "--data", data, "--rules", rules.path, "--grpc", "127.0.0.1:0"]);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toMatch(/^behest: the policy cannot be recorded: the policy does not fit on the disk: .*\n$/);
    writeRules(rules.path, filesOf({}));
    const next = await serve(data, ["--rules", rules.path]);
    expect((await next.client("enforcer").decide(requestOf("next"))).recorded).toBe(true);
    await next.stop();
    rules.remove();
    rmSync(data, { recursive: true });
  });

  it.each(["lives on", "was killed"] as const)(
    "holds nothing of a group that did not fit: a server that %s decides again by itself",
    async (fate) => {
      const data = join(directory.path, fate);
      const server = await serve(data);
      const client = server.client("enforcer");
      const { items } = await client.decideBatch(Array.from({ length: 18 }, (_, n) => bigRequestOf(`big-${n}`)));
      expect(items.map(({ result }) => result.case)).toContain("error");
      if (fate === "was killed") await server.stop("SIGKILL");
      const next = fate === "was killed" ? await serve(data) : server;
      const asked = next.client("enforcer");
      await expect.poll(() => asked.isServing(), { timeout: 10_000 }).toBe(true);
      expect((await asked.decide(requestOf("small"))).recorded).toBe(true);
      await next.stop();
      rmSync(data, { recursive: true });
    },
  );

  it("keeps a server from starting, in one line", async () => {
    fillDisk();
    const { code, stdout, stderr } = await run(["serve", "--data", join(directory.path, "another"), "--grpc", "127.0.0.1:0"]);
    rmSync(filler);
    expect({ code, stdout, lines: stderr.trim().split("\n").length }).toEqual({ code: 1, stdout: "", lines: 1 });
    expect(stderr).toMatch(/^behest: .*(full|ENOSPC|no space)/i);
  });
});
