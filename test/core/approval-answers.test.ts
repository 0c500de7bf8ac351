import { describe, expect, it } from "vitest";
import type { GivenAnswer } from "../../src/core/approvals/approval.ts";
import type { Caller, DecisionRequest } from "../../src/core/request.ts";
import { instant } from "../../src/core/words.ts";
import { ARGUMENTS, type Asked, approvedOnce, asked, decided, FOREIGN, openedTask, paying, refusalOf, say, use } from "./asked-payment.ts";
import { asking, GATEWAY, type LiveApprovals, liveApprovals, PORTAL, payPolicy, person } from "./live-approvals.ts";

const MINUTE = 60_000;

describe("what somebody says counts", () => {
  const allowed = async (it: Asked): Promise<boolean> => (await decided(it, use(it))).judgement.outcome === "ALLOW";

  it.each<[who: string, caller: Caller, policy: Parameters<typeof payPolicy>[0]]>([
    ["whoever asks", { ...GATEWAY, roles: ["enforcer", "approver"] }, { finance: ["gateway", "user:ann"] }],
    ["the agent that acts", { ...person("ann"), id: "payer" }, { finance: ["payer", "user:ann"] }],
    ["the agent that acts, under the name of a person", person("payer"), { finance: ["user:payer", "user:ann"] }],
    ["the agent that acts, under the name of an agent", { ...person("ann"), id: "agent:payer" }, { finance: ["agent:payer", "user:ann"] }],
    ["the token of the agent that acts, whatever it is called", { ...person("ann"), roles: ["enforcer", "approver"], agents: ["pay*"] }, {}],
    ["the person whose task it is, about what it may do", person("alice"), { finance: ["user:alice", "user:ann"] }],
    ["somebody whom the hold does not name", person("local"), {}],
    ["whoever opened the task, where the hold does not ask them", { ...PORTAL, roles: ["initiator", "approver"] }, {}],
    ["somebody of another tenant", { ...person("ann"), tenant: "elsewhere" }, {}],
  ])("not if it is %s", async (_, caller, change) => {
    const it = await asked(payPolicy(change));
    const refusal = await refusalOf(it.live.approvals.resolve(caller, { id: it.approval, verdict: "approve" }));
    expect(["CALLER_FORBIDDEN", "APPROVAL_UNKNOWN"]).toContain(refusal.code);
    expect(await allowed(it)).toBe(false);
  });

  it("not if it is an agent that handed the task on", async () => {
    const live = liveApprovals({ policy: payPolicy({ finance: ["user:payer", "user:ann"] }) });
    const root = await openedTask(live);
    const { status } = await live.tasks.delegate(PORTAL, { taskId: root, agent: "clerk", scope: {}, narrow: true });
    const request: DecisionRequest = { agent: { id: "clerk" }, task: { id: status.task.id }, action: { tool: "bank/pay", arguments: ARGUMENTS } };
    const approval = (await decided({ live }, request)).approval?.id ?? "none";
    const refusal = await refusalOf(live.approvals.resolve(person("payer"), { id: approval, verdict: "approve" }));
    expect(refusal.code).toBe("CALLER_FORBIDDEN");
  });

  it("not twice", async () => {
    const it = await asked(payPolicy({ quorum: 2 }));
    await say(it, "ann");
    await say(it, "ann");
    expect(await allowed(it)).toBe(false);
    await say(it, "bo");
    expect(await allowed(it)).toBe(true);
  });

  it("not if the policy let them say so then and does not now, though enough others could", async () => {
    const it = await asked(payPolicy({ quorum: 2 }));
    await say(it, "ann");
    it.live.load(payPolicy({ quorum: 2, finance: ["user:bo", "user:cy"] }));
    await say(it, "bo");
    expect(await allowed(it)).toBe(false);
    await say(it, "cy");
    expect(await allowed(it)).toBe(true);
  });

  it("to each hold that they may answer, and to no other", async () => {
    const it = await asked(payPolicy({ rules: [asking("second", ["user:dan"])] }));
    await say(it, "ann");
    expect(await allowed(it)).toBe(false);
    await say(it, "dan");
    expect(await allowed(it)).toBe(true);
  });

  it("to what the person meant whose task it is", async () => {
    const asks = { basis: { AUTHORIZED: { "*": "ask" }, INFERRED: {}, AVAILABLE: {} } };
    const it = await asked(payPolicy({ rules: [], approvers: ["user:ann"], settings: asks }));
    await say(it, "ann");
    expect(await allowed(it)).toBe(false);
    await say(it, "alice");
    expect(await allowed(it)).toBe(true);
  });

  it("for good if it is a no, whatever is said afterwards", async () => {
    const it = await asked();
    await say(it, "ann", "deny");
    expect((await refusalOf(say(it, "bo"))).code).toBe("APPROVAL_SETTLED");
    for (const request of [it.request, use(it), { ...it.request, approvalId: "forged" }]) {
      expect((await decided(it, request)).judgement).toMatchObject({ outcome: "DENY", reasonCodes: ["APPROVAL_DENIED"] });
    }
  });

  it.each([undefined, "", "  \n"])("not if it is a no that says nothing: %o", async (comment) => {
    const it = await asked();
    const answer = { id: it.approval, verdict: "deny" as const, ...(comment !== undefined && { comment }) };
    expect((await refusalOf(it.live.approvals.resolve(person("ann"), answer))).code).toBe("REQUEST_MALFORMED");
  });

  it("again when the policy lets them answer more than they could", async () => {
    const rules = [asking("second", ["group:finance"])];
    const two = (finance: readonly string[]) => payPolicy({ finance, approvers: ["user:ann"], rules });
    const it = await asked(two(["user:bo"]));
    await say(it, "ann");
    it.live.load(two(["user:bo", "user:ann"]));
    await say(it, "ann");
    expect(await allowed(it)).toBe(true);
  });

  it("again when the policy counts those again who had said yes", async () => {
    const it = await asked(payPolicy({ quorum: 2 }));
    await say(it, "ann");
    it.live.load(payPolicy({ quorum: 2, finance: ["user:bo", "user:cy"] }));
    await say(it, "bo");
    it.live.load(payPolicy({ quorum: 2 }));
    await say(it, "ann");
    expect(await allowed(it)).toBe(true);
  });
});

