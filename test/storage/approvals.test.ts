import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { durationMs } from "../../src/core/words.ts";
import { temporaryDirectory } from "../running-server.ts";
import { answer, asking, decideOn, longTask, person, stateOf, use, wire } from "./askings.ts";
import { approvalsOver, deciderOver } from "./deciders.ts";
import { DAY, HOUR, keeper, POLICY } from "./families.ts";
import { historyPolicy, INITIATOR, loadPolicy } from "./histories.ts";
import { ask } from "./requests.ts";
import { blockWrites, copyAsCrashed, createTestClock, isReady, lookOutside, type OpenedStorage, openSqlite, type TestClock } from "./storages.ts";

let directory: ReturnType<typeof temporaryDirectory>;
let path: string;
let clock: TestClock;
let storage: OpenedStorage;
beforeEach(async () => {
  directory = temporaryDirectory();
  path = join(directory.path, "behest.db");
  clock = createTestClock();
  storage = await openSqlite({ path, clock });
  await loadPolicy(storage, POLICY);
});
afterEach(async () => {
  await storage.close();
  directory.remove();
});

const outside = (sql: string): readonly unknown[] => lookOutside(path, (db) => db.prepare(sql).all());
const minute = 60_000;

async function restart(): Promise<void> {
  await storage.close();
  storage = await openSqlite({ path, clock });
}

describe("an approval in the database", () => {
  it("is a row that says what is asked, of whom, what they answered, and how it ended", async () => {
    const task = await longTask(storage);
    const asked = await asking(storage, wire({ task: { id: task } }));
    const first = await decideOn(storage, wire({ task: { id: task } }));
    const row = (): unknown => outside("SELECT * FROM approvals")[0];
    const approval = stateOf(storage, asked)?.approval;
    expect(row()).toEqual({
      approval_id: asked.id,
      kind: "action",
      state: "pending",
      tenant: "default",
      caller: "gateway",
      agent: "bot",
      principal: "user:alice",
      issuer: null,
      task_id: task,
      root_task_id: task,
      tool: "wire",
      effect: "pay",
      decision_id: approval?.decision,
      binding: approval?.binding,
      holds: JSON.stringify(approval?.holds),
      score: 0,
      asked: 2,
      answers: "[]",
      granted: null,
      used: 0,
      used_by: null,
      replaces: null,
      asked_at: clock.now(),
      asked_at_iso: "2026-01-05T09:00:00.000Z",
      expires_at: clock.now() + 30 * HOUR,
      expires_at_iso: "2026-01-06T15:00:00.000Z",
      ended_at: null,
      ended_at_iso: null,
      ended_by: null,
      reason: null,
    });
    clock.advance(minute);
    await answer(storage, asked, { uses: 2 });
    expect(row()).toMatchObject({ state: "approved", granted: `{"uses":2,"until":${clock.now() + 30 * HOUR - minute},"values":[],"sources":[]}` });
    const uses = [await use(storage, asked), await use(storage, asked)];
    expect(row()).toMatchObject({ state: "consumed", used: 2, used_by: uses[1]?.id, ended_at: clock.now(), ended_by: null });
    expect(outside("SELECT decision_id, outcome, approval_id FROM decisions WHERE approval_id IS NOT NULL ORDER BY seq")).toEqual([
      { decision_id: approval?.decision, outcome: "REQUIRE_APPROVAL", approval_id: asked.id },
      { decision_id: first.id, outcome: "REQUIRE_APPROVAL", approval_id: asked.id },
      ...uses.map(({ id }) => ({ decision_id: id, outcome: "ALLOW", approval_id: asked.id })),
    ]);
    expect(outside("SELECT kind, task_id = root_task_id AS own FROM events WHERE approval_id IS NOT NULL ORDER BY seq")).toEqual(
      ["approval_opened", "approval_answered", "approval_used", "approval_used"].map((kind) => ({ kind, own: 1 })),
    );
  });

  it("says who denied it and why, who took it back, and what took its place", async () => {
    const task = await longTask(storage);
    const wireFor = (amount: number) => asking(storage, wire({ task: { id: task } }, amount));
    const denied = await wireFor(10);
    await answer(storage, denied, { verdict: "deny" });
    const revoked = await wireFor(20);
    await answer(storage, revoked);
    await answer(storage, revoked, { verdict: "revoke" });
    const expired = await wireFor(30);
    clock.advance(30 * HOUR);
    const next = await wireFor(30);
    const rows = "SELECT approval_id, state, ended_by, reason, replaces FROM approvals ORDER BY asked_at, approval_id";
    const said = { ended_by: "user:ann", reason: "I looked at it", replaces: null };
    expect(outside(rows)).toEqual(
      expect.arrayContaining([
        { approval_id: denied.id, state: "denied", ...said },
        { approval_id: revoked.id, state: "cancelled", ...said },
        { approval_id: expired.id, state: "expired", ended_by: null, reason: null, replaces: null },
        { approval_id: next.id, state: "pending", ended_by: null, reason: null, replaces: expired.id },
      ]),
    );
  });

  it("tells how fast and how each approver answers", async () => {
    for (const [amount, afterMs] of [
      [1, 1_000],
      [2, 9_000],
      [3, 2_000],
    ] as const) {
      const asked = await asking(storage, wire({}, amount));
      clock.advance(afterMs);
      await answer(storage, asked, { by: person("user:ben"), verdict: amount === 3 ? "deny" : "approve" });
      if (amount !== 2) continue;
      const other = await asking(storage, wire({ agent: { id: "worker" } }));
      clock.advance(500);
      await answer(storage, other);
    }
    const wipe = await asking(storage, { ...wire({ agent: { id: "helper" } }), action: { tool: "wipe", arguments: {} } });
    clock.advance(1_500);
    await answer(storage, wipe);
    expect(outside("SELECT * FROM approvers ORDER BY approver")).toEqual([
      { tenant: "default", approver: "user:ann", answers: 2, approved: 2, denied: 0, approve_share: 1, median_ms_to_answer: 1_000 },
      { tenant: "default", approver: "user:ben", answers: 3, approved: 2, denied: 1, approve_share: 2 / 3, median_ms_to_answer: 2_000 },
    ]);
    expect(outside("SELECT * FROM approval_answers WHERE verdict = 'deny'")).toMatchObject([
      {
        approver: "user:ben",
        verified: "local_file",
        tool: "wire",
        comment: "I looked at it",
        ms_to_answer: 2_000,
        holds: '["wire-is-asked-about"]',
      },
    ]);
  });
});

