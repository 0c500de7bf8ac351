import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type BehestClient, CallFailed, createClient } from "../../src/client/client.ts";
import { readRequestJson } from "../../src/client/request-json.ts";
import { instant } from "../../src/core/words.ts";
import { createLocalTokens } from "../../src/identity/tokens.ts";
import { outcomeOf, readRows } from "../endpoints/raw-calls.ts";
import { temporaryDirectory } from "../running-server.ts";
import { type Finished, run, type Served, serve } from "./running-command.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const directory = temporaryDirectory();
afterAll(() => directory.remove());
const TOKEN = /^behest\.[a-z0-9-]+\.[A-Za-z0-9_-]{43}\n$/;

describe("behest tokens, with no server", () => {
  const data = join(directory.path, "offline");
  const tokens = (...args: readonly string[]): Promise<Finished> => run(["tokens", ...args, "--data", data]);
  const fileText = (): string => readFileSync(join(data, "tokens.json"), "utf8");
  beforeEach(() => {
    rmSync(data, { recursive: true, force: true });
    execFileSync("mkdir", ["-p", "-m", "700", data]);
    createLocalTokens(data, instant(Date.UTC(2026, 10, 25)));
  });

  it("create prints the token alone, says all else on stderr, and keeps no more than its hash", async () => {
    const { code, stdout, stderr } = await tokens("create", "--role", "enforcer", "--name", "service:gateway", "--agents", "support-*", "bot");
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(TOKEN) });
    expect(stderr).toBe(
      "token `gateway`: enforcer `service:gateway` of tenant `default`, for agents `support-*`, `bot`; never expires\n" +
        "it is not shown again: only its hash is kept. A running server knows it within 1 s\n",
    );
    expect(fileText()).not.toContain(stdout.trim().split(".")[2]);
    expect(statSync(join(data, "tokens.json")).mode & 0o777).toBe(0o600);
    expect(readdirSync(data).filter((name) => name.endsWith(".new"))).toEqual([]);
  });

  it("create tells all about the token as JSON", async () => {
    const { stdout } = await tokens("create", "--role", "approver", "--role", "auditor", "--name", "user:alice", "--expires", "30d", "-o", "json");
    const told = JSON.parse(stdout);
    expect(told).toEqual({
      id: "alice",
      caller: "user:alice",
      tenant: "default",
      roles: ["approver", "auditor"],
      agents: [],
      created_at: expect.any(String),
      expires_at: expect.any(String),
      state: "valid",
      token: expect.stringMatching(/^behest\.alice\./),
    });
    expect(Date.parse(told.expires_at) - Date.parse(told.created_at)).toBe(30 * 86_400_000);
    const line = await tokens("create", "--role", "operator", "--tenant", "acme", "-o", "ndjson");
    expect(line.stdout.trim().split("\n")).toHaveLength(1);
    expect(JSON.parse(line.stdout)).toMatchObject({ id: "operator-2", caller: "service:operator-2", tenant: "acme", expires_at: null });
  });

  it("create finds an id that is free", async () => {
    const ids: string[] = [];
    for (const name of ["service:Ops Gateway", "service:ops.gateway", "user:\u00e9", "local-enforcer"]) {
      ids.push(JSON.parse((await tokens("create", "--role", "enforcer", "--name", name, "-o", "json")).stdout).id);
    }
    expect(ids).toEqual(["ops-gateway", "ops-gateway-2", "enforcer-2", "local-enforcer"]);
  });

  it("create refuses what it should not make, with all its complaints at once, and changes nothing", async () => {
    const before = fileText();
    expect(await tokens("create", "--role", "enforcr", "--tenant", "", "--expires", "2020-01-01T00:00:00Z", "--agents", "")).toEqual({
      code: 2,
      stdout: "",
      stderr:
        "behest: --role: there is no role `enforcr`; did you mean `enforcer`?\n--tenant: is empty\n--agents: a glob is empty\n" +
        "--expires: `2020-01-01T00:00:00Z` is not in the future\n",
    });
    expect(await tokens("create", "--role", "enforcer", "--id", "enforcer")).toEqual({
      code: 2,
      stdout: "",
      stderr: "behest: --id: there is a token `enforcer` already; choose another, or revoke that one with `behest tokens revoke enforcer`\n",
    });
    expect(fileText()).toBe(before);
  });

  it("create takes a token back that could not be printed", async () => {
    const before = fileText();
    const full = openSync("/dev/full", "w");
    const child = spawn(process.execPath, [MAIN, "tokens", "create", "--role", "enforcer", "--id", "lost", "--data", data], {
      env: { HOME: "/nonexistent" },
      stdio: ["ignore", full, "pipe"],
    });
    let stderr = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    await once(child, "close");
    closeSync(full);
    expect({ code: child.exitCode, stderr }).toEqual({
      code: 1,
      stderr: "behest: the token could not be printed (ENOSPC: no space left on device, write), so it was taken back: there is no token `lost`\n",
    });
    expect(fileText()).toBe(before);
  });

  it("list shows what each token is for, and nothing that could be used as one", async () => {
    await tokens("create", "--role", "enforcer", "--name", "service:gateway", "--agents", "support-*", "--expires", "2030-01-01T00:00:00Z");
    const { stdout } = await tokens("list", "-o", "ndjson");
    const rows = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(rows.map(({ id }) => id)).toEqual(["enforcer", "initiator", "approver", "auditor", "operator", "gateway"]);
    expect(rows.at(-1)).toEqual({
      id: "gateway",
      caller: "service:gateway",
      tenant: "default",
      roles: ["enforcer"],
      agents: ["support-*"],
      created_at: expect.stringMatching(/^20\d\d-.*Z$/),
      expires_at: "2030-01-01T00:00:00.000Z",
      state: "valid",
    });
    const all = stdout + (await tokens("list")).stdout + (await tokens("list", "-o", "json")).stdout;
    for (const { sha256 } of JSON.parse(fileText()).tokens) expect(all).not.toContain(sha256);
  });

  it("list says which tokens have expired, and names those of a version that kept no times", async () => {
    const sha256 = "0".repeat(64);
    const entry = { tenant: "default", caller: "c", roles: ["enforcer"], sha256 };
    writeFileSync(
      join(data, "tokens.json"),
      JSON.stringify({
        tokens: [
          { id: "old", ...entry },
          { id: "over", ...entry, created_at: "2026-01-01T00:00:00Z", expires_at: "2026-02-01T00:00:00Z" },
        ],
      }),
    );
    expect((await tokens("list")).stdout).toBe(
      "id    caller  tenant   roles     agents  created               expires               state\n" +
        "old   c       default  enforcer  *                             never                 valid\n" +
        "over  c       default  enforcer  *       2026-01-01T00:00:00Z  2026-02-01T00:00:00Z  expired\n",
    );
  });

  it("revoke takes one token away, and says what this command line then lacks", async () => {
    const before = JSON.parse(fileText()).tokens;
    const { code, stdout, stderr } = await tokens("revoke", "auditor");
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect(stderr).toBe(
      "token `auditor` is revoked; a running server refuses it within 1 s\n" +
        `behest: warning: \`${join(data, "auditor.token")}\` held it, and this command line asks as auditor with that file; put another token there\n`,
    );
    expect(JSON.parse(fileText()).tokens).toEqual(before.filter(({ id }: { id: string }) => id !== "auditor"));
  });

  it("revoke warns when no operator is left that is valid", async () => {
    await tokens("create", "--role", "operator", "--id", "second");
    expect((await tokens("revoke", "operator")).stderr).not.toContain("no operator");
    expect((await tokens("revoke", "second")).stderr).toContain(
      "behest: warning: no operator is left; make one with `behest tokens create --role operator`\n",
    );
  });

  it("revoke refuses an id that there is not, and says which was meant", async () => {
    const before = fileText();
    expect(await tokens("revoke", "enforcr")).toEqual({
      code: 2,
      stdout: "",
      stderr: "behest: there is no token `enforcr`; did you mean `enforcer`?\n",
    });
    expect((await tokens("revoke", "\u001b[31mx")).stderr).toBe(
      "behest: there is no token `\ufffd[31mx`; `behest tokens list` shows those there are\n",
    );
    expect(fileText()).toBe(before);
  });

  it.each(["create --role enforcer", "list", "revoke enforcer"])(
    "%s says what to do where there are no tokens, and makes nothing",
    async (command) => {
      const nowhere = join(directory.path, "nowhere");
      expect(await run(["tokens", ...command.split(" "), "--data", nowhere])).toEqual({
        code: 1,
        stdout: "",
        stderr: `behest: no tokens at \`${join(nowhere, "tokens.json")}\`; start the server once with \`behest serve\`, or name its data directory with --data\n`,
      });
      expect(readdirSync(directory.path)).not.toContain("nowhere");
    },
  );

  it.each(["create --role enforcer", "list", "revoke enforcer"])("%s leaves a file alone that it cannot read", async (command) => {
    writeFileSync(join(data, "tokens.json"), '{"tokens": [{"id": "x"}]}');
    const { code, stdout, stderr } = await tokens(...command.split(" "));
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain("tokens.json` does not hold tokens as Behest writes them; mend it, or remove it");
    expect(fileText()).toBe('{"tokens": [{"id": "x"}]}');
  });

  it.each<{ says: string; text: string | undefined; complaint: string }>([
    { says: "is not there", text: undefined, complaint: "cannot be read: ENOENT" },
    { says: "is empty", text: "", complaint: "does not hold one token alone, as `behest tokens create` prints it" },
    { says: "holds something else", text: "hello\n", complaint: "does not hold one token alone" },
  ])("a token file that $says cannot be asked with", async ({ text, complaint }) => {
    const file = join(data, "some.token");
    if (text !== undefined) writeFileSync(file, text);
    const { code, stderr } = await run(["decide", "--token-file", file, "--data", data, "--agent", "a", "--tool", "t"]);
    expect({ code, stderr }).toEqual({ code: 7, stderr: expect.stringContaining(complaint) });
  });
});

