import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as wire from "../../src/gen/behest/v1/decision_pb.ts";
import { runServer, temporaryDirectory } from "../running-server.ts";
import {
  ACCEPTED,
  actionOf,
  addToken,
  bodyOf,
  decisionOf,
  type HostileServer,
  outcomeOf,
  type Refusal,
  requestOf,
  runHostileServer,
} from "./raw-calls.ts";

let server: HostileServer;
beforeAll(async () => {
  server = await runHostileServer();
});
afterAll(() => server.close());

const rowsOf = (agent: string) => server.rows(`SELECT count(*) AS n FROM decisions WHERE agent = '${agent}'`)[0]?.["n"];
const reused = (id: string): Refusal => ({
  code: "INVALID_ARGUMENT",
  message: `\`${id}\` named a request with other content; give each attempt an id of its own`,
  reason: "REQUEST_ID_REUSED",
  field: "request_id",
});

describe("the same request under the same id", () => {
  it("gets the recorded answer, marked, and leaves no second record", async () => {
    const request = requestOf({ requestId: "again", agent: { id: "repeater" } });
    const first = await server.decide(request);
    const second = await server.decide(request);
    expect(first.replayed).toBe(false);
    expect(second).toEqual({ ...first, replayed: true });
    expect(rowsOf("repeater")).toBe(1);
  });

  it.each<{ outcome: string; action: wire.Action }>([
    { outcome: "ALLOW", action: actionOf() },
    { outcome: "DENY", action: actionOf({ tool: "nobody/knows_this" }) },
    { outcome: "REQUIRE_APPROVAL", action: actionOf({ tool: "filesystem/create_directory" }) },
  ])("gets the same $outcome", async ({ outcome, action }) => {
    const request = requestOf({ requestId: `same-${outcome}`, agent: { id: "coding-assistant" }, action });
    const first = await server.decide(request);
    expect(outcomeOf(first)).toBe(outcome);
    expect(await server.decide(request)).toEqual({ ...first, replayed: true });
  });

  it("is one record when twenty are in flight", async () => {
    const request = requestOf({ requestId: "twenty", agent: { id: "impatient" } });
    const answers = await Promise.all(Array.from({ length: 20 }, () => server.decide(request)));
    expect(new Set(answers.map(({ decisionId }) => decisionId)).size).toBe(1);
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(rowsOf("impatient")).toBe(1);
  });

  it("is the same whether arguments come as text or as a Struct, in whatever order", async () => {
    const of = (argumentsForm: wire.Action["argumentsForm"]) => requestOf({ requestId: "two-forms", action: actionOf({ argumentsForm }) });
    const first = await server.decide(of({ case: "argumentsJson", value: '{"path":"/srv/a","head":1.0}' }));
    expect(await server.decide(of({ case: "arguments", value: { head: 1, path: "/srv/a" } }))).toEqual({ ...first, replayed: true });
  });

  it("is the same however long it waits for people", async () => {
    const first = await server.decide(requestOf({ requestId: "waits" }));
    expect(await server.decide(requestOf({ requestId: "waits", waitMs: 55_000 }))).toEqual({ ...first, replayed: true });
  });

  it("is the same with and without credentials", async () => {
    const of = (credential: string) => requestOf({ requestId: "credentials", agent: { id: "reader", credential } });
    const first = await server.decide(of("one"));
    expect(first.reasonCodes).toContain("CREDENTIAL_UNVERIFIABLE");
    for (const credential of ["another", ""]) expect(await server.decide(of(credential))).toEqual({ ...first, replayed: true });
  });
});

