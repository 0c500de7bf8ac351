import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import Sqlite from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readRequestJson } from "../../src/client/request-json.ts";
import type { DecideResponse } from "../../src/gen/behest/v1/decision_pb.ts";
import * as wire from "../../src/gen/behest/v1/decision_pb.ts";
import { FULL_REACH, filesOf } from "../policies.ts";
import { type RunningServer, runServer, temporaryDirectory } from "../running-server.ts";

const rule = (name: string, obligation: object, tool = "crm/read") => ({
  name,
  conditions: { all: [{ fact: "action.tool", operator: "equal", value: tool }] },
  event: { type: "oblige", params: { reason: `${name}, always`, controls: ["nist:MEASURE-2.10"], obligation } },
});

const many = (word: string) => ({ type: "redact", paths: Array.from({ length: 200 }, (_, number) => `$.${word}${number}`) });
const reads = { effect: "read", reversibility: "reversible", output: { trust: "trusted" } };
const FILES = filesOf({
  settings: { reach: { default: FULL_REACH } },
  tools: { "crm/read": reads, "crm/export": { ...reads, effect: "send" }, "crm/merge": reads },
  rules: [
    rule("names-are-hidden", { type: "redact", paths: ["$.name"] }),
    rule("numbers-are-hidden", { type: "redact", paths: ["$.ssn", "$.name"] }),
    rule("few-rows", { type: "limit_rows", rows_max: 10 }),
    rule("fewer-rows", { type: "limit_rows", rows_max: 5 }),
    rule("a-line-is-logged", { type: "log", level: "info" }),
    rule("it-is-shouted", { type: "log", level: "error" }),
    rule("privacy-is-told", { type: "notify", recipients: ["group:privacy"] }),
    rule("an-export-is-logged", { type: "log", level: "warn" }, "crm/export"),
    rule("hides-one-half", many("a"), "crm/merge"),
    rule("hides-the-other", many("b"), "crm/merge"),
  ],
});

const directory = temporaryDirectory();
let server: RunningServer;
beforeAll(async () => {
  for (const [name, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(directory.path, name)), { recursive: true });
    writeFileSync(join(directory.path, name), text);
  }
  server = await runServer({ rules: directory.path });
});
afterAll(async () => {
  await server.close();
  directory.remove();
});

const decide = (tool: string, supported: readonly string[]): Promise<DecideResponse> =>
  server.client("enforcer").decide(readRequestJson({ agent: { id: "bot" }, action: { tool }, supported_obligations: [...supported] }));

const ALL = ["redact", "limit_rows", "log", "notify"];

const merged = [
  { type: wire.ObligationType.REDACT, paths: ["$.name", "$.ssn"], rowsMax: 0, level: "", recipients: [] },
  { type: wire.ObligationType.LIMIT_ROWS, paths: [], rowsMax: 5, level: "", recipients: [] },
  { type: wire.ObligationType.LOG, paths: [], rowsMax: 0, level: "error", recipients: [] },
  { type: wire.ObligationType.NOTIFY, paths: [], rowsMax: 0, level: "", recipients: ["group:privacy"] },
];

describe("obligations", () => {
  it("come along with an ALLOW, one of each type, the strictest of all that are stated", async () => {
    const { outcome, obligations, findings } = await decide("crm/read", ALL);
    expect(outcome).toBe(wire.Outcome.ALLOW);
    expect(obligations).toMatchObject(merged);
    expect(findings.filter(({ event }) => event === wire.RuleEvent.OBLIGE)).toHaveLength(7);
  });

  it.each(ALL)("deny where the enforcement point cannot fulfil one of them: %s", async (missing) => {
    const { outcome, obligations, reasonCodes, basis, findings } = await decide(
      "crm/read",
      ALL.filter((type) => type !== missing),
    );
    expect({ outcome, obligations, reasonCodes, basis }).toEqual({
      outcome: wire.Outcome.DENY,
      obligations: [],
      reasonCodes: ["OBLIGATION_UNSUPPORTED"],
      basis: wire.Basis.NONE,
    });
    expect(findings[0]).toMatchObject({
      rule: "behest:obligation-unsupported",
      reason: `the rules oblige to \`${missing}\`, which the request does not list as supported`,
    });
  });

  it("deny, and ask nobody, where a question would otherwise go to people", async () => {
    expect((await decide("crm/export", [])).reasonCodes).toEqual(["OBLIGATION_UNSUPPORTED"]);
    const asked = await decide("crm/export", ["log"]);
    expect(asked.outcome).toBe(wire.Outcome.REQUIRE_APPROVAL);
    expect(asked.obligations).toMatchObject([{ type: wire.ObligationType.LOG, level: "warn" }]);
  });

  it("deny when together they are more than one enforcement point is held to", async () => {
    const { outcome, reasonCodes } = await decide("crm/merge", ALL);
    expect({ outcome, reasonCodes }).toEqual({ outcome: wire.Outcome.DENY, reasonCodes: ["OBLIGATION_CONFLICT"] });
  });

  it("stand in the record, and in the view of findings", async () => {
    const { decisionId } = await decide("crm/read", ALL);
    const db = new Sqlite(join(server.data, "behest.db"), { readonly: true });
    const row = db
      .prepare<[string], { obligations: string }>("SELECT record -> '$.judgement.obligations' AS obligations FROM decisions WHERE decision_id = ?")
      .get(decisionId);
    const rules = db
      .prepare<[string], { rule: string }>("SELECT rule FROM findings WHERE decision_id = ? AND event = 'oblige' ORDER BY position")
      .all(decisionId);
    db.close();
    expect(JSON.parse(row?.obligations ?? "null")).toEqual([
      { type: "redact", paths: ["$.name", "$.ssn"] },
      { type: "limit_rows", rowsMax: 5 },
      { type: "log", level: "error" },
      { type: "notify", recipients: ["group:privacy"] },
    ]);
    expect(rules.map(({ rule }) => rule)).toContain("privacy-is-told");
  });

  it("are the same from the cache and replayed from a record", async () => {
    const first = await decide("crm/read", ALL);
    const again = await decide("crm/read", ALL);
    expect(again.cache?.hit).toBe(true);
    expect(again.obligations).toEqual(first.obligations);
    const request = readRequestJson({ request_id: "once", agent: { id: "bot" }, action: { tool: "crm/read" }, supported_obligations: ALL });
    const [decided, replayed] = [await server.client("enforcer").decide(request), await server.client("enforcer").decide(request)];
    expect(replayed.replayed).toBe(true);
    expect(replayed.obligations).toEqual(decided.obligations);
  });
});
