import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { type BehestClient, type CallFailed, createClient } from "../../src/client/client.ts";
import type { Role } from "../../src/core/request.ts";
import { Effect, PrincipalType } from "../../src/gen/behest/v1/decision_pb.ts";
import * as wire from "../../src/gen/behest/v1/task_pb.ts";
import {
  ACCEPTED,
  addToken,
  type HostileServer,
  malformed,
  outcomeOf,
  type Refusal,
  refusalOf,
  requestOf,
  runHostileServer,
  tooBig,
} from "./raw-calls.ts";

const HOUR_MS = 3_600_000;

let server: HostileServer;
let initiator: BehestClient;
let auditor: BehestClient;
let operator: BehestClient;
let elsewhere: BehestClient;
let restricted: string;
beforeAll(async () => {
  server = await runHostileServer();
  initiator = server.client("initiator");
  auditor = server.client("auditor");
  operator = server.client("operator");
  const roles: readonly Role[] = ["initiator", "enforcer", "auditor", "operator"];
  const token = addToken(server.data, { id: "elsewhere", caller: "elsewhere", roles, tenant: "elsewhere" });
  restricted = addToken(server.data, { id: "portal", caller: "portal", roles: ["initiator"], agents: ["reader", "helper-*"] });
  elsewhere = createClient({ address: server.address, token, timeoutMs: 20_000 });
  // The server looks twice a second for tokens that were added.
  await vi.waitFor(() => elsewhere.listTasks(), { timeout: 5_000 });
});
afterEach(async () => {
  expect(outcomeOf(await server.decideAsOther())).toBe("ALLOW");
});
afterAll(async () => {
  elsewhere.close();
  await server.close();
});

type Open = Exclude<MessageInitShape<typeof wire.OpenTaskRequestSchema>, wire.OpenTaskRequest>;
type Delegate = Exclude<MessageInitShape<typeof wire.DelegateTaskRequestSchema>, wire.DelegateTaskRequest>;
type ScopeInit = Open["scope"];

const ALICE = { type: PrincipalType.USER, id: "alice" };
const openOf = (fields: Open = {}): Open => ({ statement: "read the handbook", agentId: "reader", principal: ALICE, ...fields });

async function openTask(fields: Open = {}): Promise<wire.Task> {
  const { task } = await initiator.openTask(openOf(fields));
  if (!task) throw new Error("no task was opened");
  return task;
}

async function refusalTo<T extends DescMessage>(
  method: string,
  [schema, init]: [T, MessageInitShape<T>],
  token = server.token("initiator"),
): Promise<Refusal> {
  return refusalOf(await server.raw.call(method, toBinary(schema, create(schema, init)), `Bearer ${token}`));
}

const refusalOfOpen = (fields: Open, token?: string): Promise<Refusal> => refusalTo("OpenTask", [wire.OpenTaskRequestSchema, openOf(fields)], token);
const refusalOfDelegate = (fields: Delegate, token?: string): Promise<Refusal> =>
  refusalTo("DelegateTask", [wire.DelegateTaskRequestSchema, fields], token);

const reads = (taskId: string, fields: { readonly requestId?: string; readonly agentId?: string } = {}) =>
  requestOf({
    task: { id: taskId },
    agent: { id: fields.agentId ?? "reader" },
    ...(fields.requestId !== undefined && { requestId: fields.requestId }),
  });

