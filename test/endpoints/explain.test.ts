import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Role } from "../../src/core/request.ts";
import * as wire from "../../src/gen/behest/v1/decision_pb.ts";
import { actionOf, bodyOf, type HostileServer, malformed, type Reply, refusalOf, requestOf, runHostileServer, withJson } from "./raw-calls.ts";

const PER_MINUTE = 12;

let server: HostileServer;
beforeAll(async () => {
  server = await runHostileServer({ explains_per_minute: PER_MINUTE });
});
afterAll(() => server.close());

function send(role: Role, request: wire.DecideRequest | undefined, caller = ""): Promise<Reply> {
  const message = create(wire.ExplainRequestSchema, { ...(request && { request }), caller });
  return server.raw.call("Explain", toBinary(wire.ExplainRequestSchema, message), `Bearer ${server.token(role)}`);
}

async function explain(role: Role, request: wire.DecideRequest, caller?: string): Promise<wire.DecideResponse> {
  const { decision } = fromBinary(wire.ExplainResponseSchema, bodyOf(await send(role, request, caller)));
  if (!decision) throw new Error("an explanation without a decision");
  return decision;
}

/** What does not depend on when it was asked, and whether it was recorded and people were asked. */
const substance = ({ decisionId: _, taskId: __, decidedAt: ___, validUntil, recorded: ____, cache: _____, approval: ______, ...rest }: Decided) => ({
  ...rest,
  limited: validUntil !== undefined,
});

type Decided = wire.DecideResponse;

const TABLES = ["decisions", "events", "tasks", "tree_heads", "policies", "decision_cache"];
const rowCounts = () => TABLES.map((table) => server.rows(`SELECT count(*) AS n FROM ${table}`)[0]?.["n"]);

describe("an explanation", () => {
  const agent = { id: "coding-assistant" };
  it.each<{ says: string; request: wire.DecideRequest }>([
    { says: "an ALLOW", request: requestOf({ agent, session: "1" }) },
    { says: "a DENY", request: requestOf({ agent, session: "2", action: actionOf({ tool: "nobody/knows_this" }) }) },
    { says: "a question to people", request: requestOf({ agent, session: "3", action: actionOf({ tool: "filesystem/create_directory" }) }) },
    { says: "a credential", request: requestOf({ agent: { ...agent, credential: "secret" }, session: "4" }) },
    { says: "a task of nobody's", request: requestOf({ agent, task: { id: "none-such" } }) },
  ])("of $says is what Decide then answers, and leaves no trace", async ({ request }) => {
    const before = rowCounts();
    const explained = await explain("enforcer", request);
    expect({ decisionId: explained.decisionId, recorded: explained.recorded, replayed: explained.replayed, taskId: explained.taskId }).toEqual({
      decisionId: "",
      recorded: false,
      replayed: false,
      taskId: "",
    });
    expect(rowCounts()).toEqual(before);
    const decided = await server.decide(request);
    expect(substance(explained)).toEqual(substance(decided));
    expect(decided.recorded).toBe(true);
    expect({ explained: explained.approval, decided: decided.approval !== undefined }).toEqual({
      explained: undefined,
      decided: decided.outcome === wire.Outcome.REQUIRE_APPROVAL,
    });
  });

  it("opens no task: the next decision opens it, and later explanations name it", async () => {
    const request = requestOf({ agent: { id: "newcomer" } });
    await explain("enforcer", request);
    expect(server.rows("SELECT count(*) AS n FROM tasks WHERE agent = 'newcomer'")).toEqual([{ n: 0 }]);
    const { taskId } = await server.decide(request);
    expect((await explain("enforcer", request)).taskId).toBe(taskId);
  });

  it("makes a task see nothing", async () => {
    const agent = { id: "explorer" };
    const memory = actionOf({ tool: "memory/create_entities", argumentsForm: { case: "argumentsJson", value: '{"entities":[]}' } });
    await explain("enforcer", requestOf({ agent }));
    const { findings } = await server.decide(requestOf({ agent, action: memory }));
    expect(findings.map(({ rule }) => rule)).not.toContain("untrusted-content-comes-before-memory");
  });

  it("leaves no trace in the decision cache either, with whatever is written next", async () => {
    const request = requestOf({ agent: { id: "cached" }, data: { categories: ["only-here"] } });
    const { decisionId, cache } = await server.decide(request);
    expect(cache?.hit).toBe(false);
    expect((await explain("enforcer", request)).cache).toMatchObject({ hit: true, repeats: decisionId });
    await server.decideAsOther();
    expect(server.rows(`SELECT count(*) AS n FROM decision_cache WHERE decision_id = '${decisionId}'`)).toEqual([{ n: 0 }]);
  });

  it("is refused where Decide would be", async () => {
    expect(refusalOf(await send("auditor", undefined))).toEqual(malformed("`request` is missing", "request"));
    expect(refusalOf(await send("auditor", withJson("[]")))).toEqual(
      malformed("`action.arguments_json` is not a JSON object", "action.arguments_json"),
    );
  });
});

