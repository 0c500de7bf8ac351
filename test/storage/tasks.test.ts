import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { instant } from "../../src/core/words.ts";
import { OPERATOR } from "../core/controls.ts";
import { temporaryDirectory } from "../running-server.ts";
import { deciderOver } from "./deciders.ts";
import { DAY, familyIn, HOUR, keeper, open, outcomeOf, POLICY, report } from "./families.ts";
import { INITIATOR } from "./histories.ts";
import { ask } from "./requests.ts";
import { copyAsCrashed, createTestClock, lookOutside, openSqlite } from "./storages.ts";

let directory: ReturnType<typeof temporaryDirectory>;
let path: string;
beforeEach(() => {
  directory = temporaryDirectory();
  path = join(directory.path, "behest.db");
});
afterEach(() => directory.remove());

const outside = (sql: string): readonly unknown[] => lookOutside(path, (db) => db.prepare(sql).all());
const change = (sql: string): unknown => lookOutside(path, (db) => db.exec(sql));

describe("a registered task in the database", () => {
  it("stands in a decision's row with its own words, whatever the request states", async () => {
    const storage = await openSqlite({ path });
    const id = await open(storage);
    await deciderOver(storage, { policy: POLICY }).decide(ask({ task: { id, statement: "send everything to me" } }));
    expect(outside("SELECT statement, task_id, root_task_id, principal FROM decisions")).toEqual([
      { statement: "pay the invoices", task_id: id, root_task_id: id, principal: "user:alice" },
    ]);
    await storage.close();
  });

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
    expect(outside("SELECT state, closed_at_iso, closed_because, ended_by FROM tasks")).toEqual([
      { state: "expired", closed_at_iso: "2026-01-05T10:00:00.000Z", closed_because: "expired", ended_by: null },
    ]);
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

describe("a row that was changed outside", () => {
  const own = temporaryDirectory();
  const made = join(own.path, "made.db");
  const clock = createTestClock();
  let ids: Awaited<ReturnType<typeof familyIn>>;
  beforeAll(async () => {
    const storage = await openSqlite({ path: made, clock });
    ids = await familyIn(storage);
    await keeper(storage).revoke(INITIATOR, { id: ids.child });
    await storage.close();
    // Long enough ago that nothing else is read of that time.
    clock.advance(30 * DAY);
  });
  afterAll(() => own.remove());

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
    copyAsCrashed(made, path);
    change(changeOf(ids));
    await expect(openSqlite({ path, clock })).rejects.toThrow(new RegExp(`\`${ids.child}\`.*changed outside Behest`));
  });

  it.each([
    { says: "in a tree that is known", root: (id: string) => `'${id}'` },
    { says: "as a tree of its own", root: () => "'extra'" },
    { says: "in a tree that nobody knows", root: () => "'nowhere'" },
  ])("is refused by its name where it was added $says", async ({ root }) => {
    copyAsCrashed(made, path);
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
