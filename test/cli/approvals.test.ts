import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningServer, runServer, temporaryDirectory } from "../running-server.ts";
import { mail } from "./mail.ts";
import { begin, type Finished, run } from "./running-command.ts";

const directory = temporaryDirectory();
let server: RunningServer;
beforeAll(async () => {
  server = await runServer({ data: join(directory.path, "state") });
});
afterAll(async () => {
  await server.close();
  directory.remove();
});

const asking = (): readonly string[] => ["--data", server.data, "--grpc", server.address];
const behest = (...args: readonly string[]): Promise<Finished> => run([...args, ...asking()]);
const where = (): string => `--data ${server.data} --grpc ${server.address}`;

/** Another mail, as a file holds it. */
const MAIL = {
  agent: { id: "inbox-assistant" },
  action: { tool: "send_email", arguments: { recipients: ["bob@example.org"], subject: "Minutes", body: "Attached" } },
  task: { statement: "Send the minutes to Bob" },
  delegation: [{ principal: { type: "user", id: "alice" } }, { principal: { type: "agent", id: "inbox-assistant" } }],
};

/** The approval that a decision waits for. */
async function ask(session: string, ...more: readonly string[]): Promise<string> {
  const { stdout } = await behest(...mail(session, "-o", "json", ...more));
  return JSON.parse(stdout).approval.id;
}

const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;
const shapeOf = (text: string, id: string): string =>
  text
    .replaceAll(id, "ID")
    .replaceAll(TIME, "TIME")
    .replaceAll(/\b\d+ min\b/g, "N min");