describe("asking as another caller", () => {
  it.each<Role>(["auditor", "operator"])("is for an %s, who then sees that caller's task", async (role) => {
    const request = requestOf({ agent: { id: `seen-by-${role}` } });
    const { taskId } = await server.decide(request);
    expect((await explain(role, request, "local-enforcer")).taskId).toBe(taskId);
    expect((await explain(role, request)).taskId).toBe("");
    expect((await explain(role, request, "other-enforcer")).taskId).toBe("");
  });

  it("shows whether that caller may ask for the agent at all", async () => {
    const request = requestOf({ agent: { id: "payments-bot" }, action: { tool: "get_balance" } });
    expect((await explain("auditor", request, "local-enforcer")).reasonCodes).toContain("CALLER_NOT_ENTITLED");
    expect((await explain("auditor", request, "payments-gateway")).reasonCodes).not.toContain("CALLER_NOT_ENTITLED");
  });

  it("is not for an enforcer, unless it is the caller itself", async () => {
    const request = requestOf({ agent: { id: "curious" } });
    expect(refusalOf(await send("enforcer", request, "other-enforcer"))).toEqual({
      code: "PERMISSION_DENIED",
      message: "only auditors and operators may ask as another caller",
      reason: "CALLER_FORBIDDEN",
      field: "caller",
    });
    expect((await explain("enforcer", request, "local-enforcer")).outcome).toBe(wire.Outcome.ALLOW);
  });
});

describe("how often an enforcer may ask", () => {
  const asks = (id: string) => send("enforcer", requestOf({ agent: { id } }));

  it(`is ${PER_MINUTE} times a minute for one agent; other agents, other callers and auditors go on`, async () => {
    for (let used = 0; used < PER_MINUTE; used++) await explain("enforcer", requestOf({ agent: { id: "insistent" } }));
    expect(refusalOf(await asks("insistent"))).toEqual({
      code: "RESOURCE_EXHAUSTED",
      message: `at most ${PER_MINUTE} explanations a minute for one caller and agent`,
      reason: "RATE_LIMITED",
      limit: "explains_per_minute",
      retryAfterS: 60,
    });
    expect(await asks("patient")).toHaveProperty("body");
    const message = create(wire.ExplainRequestSchema, { request: requestOf({ agent: { id: "insistent" } }) });
    expect(await server.raw.call("Explain", toBinary(wire.ExplainRequestSchema, message), `Bearer ${server.otherToken}`)).toHaveProperty("body");
    await explain("auditor", requestOf({ agent: { id: "insistent" } }));
  });

  it("does not limit decisions", async () => {
    expect((await server.decide(requestOf({ agent: { id: "insistent" } }))).recorded).toBe(true);
  });
});

describe("what a decision came from", () => {
  const agent = { id: "coding-assistant" };
  const request = requestOf({ agent, action: actionOf({ tool: "filesystem/create_directory" }) });
  const whole = async (role: Role, everyRule = false): Promise<Reply> => {
    const message = create(wire.ExplainRequestSchema, { request, everyRule });
    return server.raw.call("Explain", toBinary(wire.ExplainRequestSchema, message), `Bearer ${server.token(role)}`);
  };
  const explanationOf = async (role: Role, everyRule?: boolean) =>
    fromBinary(wire.ExplainResponseSchema, bodyOf(await whole(role, everyRule))).explanation;

  it.each<Role>(["auditor", "operator"])("is told to an %s: rules, facts, the score and what would flip it", async (role) => {
    const explanation = await explanationOf(role);
    const [first] = explanation?.rules ?? [];
    expect(explanation?.score).toMatchObject({ middle: 40, top: 80, level: wire.RiskLevel.LOW });
    expect(explanation?.rules.length).toBeGreaterThan(0);
    expect(first?.decided.length).toBeGreaterThan(0);
    expect(first?.reads).toEqual(expect.arrayContaining(first?.decided.map(({ fact }) => fact) ?? []));
    expect(explanation?.facts.map(({ name }) => name)).toEqual(expect.arrayContaining(first?.reads ?? []));
    expect(explanation?.flips.map(({ outcome }) => outcome)).toContain(wire.Outcome.ALLOW);
  });

  it("is not told to an enforcer, who might be an attacker's", async () => {
    expect(await explanationOf("enforcer")).toBeUndefined();
    const reply = await whole("enforcer", true);
    expect(refusalOf(reply)).toMatchObject({ code: "PERMISSION_DENIED", message: "only auditors and operators may have every rule explained" });
  });

  it("holds every rule when asked", async () => {
    const [some, every] = [await explanationOf("auditor"), await explanationOf("auditor", true)];
    expect(every?.rules.length).toBe(50);
    const silent = every?.rules.filter(({ result }) => result === wire.FindingResult.UNSPECIFIED);
    expect((some?.rules.length ?? 0) + (silent?.length ?? 0)).toBe(50);
    for (const { decided } of silent ?? []) expect(decided.every(({ truth }) => truth === wire.Truth.FALSE)).toBe(true);
  });
});
