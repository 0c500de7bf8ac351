import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { judge } from "../../src/core/judge.ts";
import { type DecisionRecord, decodeEvent, RECORD_VERSION } from "../../src/core/record.ts";
import type { DecisionRequest } from "../../src/core/request.ts";
import { instant } from "../../src/core/words.ts";
import { compilePolicy } from "../../src/policy/load.ts";
import { openForWriting } from "../../src/storage/sqlite/connection.ts";
import { filesOf } from "../policies.ts";
import { temporaryDirectory } from "../running-server.ts";
import { deciderOver, POLICY } from "./deciders.ts";
import { loadPolicy } from "./histories.ts";
import { ask } from "./requests.ts";
import { createTestClock, lookOutside, openMemory, openSqlite } from "./storages.ts";

let directory: ReturnType<typeof temporaryDirectory>;
let path: string;
beforeEach(() => {
  directory = temporaryDirectory();
  path = join(directory.path, "behest.db");
});
afterEach(() => directory.remove());

const outside = <T>(use: (db: Sqlite.Database) => T): T => lookOutside(path, use);

const tool = (name: string): Pick<DecisionRequest, "action"> => ({ action: { tool: name, arguments: {} } });

describe("the database", () => {
  it("is written through a connection in WAL mode that syncs fully", () => {
    const { db, close } = openForWriting(path, 0);
    // 2 is FULL: https://www.sqlite.org/pragma.html#pragma_synchronous
    expect({ mode: db.pragma("journal_mode", { simple: true }), synchronous: db.pragma("synchronous", { simple: true }) }).toEqual({
      mode: "wal",
      synchronous: 2,
    });
    close();
  });

  it("holds one row for each decision, with the columns taken from its record", async () => {
    const storage = await openSqlite({ path });
    const { record } = await deciderOver(storage).decide(
      ask({
        ...tool("leak"),
        task: { statement: "look it up" },
        delegation: [
          { type: "user", id: "alice" },
          { type: "agent", id: "bot" },
        ],
        data: { classification: "internal" },
      }),
    );
    await storage.close();
    const row = outside((db) => db.prepare("SELECT * FROM decisions").get());
    expect(row).toMatchObject({
      decision_id: record.id,
      at: record.at,
      at_iso: "2026-01-05T09:00:00.000Z",
      tenant: "default",
      caller: "gateway",
      agent: "bot",
      principal: "user:alice",
      task_id: record.subject.task.id,
      root_task_id: record.subject.task.id,
      statement: "look it up",
      tool: "leak",
      operation: null,
      effect: "read",
      resource: null,
      classification: "internal",
      environment: "production",
      outcome: "DENY",
      basis: "NONE",
      score: 0,
      reason_codes: '["RULE_DENY"]',
      policy_digest: POLICY.digest,
      approval_id: null,
      cache_repeats: null,
    });
    expect(outside((db) => db.prepare("SELECT rule, event, result, points, reason, controls FROM findings").all())).toEqual([
      { rule: "leaks-are-denied", event: "deny", result: "matched", points: 0, reason: "it leaks", controls: '["owasp:ASI02"]' },
    ]);
    expect(outside((db) => db.prepare("SELECT position, principal_type, principal_id FROM delegations ORDER BY position").all())).toEqual([
      { position: 0, principal_type: "user", principal_id: "alice" },
      { position: 1, principal_type: "agent", principal_id: "bot" },
    ]);
    expect(outside((db) => db.prepare("SELECT task_id, state, kind, statement, seen FROM tasks").all())).toEqual([
      {
        task_id: record.subject.task.id,
        state: "open",
        kind: "self_asserted",
        statement: "look it up",
        seen: '{"classifications":[],"categories":[],"trust":"trusted","systems":[]}',
      },
    ]);
  });

  it("stores with each event its RFC 6962 leaf, and with each group the root of the whole log so far", async () => {
    const storage = await openSqlite({ path });
    const decider = deciderOver(storage);
    for (let group = 0; group < 6; group++) await Promise.all(Array.from({ length: group * 2 + 1 }, () => decider.decide(ask())));
    await storage.close();
    const rows = outside((db) =>
      db
        .prepare<[], { seq: number; record: string; leaf: Buffer }>(
          "SELECT seq, record, leaf FROM decisions UNION ALL SELECT seq, record, leaf FROM events ORDER BY seq",
        )
        .all(),
    );
    const leaves = rows.map(({ record }) => sha256(Buffer.from([0]), Buffer.from(record)));
    expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, index) => index + 1));
    expect(rows.map(({ leaf }) => leaf.toString("hex"))).toEqual(leaves.map((leaf) => leaf.toString("hex")));
    const heads = outside((db) =>
      db.prepare<[], { tree_size: number; root: Buffer }>("SELECT tree_size, root FROM tree_heads ORDER BY tree_size").all(),
    );
    expect(heads.length).toBeGreaterThan(5);
    for (const { tree_size, root } of heads)
      expect(root.toString("hex"), `root of ${tree_size}`).toBe(treeHash(leaves.slice(0, tree_size)).toString("hex"));
  });

  it("keeps a median record within 1.5 KiB", async () => {
    const storage = await openSqlite({ path });
    const decider = deciderOver(storage);
    for (const name of ["read", "write", "mail/read", "leak", "read"])
      await decider.decide(ask({ ...tool(name), task: { statement: "Summarise my mail and file a report" } }));
    await storage.close();
    const lengths = outside((db) => db.prepare<[], number>("SELECT length(CAST(record AS BLOB)) FROM decisions ORDER BY 1").pluck().all());
    expect(lengths[Math.floor(lengths.length / 2)]).toBeLessThanOrEqual(1_536);
  });
});

