import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { compilePolicy } from "../../src/policy/load.ts";
import { filesOf } from "../policies.ts";
import { denyRule, writeRules } from "../policy/bad-directories.ts";
import { temporaryDirectory } from "../running-server.ts";
import { run, type Served, serve } from "./running-command.ts";

const A = filesOf({ rules: [denyRule("a")] });
const B = filesOf({ rules: [{ ...denyRule("b"), priority: 2 }] });
const BAD = {
  ...A,
  "test.rules.json":
    '{ "rules": [\n  { "name": "a", "conditions": { "all": [] },\n    "event": { "type": "deny", "params": { "reason": "r", "controls": [] } } } ] }\n',
};
const DIGEST_A = compilePolicy(A).policy.digest;
const DIGEST_B = compilePolicy(B).policy.digest;

const parent = temporaryDirectory();
const rules = join(parent.path, "rules");
let server: Served;
beforeAll(async () => {
  writeRules(rules, A);
  server = await serve(join(parent.path, "state"), ["--rules", rules], { env: { BEHEST_RULES_POLL_MS: "0" } });
});
afterAll(async () => {
  await server.stop();
  parent.remove();
});

const behest = (...args: readonly string[]) => run([...args, "--data", server.data, "--grpc", server.address]);
const REFUSED = `${rules}/test.rules.json:2:41: \`all\` is a list of at least one condition
    { "name": "a", "conditions": { "all": [] },
                                          ^`;

beforeEach(async () => {
  writeRules(rules, A);
  await behest("rules", "reload");
});

describe("rules reload", () => {
  it("prints what is in force, and the warnings about it", async () => {
    writeRules(rules, B);
    expect(await behest("rules", "reload")).toEqual({
      code: 0,
      stdout: `in force  ${DIGEST_B}\n`,
      stderr: `${rules}/test.rules.json:1:11: warning: rule \`b\`: \`priority\` orders findings and has no effect on outcomes\n  ${B["test.rules.json"]?.slice(0, 120)}\n            ^\n`,
    });
    expect(await behest("rules", "reload", "-o", "json")).toMatchObject({ code: 0, stderr: "" });
  });

  it("prints JSON for programs, and says when nothing has changed", async () => {
    const { stdout } = await behest("rules", "reload", "-o", "ndjson");
    expect(stdout.split("\n")).toHaveLength(2);
    expect(JSON.parse(stdout)).toEqual({ digest: DIGEST_A, changed: false, warnings: [] });
    expect((await behest("rules", "reload")).stdout).toBe(`unchanged  ${DIGEST_A}\n`);
  });

  it("exits 3 with the complaints as the loader writes them", async () => {
    writeRules(rules, BAD);
    expect(await behest("rules", "reload")).toEqual({
      code: 3,
      stdout: "",
      stderr: `behest: ${REFUSED}\n\nthe rules in \`${rules}\` have an error and were refused; \`${DIGEST_A}\` stays in force\n`,
    });
  });

  it("exits 6 where no server answers", async () => {
    const { code, stderr } = await run(["rules", "reload", "--data", server.data, "--grpc", "127.0.0.1:1"]);
    expect({ code, stderr }).toEqual({ code: 6, stderr: expect.stringContaining("no server answers") });
  });
});

describe("rules status", () => {
  it("names the policy in force, since when, from where, and how much it is", async () => {
    const { code, stdout, stderr } = await behest("rules", "status");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/, "THEN").split("\n")).toEqual([
      `digest     ${DIGEST_A}`,
      "since      THEN",
      "rules      1",
      "agents     0",
      "tools      0",
      "warnings   0",
      `directory  ${rules}`,
      "",
    ]);
  });

  it("says what was refused, and what to do next", async () => {
    writeRules(rules, BAD);
    await behest("rules", "reload");
    const { code, stdout, stderr } = await behest("rules", "status");
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: `next: mend it, then bin/behest rules reload --data ${server.data} --grpc ${server.address}\n`,
    });
    expect(stdout).toMatch(/\n\nrefused at \d{4}-[\d-]+T[\d:.]+Z: what the directory holds now, because\n\n/);
    expect(stdout.endsWith(`${REFUSED}\n`)).toBe(true);
    const json = JSON.parse((await behest("rules", "status", "-o", "json")).stdout);
    expect(json).toMatchObject({
      policy: { digest: DIGEST_A, in_force: true, rules: 1 },
      refusal: { complaints_total: 1, complaints: [{ id: "empty-condition", severity: "COMPLAINT_SEVERITY_ERROR", line: 2, column: 41 }] },
    });
  });
});

