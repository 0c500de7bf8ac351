import { beforeEach, describe, expect, it } from "vitest";
import type { Decider } from "../../src/core/decide.ts";
import type { DecisionRecord } from "../../src/core/record.ts";
import type { ReportRequest, Reports } from "../../src/core/reports.ts";
import type { Caller, DecisionRequest } from "../../src/core/request.ts";
import type { TaskKeeper } from "../../src/core/tasks/keeper.ts";
import type { Scope } from "../../src/core/tasks/scope.ts";
import { deciderOver, keeperOver, LIMITS, reportsOver } from "../storage/deciders.ts";
import { ask, CALLER } from "../storage/requests.ts";
import { type OpenedStorage, openMemory } from "../storage/storages.ts";

const MINUTE = 60_000;
const INITIATOR: Caller = { tenant: "default", id: "portal", roles: ["initiator"] };

let storage: OpenedStorage;
let decider: Decider;
let keeper: TaskKeeper;
let reports: Reports;
beforeEach(async () => {
  storage = await openMemory();
  decider = deciderOver(storage);
  keeper = keeperOver(storage);
  reports = reportsOver(storage);
});

const decide = async (change: Partial<DecisionRequest> = {}): Promise<DecisionRecord> => (await decider.decide(ask(change))).record;
const call = (tool: string, more: Partial<DecisionRequest> = {}) => decide({ action: { tool, arguments: {} }, ...more });

const report = (decision: string, change: Partial<ReportRequest> = {}, caller = CALLER) =>
  reports.report(caller, { decision, status: "executed", result: "", truncated: false, ...change });

async function openTask(scope: Scope = {}): Promise<string> {
  const { task } = await keeper.open(INITIATOR, {
    statement: "look after the inbox",
    principal: { type: "user", id: "alice" },
    agent: "bot",
    scopeKind: "issued",
    scope,
  });
  return task.id;
}

describe("a report", () => {
  it("raises what the task has seen by what the caller says of the result, and never lowers it", async () => {
    const id = await openTask();
    const read = await call("read", { task: { id } });
    await report(read.id, { labels: { classification: "confidential", categories: ["personal"], trust: "untrusted" } });
    const next = await call("read", { task: { id } });
    await report(next.id, { labels: { classification: "public", trust: "trusted" } });
    const last = await call("read", { task: { id } });
    expect(last.subject.task.seen).toEqual({
      classifications: ["confidential", "internal", "public"],
      categories: ["personal"],
      trust: "untrusted",
      systems: ["none"],
    });
  });

  it("is seen by every task of the tree, also by those of other agents", async () => {
    const id = await openTask();
    const { status } = await keeper.delegate(INITIATOR, { taskId: id, agent: "worker", scope: {}, narrow: false });
    const child = status.task.id;
    const read = await call("read", { task: { id: child }, agent: { id: "worker" } });
    await report(read.id, { labels: { categories: ["health"] } });
    expect((await call("read", { task: { id } })).subject.task.seen.categories).toEqual(["health"]);
  });

  it("is remembered for the agent's next self-asserted task, and by no registered one", async () => {
    const read = await call("read", { session: "one" });
    await report(read.id, { labels: { categories: ["personal"] } });
    expect((await call("read", { session: "two" })).subject.task.seen.categories).toEqual(["personal"]);
    const id = await openTask();
    expect((await call("read", { task: { id } })).subject.task.seen.categories).toEqual([]);
  });

  it("is answered again when the same comes twice, also at once, and only recorded once", async () => {
    const { id } = await call("read");
    const [first, second] = await Promise.all([report(id, { result: "a" }), report(id, { result: "a" })]);
    const third = await report(id, { result: "a" });
    expect([first.repeated, second.repeated, third.repeated]).toEqual([false, true, true]);
    expect(new Set([first, second, third].map((answer) => answer.report.id)).size).toBe(1);
  });

  it.each<{ says: string; change: Partial<ReportRequest> }>([
    { says: "another status", change: { status: "failed" } },
    { says: "another result", change: { result: "b" } },
    { says: "other labels", change: { labels: { trust: "untrusted" } } },
    { says: "other arguments", change: { argumentsDigest: `sha256:${"0".repeat(64)}` } },
    { says: "a result that was cut", change: { truncated: true } },
  ])("with $says than the first is refused", async ({ change }) => {
    const { id } = await call("read");
    await report(id);
    await expect(report(id, change)).rejects.toMatchObject({
      code: "REPORT_CONFLICT",
      message: `decision \`${id}\` was reported as \`executed\` before; the first report stands`,
    });
  });

  it.each<{ says: string; caller: Caller }>([
    { says: "another caller", caller: { ...CALLER, id: "other" } },
    { says: "another tenant", caller: { ...CALLER, tenant: "elsewhere" } },
  ])("by $says is about a decision that it never got", async ({ caller }) => {
    const { id } = await call("read");
    await expect(report(id, {}, caller)).rejects.toMatchObject({
      code: "DECISION_UNKNOWN",
      message: `\`${caller.id}\` got no decision \`${id}\`; a decision is reported by the caller that asked for it, under its whole id`,
    });
  });

  it.each<{ status: ReportRequest["status"]; tookEffect: boolean }>([
    { status: "executed", tookEffect: false },
    { status: "blocked", tookEffect: true },
    { status: "abandoned", tookEffect: true },
  ])("of what is $status does not say that it took effect: $tookEffect", async ({ status, tookEffect }) => {
    const { id } = await call("read");
    await expect(report(id, { status, tookEffect })).rejects.toMatchObject({ code: "REQUEST_MALFORMED", detail: { field: "took_effect" } });
  });

  it("tells other arguments than those that were decided, also where only their keyed digest is kept", async () => {
    const plain = await decider.decide(ask({ action: { tool: "read", arguments: { path: "a" } } }));
    const secret = await decider.decide(ask({ action: { tool: "read", arguments: { password: "a" } } }));
    const [same, kept, other] = [
      await report(plain.record.id, { argumentsDigest: plain.argumentsDigest }),
      await report(secret.record.id, { argumentsDigest: secret.argumentsDigest }),
      await report((await call("read")).id, { argumentsDigest: plain.argumentsDigest }),
    ];
    expect([same, kept, other].map((answer) => answer.report.mutated)).toEqual([false, false, true]);
  });

  it.each<{ says: string; change: Partial<ReportRequest>; bypassed: boolean }>([
    { says: "that was executed", change: {}, bypassed: true },
    { says: "that failed, perhaps after it took effect", change: { status: "failed" }, bypassed: true },
    { says: "that failed before it took effect", change: { status: "failed", tookEffect: false }, bypassed: false },
    { says: "that was blocked as it should", change: { status: "blocked" }, bypassed: false },
  ])("of a denied call $says: bypassed $bypassed", async ({ change, bypassed }) => {
    const denied = await call("leak", { session: "leaks", data: { categories: ["customer"] } });
    expect(denied.judgement.outcome).toBe("DENY");
    const answer = await report(denied.id, change);
    expect(answer.report.bypassed).toBe(bypassed);
    const next = await call("read", { session: "leaks" });
    expect(next.subject.task.seen.categories).toEqual(bypassed ? ["customer"] : []);
  });
});