describe("after a restart", () => {
  it("people can still answer, and what they approved can be used once, also for a task that only their answer keeps open", async () => {
    const policy = { ...POLICY, settings: { ...POLICY.settings, lifetimes: { ...POLICY.settings.lifetimes, approval: durationMs(30 * HOUR) } } };
    const registered = await longTask(storage);
    const [own, other] = [await asking(storage, wire({ task: { id: registered } }), policy), await asking(storage, wire(), policy)];
    // Longer ago than anything else is remembered, and than the task may be idle.
    clock.advance(28 * HOUR);
    await restart();
    for (const asked of [own, other]) await answer(storage, asked, { policy });
    // Nobody vouches for the words of the other, so that is asked about as well.
    await answer(storage, other, { policy, by: person("user:local") });
    clock.advance(HOUR);
    await restart();
    for (const asked of [own, other]) {
      const outcomes = [await use(storage, asked, policy), await use(storage, asked, policy)].map(({ judgement }) => judgement.outcome);
      expect(outcomes).toEqual(["ALLOW", "REQUIRE_APPROVAL"]);
    }
    await restart();
    expect([own, other].map((asked) => stateOf(storage, asked)?.standing)).toEqual(["consumed", "consumed"]);
  });

  it("a no holds as long as its task lives, and what was endorsed until it is taken back", async () => {
    const task = await longTask(storage);
    const denied = await asking(storage, wire({ task: { id: task } }));
    await answer(storage, denied, { verdict: "deny" });
    const endorsing = await asking(storage, wire({ task: { id: task } }, 20));
    await answer(storage, endorsing, { values: ["bob@example.com"] });
    await use(storage, endorsing);
    clock.advance(40 * DAY);
    await restart();
    const again = await decideOn(storage, denied.request);
    expect(again.judgement).toMatchObject({ outcome: "DENY", reasonCodes: ["APPROVAL_DENIED"] });
    expect(again.subject.endorsed).toEqual({ values: ["bob@example.com"], sources: [] });
    await answer(storage, endorsing, { verdict: "revoke" });
    await restart();
    expect((await decideOn(storage, denied.request)).subject.endorsed).toBeUndefined();
    expect(stateOf(storage, endorsing)).toMatchObject({ standing: "consumed", ended: { by: "user:ann" } });
  });

  it("a wider yes whose time was written down as over is as it was", async () => {
    const task = await longTask(storage);
    const wider = await asking(storage, wire({ task: { id: task } }));
    await answer(storage, wider, { uses: 2, values: ["bob@example.com"] });
    await use(storage, wider);
    clock.advance(30 * HOUR);
    expect(await approvalsOver(storage, POLICY).sweep()).toBe(1);
    const before = stateOf(storage, wider);
    await restart();
    expect(stateOf(storage, wider)).toEqual(before);
    expect(before).toMatchObject({ standing: "expired", granted: { uses: 2 }, used: 1 });
  });

  it("questions of the last hour are counted, and a no to more of them holds, however short the windows are", async () => {
    const short = historyPolicy({ memory: "5m", report_within: "5m", idempotency: "1m" });
    await loadPolicy(storage, short);
    const task = await longTask(storage);
    const askMore = (amount: number) => decideOn(storage, wire({ task: { id: task } }, amount), short);
    for (const amount of [1, 2, 3]) await askMore(amount);
    const flood = await asking(storage, wire({ task: { id: task } }, 4), short);
    expect(stateOf(storage, flood)?.approval.kind).toBe("flood");
    clock.advance(50 * minute);
    await answer(storage, flood, { verdict: "deny", by: person("user:local"), policy: short });
    // Nothing but the hour keeps it.
    await keeper(storage).close(INITIATOR, { id: task });
    clock.advance(9 * minute);
    await restart();
    const counted = (): number => storage.ledger.peek(KEYS, ({ approvals }) => approvals.askedBy({ tenant: "default", agent: "bot" }, clock.now()));
    expect(counted()).toBe(3);
    clock.advance(50 * minute);
    await restart();
    expect(counted()).toBe(0);
    expect(storage.ledger.peek(KEYS, ({ approvals }) => approvals.floodOf("default", "bot")?.standing)).toBe("denied");
  });

  it("one whose task was over long ago is still there to be written down as over", async () => {
    const task = await longTask(storage);
    const asked = await asking(storage, wire({ task: { id: task } }));
    await keeper(storage).close(INITIATOR, { id: task });
    const crashed = copyAsCrashed(path, join(directory.path, "crashed.db"));
    clock.advance(90 * DAY);
    const later = await openSqlite({ path: crashed, clock });
    expect(await approvalsOver(later, POLICY).sweep()).toBe(1);
    expect(await approvalsOver(later, POLICY).sweep()).toBe(0);
    await later.close();
    const rows = lookOutside(crashed, (db) => db.prepare("SELECT approval_id, state, ended_at FROM approvals").all());
    expect(rows).toEqual([{ approval_id: asked.id, state: "expired", ended_at: clock.now() }]);
    await (await openSqlite({ path: crashed, clock })).close();
  });

  it.each([
    { says: "a question was answered by hand", change: "state = 'approved'", of: 0 },
    { says: "a question was taken away", change: undefined, of: 0 },
    { says: "a no was made a yes", change: "state = 'approved'", of: 1 },
    { says: "a no was made a question", change: "state = 'pending'", of: 1 },
    { says: "a no was taken away", change: undefined, of: 1 },
    { says: "what was used up was made usable", change: "state = 'approved', used = 0, ended_at = NULL", of: 2 },
    { says: "what was approved was ended", change: "state = 'denied'", of: 3 },
    { says: "its approver was changed", change: `answers = replace(answers, 'user:ann', 'user:ben')`, of: 3 },
    { says: "it was given more uses", change: `granted = '{"uses":9}'`, of: 3 },
    { says: "it was bound to another request", change: `binding = 'sha256:${"0".repeat(64)}'`, of: 3 },
    { says: "it was given more time", change: "expires_at = expires_at + 1", of: 3 },
  ])("a row that differs from the events is refused by name: $says", async ({ change, of }) => {
    const task = await longTask(storage);
    const made = [];
    for (const amount of [1, 2, 3, 4]) made.push(await asking(storage, wire({ task: { id: task }, agent: { id: "bot" } }, amount), MANY));
    const [, denied, used, approved] = made;
    if (!denied || !used || !approved) throw new Error("four were made");
    await answer(storage, denied, { verdict: "deny" });
    for (const asked of [used, approved]) await answer(storage, asked);
    await use(storage, used);
    clock.advance(20 * HOUR);
    await storage.close();
    const id = made[of]?.id ?? "";
    const before = outside(`SELECT * FROM approvals WHERE approval_id = '${id}'`)[0];
    lookOutside(path, (db) =>
      db.prepare(change ? `UPDATE approvals SET ${change} WHERE approval_id = ?` : "DELETE FROM approvals WHERE approval_id = ?").run(id),
    );
    expect(outside(`SELECT * FROM approvals WHERE approval_id = '${id}'`)[0]).not.toEqual(before);
    await expect(openSqlite({ path, clock })).rejects.toThrow(new RegExp(`\`${id}\`.*it was changed outside Behest`));
    storage = await openSqlite({ clock });
  });

  it("a row that was added is refused by name, however old it claims to be, and so is one that was used up long ago", async () => {
    const task = await longTask(storage);
    const used = await asking(storage, wire({ task: { id: task } }));
    await answer(storage, used);
    await use(storage, used);
    await keeper(storage).close(INITIATOR, { id: task });
    clock.advance(90 * DAY);
    await restart();
    expect(stateOf(storage, used)).toBeUndefined();
    await storage.close();
    const changed = async (sql: string, name: string): Promise<void> => {
      const copy = copyAsCrashed(path, join(directory.path, `${name}.db`));
      lookOutside(copy, (db) => db.exec(sql));
      await expect(openSqlite({ path: copy, clock })).rejects.toThrow(`row \`${name}\` of table \`approvals\` differs`);
    };
    await changed("UPDATE approvals SET state = 'approved'", used.id);
    await changed(
      `INSERT INTO approvals (approval_id, kind, state, tenant, caller, agent, task_id, root_task_id, tool, effect, decision_id, binding, holds, score, asked,
         answers, used, asked_at, expires_at)
       SELECT 'added', kind, 'approved', tenant, caller, agent, task_id, root_task_id, tool, effect, decision_id, binding, holds, score, asked, answers, 0, asked_at, expires_at
       FROM approvals`,
      "added",
    );
    storage = await openSqlite({ path, clock });
  });

  it("a row that is edited while it is served covers nothing", async () => {
    const asked = await asking(storage, wire({ task: { id: await longTask(storage) } }));
    lookOutside(path, (db) => db.exec("UPDATE approvals SET state = 'approved', answers = '[]'"));
    const { judgement } = await use(storage, asked);
    expect(judgement).toMatchObject({ outcome: "REQUIRE_APPROVAL" });
    lookOutside(path, (db) => db.exec("UPDATE approvals SET state = 'pending'"));
  });
});

