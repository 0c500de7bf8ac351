import { rmSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Ledger } from "../../src/core/ports.ts";
import type { Caller } from "../../src/core/request.ts";
import type { OpenRequest } from "../../src/core/tasks/keeper.ts";
import type { TaskState } from "../../src/core/tasks/registered.ts";
import { instant } from "../../src/core/words.ts";
import { SLOTS } from "../../src/storage/sqlite/control-journal.ts";
import { OPERATOR } from "../core/controls.ts";
import { randomRuns } from "../core/random-rules.ts";
import { temporaryDirectory } from "../running-server.ts";
import { deciderOver, keeperOver, reportsOver } from "./deciders.ts";
import { createDoer, doStep, historyPolicy, INITIATOR, loadPolicy, looked, type Step, steps } from "./histories.ts";
import { ask, CALLER } from "./requests.ts";
import { blockWrites, copyAsCrashed, createTestClock, isReady, lookOutside, type OpenedStorage, openMemory, openSqlite } from "./storages.ts";
import { withSlowReads } from "./under-load.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const POLICY = historyPolicy({ memory: "24h", report_within: "10m", idempotency: "1h" });

let directory: ReturnType<typeof temporaryDirectory>;
let path: string;
beforeEach(() => {
  directory = temporaryDirectory();
  path = join(directory.path, "behest.db");
});
afterEach(() => directory.remove());

const outside = (sql: string): readonly unknown[] => lookOutside(path, (db) => db.prepare(sql).all());
const change = (sql: string): unknown => lookOutside(path, (db) => db.exec(sql));

const REQUEST: OpenRequest = {
  statement: "pay the invoices",
  principal: { type: "user", id: "alice", attributes: { team: "a" } },
  agent: "bot",
  scopeKind: "issued",
  scope: { maxCalls: { pay: 5 }, maxAmounts: { EUR: 10_000 } },
};

const keeper = (storage: OpenedStorage) => keeperOver(storage, { policy: POLICY });

const open = async (storage: OpenedStorage, more: Partial<OpenRequest> = {}): Promise<string> =>
  (await keeper(storage).open(INITIATOR, { ...REQUEST, ...more })).task.id;

const delegate = async (storage: OpenedStorage, taskId: string, agent = "worker"): Promise<string> =>
  (await keeper(storage).delegate(INITIATOR, { taskId, agent, scope: {}, narrow: false })).status.task.id;

const pay = async (storage: OpenedStorage, id: string, agent = "bot", amount = 10) =>
  (
    await deciderOver(storage, { policy: POLICY }).decide(
      ask({ task: { id }, agent: { id: agent }, action: { tool: "pay", arguments: { amount, currency: "EUR" } } }),
    )
  ).record;

const outcomeOf = async (storage: OpenedStorage, id: string, agent?: string): Promise<string> => (await pay(storage, id, agent)).judgement.outcome;

const report = (storage: OpenedStorage, decision: string, status: "executed" | "blocked" = "executed", more = {}, caller: Caller = CALLER) =>
  reportsOver(storage, POLICY).report(caller, { decision, status, result: "paid", truncated: false, ...more });

/** A root of `bot` and a child of `worker`; each has paid once, and the child's was given back. */
async function familyIn(
  storage: OpenedStorage,
): Promise<{ readonly root: string; readonly child: string; readonly paid: string; readonly back: string }> {
  await loadPolicy(storage, POLICY);
  const root = await open(storage, { expiresAt: instant(storage.clock.now() + 60 * DAY), statementExpiresAt: instant(storage.clock.now() + HOUR) });
  const child = await delegate(storage, root);
  const paid = (await pay(storage, root)).id;
  const back = (await pay(storage, child, "worker", 25)).id;
  await report(storage, back, "blocked", { labels: { classification: "confidential", categories: ["personal"], trust: "untrusted" } });
  return { root, child, paid, back };
}

