import { describe, expect, it } from "vitest";
import { createControl } from "../../src/core/control.ts";
import type { Policy } from "../../src/core/policy.ts";
import type { Caller, DecisionRequest, Hop } from "../../src/core/request.ts";
import type { Scope } from "../../src/core/tasks/scope.ts";
import type { TaskStatus } from "../../src/core/tasks/status.ts";
import { type Effect, instant, type ReasonCode } from "../../src/core/words.ts";
import { FULL_REACH, policyOf } from "../policies.ts";
import { type LiveTasks, liveTasks } from "./live-tasks.ts";

/** No rule files, and a policy.json that grants everything: only invariants are left. */
const EVERYTHING = { "*": "allow", unknown: "allow" };
const policyWith = (settings: object = {}): Policy =>
  policyOf({
    settings: {
      reach: { default: FULL_REACH },
      basis: { AUTHORIZED: EVERYTHING, INFERRED: EVERYTHING, AVAILABLE: EVERYTHING },
      ...settings,
    },
    tools: {
      "crm/read": { effect: "read", reversibility: "reversible", arguments: { of: "target" }, output: { trust: "trusted" } },
      "bank/pay": {
        effect: "pay",
        reversibility: "irreversible",
        arguments: { amount: "amount", currency: "currency" },
        output: { trust: "trusted" },
      },
    },
  });
const OPEN = policyWith();

const GATEWAY: Caller = { tenant: "default", id: "gateway", roles: ["enforcer"] };
const DESK: Caller = { tenant: "default", id: "desk", roles: ["initiator"] };
/** An initiator that is a person, and so can be asked. */
const PAT: Caller = { tenant: "default", id: "user:pat", roles: ["initiator"] };
const OPERATOR: Caller = { tenant: "default", id: "ops", roles: ["operator"] };

/** A person's task, handed from a planner to a worker and from it to a clerk; and another task of the same agents. */
interface Tree {
  readonly live: LiveTasks;
  readonly root: string;
  readonly middle: string;
  readonly leaf: string;
  readonly other: string;
  /** Of the leaf. */
  readonly chain: readonly Hop[];
}

const ALICE = { type: "user", id: "alice" } as const;
const STATEMENT = "pay the invoices of May";

async function plant(scope: Scope = {}, policy = OPEN, desk = DESK): Promise<Tree> {
  const live = liveTasks({ policy });
  const { keeper } = live;
  const idOf = ({ task }: TaskStatus): string => task.id;
  const open = async () => idOf(await keeper.open(desk, { statement: STATEMENT, principal: ALICE, agent: "planner", scopeKind: "issued", scope }));
  const hand = async (taskId: string, agent: string) => idOf((await keeper.delegate(desk, { taskId, agent, scope: {}, narrow: false })).status);
  const root = await open();
  const middle = await hand(root, "worker");
  const leaf = await hand(middle, "clerk");
  const other = await hand(await hand(await open(), "worker"), "clerk");
  const chain: readonly Hop[] = [
    ALICE,
    { type: "agent", id: "planner", taskId: root },
    { type: "agent", id: "worker", taskId: middle },
    { type: "agent", id: "clerk", taskId: leaf },
  ];
  return { live, root, middle, leaf, other, chain };
}

const asking = (id: string, change: Partial<DecisionRequest> = {}): DecisionRequest => ({
  agent: { id: "clerk" },
  task: { id },
  action: { tool: "crm/read", arguments: {} },
  ...change,
});

async function decide({ live }: Tree, request: DecisionRequest, caller = GATEWAY) {
  const { record } = await live.decider.decide({ caller, request });
  return record;
}

const suspend = ({ live }: Tree, kind: "agent" | "task" | "principal" | "effect", value: string) =>
  createControl({ ledger: live.ledger, clock: { now: () => instant(live.now()) }, newId: () => "s1", suspensionsMax: 10 }).suspend(OPERATOR, {
    kind,
    value,
    reason: "it runs amok",
  });

const pay = (amount: number, currency = "EUR"): Pick<DecisionRequest, "action"> => ({
  action: { tool: "bank/pay", arguments: { amount, currency } },
});
const swap = <T>(list: readonly T[], a: number, b: number): readonly T[] =>
  list.map((item, at) => (at === a ? list[b] : at === b ? list[a] : item) as T);
