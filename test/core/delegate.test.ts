import { beforeEach, describe, expect, it } from "vitest";
import type { Caller } from "../../src/core/request.ts";
import type { DelegateRequest } from "../../src/core/tasks/delegate.ts";
import type { OpenRequest, TaskKeeper } from "../../src/core/tasks/keeper.ts";
import type { Scope } from "../../src/core/tasks/scope.ts";
import { instant } from "../../src/core/words.ts";
import { deciderOver, keeperOver } from "../storage/deciders.ts";
import { ask, CALLER } from "../storage/requests.ts";
import { type OpenedStorage, openMemory } from "../storage/storages.ts";

const HOUR = 3_600_000;
const INITIATOR: Caller = { tenant: "default", id: "portal", roles: ["initiator"] };
const SCOPE: Scope = {
  tools: ["read", "mail/*"],
  effects: ["read"],
  resources: ["file:/srv/**"],
  maxClassification: "internal",
  maxCalls: { read: 5 },
  maxAmounts: { EUR: 10_000 },
  delegates: ["worker-*"],
  maxDepth: 2,
};

let storage: OpenedStorage;
let keeper: TaskKeeper;
beforeEach(async () => {
  storage = await openMemory();
  keeper = keeperOver(storage);
});

const open = async (change: Partial<OpenRequest> = {}): Promise<string> => {
  const { task } = await keeper.open(INITIATOR, {
    statement: "look after the inbox",
    principal: { type: "user", id: "alice" },
    agent: "bot",
    scopeKind: "issued",
    scope: SCOPE,
    ...change,
  });
  return task.id;
};

const handOn = async (taskId: string, change: Partial<DelegateRequest> = {}, caller = INITIATOR) =>
  keeper.delegate(caller, { taskId, agent: "worker-1", scope: {}, narrow: false, ...change });

