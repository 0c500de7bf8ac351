import { describe, expect, it } from "vitest";
import { judge } from "../../src/core/judge.ts";
import { type DecisionRecord, subjectOf } from "../../src/core/record.ts";
import type { Caller, DecisionRequest } from "../../src/core/request.ts";
import { ARGUMENTS, type Asked, approvedOnce, decided, FOREIGN, openedTask, paying, say, use } from "./asked-payment.ts";
import { asking, GATEWAY, PORTAL, payPolicy } from "./live-approvals.ts";

const MINUTE = 60_000;

/** A decision re-derives, approval and all. */
function rederives(record: DecisionRecord, policy = payPolicy()): void {
  expect(judge(policy, subjectOf(record)).judgement).toEqual(record.judgement);
}

describe("an approved request", () => {
  it("is allowed once, and the record says by what", async () => {
    const it = await approvedOnce();
    const record = await decided(it, use(it));
    expect(record.judgement).toMatchObject({ outcome: "ALLOW", basis: "AUTHORIZED", approvedBy: it.approval, holds: [] });
    expect(record.approval).toMatchObject({ id: it.approval, state: "consumed" });
    rederives(record);
    const again = await decided(it, use(it));
    expect(again.judgement).toMatchObject({ outcome: "REQUIRE_APPROVAL", reasonCodes: ["RULE_ASKS", "APPROVAL_NOT_APPLICABLE"] });
    expect(again.approval?.id).not.toBe(it.approval);
  });

  it("is not allowed without naming its approval, and is told of it", async () => {
    const it = await approvedOnce();
    const record = await decided(it, it.request);
    expect(record.judgement.outcome).toBe("REQUIRE_APPROVAL");
    expect(record.approval).toMatchObject({ id: it.approval, state: "approved" });
  });

  it("uses nothing up when its answer is repeated", async () => {
    const it = await approvedOnce(payPolicy());
    const attempt = { ...use(it), requestId: "r-1" };
    const first = await it.live.decider.decide({ caller: GATEWAY, request: attempt });
    const second = await it.live.decider.decide({ caller: GATEWAY, request: attempt });
    expect([first.replayed, second.replayed, second.record.id]).toEqual([false, true, first.record.id]);
  });
});

type Change = (it: Asked) => DecisionRequest | Promise<DecisionRequest>;

describe("the approval of one request covers no other", () => {
  it.each<[says: string, change: Change]>([
    ["of a greater amount", (it) => paying(it, { amount: 101 })],
    ["of a smaller amount", (it) => paying(it, { amount: 99 })],
    ["of the amount as a text", (it) => paying(it, { amount: "100" })],
    ["to another recipient", (it) => paying(it, { to: "DE02120300000000202051" })],
    ["from another account", (it) => paying(it, { account: "acme:8" })],
    ["with other words", (it) => paying(it, { memo: "invoice 8" })],
    ["with one more argument", (it) => paying(it, { urgent: true })],
    ["with one that is null where it was absent", (it) => paying(it, { note: null })],
    ["without one that was null", ({ request }) => ({ ...request, action: { ...request.action, arguments: withoutLimit } })],
    ["in another environment", ({ request }) => ({ ...request, context: { environment: "staging" } })],
    ["in an environment that is not named", ({ request: { context: _, ...request } }) => request],
    [
      "with other attributes of the environment",
      ({ request }) => ({ ...request, context: { environment: "production", attributes: { at: "night" } } }),
    ],
    ["with another tool", ({ request }) => ({ ...request, action: { ...request.action, tool: "bank/pay2" } })],
    [
      "with another version of the tool",
      ({ request }) => ({ ...request, action: { ...request.action, toolDefinitionDigest: `sha256:${"b".repeat(64)}` } }),
    ],
    ["with no version of the tool", ({ request }) => ({ ...request, action: { tool: "bank/pay", arguments: ARGUMENTS } })],
    ["with another operation", ({ request }) => ({ ...request, action: { ...request.action, operation: "now" } })],
    ["with a worse effect", ({ request }) => ({ ...request, action: { ...request.action, effect: "unknown" } })],
    ["with a resource", ({ request }) => ({ ...request, action: { ...request.action, resource: { type: "acme", id: "7" } } })],
    ["of data of another class", ({ request }) => ({ ...request, data: { classification: "public" } })],
    ["in another session", ({ request }) => ({ ...request, session: "chat-7" })],
    ["by an agent that says other things of itself", ({ request }) => ({ ...request, agent: { id: "payer", attributes: { version: "2" } } })],
    ["with other words for its task", ({ request, task }) => ({ ...request, task: { id: task, statement: "pay me" } })],
    ["for another task", async ({ live, request }) => ({ ...request, task: { id: await openedTask(live) } })],
    ["for no task", ({ request: { task: _, ...request } }) => request],
    [
      "by another agent, with its task",
      async ({ live, request }) => ({ ...request, agent: { ...request.agent, id: "clerk" }, task: { id: await openedTask(live, "clerk") } }),
    ],
    [
      "through another hop",
      ({ request, task }) => ({
        ...request,
        agent: { id: "clerk" },
        delegation: [
          { type: "user", id: "alice" },
          { type: "agent", id: "payer", taskId: task },
          { type: "agent", id: "clerk" },
        ],
      }),
    ],
    [
      "handed on",
      async ({ live, request, task }) => {
        const { status } = await live.tasks.delegate(PORTAL, { taskId: task, agent: "payer", scope: {}, narrow: true });
        return { ...request, task: { id: status.task.id } };
      },
    ],
    ["that can do more", ({ request }) => ({ ...request, supportedObligations: ["log"] })],
  ])("%s", async (_, change) => {
    const it = await approvedOnce();
    const other = { ...(await change(it)), approvalId: it.approval };
    const record = await decided(it, other);
    expect(record.judgement.outcome).not.toBe("ALLOW");
    rederives(record);
    // It was left as it was.
    expect((await decided(it, use(it))).judgement.outcome).toBe("ALLOW");
    expect((await decided(it, use(it))).judgement.outcome).toBe("REQUIRE_APPROVAL");
  });

  const { limit: _, ...withoutLimit } = ARGUMENTS;

  it("asked by another tenant or another caller", async () => {
    const it = await approvedOnce();
    const other: Caller = { ...GATEWAY, id: "other-gateway" };
    for (const caller of [FOREIGN, other]) expect((await decided(it, use(it), caller)).judgement.outcome).not.toBe("ALLOW");
    expect((await decided(it, use(it))).judgement.outcome).toBe("ALLOW");
  });

  it("when the catalog pins another definition, or gives an argument another role", async () => {
    const it = await approvedOnce();
    it.live.load(payPolicy({ pin: `sha256:${"b".repeat(64)}` }));
    expect((await decided(it, use(it))).judgement.outcome).toBe("REQUIRE_APPROVAL");
    it.live.load(payPolicy());
    expect((await decided(it, use(it))).judgement.outcome).toBe("ALLOW");
  });

  it("and keys in another order are the same request", async () => {
    const it = await approvedOnce();
    const turned = Object.fromEntries(Object.entries(ARGUMENTS).reverse());
    const record = await decided(it, { ...use(it), action: { ...it.request.action, arguments: turned } });
    expect(record.judgement.outcome).toBe("ALLOW");
  });
});