describe("an id that is not its", () => {
  it("tells nothing of what it names", async () => {
    const it = await asked();
    const foreign = await decided({ live: it.live }, { ...it.request, task: { id: await foreignTask(it.live) } }, FOREIGN);
    const others = await decided(it, paying(it, { amount: 5 }), { ...GATEWAY, id: "other-gateway" });
    const ids = ["forged", "", foreign.approval?.id ?? "none", others.approval?.id ?? "none"];
    expect(ids).not.toContain("none");
    const said = [];
    for (const approvalId of ids) {
      const { judgement, subject } = await decided(it, { ...it.request, approvalId });
      said.push({ outcome: judgement.outcome, codes: judgement.reasonCodes, why: subject.approval?.standing !== "covers" && subject.approval?.why });
    }
    expect(new Set(said.map((one) => JSON.stringify(one))).size).toBe(1);
    expect(said[0]).toMatchObject({ outcome: "REQUIRE_APPROVAL", codes: ["RULE_ASKS", "APPROVAL_NOT_APPLICABLE"] });
    const words = await Promise.all(
      ["forged", ids[2] ?? ""].map(async (id) => (await refusalOf(it.live.approvals.show(person("ann"), id))).message.replace(id, "…")),
    );
    expect(words[0]).toBe(words[1]);
  });

  async function foreignTask(live: LiveApprovals): Promise<string> {
    const { task } = await live.tasks.open(
      { ...PORTAL, tenant: "elsewhere" },
      { statement: "pay", principal: { type: "user", id: "alice" }, agent: "payer", scopeKind: "issued", scope: {} },
    );
    return task.id;
  }
});

