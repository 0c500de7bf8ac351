import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { expect, it } from "vitest";
import { decodeEvent } from "../../src/core/record.ts";
import { append, EMPTY_TREE, encodeEdge, leafHash, rootOf } from "../../src/core/tree.ts";
import { createMemoryDecisionCache } from "../../src/storage/memory/decision-cache.ts";
import { createMemoryLedger } from "../../src/storage/memory/ledger.ts";
import { APPLICATION_ID, MIGRATIONS } from "../../src/storage/sqlite/schema.ts";
import { temporaryDirectory } from "../running-server.ts";
import { answer, asking, decideOn, longTask, use, wire } from "./askings.ts";
import { deciderOver, keeperOver, reportsOver } from "./deciders.ts";
import { HOUR, POLICY } from "./families.ts";
import { INITIATOR, loadPolicy } from "./histories.ts";
import { ask, CALLER } from "./requests.ts";
import { createTestClock, lookOutside, openSqlite } from "./storages.ts";

/** Writes events as the first version of the schema had them. */
function writeFirstVersion(path: string, texts: readonly string[]): void {
  const db = new Sqlite(path);
  db.pragma("journal_mode = WAL");
  db.exec(MIGRATIONS[0] ?? "");
  db.pragma(`application_id = ${APPLICATION_ID}`);
  db.pragma("user_version = 1");
  const event = db.prepare("INSERT INTO events (seq, event_id, at, kind, tenant, task_id, record, leaf) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  const task =
    db.prepare(`INSERT INTO tasks (task_id, root_task_id, kind, state, tenant, caller, agent, principal, session, statement, opened_at, seen)
    VALUES (?, ?, 'self_asserted', 'open', ?, ?, ?, ?, ?, ?, ?, ?)`);
  const decision = db.prepare(`INSERT INTO decisions (seq, decision_id, at, tenant, caller, agent, principal, task_id, root_task_id, tool, effect,
    classification, environment, outcome, basis, score, reason_codes, policy_digest, record, leaf) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '[]', ?, ?, ?)`);
  const seen = db.prepare("UPDATE tasks SET seen = ? WHERE task_id = ?");
  let edge = EMPTY_TREE;
  for (const text of texts) {
    const told = decodeEvent(text);
    const leaf = leafHash(text);
    edge = append(edge, leaf);
    if (told.kind === "task_opened") {
      const { id, tenant, caller, agent, principal, session, statement, openedAt } = told.task;
      event.run(edge.size, told.id, told.at, told.kind, tenant, id, text, leaf);
      task.run(id, id, tenant, caller, agent, principal, session, statement ?? null, openedAt, JSON.stringify(told.task.seen));
    } else if (told.kind === "decision") {
      const { subject, resolved, judgement } = told;
      const id = subject.task.id;
      const { effect, classification, environment, principal } = resolved;
      const who = [told.tenant, told.caller, subject.request.agent.id, principal];
      const what = [subject.request.action.tool, effect, classification, environment, judgement.outcome, judgement.basis, judgement.score];
      decision.run(edge.size, told.id, told.at, ...who, id, id, ...what, told.policy, text, leaf);
      if (told.seenAfter) seen.run(JSON.stringify(told.seenAfter), id);
    }
    db.prepare("INSERT INTO tree_heads (tree_size, at, root) VALUES (?, ?, ?)").run(edge.size, told.at, rootOf(edge));
  }
  db.prepare("UPDATE _tree_edge SET tree_size = ?, edge = ?").run(edge.size, encodeEdge(edge));
  db.close();
}

const schemaOf = (db: Sqlite.Database): readonly unknown[] =>
  db
    .prepare(
      "SELECT type, name, tbl_name FROM sqlite_schema UNION ALL SELECT 'column', m.name, c.name FROM sqlite_schema AS m, pragma_table_xinfo(m.name) AS c ORDER BY 1, 2, 3",
    )
    .all();

/** Takes away all that later versions added, and puts back what they dropped, so that there is what the third had. */
function makeThirdVersion(path: string): void {
  lookOutside(path, (db) => {
    db.exec(`DROP TABLE _observations; DROP TABLE _observed_trees; CREATE INDEX decisions_by_root ON decisions (root_task_id, at);
      PRAGMA user_version = 3`);
    const third = new Sqlite(":memory:");
    for (const sql of MIGRATIONS.slice(0, 3)) third.exec(sql);
    expect(schemaOf(db)).toEqual(schemaOf(third));
    third.close();
  });
}

/** The same for the second. */
function makeSecondVersion(path: string): void {
  makeThirdVersion(path);
  lookOutside(path, (db) => {
    db.exec(`DROP VIEW approvers; DROP VIEW approval_answers; DROP TABLE approvals; DROP INDEX decisions_by_approval; DROP INDEX events_by_approval;
      DROP INDEX events_of_approvals; ALTER TABLE events DROP COLUMN approval_id; PRAGMA user_version = 2`);
    const second = new Sqlite(":memory:");
    for (const sql of MIGRATIONS.slice(0, 2)) second.exec(sql);
    expect(schemaOf(db)).toEqual(schemaOf(second));
    second.close();
  });
}

it("a database of the third version opens, and goes on without what was observed before", async () => {
  const directory = temporaryDirectory();
  const path = join(directory.path, "behest.db");
  const clock = createTestClock();
  let storage = await openSqlite({ path, clock });
  await loadPolicy(storage, POLICY);
  const task = await longTask(storage);
  const reported = async (result: string): Promise<void> => {
    const { id } = await decideOn(storage, { agent: { id: "bot" }, task: { id: task }, action: { tool: "read", arguments: {} } });
    await reportsOver(storage, POLICY).report(CALLER, { decision: id, status: "executed", result, truncated: false });
  };
  await reported('[{ "mail": "before@orion.example" }]');
  await storage.close();
  makeThirdVersion(path);
  storage = await openSqlite({ path, clock });
  await reported('[{ "mail": "after@orion.example" }]');
  await storage.close();
  storage = await openSqlite({ path, clock });
  const grades = storage.ledger.peek(
    { tenant: "default", caller: "gateway", agent: "bot", principal: "none", session: "none", taskId: task },
    ({ observed }) => ["before@orion.example", "after@orion.example"].map((value) => observed?.get(value)?.grade),
  );
  expect(grades).toEqual([undefined, "attested"]);
  await storage.close();
  expect(lookOutside(path, (db) => db.pragma("user_version", { simple: true }))).toBe(MIGRATIONS.length);
  directory.remove();
});

it("a database of the second version opens, has all that it had, and people can be asked about its tasks", async () => {
  const directory = temporaryDirectory();
  const path = join(directory.path, "behest.db");
  const clock = createTestClock();
  let storage = await openSqlite({ path, clock });
  await loadPolicy(storage, POLICY);
  const task = await longTask(storage);
  const paid = await decideOn(storage, {
    agent: { id: "bot" },
    task: { id: task },
    action: { tool: "pay", arguments: { amount: 10, currency: "EUR" } },
  });
  await decideOn(storage, { agent: { id: "worker" }, action: { tool: "mail/read", arguments: {} } });
  await storage.close();
  makeSecondVersion(path);

  storage = await openSqlite({ path, clock });
  expect(storage.ledger.tasks().get(task)?.spent).toEqual({ calls: { pay: 1 }, amounts: {} });
  expect((await storage.ledger.decision(paid.id))?.judgement.outcome).toBe("ALLOW");
  const asked = await asking(storage, wire({ task: { id: task } }));
  await answer(storage, asked);
  clock.advance(26 * HOUR);
  await storage.close();
  storage = await openSqlite({ path, clock });
  expect((await use(storage, asked)).judgement.outcome).toBe("ALLOW");
  await storage.close();
  const rows = (sql: string) => lookOutside(path, (db) => db.prepare(sql).all());
  expect(rows("PRAGMA user_version")).toEqual([{ user_version: MIGRATIONS.length }]);
  expect(rows("SELECT tool, approval_id FROM decisions ORDER BY seq")).toEqual([
    { tool: "pay", approval_id: null },
    { tool: "mail/read", approval_id: null },
    { tool: "wire", approval_id: asked.id },
    { tool: "wire", approval_id: asked.id },
  ]);
  expect(rows("SELECT state, used FROM approvals")).toEqual([{ state: "consumed", used: 1 }]);
  directory.remove();
});

it("a database of the first version opens, has all that it had, and goes on", async () => {
  const directory = temporaryDirectory();
  const path = join(directory.path, "behest.db");
  const clock = createTestClock();
  const before = createMemoryLedger();
  const old = deciderOver({ ledger: before, cache: createMemoryDecisionCache(10), clock, failures: [], close: async () => undefined });
  const { record } = await old.decide(ask({ action: { tool: "mail/read", arguments: {} }, task: { statement: "read my mail" } }));
  writeFirstVersion(path, before.written);

  let storage = await openSqlite({ path, clock });
  const next = await deciderOver(storage).decide(ask());
  expect(next.record.subject.task).toMatchObject({ id: record.subject.task.id, statement: "read my mail", seen: { trust: "untrusted" } });
  await reportsOver(storage).report(CALLER, {
    decision: record.id,
    status: "executed",
    result: "",
    truncated: false,
    labels: { categories: ["health"] },
  });
  const { task } = await keeperOver(storage).open(INITIATOR, {
    statement: "read on",
    principal: { type: "user", id: "alice" },
    agent: "bot",
    scopeKind: "issued",
    scope: {},
  });
  await deciderOver(storage).decide(ask({ task: { id: task.id } }));
  await storage.close();

  storage = await openSqlite({ path, clock });
  const last = await deciderOver(storage).decide(ask());
  expect(last.record.subject.task.seen.categories).toEqual(["health", "personal"]);
  expect(storage.ledger.tasks().get(task.id)?.decided.allowed).toBe(1);
  await storage.close();
  const rows = (sql: string) => lookOutside(path, (db) => db.prepare(sql).all());
  expect(rows("PRAGMA user_version")).toEqual([{ user_version: MIGRATIONS.length }]);
  expect(rows("SELECT kind, task_id = root_task_id AS own FROM events ORDER BY seq")).toEqual([
    { kind: "task_opened", own: 1 },
    { kind: "reported", own: 1 },
    { kind: "task_registered", own: 1 },
  ]);
  expect(rows("SELECT kind, depth, scope_kind, spent FROM tasks ORDER BY opened_at, kind DESC")).toEqual([
    { kind: "self_asserted", depth: 0, scope_kind: null, spent: null },
    { kind: "registered", depth: 0, scope_kind: "issued", spent: '{"calls":{"read":1},"amounts":{}}' },
  ]);
  directory.remove();
});
