import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readRequestJson } from "../../src/client/request-json.ts";
import { STARTER_RULES } from "../../src/config.ts";
import { type RunningServer, runServer, temporaryDirectory } from "../running-server.ts";
import { type Finished, run } from "./running-command.ts";

const directory = temporaryDirectory();
let server: RunningServer;
const ids: Record<string, string> = {};
const REQUESTS = {
  allowed: { agent: { id: "coding-assistant" }, action: { tool: "filesystem/read_text_file", arguments: { path: "/srv/a.md" } } },
  denied: { agent: { id: "coding-assistant" }, action: { tool: "filesystem/read_text_file", arguments: { path: "/home/me/.ssh/id_ed25519" } } },
  outside: { agent: { id: "coding-assistant" }, action: { tool: "mail/send_email", arguments: { recipients: ["a@example.org"] } } },
  secret: {
    agent: { id: "sandbox-agent", attributes: { api_key: "12345" } },
    action: {
      tool: "shell/run",
      arguments: { command: "mount", password: "correct horse", pin: 1234, tokens: ["a", "b"], auth: { user: "x" }, cookie: true },
    },
    session: "s",
    context: { environment: "staging", attributes: { ticket: "OPS-7" } },
    data: { categories: ["personal"] },
  },
  chained: {
    agent: { id: "coding-assistant" },
    task: { statement: "Tidy up" },
    delegation: [{ principal: { type: "user", id: "alice" } }, { principal: { type: "agent", id: "coding-assistant" }, task_id: "t-1" }],
    action: { tool: "filesystem/write_file", arguments: { path: "/srv/a.md", content: "x" }, resource: { type: "file", id: "/srv/a.md" } },
    supported_obligations: ["log", "redact"],
  },
};
beforeAll(async () => {
  server = await runServer({ data: join(directory.path, "state") });
  const client = server.client("enforcer");
  for (const [name, request] of Object.entries(REQUESTS)) ids[name] = (await client.decide(readRequestJson(request))).decisionId;
});
afterAll(async () => {
  await server.close();
  directory.remove();
});

const behest = (...args: readonly string[]): Promise<Finished> => run([...args, "--data", server.data]);

describe.concurrent("behest explain DECISION-ID", () => {
  it("says, from the record and the policy it names, what a decision came from", async () => {
    const { code, stdout } = await behest("explain", ids["denied"] ?? "");
    expect(code).toBe(0);
    expect(stdout).toBe(`✖ DENY  coding-assistant → filesystem/read_text_file  risk 70 (middle)  basis NONE
    CLASSIFICATION_EXCEEDED, RULE_DENY
    behest:classification-exceeded: \`restricted\` data is above the reach of agent \`coding-assistant\`, which ends at \`confidential\`
    restricted-data-is-used +20: uses restricted data
    credential-material-is-touched +50: reads or writes credential material

  rules, points and sum
     +20   20  restricted-data-is-used  ${place("data", "restricted-data-is-used")}
               data.classification_rank greaterThanInclusive 3 (is 3)  ${place("data", '"data.classification_rank", "operator": "greaterThanInclusive", "value": 3')}
     +50   70  credential-material-is-touched  ${place("secrets", "credential-material-is-touched")}
               data.categories contains "credential" (is ["credential"])  ${place("secrets", '"data.categories", "operator": "contains", "value": "credential"')}

  score
    70: the middle band; 10 more reach the top one, from 80: denied, 31 fewer reach the one below

  facts read
    data.classification_rank  3  caller
    data.categories           ["credential"]  caller

  another outcome, if
    ALLOW: data.categories were [], not ["credential"] and data.classification_rank were 2, not 3
`);
  });

  it("says where nothing that was tried would bring about another outcome", async () => {
    const { stdout } = await behest("explain", ids["outside"] ?? "");
    expect(stdout).toContain("OUTSIDE_REACH");
    expect(stdout).toContain("  another outcome, if\n    no change of up to 2 facts that was tried brings one about\n");
  });

  it("explains every rule with --all, and prints JSON for programs", async () => {
    const { stdout } = await behest("explain", ids["allowed"] ?? "", "--all", "-o", "json");
    const { decision, explanation } = JSON.parse(stdout);
    expect(decision).toMatchObject({ decision_id: ids["allowed"], outcome: "OUTCOME_ALLOW", recorded: true });
    expect(explanation.rules).toHaveLength(50);
    const pretty = (await behest("explain", ids["denied"] ?? "", "--all")).stdout;
    const [above, below] = [pretty.lastIndexOf("touched  "), pretty.indexOf("(does not stand)")];
    expect(pretty.slice(0, above)).not.toContain("(does not stand)");
    expect(above).toBeLessThan(below);
    expect(pretty.split("\n").length).toBeGreaterThan(24);
    expect(pretty.trimEnd().split("\n").at(-1)).toBe(pretty.split("\n")[0]);
    expect(explanation.flips.map(({ outcome }: { outcome: string }) => outcome)).toContain("OUTCOME_DENY");
  });

  it("takes enough of an id's end, and says when there is no such decision", async () => {
    expect((await behest("explain", ids["denied"]?.slice(-12) ?? "")).stdout).toContain("CLASSIFICATION_EXCEEDED");
    const { code, stderr } = await behest("explain", "ffffffff-ffff");
    expect(code).toBe(2);
    expect(stderr).toContain(`no decision \`ffffffff-ffff\`; see \`bin/behest history list --data ${server.data}\``);
  });

  it("refuses a record that does not come out as it says", async () => {
    const copy = join(directory.path, "edited");
    mkdirSync(copy);
    const db = new Sqlite(join(server.data, "behest.db"), { readonly: true });
    await db.backup(join(copy, "behest.db"));
    db.close();
    const edited = new Sqlite(join(copy, "behest.db"));
    edited
      .prepare('UPDATE decisions SET record = replace(record, \'"outcome":"DENY"\', \'"outcome":"ALLOW"\') WHERE decision_id = ?')
      .run(ids["denied"]);
    edited.close();
    const { code, stderr } = await run(["explain", ids["denied"] ?? "", "--data", copy]);
    expect(code).toBe(1);
    expect(stderr).toContain("does not come out as recorded when it is made again; its row or this program was changed");
  });
});