describe("a task that is handed on", () => {
  it("has what it leaves unset from the task above it, and may be handed on once less", async () => {
    const { status } = await handOn(await open());
    expect(status.task).toMatchObject({ depth: 1, statement: "look after the inbox", scopeKind: "issued", scope: { ...SCOPE, maxDepth: 1 } });
  });

  it.each<{ says: string; scope: Scope; field: string; description: string; trimmed: Scope }>([
    {
      says: "tools",
      scope: { tools: ["mail/read", "write"] },
      field: "scope.tools",
      description: "`write` lies outside",
      trimmed: { tools: ["mail/read"] },
    },
    {
      says: "a wider glob",
      scope: { tools: ["mail/**"] },
      field: "scope.tools",
      description: "`mail/**` lies outside",
      trimmed: { tools: ["mail/*"] },
    },
    { says: "everything", scope: { tools: ["*"] }, field: "scope.tools", description: "`*` lies outside", trimmed: { tools: ["read", "mail/*"] } },
    {
      says: "effects",
      scope: { effects: ["read", "send"] },
      field: "scope.effects",
      description: "`send` lies outside",
      trimmed: { effects: ["read"] },
    },
    {
      says: "resources",
      scope: { resources: ["file:/etc/**"] },
      field: "scope.resources",
      description: "`file:/etc/**` lies outside",
      trimmed: { resources: [] },
    },
    {
      says: "a classification",
      scope: { maxClassification: "confidential" },
      field: "scope.max_classification",
      description: "`confidential` lies outside",
      trimmed: { maxClassification: "internal" },
    },
    {
      says: "calls",
      scope: { maxCalls: { read: 6 } },
      field: "scope.max_calls",
      description: "`read: 6` lies outside",
      trimmed: { maxCalls: { read: 5 } },
    },
    {
      says: "an amount",
      scope: { maxAmounts: { EUR: 10_001 } },
      field: "scope.max_amounts",
      description: "`EUR: 10001` lies outside",
      trimmed: { maxAmounts: { EUR: 10_000 } },
    },
    {
      says: "another currency",
      scope: { maxAmounts: { USD: 1 } },
      field: "scope.max_amounts",
      description: "`USD: 1` lies outside",
      trimmed: { maxAmounts: { USD: 0 } },
    },
    {
      says: "delegates",
      scope: { delegates: ["worker-1", "stranger"] },
      field: "scope.delegates",
      description: "`stranger` lies outside",
      trimmed: { delegates: ["worker-1"] },
    },
    { says: "depth", scope: { maxDepth: 2 }, field: "scope.max_depth", description: "`2` lies outside", trimmed: { maxDepth: 1 } },
  ])("may not have more $says, unless it is to be narrowed", async ({ scope, field, description, trimmed }) => {
    const id = await open();
    await expect(handOn(id, { scope })).rejects.toMatchObject({
      code: "SCOPE_TOO_WIDE",
      detail: { violations: [{ field, reason: "TOO_WIDE", description: expect.stringContaining(description) }] },
    });
    const narrowed = await handOn(id, { scope, narrow: true });
    expect(narrowed.status.task.scope).toEqual({ ...SCOPE, maxDepth: 1, ...trimmed });
    expect(narrowed.trimmed).toHaveLength(1);
  });

  it("names everything that is too wide at once", async () => {
    const id = await open();
    await expect(
      handOn(id, { scope: { tools: ["write"], effects: ["send"] }, expiresAt: instant(storage.clock.now() + 48 * HOUR) }),
    ).rejects.toMatchObject({
      code: "SCOPE_TOO_WIDE",
      message: expect.stringMatching(/; ask for less, or have it trimmed with `narrow`$/),
      detail: { violations: [{ field: "scope.tools" }, { field: "scope.effects" }, { field: "expires_at" }] },
    });
  });

  it.each<{ says: string; change: Partial<DelegateRequest>; field: string }>([
    { says: "an agent that is no delegate", change: { agent: "stranger", narrow: true }, field: "agent_id" },
    { says: "an agent that is no delegate, at any width", change: { agent: "stranger", scope: { tools: [] } }, field: "agent_id" },
  ])("does not go to $says", async ({ change, field }) => {
    await expect(handOn(await open(), change)).rejects.toMatchObject({
      code: "SCOPE_TOO_WIDE",
      message: expect.stringMatching(/; ask the task's initiator for one that may be handed on so$/),
      detail: { violations: [{ field }] },
    });
  });

  it("is handed on no deeper than it may be", async () => {
    const one = await handOn(await open());
    const two = await handOn(one.status.task.id);
    await expect(handOn(two.status.task.id, { narrow: true })).rejects.toMatchObject({
      code: "SCOPE_TOO_WIDE",
      detail: { violations: [{ field: "task_id", description: expect.stringContaining("scope.max_depth 0") }] },
    });
  });

  it.each<{ says: string; caller: Caller; scope?: Scope; kind: string }>([
    { says: "an initiator that may open tasks for the agent", caller: INITIATOR, scope: { tools: ["read"] }, kind: "issued" },
    { says: "an agent's side to an agent that the issuer named", caller: CALLER, kind: "issued" },
    { says: "an agent's side to an agent that nobody named", caller: CALLER, scope: { tools: ["read"] }, kind: "proposed" },
  ])("by $says is $kind", async ({ caller, scope = SCOPE, kind }) => {
    const { status } = await handOn(await open({ scope }), {}, caller);
    expect(status.task.scopeKind).toBe(kind);
    const { record } = await deciderOver(storage).decide(
      ask({
        agent: { id: "worker-1" },
        task: { id: status.task.id },
        action: { tool: "read", arguments: {}, resource: { type: "file", id: "/srv/a" } },
      }),
    );
    expect(record.judgement.basis).toBe(kind === "issued" ? "AUTHORIZED" : "INFERRED");
  });

  it("is never of a better kind than the task above it", async () => {
    const { status } = await handOn(await open({ scopeKind: "proposed" }));
    expect(status.task.scopeKind).toBe("proposed");
  });

  it.each<{ says: string; caller: Caller }>([
    { says: "an initiator's of other agents", caller: { ...INITIATOR, agents: ["support-*"] } },
    { says: "an enforcer's that speaks for the new agent alone", caller: { ...CALLER, agents: ["worker-1"] } },
  ])("is not handed on with a token: $says", async ({ caller }) => {
    await expect(handOn(await open(), {}, caller)).rejects.toMatchObject({ code: "CALLER_FORBIDDEN" });
  });

  it("is not handed on from a task that has ended, nor from one whose root has", async () => {
    const root = await open();
    const { status } = await handOn(root);
    await keeper.revoke(INITIATOR, { id: root });
    await expect(handOn(root)).rejects.toMatchObject({
      code: "TASK_ENDED",
      message: `task \`${root}\` is revoked; nothing can be handed on from it any more`,
    });
    await expect(handOn(status.task.id)).rejects.toMatchObject({ code: "TASK_ENDED" });
  });

  it("of another tenant is not known", async () => {
    const id = await open();
    await expect(handOn(id, {}, { ...INITIATOR, tenant: "elsewhere" })).rejects.toMatchObject({ code: "TASK_UNKNOWN" });
  });
});

describe("an initiator that may open tasks for some agents", () => {
  const NARROW: Caller = { ...INITIATOR, id: "narrow", agents: ["worker-*"] };
  const GATEWAY: Caller = { tenant: "default", id: "gateway", roles: ["enforcer"] };

  it("lets what it hands on be handed on to these at most, so that nothing is issued to another agent", async () => {
    const { status } = await handOn(await open({ scope: {} }), {}, NARROW);
    expect(status.task).toMatchObject({ scopeKind: "issued", scope: { delegates: ["worker-*"] } });
    await expect(handOn(status.task.id, { agent: "admin" }, GATEWAY)).rejects.toMatchObject({ code: "SCOPE_TOO_WIDE" });
  });

  it.each<{ says: string; delegates: readonly string[] }>([
    { says: "an agent", delegates: ["worker-2", "admin"] },
    { says: "everybody", delegates: ["*"] },
  ])("cannot name $says beyond them", async ({ delegates }) => {
    await expect(handOn(await open({ scope: {} }), { scope: { delegates } }, NARROW)).rejects.toMatchObject({
      code: "CALLER_FORBIDDEN",
      detail: { field: "scope.delegates" },
    });
  });

  it("hands on to whom the task above names, whoever that is", async () => {
    const { status } = await handOn(await open({ scope: { delegates: ["worker-*", "admin"] } }), {}, NARROW);
    expect(status.task.scope.delegates).toEqual(["worker-*", "admin"]);
  });

  it.each<{ says: string; agents: readonly string[] | undefined; codes: readonly string[] }>([
    { says: "by whoever speaks for every agent", agents: undefined, codes: [] },
    { says: "by whoever speaks for the agent that hands it on", agents: ["bot", "helper"], codes: [] },
    { says: "not by whoever speaks for the other agent alone", agents: ["helper"], codes: ["CALLER_NOT_ENTITLED"] },
  ])("goes on in the caller's words $says", async ({ agents, codes }) => {
    const id = await open({ scope: {} });
    const hop = (agent: string) => ({ type: "agent", id: agent }) as const;
    const request = { agent: { id: "helper" }, task: { id }, delegation: [{ type: "user", id: "alice" } as const, hop("bot"), hop("helper")] };
    const { record } = await deciderOver(storage).decide(ask(request, { ...CALLER, ...(agents && { agents }) }));
    expect(record.judgement.reasonCodes).toEqual(codes);
  });
});
