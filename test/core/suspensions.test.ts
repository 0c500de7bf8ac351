import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { judge } from "../../src/core/judge.ts";
import type { DecisionRequest } from "../../src/core/request.ts";
import {
  APPLIED_MAX,
  checkTarget,
  holds,
  type Suspension,
  type SuspensionSubject,
  Suspensions,
  type SuspensionTarget,
} from "../../src/core/suspensions.ts";
import { EFFECTS, instant } from "../../src/core/words.ts";
import { compilePolicy } from "../../src/policy/load.ts";
import { FULL_REACH, filesOf } from "../policies.ts";
import { deciderOver } from "../storage/deciders.ts";
import { ask } from "../storage/requests.ts";
import { openMemory } from "../storage/storages.ts";
import { controlOver, OPERATOR } from "./controls.ts";

const SUBJECT: SuspensionSubject = {
  tenant: "default",
  agents: ["worker", "planner"],
  principals: ["agent:worker", "user:alice", "agent:planner"],
  tool: "mail/send",
  effects: ["send"],
  tasks: ["task-1", "task-0"],
};

const suspensionOf = (change: Partial<Suspension> = {}): Suspension => ({
  id: "s1",
  tenant: "default",
  kind: "agent",
  value: "worker",
  reason: "why",
  by: "local-operator",
  at: instant(1_000),
  ...change,
});

const covers = (change: Partial<Suspension>, subject: Partial<SuspensionSubject> = {}, atMs = 2_000): boolean => {
  const suspensions = new Suspensions();
  suspensions.add(suspensionOf(change));
  return suspensions.covering({ ...SUBJECT, ...subject }, instant(atMs)).length > 0;
};