describe("an allowed call that nobody reports", () => {
  it("counts after `windows.report_within` as the worst its tool can return, and as unreported", async () => {
    const id = await openTask();
    await call("read", { task: { id } });
    storage.clock.advance(10 * MINUTE - 1);
    expect((await call("write", { task: { id } })).subject.task).not.toHaveProperty("unreported");
    storage.clock.advance(1);
    const { task } = (await call("leak", { task: { id } })).subject;
    expect({ unreported: task.unreported, classifications: task.seen.classifications }).toEqual({
      unreported: 1,
      classifications: ["internal", "restricted"],
    });
  });

  it("stays seen when the report comes late, and is unreported no longer", async () => {
    const id = await openTask();
    const read = await call("read", { task: { id } });
    storage.clock.advance(10 * MINUTE);
    expect((await report(read.id, { status: "blocked" })).report.late).toBe(true);
    const { task } = (await call("read", { task: { id } })).subject;
    expect(task).not.toHaveProperty("unreported");
    expect(task.seen.classifications).toContain("restricted");
  });

  it("is not taken for worse when it was reported in time", async () => {
    const id = await openTask();
    const read = await call("read", { task: { id } });
    await report(read.id);
    storage.clock.advance(20 * MINUTE);
    expect((await call("leak", { task: { id } })).subject.task.seen.classifications).toEqual(["internal"]);
  });

  it("follows the agent into its next session, for the memory's window", async () => {
    await call("read", { session: "one" });
    storage.clock.advance(10 * MINUTE);
    expect((await call("leak", { session: "two" })).subject.task.seen.classifications).toContain("restricted");
    storage.clock.advance(24 * 60 * MINUTE);
    expect((await call("leak", { session: "three" })).subject.task.seen.classifications).toEqual([]);
  });

  it("counts at once when there are more than 256 to wait for", async () => {
    const id = await openTask();
    for (let n = 0; n < 256; n++) await call("read", { task: { id } });
    expect((await call("leak", { task: { id } })).subject.task.seen.classifications).toEqual(["internal"]);
    await call("read", { task: { id } });
    const { task } = (await call("leak", { task: { id } })).subject;
    expect({ unreported: task.unreported, classifications: task.seen.classifications }).toEqual({
      unreported: 1,
      classifications: ["internal", "restricted"],
    });
  });
});

