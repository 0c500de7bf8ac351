import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ServiceError } from "../../src/core/errors.ts";
import { type ControlEvent, type LedgerEvent, RECORD_VERSION } from "../../src/core/record.ts";
import type { StateKeys } from "../../src/core/state.ts";
import { NOTHING_SEEN } from "../../src/core/tasks/seen.ts";
import { instant } from "../../src/core/words.ts";
import { controlOver, OPERATOR } from "../core/controls.ts";
import { answer, asking, decideOn, longTask, stateOf, use, wire } from "./askings.ts";
import { deciderOver, POLICY, reportsOver } from "./deciders.ts";
import { ask, CALLER } from "./requests.ts";
import { blockWrites, isReady, lookOutside, type OpenedStorage, openMemory, openSqlite } from "./storages.ts";

const KEYS: StateKeys = { tenant: "default", caller: "gateway", agent: "bot", principal: "none", session: "none" };

const opened = (id: string, storage: OpenedStorage, agent = "bot"): LedgerEvent => ({
  kind: "task_opened",
  v: RECORD_VERSION,
  id: `event-${id}`,
  at: storage.clock.now(),
  task: {
    id,
    tenant: "default",
    caller: "gateway",
    agent,
    principal: "none",
    session: "none",
    openedAt: storage.clock.now(),
    lastUsedAt: storage.clock.now(),
    seen: NOTHING_SEEN,
  },
});

const registered = (id: string, storage: OpenedStorage): LedgerEvent => {
  const openedAt = storage.clock.now();
  const expiresAt = instant(openedAt + 3_600_000);
  const principal = { type: "user", id: "alice" } as const;
  const task = { id, tenant: "default", caller: "portal", root: id, depth: 0, principal, agent: "bot", statement: "read" } as const;
  return {
    kind: "task_registered",
    v: RECORD_VERSION,
    id,
    at: openedAt,
    task: { ...task, scopeKind: "issued", scope: {}, openedAt, expiresAt, treeExpiresAt: expiresAt },
  };
};

const revoked = (task: string, { clock }: OpenedStorage): ControlEvent => ({
  kind: "task_revoked",
  v: RECORD_VERSION,
  id: `end of ${task}`,
  at: clock.now(),
  tenant: "default",
  task,
  root: task,
  by: "op",
});

