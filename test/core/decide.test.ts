import { describe, expect, it } from "vitest";
import type { Decider } from "../../src/core/decide.ts";
import { judge } from "../../src/core/judge.ts";
import { subjectOf } from "../../src/core/record.ts";
import { durationMs } from "../../src/core/words.ts";
import { deciderOver, POLICY } from "../storage/deciders.ts";
import { ask, CALLER } from "../storage/requests.ts";
import { type OpenedStorage, openMemory } from "../storage/storages.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

async function begin(): Promise<{ storage: OpenedStorage; decider: Decider }> {
  const storage = await openMemory();
  return { storage, decider: deciderOver(storage) };
}

const tool = (name: string, args: Record<string, string> = {}) => ({ action: { tool: name, arguments: args } });

describe("a request id", () => {
  it("is answered from its record when it comes again with the same content", async () => {
    const { decider, storage } = await begin();
    const first = await decider.decide(ask({ requestId: "r1" }));
    storage.clock.advance(1_000);
    const again = await decider.decide(ask({ requestId: "r1" }));
    expect({ replayed: again.replayed, id: again.record.id, at: again.record.at }).toEqual({
      replayed: true,
      id: first.record.id,
      at: first.record.at,
    });
    expect(first.replayed).toBe(false);
  });

  it("decides once for two attempts in flight", async () => {
    const { decider } = await begin();
    const answers = await Promise.all(Array.from({ length: 20 }, () => decider.decide(ask({ requestId: "r1" }))));
    expect(new Set(answers.map(({ record }) => record.id)).size).toBe(1);
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
  });

  it.each([
    { says: "another tool", change: tool("write") },
    { says: "another argument", change: tool("read", { path: "b" }) },
    { says: "another agent", change: { agent: { id: "other" } } },
    { says: "another statement", change: { task: { statement: "something else" } } },
    { says: "another session", change: { session: "s2" } },
    { says: "another classification", change: { data: { classification: "restricted" } } },
    { says: "another environment", change: { context: { environment: "staging" } } },
    { says: "other supported obligations", change: { supportedObligations: ["redact"] } },
    { says: "a chain", change: { delegation: [{ type: "agent", id: "bot" }] as const } },
  ])("with $says is refused", async ({ change }) => {
    const { decider } = await begin();
    await decider.decide(ask({ requestId: "r1" }));
    await expect(decider.decide(ask({ requestId: "r1", ...change }))).rejects.toMatchObject({
      code: "REQUEST_ID_REUSED",
      message: "`r1` named a request with other content; give each attempt an id of its own",
      detail: { field: "request_id" },
    });
  });

  it("is the caller's own, and the tenant's", async () => {
    const { decider } = await begin();
    await decider.decide(ask({ requestId: "r1" }));
    const other = await decider.decide(ask({ requestId: "r1", ...tool("write") }, { ...CALLER, id: "other-gateway" }));
    const foreign = await decider.decide(ask({ requestId: "r1", ...tool("write") }, { ...CALLER, tenant: "elsewhere" }));
    expect([other.replayed, foreign.replayed]).toEqual([false, false]);
  });

  it("compares secrets by what they are, although only their digest is kept", async () => {
    const { decider } = await begin();
    await decider.decide(ask({ requestId: "r1", ...tool("read", { password: "one" }) }));
    await expect(decider.decide(ask({ requestId: "r1", ...tool("read", { password: "two" }) }))).rejects.toMatchObject({ code: "REQUEST_ID_REUSED" });
    expect((await decider.decide(ask({ requestId: "r1", ...tool("read", { password: "one" }) }))).replayed).toBe(true);
  });

  it("does not ask for the same order of keys", async () => {
    const { decider } = await begin();
    await decider.decide(ask({ requestId: "r1", ...tool("read", { a: "1", b: "2" }) }));
    expect((await decider.decide(ask({ requestId: "r1", ...tool("read", { b: "2", a: "1" }) }))).replayed).toBe(true);
  });

  it("whose ALLOW has lapsed is denied once, and that is its answer from then on", async () => {
    const { decider, storage } = await begin();
    const allowed = await decider.decide(ask({ requestId: "r1" }));
    expect(allowed.record.judgement.outcome).toBe("ALLOW");
    storage.clock.advance(MINUTE + 1);
    const denied = await decider.decide(ask({ requestId: "r1" }));
    const again = await decider.decide(ask({ requestId: "r1" }));
    expect(denied.record.judgement).toMatchObject({ outcome: "DENY", basis: "NONE", reasonCodes: ["NO_LONGER_STANDS"] });
    expect(denied.record.judgement.findings[0]?.reason).toBe(
      `the decision \`${allowed.record.id}\` on this attempt allowed it, and has lapsed; ask again under a new request id`,
    );
    expect({ replayed: again.replayed, id: again.record.id }).toEqual({ replayed: true, id: denied.record.id });
  });

  it("whose ALLOW another token of the caller got is not repeated to one that does not cover the agent", async () => {
    const { decider } = await begin();
    await decider.decide(ask({ requestId: "r1" }));
    const narrow = await decider.decide(ask({ requestId: "r1" }, { ...CALLER, agents: ["support-*"] }));
    expect(narrow.record.judgement).toMatchObject({ outcome: "DENY", reasonCodes: ["NO_LONGER_STANDS", "CALLER_NOT_ENTITLED"] });
    await decider.decide(ask({ requestId: "r2" }));
    const covering = await decider.decide(ask({ requestId: "r2" }, { ...CALLER, agents: ["bo*"] }));
    expect({ outcome: covering.record.judgement.outcome, replayed: covering.replayed }).toEqual({ outcome: "ALLOW", replayed: true });
  });

  it("whose answer was no ALLOW stands for the whole window, and is forgotten after it", async () => {
    const { decider, storage } = await begin();
    const first = await decider.decide(ask({ requestId: "r1", ...tool("write") }));
    storage.clock.advance(HOUR - 1);
    const within = await decider.decide(ask({ requestId: "r1", ...tool("write") }));
    storage.clock.advance(1);
    const after = await decider.decide(ask({ requestId: "r1", ...tool("write") }));
    expect({ within: within.record.id, after: after.replayed }).toEqual({ within: first.record.id, after: false });
  });

  it("is refused, not forgotten early, when more are remembered than may be", async () => {
    const storage = await openMemory();
    const decider = deciderOver(storage, { limits: { requestIdsMax: 2 } });
    await decider.decide(ask({ requestId: "r1" }));
    await decider.decide(ask({ requestId: "r2" }));
    await expect(decider.decide(ask({ requestId: "r3" }))).rejects.toMatchObject({ code: "STATE_FULL", detail: { limit: "request_ids" } });
    expect((await decider.decide(ask({ requestId: "r1" }))).replayed).toBe(true);
    expect((await decider.decide(ask())).replayed).toBe(false);
  });
});

