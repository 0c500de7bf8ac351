import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
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

const behestWith = (options: RunOptions, ...args: readonly string[]): Promise<Finished> =>
  run([...args, "--data", server.data, "--grpc", server.address], options);
const behest = (...args: readonly string[]): Promise<Finished> => behestWith({}, ...args);
const where = (): string => `--data ${server.data} --grpc ${server.address}`;
/** Ids and times as they stand in an output that is compared. */
const shapeOf = (text: string, ids: Readonly<Record<string, string>> = {}): string =>
  Object.entries(ids)
    .reduce((shape, [name, id]) => shape.replaceAll(id, name), text)
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, "TIME");

const TASK = ["--agent", "reader", "--principal", "user:alice", "--statement", "Read the handbook"];

async function open(...flags: readonly string[]): Promise<string> {
  const { stdout } = await behest("tasks", "open", ...TASK, ...flags, "-o", "json");
  return JSON.parse(stdout).task.task_id;
}

describe("behest tasks", () => {
  it("go from opening to revoking, each saying what to type next", async () => {
    expect(await behest("tasks", "list", "--agent", "coordinator")).toEqual({
      code: 0,
      stdout: "no task is open\n",
      stderr: `next: bin/behest tasks list --ended ${where()}\n`,
    });
    const words = ["--agent", "coordinator", "--principal", "user:alice", "--statement", "Pay the October invoices"];
    const caps = ["--max-calls", "read=2", "--max-amount", "EUR=500.00", "--delegate", "reader", "--tool", "filesystem/*", "--tool", "send_money"];
    const opened = await behest("tasks", "open", ...words, ...caps, "--expires", "8h");
    const [root = ""] = /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(opened.stdout) ?? [];
    expect(shapeOf(opened.stdout, { ROOT: root })).toBe(
      "● open  coordinator  for user:alice  until TIME  ROOT\n    “Pay the October invoices”\n    tools filesystem/*, send_money; may be handed on to reader\n    left: read 2 of 2, EUR 500.00 of 500.00\n",
    );
    expect(opened.stderr).toBe(`next: bin/behest decide --task ${root} --agent coordinator --tool send_money ${where()}\n`);

    const handed = await behest("tasks", "delegate", root, "--agent", "reader", "--tool", "filesystem/read_text_file", "--max-calls", "read=1");
    const [child = ""] = /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(handed.stdout) ?? [];
    expect(handed.stderr).toBe(`next: bin/behest tasks tree ${root} ${where()}\n`);
    const decided = await behest("decide", "--task", child, "--agent", "reader", "--tool", "filesystem/read_text_file", "--arg", "path=/srv/x");
    expect(decided.stdout).toContain(
      "✔ ALLOW  reader → filesystem/read_text_file  risk 10 (low)  basis AUTHORIZED\n    inside the issued scope of its task;",
    );

    const tree = await behest("tasks", "tree", root.slice(-12));
    expect(shapeOf(tree.stdout, { ROOT: root, CHILD: child })).toBe(
      `for user:alice: “Pay the October invoices”
the tree has seen internal data; untrusted content; from filesystem

coordinator  ● open  until TIME  ROOT
│   tools filesystem/*, send_money; may be handed on to reader
│   left: read 1 of 2, EUR 500.00 of 500.00
│   nothing decided yet
└── reader  ● open  until TIME  CHILD
        tools filesystem/read_text_file
        left: read 0 of 1, EUR 500.00 of 500.00
        1 allowed
`,
    );
    expect(tree.stderr).toBe(`next: bin/behest history list --task ${root} --data ${server.data}\n`);

    const revoked = await behest("tasks", "revoke", root, "--reason", "INC-4711");
    expect(shapeOf(revoked.stdout, { ROOT: root })).toBe(
      "■ revoked  coordinator  for user:alice  ROOT\n    revoked at TIME by local-operator: INC-4711\n    from now on whatever is asked for it, or for what was handed on from it, is DENY, TASK_REVOKED\n",
    );
    expect(revoked.stderr).toBe(`next: bin/behest tasks tree ${root} ${where()}\n`);
    const shown = await behest("tasks", "show", child);
    expect(shapeOf(shown.stdout, { ROOT: root, CHILD: child })).toContain(
      "■ revoked  reader  for user:alice  CHILD\n    “Pay the October invoices”\n    revoked at TIME by local-operator, with ROOT above it: INC-4711\n    handed on from ROOT at TIME by local-initiator\n",
    );
    const closed = await behest("tasks", "close", root);
    expect(closed.stdout).toContain("it had ended before, and that stands\n");
    const listed = await behest("tasks", "list", "--ended", "--agent", "coordinator");
    expect(listed.stdout).toMatch(/^task_id +state +agent +for +until +decided +statement\n\S+ +revoked +coordinator +user:alice /);
  });

  it("say what was trimmed, with money as people write it, and what remains nothing", async () => {
    const root = await open("--max-amount", "EUR=5", "--max-amount", "JPY=300", "--effect", "read");
    const flags = ["--agent", "helper", "--max-amount", "EUR=9.5", "--max-amount", "JPY=400", "--effect", "pay"];
    const refused = await behest("tasks", "delegate", root, ...flags);
    expect(refused.code).toBe(2);
    expect(shapeOf(refused.stderr, { ROOT: root })).toBe(
      "behest: refused:\nscope.effects: `pay` lies outside what task `ROOT` has: read\nscope.max_amounts: `EUR 9.50` lies outside what task `ROOT` has: EUR 5.00\nscope.max_amounts: `JPY 400` lies outside what task `ROOT` has: JPY 300\nask for less, or have it trimmed with --narrow\n",
    );
    const { code, stdout } = await behest("tasks", "delegate", root, ...flags, "--narrow");
    expect(code).toBe(0);
    expect(stdout).toContain(
      "    no effects\n    left: EUR 5.00 of 5.00, JPY 300 of 300\n    trimmed scope.effects: asked for pay, the task has read\n    trimmed scope.max_amounts: asked for EUR 9.50, the task has EUR 5.00\n    trimmed scope.max_amounts: asked for JPY 400, the task has JPY 300\n",
    );
  });

  it("draw a branch for each task, and say only how it differs from the one above", async () => {
    const root = await open("--proposed");
    const left = await behest("tasks", "delegate", root, "--agent", "left", "-o", "json");
    const below = JSON.parse(left.stdout).task.task_id;
    await behest("tasks", "delegate", below, "--agent", "leaf", "--statement", "Read one page");
    await behest("tasks", "delegate", root, "--agent", "right", "--max-depth", "0");
    const { stdout } = await behest("tasks", "tree", root);
    expect(shapeOf(stdout).replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "ID")).toBe(
      `for user:alice: “Read the handbook”
the tree has seen nothing yet

reader  ● open  until TIME  ID
│   proposed: anything within reach
│   nothing decided yet
├── left  ● open  until TIME  ID
│   │   proposed: all that the task above it may be used for
│   │   nothing decided yet
│   └── leaf  ● open  until TIME  ID
│           “Read one page”
│           proposed: all that the task above it may be used for
│           nothing decided yet
└── right  ● open  until TIME  ID
        proposed: not to be handed on
        nothing decided yet
`,
    );
  });

  it("print for programs what the server said", async () => {
    const root = await open("--attribute", "level=3", "--statement-expires", "1h");
    const { task } = JSON.parse((await behest("tasks", "delegate", root, "--agent", "helper", "-o", "json")).stdout);
    expect(task).toMatchObject({
      parent_task_id: root,
      scope_kind: "SCOPE_KIND_ISSUED",
      principal: { type: "PRINCIPAL_TYPE_USER", attributes: { level: 3 } },
    });
    const tree = JSON.parse((await behest("tasks", "tree", root, "-o", "json")).stdout);
    expect(tree).toMatchObject({ task: { task_id: root, state: "TASK_STATE_OPEN" }, below: [{ task_id: task.task_id }], below_total: 1 });
    const lines = (await behest("tasks", "tree", root, "-o", "ndjson")).stdout.trim().split("\n");
    expect(lines.map((line) => JSON.parse(line).task_id)).toEqual([root, task.task_id]);
    expect(JSON.parse((await behest("tasks", "show", root, "-o", "ndjson")).stdout)).toMatchObject({ task_id: root, children: 1 });
    const revoked = JSON.parse((await behest("tasks", "revoke", root, "-o", "json")).stdout);
    expect(revoked).toMatchObject({ task: { task_id: root, state: "TASK_STATE_REVOKED", ended_reason: "" }, durable: true });
    const listed = JSON.parse((await behest("tasks", "list", "--agent", "helper", "--ended", "-o", "json")).stdout);
    expect(listed[0]).toMatchObject({ task_id: task.task_id, state: "TASK_STATE_REVOKED", ended_task_id: root });
  });

  it("take a whole request from a file or from stdin, in short words", async () => {
    const request = {
      statement: "Read",
      principal: { type: "service", id: "portal" },
      agent_id: "reader",
      scope_kind: "proposed",
      scope: { effects: ["read"], max_calls: [{ effect: "read", calls: 2 }], max_depth: 1 },
      expires_at: "2999-01-01T00:00:00Z",
    };
    const file = join(directory.path, "open.json");
    writeFileSync(file, JSON.stringify({ ...request, expires_at: undefined }));
    const { task } = JSON.parse((await behest("tasks", "open", "--file", file, "-o", "json")).stdout);
    expect(task).toMatchObject({
      scope_kind: "SCOPE_KIND_PROPOSED",
      scope: { effects: ["EFFECT_READ"], max_calls: [{ calls: "2" }], max_depth: "1" },
    });
    const input = JSON.stringify({ task_id: task.task_id, agent_id: "helper", narrow: true, expires_at: request.expires_at });
    const { trimmed } = JSON.parse((await behestWith({ input }, "tasks", "delegate", "--file", "-", "-o", "json")).stdout);
    expect(trimmed).toEqual([{ field: "expires_at", asked: "2999-01-01T00:00:00.000Z", allowed: new Date(task.expires_at).toISOString() }]);
  });

  it.each<{ says: string; args: readonly string[]; complaint: string }>([
    { says: "a task of nobody", args: ["open", "--agent", "reader"], complaint: "name at least --agent, --principal and --statement, or a --file" },
    { says: "a mistyped effect", args: ["open", ...TASK, "--effect", "reed"], complaint: "did you mean `read`?" },
    { says: "a mistyped effect of a cap", args: ["open", ...TASK, "--max-calls", "pya=1"], complaint: "did you mean `pay`?" },
    { says: "a mistyped tool", args: ["open", ...TASK, "--tool", "send_mony"], complaint: "did you mean `send_money`?" },
    { says: "a mistyped principal", args: ["open", ...TASK.with(3, "usr:alice")], complaint: "did you mean `user`?" },
    { says: "a principal without its type", args: ["open", ...TASK.with(3, "alice")], complaint: "--principal is TYPE:ID, found `alice`" },
    { says: "a cap without a count", args: ["open", ...TASK, "--max-calls", "pay"], complaint: "write EFFECT=COUNT, such as `pay=3`" },
    { says: "a negative count", args: ["open", ...TASK, "--max-calls", "pay=-1"], complaint: "`-1` is no count" },
    {
      says: "an amount without a currency",
      args: ["open", ...TASK, "--max-amount", "100"],
      complaint: "write CURRENCY=AMOUNT, such as `EUR=100.00`",
    },
    { says: "a negative amount", args: ["open", ...TASK, "--max-amount", "EUR=-1"], complaint: "`EUR=-1` is no amount" },
    {
      says: "an amount that is too fine",
      args: ["open", ...TASK, "--max-amount", "EUR=0.005"],
      complaint: "finer than the smallest unit of EUR, which has 2 digits",
    },
    { says: "half a yen", args: ["open", ...TASK, "--max-amount", "JPY=0.5"], complaint: "finer than the smallest unit of JPY, which has no digits" },
    { says: "a time that is none", args: ["open", ...TASK, "--expires", "soon"], complaint: "--expires: `soon` is no time" },
    { says: "a time that is over", args: ["open", ...TASK, "--expires", "2020-01-01T00:00:00Z"], complaint: "is not in the future" },
    { says: "a depth that is none", args: ["open", ...TASK, "--max-depth", "deep"], complaint: "--max-depth: `deep` is no count" },
    { says: "flags beside a file", args: ["open", "--file", "x.json", "--proposed"], complaint: "so --proposed would change nothing" },
    { says: "a file that is not there", args: ["open", "--file", "/nonexistent/x.json"], complaint: "`/nonexistent/x.json` cannot be read" },
    { says: "a task beside a file", args: ["delegate", "x", "--file", "x.json"], complaint: "so the task's id would change nothing" },
    { says: "handing on to nobody", args: ["delegate", "x"], complaint: "name the task and at least --agent" },
    { says: "handing on from no task", args: ["delegate", "x", "--agent", "helper"], complaint: "no registered task `x` of this tenant is known" },
    {
      says: "a task that is none",
      args: ["show", "01999d5c"],
      complaint: "no task has an id like `01999d5c`; look with bin/behest tasks list --ended",
    },
    { says: "a whole id that is none", args: ["tree", "01999d5c-2f10-7b7e-a6c3-1b0a4a5e9f21"], complaint: "of this tenant is known" },
    { says: "to close what is none", args: ["close", "01999d5c-2f10-7b7e-a6c3-1b0a4a5e9f21"], complaint: "of this tenant is known" },
    { says: "a command that is none", args: ["shw"], complaint: "Did you mean show?" },
  ])("refuse $says with exit code 2", async ({ args, complaint }) => {
    const { code, stdout, stderr } = await behest("tasks", ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(complaint);
  });

  it("exit 2 for handing on from what has ended, and 7 without the role for it", async () => {
    const id = await open();
    await behest("tasks", "close", id);
    const late = await behest("tasks", "delegate", id, "--agent", "helper");
    expect(late).toMatchObject({ code: 2, stderr: `behest: task \`${id}\` is closed; nothing can be handed on from it any more\n` });
    const auditor = ["--token-file", join(server.data, "auditor.token")];
    expect((await behest("tasks", "open", ...TASK, ...auditor)).code).toBe(7);
  });
});