describe("a suspension", () => {
  it.each<{ says: string; of: Partial<Suspension>; subject?: Partial<SuspensionSubject>; covered: boolean }>([
    { says: "of everything covers every tenant", of: { kind: "all", value: "" }, subject: { tenant: "elsewhere" }, covered: true },
    { says: "of a tenant covers it", of: { kind: "tenant", value: "default" }, covered: true },
    { says: "of a tenant covers it whoever made it", of: { kind: "tenant", value: "elsewhere" }, subject: { tenant: "elsewhere" }, covered: true },
    { says: "of a tenant covers no other", of: { kind: "tenant", value: "elsewhere" }, covered: false },
    { says: "of the acting agent", of: { kind: "agent", value: "worker" }, covered: true },
    { says: "of an agent that handed on", of: { kind: "agent", value: "planner" }, covered: true },
    { says: "of another agent", of: { kind: "agent", value: "plan" }, covered: false },
    { says: "of an agent spelled otherwise", of: { kind: "agent", value: "Worker" }, covered: false },
    { says: "of an agent of another tenant", of: { kind: "agent", value: "worker", tenant: "elsewhere" }, covered: false },
    { says: "of the person", of: { kind: "principal", value: "user:alice" }, covered: true },
    { says: "of an agent as a principal", of: { kind: "principal", value: "agent:planner" }, covered: true },
    { says: "of a service of the person's name", of: { kind: "principal", value: "service:alice" }, covered: false },
    { says: "of the tool", of: { kind: "tool", value: "mail/send" }, covered: true },
    { says: "of the server's tools", of: { kind: "tool", value: "mail/*" }, covered: true },
    { says: "of all tools", of: { kind: "tool", value: "*" }, covered: true },
    { says: "of a pattern that ends in a segment", of: { kind: "tool", value: "mail/*" }, subject: { tool: "mail/drafts/send" }, covered: false },
    { says: "of a pattern across segments", of: { kind: "tool", value: "mail/**" }, subject: { tool: "mail/drafts/send" }, covered: true },
    { says: "of a pattern of another tenant", of: { kind: "tool", value: "*", tenant: "elsewhere" }, covered: false },
    { says: "of another tool", of: { kind: "tool", value: "mail/sen" }, covered: false },
    { says: "of the effect", of: { kind: "effect", value: "send" }, covered: true },
    { says: "of another effect", of: { kind: "effect", value: "pay" }, covered: false },
    {
      says: "of an effect covers the unknown one, which may be any",
      of: { kind: "effect", value: "pay" },
      subject: { effects: ["unknown"] },
      covered: true,
    },
    { says: "of the unknown effect covers no known one", of: { kind: "effect", value: "unknown" }, covered: false },
    { says: "of the task", of: { kind: "task", value: "task-1" }, covered: true },
    { says: "of the task's ancestor", of: { kind: "task", value: "task-0" }, covered: true },
    { says: "of another task", of: { kind: "task", value: "task" }, covered: false },
  ])("$says: $covered", ({ of, subject, covered }) => {
    expect(covers(of, subject)).toBe(covered);
  });

  it.each([
    { says: "before it was made, for clocks step back", atMs: 0, covered: true },
    { says: "a millisecond before its end", atMs: 4_999, covered: true },
    { says: "at its end", atMs: 5_000, covered: false },
    { says: "long after", atMs: 9_000_000, covered: false },
  ])("with an end holds $says: $covered", ({ atMs, covered }) => {
    expect(covers({ until: instant(5_000) }, {}, atMs)).toBe(covered);
  });

  it("is recorded with few others, for one is enough", () => {
    const suspensions = new Suspensions();
    for (let n = 0; n < 100; n++) suspensions.add(suspensionOf({ id: `s${n}`, reason: `why ${n}` }));
    const applied = suspensions.covering(SUBJECT, instant(0));
    expect(applied).toHaveLength(APPLIED_MAX);
    expect(applied[0]).toEqual({ id: "s0", kind: "agent", value: "worker", reason: "why 0" });
  });

  it("is named once, however much of it applies", () => {
    const suspensions = new Suspensions();
    suspensions.add(suspensionOf());
    expect(suspensions.covering({ ...SUBJECT, agents: ["worker", "worker"] }, instant(0))).toHaveLength(1);
  });

  it.each<{ target: SuspensionTarget; message: string }>([
    {
      target: { kind: "all", value: "x" },
      message: "`value` is `x`: a suspension of everything names nothing; leave it out, or choose another kind",
    },
    { target: { kind: "agent", value: "" }, message: "`value` is missing: name the agent to suspend" },
    {
      target: { kind: "effect", value: "sends" },
      message:
        "`value` is `sends`, which is no effect; write one of read, browse, create, update, delete, send, share, pay, credential, execute, unknown",
    },
    {
      target: { kind: "principal", value: "alice" },
      message: "`value` is `alice`, which is no principal; write `user:ID`, `service:ID` or `agent:ID`",
    },
    {
      target: { kind: "principal", value: "user:" },
      message: "`value` is `user:`, which is no principal; write `user:ID`, `service:ID` or `agent:ID`",
    },
  ])("of $target.kind `$target.value` is refused", ({ target, message }) => {
    expect(() => checkTarget(target)).toThrow(expect.objectContaining({ code: "REQUEST_MALFORMED", message }));
  });
});

const word = fc.constantFrom("a", "b", "m/a", "m/b");
const tenant = fc.constantFrom("default", "elsewhere");
const randomSuspension = fc.record(
  {
    id: fc.uuid(),
    tenant,
    kind: fc.constantFrom("all", "tenant", "agent", "principal", "tool", "effect", "task"),
    value: fc.oneof(word, tenant, fc.constantFrom("user:a", "*", "m/*", "**a", "send", "pay")),
    until: fc.option(fc.integer({ min: 0, max: 10 }), { nil: undefined }),
  },
  { noNullPrototype: true },
);
const randomSubject: fc.Arbitrary<SuspensionSubject> = fc.record({
  tenant,
  agents: fc.array(word, { maxLength: 3 }),
  principals: fc.array(fc.constantFrom("user:a", "agent:b"), { maxLength: 2 }),
  tool: word,
  effects: fc.subarray([...EFFECTS], { maxLength: 2 }),
  tasks: fc.array(word, { maxLength: 2 }),
});