describe("a request without a task id", () => {
  it("joins the open task of its caller, agent, principal and session", async () => {
    const { decider } = await begin();
    const alice = [
      { type: "user", id: "alice" },
      { type: "agent", id: "bot" },
    ] as const;
    const first = (await decider.decide(ask())).record.subject.task;
    const ids = await Promise.all(
      [ask(), ask({ session: "s2" }), ask({ agent: { id: "other" } }), ask({ delegation: alice }), ask({}, { ...CALLER, id: "other" })].map(
        async (asked) => (await decider.decide(asked)).record.subject.task.id,
      ),
    );
    expect(ids[0]).toBe(first.id);
    expect(new Set(ids).size).toBe(5);
  });

  it("keeps the task's first statement, and says that another one was stated", async () => {
    const { decider } = await begin();
    await decider.decide(ask({ task: { statement: "read my mail" } }));
    const silent = (await decider.decide(ask())).record.subject.task;
    const restated = (await decider.decide(ask({ task: { statement: "pay my bills" } }))).record.subject.task;
    expect(silent).toMatchObject({ statement: "read my mail", restated: false });
    expect(restated).toMatchObject({ statement: "read my mail", restated: true });
  });

  it("begins a new task after the old one was idle, and a decision keeps one alive", async () => {
    const { decider, storage } = await begin();
    const first = (await decider.decide(ask())).record.subject.task.id;
    storage.clock.advance(HOUR - 1);
    const kept = (await decider.decide(ask())).record.subject.task.id;
    storage.clock.advance(HOUR);
    const later = (await decider.decide(ask())).record.subject.task.id;
    expect(kept).toBe(first);
    expect(later).not.toBe(first);
  });

  it("evicts the least recently used task when there are as many as may be", async () => {
    const storage = await openMemory();
    const decider = deciderOver(storage, { limits: { openTasksMax: 2 } });
    const id = async (session: string): Promise<string | undefined> => (await decider.decide(ask({ session }))).record.subject.task.id;
    const [a, b] = [await id("a"), await id("b")];
    expect(await id("a")).toBe(a);
    await id("c");
    expect(await id("a")).toBe(a);
    expect(await id("b")).not.toBe(b);
  });
});