const sha256 = (...parts: readonly Buffer[]): Buffer => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();

/** RFC 6962 §2.1, word for word. */
function treeHash(leaves: readonly Buffer[]): Buffer {
  const [only] = leaves;
  if (!only) return sha256();
  if (leaves.length === 1) return only;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return sha256(Buffer.from([1]), treeHash(leaves.slice(0, split)), treeHash(leaves.slice(split)));
}

/** A short history: who asks for what, and how much time passes before. */
const step = fc.record({
  tool: fc.constantFrom("read", "write", "leak", "mail/read", "vault/read", "nobody-knows"),
  agent: fc.constantFrom("bot", "keeper"),
  session: fc.constantFrom("s1", "s2"),
  waitMs: fc.constantFrom(0, 1_000, 40_000, 61_000, 3_600_000, 80_000_000),
  requestId: fc.constantFrom(undefined, undefined, "r1", "r2"),
  restart: fc.boolean(),
});

describe("the files of policies", () => {
  it("are kept once each, however many policies hold them, and read as one JSON object", async () => {
    const storage = await openSqlite({ path });
    const catalog = JSON.stringify({ tools: { mail: { about: "x".repeat(100_000) } } });
    const versions = Array.from({ length: 30 }, (_, n) => ({
      "policy.json": "{}",
      "a.rules.json": `{"n":${n},"says":"\\"é\u{1f600}\\n""}\n`,
      "catalog/a.json": catalog,
    }));
    for (const [n, files] of versions.entries()) {
      const event = {
        kind: "policy_loaded",
        v: RECORD_VERSION,
        id: `p${n}`,
        at: storage.clock.now(),
        policy: `sha256:${n}`,
        windows: POLICY.settings.windows,
      } as const;
      await storage.ledger.recordPolicy({ event, files });
    }
    expect((await storage.ledger.policy("sha256:7"))?.files).toEqual(versions[7]);
    await storage.close();
    const rows = outside((db) =>
      db.prepare<[], { files: string }>("SELECT files FROM policies ORDER BY first_loaded_at, length(policy_digest), policy_digest").all(),
    );
    expect(rows.map(({ files }) => JSON.parse(files))).toEqual(versions);
    expect(statSync(path).size).toBeLessThan(500_000);
  });
});

