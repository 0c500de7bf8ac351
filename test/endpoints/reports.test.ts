import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { BehestClient } from "../../src/client/client.ts";
import * as wire from "../../src/gen/behest/v1/decision_pb.ts";
import {
  ACCEPTED,
  actionOf,
  type HostileServer,
  malformed,
  outcomeOf,
  type Refusal,
  refusalOf,
  requestOf,
  runHostileServer,
  tooBig,
} from "./raw-calls.ts";

const { ReportStatus, Trust } = wire;

let server: HostileServer;
let enforcer: BehestClient;
beforeAll(async () => {
  server = await runHostileServer();
  enforcer = server.client("enforcer");
});
afterEach(async () => {
  expect(outcomeOf(await server.decideAsOther())).toBe("ALLOW");
});
afterAll(() => server.close());

type Report = Exclude<MessageInitShape<typeof wire.ReportOutcomeRequestSchema>, wire.ReportOutcomeRequest>;

const encoded = (fields: Report): Uint8Array => toBinary(wire.ReportOutcomeRequestSchema, create(wire.ReportOutcomeRequestSchema, fields));
const refusalOfReport = async (fields: Report): Promise<Refusal> => refusalOf(await server.send("ReportOutcome", encoded(fields)));
const allowed = () => server.decide(requestOf());
const denied = () => server.decide(requestOf({ action: actionOf({ tool: "send_email" }) }));
const executed = (decisionId: string, fields: Report = {}): Report => ({ decisionId, status: ReportStatus.EXECUTED, ...fields });
const CONFLICT = { code: "ALREADY_EXISTS", reason: "REPORT_CONFLICT", field: "decision_id" };