describe("rules show", () => {
  it("lists the files of the policy in force", async () => {
    const { code, stdout } = await behest("rules", "show");
    expect({
      code,
      rows: stdout
        .trimEnd()
        .split("\n")
        .map((line) => line.split(/\s+/)),
    }).toEqual({
      code: 0,
      rows: [
        ["path", "bytes"],
        ...["agents.json", "catalog/test.json", "policy.json", "test.rules.json"].map((path) => [path, String(Buffer.byteLength(A[path] ?? ""))]),
      ],
    });
  });

  it("prints one of them as it was, to the byte", async () => {
    expect(await behest("rules", "show", "test.rules.json")).toEqual({ code: 0, stdout: A["test.rules.json"], stderr: "" });
    expect(JSON.parse((await behest("rules", "show", "-o", "json")).stdout)).toEqual(A);
  });

  it("prints one of a policy that was loaded before", async () => {
    writeRules(rules, B);
    await behest("rules", "reload");
    expect((await behest("rules", "show", "test.rules.json", "--digest", DIGEST_A)).stdout).toBe(A["test.rules.json"]);
    expect((await behest("rules", "show", "test.rules.json")).stdout).toBe(B["test.rules.json"]);
  });

  it.each([
    {
      says: "a file that there is none of",
      args: ["test.rule.json"],
      code: 2,
      message: `no file \`test.rule.json\` in policy \`${DIGEST_A}\`; did you mean \`test.rules.json\`?`,
    },
    { says: "a digest that is none", args: ["--digest", "latest"], code: 2, message: "`digest` is not `sha256:` and 64 hexadecimal digits" },
    {
      says: "a policy that was never loaded",
      args: ["--digest", `sha256:${"0".repeat(64)}`],
      code: 2,
      message: `no policy \`sha256:${"0".repeat(64)}\` was ever loaded here`,
    },
  ])("complains of $says", async ({ args, code, message }) => {
    expect(await behest("rules", "show", ...args)).toEqual({ code, stdout: "", stderr: `behest: ${message}\n` });
  });
});

describe("healthcheck", () => {
  it("is content with a server that decides, and warns when it decides by an older policy than the directory holds", async () => {
    expect(await run(["healthcheck", "--grpc", server.address])).toEqual({ code: 0, stdout: "serving\n", stderr: "" });
    writeRules(rules, BAD);
    await behest("rules", "reload");
    expect(await run(["healthcheck", "--grpc", server.address])).toEqual({
      code: 0,
      stdout: "serving\n",
      stderr: `behest: warning: what the rules directory holds was refused, and the last good policy decides; next: bin/behest rules status --grpc ${server.address}\n`,
    });
  });
});

describe("SIGHUP", () => {
  it("has the rules read again, and the log says what came of it", async () => {
    writeRules(rules, B);
    process.kill(server.pid, "SIGHUP");
    await expect.poll(async () => (await behest("rules", "status")).stdout, { timeout: 10_000 }).toContain(DIGEST_B);
    writeFileSync(join(rules, "test.rules.json"), BAD["test.rules.json"]);
    process.kill(server.pid, "SIGHUP");
    await expect.poll(() => server.said.stderr, { timeout: 10_000 }).toContain("have an error and were refused");
    const messages = server.said.stderr
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).msg);
    expect(messages).toContain("SIGHUP: reading the rules");
    expect(messages).toContain("reloaded the rules as asked");
    expect(messages).toContain(`the rules in \`${rules}\` have an error and were refused; \`${DIGEST_B}\` stays in force`);
  });
});

describe("serve does not start", () => {
  it("on rules with errors: exits 3 and tells all of them", async () => {
    writeRules(rules, BAD);
    const { code, stdout, stderr } = await run(["serve", "--data", join(parent.path, "other"), "--rules", rules, "--grpc", "127.0.0.1:0"]);
    expect({ code, stdout, stderr }).toEqual({ code: 3, stdout: "", stderr: `behest: ${REFUSED}\n\nthe rules have an error; nothing was started\n` });
  });
});