describe("OpenTask", () => {
  it("answers the task as GetTask and ListTasks do, with all that was said of it", async () => {
    const expiresAt = timestampFromMs(Date.now() + HOUR_MS);
    const task = await openTask({
      statement: "pay the October invoices",
      statementExpiresAt: timestampFromMs(Date.now() + HOUR_MS / 2),
      principal: { type: PrincipalType.SERVICE, id: "billing", attributes: { team: "finance" } },
      agentId: "all-told",
      scope: {
        tools: ["filesystem/*", "send_money"],
        effects: [Effect.PAY, Effect.READ],
        resources: ["file:/srv/**"],
        maxClassification: "confidential",
        maxCalls: [{ effect: Effect.PAY, calls: 3n }],
        maxAmounts: [
          { currency: "USD", amountMinor: 0n },
          { currency: "EUR", amountMinor: 50_000n },
        ],
        delegates: ["payer"],
        maxDepth: 2n,
      },
      expiresAt,
    });
    expect(task).toMatchObject({
      rootTaskId: task.taskId,
      parentTaskId: "",
      depth: 0,
      principal: { type: PrincipalType.SERVICE, id: "billing", attributes: { team: "finance" } },
      agentId: "all-told",
      statement: "pay the October invoices",
      scopeKind: wire.ScopeKind.ISSUED,
      scope: {
        tools: ["filesystem/*", "send_money"],
        effects: [Effect.PAY, Effect.READ],
        resources: ["file:/srv/**"],
        maxClassification: "confidential",
        maxCalls: [{ effect: Effect.PAY, calls: 3n }],
        maxAmounts: [
          { currency: "EUR", amountMinor: 50_000n },
          { currency: "USD", amountMinor: 0n },
        ],
        delegates: ["payer"],
        maxDepth: 2n,
        nothing: [],
      },
      caller: "local-initiator",
      expiresAt,
      state: wire.TaskState.OPEN,
      left: { calls: [{ effect: Effect.PAY, calls: 3n }] },
      unreported: 0,
      decisions: { allowed: 0, denied: 0, held: 0 },
      children: 0,
    });
    expect((await auditor.getTask(task.taskId)).task).toEqual(task);
    expect(await auditor.listTasks({ agentId: "all-told" })).toMatchObject({ tasks: [task], total: 1 });
    expect((await auditor.listTasks({ agentId: "all-told", principal: "user:billing" })).total).toBe(0);
    expect((await auditor.listTasks({ agentId: "all-told", principal: "service:billing" })).total).toBe(1);
  });

  it("lets a task live for a day if nobody says, and cuts what is finer than a millisecond off its time", async () => {
    const { openedAt, expiresAt } = await openTask();
    if (!openedAt || !expiresAt) throw new Error("a task has no times");
    expect(timestampMs(expiresAt) - timestampMs(openedAt)).toBe(24 * HOUR_MS);
    const soon = timestampFromMs(Date.now() + HOUR_MS);
    const finer = await openTask({ expiresAt: { seconds: soon.seconds, nanos: 1_999_999 } });
    expect(finer.expiresAt).toMatchObject({ seconds: soon.seconds, nanos: 1_000_000 });
  });

  const scoped = (scope: ScopeInit): Open => ({ scope });
  const many = (count: number): string[] => Array.from({ length: count }, (_, at) => `agent-${at}`);
  const past = timestampFromMs(Date.now() - HOUR_MS);

  it.each<{ says: string; fields: Open; refusal: Partial<Refusal> }>([
    {
      says: "no statement",
      fields: { statement: "" },
      refusal: malformed("`statement` is missing: say what was asked for, in the asker's words", "statement"),
    },
    {
      says: "a blank statement",
      fields: { statement: " \n" },
      refusal: malformed("`statement` is blank: say what was asked for, or leave it out", "statement"),
    },
    {
      says: "a principal of whom too much is said",
      fields: { principal: { ...ALICE, attributes: { notes: "x".repeat(4 * 1_024) } } },
      refusal: tooBig("principal_attributes_bytes", "`principal.attributes` are longer than 4096 bytes of JSON", "principal.attributes"),
    },
    {
      says: "a statement over the limit",
      fields: { statement: "x".repeat(8 * 1_024 + 1) },
      refusal: tooBig("statement_bytes", "`statement` is longer than 8192 bytes", "statement"),
    },
    {
      says: "no principal",
      fields: { principal: undefined as never },
      refusal: malformed("`principal` is missing: say whom the task is for", "principal"),
    },
    {
      says: "a principal of no type",
      fields: { principal: { id: "alice" } },
      refusal: malformed("`principal.type` is `0`: write USER or SERVICE", "principal.type"),
    },
    {
      says: "an agent as the principal",
      fields: { principal: { type: PrincipalType.AGENT, id: "a" } },
      refusal: malformed("`principal.type` is an agent, at whose behest no task is opened: write USER or SERVICE", "principal.type"),
    },
    {
      says: "a principal without a name",
      fields: { principal: { type: PrincipalType.USER } },
      refusal: malformed("`principal.id` is missing or empty", "principal.id"),
    },
    { says: "no agent", fields: { agentId: "" }, refusal: malformed("`agent_id` is missing or empty", "agent_id") },
    {
      says: "a kind of scope that is none",
      fields: { scopeKind: 3 as wire.ScopeKind },
      refusal: malformed("`scope_kind` is `3`: write ISSUED or PROPOSED", "scope_kind"),
    },
    { says: "an end in the past", fields: { expiresAt: past }, refusal: { code: "INVALID_ARGUMENT", field: "expires_at" } },
    {
      says: "words that ended in the past",
      fields: { statementExpiresAt: past },
      refusal: { code: "INVALID_ARGUMENT", field: "statement_expires_at" },
    },
    {
      says: "an end beyond the longest life",
      fields: { expiresAt: timestampFromMs(Date.now() + 2_161 * HOUR_MS) },
      refusal: { code: "INVALID_ARGUMENT", field: "expires_at" },
    },
    {
      says: "a time that is none",
      fields: { expiresAt: { seconds: 0n, nanos: -1 } },
      refusal: malformed("`expires_at` is no time from 1970 to 9999", "expires_at"),
    },
    {
      says: "a tool that the catalog does not list",
      fields: scoped({ tools: ["send_money", "send_mony"] }),
      refusal: malformed(
        "`scope.tools[1]` is `send_mony`, which the catalog does not list; did you mean `send_money`? A pattern such as `server/*` may cover tools that it does not list",
        "scope.tools[1]",
      ),
    },
    {
      says: "an empty pattern of tools",
      fields: scoped({ tools: [""] }),
      refusal: malformed("`scope.tools[0]` is missing or empty", "scope.tools[0]"),
    },
    {
      says: "an empty pattern of resources",
      fields: scoped({ resources: ["*", ""] }),
      refusal: malformed("`scope.resources[1]` is missing or empty", "scope.resources[1]"),
    },
    {
      says: "an empty pattern of delegates",
      fields: scoped({ delegates: [""] }),
      refusal: malformed("`scope.delegates[0]` is missing or empty", "scope.delegates[0]"),
    },
    {
      says: "an effect that is not set",
      fields: scoped({ effects: [Effect.UNSPECIFIED] }),
      refusal: malformed("`scope.effects[0]` is missing or empty", "scope.effects[0]"),
    },
    {
      says: "an effect that is none",
      fields: scoped({ effects: [99 as Effect] }),
      refusal: malformed("`scope.effects[0]` is `99`, which is no effect", "scope.effects[0]"),
    },
    {
      says: "an effect twice",
      fields: scoped({ effects: [Effect.READ, Effect.READ] }),
      refusal: malformed("`scope.effects[1]` names `read` a second time; write it once", "scope.effects[1]"),
    },
    {
      says: "a classification that the policy does not list",
      fields: scoped({ maxClassification: "cosmic" }),
      refusal: { code: "INVALID_ARGUMENT", field: "scope.max_classification" },
    },
    {
      says: "a negative count of calls",
      fields: scoped({ maxCalls: [{ effect: Effect.PAY, calls: -1n }] }),
      refusal: malformed("`scope.max_calls[0].calls` is `-1`; write an integer from 0 to 2^53 - 1", "scope.max_calls[0].calls"),
    },
    {
      says: "a cap on no effect",
      fields: scoped({ maxCalls: [{ calls: 1n }] }),
      refusal: malformed("`scope.max_calls[0].effect` is missing or empty", "scope.max_calls[0].effect"),
    },
    {
      says: "two caps on one effect",
      fields: scoped({
        maxCalls: [
          { effect: Effect.PAY, calls: 0n },
          { effect: Effect.PAY, calls: 1n },
        ],
      }),
      refusal: malformed("`scope.max_calls[1].effect` names `pay` a second time; write it once", "scope.max_calls[1].effect"),
    },
    {
      says: "a negative amount",
      fields: scoped({ maxAmounts: [{ currency: "EUR", amountMinor: -1n }] }),
      refusal: malformed("`scope.max_amounts[0].amount_minor` is `-1`; write an integer from 0 to 2^53 - 1", "scope.max_amounts[0].amount_minor"),
    },
    {
      says: "an absurd amount",
      fields: scoped({ maxAmounts: [{ currency: "EUR", amountMinor: 2n ** 53n }] }),
      refusal: malformed(
        "`scope.max_amounts[0].amount_minor` is `9007199254740992`; write an integer from 0 to 2^53 - 1",
        "scope.max_amounts[0].amount_minor",
      ),
    },
    {
      says: "two amounts in one currency",
      fields: scoped({
        maxAmounts: [
          { currency: "EUR", amountMinor: 1n },
          { currency: "EUR", amountMinor: 2n },
        ],
      }),
      refusal: malformed("`scope.max_amounts[1].currency` names `EUR` a second time; write it once", "scope.max_amounts[1].currency"),
    },
    {
      says: "a currency that is no code",
      fields: scoped({ maxAmounts: [{ currency: "euro", amountMinor: 1n }] }),
      refusal: { code: "INVALID_ARGUMENT", field: "scope.max_amounts" },
    },
    {
      says: "a currency with a name of JavaScript's own",
      fields: scoped({ maxAmounts: [{ currency: "__proto__", amountMinor: 1n }] }),
      refusal: { code: "INVALID_ARGUMENT", field: "scope.max_amounts" },
    },
    {
      says: "a negative depth",
      fields: scoped({ maxDepth: -1n }),
      refusal: malformed("`scope.max_depth` is `-1`; write an integer from 0 to 2^53 - 1", "scope.max_depth"),
    },
    {
      says: "10,000 delegates",
      fields: scoped({ delegates: many(10_000) }),
      refusal: tooBig(
        "scope_items",
        "`scope.delegates` holds 10000 items, at most 256 are taken; a pattern with a `*` covers many names",
        "scope.delegates",
      ),
    },
    { says: "lists that allow nothing", fields: scoped({ nothing: ["tools"] }), refusal: { code: "INVALID_ARGUMENT", field: "scope.nothing" } },
  ])("refuses $says, and opens nothing", async ({ fields, refusal }) => {
    const before = (await auditor.listTasks({ includeEnded: true })).total;
    expect(await refusalOfOpen(fields)).toMatchObject(refusal);
    expect((await auditor.listTasks({ includeEnded: true })).total).toBe(before);
  });

  it("takes 256 delegates and a cap of nothing", async () => {
    expect(await refusalOfOpen(scoped({ delegates: many(256), maxCalls: [{ effect: Effect.PAY, calls: 0n }] }))).toEqual(ACCEPTED);
  });

  it("lets a token that covers some agents open for these, and hand on to these at most", async () => {
    expect(await refusalOfOpen({ agentId: "stranger" }, restricted)).toMatchObject({ code: "PERMISSION_DENIED", field: "agent_id" });
    expect(await refusalOfOpen({ scope: { delegates: ["*"] } }, restricted)).toMatchObject({ code: "PERMISSION_DENIED", field: "scope.delegates" });
    expect(await refusalOfOpen({ scope: { delegates: ["helper-1"] } }, restricted)).toEqual(ACCEPTED);
    const client = createClient({ address: server.address, token: restricted, timeoutMs: 20_000 });
    try {
      expect((await client.openTask(openOf())).task?.scope?.delegates).toEqual(["reader", "helper-*"]);
    } finally {
      client.close();
    }
  });

  it("is told in the log, and whatever becomes of it, without its words", async () => {
    const { taskId } = await openTask({ statement: "between you and me" });
    const { task } = await initiator.delegateTask({ taskId, agentId: "helper" });
    await initiator.closeTask(task?.taskId ?? "", "said in confidence");
    await operator.revokeTask(taskId, "said in confidence");
    const told = server.log.filter((text) => text.includes(taskId) && text.includes('"state"')).map((text) => JSON.parse(text));
    expect(told.map(({ level, msg, state }) => [level, msg, state])).toEqual([
      [30, "task opened", "open"],
      [30, "task handed on", "open"],
      [30, "task closed", "closed"],
      [40, "task revoked", "revoked"],
    ]);
    expect(told[1]).toMatchObject({ taskId: task?.taskId, rootTaskId: taskId, agent: "helper" });
    expect(told[3]).toMatchObject({ caller: "local-operator", durable: true });
    expect(server.log.join()).not.toContain("said in confidence");
    const line = server.log.find((text) => text.includes(taskId));
    expect(JSON.parse(line ?? "{}")).toMatchObject({
      msg: "task opened",
      taskId,
      agent: "reader",
      principal: "user:alice",
      caller: "local-initiator",
    });
    expect(server.log.join()).not.toContain("between you and me");
  });
});