describe("an answer that was given before", () => {
  it("is not given again once somebody has taken back what allowed it", async () => {
    const it = await asked();
    await it.live.approvals.resolve(person("ann"), { id: it.approval, verdict: "approve", endorsement: { uses: 3 } });
    const attempt = { ...use(it), requestId: "r-1" };
    expect((await decided(it, attempt)).judgement.outcome).toBe("ALLOW");
    await say(it, "bo", "revoke");
    const { record, replayed } = await it.live.decider.decide({ caller: GATEWAY, request: attempt });
    expect([record.judgement.outcome, record.judgement.reasonCodes, replayed]).toEqual(["DENY", ["NO_LONGER_STANDS"], false]);
  });

  it("is given again when its approval was used up, as long as it stands", async () => {
    const it = await approvedOnce();
    const attempt = { ...use(it), requestId: "r-1" };
    const first = await decided(it, attempt);
    it.live.pass(59_000);
    expect((await decided(it, attempt)).id).toBe(first.id);
    it.live.pass(2_000);
    expect((await decided(it, attempt)).judgement).toMatchObject({ outcome: "DENY", reasonCodes: ["NO_LONGER_STANDS"] });
  });
});

describe("a wider yes", () => {
  const endorse = (it: Asked, endorsement: NonNullable<GivenAnswer["endorsement"]>) =>
    it.live.approvals.resolve(person("ann"), { id: it.approval, verdict: "approve", endorsement });
  const outcomeOf = async (it: Asked, request: DecisionRequest): Promise<string> => (await decided(it, request)).judgement.outcome;

  it("is not taken for one that ends early where it says no more than the one use", async () => {
    const it = await asked();
    const refused = await refusalOf(endorse(it, { until: instant(it.live.now() + MINUTE) }));
    expect([refused.code, refused.detail]).toEqual(["REQUEST_MALFORMED", { field: "endorsement.until" }]);
  });

  it("holds for so many uses, and for none afterwards", async () => {
    const it = await asked();
    await endorse(it, { uses: 3 });
    const outcomes = [];
    for (const amount of [100, 1, 50, 1]) outcomes.push(await outcomeOf(it, paying(it, { amount, memo: "another one" })));
    expect(outcomes).toEqual(["ALLOW", "ALLOW", "ALLOW", "REQUIRE_APPROVAL"]);
  });

  it.each<[says: string, args: object]>([
    ["more", { amount: 100.01 }],
    ["an amount that looks like the mark for one", { amount: { varies: "amount" } }],
    ["an amount below nothing", { amount: -1 }],
    ["text that is no text", { memo: { html: "invoice 7" } }],
    ["text in a list", { memo: ["invoice 7"] }],
    ["text where there was none", { note: "hello" }],
    ["text so long that nobody reads it", { memo: "invoice 7 ".repeat(1_001) }],
    ["a path in letters that only look like those shown", { memo: "invoice 7 https://shop.example/１２" }],
    ["another account, whatever stands between its digits", { memo: "invoice 7, no: DE02*1203*0000*0000*2020*51" }],
  ])("does not hold for %s", async (_, args) => {
    const it = await asked();
    await endorse(it, { uses: 3 });
    expect(await outcomeOf(it, paying(it, args))).toBe("REQUIRE_APPROVAL");
    expect(await outcomeOf(it, paying(it, { amount: 1 }))).toBe("ALLOW");
  });

  it("keeps no secret in clear, whatever the catalog calls it", async () => {
    const it = await asked();
    const secret = "hunter2-hunter2-hunter2";
    const { record } = await it.live.decider.decide({ caller: GATEWAY, request: paying(it, { pin: secret, memo: { api_key: secret } }) });
    const state = it.live.ledger.peek(NOBODY, ({ approvals }) => approvals.get(record.approval?.id ?? ""));
    expect(state).toBeDefined();
    expect(JSON.stringify(state)).not.toContain(secret);
  });
  const NOBODY = { tenant: "default", caller: "none", agent: "none", principal: "none", session: "none" };

  it("endorses values for as long as the task lives, whether or not it was written down that its action was not taken", async () => {
    const it = await asked();
    await endorse(it, { values: [ARGUMENTS.to] });
    const endorsed = async () => (await decided(it, { ...it.request, action: { tool: "bank/read", arguments: {} } })).subject.endorsed?.values;
    it.live.pass(61 * MINUTE);
    expect(await endorsed()).toEqual([ARGUMENTS.to]);
    expect(await it.live.approvals.sweep()).toBe(1);
    expect(await endorsed()).toEqual([ARGUMENTS.to]);
    await say(it, "bo", "revoke");
    expect(await endorsed()).toBeUndefined();
  });

  it("endorses nothing any more when those who said it may not say it now", async () => {
    const it = await asked();
    await endorse(it, { values: [ARGUMENTS.to] });
    it.live.load(payPolicy({ finance: ["user:bo"] }));
    const record = await decided(it, { ...it.request, action: { tool: "bank/read", arguments: {} } });
    expect(record.subject.endorsed).toBeUndefined();
  });

  it("knows what the task states until its words are over", async () => {
    const live = liveApprovals({ policy: payPolicy() });
    const { task } = await live.tasks.open(PORTAL, {
      statement: "pay what billing@corp.example sends",
      statementExpiresAt: instant(live.now() + 10 * MINUTE),
      principal: { type: "user", id: "alice" },
      agent: "payer",
      scopeKind: "issued",
      scope: {},
    });
    const request: DecisionRequest = { agent: { id: "payer" }, task: { id: task.id }, action: { tool: "bank/pay", arguments: ARGUMENTS } };
    live.pass(11 * MINUTE);
    const approval = (await decided({ live }, request)).approval?.id ?? "none";
    const it = { live, task: task.id, request, approval };
    await endorse(it, { uses: 3 });
    expect(await outcomeOf(it, paying(it, { memo: "for billing@corp.example" }))).toBe("REQUIRE_APPROVAL");
  });
});