describe("a registered task in the database", () => {
  it("is a row with its scope, its budgets, what its tree has seen, and how it ended", async () => {
    const storage = await openSqlite({ path });
    const { root, child } = await familyIn(storage);
    const seen = '{"classifications":["confidential","internal"],"categories":["personal"],"trust":"untrusted","systems":["none"]}';
    const spent = '{"calls":{"pay":1},"amounts":{"EUR":1000}}';
    const row = {
      kind: "registered",
      tenant: "default",
      caller: "portal",
      principal: "user:alice",
      attributes: '{"team":"a"}',
      session: "none",
      seen,
    };
    const rows = (): readonly unknown[] => outside("SELECT * FROM tasks ORDER BY depth");
    expect(rows()).toMatchObject([
      {
        ...row,
        task_id: root,
        root_task_id: root,
        parent_task_id: null,
        depth: 0,
        state: "open",
        agent: "bot",
        statement: "pay the invoices",
        statement_expires_at_iso: "2026-01-05T10:00:00.000Z",
        scope_kind: "issued",
        scope: '{"maxCalls":{"pay":5},"maxAmounts":{"EUR":10000}}',
        spent,
        opened_at_iso: "2026-01-05T09:00:00.000Z",
        expires_at_iso: "2026-03-06T09:00:00.000Z",
        closed_at: null,
        closed_because: null,
        ended_by: null,
      },
      {
        ...row,
        task_id: child,
        root_task_id: root,
        parent_task_id: root,
        depth: 1,
        agent: "worker",
        spent: '{"calls":{"pay":0},"amounts":{"EUR":0}}',
      },
    ]);
    storage.clock.advance(1_000);
    await keeper(storage).close(INITIATOR, { id: child, reason: "done" });
    await keeper(storage).revoke(OPERATOR, { id: root, reason: "it runs amok" });
    await keeper(storage).revoke(OPERATOR, { id: child, reason: "to be sure" });
    expect(rows()).toMatchObject([
      { state: "revoked", closed_at_iso: "2026-01-05T09:00:01.000Z", closed_because: "it runs amok", ended_by: "local-operator" },
      { state: "closed", closed_at_iso: "2026-01-05T09:00:01.000Z", closed_because: "done", ended_by: "portal" },
    ]);
    await storage.close();
  });

  it("that was found to have expired is a row that says so", async () => {
    const storage = await openSqlite({ path });
    const id = await open(storage, { expiresAt: instant(storage.clock.now() + HOUR) });
    storage.clock.advance(HOUR + 1);
    expect(await outcomeOf(storage, id)).toBe("DENY");
    await storage.close();
    expect(outside("SELECT state, closed_because, ended_by FROM tasks")).toEqual([{ state: "expired", closed_because: "expired", ended_by: null }]);
  });

  it("stands in every row about it, with its root and its chain", async () => {
    const storage = await openSqlite({ path });
    const { root, child, back } = await familyIn(storage);
    await storage.close();
    expect(outside("SELECT task_id, root_task_id, principal FROM decisions ORDER BY seq")).toEqual([
      { task_id: root, root_task_id: root, principal: "user:alice" },
      { task_id: child, root_task_id: root, principal: "user:alice" },
    ]);
    expect(outside("SELECT kind, task_id, root_task_id FROM events WHERE task_id IS NOT NULL ORDER BY seq")).toEqual([
      { kind: "task_registered", task_id: root, root_task_id: root },
      { kind: "task_registered", task_id: child, root_task_id: root },
      { kind: "reported", task_id: child, root_task_id: root },
    ]);
    expect(outside(`SELECT principal_type, principal_id, task_id FROM delegations WHERE decision_id = '${back}' ORDER BY position`)).toEqual([
      { principal_type: "user", principal_id: "alice", task_id: null },
      { principal_type: "agent", principal_id: "bot", task_id: root },
      { principal_type: "agent", principal_id: "worker", task_id: child },
    ]);
  });

  it("has reports, each a row with what was said and what follows from it", async () => {
    const storage = await openSqlite({ path });
    const { root, child, paid, back } = await familyIn(storage);
    storage.clock.advance(HOUR);
    await report(storage, paid, "executed", { argumentsDigest: `sha256:${"0".repeat(64)}`, truncated: true });
    await storage.close();
    const labels = '{"classification":"confidential","categories":["personal"],"trust":"untrusted"}';
    const row = { tenant: "default", caller: "gateway", root_task_id: root, took_effect: null, enforcement_bypassed: 0, result_bytes: 4 };
    expect(outside("SELECT * FROM reports ORDER BY at")).toMatchObject([
      { ...row, decision_id: back, agent: "worker", task_id: child, status: "blocked", mutated: 0, late: 0, refunded: 1, truncated: 0, labels },
      { ...row, decision_id: paid, agent: "bot", task_id: root, status: "executed", mutated: 1, late: 1, refunded: 0, truncated: 1, labels: null },
    ]);
    expect(outside("SELECT count(*) AS n FROM reports AS r JOIN events AS e ON e.event_id = r.report_id AND e.record = r.record")).toEqual([
      { n: 2 },
    ]);
  });
});