describe("a request with a task id", () => {
  const of = async (decider: Decider, id: string, change: object = {}, caller = CALLER) =>
    (await decider.decide(ask({ task: { id }, ...change }, caller))).record;

  it("is counted to that task", async () => {
    const { decider } = await begin();
    const { id } = (await decider.decide(ask({ session: "s1" }))).record.subject.task;
    const record = await of(decider, id ?? "");
    expect({ id: record.subject.task.id, outcome: record.judgement.outcome }).toEqual({ id, outcome: "ALLOW" });
  });

  it.each([
    { says: "another caller's", caller: { ...CALLER, id: "other" }, change: {}, code: "TASK_UNKNOWN" },
    { says: "another tenant's", caller: { ...CALLER, tenant: "elsewhere" }, change: {}, code: "TASK_UNKNOWN" },
    { says: "another agent's", caller: CALLER, change: { agent: { id: "other" } }, code: "CHAIN_MISMATCH" },
    {
      says: "another principal's",
      caller: CALLER,
      change: {
        delegation: [
          { type: "user", id: "mallory" },
          { type: "agent", id: "bot" },
        ],
      },
      code: "CHAIN_MISMATCH",
    },
  ])("is denied when it is $says, and opens nothing", async ({ caller, change, code }) => {
    const { decider, storage } = await begin();
    const { id } = (await decider.decide(ask())).record.subject.task;
    const { judgement, subject } = await of(decider, id ?? "", change, caller);
    expect(judgement).toMatchObject({ outcome: "DENY", reasonCodes: [code] });
    expect(subject.task.id).toBeUndefined();
    expect(
      storage.ledger.peek({ tenant: "default", caller: "gateway", agent: "bot", principal: "none", session: "none" }, (view) => view.openTasks),
    ).toBe(1);
  });

  it("is denied when nobody knows it", async () => {
    const { decider } = await begin();
    expect((await of(decider, "made-up")).judgement).toMatchObject({ outcome: "DENY", reasonCodes: ["TASK_UNKNOWN"] });
  });

  it("is denied when it was idle, and stays closed however often it is asked for", async () => {
    const { decider, storage } = await begin();
    const { id } = (await decider.decide(ask())).record.subject.task;
    storage.clock.advance(HOUR);
    for (let times = 0; times < 3; times++) {
      expect((await of(decider, id ?? "")).judgement).toMatchObject({ outcome: "DENY", reasonCodes: ["TASK_CLOSED"] });
    }
  });
});

describe("what a task has seen", () => {
  it("rises in the reservation of an ALLOW, and the next decision sees it", async () => {
    const { decider } = await begin();
    const first = (await decider.decide(ask(tool("mail/read")))).record;
    const second = (await decider.decide(ask())).record;
    expect(first.subject.task.seen).toEqual({ classifications: [], categories: [], trust: "trusted", systems: [] });
    expect(first.judgement.score).toBe(0);
    expect(second.subject.task.seen).toEqual({ classifications: ["internal"], categories: ["personal"], trust: "untrusted", systems: ["mail"] });
    expect(second.judgement.score).toBe(7);
  });

  it("rises before the first of two concurrent decisions is answered", async () => {
    const { decider } = await begin();
    const [, second] = await Promise.all([decider.decide(ask(tool("mail/read"))), decider.decide(ask())]);
    expect(second.record.judgement.score).toBe(7);
  });

  it("does not rise by what was denied or held", async () => {
    const { decider } = await begin();
    await decider.decide(ask({ ...tool("leak"), data: { categories: ["personal"] } }));
    await decider.decide(ask({ ...tool("write"), data: { categories: ["medical"] } }));
    expect((await decider.decide(ask())).record.subject.task.seen.categories).toEqual([]);
  });

  it("counts what an unlisted tool returns as untrusted", async () => {
    const storage = await openMemory();
    const decider = deciderOver(storage, {
      policy: {
        ...POLICY,
        settings: {
          ...POLICY.settings,
          basis: { ...POLICY.settings.basis, AVAILABLE: { ...POLICY.settings.basis.AVAILABLE, unknown: "allow" } },
          reachDefault: { ...POLICY.settings.reachDefault, effects: new Set(["read", "unknown"]) },
        },
      },
    });
    await decider.decide(ask(tool("nobody-knows")));
    expect((await decider.decide(ask())).record.subject.task.seen).toMatchObject({ trust: "untrusted", systems: ["unlisted"] });
  });

  it("is what a new task of the agent begins with, within the memory window, and not after it", async () => {
    const { decider, storage } = await begin();
    await decider.decide(ask(tool("mail/read")));
    const elsewhere = (await decider.decide(ask({ session: "s2" }, { ...CALLER, id: "other-gateway" }))).record;
    const stranger = (await decider.decide(ask({ agent: { id: "stranger" } }))).record;
    storage.clock.advance(durationMs(25 * HOUR));
    const later = (await decider.decide(ask({ session: "s3" }))).record;
    expect(elsewhere.subject.task.seen).toMatchObject({ trust: "untrusted", categories: ["personal"] });
    expect(stranger.subject.task.seen).toMatchObject({ trust: "trusted", categories: [] });
    expect(later.subject.task.seen).toEqual({ classifications: [], categories: [], trust: "trusted", systems: [] });
  });

  it("is bounded: what cannot be remembered is refused", async () => {
    const { decider, storage } = await begin();
    await decider.decide(ask({ data: { categories: ["1", "2", "3", "4", "5", "6", "7", "8"] } }));
    await expect(decider.decide(ask({ data: { categories: ["9"] } }))).rejects.toMatchObject({
      code: "STATE_FULL",
      detail: { limit: "categories_seen" },
    });
    // What was refused is not what a later answer repeats.
    const { record } = await decider.decide(ask({ data: { categories: ["8"] } }));
    const repeats = record.cache.repeats;
    expect(repeats === undefined || (await storage.ledger.decision(repeats)) !== undefined).toBe(true);
  });
});