const requestOf = (agent: string, taskId?: string) =>
  readRequestJson({
    agent: { id: agent },
    ...(taskId !== undefined && { task: { id: taskId } }),
    action: { tool: "filesystem/read_text_file", arguments: { path: "/srv/handbook.md" } },
  });

describe("a token that is made while the server runs", () => {
  const data = join(directory.path, "online");
  let server: Served;
  const clients: BehestClient[] = [];
  beforeAll(async () => {
    server = await serve(data);
  });
  afterAll(async () => {
    for (const client of clients) client.close();
    await server.stop();
  });

  const holderOf = async (...args: readonly string[]): Promise<BehestClient> => {
    const { code, stdout, stderr } = await run(["tokens", "create", ...args, "--data", data]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const client = createClient({ address: server.address, token: stdout.trim(), timeoutMs: 20_000 });
    clients.push(client);
    return client;
  };
  const outcome = async (client: BehestClient, agent: string, taskId?: string): Promise<unknown> => {
    try {
      const decision = await client.decide(requestOf(agent, taskId));
      return [outcomeOf(decision), ...decision.reasonCodes];
    } catch (error) {
      return error instanceof CallFailed ? error.message : error;
    }
  };
  const WITHIN_A_SECOND = { timeout: 1_000, interval: 20 };
  const SOON = { timeout: 10_000, interval: 20 };
  const UNKNOWN = "the token is not known; the tokens of this server lie in its data directory";

  // Retried: on a machine that is busy otherwise a second may pass before anybody's turn comes.
  it("is good within a second, and within a second of its revocation is not", { retry: 2 }, async () => {
    const client = await holderOf("--role", "enforcer", "--name", "service:brief");
    await expect.poll(() => outcome(client, "reader"), WITHIN_A_SECOND).toEqual(["ALLOW"]);
    const { tokens } = JSON.parse(readFileSync(join(data, "tokens.json"), "utf8"));
    expect((await run(["tokens", "revoke", tokens.at(-1).id, "--data", data])).code).toBe(0);
    await expect.poll(() => outcome(client, "reader"), WITHIN_A_SECOND).toBe(UNKNOWN);
    expect(await outcome(server.client("enforcer"), "reader")).toEqual(["ALLOW"]);
  });

  it("is refused from the instant at which it expires", async () => {
    const client = await holderOf("--role", "enforcer", "--id", "short", "--expires", "5s");
    const { tokens } = JSON.parse(readFileSync(join(data, "tokens.json"), "utf8"));
    const expiresAt: string = tokens.at(-1).expires_at;
    await expect.poll(() => outcome(client, "reader"), SOON).toEqual(["ALLOW"]);
    await new Promise((later) => setTimeout(later, Date.parse(expiresAt) - Date.now() + 5));
    expect(await outcome(client, "reader")).toBe(`the token \`short\` expired at ${expiresAt}; have another made with \`behest tokens create\``);
  });

  it("gets a recorded denial for an agent that it does not cover, and the same from an explanation", async () => {
    const client = await holderOf("--role", "enforcer", "--name", "service:desk", "--agents", "read*");
    await expect.poll(() => outcome(client, "reader"), SOON).toEqual(["ALLOW"]);
    expect(await outcome(client, "coding-assistant")).toEqual(["DENY", "CALLER_NOT_ENTITLED"]);
    const [row] = readRows(
      data,
      "SELECT agent, outcome, reason_codes, record FROM decisions WHERE caller = 'service:desk' ORDER BY seq DESC LIMIT 1",
    );
    expect(row).toMatchObject({ agent: "coding-assistant", outcome: "DENY", reason_codes: '["CALLER_NOT_ENTITLED"]' });
    const record = JSON.parse(String(row?.["record"]));
    expect(record.subject.callerAgents).toEqual(["read*"]);
    const explained = await run(["explain", record.id, "--data", data]);
    expect(explained.code).toBe(0);
    expect(explained.stdout).toContain("the token of caller `service:desk` does not cover agent `coding-assistant`");

    const own = await client.explain(requestOf("coding-assistant"));
    const asAuditor = await server.client("auditor").explain(requestOf("coding-assistant"), { caller: "service:desk" });
    const asAnybody = await server.client("auditor").explain(requestOf("coding-assistant"), { caller: "service:other" });
    expect([own, asAuditor, asAnybody].map(({ decision }) => decision?.reasonCodes)).toEqual([["CALLER_NOT_ENTITLED"], ["CALLER_NOT_ENTITLED"], []]);
  });

  it("sees no task of ours when it is another tenant's, even under the same name", async () => {
    const ours = await server.client("enforcer").decide(requestOf("reader"));
    const other = await holderOf("--role", "enforcer", "--name", "local-enforcer", "--tenant", "other", "--id", "other");
    await expect.poll(() => outcome(other, "reader"), SOON).toEqual(["ALLOW"]);
    expect(await outcome(other, "reader", ours.taskId)).toEqual(["DENY", "TASK_UNKNOWN"]);
    expect(await outcome(server.client("enforcer"), "reader", ours.taskId)).toEqual(["ALLOW"]);
    expect((await other.decide(requestOf("reader"))).taskId).not.toBe(ours.taskId);
  });

  it("can be asked with from the command line", async () => {
    const file = join(directory.path, "gateway.token");
    const { stdout } = await run(["tokens", "create", "--role", "enforcer", "--agents", "reader", "--data", data]);
    writeFileSync(file, stdout);
    const asked = [
      "decide",
      "--token-file",
      file,
      "--grpc",
      server.address,
      "--tool",
      "filesystem/read_text_file",
      "--arg",
      "path=/srv/a",
      "--agent",
    ];
    await expect.poll(async () => (await run([...asked, "reader"])).code, { timeout: 10_000 }).toBe(0);
    expect((await run([...asked, "coding-assistant"])).stdout).toContain("CALLER_NOT_ENTITLED");
    const explained = await run(["explain", ...asked.slice(1), "coding-assistant"]);
    expect(explained).toMatchObject({ code: 0, stdout: expect.stringContaining("CALLER_NOT_ENTITLED") });
  });

  it("leaves the server's log without complaints", () => {
    expect(server.said.stderr).not.toMatch(/tokens\.json|"level":50/);
  });
});

describe("on a full disk", () => {
  const disk = temporaryDirectory();
  const obstacle = mountSmallDisk(disk.path);
  if (obstacle !== undefined) process.stderr.write(`tokens are not tried on a full disk: no tmpfs can be mounted here (${obstacle})\n`);
  afterAll(() => {
    if (obstacle === undefined) execFileSync("umount", [disk.path]);
    disk.remove();
  });

  it.skipIf(obstacle !== undefined)("no token is made or lost, and edits succeed again afterwards", async () => {
    createLocalTokens(disk.path, instant(Date.UTC(2026, 10, 25)));
    const create = (): Promise<Finished> => run(["tokens", "create", "--role", "enforcer", "--data", disk.path]);
    expect((await create()).code).toBe(0);
    const before = readFileSync(join(disk.path, "tokens.json"), "utf8");
    fillDisk(join(disk.path, "filler"));
    for (const failed of [await create(), await run(["tokens", "revoke", "auditor", "--data", disk.path])]) {
      expect(failed).toEqual({
        code: 1,
        stdout: "",
        stderr: `behest: \`${join(disk.path, "tokens.json")}\` cannot be written: ENOSPC: no space left on device, write; nothing was changed\n`,
      });
    }
    expect(readFileSync(join(disk.path, "tokens.json"), "utf8")).toBe(before);
    expect(readdirSync(disk.path).filter((name) => name.endsWith(".new"))).toEqual([]);
    rmSync(join(disk.path, "filler"));
    expect((await create()).code).toBe(0);
    expect(JSON.parse(readFileSync(join(disk.path, "tokens.json"), "utf8")).tokens).toHaveLength(JSON.parse(before).tokens.length + 1);
  });
});

/** Why it cannot be mounted here; undefined when it has been. */
function mountSmallDisk(path: string): string | undefined {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=128k", "tmpfs", path], { stdio: "pipe" });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function fillDisk(path: string): void {
  const file = openSync(path, "w");
  const block = Buffer.alloc(4_096);
  try {
    for (;;) writeSync(file, block);
  } catch {
    closeSync(file);
  }
}