interface Crashing {
  readonly history: readonly Step[];
  readonly crashesAfter: (step: number) => boolean;
  /** What a crash leaves. */
  readonly copy: (path: string, to: string) => string;
}

/** Does the same over a storage that crashes and over one that does not, and expects to find them alike. */
async function crashing({ history, crashesAfter, copy }: Crashing): Promise<void> {
  const own = temporaryDirectory();
  const [clock, otherClock] = [createTestClock(), createTestClock()];
  let storage = await openSqlite({ path: join(own.path, "0.db"), clock });
  const opened = [storage];
  const other = await openMemory({ clock: otherClock });
  const [doer, otherDoer] = [createDoer(POLICY), createDoer(POLICY)];
  try {
    for (const one of [storage, other]) await loadPolicy(one, POLICY);
    for (const [n, step] of history.entries()) {
      expect(await doStep(storage, doer, step)).toEqual(await doStep(other, otherDoer, step));
      if (!crashesAfter(n)) continue;
      const before = looked(storage, doer);
      storage = await openSqlite({ path: copy(storage.path, join(own.path, `${n + 1}.db`)), clock });
      opened.push(storage);
      expect(looked(storage, doer)).toEqual(before);
    }
  } finally {
    for (const one of opened) await one.close();
    own.remove();
  }
}