describe("people who cannot be asked", () => {
  it("are not replaced by a person whom only the request names", async () => {
    const live = liveApprovals({ policy: payPolicy({ approvers: ["principal"] }) });
    const delegation = [
      { type: "user", id: "alice" },
      { type: "agent", id: "payer" },
    ] as const;
    const record = await decided({ live }, { agent: { id: "payer" }, action: { tool: "bank/pay", arguments: ARGUMENTS }, delegation });
    expect(record.judgement).toMatchObject({ outcome: "DENY", reasonCodes: ["NO_APPROVER"] });
  });

  it("are known by one name, whether or not the task names their kind twice", async () => {
    const live = liveApprovals({ policy: payPolicy({ finance: ["user:alice"] }) });
    const { task } = await live.tasks.open(PORTAL, {
      statement: "pay",
      principal: { type: "user", id: "user:alice" },
      agent: "payer",
      scopeKind: "issued",
      scope: {},
    });
    const record = await decided({ live }, { agent: { id: "payer" }, task: { id: task.id }, action: { tool: "bank/pay", arguments: ARGUMENTS } });
    expect(record.judgement).toMatchObject({ outcome: "DENY", reasonCodes: ["NO_APPROVER"] });
  });
});

describe("a no with an end", () => {
  it("holds until then, and people are asked again", async () => {
    const it = await asked(payPolicy({ settings: { reask_after: "30m" } }));
    await say(it, "ann", "deny");
    it.live.pass(30 * MINUTE - 1);
    expect((await decided(it, it.request)).judgement.reasonCodes).toEqual(["APPROVAL_DENIED"]);
    it.live.pass(1);
    const record = await decided(it, use(it));
    expect(record.judgement.reasonCodes).toEqual(["RULE_ASKS", "APPROVAL_NOT_APPLICABLE"]);
    expect(record.approval?.id).not.toBe(it.approval);
  });
});