describe("another request under the same id", () => {
  const requestId = "content";
  const original = requestOf({ requestId });
  const hops = (id: string) => [
    { principal: { type: wire.PrincipalType.USER, id } },
    { principal: { type: wire.PrincipalType.AGENT, id: "reader" } },
  ];
  beforeAll(async () => {
    await server.decide(original);
  });
  it.each<{ differs: string; request: wire.DecideRequest }>([
    { differs: "agent", request: requestOf({ requestId, agent: { id: "reader2" } }) },
    { differs: "attributes of the agent", request: requestOf({ requestId, agent: { id: "reader", attributes: { a: 1 } } }) },
    { differs: "tool", request: requestOf({ requestId, action: actionOf({ tool: "filesystem/read_file" }) }) },
    { differs: "operation", request: requestOf({ requestId, action: actionOf({ operation: "tail" }) }) },
    { differs: "effect", request: requestOf({ requestId, action: actionOf({ effect: wire.Effect.READ }) }) },
    {
      differs: "arguments",
      request: requestOf({
        requestId,
        action: actionOf({ argumentsForm: { case: "argumentsJson", value: '{"path":"/srv/handbook.md","head":1}' } }),
      }),
    },
    { differs: "resource", request: requestOf({ requestId, action: actionOf({ resource: { type: "file", id: "x" } }) }) },
    {
      differs: "digest of the tool's definition",
      request: requestOf({ requestId, action: actionOf({ toolDefinitionDigest: `sha256:${"0".repeat(64)}` }) }),
    },
    { differs: "statement", request: requestOf({ requestId, task: { statement: "something else" } }) },
    { differs: "session", request: requestOf({ requestId, session: "s" }) },
    { differs: "delegation", request: requestOf({ requestId, delegation: hops("alice") }) },
    { differs: "classification", request: requestOf({ requestId, data: { classification: "internal" } }) },
    { differs: "categories", request: requestOf({ requestId, data: { categories: ["personal"] } }) },
    { differs: "environment", request: requestOf({ requestId, context: { environment: "test" } }) },
    { differs: "attributes of the context", request: requestOf({ requestId, context: { attributes: { a: 1 } } }) },
    { differs: "approval", request: requestOf({ requestId, approvalId: "a" }) },
    { differs: "supported obligations", request: requestOf({ requestId, supportedObligations: [wire.ObligationType.LOG] }) },
  ])("is refused when it differs in its $differs", async ({ request }) => {
    expect(await server.refusal(request)).toEqual(reused(requestId));
  });

  it("leaves the first answer as it was", async () => {
    expect(await server.decide(original)).toMatchObject({ replayed: true, outcome: wire.Outcome.ALLOW });
  });

  it("is refused when it differs only in a secret that no record shows", async () => {
    const of = (password: string) =>
      requestOf({ requestId: "secret", action: actionOf({ argumentsForm: { case: "arguments", value: { path: "/srv/a", password } } }) });
    await server.decide(of("hunter2"));
    expect(await server.refusal(of("hunter3"))).toEqual(reused("secret"));
    expect(await server.decide(of("hunter2"))).toMatchObject({ replayed: true });
  });
});

it("is an id of its caller alone: another may use it for something else", async () => {
  const mine = await server.decide(requestOf({ requestId: "ours" }));
  const theirs = await server.decideAsOther(requestOf({ requestId: "ours", agent: { id: "someone-else" } }));
  expect(theirs).toMatchObject({ replayed: false });
  expect(theirs.decisionId).not.toBe(mine.decisionId);
});

it("is an id of its tenant alone, though the caller's name be the same", async () => {
  const token = addToken(server.data, { id: "elsewhere", tenant: "elsewhere", caller: "local-enforcer", roles: ["enforcer"] });
  const body = toBinary(wire.DecideRequestSchema, requestOf({ requestId: "tenants" }));
  const here = await server.decide(requestOf({ requestId: "tenants" }));
  await expect.poll(async () => "body" in (await server.raw.call("Decide", body, `Bearer ${token}`)), { timeout: 5_000 }).toBe(true);
  const there = decisionOf(await server.raw.call("Decide", body, `Bearer ${token}`));
  expect(there.decisionId).not.toBe(here.decisionId);
  expect(there.taskId).not.toBe(here.taskId);
});

it("is not used up by a request that was refused", async () => {
  expect(await server.refusal(requestOf({ requestId: "refused", waitMs: 55_001 }))).toMatchObject({ code: "INVALID_ARGUMENT" });
  expect(await server.decide(requestOf({ requestId: "refused" }))).toMatchObject({ replayed: false });
});

it("is neither used up nor answered by an explanation", async () => {
  const explain = async (request: wire.DecideRequest) => {
    const body = toBinary(wire.ExplainRequestSchema, create(wire.ExplainRequestSchema, { request }));
    return fromBinary(wire.ExplainResponseSchema, bodyOf(await server.send("Explain", body))).decision;
  };
  const request = requestOf({ requestId: "explained" });
  expect(await explain(request)).toMatchObject({ replayed: false, recorded: false });
  expect(await server.decide(request)).toMatchObject({ replayed: false });
  expect(await explain(requestOf({ requestId: "explained", session: "other" }))).toMatchObject({ replayed: false, recorded: false });
});

it("outlives the server", async () => {
  const directory = temporaryDirectory();
  const request = requestOf({ requestId: "lasting" });
  const askOnce = async () => {
    const running = await runServer({ data: directory.path });
    try {
      return await running.client("enforcer").decide(request);
    } finally {
      await running.close();
    }
  };
  const first = await askOnce();
  expect(await askOnce()).toEqual({ ...first, replayed: true });
  directory.remove();
});

it("may be left out, and then nothing is ever the same", async () => {
  const [first, second] = [await server.decide(requestOf()), await server.decide(requestOf())];
  expect([first.replayed, second.replayed]).toEqual([false, false]);
  expect(second.decisionId).not.toBe(first.decisionId);
  expect(await server.refusal(requestOf())).toEqual(ACCEPTED);
});