describe("a report", () => {
  it("is recorded once, and answered again when it is repeated", async () => {
    const { decisionId } = await allowed();
    const report = executed(decisionId, {
      resultForm: { case: "result", value: { rows: [1, 2], next: null } },
      labels: { categories: ["personal"] },
    });
    const first = await enforcer.reportOutcome(report);
    expect(first).toMatchObject({ mutated: false, enforcementBypassed: false, late: false, repeated: false, givenBack: false });
    // The order of a Struct's keys says nothing.
    const again: Report = { ...report, resultForm: { case: "result", value: { next: null, rows: [1, 2] } } };
    expect(await enforcer.reportOutcome(again)).toEqual({ ...first, repeated: true });
    expect(server.rows(`SELECT report_id FROM reports WHERE decision_id = '${decisionId}'`)).toEqual([{ report_id: first.reportId }]);
  });

  it.each<{ says: string; fields: Report }>([
    { says: "another status", fields: { status: ReportStatus.FAILED } },
    { says: "another result", fields: { resultForm: { case: "resultText", value: "no" } } },
    { says: "the result as cut", fields: { truncated: true } },
    { says: "other labels", fields: { labels: { trust: Trust.UNTRUSTED } } },
    { says: "that it took effect, which was not said", fields: { tookEffect: true } },
  ])("is not taken with $says after the first", async ({ fields }) => {
    const { decisionId } = await allowed();
    const report = executed(decisionId, { resultForm: { case: "resultText", value: "yes" } });
    await enforcer.reportOutcome(report);
    expect(await refusalOfReport({ ...report, ...fields })).toMatchObject(CONFLICT);
    expect(await enforcer.reportOutcome(report)).toMatchObject({ repeated: true });
  });

  it("is made once by two that come together", async () => {
    const { decisionId } = await allowed();
    const replies = await Promise.all([ReportStatus.EXECUTED, ReportStatus.FAILED].map((status) => refusalOfReport({ decisionId, status })));
    expect(replies.map(({ code }) => code).sort()).toEqual(["ALREADY_EXISTS", "OK"]);
  });

  it("is the caller's that got the decision, whoever else asks is told that there is none", async () => {
    const { decisionId } = await allowed();
    const reply = await server.raw.call("ReportOutcome", encoded(executed(decisionId)), `Bearer ${server.otherToken}`);
    expect(refusalOf(reply)).toEqual({
      code: "NOT_FOUND",
      message: `\`other-enforcer\` got no decision \`${decisionId}\`; a decision is reported by the caller that asked for it, under its whole id`,
      reason: "DECISION_UNKNOWN",
      field: "decision_id",
    });
    expect(await refusalOfReport(executed("nope"))).toMatchObject({ code: "NOT_FOUND", reason: "DECISION_UNKNOWN" });
  });

  it("says that it ran with other arguments", async () => {
    const digest = `sha256:${"0".repeat(64)}`;
    const [one, other] = [await allowed(), await allowed()];
    expect(await enforcer.reportOutcome(executed(one.decisionId, { argumentsDigest: one.argumentsDigest }))).toMatchObject({ mutated: false });
    expect(await enforcer.reportOutcome(executed(other.decisionId, { argumentsDigest: digest }))).toMatchObject({ mutated: true });
  });

  it.each<{ says: string; fields: Report; bypassed: boolean }>([
    { says: "executed", fields: { status: ReportStatus.EXECUTED }, bypassed: true },
    { says: "failed, and perhaps did something", fields: { status: ReportStatus.FAILED }, bypassed: true },
    { says: "failed, and did nothing", fields: { status: ReportStatus.FAILED, tookEffect: false }, bypassed: false },
    { says: "blocked", fields: { status: ReportStatus.BLOCKED }, bypassed: false },
    { says: "abandoned", fields: { status: ReportStatus.ABANDONED }, bypassed: false },
  ])("of what was not allowed and is $says: bypassed is $bypassed, and a warning in the log", async ({ fields, bypassed }) => {
    const { decisionId, outcome } = await denied();
    expect(outcome).not.toBe(wire.Outcome.ALLOW);
    const { enforcementBypassed } = await enforcer.reportOutcome({ decisionId, ...fields });
    expect(enforcementBypassed).toBe(bypassed);
    const line = JSON.parse(server.log.find((text) => text.includes('"reportId"') && text.includes(decisionId)) ?? "{}");
    expect(line).toMatchObject(bypassed ? { level: 40, enforcementBypassed: true } : { level: 30, msg: "reported" });
  });

  it("raises what later decisions see", async () => {
    const agent = { id: "nosy" };
    const first = await server.decide(requestOf({ agent }));
    const labels = { classification: "restricted", categories: ["health"], trust: Trust.UNTRUSTED };
    await enforcer.reportOutcome(executed(first.decisionId, { labels }));
    await server.decide(requestOf({ agent }));
    const [row] = server.rows(`SELECT record FROM decisions WHERE agent = 'nosy' ORDER BY seq DESC LIMIT 1`);
    const { seen } = JSON.parse(String(row?.["record"])).subject.task;
    expect(seen).toMatchObject({ classifications: expect.arrayContaining(["restricted"]), categories: ["health"], trust: "untrusted" });
  });

  it("of what did not happen gives back what a task's budget lost, once", async () => {
    const { task } = await server.client("initiator").openTask({
      statement: "read one file",
      agentId: "reader",
      principal: { type: wire.PrincipalType.USER, id: "alice" },
      scope: { maxCalls: [{ effect: wire.Effect.READ, calls: 1n }] },
    });
    const inTask = () => server.decide(requestOf({ task: { id: task?.taskId ?? "" } }));
    const { decisionId } = await inTask();
    expect((await inTask()).reasonCodes).toEqual(["BUDGET_SPENT"]);
    const report = { decisionId, status: ReportStatus.BLOCKED };
    expect(await enforcer.reportOutcome(report)).toMatchObject({ givenBack: true, repeated: false });
    expect(await enforcer.reportOutcome(report)).toMatchObject({ givenBack: true, repeated: true });
    expect(outcomeOf(await inTask())).toBe("ALLOW");
    expect((await inTask()).reasonCodes).toEqual(["BUDGET_SPENT"]);
  });

  it("is not kept with what the tool returned", async () => {
    const { decisionId } = await allowed();
    await enforcer.reportOutcome(executed(decisionId, { resultForm: { case: "resultText", value: "the-very-secret" } }));
    const rows = server.rows(`SELECT * FROM reports WHERE decision_id = '${decisionId}'`);
    expect(rows.length).toBe(1);
    expect(JSON.stringify(rows) + server.log.join()).not.toContain("the-very-secret");
  });
});