/** Where a text first stands in a starter file, as explanations name it: the object that holds it. */
function place(file: string, text: string): string {
  const lines = readFileSync(join(STARTER_RULES, `${file}.rules.json`), "utf8").split("\n");
  const at = lines.findIndex((line) => line.includes(text));
  const isRule = lines[at]?.trim().startsWith('"name"');
  const line = lines[at] ?? "";
  return isRule
    ? `${file}.rules.json:${at}:${(lines[at - 1]?.indexOf("{") ?? 0) + 1}`
    : `${file}.rules.json:${at + 1}:${line.lastIndexOf("{", line.indexOf(text)) + 1}`;
}

describe("behest explain of a request", () => {
  const ask = (command: string, request: object, ...more: readonly string[]): Promise<Finished> =>
    run([command, "-", "--data", server.data, "--grpc", server.address, ...more], { input: JSON.stringify(request) });

  it("asks as the caller that decide asks as, and says as whom and of which task", async () => {
    const request = { ...REQUESTS.allowed, session: "explained" };
    expect((await ask("explain", request)).stdout).toMatch(/^as local-enforcer, a new task\n. ALLOW /);
    const decided = JSON.parse((await ask("decide", request, "-o", "json")).stdout);
    expect((await ask("explain", request)).stdout).toMatch(new RegExp(`^as local-enforcer, task ${decided.task_id} \\(open\\)\\n`));
    expect((await ask("explain", request, "--as", "gateway-7")).stdout).toMatch(/^as gateway-7, a new task\n/);
    expect((await ask("explain", { ...request, task: { id: "t-0" } })).stdout).toMatch(/^as local-enforcer, task t-0 \(not open\)\n. DENY /);
  });

  it("asks as the auditor where no other caller is known here", async () => {
    const remote = join(directory.path, "remote");
    mkdirSync(remote);
    writeFileSync(join(remote, "auditor.token"), readFileSync(join(server.data, "auditor.token")));
    const { stdout } = await run(["explain", "-", "--data", remote, "--grpc", server.address], { input: JSON.stringify(REQUESTS.allowed) });
    expect(stdout).toMatch(/^as the auditor, a new task\n/);
  });
});