const MANY = { ...POLICY, settings: { ...POLICY.settings, askedPerHour: { byAgent: 100, forTask: 100 } } };
const KEYS = { tenant: "default", caller: "gateway", agent: "bot", principal: "none", session: "none" };

describe("while the ledger cannot be written", () => {
  it("a use leaves the approval usable, and no ALLOW", async () => {
    const asked = await asking(storage, wire({ task: { id: await longTask(storage) } }));
    await answer(storage, asked);
    const block = blockWrites(path);
    const racing = await Promise.allSettled(Array.from({ length: 5 }, () => use(storage, asked)));
    for (const result of racing) expect(result).toMatchObject({ status: "rejected", reason: { code: "LEDGER_UNAVAILABLE" } });
    block.release();
    await isReady(storage);
    expect(outside("SELECT state, used, used_by FROM approvals")).toEqual([{ state: "approved", used: 0, used_by: null }]);
    expect(outside("SELECT count(*) AS n FROM decisions WHERE outcome = 'ALLOW'")).toEqual([{ n: 0 }]);
    expect([(await use(storage, asked)).judgement.outcome, (await use(storage, asked)).judgement.outcome]).toEqual(["ALLOW", "REQUIRE_APPROVAL"]);
  });

  it("an answer that was not written was not given", async () => {
    const asked = await asking(storage, wire({ task: { id: await longTask(storage) } }));
    const block = blockWrites(path);
    await expect(answer(storage, asked)).rejects.toMatchObject({ code: "LEDGER_UNAVAILABLE" });
    block.release();
    await isReady(storage);
    expect(stateOf(storage, asked)).toMatchObject({ standing: "pending", answers: [] });
    await deciderOver(storage, { policy: POLICY }).decide(ask({ ...asked.request, approvalId: asked.id }));
    expect(outside("SELECT outcome FROM decisions WHERE outcome = 'ALLOW'")).toEqual([]);
  });
});