describe("after a crash", () => {
  it("the state is what it was, and every later answer what it would have been", async () => {
    await fc.assert(
      fc.asyncProperty(steps(24), fc.array(fc.nat(5), { minLength: 24, maxLength: 24 }), (history, crashes) =>
        crashing({ history, crashesAfter: (n) => crashes[n] === 0, copy: copyAsCrashed }),
      ),
      randomRuns(15),
    );
  }, 120_000);

  it.each([
    { says: "all that was not in the file itself", lose: "", left: "-wal" },
    { says: "what was given back", lose: "UPDATE events SET root_task_id = NULL, task_id = NULL WHERE kind = 'reported'", left: "" },
    { says: "what was ended", lose: "UPDATE events SET root_task_id = NULL WHERE kind = 'task_ended'", left: "" },
  ])("the same look catches a copy that has lost $says", async ({ lose, left }) => {
    const history: readonly Step[] = [
      { does: "open", agent: "bot", scope: {}, lifetimeMs: 48 * HOUR },
      { does: "delegate", task: 0, agent: "worker", scope: {}, lifetimeMs: 48 * HOUR },
      { does: "decide", task: 0, agent: "bot", tool: "pay", requestId: undefined },
      { does: "report", decision: 0, status: "blocked", tookEffect: undefined, category: undefined },
      { does: "close", task: 1 },
      { does: "wait", ms: 26 * HOUR },
    ];
    const last = history.length - 1;
    const spoilt = (from: string, to: string): string => {
      copyAsCrashed(from, to);
      if (left === "-wal") rmSync(`${to}-wal`);
      else lookOutside(to, (db) => db.exec(lose));
      return to;
    };
    await expect(crashing({ history, crashesAfter: (n) => n === last, copy: spoilt })).rejects.toThrow();
    await crashing({ history, crashesAfter: (n) => n === last, copy: copyAsCrashed });
  });

  it("a tree is whole, however long ago its parts happened, and gone as soon as it is past", async () => {
    const clock = createTestClock();
    let storage = await openSqlite({ path, clock });
    const { root, child } = await familyIn(storage);
    clock.advance(3 * DAY);
    await keeper(storage).revoke(INITIATOR, { id: child });
    for (const days of [30, 26.5]) {
      clock.advance(days * DAY);
      await storage.close();
      storage = await openSqlite({ path, clock });
      expect(keeper(storage).get(INITIATOR, root)).toMatchObject({
        status: { spent: { calls: { pay: 1 }, amounts: { EUR: 1_000 } }, seen: { trust: "untrusted" }, children: 1, unreported: 1 },
        below: [{ ended: { how: "revoked", task: child }, decided: { allowed: 1 } }],
      });
    }
    // It expired after 60 days, and is remembered for one more.
    clock.advance(1.5 * DAY);
    await storage.close();
    storage = await openSqlite({ path, clock });
    expect(storage.ledger.tasks().size).toBe(0);
    await storage.close();
  });

  it("a tree that was closed long ago is not read again, however late it would have expired", async () => {
    const clock = createTestClock();
    let storage = await openSqlite({ path, clock });
    const { root } = await familyIn(storage);
    await keeper(storage).close(INITIATOR, { id: root });
    clock.advance(DAY - 1);
    await storage.close();
    storage = await openSqlite({ path, clock });
    expect(storage.ledger.tasks().size).toBe(2);
    clock.advance(1);
    await storage.close();
    storage = await openSqlite({ path, clock });
    expect(storage.ledger.tasks().size).toBe(0);
    await storage.close();
  });
});