const HOUR = 3_600_000;

describe("with no rule files and full reach, a registered task", () => {
  it("lets its agent do what it was handed", async () => {
    const tree = await plant();
    const { judgement, subject } = await decide(tree, asking(tree.leaf));
    expect(judgement).toMatchObject({ outcome: "ALLOW", basis: "AUTHORIZED", reasonCodes: [], findings: [] });
    expect(subject.request.delegation).toEqual(tree.chain);
  });

  it("may be extended by agents that the caller names, and grants them nothing", async () => {
    const tree = await plant();
    const delegation = [...tree.chain, { type: "agent", id: "temp" } as const];
    const { judgement } = await decide(tree, asking(tree.leaf, { agent: { id: "temp" }, delegation }));
    expect(judgement).toMatchObject({ outcome: "ALLOW", basis: "AVAILABLE" });
  });

  it.each<{
    says: string;
    scope?: Scope;
    prepare?: (tree: Tree) => Promise<unknown>;
    request: (tree: Tree) => DecisionRequest;
    codes: readonly ReasonCode[];
    caller?: Caller;
  }>([
    { says: "that nobody opened", request: () => asking("nobody-knows"), codes: ["TASK_UNKNOWN"] },
    { says: "of another tenant", request: ({ leaf }) => asking(leaf), caller: { ...GATEWAY, tenant: "elsewhere" }, codes: ["TASK_UNKNOWN"] },
    {
      says: "under another task's chain",
      request: ({ other, chain }) => asking(other, { delegation: chain }),
      codes: ["CHAIN_MISMATCH"],
    },
    { says: "by the agent of a task above it", request: ({ leaf }) => asking(leaf, { agent: { id: "worker" } }), codes: ["CHAIN_MISMATCH"] },
    { says: "by the agent of a task below it", request: ({ root }) => asking(root), codes: ["CHAIN_MISMATCH"] },
    { says: "by an agent nobody handed it to", request: ({ leaf }) => asking(leaf, { agent: { id: "mallory" } }), codes: ["CHAIN_MISMATCH"] },
    {
      says: "whose time is over",
      prepare: async ({ live }) => live.pass(HOUR),
      request: ({ leaf }) => asking(leaf),
      codes: ["TASK_EXPIRED"],
    },
    {
      says: "that was found expired, with the clock put back",
      prepare: async (tree) => {
        tree.live.pass(HOUR);
        await decide(tree, asking(tree.leaf));
        tree.live.pass(-HOUR);
      },
      request: ({ leaf }) => asking(leaf),
      codes: ["TASK_EXPIRED"],
    },
    {
      says: "that was revoked",
      prepare: ({ live, leaf }) => live.keeper.revoke(DESK, { id: leaf }),
      request: ({ leaf }) => asking(leaf),
      codes: ["TASK_REVOKED"],
    },
    {
      says: "below one that was revoked",
      prepare: ({ live, middle }) => live.keeper.revoke(DESK, { id: middle }),
      request: ({ leaf }) => asking(leaf),
      codes: ["TASK_REVOKED"],
    },
    {
      says: "far below one that was revoked",
      prepare: ({ live, root }) => live.keeper.revoke(OPERATOR, { id: root }),
      request: ({ leaf }) => asking(leaf),
      codes: ["TASK_REVOKED"],
    },
    {
      says: "that was closed",
      prepare: ({ live, leaf }) => live.keeper.close(DESK, { id: leaf }),
      request: ({ leaf }) => asking(leaf),
      codes: ["TASK_CLOSED"],
    },
    {
      says: "far below one that was closed",
      prepare: ({ live, root }) => live.keeper.close(DESK, { id: root }),
      request: ({ leaf }) => asking(leaf),
      codes: ["TASK_CLOSED"],
    },
    {
      says: "below one that was closed and then revoked",
      prepare: async ({ live, root }) => {
        await live.keeper.close(DESK, { id: root });
        await live.keeper.revoke(DESK, { id: root });
      },
      request: ({ leaf }) => asking(leaf),
      codes: ["TASK_CLOSED"],
    },
    {
      says: "whose agent is suspended",
      prepare: (tree) => suspend(tree, "agent", "clerk"),
      request: ({ leaf }) => asking(leaf),
      codes: ["SUSPENDED"],
    },
    {
      says: "with a suspended agent in its chain, which the request leaves out",
      prepare: (tree) => suspend(tree, "agent", "planner"),
      request: ({ leaf }) => asking(leaf),
      codes: ["SUSPENDED"],
    },
    {
      says: "for a suspended person, whom the request leaves out",
      prepare: (tree) => suspend(tree, "principal", "user:alice"),
      request: ({ leaf }) => asking(leaf),
      codes: ["SUSPENDED"],
    },
    {
      says: "far below one that is suspended",
      prepare: (tree) => suspend(tree, "task", tree.root),
      request: ({ leaf }) => asking(leaf),
      codes: ["SUSPENDED"],
    },
    {
      says: "far below one that is suspended, under a chain of one's own",
      prepare: (tree) => suspend(tree, "task", tree.root),
      request: ({ leaf }) => asking(leaf, { delegation: [{ type: "agent", id: "clerk" }] }),
      codes: ["SUSPENDED", "CHAIN_MISMATCH"],
    },
    {
      says: "with a hop left out",
      request: ({ leaf, chain }) => asking(leaf, { delegation: chain.toSpliced(2, 1) }),
      codes: ["CHAIN_MISMATCH"],
    },
    { says: "with its person left out", request: ({ leaf, chain }) => asking(leaf, { delegation: chain.slice(1) }), codes: ["CHAIN_MISMATCH"] },
    {
      says: "with its last hop left out",
      request: ({ leaf, chain }) => asking(leaf, { delegation: chain.slice(0, -1) }),
      codes: ["CHAIN_MISMATCH", "CHAIN_BROKEN"],
    },
    {
      says: "with its hops in another order",
      request: ({ leaf, chain }) => asking(leaf, { delegation: swap(chain, 1, 2) }),
      codes: ["CHAIN_MISMATCH"],
    },
    {
      says: "with another agent in place of one",
      request: ({ leaf, chain }) => asking(leaf, { delegation: chain.with(1, { type: "agent", id: "mallory" }) }),
      codes: ["CHAIN_MISMATCH"],
    },
    {
      says: "with another person in place of its own",
      request: ({ leaf, chain }) => asking(leaf, { delegation: chain.with(0, { type: "user", id: "mallory" }) }),
      codes: ["CHAIN_MISMATCH"],
    },
    {
      says: "with a service in place of a person of that name",
      request: ({ leaf, chain }) => asking(leaf, { delegation: chain.with(0, { type: "service", id: "alice" }) }),
      codes: ["CHAIN_MISMATCH"],
    },
    {
      says: "with a hop of another task",
      request: ({ leaf, other, chain }) => asking(leaf, { delegation: chain.with(3, { type: "agent", id: "clerk", taskId: other }) }),
      codes: ["CHAIN_MISMATCH"],
    },
    {
      says: "with a person below its agent",
      request: ({ leaf, chain }) => asking(leaf, { delegation: [...chain, { type: "user", id: "clerk" }] }),
      codes: ["CHAIN_MISMATCH", "CHAIN_BROKEN"],
    },
    {
      says: "extended by a chain that ends with another agent",
      request: ({ leaf, chain }) => asking(leaf, { delegation: [...chain, { type: "agent", id: "temp" }] }),
      codes: ["CHAIN_MISMATCH", "CHAIN_BROKEN"],
    },
    { says: "for a tool outside its scope", scope: { tools: ["bank/*"] }, request: ({ leaf }) => asking(leaf), codes: ["OUTSIDE_SCOPE"] },
    { says: "for an effect outside its scope", scope: { effects: ["pay"] }, request: ({ leaf }) => asking(leaf), codes: ["OUTSIDE_SCOPE"] },
    {
      says: "for a resource outside its scope",
      scope: { resources: ["crm:a*"] },
      request: ({ leaf }) => asking(leaf, { action: { tool: "crm/read", arguments: { of: "crm:b" } } }),
      codes: ["OUTSIDE_SCOPE"],
    },
    {
      says: "handed on by the caller to whom it may not be",
      scope: { delegates: ["worker", "clerk"] },
      request: ({ leaf, chain }) => asking(leaf, { agent: { id: "temp" }, delegation: [...chain, { type: "agent", id: "temp" }] }),
      codes: ["OUTSIDE_SCOPE"],
    },
    {
      says: "handed on by the caller once too often",
      scope: { maxDepth: 2 },
      request: ({ leaf, chain }) => asking(leaf, { agent: { id: "temp" }, delegation: [...chain, { type: "agent", id: "temp" }] }),
      codes: ["OUTSIDE_SCOPE"],
    },
    {
      says: "for data above its scope",
      scope: { maxClassification: "internal" },
      request: ({ leaf }) => asking(leaf, { data: { classification: "confidential" } }),
      codes: ["CLASSIFICATION_EXCEEDED"],
    },
    {
      says: "whose calls are spent",
      scope: { maxCalls: { read: 1 } },
      prepare: (tree) => decide(tree, asking(tree.leaf)),
      request: ({ leaf }) => asking(leaf),
      codes: ["BUDGET_SPENT"],
    },
    {
      says: "whose calls a task above it has spent",
      scope: { maxCalls: { read: 1 } },
      prepare: (tree) => decide(tree, asking(tree.root, { agent: { id: "planner" } })),
      request: ({ leaf }) => asking(leaf),
      codes: ["BUDGET_SPENT"],
    },
    {
      says: "whose money is spent",
      scope: { maxAmounts: { EUR: 1_000 } },
      prepare: (tree) => decide(tree, asking(tree.leaf, pay(7))),
      request: ({ leaf }) => asking(leaf, pay(3.01)),
      codes: ["BUDGET_SPENT"],
    },
    {
      says: "that may move another currency",
      scope: { maxAmounts: { EUR: 1_000 } },
      request: ({ leaf }) => asking(leaf, pay(1, "USD")),
      codes: ["BUDGET_SPENT"],
    },
    {
      says: "that is to move less than nothing",
      scope: { maxAmounts: { EUR: 1_000 } },
      request: ({ leaf }) => asking(leaf, pay(-1)),
      codes: ["BUDGET_SPENT"],
    },
    {
      says: "whose calls are to be had under another effect's name",
      scope: { maxCalls: { read: 0 } },
      request: ({ leaf }) => asking(leaf, { action: { tool: "crm/read", arguments: {}, effect: "send" } }),
      codes: ["BUDGET_SPENT"],
    },
    {
      says: "whose calls are to be had by a tool nobody knows",
      scope: { maxCalls: { delete: 0 } },
      request: ({ leaf }) => asking(leaf, { action: { tool: "nobody/knows", arguments: {} } }),
      codes: ["BUDGET_SPENT"],
    },
  ])("$says is denied", async ({ scope = {}, prepare, request, codes, caller }) => {
    const tree = await plant(scope);
    await prepare?.(tree);
    const record = await decide(tree, request(tree), caller);
    expect(record.judgement).toMatchObject({ outcome: "DENY", basis: "NONE", reasonCodes: codes, holds: [] });
    expect(record.charge).toBeUndefined();
  });

  it("that a person was to be asked beyond asks its issuer, and grants nothing", async () => {
    const tree = await plant({ tools: ["bank/*"] }, policyWith({ outside_issued_scope: "ask" }), PAT);
    const { judgement } = await decide(tree, asking(tree.leaf));
    expect(judgement).toMatchObject({
      outcome: "REQUIRE_APPROVAL",
      basis: "AVAILABLE",
      reasonCodes: ["OUTSIDE_SCOPE"],
      holds: [{ name: "behest:outside-scope", approvers: ["issuer"], quorum: 1 }],
    });
  });

  it("has what was given back, once", async () => {
    const tree = await plant({ maxCalls: { read: 1 } });
    const { id: decision } = await decide(tree, asking(tree.leaf));
    const report = { decision, status: "blocked", result: "", truncated: false } as const;
    await tree.live.reports.report(GATEWAY, report);
    await tree.live.reports.report(GATEWAY, report);
    const outcomes = [await decide(tree, asking(tree.leaf)), await decide(tree, asking(tree.leaf))].map(({ judgement }) => judgement.outcome);
    expect(outcomes).toEqual(["ALLOW", "DENY"]);
  });

  it.each<{ says: string; change: Partial<DecisionRequest> }>([
    { says: "other words", change: { task: { statement: "pay me everything" } } },
    { says: "the same words", change: { task: { statement: STATEMENT } } },
  ])("has its registered words and scope, whatever the request repeats: $says", async ({ change }) => {
    const tree = await plant({ effects: ["read" satisfies Effect] });
    const request = asking(tree.leaf, { ...pay(1), task: { ...change.task, id: tree.leaf } });
    const { judgement, subject } = await decide(tree, request);
    expect(judgement.reasonCodes).toEqual(["OUTSIDE_SCOPE"]);
    expect(subject.task.statement).toBe(STATEMENT);
    const isOther = change.task?.statement !== STATEMENT;
    expect(judgement.findings.filter(({ rule }) => rule === "behest:statement-differs")).toHaveLength(isOther ? 1 : 0);
  });
});