describe("Explain", () => {
  it("answers what Decide would, and leaves no trace", async () => {
    const { decider, storage } = await begin();
    const keys = { tenant: "default", caller: "gateway", agent: "bot", principal: "none", session: "none" };
    const before = storage.ledger.peek(keys, (view) => ({ ...view }));
    const { answer: explained } = await decider.explain(ask({ ...tool("mail/read"), requestId: "r1" }));
    expect(storage.ledger.peek(keys, (view) => ({ ...view }))).toEqual(before);
    const decided = await decider.decide(ask({ ...tool("mail/read"), requestId: "r1" }));
    expect(explained.recorded).toBe(false);
    expect(decided.replayed).toBe(false);
    expect(explained.record.judgement).toEqual(decided.record.judgement);
    expect(decided.record.cache).toEqual({ hit: false });
  });
});

describe("the arguments' digest", () => {
  it("is SHA-256 over their RFC 8785 form", async () => {
    const { decider } = await begin();
    const { argumentsDigest } = await decider.decide(ask(tool("read", { b: "2", a: "1" })));
    // printf '{"a":"1","b":"2"}' | sha256sum
    expect(argumentsDigest).toBe("sha256:21f76dfbfe6dfe21f762080ef484112cf2952974cef30741fd1931e1c6d92112");
  });

  it("that a request claims must be right", async () => {
    const { decider } = await begin();
    const asked = { ...ask(), claimedDigest: `sha256:${"0".repeat(64)}` };
    await expect(decider.decide(asked)).rejects.toMatchObject({ code: "REQUEST_MALFORMED", detail: { field: "action.arguments_digest" } });
  });

  it("is not kept in the record, where it would give short secrets away", async () => {
    const { decider } = await begin();
    const { record, argumentsDigest } = await decider.decide(ask(tool("read", { pin: "1234" })));
    expect(JSON.stringify(record)).not.toContain(argumentsDigest.slice(7));
    expect(record.arguments).toMatch(/^hmac-sha256:[0-9a-f]{64}$/);
  });
});

describe("a token that covers some agents", () => {
  const narrow = { ...CALLER, agents: ["support-*"] };

  it.each<{ agent: string; outcome: string; codes: readonly string[] }>([
    { agent: "support-bot", outcome: "ALLOW", codes: [] },
    { agent: "bot", outcome: "DENY", codes: ["CALLER_NOT_ENTITLED"] },
    { agent: "support-eu/bot", outcome: "DENY", codes: ["CALLER_NOT_ENTITLED"] },
    { agent: "Support-bot", outcome: "DENY", codes: ["CALLER_NOT_ENTITLED"] },
  ])("gets $outcome for `$agent`, from Decide as from Explain, and the record alone gives it again", async ({ agent, outcome, codes }) => {
    const { decider, storage } = await begin();
    const asked = ask({ agent: { id: agent } }, narrow);
    const explained = (await decider.explain(asked)).answer.record.judgement;
    const { record } = await decider.decide(asked);
    expect(record.judgement).toMatchObject({ outcome, reasonCodes: codes });
    expect(explained).toEqual(record.judgement);
    const stored = await storage.ledger.decision(record.id);
    expect(stored?.subject.callerAgents).toEqual(["support-*"]);
    expect(stored && judge(POLICY, subjectOf(stored)).judgement).toEqual(record.judgement);
  });
});