describe.concurrent("behest case from DECISION-ID", () => {
  it.each(Object.keys(REQUESTS))("makes a case that holds under the policy that decided: %s", async (name) => {
    const rules = join(directory.path, `rules-${name}`);
    const { code, stderr } = await behest("case", "from", ids[name] ?? "", "--append", `${rules}.cases.json`);
    expect(readFileSync(`${rules}.cases.json`, "utf8")).toMatch(/^\{\n {2}"\$schema": ".\/schema\/cases.schema.json",\n {2}"cases": \[/);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringContaining(`is in ${rules}.cases.json; next: bin/behest rules test ${directory.path}\n`),
    });
    const { cases } = JSON.parse(readFileSync(`${rules}.cases.json`, "utf8"));
    expect(cases).toHaveLength(1);
    expect(JSON.stringify(cases)).not.toContain("hmac-sha256");
  });

  it("prints the case, with what was asked and what came out", async () => {
    const { stdout } = await behest("case", "from", ids["denied"] ?? "", "--name", "no keys");
    expect(JSON.parse(stdout)).toEqual({
      cases: [
        {
          name: "no keys",
          at: expect.stringMatching(/^\d{4}-.*Z$/),
          caller: "local-enforcer",
          request: REQUESTS.denied,
          task: {
            standing: "open",
            seen: expect.objectContaining({ trust: expect.any(String) }),
            intent: { words: [], scope: "outside", alignment: "none", object: "none", provenance: { target: "unseen" } },
          },
          expect: {
            outcome: "DENY",
            basis: "NONE",
            score: 70,
            reason_codes: ["CLASSIFICATION_EXCEEDED", "RULE_DENY"],
            fires: ["restricted-data-is-used", "credential-material-is-touched"],
          },
        },
      ],
    });
  });

  it("puts something of the same kind and length in the place of each secret, and says so", async () => {
    const { stdout, stderr } = await behest("case", "from", ids["secret"] ?? "");
    const [made] = JSON.parse(stdout).cases;
    expect(made.request.agent.attributes).toEqual({ api_key: "xxxxx" });
    expect(made.request.action.arguments).toMatchObject({
      command: "mount",
      password: "x".repeat(13),
      pin: expect.any(Number),
      tokens: [expect.any(String)],
    });
    expect(stdout).not.toContain("correct horse");
    expect(stderr).toContain("placeholders of that kind and length stand in their place");
  });

  it("appends to a file whose cases use fixtures of another file, or that has fixtures alone", async () => {
    for (const [name, before] of [
      ["borrowing", '{ "cases": [{ "name": "one", "use": ["of another file"], "expect": { "outcome": "DENY" } }] }'],
      ["fixtures", '{ "fixtures": { "a": { "use": 1 } } }'],
    ] as const) {
      const path = join(directory.path, `${name}.cases.json`);
      writeFileSync(path, before);
      const { code, stderr } = await behest("case", "from", ids["denied"] ?? "", "--name", "new", "--append", path);
      expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining(`is in ${path}`) });
      expect(JSON.parse(readFileSync(path, "utf8")).cases.at(-1).name).toBe("new");
    }
  });

  it.each<{ when: string; file: string; before?: string; code: number; stderr: string }>([
    { when: "the file is no file of cases", file: "a.json", code: 2, stderr: "is no file of cases: name it `NAME.cases.json`" },
    { when: "the file is broken", file: "broken.cases.json", before: "{", code: 3, stderr: "broken.cases.json:1:2: not JSON: " },
    {
      when: "the file holds something else than cases",
      file: "else.cases.json",
      before: '{ "cases": {} }',
      code: 3,
      stderr: 'else.cases.json:1:12: expected a list, found an object\n  { "cases": {} }\n             ^\n\nnothing was written\n',
    },
    {
      when: "the file has an unknown key",
      file: "key.cases.json",
      before: '{ "case": [] }',
      code: 3,
      stderr: "key.cases.json:1:3: unknown key `case`; did you mean `cases`?",
    },
    {
      when: "the file has a case of that name",
      file: "twice.cases.json",
      before: '{"cases":[{"name":"again","request":{},"expect":{"outcome":"DENY"}}]}',
      code: 2,
      stderr: "give this one another --name",
    },
  ])("appends nothing when $when", async ({ file, before, code, stderr }) => {
    const path = join(directory.path, file);
    if (before !== undefined) writeFileSync(path, before);
    const finished = await behest("case", "from", ids["denied"] ?? "", "--name", "again", "--append", path);
    expect(finished.stderr).toContain(stderr);
    expect(finished.code).toBe(code);
    expect(finished.stderr).not.toContain("nothing was started");
    if (before !== undefined) expect(readFileSync(path, "utf8")).toBe(before);
  });
});