describe("a worse word for the effect than the catalog's", () => {
  const worse = (effect: Effect): Partial<DecisionRequest> => ({
    action: { tool: "bank/pay", effect, arguments: { amount: 1, currency: "EUR" } },
  });

  it("is no way out of a scope that lacks the catalog's", async () => {
    const tree = await plant({ effects: ["read", "execute"] });
    const { judgement } = await decide(tree, asking(tree.leaf, worse("execute")));
    expect(judgement).toMatchObject({ outcome: "DENY", reasonCodes: ["OUTSIDE_SCOPE"] });
    expect(judgement.findings[0]?.reason).toContain("the effect `pay`");
  });

  it("is no way out of a reach that lacks it", async () => {
    const tree = await plant({}, policyWith({ reach: { default: { ...FULL_REACH, effects: ["read", "execute"] } } }));
    const { judgement } = await decide(tree, asking(tree.leaf, worse("execute")));
    expect(judgement).toMatchObject({ outcome: "DENY", reasonCodes: ["OUTSIDE_REACH"] });
  });

  it.each<{ says: string; pays: "ask" | "deny"; outcome: string }>([
    { says: "what would be asked about", pays: "ask", outcome: "REQUIRE_APPROVAL" },
    { says: "what would be denied", pays: "deny", outcome: "DENY" },
  ])("does not allow $says", async ({ pays, outcome }) => {
    const basis = { AUTHORIZED: { ...EVERYTHING, pay: pays }, INFERRED: EVERYTHING, AVAILABLE: EVERYTHING };
    const tree = await plant({}, policyWith({ basis }));
    const { judgement } = await decide(tree, asking(tree.leaf, worse("execute")));
    expect(judgement.outcome).toBe(outcome);
  });

  it("is no way round a suspension of the catalog's", async () => {
    const tree = await plant();
    await suspend(tree, "effect", "pay");
    const { judgement } = await decide(tree, asking(tree.leaf, worse("execute")));
    expect(judgement).toMatchObject({ outcome: "DENY", reasonCodes: ["SUSPENDED"] });
  });
});