describe("an approval that is over covers nothing", () => {
  it.each<[says: string, end: (it: Asked) => unknown, code: string]>([
    ["from the moment on at which its time is over", ({ live }) => live.pass(60 * MINUTE), "APPROVAL_NOT_APPLICABLE"],
    ["once that was found, even if the clock is put back", backInTime, "APPROVAL_NOT_APPLICABLE"],
    ["once somebody has taken it back", (it) => say(it, "bo", "revoke"), "APPROVAL_NOT_APPLICABLE"],
    ["after it was used", (it) => decided(it, use(it)), "APPROVAL_NOT_APPLICABLE"],
    ["when its task was closed", ({ live, task }) => live.tasks.close(PORTAL, { id: task }), "TASK_CLOSED"],
    ["when its task was revoked", ({ live, task }) => live.tasks.revoke(PORTAL, { id: task }), "TASK_REVOKED"],
    ["when whoever said yes has lost the role", ({ live }) => live.load(payPolicy({ finance: ["user:bo"] })), "RULE_ASKS"],
    ["when nobody has the role any more", ({ live }) => live.load(payPolicy({ finance: ["gateway"] })), "NO_APPROVER"],
    ["when answers of people known by a token file count no more", ({ live }) => live.load(payPolicy({ settings: VERIFIED })), "NO_APPROVER"],
    ["when more people have to agree", ({ live }) => live.load(payPolicy({ quorum: 2 })), "RULE_ASKS"],
    ["when the risk is higher", ({ live }) => live.load(payPolicy({ points: 10 })), "RULE_ASKS"],
    ["when a second hold stands", ({ live }) => live.load(payPolicy({ rules: [asking("second", ["group:finance"])] })), "RULE_ASKS"],
    ["when the hold has other people", ({ live }) => live.load(payPolicy({ approvers: ["group:finance", "user:ann"] })), "RULE_ASKS"],
    ["when a rule denies", ({ live }) => live.load(payPolicy({ rules: [denying] })), "RULE_DENY"],
    ["when the risk is at the top", ({ live }) => live.load(payPolicy({ points: 90 })), "RISK_TOP"],
  ])("%s", async (_, end, code) => {
    const it = await approvedOnce();
    await end(it);
    const record = await decided(it, use(it));
    expect(record.judgement.outcome).not.toBe("ALLOW");
    expect(record.judgement.reasonCodes).toContain(code);
  });

  async function backInTime(it: Asked): Promise<void> {
    it.live.pass(60 * MINUTE);
    await decided(it, use(it));
    it.live.pass(-30 * MINUTE);
  }
  const VERIFIED = { approvers: { default: ["group:finance"], quorum: 1, require_verified: true } };
  const denying = {
    name: "no-payments",
    conditions: { all: [{ fact: "action.tool", operator: "equal", value: "bank/pay" }] },
    event: { type: "deny", params: { reason: "none today", controls: ["owasp:ASI02"] } },
  };
});