describe("DelegateTask", () => {
  const WIDE: Delegate = {
    agentId: "helper",
    scope: { tools: ["send_money"], effects: [Effect.READ, Effect.PAY], maxAmounts: [{ currency: "EUR", amountMinor: 9n }] },
  };
  const PARENT: Open = { scope: { tools: ["filesystem/*"], effects: [Effect.READ], maxAmounts: [{ currency: "EUR", amountMinor: 5n }] } };

  it("hands on within the task, in the task's words unless others are given", async () => {
    const parent = await openTask(PARENT);
    const { task, trimmed } = await initiator.delegateTask({ taskId: parent.taskId, agentId: "helper", scope: { maxClassification: "internal" } });
    expect(trimmed).toEqual([]);
    expect(task).toMatchObject({
      rootTaskId: parent.taskId,
      parentTaskId: parent.taskId,
      depth: 1,
      principal: parent.principal,
      statement: parent.statement,
      expiresAt: parent.expiresAt,
      scope: { ...parent.scope, maxClassification: "internal" },
    });
    const tree = await auditor.getTask(parent.taskId, { tree: true });
    expect(tree).toMatchObject({ task: { children: 1 }, below: [task], belowTotal: 1 });
    expect(await auditor.getTask(parent.taskId)).toMatchObject({ below: [], belowTotal: 0 });
  });

  it("refuses what is wider, naming every part", async () => {
    const { taskId } = await openTask(PARENT);
    const expiresAt = timestampFromMs(Date.now() + 48 * HOUR_MS);
    expect(await refusalOfDelegate({ ...WIDE, taskId, expiresAt })).toMatchObject({
      code: "INVALID_ARGUMENT",
      reason: "SCOPE_TOO_WIDE",
      field: "scope.tools,scope.effects,scope.max_amounts,expires_at",
    });
  });

  it("trims what is wider if it is told to, tells what, and says that an empty list allows nothing", async () => {
    const { taskId, expiresAt } = await openTask(PARENT);
    const { task, trimmed } = await initiator.delegateTask({ ...WIDE, taskId, expiresAt: timestampFromMs(Date.now() + 48 * HOUR_MS), narrow: true });
    expect(trimmed.map(({ field, asked }) => `${field}: ${asked}`)).toEqual([
      "scope.tools: send_money",
      "scope.effects: pay",
      "scope.max_amounts: EUR: 9",
      expect.stringMatching(/^expires_at: /),
    ]);
    expect(task).toMatchObject({ expiresAt, scope: { tools: [], nothing: ["tools"], effects: [Effect.READ], maxAmounts: [{ amountMinor: 5n }] } });
    const denied = await server.decide(reads(task?.taskId ?? "", { agentId: "helper" }));
    expect(denied.reasonCodes).toContain("OUTSIDE_SCOPE");
  });

  it("keeps an enforcer's delegation to an agent that nobody named a proposal", async () => {
    const named = await openTask({ scope: { delegates: ["helper"] } });
    const open = await openTask();
    const enforcer = server.client("enforcer");
    const kinds = await Promise.all([named, open].map(({ taskId }) => enforcer.delegateTask({ taskId, agentId: "helper" })));
    expect(kinds.map(({ task }) => task?.scopeKind)).toEqual([wire.ScopeKind.ISSUED, wire.ScopeKind.PROPOSED]);
  });

  it.each<{ says: string; from?: ScopeInit; fields: Delegate; refusal: Partial<Refusal> }>([
    { says: "no task", fields: { agentId: "helper" }, refusal: malformed("`task_id` is missing or empty", "task_id") },
    { says: "no agent", from: {}, fields: {}, refusal: malformed("`agent_id` is missing or empty", "agent_id") },
    { says: "an unknown task", fields: { taskId: "t", agentId: "helper" }, refusal: { code: "NOT_FOUND", reason: "TASK_UNKNOWN", field: "task_id" } },
    {
      says: "a statement over the limit",
      from: {},
      fields: { agentId: "helper", statement: "x".repeat(8_193) },
      refusal: tooBig("statement_bytes", "`statement` is longer than 8192 bytes", "statement"),
    },
    {
      says: "an end in the past",
      from: {},
      fields: { agentId: "helper", expiresAt: timestampFromMs(1_000) },
      refusal: { code: "INVALID_ARGUMENT", field: "expires_at" },
    },
    {
      says: "handing on once more than may be",
      from: { maxDepth: 0n },
      fields: { agentId: "helper" },
      refusal: { reason: "SCOPE_TOO_WIDE", field: "task_id" },
    },
    {
      says: "an agent that it may not be handed on to, also if it may be narrowed",
      from: { delegates: ["helper"] },
      fields: { agentId: "stranger", narrow: true },
      refusal: { reason: "SCOPE_TOO_WIDE", field: "agent_id" },
    },
  ])("refuses $says", async ({ from, fields, refusal }) => {
    const taskId = from && (await openTask({ scope: from })).taskId;
    expect(await refusalOfDelegate({ ...(taskId !== undefined && { taskId }), ...fields })).toMatchObject(refusal);
  });
});