describe("a row that was changed outside", () => {
  it.each<{ says: string; change: (ids: { readonly root: string; readonly child: string }) => string }>([
    { says: "a revoked task was opened again", change: ({ child }) => `UPDATE tasks SET state = 'open' WHERE task_id = '${child}'` },
    { says: "a task was put below another", change: ({ child }) => `UPDATE tasks SET parent_task_id = 'x' WHERE task_id = '${child}'` },
    { says: "a scope was widened", change: ({ child }) => `UPDATE tasks SET scope = '{}' WHERE task_id = '${child}'` },
    { says: "a budget was filled up", change: ({ child }) => `UPDATE tasks SET spent = '{"calls":{},"amounts":{}}' WHERE task_id = '${child}'` },
    { says: "what a tree has seen was lowered", change: ({ child }) => `UPDATE tasks SET seen = '{}' WHERE task_id = '${child}'` },
    { says: "a task was given more time", change: ({ child }) => `UPDATE tasks SET expires_at = expires_at + 1 WHERE task_id = '${child}'` },
    { says: "a task was given no time", change: ({ child }) => `UPDATE tasks SET expires_at = 1 WHERE task_id = '${child}'` },
    { says: "its words were changed", change: ({ child }) => `UPDATE tasks SET statement = 'other' WHERE task_id = '${child}'` },
    { says: "its words were given more time", change: ({ child }) => `UPDATE tasks SET statement_expires_at = NULL WHERE task_id = '${child}'` },
    { says: "it was turned to another principal", change: ({ child }) => `UPDATE tasks SET principal = 'user:bob' WHERE task_id = '${child}'` },
    { says: "its principal was given attributes", change: ({ child }) => `UPDATE tasks SET attributes = '{"team":"b"}' WHERE task_id = '${child}'` },
    { says: "its kind was changed", change: ({ child }) => `UPDATE tasks SET kind = 'self_asserted' WHERE task_id = '${child}'` },
    { says: "its scope was made an issued one", change: ({ child }) => `UPDATE tasks SET scope_kind = 'issued ' WHERE task_id = '${child}'` },
    { says: "it was put into another tree", change: ({ child }) => `UPDATE tasks SET root_task_id = 'x' WHERE task_id = '${child}'` },
    { says: "who ended it was changed", change: ({ child }) => `UPDATE tasks SET ended_by = 'nobody' WHERE task_id = '${child}'` },
    { says: "when it ended was changed", change: ({ child }) => `UPDATE tasks SET closed_at = 1 WHERE task_id = '${child}'` },
    { says: "it was taken away", change: ({ child }) => `DELETE FROM tasks WHERE task_id = '${child}'` },
  ])("is refused by its name: $says", async ({ change: changeOf }) => {
    const clock = createTestClock();
    const storage = await openSqlite({ path, clock });
    const ids = await familyIn(storage);
    await keeper(storage).revoke(INITIATOR, { id: ids.child });
    await storage.close();
    // Long enough ago that nothing else is read of that time.
    clock.advance(30 * DAY);
    change(changeOf(ids));
    await expect(openSqlite({ path, clock })).rejects.toThrow(new RegExp(`\`${ids.child}\`.*changed outside Behest`));
  });

  it.each([
    { says: "in a tree that is known", root: (id: string) => `'${id}'` },
    { says: "as a tree of its own", root: () => "'extra'" },
    { says: "in a tree that nobody knows", root: () => "'nowhere'" },
  ])("is refused by its name where it was added $says", async ({ root }) => {
    const clock = createTestClock();
    const storage = await openSqlite({ path, clock });
    const ids = await familyIn(storage);
    await storage.close();
    clock.advance(30 * DAY);
    change(
      `INSERT INTO tasks (task_id, root_task_id, kind, state, tenant, caller, agent, principal, session, opened_at, expires_at, scope, spent, seen)
       SELECT 'extra', ${root(ids.root)}, kind, state, tenant, caller, agent, principal, session, opened_at, expires_at, scope, spent, seen
       FROM tasks WHERE depth = 0`,
    );
    await expect(openSqlite({ path, clock })).rejects.toThrow("row `extra` of table `tasks` differs from the ledger's events");
  });

  it("of a tree that is past is nobody's concern", async () => {
    const clock = createTestClock();
    const storage = await openSqlite({ path, clock });
    const { root } = await familyIn(storage);
    await keeper(storage).close(INITIATOR, { id: root });
    await storage.close();
    clock.advance(30 * DAY);
    change("UPDATE tasks SET statement = 'other'");
    await (await openSqlite({ path, clock })).close();
  });

  it("is no report: the event says what was reported, and one that differs from its leaf is none", async () => {
    const storage = await openSqlite({ path });
    const { back } = await familyIn(storage);
    change("UPDATE reports SET status = 'executed', record = '{}'");
    expect(await storage.ledger.report(back)).toMatchObject({ kind: "reported", decision: back, status: "blocked" });
    change("UPDATE events SET record = replace(record, 'blocked', 'executed') WHERE kind = 'reported'");
    await expect(report(storage, back, "executed")).rejects.toMatchObject({ code: "LEDGER_UNAVAILABLE" });
    await storage.close();
  });
});