describe("behest approvals", () => {
  it("go from the question over the yes to its one use, each saying what to type next", async () => {
    expect(await behest("approvals", "ls")).toEqual({
      code: 0,
      stdout: "nobody has to be asked, and no approval waits for its use\n",
      stderr: `next: bin/behest approvals ls --all ${where()}\n`,
    });
    const asked = await behest(...mail("loop", "--exit-code"));
    const [id = ""] = /(?<=approval )[0-9a-f]{8}-[0-9a-f-]{27}/.exec(asked.stdout) ?? [];
    expect(asked.code).toBe(21);
    expect(shapeOf(asked.stdout, id)).toContain("asks group:approvers about behest:basis\n    approval ID is pending, until TIME\n");
    expect(asked.stderr).toBe(`next: bin/behest approvals show ${id} ${where()}\n`);

    expect(await ask("loop")).toBe(id);
    const listed = await behest("approvals", "ls");
    expect(shapeOf(listed.stdout, id).replaceAll(/ {2,}/g, "  ")).toBe(
      "approval  risk  agent  wants  asked  left  for\nID  15  inbox-assistant  send send_email  2×  N min  “Send the minutes to Bob”\n",
    );
    expect(listed.stderr).toBe(`next: bin/behest approvals show ${id} ${where()}\n`);

    const shown = await behest("approvals", "show", id.slice(-12));
    expect(shapeOf(shown.stdout, id)).toContain(`? pending  inbox-assistant → send_email (send)  risk 15  ID
  agent       inbox-assistant
  asked       at TIME through local-enforcer; 2×, last at TIME
  for         nobody: no registered task vouches for a person
  task        “Send the minutes to Bob”
`);
    expect(shapeOf(shown.stdout, id)).toContain(`  arguments   recipients  (destination; nobody vouches for it)
              │ ["bob@example.org"]
              subject  (free text)
              │ "Minutes"
              body  (free text)
              │ "Attached"
`);
    expect(shown.stderr).toBe(`next: bin/behest approvals approve ${id} ${where()}\n`);

    const approved = await behest("approvals", "approve", id, "--comment", "as agreed");
    expect({ ...approved, stdout: shapeOf(approved.stdout, id) }).toEqual({
      code: 0,
      stdout:
        "✔ approved  inbox-assistant → send_email (send)  risk 15  ID\n    local-enforcer may take it from now on, until TIME, by sending the same request once more with this approval\n",
      stderr: `next: bin/behest decide THE-SAME-REQUEST --approval ${id} ${where()}\n`,
    });
    const twice = await behest("approvals", "approve", id);
    expect({ ...twice, stdout: shapeOf(twice.stdout, id) }).toEqual({
      code: 0,
      stdout: "✔ approved  inbox-assistant → send_email (send)  risk 15  ID\n    this changes nothing: you said yes at TIME\n",
      stderr: approved.stderr,
    });
    const unnamed = await behest(...mail("loop"));
    expect(unnamed.stdout).toContain(`approval ${id} is approved, until `);
    expect(unnamed.stderr).toBe(approved.stderr);

    const used = await behest(...mail("loop", "--approval", id));
    expect(used.stdout).toContain("✔ ALLOW  inbox-assistant → send_email  risk 15 (low)  basis AUTHORIZED\n    people have said yes to it");
    expect(used.stdout).toContain(`    approval ${id} is consumed\n`);
    const late = await behest("approvals", "approve", id, "--uses", "2");
    expect(shapeOf(late.stderr, id)).toBe(
      "behest: approval `ID` is over: consumed at TIME\nthe agent asks anew by sending the request without --approval\n",
    );
    const again = await behest(...mail("loop", "--approval", id.slice(-12)));
    expect(again.stdout).toContain(
      `BASIS_ASKS, APPROVAL_NOT_APPLICABLE\n    approval ${id} covers nothing here: unknown, for another request, over, or given for less than is asked now; \`bin/behest approvals show ${id}\` tells\n`,
    );
    expect((await behest("approvals", "show", id)).stdout).toMatch(
      / {2}answers {5}user:local: yes at \S+, “as agreed”\n {2}ended {7}consumed at \S+\n/,
    );
  });

  it("are what an explanation says allowed it, of what was decided and of what would be", async () => {
    const file = join(directory.path, "explained.json");
    const write = (more: object): void => writeFileSync(file, JSON.stringify({ ...MAIL, session: "explained", ...more }));
    write({});
    const { id } = JSON.parse((await behest("decide", file, "-o", "json")).stdout).approval;
    await behest("approvals", "approve", id);
    const saying = `risk 15 (low)  basis AUTHORIZED\n    people have said yes to it, and nothing else asks or denies\n`;
    const telling = `    approval ${id}: \`bin/behest approvals show ${id}\` tells how it stands\n`;
    write({ approval_id: id });
    const would = await behest("explain", file);
    expect(would.stdout).toContain(saying);
    expect(would.stdout).toContain(telling);
    const decided = JSON.parse((await behest("decide", file, "-o", "json")).stdout);
    const { stdout } = await run(["explain", decided.decision_id, "--data", server.data]);
    expect(stdout).toContain(saying);
    expect(stdout).toContain(telling);
    const again = JSON.parse((await behest("decide", file, "-o", "json")).stdout);
    expect((await run(["explain", again.decision_id, "--data", server.data])).stdout).toContain(`approval ${id} covers nothing here: `);
  });

  it("want a reason for a no, after which nobody is asked again", async () => {
    const id = await ask("no");
    expect(await behest("approvals", "deny", id)).toMatchObject({ code: 2, stderr: expect.stringContaining("a no needs its reason, for it holds") });
    const denied = await behest("approvals", "deny", id, "--comment", "not to him");
    expect(shapeOf(denied.stdout, id)).toBe(
      "✖ denied  inbox-assistant → send_email (send)  risk 15  ID\n    denied at TIME by user:local: not to him\n    from now on the same request is DENY, APPROVAL_DENIED\n",
    );
    expect((await behest(...mail("no"))).stdout).toContain("APPROVAL_DENIED");
    const late = await behest("approvals", "approve", id);
    expect({ ...late, stderr: shapeOf(late.stderr, id) }).toEqual({
      code: 2,
      stdout: "",
      stderr:
        "behest: approval `ID` is over: denied at TIME by user:local: not to him\nthe same request is DENY, APPROVAL_DENIED, without anybody being asked; it takes another request, or another task\n",
    });
    const twice = await behest("approvals", "deny", id, "--comment", "no, not to him");
    expect(shapeOf(twice.stdout, id)).toContain("risk 15  ID\n    this changes nothing: you said no at TIME\n");
  });

  it("give a wider yes as it is listed, and take it back", async () => {
    const id = await ask("wider");
    const approved = await behest(
      "approvals",
      "approve",
      id,
      "--uses",
      "3",
      "--until",
      "20m",
      "--value",
      "bob@example.org",
      "--source",
      "send_email",
    );
    expect(shapeOf(approved.stdout, id)).toContain(
      "    3 times in all, not used yet, until TIME: everything else is exactly as shown; subject may be other text that names no new address, account, number or key;",
    );
    expect(shapeOf(approved.stdout, id)).toContain(
      "    counts as named by a person in this task until TIME: bob@example.org\n    may be followed in this task until TIME: what send_email answers\n",
    );
    const alike = await behest(...mail("wider", "--arg", "body=Enclosed"));
    expect(alike.stdout).toContain(`✔ ALLOW`);
    expect(alike.stdout).toContain(`    approval ${id} is approved, until `);
    const revoked = await behest("approvals", "revoke", id, "--comment", "INC-4711");
    expect(shapeOf(revoked.stdout, id)).toBe(
      "○ cancelled  inbox-assistant → send_email (send)  risk 15  ID\n    cancelled at TIME by user:local: INC-4711\n    nobody can use it from now on; asked again, it is asked anew\n",
    );
    expect((await behest(...mail("wider"))).stdout).toContain("? REQUIRE_APPROVAL");
  });

  it("wait for people as long as they are told", async () => {
    const opened = nextOpened();
    const waiting = begin([...mail("waits", "--wait", "55s"), ...asking()]);
    const id = await opened;
    await behest("approvals", "approve", id);
    expect(await waiting.ended).toMatchObject({ code: 0, stdout: expect.stringContaining(`    approval ${id} is consumed\n`) });
    const waited = await behest(...mail("waits", "--wait", "1"));
    expect(waited.stdout).toContain("? REQUIRE_APPROVAL");
    expect(waited.stderr).toMatch(/^no answer within 1 s; once there is one, go on with --approval [0-9a-f-]{36}\nnext: /);
  });

  it("print every field for programs, and ids alone for scripts", async () => {
    const id = await ask("programs");
    const { stdout } = await behest("approvals", "show", id, "-o", "json");
    expect(JSON.parse(stdout)).toMatchObject({
      approval: {
        id,
        state: "APPROVAL_STATE_PENDING",
        principal: "",
        holds: [
          { name: "value-nobody-vouches-for", approvers: ["principal", "group:approvers"], quorum: 1, agreed: [] },
          { name: "behest:basis", approvers: ["group:approvers"], quorum: 1, agreed: [] },
        ],
      },
      operation: "",
      tool_owner: "team:workplace",
      compared_with: expect.any(String),
      warnings: [],
    });
    const list = JSON.parse((await behest("approvals", "ls", "-o", "json", "--agent", "inbox-assistant")).stdout);
    expect(list.total).toBe(list.approvals.length);
    const lines = (await behest("approvals", "ls", "-o", "ndjson")).stdout.trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line).id)).toEqual(list.approvals.map((one: { id: string }) => one.id));
    expect((await behest("approvals", "ls", "-q")).stdout.trimEnd().split("\n")).toContain(id);
    expect((await behest("approvals", "ls", "--agent", "somebody-else")).stdout).toBe("nothing is open for agent `somebody-else`\n");
    const answered = JSON.parse((await behest("approvals", "approve", id, "-o", "json")).stdout);
    expect(answered.approval).toMatchObject({
      id,
      state: "APPROVAL_STATE_APPROVED",
      answers: [{ approver: { id: "user:local", verified: "local_file" } }],
    });
    const states = async (...flags: readonly string[]): Promise<readonly string[]> => [
      ...new Set<string>(
        JSON.parse((await behest("approvals", "ls", "-o", "json", ...flags)).stdout).approvals.map((one: { state: string }) => one.state),
      ),
    ];
    expect(await states("--state", "approved", "--state", "denied")).toEqual(["APPROVAL_STATE_DENIED", "APPROVAL_STATE_APPROVED"]);
    expect((await states("--all")).length).toBeGreaterThan(2);
  });

  it("say in one line that an agent asks more than people can be asked", async () => {
    const requests = Array.from({ length: 33 }, (_, at) => ({
      agent: { id: "coding-assistant" },
      session: `flood-${at % 3}`,
      action: { tool: "filesystem/write_file", arguments: { path: `/srv/${at}.md`, content: "x" } },
    }));
    writeFileSync(join(directory.path, "flood.ndjson"), requests.map((one) => JSON.stringify(one)).join("\n"));
    const asked = await behest("decide", join(directory.path, "flood.ndjson"));
    expect(asked.stdout).toMatch(
      /\n {4}`coding-assistant` has had people asked as often as policy\.json lets it in an hour: this waits, with what else it asks, for a yes to its asking on \(approval [0-9a-f-]{36}\), and must then be asked anew\n$/,
    );
    const { stdout } = await behest("approvals", "ls", "--agent", "coding-assistant");
    const [flood = "", header = ""] = stdout.split("\n");
    expect(flood).toMatch(
      /^! coding-assistant asks more than people can be asked: 3 more questions wait here as one, for \d+ min; yes lets it ask again, no denies it what it asks beyond {2}[0-9a-f-]{36}$/,
    );
    expect(header).toMatch(/^approval +risk +agent/);
    const shown = await behest("approvals", "show", flood.slice(-36));
    expect(shown.stdout).toContain("  first       this is the first of what it asks beyond; a yes allows none of it\n");
    const denied = await behest("approvals", "deny", flood.slice(-36), "--comment", "enough");
    expect(denied.stdout).toContain(
      "    for an hour, whatever people would have to be asked for coding-assistant beyond that is DENY, APPROVAL_DENIED\n",
    );
  });

  it.each<{ says: string; args: readonly string[]; told: string }>([
    { says: "name a state that there is", args: ["ls", "--state", "aproved"], told: "did you mean `approved`?" },
    { says: "refuse flags that exclude each other", args: ["ls", "--all", "--state", "denied"], told: "--all and --state exclude each other" },
    {
      says: "know no short id that nothing has",
      args: ["show", "nope"],
      told: "no approval has an id like `nope`; look with bin/behest approvals ls --all",
    },
    {
      says: "tell an unknown id",
      args: ["approve", "01999d5c-2f10-7b7e-a6c3-1b0a4a5e9f21"],
      told: "no approval `01999d5c-2f10-7b7e-a6c3-1b0a4a5e9f21` is remembered; look with bin/behest approvals ls --all",
    },
    { says: "want an id", args: ["show", ""], told: "the id of the approval is empty" },
    { says: "want the whole id of a task", args: ["ls", "--task", "019"], told: "--task: `019` is no whole id of a task" },
    { says: "want the whole id of a task to watch", args: ["watch", "--task", "019"], told: "--task: `019` is no whole id of a task" },
    { says: "count uses in digits", args: ["approve", "1", "--uses", "many"], told: "--uses: `many` is no count of uses" },
    { says: "know what a time is about", args: ["approve", "1", "--until", "2h"], told: "say which with --uses, --value or --source" },
    { says: "read a time", args: ["approve", "1", "--uses", "2", "--until", "soon"], told: "--until: `soon` is no time" },
  ])("$says", async ({ args, told }) => {
    const { code, stderr, stdout } = await behest("approvals", ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(told);
  });

  it.each<{ says: string; args: readonly string[]; told: string }>([
    { says: "waits no longer than people can be waited for", args: mail("x", "--wait", "56"), told: "--wait: `56` is no such time" },
    {
      says: "continues one request only",
      args: ["decide", "docs/examples/first-steps.json", "--approval", "x"],
      told: "--approval is about one request, and there are 3",
    },
    { says: "wants the id of an approval", args: mail("x", "--approval", "nope"), told: "no approval has an id like `nope`" },
  ])("decide $says", async ({ args, told }) => {
    expect(await behest(...args)).toMatchObject({ code: 2, stderr: expect.stringContaining(told) });
  });

  it("count each of several people once, and say whose word is still missing", async () => {
    const rules = join(directory.path, "rules");
    cpSync("rules", rules, { recursive: true });
    const policy = JSON.parse(readFileSync(join(rules, "policy.json"), "utf8"));
    policy.approvers = { default: ["group:approvers"], quorum: 2 };
    policy.groups = { approvers: ["user:local", "user:carol"] };
    writeFileSync(join(rules, "policy.json"), JSON.stringify(policy));
    const other = await runServer({ rules });
    const there = (...args: readonly string[]): Promise<Finished> => run([...args, "--data", other.data, "--grpc", other.address]);
    const { stdout: token } = await run(["tokens", "create", "--role", "approver", "--name", "user:carol", "--data", other.data]);
    writeFileSync(join(directory.path, "carol.token"), token, { mode: 0o600 });
    const id = JSON.parse((await there(...mail("two", "-o", "json"))).stdout).approval.id;
    const stillAsked = "asks group:approvers, 2 of them\n    1 of 2 agreed: user:local; may answer: user:carol\n";
    const missing = `    value-nobody-vouches-for: ${stillAsked.replace("asks ", "asks principal or ")}    behest:basis: ${stillAsked}`;
    expect((await there("approvals", "approve", id)).stdout).toContain(`    your yes counts; more is needed\n${missing}`);
    const again = await there("approvals", "approve", id);
    expect(shapeOf(again.stdout, id)).toContain(`risk 15  ID\n    this changes nothing: you said yes at TIME\n${missing}`);
    expect((await there("approvals", "ls")).stdout).toMatch(/ left +you +for\n.* {2}said yes {2}/);
    const carols = ["--token-file", join(directory.path, "carol.token")];
    const second = async (): Promise<Finished> => there("approvals", "approve", id, ...carols);
    // A running server knows a new token within a second.
    await expect.poll(async () => (await second()).stdout, { timeout: 10_000 }).toContain("✔ approved");
    const withoutCarol = { ...policy, approvers: { default: ["user:local"], quorum: 1 }, groups: { approvers: ["user:local"] } };
    writeFileSync(join(rules, "policy.json"), JSON.stringify(withoutCarol));
    expect((await there("rules", "reload")).code).toBe(0);
    const { stdout: next } = await there(...mail("not for carol", "-o", "json"));
    expect((await there("approvals", "ls", ...carols)).stdout).toMatch(new RegExp(`${JSON.parse(next).approval.id}.*  may not answer  `));
    await other.close();
  });

  it("answers with nobody's token but an approver's", async () => {
    const id = await ask("tokens");
    const { code, stderr } = await behest("approvals", "approve", id, "--token-file", join(server.data, "operator.token"));
    expect(code).toBe(7);
    expect(stderr).toContain("approver");
  });
});

/** The next that is opened. */
async function nextOpened(): Promise<string> {
  for await (const { approval, existing } of server.client("approver").watchApprovals()) if (approval && !existing) return approval.id;
  throw new Error("the watch has ended");
}