describe("another tenant's task", () => {
  it("is answered as one that there is not", async () => {
    const { taskId } = await openTask();
    const calls: readonly (() => Promise<unknown>)[] = [
      () => elsewhere.getTask(taskId),
      () => elsewhere.closeTask(taskId),
      () => elsewhere.revokeTask(taskId),
      () => elsewhere.delegateTask({ taskId, agentId: "helper" }),
    ];
    const unknown = await elsewhere.getTask("none").catch((error: CallFailed) => error.message.replace("none", taskId));
    for (const call of calls) expect(await call().catch((error: CallFailed) => error.message)).toBe(unknown);
    expect((await elsewhere.listTasks({ includeEnded: true })).total).toBe(0);
    expect((await elsewhere.decide(reads(taskId))).reasonCodes).toEqual(["TASK_UNKNOWN"]);
    expect((await auditor.getTask(taskId)).task?.state).toBe(wire.TaskState.OPEN);
  });
});

describe("CloseTask and RevokeTask", () => {
  it.each<{ how: "closed" | "revoked"; state: wire.TaskState; code: string }>([
    { how: "closed", state: wire.TaskState.CLOSED, code: "TASK_CLOSED" },
    { how: "revoked", state: wire.TaskState.REVOKED, code: "TASK_REVOKED" },
  ])("a task that is $how stays so, with all below it, and no ALLOW of it is answered again", async ({ how, state, code }) => {
    const end = (client: BehestClient, id: string, reason?: string) =>
      how === "closed" ? client.closeTask(id, reason) : client.revokeTask(id, reason);
    const { taskId } = await openTask();
    const { task: child } = await initiator.delegateTask({ taskId, agentId: "helper" });
    const below = child?.taskId ?? "";
    const attempts = [reads(taskId, { requestId: `${how}-1` }), reads(below, { requestId: `${how}-2`, agentId: "helper" })];
    for (const attempt of attempts) expect(outcomeOf(await server.decide(attempt))).toBe("ALLOW");
    const ended = await end(initiator, taskId, "it is over");
    expect(ended.task).toMatchObject({ state, endedBy: "local-initiator", endedReason: "it is over", endedTaskId: taskId });
    for (const attempt of attempts) {
      const again = await server.decide(attempt);
      expect([outcomeOf(again), again.reasonCodes]).toEqual(["DENY", expect.arrayContaining(["NO_LONGER_STANDS", code])]);
    }
    expect((await server.decide(reads(below, { agentId: "helper" }))).reasonCodes).toEqual([code]);
    expect((await auditor.getTask(below)).task).toMatchObject({ state, endedTaskId: taskId });
    // Ending it again, either way, answers how it ended.
    for (const again of [await operator.closeTask(taskId, "no"), await operator.revokeTask(taskId, "no")])
      expect(again.task).toEqual((await auditor.getTask(taskId)).task);
    expect(await refusalOfDelegate({ taskId, agentId: "helper" })).toMatchObject({
      code: "FAILED_PRECONDITION",
      reason: "TASK_ENDED",
      field: "task_id",
    });
    expect((await auditor.listTasks()).tasks.map((task) => task.taskId)).not.toContain(taskId);
    expect((await auditor.listTasks({ includeEnded: true })).tasks.map((task) => task.taskId)).toEqual(expect.arrayContaining([taskId, below]));
  });

  it("revoking says that it is durable", async () => {
    expect(await operator.revokeTask((await openTask()).taskId)).toMatchObject({ durable: true, task: { endedReason: "" } });
  });

  it("is not for an initiator that opened neither the task nor its tree", async () => {
    const { taskId } = await openTask();
    expect(await refusalTo("RevokeTask", [wire.RevokeTaskRequestSchema, { taskId }], restricted)).toMatchObject({
      code: "PERMISSION_DENIED",
      reason: "CALLER_FORBIDDEN",
      field: "task_id",
    });
  });

  it.each<{ says: string; reason: string; refusal: Refusal }>([
    { says: "too long", reason: "x".repeat(1_025), refusal: tooBig("reason_bytes", "`reason` is longer than 1024 bytes", "reason") },
    { says: "of two lines", reason: "a\nb", refusal: malformed("`reason` holds a control or invisible character; write it in one line", "reason") },
  ])("refuses a reason that is $says", async ({ reason, refusal }) => {
    const { taskId } = await openTask();
    expect(await refusalTo("CloseTask", [wire.CloseTaskRequestSchema, { taskId, reason }])).toEqual(refusal);
    expect(await refusalTo("RevokeTask", [wire.RevokeTaskRequestSchema, { taskId, reason }])).toEqual(refusal);
  });
});

