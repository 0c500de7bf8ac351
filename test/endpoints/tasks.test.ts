import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as wire from "../../src/gen/behest/v1/decision_pb.ts";
import { type HostileServer, outcomeOf, requestOf, runHostileServer } from "./raw-calls.ts";

let server: HostileServer;
beforeAll(async () => {
  server = await runHostileServer();
});
afterAll(() => server.close());

const behestOf = (person: string, agent: string) => [
  { principal: { type: wire.PrincipalType.USER, id: person } },
  { principal: { type: wire.PrincipalType.AGENT, id: agent } },
];

describe("a request that names no task", () => {
  const agent = { id: "worker" };
  it("joins the open one of its agent, and says which", async () => {
    const { taskId } = await server.decide(requestOf({ agent }));
    expect(taskId).toMatch(/^[0-9a-f-]{36}$/);
    expect((await server.decide(requestOf({ agent }))).taskId).toBe(taskId);
    expect(server.rows("SELECT kind, state, agent, principal, session FROM tasks WHERE agent = 'worker'")).toEqual([
      { kind: "self_asserted", state: "open", agent: "worker", principal: "none", session: "none" },
    ]);
  });

  it.each<{ parts: string; one: wire.DecideRequest; other: wire.DecideRequest }>([
    { parts: "sessions", one: requestOf({ agent, session: "a" }), other: requestOf({ agent, session: "b" }) },
    { parts: "agents", one: requestOf({ agent }), other: requestOf({ agent: { id: "worker2" } }) },
    {
      parts: "people",
      one: requestOf({ agent, delegation: behestOf("alice", "worker") }),
      other: requestOf({ agent, delegation: behestOf("bob", "worker") }),
    },
    { parts: "a person from nobody", one: requestOf({ agent, delegation: behestOf("alice", "worker") }), other: requestOf({ agent }) },
  ])("is kept apart from that of other $parts", async ({ one, other }) => {
    const [first, second] = [await server.decide(one), await server.decide(other)];
    expect(second.taskId).not.toBe(first.taskId);
    expect((await server.decide(one)).taskId).toBe(first.taskId);
  });

  it("is kept apart from that of another caller", async () => {
    const request = requestOf({ agent });
    expect((await server.decideAsOther(request)).taskId).not.toBe((await server.decide(request)).taskId);
  });

  it("is one task, though fifty begin it at once", async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => server.decide(requestOf({ agent: { id: "hasty" } }))));
    expect(new Set(answers.map(({ taskId }) => taskId)).size).toBe(1);
    expect(server.rows("SELECT count(*) AS n FROM tasks WHERE agent = 'hasty'")).toEqual([{ n: 1 }]);
  });
});

describe("a request that names its task", () => {
  it("goes on in it, whatever its session", async () => {
    const agent = { id: "resumer" };
    const { taskId } = await server.decide(requestOf({ agent, session: "morning" }));
    const later = await server.decide(requestOf({ agent, session: "evening", task: { id: taskId } }));
    expect({ taskId: later.taskId, outcome: outcomeOf(later) }).toEqual({ taskId, outcome: "ALLOW" });
  });

  it.each<{ says: string; request: (taskId: string) => wire.DecideRequest; code: string }>([
    { says: "of another agent", request: (id) => requestOf({ agent: { id: "thief" }, task: { id } }), code: "CHAIN_MISMATCH" },
    {
      says: "of another person",
      request: (id) => requestOf({ agent: { id: "owner" }, task: { id }, delegation: behestOf("mallory", "owner") }),
      code: "CHAIN_MISMATCH",
    },
    {
      says: "of nobody's",
      request: () => requestOf({ agent: { id: "owner" }, task: { id: "01999d5c-2f10-7b7e-a6c3-1b0a4a5e9f21" } }),
      code: "TASK_UNKNOWN",
    },
    { says: "in another spelling", request: (id) => requestOf({ agent: { id: "owner" }, task: { id: id.toUpperCase() } }), code: "TASK_UNKNOWN" },
    {
      says: "that looks like a part of SQL",
      request: (id) => requestOf({ agent: { id: "owner" }, task: { id: `${id}' OR '1'='1` } }),
      code: "TASK_UNKNOWN",
    },
  ])("is denied one $says, and is not told its id", async ({ request, code }) => {
    const { taskId } = await server.decide(requestOf({ agent: { id: "owner" }, delegation: behestOf("alice", "owner") }));
    const answer = await server.decide(request(taskId));
    expect({ outcome: outcomeOf(answer), taskId: answer.taskId }).toEqual({ outcome: "DENY", taskId: "" });
    expect(answer.reasonCodes).toContain(code);
  });

  it("is denied one of another caller as if there were none", async () => {
    const agent = { id: "shared" };
    const { taskId } = await server.decide(requestOf({ agent }));
    const answer = await server.decideAsOther(requestOf({ agent, task: { id: taskId } }));
    expect({ outcome: outcomeOf(answer), codes: answer.reasonCodes, taskId: answer.taskId }).toEqual({
      outcome: "DENY",
      codes: expect.arrayContaining(["TASK_UNKNOWN"]),
      taskId: "",
    });
  });
});

it("keeps the first statement of a task, once in each record, and records another that was made", async () => {
  const agent = { id: "storyteller" };
  const first = await server.decide(requestOf({ agent, task: { statement: "Read the handbook" } }));
  const second = await server.decide(requestOf({ agent, task: { statement: "Pay everybody" } }));
  expect(second.taskId).toBe(first.taskId);
  expect(server.rows("SELECT statement FROM tasks WHERE agent = 'storyteller'")).toEqual([{ statement: "Read the handbook" }]);
  const standing = "record ->> '$.subject.task.statement' AS statement, record ->> '$.subject.task.restated' AS restated";
  const said = "record ->> '$.subject.request.task.statement' AS said";
  expect(server.rows(`SELECT ${said}, ${standing} FROM decisions WHERE agent = 'storyteller' ORDER BY seq`)).toEqual([
    { said: null, statement: "Read the handbook", restated: 0 },
    { said: "Pay everybody", statement: "Read the handbook", restated: 1 },
  ]);
});

describe("a chain", () => {
  it.each<{ says: string; delegation: ReturnType<typeof behestOf> }>([
    { says: "ends with another agent", delegation: behestOf("alice", "somebody-else") },
    { says: "ends with a person", delegation: behestOf("alice", "linked").slice(0, 1) },
    { says: "has a person in its middle", delegation: [...behestOf("alice", "linked").slice(0, 1), ...behestOf("bob", "linked")] },
  ])("that $says is broken", async ({ delegation }) => {
    const answer = await server.decide(requestOf({ agent: { id: "linked" }, delegation }));
    expect(outcomeOf(answer)).toBe("DENY");
    expect(answer.reasonCodes).toContain("CHAIN_BROKEN");
  });
});
