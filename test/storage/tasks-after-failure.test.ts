import { rmSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Policy } from "../../src/core/policy.ts";
import { SLOTS } from "../../src/storage/sqlite/control-journal.ts";
import { OPERATOR } from "../core/controls.ts";
import { randomRuns } from "../core/random-rules.ts";
import { temporaryDirectory } from "../running-server.ts";
import { DAY, familyIn, HOUR, keeper, open, outcomeOf, POLICY, pay } from "./families.ts";
import { createDoer, doStep, historyPolicy, INITIATOR, loadPolicy, looked, type Step, steps } from "./histories.ts";
import { blockWrites, copyAsCrashed, createTestClock, isReady, lookOutside, type OpenedStorage, openMemory, openSqlite } from "./storages.ts";

let directory: ReturnType<typeof temporaryDirectory>;
let path: string;
beforeEach(() => {
  directory = temporaryDirectory();
  path = join(directory.path, "behest.db");
});
afterEach(() => directory.remove());

const outside = (sql: string): readonly unknown[] => lookOutside(path, (db) => db.prepare(sql).all());

/** What an agent has not reported in time is remembered longer than anything else. */
const SHORT = historyPolicy({ memory: "5m", report_within: "10m", idempotency: "1m" });

interface Crashing {
  readonly policy: Policy;
  readonly history: readonly Step[];
  readonly crashesAfter: (step: number) => boolean;
  /** What a crash leaves. */
  readonly copy: (path: string, to: string) => string;
}

/** Does the same over a storage that crashes and over one that does not, and expects to find them alike. */
async function crashing({ policy, history, crashesAfter, copy }: Crashing): Promise<void> {
  const own = temporaryDirectory();
  const [clock, otherClock] = [createTestClock(), createTestClock()];
  let storage = await openSqlite({ path: join(own.path, "0.db"), clock });
  const opened = [storage];
  const other = await openMemory({ clock: otherClock });
  const [doer, otherDoer] = [createDoer(policy), createDoer(policy)];
  try {
    for (const one of [storage, other]) await loadPolicy(one, policy);
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
      fc.asyncProperty(fc.constantFrom(POLICY, SHORT), steps(24), fc.array(fc.nat(5), { minLength: 24, maxLength: 24 }), (policy, history, crashes) =>
        crashing({ policy, history, crashesAfter: (n) => crashes[n] === 0, copy: copyAsCrashed }),
      ),
      randomRuns(15),
    );
  }, 120_000);

  it.each([
    { says: "all that was not in the file itself", lose: "", left: "-wal" },
    { says: "what was given back", lose: "UPDATE events SET root_task_id = NULL, task_id = NULL WHERE kind = 'reported'", left: "" },
    {
      says: "what people said",
      lose: "UPDATE events SET root_task_id = NULL, task_id = NULL, approval_id = NULL WHERE kind = 'approval_answered'",
      left: "",
    },
    { says: "what was ended", lose: "UPDATE events SET root_task_id = NULL WHERE kind = 'task_ended'", left: "" },
  ])("the same look catches a copy that has lost $says", async ({ lose, left }) => {
    const history: readonly Step[] = [
      { does: "open", agent: "bot", scope: {}, lifetimeMs: 48 * HOUR },
      { does: "delegate", task: 0, agent: "worker", scope: {}, lifetimeMs: 48 * HOUR },
      { does: "decide", task: 0, agent: "bot", tool: "pay", requestId: undefined },
      { does: "report", decision: 0, status: "blocked", tookEffect: undefined, category: undefined },
      { does: "close", task: 1 },
      { does: "decide", task: 0, agent: "bot", tool: "wire", requestId: undefined },
      { does: "answer", approval: 0, by: "user:ann", verdict: "deny", wider: undefined },
      { does: "wait", ms: 26 * HOUR },
    ];
    const last = history.length - 1;
    const spoilt = (from: string, to: string): string => {
      copyAsCrashed(from, to);
      if (left === "-wal") rmSync(`${to}-wal`);
      else lookOutside(to, (db) => db.exec(lose));
      return to;
    };
    await expect(crashing({ policy: POLICY, history, crashesAfter: (n) => n === last, copy: spoilt })).rejects.toThrow();
    await crashing({ policy: POLICY, history, crashesAfter: (n) => n === last, copy: copyAsCrashed });
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