describe("a report is refused", () => {
  const categories = (count: number): string[] => Array.from({ length: count }, (_, at) => `c${at}`);
  const nested = (levels: number) => JSON.parse(`${'{"a":'.repeat(levels - 1)}{}${"}".repeat(levels - 1)}`);

  it.each<{ says: string; fields: Report; refusal: Partial<Refusal> }>([
    { says: "without a decision", fields: { decisionId: "" }, refusal: malformed("`decision_id` is missing or empty", "decision_id") },
    {
      says: "without a status",
      fields: { status: 0 },
      refusal: malformed("`status` is `0`: write EXECUTED, FAILED, BLOCKED or ABANDONED", "status"),
    },
    {
      says: "with a status that is none",
      fields: { status: 9 as wire.ReportStatus },
      refusal: malformed("`status` is `9`: write EXECUTED, FAILED, BLOCKED or ABANDONED", "status"),
    },
    { says: "executed without effect", fields: { tookEffect: false }, refusal: { code: "INVALID_ARGUMENT", field: "took_effect" } },
    {
      says: "blocked with effect",
      fields: { status: ReportStatus.BLOCKED, tookEffect: true },
      refusal: { code: "INVALID_ARGUMENT", field: "took_effect" },
    },
    {
      says: "with a digest that is none",
      fields: { argumentsDigest: "sha256:AA" },
      refusal: malformed("`arguments_digest` is not `sha256:` and 64 hexadecimal digits", "arguments_digest"),
    },
    {
      says: "with a trust that is none",
      fields: { labels: { trust: 7 as wire.Trust } },
      refusal: malformed("`labels.trust` is `7`: write TRUSTED or UNTRUSTED", "labels.trust"),
    },
    {
      says: "with an empty category",
      fields: { labels: { categories: [""] } },
      refusal: malformed("`labels.categories[0]` is missing or empty", "labels.categories[0]"),
    },
    {
      says: "with 33 categories",
      fields: { labels: { categories: categories(33) } },
      refusal: tooBig("categories", "`labels.categories` names more than 32 categories", "labels.categories"),
    },
    {
      says: "with a result that nests too deeply",
      fields: { resultForm: { case: "result", value: nested(33) } },
      refusal: tooBig("nesting", "`result` nests deeper than 32 levels", "result"),
    },
    {
      says: "above a MiB",
      fields: { resultForm: { case: "resultText", value: "x".repeat(1_024 * 1_024) } },
      refusal: { code: "RESOURCE_EXHAUSTED", reason: "REQUEST_TOO_BIG", limit: "report_bytes" },
    },
  ])("$says, and another can be made", async ({ fields, refusal }) => {
    const { decisionId } = await allowed();
    expect(await refusalOfReport(executed(decisionId, fields))).toMatchObject(refusal);
    expect(await refusalOfReport(executed(decisionId))).toEqual(ACCEPTED);
  });

  it.each<{ says: string; fields: Report }>([
    { says: "almost a MiB", fields: { resultForm: { case: "resultText", value: "x".repeat(1_024 * 1_024 - 100) } } },
    {
      says: "more keys than arguments may have",
      fields: { resultForm: { case: "result", value: Object.fromEntries(categories(2_000).map((key) => [key, 1])) } },
    },
    { says: "32 categories", fields: { labels: { categories: categories(32) } } },
  ])("no sooner: $says is taken", async ({ fields }) => {
    expect(await refusalOfReport(executed((await allowed()).decisionId, fields))).toEqual(ACCEPTED);
  });
});