describe("what an allowed call took from the budget", () => {
  const ONE: Scope = { maxCalls: { read: 1 } };

  it.each<{ says: string; change: Partial<ReportRequest>; outcome: string }>([
    { says: "is given back when it was blocked", change: { status: "blocked" }, outcome: "ALLOW" },
    { says: "is given back when it was abandoned", change: { status: "abandoned" }, outcome: "ALLOW" },
    { says: "is given back when it failed without effect", change: { status: "failed", tookEffect: false }, outcome: "ALLOW" },
    { says: "is gone when it failed, and nobody says that it had no effect", change: { status: "failed" }, outcome: "DENY" },
    { says: "is gone when it failed after it took effect", change: { status: "failed", tookEffect: true }, outcome: "DENY" },
    { says: "is gone when it was executed", change: {}, outcome: "DENY" },
  ])("$says", async ({ change, outcome }) => {
    const id = await openTask(ONE);
    const first = await call("read", { task: { id } });
    expect((await call("read", { task: { id } })).judgement.reasonCodes).toEqual(["BUDGET_SPENT"]);
    await report(first.id, change);
    expect((await call("read", { task: { id } })).judgement.outcome).toBe(outcome);
  });

  it("is given back to the task and to every task above it, once", async () => {
    const id = await openTask({ maxCalls: { read: 5 } });
    const { status } = await keeper.delegate(INITIATOR, { taskId: id, agent: "worker", scope: { maxCalls: { read: 2 } }, narrow: false });
    const child = status.task.id;
    const left = () => [id, child].map((task) => keeper.get(CALLER, task).status.left.calls.read);
    const read = await call("read", { task: { id: child }, agent: { id: "worker" } });
    expect(left()).toEqual([4, 1]);
    await report(read.id, { status: "blocked" });
    await report(read.id, { status: "blocked" });
    expect(left()).toEqual([5, 2]);
  });
});

describe("what a report shows", () => {
  it("counts as the highest classification where the policy lists none of that name, however many names there are", async () => {
    const id = await openTask();
    for (const classification of ["top-secret", "eyes-only", "cosmic"]) {
      const read = await call("read", { task: { id } });
      await report(read.id, { labels: { classification } });
    }
    expect((await call("read", { task: { id } })).subject.task.seen.classifications).toEqual(["internal", "restricted"]);
  });

  it("is not remembered without bound, also where it belongs to no task", async () => {
    const labels = (n: number) => ({ categories: Array.from({ length: LIMITS.categoriesSeenMax }, (_, at) => `${n}-${at}`) });
    const [first, second] = [await call("read", { task: { id: "nobody" } }), await call("read", { task: { id: "nobody" } })];
    await report(first.id, { labels: labels(1) });
    await expect(report(second.id, { labels: labels(2) })).rejects.toMatchObject({ code: "STATE_FULL", detail: { limit: "categories_seen" } });
  });

  it("changes nothing for an agent, or a task, that the caller's token does not cover", async () => {
    const stranger: Caller = { ...CALLER, id: "stranger", agents: ["other"] };
    const id = await openTask();
    const denied = (await decider.decide({ ...ask({ task: { id } }), caller: stranger })).record;
    expect(denied.judgement.reasonCodes).toEqual(["CALLER_NOT_ENTITLED"]);
    const { report: recorded } = await report(denied.id, { labels: { classification: "restricted", categories: ["health"] } }, stranger);
    expect(recorded.bypassed).toBe(true);
    expect((await call("read", { task: { id } })).subject.task.seen.classifications).toEqual([]);
    expect((await call("read", { session: "new" })).subject.task.seen.categories).toEqual([]);
  });

  it("changes nothing for another agent's task, unless the caller's token covers that agent too", async () => {
    const id = await openTask();
    const narrow: Caller = { ...CALLER, id: "narrow", agents: ["other"] };
    const strange = ask({ task: { id }, agent: { id: "other" } });
    const denied = (await decider.decide({ ...strange, caller: narrow })).record;
    expect(denied.judgement.reasonCodes).toEqual(["CHAIN_MISMATCH"]);
    await report(denied.id, { labels: { categories: ["health"] } }, narrow);
    expect((await call("read", { task: { id } })).subject.task.seen.categories).toEqual([]);
    expect((await call("read", { agent: { id: "other" } })).subject.task.seen.categories).toEqual(["health"]);
    const known = await decide(strange.request);
    await report(known.id, { labels: { categories: ["customer"] } });
    expect((await call("read", { task: { id } })).subject.task.seen.categories).toEqual(["customer"]);
  });
});

it("does not tell an agent's memory what another agent's task has seen, because it named that task", async () => {
  const id = await openTask();
  await call("mail/read", { task: { id } });
  storage.clock.advance(11 * MINUTE);
  const denied = await call("read", { task: { id }, agent: { id: "other" } });
  expect(denied.judgement.reasonCodes).toEqual(["CHAIN_MISMATCH"]);
  expect((await call("read", { agent: { id: "other" } })).subject.task.seen.classifications).toEqual([]);
});