describe("while the ledger cannot be written", () => {
  /** A tree, and a storage that has just found that it cannot write. */
  async function blocked() {
    const storage = await openSqlite({ path });
    const ids = await familyIn(storage);
    const block = blockWrites(path);
    await expect(pay(storage, ids.root)).rejects.toMatchObject({ code: "LEDGER_UNAVAILABLE" });
    return { storage, block, ...ids };
  }

  const crashed = () => openSqlite({ path: copyAsCrashed(path, join(directory.path, "crashed.db")) });

  it("a task is revoked all the same, which holds before the first decision afterwards, and is recorded once", async () => {
    const { storage, block, root, child } = await blocked();
    expect(await keeper(storage).revoke(OPERATOR, { id: root })).toMatchObject({ durable: true, status: { ended: { how: "revoked" } } });
    expect(await keeper(storage).revoke(OPERATOR, { id: root })).toMatchObject({ durable: true, status: { ended: { how: "revoked" } } });
    expect(() => keeper(storage).get(OPERATOR, root)).toThrow("the ledger cannot be written at present");
    block.release();
    await isReady(storage);
    expect([await outcomeOf(storage, root), await outcomeOf(storage, child, "worker")]).toEqual(["DENY", "DENY"]);
    expect(outside("SELECT task_id FROM events WHERE kind = 'task_revoked'")).toEqual([{ task_id: root }]);
    await storage.close();
  });

  it("and the process is killed there, the revocation holds from the first decision of the next on", async () => {
    const { storage, block, root, child } = await blocked();
    await keeper(storage).revoke(OPERATOR, { id: root, reason: "\u0001".repeat(1_024) });
    const next = await crashed();
    expect([await outcomeOf(next, root), await outcomeOf(next, child, "worker")]).toEqual(["DENY", "DENY"]);
    expect(next.failures).toEqual([]);
    await next.close();
    block.release();
    await storage.close();
  });

  it("what was spent in a group that failed is not spent after reopening", async () => {
    const { storage, block, root } = await blocked();
    block.release();
    await isReady(storage);
    expect(keeper(storage).get(INITIATOR, root).status.spent).toEqual({ calls: { pay: 1 }, amounts: { EUR: 1_000 } });
    await storage.close();
  });

  it("a task whose opening was never written can be revoked, which is no error afterwards", async () => {
    const storage = await openSqlite({ path });
    const block = blockWrites(path);
    const opening = open(storage);
    const [id] = [...storage.ledger.tasks().all()].map(({ task }) => task.id);
    await expect(opening).rejects.toMatchObject({ code: "LEDGER_UNAVAILABLE" });
    expect(await keeper(storage).revoke(OPERATOR, { id: id ?? "" })).toMatchObject({ durable: true });
    block.release();
    await isReady(storage);
    expect(storage.ledger.tasks().size).toBe(0);
    expect(outside("SELECT kind FROM events")).toEqual([{ kind: "task_revoked" }]);
    await storage.close();
    await (await openSqlite({ path })).close();
  });

  it("one whose closing was not written is revoked: an end that nobody knows of ends nothing", async () => {
    const storage = await openSqlite({ path });
    const { root } = await familyIn(storage);
    const block = blockWrites(path);
    const closing = keeper(storage).close(INITIATOR, { id: root });
    const revoking = keeper(storage).revoke(OPERATOR, { id: root });
    await expect(closing).rejects.toMatchObject({ code: "LEDGER_UNAVAILABLE" });
    expect(await revoking).toMatchObject({ durable: true });
    const next = await crashed();
    expect(await outcomeOf(next, root)).toBe("DENY");
    await next.close();
    block.release();
    await isReady(storage);
    expect(keeper(storage).get(INITIATOR, root).status.ended).toMatchObject({ how: "revoked" });
    await storage.close();
  });

  it("and the journal takes no more, a revocation that is repeated is as little durable as it was", async () => {
    const { storage, block, root } = await blocked();
    for (let n = 0; n < SLOTS; n++) await storage.ledger.control(() => ({ events: [revocationOf(`other-${n}`, storage)], answer: undefined }));
    for (let time = 0; time < 2; time++) expect(await keeper(storage).revoke(OPERATOR, { id: root })).toMatchObject({ durable: false });
    block.release();
    await isReady(storage);
    expect(await outcomeOf(storage, root)).toBe("DENY");
    expect(await keeper(storage).revoke(OPERATOR, { id: root })).toMatchObject({ durable: true });
    await storage.close();
  });

  const revocationOf = (task: string, { clock }: OpenedStorage) =>
    ({ kind: "task_revoked", v: 1, id: `event-${task}`, at: clock.now(), tenant: "default", task, root: task, by: "op" }) as const;
});

