import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readRequestJson } from "../../src/client/request-json.ts";
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

const reportWith = (options: RunOptions, ...args: readonly string[]): Promise<Finished> =>
  run(["report", ...args, "--data", server.data, "--grpc", server.address], options);
const report = (...args: readonly string[]): Promise<Finished> => reportWith({}, ...args);

async function decided(tool = "filesystem/read_text_file"): Promise<string> {
  const request = readRequestJson({ agent: { id: "reader" }, action: { tool, arguments: { path: "/srv/x" } } });
  return (await server.client("enforcer").decide(request)).decisionId;
}

it("reports once, answers the same report again, and refuses another", async () => {
  const id = await decided();
  const flags = ["--status", "executed", "--classification", "internal", "--category", "personal", "--trust", "untrusted"];
  const first = await report(id, ...flags);
  expect(first.code).toBe(0);
  expect(first.stdout).toMatch(/^✔ REPORTED {2}executed {2}[0-9a-f-]{36}\n$/);
  expect(first.stderr).toBe(`next: bin/behest history show ${id} --data ${server.data}\n`);
  expect((await report(id, ...flags)).stdout).toMatch(/\n {4}the same was reported at \S+Z; this changes nothing\n$/);
  const other = await report(id, "--status", "failed");
  expect(other).toMatchObject({ code: 2, stdout: "" });
  expect(other.stderr).toContain(`decision \`${id}\` was reported as \`executed\` before; the first report stands`);
});

it("says what is wrong with what was done", async () => {
  const bypassed = await report(await decided("send_email"), "--status", "executed", "--arguments-digest", `sha256:${"0".repeat(64)}`);
  expect(bypassed.stdout).toContain("it was not allowed, and was done: recorded as enforcement_bypassed\n");
  const perhaps = await report(await decided("send_email"), "--status", "failed");
  expect(perhaps.stdout).toContain("it was not allowed, and may have been done: recorded as enforcement_bypassed\n");
  expect(bypassed.stdout).toContain("it ran with other arguments than those decided: recorded as mutated\n");
});

it("says that a budget has its own back", async () => {
  const opened = await server.client("initiator").openTask({ statement: "s", agentId: "reader", principal: { type: 1, id: "alice" } });
  const task = { id: opened.task?.taskId ?? "" };
  const request = readRequestJson({ agent: { id: "reader" }, task, action: { tool: "filesystem/read_text_file", arguments: { path: "/srv/x" } } });
  const { decisionId } = await server.client("enforcer").decide(request);
  const { stdout } = await report(decisionId, "--status", "failed", "--took-effect", "false");
  expect(stdout).toContain("what the decision took from its task's budgets was given back\n");
});

it("takes what the tool returned from stdin, and prints for programs what the server said", async () => {
  const id = await decided();
  const { stdout } = await reportWith({ input: "line\n" }, id, "--status", "executed", "--result-file", "-", "--truncated", "-o", "json");
  expect(JSON.parse(stdout)).toMatchObject({ mutated: false, enforcement_bypassed: false, late: false, repeated: false, given_back: false });
  const again = await report(id, "--status", "executed", "--result", "line\n", "--truncated", "-o", "ndjson");
  expect(JSON.parse(again.stdout)).toMatchObject({ repeated: true });
});

it.each<{ says: string; args: readonly string[]; complaint: string }>([
  { says: "no status", args: ["x"], complaint: "required option '--status <status>' not specified" },
  { says: "a mistyped status", args: ["x", "--status", "executd"], complaint: "did you mean `executed`?" },
  { says: "a mistyped trust", args: ["x", "--status", "executed", "--trust", "trustd"], complaint: "did you mean `trusted`?" },
  { says: "an effect in other words", args: ["x", "--status", "failed", "--took-effect", "yes"], complaint: "Allowed choices are true, false" },
  { says: "an execution without effect", args: ["x", "--status", "executed", "--took-effect", "false"], complaint: "leave it out" },
  { says: "two results", args: ["x", "--status", "executed", "--result", "a", "--result-file", "-"], complaint: "exclude each other" },
  { says: "a result that is not there", args: ["x", "--status", "executed", "--result-file", "/nonexistent"], complaint: "cannot be read" },
  { says: "a decision that is none", args: ["x", "--status", "executed"], complaint: "`local-enforcer` got no decision `x`" },
])("refuses $says with exit code 2", async ({ args, complaint }) => {
  const { code, stdout, stderr } = await report(...args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toContain(complaint);
});