/** What design.md §5 says, word for word. */
function naive({ kind, value, ...suspension }: Suspension, subject: SuspensionSubject, atMs: number): boolean {
  if (suspension.until !== undefined && atMs >= suspension.until) return false;
  if (kind === "all") return true;
  if (kind === "tenant") return subject.tenant === value;
  if (suspension.tenant !== subject.tenant) return false;
  const pattern = value.replaceAll(/\*+/g, (stars) => (value === "*" || stars.length > 1 ? ".*" : "[^/]*"));
  switch (kind) {
    case "agent":
      return subject.agents.includes(value);
    case "principal":
      return subject.principals.includes(value);
    case "tool":
      return new RegExp(`^${pattern}$`).test(subject.tool);
    case "effect":
      return subject.effects.some((effect) => effect === value || (effect === "unknown" && EFFECTS.some((known) => known === value)));
    case "task":
      return subject.tasks.includes(value);
  }
}

it("many suspensions cover what each of them does, whatever was added and removed", () => {
  const steps = fc.array(fc.tuple(randomSuspension, fc.boolean()), { maxLength: 12 });
  fc.assert(
    fc.property(steps, randomSubject, fc.integer({ min: 0, max: 10 }), (added, subject, atMs) => {
      const suspensions = new Suspensions();
      const kept: Suspension[] = [];
      for (const [{ until, value, ...rest }, stays] of added) {
        const kind = rest.kind;
        const suspension = suspensionOf({ ...rest, kind, value: kind === "all" ? "" : value, ...(until !== undefined && { until: instant(until) }) });
        suspensions.add(suspension);
        if (stays) kept.push(suspension);
        else suspensions.remove(suspension.id);
      }
      const covering = kept.filter((suspension) => naive(suspension, subject, atMs));
      const found = suspensions.covering(subject, instant(atMs)).map(({ id }) => id);
      expect(found).toHaveLength(Math.min(covering.length, APPLIED_MAX));
      expect(covering.map(({ id }) => id)).toEqual(expect.arrayContaining(found));
      expect(suspensions.inForce(instant(atMs))).toEqual(kept.filter((suspension) => holds(suspension, instant(atMs))));
      suspensions.forget(instant(atMs));
      expect(suspensions.size).toBe(suspensions.inForce(instant(atMs)).length);
      expect(suspensions.covering(subject, instant(atMs)).map(({ id }) => id)).toEqual(found);
    }),
    { numRuns: 3_000 },
  );
});

const FILES = filesOf({
  settings: { reach: { default: FULL_REACH } },
  tools: {
    "mail/read": { effect: "read", reversibility: "reversible", output: { trust: "trusted" } },
    "mail/send": { effect: "send", reversibility: "irreversible", output: { trust: "trusted" } },
  },
  rules: [
    {
      name: "sends-are-denied",
      conditions: { all: [{ fact: "action.effect", operator: "in", value: ["send", "unknown"] }] },
      event: { type: "deny", params: { reason: "r", controls: ["owasp:ASI02"] } },
    },
  ],
});
const { policy } = compilePolicy(FILES);

const randomRequest: fc.Arbitrary<DecisionRequest> = fc
  .record({
    agent: fc.constantFrom("a", "b"),
    tool: fc.constantFrom("mail/read", "mail/send", "unlisted"),
    chain: fc.constantFrom<DecisionRequest["delegation"]>(undefined, [{ type: "user", id: "a" }]),
    effect: fc.constantFrom(undefined, "read" as const, "pay" as const),
  })
  .map(({ agent, tool, chain, effect }) => ({
    agent: { id: agent },
    action: { tool, arguments: {}, ...(effect && { effect }) },
    ...(chain && { delegation: [...chain, { type: "agent" as const, id: agent }] }),
  }));

const RANK = { DENY: 0, REQUIRE_APPROVAL: 1, ALLOW: 2 };