describe("when no more approvals can be remembered", () => {
  it("nobody is asked anything new, and nothing is written; what was asked before goes on", async () => {
    const it = await asked();
    const full = liveApprovals({ policy: payPolicy(), approvalsMax: 1 });
    const task = await openedTask(full);
    const request: DecisionRequest = { ...it.request, task: { id: task } };
    const approval = (await decided({ live: full }, request)).approval?.id ?? "none";
    const inFull: Asked = { live: full, task, request, approval };
    const refusal = await refusalOf(decided(inFull, paying(inFull, { amount: 5 })));
    expect([refusal.code, refusal.detail.limit]).toEqual(["STATE_FULL", "approvals"]);
    expect((await full.approvals.list(person("ann"), { limit: 10 })).total).toBe(1);
    expect((await decided(inFull, request)).approval?.id).toBe(approval);
    await say(inFull, "ann");
    expect((await decided(inFull, use(inFull))).judgement.outcome).toBe("ALLOW");
  });
});

describe("an agent that asks too much", () => {
  const few = () => payPolicy({ settings: { asked_per_hour: { agent: 2, task: 100 } } });
  const asks = async (it: Asked, ...amounts: readonly number[]) => {
    const records = [];
    for (const amount of amounts) records.push(await decided(it, paying(it, { amount })));
    return records;
  };

  it("has one question put for all that it asks beyond, and that covers none of it", async () => {
    const it = await asked(few());
    const [, third, fourth] = await asks(it, 1, 2, 3);
    expect(third?.approval?.id).toBe(fourth?.approval?.id);
    const flood: Asked = { ...it, approval: third?.approval?.id ?? "none" };
    expect((await refusalOf(say(flood, "bo"))).code).toBe("CALLER_FORBIDDEN");
    await say(flood, "ann");
    for (const amount of [2, 3]) {
      const { judgement, approval } = await decided(it, { ...paying(it, { amount }), approvalId: flood.approval });
      expect([judgement.outcome, approval?.id === flood.approval]).toEqual(["REQUIRE_APPROVAL", false]);
    }
  });

  it("keeps what it was allowed, and what it was asked before, when it is told not to ask", async () => {
    const it = await asked(few());
    const [second, flooded] = await asks(it, 1, 2);
    await say(it, "ann");
    await it.live.approvals.resolve(person("ann"), { id: flooded?.approval?.id ?? "none", verdict: "deny", comment: "too many" });
    expect((await asks(it, 2, 3)).map(({ judgement }) => judgement.reasonCodes)).toEqual([["APPROVAL_DENIED"], ["APPROVAL_DENIED"]]);
    expect((await asks(it, 1)).map(({ approval }) => approval?.id)).toEqual([second?.approval?.id]);
    expect((await decided(it, use(it))).judgement.outcome).toBe("ALLOW");
    it.live.pass(60 * MINUTE);
    expect((await asks(it, 3)).map(({ judgement }) => judgement.outcome)).toEqual(["REQUIRE_APPROVAL"]);
  });
});

describe("a task that is handed on", () => {
  it("takes its approvals with it when one above it ends", async () => {
    const live = liveApprovals({ policy: payPolicy() });
    const root = await openedTask(live, "planner");
    const { status } = await live.tasks.delegate(PORTAL, { taskId: root, agent: "payer", scope: {}, narrow: true });
    const request: DecisionRequest = { agent: { id: "payer" }, task: { id: status.task.id }, action: { tool: "bank/pay", arguments: ARGUMENTS } };
    const ask = async (amount: number): Promise<Asked> => {
      const it = { live, task: status.task.id, request, approval: "none" };
      const changed = paying(it, { amount });
      return { ...it, request: changed, approval: (await decided({ live }, changed)).approval?.id ?? "none" };
    };
    const [pending, approved] = [await ask(1), await ask(2)];
    await say(approved, "ann");
    await live.tasks.revoke(PORTAL, { id: root });
    expect((await refusalOf(say(pending, "ann"))).code).toBe("APPROVAL_SETTLED");
    for (const it of [pending, approved]) {
      expect(live.approvals.status(person("ann"), it.approval).standing).toBe("cancelled");
      expect((await decided(it, use(it))).judgement).toMatchObject({ outcome: "DENY", reasonCodes: ["TASK_REVOKED"] });
    }
  });
});