it("RevokeTask is not refused where decisions are, because too many of them wait", async () => {
  const crowded = await runHostileServer({ turns_waiting_max: 1 });
  try {
    const { task } = await crowded.client("initiator").openTask(openOf());
    const taskId = task?.taskId ?? "";
    const calls = Promise.allSettled(Array.from({ length: 300 }, () => crowded.decide(reads(taskId))));
    expect(await crowded.client("operator").revokeTask(taskId)).toMatchObject({ durable: true, task: { state: wire.TaskState.REVOKED } });
    expect((await calls).filter(({ status }) => status === "rejected").length).toBeGreaterThan(100);
    expect((await crowded.decide(reads(taskId))).reasonCodes).toEqual(["TASK_REVOKED"]);
    expect((await crowded.client("operator").closeTask(taskId)).task?.state).toBe(wire.TaskState.REVOKED);
  } finally {
    await crowded.close();
  }
});

describe("a task's budget", () => {
  it("is used up by it and those below it, and told", async () => {
    const { taskId } = await openTask({ scope: { maxCalls: [{ effect: Effect.READ, calls: 2n }] } });
    const { task } = await initiator.delegateTask({ taskId, agentId: "helper" });
    expect(outcomeOf(await server.decide(reads(taskId)))).toBe("ALLOW");
    expect(outcomeOf(await server.decide(reads(task?.taskId ?? "", { agentId: "helper" })))).toBe("ALLOW");
    expect((await server.decide(reads(taskId))).reasonCodes).toEqual(["BUDGET_SPENT"]);
    const tree = await auditor.getTask(taskId, { tree: true });
    expect(tree.task).toMatchObject({
      spent: { calls: [{ effect: Effect.READ, calls: 2n }] },
      left: { calls: [{ effect: Effect.READ, calls: 0n }] },
      decisions: { allowed: 1, denied: 1, held: 0 },
      seen: { classifications: ["internal"], systems: ["filesystem"] },
    });
    expect(tree.below[0]).toMatchObject({ spent: { calls: [{ calls: 1n }] }, left: { calls: [{ calls: 0n }] }, decisions: { allowed: 1 } });
  });
});