describe("budgets", () => {
  it("are given to one of two decisions that race for the last unit", async () => {
    const storage = await openSqlite({ path });
    const root = await open(storage, { scope: { maxCalls: { pay: 1 } } });
    const children = [await delegate(storage, root), await delegate(storage, root)];
    const outcomes = await Promise.all(children.map((id) => outcomeOf(storage, id, "worker")));
    expect(outcomes.sort()).toEqual(["ALLOW", "DENY"]);
    await storage.close();
  });

  const CAPS = { calls: 20, amount: 15_000 };

  /** What 50 deciders at once take and give back, and every time that more was out than may be. */
  async function race(storage: OpenedStorage, ledger: Ledger) {
    const deciding = { ...storage, ledger };
    const root = await open(storage, { scope: { maxCalls: { pay: CAPS.calls }, maxAmounts: { EUR: CAPS.amount } } });
    const children = await Promise.all(Array.from({ length: 5 }, () => delegate(storage, root)));
    const reports = reportsOver(storage, POLICY);
    const block = (decision: string) => reports.report(CALLER, { decision, status: "blocked", result: "", truncated: false });
    const counts = { allowed: 0, denied: 0, back: 0 };
    const out = { calls: 0, amount: 0 };
    const beyond: unknown[] = [];
    const look = (): void => {
      if (out.calls > CAPS.calls || out.amount > CAPS.amount) beyond.push({ ...out });
      for (const { spent } of storage.ledger.tasks().all()) {
        const [calls, amount] = [spent.calls.pay ?? 0, spent.amounts["EUR"] ?? 0];
        if (calls < 0 || calls > CAPS.calls || amount < 0 || amount > CAPS.amount) beyond.push(spent);
      }
    };
    const decideOnce = async (n: number, round: number): Promise<void> => {
      const amount = 1 + ((n + round) % 9);
      const record = await pay(deciding, children[n % 5] ?? "", "worker", amount);
      if (record.judgement.outcome === "DENY") counts.denied++;
      if (record.judgement.outcome !== "ALLOW") return;
      counts.allowed++;
      out.calls++;
      out.amount += amount * 100;
      look();
      if ((n + round) % 3 === 0) return;
      counts.back++;
      // From here on it may have been given back.
      out.calls--;
      out.amount -= amount * 100;
      // Twice: what is given back is given back once.
      await Promise.all([block(record.id), block(record.id)]);
      look();
    };
    await Promise.all(
      Array.from({ length: 50 }, async (_, n) => {
        for (let round = 0; round < 8; round++) await decideOnce(n, round);
      }),
    );
    return { root, beyond, ...counts };
  }

  it("never go below nothing or above their cap under 50 deciders at once, while reports give back", async () => {
    const storage = await openSqlite({ path });
    const { root, beyond, allowed, denied, back } = await race(storage, storage.ledger);
    expect(beyond).toEqual([]);
    const spent = storage.ledger.tasks().get(root)?.spent;
    expect(spent?.calls.pay).toBe(allowed - back);
    expect({ many: allowed > 30, someDenied: denied > 0, someBack: back > 10 }).toEqual({ many: true, someDenied: true, someBack: true });
    await storage.close();
    const again = await openSqlite({ path });
    expect(again.ledger.tasks().get(root)?.spent).toEqual(spent);
    await again.close();
  });

  it("and the same look catches a ledger that decides on what is on disk alone", async () => {
    const storage = await openSqlite({ path });
    let written = new Map<string, TaskState>();
    const frozen = (state: TaskState): TaskState => ({ ...state, parent: state.parent && frozen(state.parent) });
    const onDisk = (): void => {
      written = new Map([...storage.ledger.tasks().all()].map((state) => [state.task.id, frozen(state)]));
    };
    const stale: Ledger = withSlowReads(storage.ledger, {
      async transact(keys, turn) {
        const answer = await storage.ledger.transact(keys, (view) => {
          const registered = written.get(view.registered?.task.id ?? "") ?? view.registered;
          return turn({ ...view, ...(registered && { registered }) });
        });
        onDisk();
        return answer;
      },
    });
    expect((await race(storage, stale)).beyond.length).toBeGreaterThan(0);
    await storage.close();
  });
});