/** Every sentence of the ports' comments, for every storage there is. */
describe.each([
  { name: "memory", open: openMemory },
  { name: "sqlite", open: openSqlite },
])("the $name storage", ({ open }) => {
  let storage: OpenedStorage;
  beforeEach(async () => {
    storage = await open();
  });
  afterEach(() => storage.close());

  it("runs a turn once, and answers what it answers", async () => {
    let runs = 0;
    const answer = await storage.ledger.transact(KEYS, () => {
      runs++;
      return { events: [], answer: "yes" };
    });
    expect({ answer, runs }).toEqual({ answer: "yes", runs: 1 });
  });

  it("applies a turn's events before any other turn sees the state, though none is on disk yet", async () => {
    const first = storage.ledger.transact(KEYS, () => ({ events: [opened("t1", storage)], answer: undefined }));
    const second = storage.ledger.transact(KEYS, (view) => ({ events: [], answer: view.task?.id }));
    expect(await second).toBe("t1");
    await first;
  });

  it("shows a turn only what its keys name", async () => {
    await storage.ledger.transact(KEYS, () => ({ events: [opened("t1", storage)], answer: undefined }));
    const other = await storage.ledger.transact({ ...KEYS, agent: "other" }, (view) => ({ events: [], answer: view.task }));
    const foreign = await storage.ledger.transact({ ...KEYS, tenant: "elsewhere" }, (view) => ({ events: [], answer: view.task }));
    const byId = await storage.ledger.transact({ ...KEYS, agent: "other", taskId: "t1" }, (view) => ({ events: [], answer: view.task?.id }));
    expect({ other, foreign, byId }).toEqual({ other: undefined, foreign: undefined, byId: "t1" });
  });

  it("answers in the order of the turns, one without events after those before it", async () => {
    const order: number[] = [];
    const turns = Array.from({ length: 50 }, (_, n) =>
      storage.ledger
        .transact(KEYS, () => ({ events: n % 3 === 0 ? [] : [opened(`t${n}`, storage, `agent-${n}`)], answer: n }))
        .then((answer) => order.push(answer)),
    );
    await Promise.all(turns);
    expect(order).toEqual(Array.from({ length: 50 }, (_, n) => n));
  });

  it("throws what a turn throws, and writes nothing of it", async () => {
    await expect(
      storage.ledger.transact(KEYS, () => {
        throw new ServiceError("STATE_FULL", "full");
      }),
    ).rejects.toThrow("full");
    expect(storage.ledger.peek(KEYS, (view) => view.openTasks)).toBe(0);
  });

  it("peeks at the state as the next turn would see it, and changes nothing", async () => {
    const turn = storage.ledger.transact(KEYS, () => ({ events: [opened("t1", storage)], answer: undefined }));
    expect(storage.ledger.peek(KEYS, (view) => view.task?.id)).toBe("t1");
    await turn;
    expect(storage.ledger.peek(KEYS, (view) => view.openTasks)).toBe(1);
  });

  it("runs a control turn once over the suspensions, and shows its events to every later turn, though none is on disk yet", async () => {
    let runs = 0;
    const at = storage.clock.now();
    const suspension = { id: "s1", tenant: "default", kind: "agent", value: "bot", reason: "r", by: "op", at } as const;
    const control = storage.ledger.control(({ suspensions }) => {
      runs++;
      return { events: [{ kind: "suspended", v: RECORD_VERSION, id: "s1", at, suspension }], answer: suspensions.size };
    });
    const seen = storage.ledger.transact(KEYS, (view) => ({ events: [], answer: view.suspensions.inForce(at) }));
    expect(storage.ledger.suspensions().get("s1")).toEqual(suspension);
    expect(await control).toEqual({ answer: 0, durable: true });
    expect({ seen: await seen, runs }).toEqual({ seen: [suspension], runs: 1 });
  });

  it("runs a control turn over the registered tasks too, and shows every later turn that one was revoked, though that is not on disk yet", async () => {
    await storage.ledger.transact(KEYS, () => ({ events: [registered("r1", storage)], answer: undefined }));
    const control = storage.ledger.control(({ tasks }) => ({ events: [revoked("r1", storage)], answer: tasks.get("r1")?.ended }));
    const seen = storage.ledger.transact({ ...KEYS, taskId: "r1" }, (view) => ({ events: [], answer: view.registered?.ended }));
    expect(storage.ledger.tasks().get("r1")?.ended?.how).toBe("revoked");
    expect(await control).toEqual({ answer: undefined, durable: true });
    expect(await seen).toEqual({ how: "revoked", at: storage.clock.now(), by: "op" });
  });

  it("takes a control turn about a task that is not there, and goes on", async () => {
    expect(await storage.ledger.control(() => ({ events: [revoked("nowhere", storage)], answer: "done" }))).toEqual({
      answer: "done",
      durable: true,
    });
    expect(storage.ledger.tasks().size).toBe(0);
    expect(await storage.ledger.transact(KEYS, () => ({ events: [], answer: "on" }))).toBe("on");
  });

  it("shows the registered tasks as the next turn would see them, in the order in which they were opened", async () => {
    const turn = storage.ledger.transact(KEYS, () => ({ events: [registered("r2", storage), registered("r1", storage)], answer: undefined }));
    expect([...storage.ledger.tasks().all()].map(({ task }) => task.id)).toEqual(["r2", "r1"]);
    await turn;
    expect(storage.ledger.tasks().size).toBe(2);
    expect(storage.ledger.tasks().get("r3")).toBeUndefined();
  });

  it("shows a turn no registered task of another tenant", async () => {
    await storage.ledger.transact(KEYS, () => ({ events: [registered("r1", storage)], answer: undefined }));
    const named = (tenant: string) =>
      storage.ledger.transact({ ...KEYS, tenant, taskId: "r1" }, (view) => ({ events: [], answer: view.registered?.task.id }));
    expect([await named("default"), await named("elsewhere")]).toEqual(["r1", undefined]);
  });

  it("hands out what was reported of a decision, and nothing of any other", async () => {
    const { record } = await deciderOver(storage).decide(ask());
    const other = await deciderOver(storage).decide(ask());
    expect(await storage.ledger.report(record.id)).toBeUndefined();
    const said = { decision: record.id, status: "executed", result: "42", truncated: false, labels: { categories: ["personal"] } } as const;
    const { report } = await reportsOver(storage).report(CALLER, said);
    expect(await storage.ledger.report(record.id)).toEqual(JSON.parse(JSON.stringify(report)));
    expect(await storage.ledger.report(other.record.id)).toBeUndefined();
    expect(await reportsOver(storage).report(CALLER, said)).toEqual({ report: JSON.parse(JSON.stringify(report)), repeated: true });
  });

  it("acknowledges a control turn after every earlier turn has been answered", async () => {
    const order: string[] = [];
    const turns = Array.from({ length: 20 }, (_, n) =>
      storage.ledger.transact(KEYS, () => ({ events: [opened(`t${n}`, storage, `agent-${n}`)], answer: n })).then(() => order.push("turn")),
    );
    const control = controlOver(storage)
      .suspend(OPERATOR, { kind: "all", value: "", reason: "r" })
      .then(() => order.push("suspended"));
    await Promise.all([...turns, control]);
    expect(order).toEqual([...Array(20).fill("turn"), "suspended"]);
  });

  it("throws what a control turn throws, and writes nothing of it", async () => {
    const thrown = storage.ledger.control(() => {
      throw new ServiceError("STATE_FULL", "full");
    });
    await expect(thrown).rejects.toThrow("full");
    expect(storage.ledger.suspensions().size).toBe(0);
  });

  it("tells of suspensions that ended, the last made first, to the tenants that they concerned", async () => {
    const control = controlOver(storage);
    const elsewhere = { ...OPERATOR, tenant: "elsewhere" };
    const made: string[] = [];
    const suspend = async (by: typeof OPERATOR, target: { kind: "all" | "agent" | "tenant"; value: string }, untilMs?: number): Promise<void> => {
      storage.clock.advance(1);
      const until = untilMs === undefined ? {} : { until: instant(storage.clock.now() + untilMs) };
      made.push((await control.suspend(by, { ...target, reason: "r", ...until })).suspension.id);
    };
    await suspend(OPERATOR, { kind: "agent", value: "a" });
    await suspend(OPERATOR, { kind: "all", value: "" });
    await suspend(elsewhere, { kind: "agent", value: "b" }, 500);
    await suspend(OPERATOR, { kind: "tenant", value: "elsewhere" });
    await suspend(OPERATOR, { kind: "agent", value: "c" });
    storage.clock.advance(1_000);
    for (const n of [0, 1, 3]) await control.resume(OPERATOR, { id: made[n] ?? "", reason: "over" });
    const now = storage.clock.now();
    const ended = async (tenant: string, limit: number) =>
      (await storage.ledger.endedSuspensions({ tenant, now, limit })).map(({ suspension }) => made.indexOf(suspension.id));
    expect(await ended("default", 10)).toEqual([3, 1, 0]);
    expect(await ended("elsewhere", 10)).toEqual([3, 2, 1]);
    expect(await ended("default", 1)).toEqual([3]);
    const [tenants, expired] = await storage.ledger.endedSuspensions({ tenant: "elsewhere", now, limit: 2 });
    expect(tenants).toMatchObject({ endedAt: now, endedBy: "local-operator", endedBecause: "over" });
    expect(expired).toMatchObject({ endedAt: expired?.suspension.until });
    expect(expired).not.toHaveProperty("endedBy");
  });

  it("takes no control turn after it has been closed", async () => {
    await storage.ledger.close();
    await expect(storage.ledger.control(() => ({ events: [], answer: 1 }))).rejects.toMatchObject({ code: "LEDGER_UNAVAILABLE" });
  });

  it("hands out the record of a decision that has been answered, and nothing for any other id", async () => {
    const { record } = await deciderOver(storage).decide(ask());
    expect(await storage.ledger.decision(record.id)).toEqual(JSON.parse(JSON.stringify(record)));
    expect(await storage.ledger.decision("no-such-decision")).toBeUndefined();
  });

  it("tells of each approval that was opened, answered, used or ended, before the turn is answered, and of nothing else", async () => {
    const told: string[] = [];
    storage.ledger.onApprovalChange((event) => told.push(event.kind));
    const answered = (name: string) => () => told.push(name);
    const task = await longTask(storage);
    await asking(storage, wire({ task: { id: task } })).then(async (asked) => {
      told.push("asked");
      await answer(storage, asked).then(answered("said yes"));
      await use(storage, asked).then(answered("used"));
    });
    await decideOn(storage, { agent: { id: "bot" }, action: { tool: "read", arguments: {} } }).then(answered("read"));
    const other = await asking(storage, wire({ task: { id: task } }, 20));
    await decideOn(storage, other.request).then(answered("asked again"));
    await answer(storage, other, { verdict: "revoke" }).then(answered("took back"));
    expect(told).toEqual([
      ...["approval_opened", "asked", "approval_answered", "said yes", "approval_used", "used", "read"],
      ...["approval_opened", "asked again", "approval_ended", "took back"],
    ]);
  });

  it("tells of an approval once it is on disk, in the order of the turns", async () => {
    const found: Promise<readonly string[]>[] = [];
    const order: string[] = [];
    storage.ledger.onApprovalChange((event) => {
      order.push(event.id);
      const { path } = storage;
      // Whoever is told can read it, from outside where there is a file.
      const outside = path && lookOutside(path, (db) => db.prepare<[], string>("SELECT event_id FROM events").pluck().all());
      if (outside) expect(outside).toContain(event.id);
      found.push(storage.ledger.approvalEvents({ after: 0, limit: 100 }).then(({ events }) => events.map((one) => one.event.id)));
    });
    const task = await longTask(storage);
    await Promise.all([1, 2, 3].map((amount) => asking(storage, wire({ task: { id: task } }, amount))));
    const reads = await Promise.all(found);
    expect(order).toHaveLength(3);
    for (const [at, ids] of reads.entries()) expect(ids.slice(0, at + 1)).toEqual(order.slice(0, at + 1));
  });

  it("tells of no approval whose turn failed", async () => {
    const told: string[] = [];
    storage.ledger.onApprovalChange((event) => told.push(event.id));
    const { path } = storage;
    const block = path === undefined ? undefined : blockWrites(path);
    const failing = block
      ? asking(storage)
      : storage.ledger.transact(KEYS, () => {
          throw new ServiceError("STATE_FULL", "full");
        });
    await expect(failing).rejects.toThrow(ServiceError);
    block?.release();
    await isReady(storage);
    expect(told).toEqual([]);
    await asking(storage);
    expect(told).toHaveLength(1);
  });

  it("hands out the events about approvals by their numbers, each with its approval, and the number of the last event", async () => {
    const read = (after: number, limit = 100) => storage.ledger.approvalEvents({ after, limit });
    expect(await read(0)).toEqual({ events: [], last: 0 });
    const asked = await asking(storage, wire({ task: { id: await longTask(storage) } }));
    await answer(storage, asked);
    await use(storage, asked);
    const { events, last } = await read(0);
    const approval = JSON.parse(JSON.stringify(stateOf(storage, asked)?.approval));
    expect(events.map((one) => [one.seq, one.event.kind, one.approval.id])).toEqual([
      [2, "approval_opened", asked.id],
      [4, "approval_answered", asked.id],
      [5, "approval_used", asked.id],
    ]);
    for (const one of events) expect(one.approval).toEqual(approval);
    expect(last).toBe(6);
    expect(await read(2)).toEqual({ events: events.slice(1), last });
    expect(await read(2, 1)).toEqual({ events: events.slice(1, 2), last });
    expect(await read(5)).toEqual({ events: [], last });
    expect(await read(99)).toEqual({ events: [], last });
    await decideOn(storage, wire());
    expect((await read(5)).last).toBeGreaterThan(last);
  });

  it("keeps the files of a policy once, since it was first loaded, and each event that it was", async () => {
    const loading = (id: string, file: string) => ({
      event: {
        kind: "policy_loaded",
        v: RECORD_VERSION,
        id,
        at: storage.clock.now(),
        policy: POLICY.digest,
        windows: POLICY.settings.windows,
      } as const,
      files: { "policy.json": file },
    });
    const firstLoadedAt = storage.clock.now();
    await storage.ledger.recordPolicy(loading("p1", "{}"));
    storage.clock.advance(1_000);
    await storage.ledger.recordPolicy(loading("p2", "{}"));
    expect(await storage.ledger.policy(POLICY.digest)).toEqual({ files: { "policy.json": "{}" }, firstLoadedAt });
    expect(await storage.ledger.policy(`sha256:${"0".repeat(64)}`)).toBeUndefined();
    expect(storage.ledger.ready).toBe(true);
  });

  it("remembers an answer, and answers nothing for another key", () => {
    const cached = { policy: POLICY.digest, evaluation: { score: 3, stands: [0] }, decisionId: "d1" };
    storage.cache.put("k1", cached);
    expect(storage.cache.get("k1")).toEqual(cached);
    expect(storage.cache.peek("k1")).toEqual(cached);
    expect(storage.cache.peek("k2")).toBeUndefined();
    expect(storage.cache.get("k2")).toBeUndefined();
  });

  it("writes what was taken before it was closed, and takes nothing from then on", async () => {
    const before = storage.ledger.transact(KEYS, () => ({ events: [opened("t1", storage)], answer: "written" }));
    const closing = storage.ledger.close();
    await expect(storage.ledger.transact(KEYS, () => ({ events: [], answer: 1 }))).rejects.toMatchObject({ code: "LEDGER_UNAVAILABLE" });
    expect(await before).toBe("written");
    await closing;
  });

  it("takes nothing after it has been closed", async () => {
    await storage.ledger.close();
    expect(storage.ledger.ready).toBe(false);
    expect(() => storage.ledger.peek(KEYS, (view) => view.openTasks)).toThrow(ServiceError);
    expect(() => storage.ledger.tasks()).toThrow(ServiceError);
    await expect(storage.ledger.approvalEvents({ after: 0, limit: 1 })).rejects.toMatchObject({ code: "LEDGER_UNAVAILABLE" });
    await expect(storage.ledger.report("d1")).rejects.toMatchObject({ code: "LEDGER_UNAVAILABLE" });
    await expect(storage.ledger.transact(KEYS, () => ({ events: [], answer: 1 }))).rejects.toMatchObject({ code: "LEDGER_UNAVAILABLE" });
  });
});