describe("after a restart", () => {
  it("every later decision is what it would have been without one", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        const own = temporaryDirectory();
        const clock = createTestClock();
        const file = join(own.path, "behest.db");
        let durable = await openSqlite({ path: file, clock });
        const fleeting = { ...(await openMemory()), clock };
        try {
          // Its windows say what is forgotten.
          for (const storage of [durable, fleeting]) await loadPolicy(storage, POLICY);
          for (const { tool: name, agent, session, waitMs, requestId, restart } of steps) {
            clock.advance(waitMs);
            if (restart) {
              await durable.close();
              durable = await openSqlite({ path: file, clock });
            }
            const asked = ask({ ...tool(name), agent: { id: agent }, session, ...(requestId !== undefined && { requestId }) });
            const [a, b] = await Promise.all([outcomeOf(deciderOver(durable).decide(asked)), outcomeOf(deciderOver(fleeting).decide(asked))]);
            expect(a).toEqual(b);
          }
        } finally {
          await durable.close();
          own.remove();
        }
      }),
      { numRuns: Number(process.env["RUNS"] ?? 12), ...(process.env["SEED"] !== undefined && { seed: Number(process.env["SEED"]) }) },
    );
  });

  it("an open task lives on, however long ago it was opened, with all it has seen", async () => {
    const clock = createTestClock();
    let storage = await openSqlite({ path, clock });
    const { record } = await deciderOver(storage).decide(ask(tool("mail/read")));
    for (let half = 0; half < 80; half++) {
      clock.advance(30 * 60_000);
      await deciderOver(storage).decide(ask(tool("write")));
    }
    await storage.close();
    storage = await openSqlite({ path, clock });
    const later = await deciderOver(storage).decide(ask());
    expect(later.record.subject.task).toMatchObject({
      id: record.subject.task.id,
      standing: "open",
      seen: { trust: "untrusted", categories: ["personal"] },
    });
    await storage.close();
  });

  it.each([
    { says: "a task was closed", change: "UPDATE tasks SET state = 'closed'" },
    {
      says: "what a task has seen was lowered",
      change: 'UPDATE tasks SET seen = \'{"classifications":[],"categories":[],"trust":"trusted","systems":[]}\'',
    },
    { says: "a task was given to another agent", change: "UPDATE tasks SET agent = 'other'" },
    { says: "a task's statement was changed", change: "UPDATE tasks SET statement = 'other'" },
    { says: "a task was taken away", change: "DELETE FROM tasks" },
  ])("a row edited by hand is refused, naming it: $says", async ({ change }) => {
    const storage = await openSqlite({ path });
    const { record } = await deciderOver(storage).decide(ask(tool("mail/read")));
    await storage.close();
    outside((db) => db.exec(change));
    await expect(openSqlite({ path })).rejects.toThrow(`\`${record.subject.task.id}\``);
  });

  it.each([
    { says: "a decision was taken away", change: "DELETE FROM decisions WHERE seq = 2" },
    { says: "the last one was", change: "DELETE FROM decisions WHERE seq = (SELECT max(seq) FROM decisions)" },
  ])("a ledger with a gap is refused: $says", async ({ change }) => {
    const storage = await openSqlite({ path });
    for (let n = 0; n < 3; n++) await deciderOver(storage).decide(ask());
    await storage.close();
    outside((db) => db.exec(change));
    await expect(openSqlite({ path })).rejects.toThrow("rows were removed or added outside Behest");
  });

  it.each([
    { says: "an outcome", change: "UPDATE decisions SET record = replace(record, 'DENY', 'ALLOW')" },
    { says: "to something that is no JSON", change: "UPDATE decisions SET record = 'x'" },
  ])("a record edited by hand is refused, by its number: $says", async ({ change }) => {
    const storage = await openSqlite({ path });
    await deciderOver(storage).decide(ask(tool("leak")));
    await storage.close();
    outside((db) => db.exec(change));
    await expect(openSqlite({ path })).rejects.toThrow("event number 2 differs from its leaf in the tree; it was changed outside Behest");
  });

  it("a record edited while it is served is not replayed", async () => {
    const storage = await openSqlite({ path });
    const decider = deciderOver(storage);
    await decider.decide(ask({ ...tool("leak"), requestId: "r1" }));
    outside((db) => db.exec("UPDATE decisions SET record = replace(record, 'DENY', 'ALLOW')"));
    await expect(decider.decide(ask({ ...tool("leak"), requestId: "r1" }))).rejects.toMatchObject({ code: "LEDGER_UNAVAILABLE" });
    await storage.close();
  });

  it("a database of another program, or of a newer Behest, is refused", async () => {
    outside((db) => db.exec("CREATE TABLE t (a); PRAGMA application_id = 7"));
    await expect(openSqlite({ path })).rejects.toThrow("the database file belongs to another program; choose another data directory");
    outside((db) => db.exec(`PRAGMA application_id = ${0x42485354}; PRAGMA user_version = 99`));
    await expect(openSqlite({ path })).rejects.toThrow("the database has schema version 99");
  });
});