it("adding a suspension makes no outcome better, and resuming it restores each exactly", async () => {
  const kinds = fc.constantFrom<SuspensionTarget>(
    { kind: "all", value: "" },
    { kind: "tenant", value: "default" },
    { kind: "agent", value: "a" },
    { kind: "principal", value: "user:a" },
    { kind: "tool", value: "mail/*" },
    { kind: "effect", value: "read" },
    { kind: "task", value: "none-such" },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(kinds, { minLength: 1, maxLength: 4 }),
      fc.array(randomRequest, { minLength: 1, maxLength: 4 }),
      async (targets, requests) => {
        const storage = await openMemory();
        const decider = deciderOver(storage, { policy });
        const control = controlOver(storage);
        const outcomes = async () =>
          Promise.all(
            requests.map(async (request) => {
              const { outcome, basis, score, findings, holds: asked, reasonCodes } = (await decider.explain(ask(request))).verdict.judgement;
              return { outcome, basis, score, findings, asked, reasonCodes };
            }),
          );
        const before = await outcomes();
        const ids: string[] = [];
        let last = before;
        for (const target of targets) {
          ids.push((await control.suspend(OPERATOR, { ...target, reason: "r" })).suspension.id);
          const now = await outcomes();
          for (const [n, { outcome }] of now.entries()) expect(RANK[outcome]).toBeLessThanOrEqual(RANK[last[n]?.outcome ?? "DENY"]);
          last = now;
        }
        for (const id of ids) await control.resume(OPERATOR, { id });
        expect(await outcomes()).toEqual(before);
      },
    ),
    { numRuns: 500 },
  );
});

describe("a decision that a suspension denies", () => {
  it("records the suspensions that cover it and no others, and is made again from its record", async () => {
    const storage = await openMemory();
    const control = controlOver(storage);
    const { suspension } = await control.suspend(OPERATOR, { kind: "agent", value: "bot", reason: "it runs amok" });
    await control.suspend(OPERATOR, { kind: "agent", value: "other", reason: "r" });
    const { record } = await deciderOver(storage, { policy }).decide(ask({ action: { tool: "mail/read", arguments: {} } }));
    expect(record.subject.suspended).toEqual([{ id: suspension.id, kind: "agent", value: "bot", reason: "it runs amok" }]);
    expect(record.judgement).toMatchObject({ outcome: "DENY", basis: "NONE", reasonCodes: ["SUSPENDED"], holds: [] });
    expect(record.judgement.findings[0]).toMatchObject({
      rule: "behest:suspended",
      reason: `suspension \`${suspension.id}\` stops agent \`bot\`: it runs amok`,
    });
    const { at, tenant: its, caller, subject } = record;
    expect(judge(policy, { at, tenant: its, caller, ...subject }).judgement).toEqual(record.judgement);
  });

  it("leaves no word of suspensions in one that none covers", async () => {
    const storage = await openMemory();
    await controlOver(storage).suspend(OPERATOR, { kind: "agent", value: "other", reason: "r" });
    const { record } = await deciderOver(storage, { policy }).decide(ask({ action: { tool: "mail/read", arguments: {} } }));
    expect(record.subject).not.toHaveProperty("suspended");
    expect(record.judgement.outcome).toBe("ALLOW");
  });

  it("is stopped by whom its task is for, also when the request does not say so again", async () => {
    const storage = await openMemory();
    const decider = deciderOver(storage, { policy });
    const action = { tool: "mail/read", arguments: {} };
    const delegation = [
      { type: "user", id: "alice" },
      { type: "agent", id: "bot" },
    ] as const;
    const { record } = await decider.decide(ask({ action, delegation }));
    await controlOver(storage).suspend(OPERATOR, { kind: "principal", value: "user:alice", reason: "r" });
    const again = await decider.decide(ask({ action, task: { id: record.subject.task.id ?? "" } }));
    expect(again.record.judgement.reasonCodes).toEqual(["SUSPENDED"]);
    expect((await decider.decide(ask({ action }))).record.judgement.outcome).toBe("ALLOW");
  });

  it("is stopped by its task, named or joined", async () => {
    const storage = await openMemory();
    const decider = deciderOver(storage, { policy });
    const action = { tool: "mail/read", arguments: {} };
    const id = (await decider.decide(ask({ action }))).record.subject.task.id ?? "";
    await controlOver(storage).suspend(OPERATOR, { kind: "task", value: id, reason: "r" });
    expect((await decider.decide(ask({ action, task: { id } }))).record.judgement.reasonCodes).toEqual(["SUSPENDED"]);
    expect((await decider.decide(ask({ action }))).record.judgement.reasonCodes).toEqual(["SUSPENDED"]);
    expect((await decider.decide(ask({ action, session: "another" }))).record.judgement.outcome).toBe("ALLOW");
  });
});