describe("a scope of many patterns", () => {
  const TAKES_LONG = Array.from({ length: 256 }, (_, at) => `*${"a*".repeat(7)}${at}a`);
  const reading = (of: readonly string[]): Partial<DecisionRequest> => ({ action: { tool: "crm/read", arguments: { of } } });

  it("is compared with many resources", async () => {
    const tree = await plant({ resources: Array.from({ length: 100 }, (_, at) => `customers/${at}/*`) });
    const { judgement } = await decide(tree, asking(tree.leaf, reading(Array.from({ length: 1_000 }, (_, at) => `customers/${at % 100}/${at}`))));
    expect(judgement.outcome).toBe("ALLOW");
  });

  it("is not compared with more than can be while everybody waits: that lies outside", async () => {
    const tree = await plant({ resources: [...TAKES_LONG, "*a"] });
    const few = await decide(tree, asking(tree.leaf, reading(["aaaa"])));
    const many = await decide(tree, asking(tree.leaf, reading(Array.from({ length: 2_000 }, () => "a".repeat(100)))));
    expect([few, many].map(({ judgement }) => judgement.outcome)).toEqual(["ALLOW", "DENY"]);
    expect(many.judgement.reasonCodes).toEqual(["OUTSIDE_SCOPE"]);
  });
});