type Outcome = { readonly [key: string]: unknown };

async function outcomeOf(answer: Promise<{ readonly record: DecisionRecord; readonly replayed: boolean }>): Promise<Outcome> {
  try {
    const { record, replayed } = await answer;
    const { standing, restated, seen, statement } = record.subject.task;
    // Ids are random; everything else must agree.
    const judgement = JSON.parse(JSON.stringify(record.judgement).replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "ID"));
    return { judgement, replayed, standing, restated, seen, statement };
  } catch (error) {
    return { error: error instanceof Error ? error.message : error };
  }
}

describe("when a group cannot be written", () => {
  it("everything that waits is refused, the file is reopened, and what was acknowledged is there", async () => {
    const storage = await openSqlite({ path });
    const decider = deciderOver(storage);
    const acknowledged = (await decider.decide(ask({ requestId: "before" }))).record.id;
    const blocker = new Sqlite(path);
    blocker.exec("BEGIN IMMEDIATE");
    const waiting = await Promise.allSettled(Array.from({ length: 5 }, (_, n) => decider.decide(ask({ requestId: `r${n}` }))));
    expect(waiting.map(({ status }) => status)).toEqual(Array(5).fill("rejected"));
    for (const result of waiting) expect(result).toMatchObject({ reason: { code: "LEDGER_UNAVAILABLE" } });
    expect(storage.ledger.ready).toBe(false);
    await expect(decider.decide(ask())).rejects.toMatchObject({ code: "LEDGER_UNAVAILABLE" });
    await expect(decider.explain(ask())).rejects.toThrow("the ledger cannot be written at present");
    blocker.exec("ROLLBACK");
    blocker.close();
    await new Promise<void>((resolve) => storage.ledger.onReadyChange((ready) => ready && resolve()));
    const again = await decider.decide(ask({ requestId: "before" }));
    const after = await decider.decide(ask({ requestId: "r0" }));
    expect({ replayed: again.replayed, id: again.record.id, fresh: !after.replayed }).toEqual({ replayed: true, id: acknowledged, fresh: true });
    expect(storage.failures.length).toBeGreaterThan(0);
    await storage.close();
    expect(outside((db) => db.prepare("SELECT count(*) FROM decisions").pluck().get())).toBe(2);
  });

  it("and a policy is in it, the cached answers of the policy that goes on deciding stay, and no policy is there by half", async () => {
    const storage = await openSqlite({ path });
    const decider = deciderOver(storage);
    const load = (id: string, policy: string) => {
      const event = { kind: "policy_loaded", v: RECORD_VERSION, id, at: storage.clock.now(), policy, windows: POLICY.settings.windows } as const;
      return storage.ledger.recordPolicy({ event, files: { "policy.json": id } });
    };
    await load("p1", POLICY.digest);
    for (let time = 0; time < 3; time++) await decider.decide(ask());
    const blocker = new Sqlite(path);
    blocker.exec("BEGIN IMMEDIATE");
    await expect(load("p2", "sha256:other")).rejects.toMatchObject({ code: "LEDGER_UNAVAILABLE" });
    blocker.exec("ROLLBACK");
    blocker.close();
    await new Promise<void>((resolve) => storage.ledger.onReadyChange((ready) => ready && resolve()));
    expect((await decider.decide(ask())).record.cache.hit).toBe(true);
    expect(await storage.ledger.policy("sha256:other")).toBeUndefined();
    await load("p3", "sha256:other");
    await storage.close();
    expect(outside((db) => db.prepare("SELECT DISTINCT policy_digest FROM decision_cache").pluck().all())).toEqual([]);
    expect(outside((db) => db.prepare("SELECT event_id FROM events WHERE kind = 'policy_loaded' ORDER BY seq").pluck().all())).toEqual(["p1", "p3"]);
  });

  it("and it is closed before it could reopen, it lets go of the file all the same", async () => {
    const storage = await openSqlite({ path });
    const blocker = new Sqlite(path);
    blocker.exec("BEGIN IMMEDIATE");
    await expect(deciderOver(storage).decide(ask())).rejects.toMatchObject({ code: "LEDGER_UNAVAILABLE" });
    await storage.close();
    blocker.exec("ROLLBACK");
    blocker.close();
    expect(storage.ledger.ready).toBe(false);
    const again = await openSqlite({ path });
    expect((await deciderOver(again).decide(ask())).recorded).toBe(true);
    await again.close();
  });

  it("and more wait than may, further ones are refused before they are decided", async () => {
    const storage = await openSqlite({ path, turnsWaitingMax: 3 });
    const decider = deciderOver(storage);
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => decider.decide(ask())));
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
    expect(results[9]).toMatchObject({ reason: { code: "OVERLOADED", detail: { limit: "turns_waiting" } } });
    expect((await decider.decide(ask())).recorded).toBe(true);
    await storage.close();
  });
});