describe("an ALLOW that is asked for again under its id", () => {
  const attempt = (change: Partial<DecisionRequest> = {}) => ask({ action: { tool: "mail/read", arguments: {} }, requestId: "r1", ...change });

  it("no longer stands while a suspension covers it, and then never again", async () => {
    const storage = await openMemory();
    const decider = deciderOver(storage, { policy });
    const control = controlOver(storage);
    const first = await decider.decide(attempt());
    const { suspension } = await control.suspend(OPERATOR, { kind: "tool", value: "mail/**", reason: "r" });
    const second = await decider.decide(attempt());
    expect(second).toMatchObject({ replayed: false, recorded: true });
    expect(second.record.judgement).toMatchObject({ outcome: "DENY", reasonCodes: ["NO_LONGER_STANDS", "SUSPENDED"] });
    expect(second.record.judgement.findings[0]?.reason).toBe(
      `the decision \`${first.record.id}\` on this attempt allowed it, and is stopped by a suspension; ask again under a new request id`,
    );
    await control.resume(OPERATOR, { id: suspension.id });
    const third = await decider.decide(attempt());
    expect({ replayed: third.replayed, id: third.record.id }).toEqual({ replayed: true, id: second.record.id });
    expect((await decider.decide(attempt({ requestId: "r2" }))).record.judgement.outcome).toBe("ALLOW");
  });

  it("stands again where the suspension ended before anybody asked", async () => {
    const storage = await openMemory();
    const decider = deciderOver(storage, { policy });
    const control = controlOver(storage);
    const first = await decider.decide(attempt());
    const { suspension } = await control.suspend(OPERATOR, { kind: "all", value: "", reason: "r" });
    await control.resume(OPERATOR, { id: suspension.id });
    expect(await decider.decide(attempt())).toMatchObject({ replayed: true, record: { id: first.record.id } });
  });

  it("stands where the suspension covers something else", async () => {
    const storage = await openMemory();
    const decider = deciderOver(storage, { policy });
    await decider.decide(attempt());
    await controlOver(storage).suspend(OPERATOR, { kind: "agent", value: "other", reason: "r" });
    expect(await decider.decide(attempt())).toMatchObject({ replayed: true, record: { judgement: { outcome: "ALLOW" } } });
  });

  it("falls with the effect that it had, whatever the catalog says by now", async () => {
    const storage = await openMemory();
    await deciderOver(storage, { policy }).decide(attempt());
    const changed = compilePolicy({ ...FILES, "catalog/test.json": (FILES["catalog/test.json"] ?? "").replace('"read"', '"browse"') }).policy;
    await controlOver(storage).suspend(OPERATOR, { kind: "effect", value: "read", reason: "r" });
    const again = await deciderOver(storage, { policy: changed }).decide(attempt());
    expect(again.record.judgement.reasonCodes).toEqual(["NO_LONGER_STANDS", "SUSPENDED"]);
  });

  it("and a DENY or a request for approval stays what it was", async () => {
    const storage = await openMemory();
    const decider = deciderOver(storage, { policy });
    const denied = await decider.decide(attempt({ action: { tool: "mail/send", arguments: {} } }));
    await controlOver(storage).suspend(OPERATOR, { kind: "all", value: "", reason: "r" });
    expect(await decider.decide(attempt({ action: { tool: "mail/send", arguments: {} } }))).toMatchObject({
      replayed: true,
      record: { id: denied.record.id },
    });
  });
});