it("ListTasks refuses a principal that is none", async () => {
  const principal = "alice";
  expect(await refusalTo("ListTasks", [wire.ListTasksRequestSchema, { principal }], server.token("auditor"))).toEqual(
    malformed("`principal` is `alice`; write `user:ID` or `service:ID`", "principal"),
  );
});

it("answers as many tasks as a client takes, and how many there are", async () => {
  const crowded = await runHostileServer();
  try {
    const client = crowded.client("initiator");
    const statement = "w".repeat(8 * 1_024);
    await Promise.all(Array.from({ length: 450 }, () => client.openTask(openOf({ statement }))));
    const { tasks, total } = await crowded.client("auditor").listTasks();
    expect(total).toBe(450);
    // Three of the four megabytes that a client takes by default.
    expect(tasks.length).toBeGreaterThan(350);
    expect(tasks.length).toBeLessThan(384);
  } finally {
    await crowded.close();
  }
});

it("opens no more tasks than are remembered, and hands on to no more agents than may be", async () => {
  const small = await runHostileServer({ registered_tasks_max: 3, task_children_max: 1 });
  try {
    const client = small.client("initiator");
    const [first = ""] = await Promise.all([client.openTask(openOf()), client.openTask(openOf())]).then((answers) =>
      answers.map(({ task }) => task?.taskId),
    );
    await client.delegateTask({ taskId: first, agentId: "helper" });
    const full = (error: CallFailed) => error.message;
    expect(await client.openTask(openOf()).catch(full)).toContain("raise `registered_tasks_max`");
    expect(await client.delegateTask({ taskId: first, agentId: "helper" }).catch(full)).toContain("raise `registered_tasks_max`");
    const roomier = await runHostileServer({ task_children_max: 1 });
    try {
      const { task } = await roomier.client("initiator").openTask(openOf());
      const hand = () => roomier.client("initiator").delegateTask({ taskId: task?.taskId ?? "", agentId: "helper" });
      await hand();
      expect(await hand().catch(full)).toContain("raise `task_children_max`");
    } finally {
      await roomier.close();
    }
  } finally {
    await small.close();
  }
});