describe("a decision", () => {
  it("is made again from its row and the policy that the row names", async () => {
    const files = filesOf({
      tools: { read: { effect: "read", reversibility: "reversible", arguments: { password: "secret" }, output: { trust: "untrusted" } } },
      rules: [
        {
          name: "secrets-are-passed",
          conditions: { all: [{ fact: "action.arguments.password.length", operator: "greaterThan", value: 3 }] },
          event: { type: "risk", params: { points: 9, reason: "r", controls: [] } },
        },
      ],
    });
    const { policy } = compilePolicy(files);
    const storage = await openSqlite({ path });
    const event = {
      kind: "policy_loaded",
      v: RECORD_VERSION,
      id: "p1",
      at: storage.clock.now(),
      policy: policy.digest,
      windows: policy.settings.windows,
    } as const;
    await storage.ledger.recordPolicy({ event, files });
    const decider = deciderOver(storage, { policy });
    for (let n = 0; n < 6; n++) {
      storage.clock.advance(30_000);
      await decider
        .decide(
          ask({ action: { tool: n % 2 === 0 ? "read" : "other", arguments: { password: "x".repeat(n + 1) } }, ...(n > 2 && { requestId: "r1" }) }),
        )
        .catch(() => undefined);
    }
    await storage.close();
    const rows = outside((db) =>
      db.prepare<[], { record: string; files: string }>("SELECT record, files FROM decisions JOIN policies USING (policy_digest)").all(),
    );
    expect(rows.length).toBeGreaterThanOrEqual(4);
    for (const row of rows) {
      const record = decodeEvent(row.record);
      if (record.kind !== "decision") throw new Error("no decision");
      const again = compilePolicy(JSON.parse(row.files)).policy;
      expect(again.digest).toBe(record.policy);
      const { judgement } = judge(again, { ...record.subject, at: instant(record.at), tenant: record.tenant, caller: record.caller });
      expect(JSON.parse(JSON.stringify(judgement))).toEqual(record.judgement);
      expect(row.record).not.toContain("xxx");
    }
  });
});
