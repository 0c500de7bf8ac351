import { copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type Sqlite from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SuspendRequest } from "../../src/core/control.ts";
import { instant } from "../../src/core/words.ts";
import { SLOTS } from "../../src/storage/sqlite/control-journal.ts";
import { controlOver, OPERATOR } from "../core/controls.ts";
import { temporaryDirectory } from "../running-server.ts";
import { deciderOver } from "./deciders.ts";
import { ask } from "./requests.ts";
import { blockWrites, copyAsCrashed, createTestClock, isReady, lookOutside, type OpenedStorage, openSqlite } from "./storages.ts";

let directory: ReturnType<typeof temporaryDirectory>;
let path: string;
beforeEach(() => {
  directory = temporaryDirectory();
  path = join(directory.path, "behest.db");
});
afterEach(() => directory.remove());

const outside = <T>(use: (db: Sqlite.Database) => T): T => lookOutside(path, use);
const agent = (value: string): SuspendRequest => ({ kind: "agent", value, reason: `${value} runs amok` });

const outcomeOf = async (storage: OpenedStorage, id = "bot"): Promise<string> =>
  (await deciderOver(storage).decide(ask({ agent: { id } }))).record.judgement.outcome;

const storedEvents = (): readonly unknown[] =>
  outside((db) => db.prepare("SELECT kind FROM events WHERE kind IN ('suspended', 'resumed') ORDER BY seq").pluck().all());

const block = (): { release(): void } => blockWrites(path);
const crashedCopy = (): string => copyAsCrashed(path, join(directory.path, "crashed.db"));

describe("a suspension in the database", () => {
  it("is a row that says what holds, and when and why it ended", async () => {
    const storage = await openSqlite({ path });
    const control = controlOver(storage);
    const until = instant(storage.clock.now() + 3_600_000);
    const { suspension } = await control.suspend(OPERATOR, { ...agent("bot"), until });
    const row = (): unknown => outside((db) => db.prepare("SELECT * FROM suspensions").get());
    expect(row()).toEqual({
      suspension_id: suspension.id,
      kind: "agent",
      value: "bot",
      tenant: "default",
      reason: "bot runs amok",
      suspended_by: "local-operator",
      suspended_at: suspension.at,
      suspended_at_iso: "2026-01-05T09:00:00.000Z",
      until,
      until_iso: "2026-01-05T10:00:00.000Z",
      ended_at: null,
      ended_at_iso: null,
      ended_by: null,
      ended_because: null,
    });
    storage.clock.advance(1_000);
    await control.resume(OPERATOR, { id: suspension.id, reason: "it was a test" });
    expect(row()).toMatchObject({ ended_at_iso: "2026-01-05T09:00:01.000Z", ended_by: "local-operator", ended_because: "it was a test" });
    await storage.close();
  });

  it("holds after a restart, however long ago it was made, and one that was resumed or is over does not", async () => {
    const clock = createTestClock();
    let storage = await openSqlite({ path, clock });
    const control = controlOver(storage);
    await control.suspend(OPERATOR, agent("bot"));
    const { suspension } = await control.suspend(OPERATOR, agent("resumed"));
    await control.suspend(OPERATOR, { ...agent("over"), until: instant(clock.now() + 3_600_000) });
    await control.resume(OPERATOR, { id: suspension.id });
    clock.advance(400 * 86_400_000);
    await outcomeOf(storage, "somebody");
    await storage.close();
    storage = await openSqlite({ path, clock });
    expect([await outcomeOf(storage), await outcomeOf(storage, "resumed"), await outcomeOf(storage, "over")]).toEqual(["DENY", "ALLOW", "ALLOW"]);
    expect(storage.ledger.suspensions().size).toBe(1);
    await storage.close();
  });

  it.each([
    { says: "it was ended", change: "UPDATE suspensions SET ended_at = 1" },
    { says: "its end was moved into the past", change: "UPDATE suspensions SET until = 1" },
    { says: "it was given an end", change: "UPDATE suspensions SET until = 9999999999999" },
    { says: "it was turned to another agent", change: "UPDATE suspensions SET value = 'other'" },
    { says: "it was narrowed", change: "UPDATE suspensions SET kind = 'task'" },
    { says: "it was given to another tenant", change: "UPDATE suspensions SET tenant = 'other'" },
    { says: "its reason was changed", change: "UPDATE suspensions SET reason = 'other'" },
    { says: "it was taken away", change: "DELETE FROM suspensions" },
  ])("is refused by its name where its row was edited by hand: $says", async ({ change }) => {
    const clock = createTestClock();
    const storage = await openSqlite({ path, clock });
    const { suspension } = await controlOver(storage).suspend(OPERATOR, agent("bot"));
    await storage.close();
    // Long enough ago that nothing else is read of that time.
    clock.advance(400 * 86_400_000);
    outside((db) => db.exec(change));
    await expect(openSqlite({ path, clock })).rejects.toThrow(new RegExp(`\`${suspension.id}\`.*changed outside Behest`));
  });

  it("is refused by its name where no event tells of it", async () => {
    const storage = await openSqlite({ path });
    await controlOver(storage).suspend(OPERATOR, agent("bot"));
    await storage.close();
    outside((db) =>
      db.exec(
        "INSERT INTO suspensions (suspension_id, kind, value, tenant, reason, suspended_by, suspended_at) SELECT 'extra', kind, value, tenant, reason, suspended_by, suspended_at FROM suspensions",
      ),
    );
    await expect(openSqlite({ path })).rejects.toThrow("row `extra` of table `suspensions` differs from the ledger's events");
  });
});

describe("while the ledger cannot be written", () => {
  it("a suspension in the group that fails is kept, and holds before the first decision afterwards", async () => {
    const storage = await openSqlite({ path });
    const control = controlOver(storage);
    const blocked = block();
    const order: string[] = [];
    const before = deciderOver(storage)
      .decide(ask())
      .catch((error: { code: string }) => order.push(error.code));
    const suspending = control.suspend(OPERATOR, agent("bot")).then(({ durable }) => order.push(`durable ${durable}`));
    const after = deciderOver(storage)
      .decide(ask())
      .catch((error: { code: string }) => order.push(error.code));
    await Promise.all([before, suspending, after]);
    expect(order).toEqual(["LEDGER_UNAVAILABLE", "LEDGER_UNAVAILABLE", "durable true"]);
    expect(storage.ledger.ready).toBe(false);
    expect((await control.list(OPERATOR, { ended: false })).holding).toHaveLength(1);
    blocked.release();
    await isReady(storage);
    expect(await outcomeOf(storage)).toBe("DENY");
    expect(storedEvents()).toEqual(["suspended"]);
    await storage.close();
  });

  it("it is taken at once, can be resumed, and all of it is recorded once and in its order", async () => {
    const storage = await openSqlite({ path });
    const control = controlOver(storage);
    const earlier = (await control.suspend(OPERATOR, agent("earlier"))).suspension.id;
    const blocked = block();
    await expect(deciderOver(storage).decide(ask())).rejects.toMatchObject({ code: "LEDGER_UNAVAILABLE" });
    const first = await control.suspend(OPERATOR, agent("bot"));
    expect(first.durable).toBe(true);
    expect((await control.suspend(OPERATOR, agent("stays"))).durable).toBe(true);
    expect((await control.resume(OPERATOR, { id: first.suspension.id })).durable).toBe(true);
    expect((await control.resume(OPERATOR, { id: earlier })).durable).toBe(true);
    await expect(control.resume(OPERATOR, { id: earlier })).rejects.toMatchObject({ code: "SUSPENSION_UNKNOWN" });
    await expect(control.list(OPERATOR, { ended: true })).rejects.toMatchObject({ code: "LEDGER_UNAVAILABLE" });
    expect((await control.list(OPERATOR, { ended: false })).holding.map(({ value }) => value)).toEqual(["stays"]);
    blocked.release();
    await isReady(storage);
    expect([await outcomeOf(storage), await outcomeOf(storage, "stays"), await outcomeOf(storage, "earlier")]).toEqual(["ALLOW", "DENY", "ALLOW"]);
    expect(storedEvents()).toEqual(["suspended", "suspended", "suspended", "resumed", "resumed"]);
    const { ended } = await control.list(OPERATOR, { ended: true });
    expect(ended.map(({ suspension }) => suspension.value).sort()).toEqual(["bot", "earlier"]);
    await storage.close();
  });

  it("one that comes while the file is being opened again is there as well", async () => {
    const storage = await openSqlite({ path });
    const control = controlOver(storage);
    const blocked = block();
    await expect(deciderOver(storage).decide(ask())).rejects.toMatchObject({ code: "LEDGER_UNAVAILABLE" });
    let released = false;
    const made: string[] = [];
    for (let n = 0; !storage.ledger.ready && n < SLOTS; n++) {
      const { suspension, durable } = await control.suspend(OPERATOR, agent(`bot-${n}`));
      expect(durable).toBe(true);
      made.push(suspension.value);
      if (n === 5 && !released) {
        released = true;
        blocked.release();
      }
      await new Promise((later) => setTimeout(later, 25));
    }
    await isReady(storage);
    for (const id of made) expect({ id, outcome: await outcomeOf(storage, id) }).toEqual({ id, outcome: "DENY" });
    expect(storedEvents()).toHaveLength(made.length);
    await storage.close();
    const again = await openSqlite({ path });
    expect(again.ledger.suspensions().size).toBe(made.length);
    expect(storedEvents()).toHaveLength(made.length);
    await again.close();
  });

  it("and the process ends there, it holds from the first decision of the next on", async () => {
    const storage = await openSqlite({ path });
    const control = controlOver(storage);
    const earlier = (await control.suspend(OPERATOR, agent("earlier"))).suspension.id;
    const blocked = block();
    await expect(deciderOver(storage).decide(ask())).rejects.toMatchObject({ code: "LEDGER_UNAVAILABLE" });
    expect((await control.suspend(OPERATOR, agent("bot"))).durable).toBe(true);
    expect((await control.resume(OPERATOR, { id: earlier })).durable).toBe(true);
    const copy = crashedCopy();
    const next = await openSqlite({ path: copy });
    expect([await outcomeOf(next), await outcomeOf(next, "earlier")]).toEqual(["DENY", "ALLOW"]);
    await next.close();
    blocked.release();
    await storage.close();
  });

  it("the same look catches a journal that acknowledges and keeps nothing", async () => {
    const storage = await openSqlite({ path });
    const blocked = block();
    await expect(deciderOver(storage).decide(ask())).rejects.toMatchObject({ code: "LEDGER_UNAVAILABLE" });
    await controlOver(storage).suspend(OPERATOR, agent("bot"));
    const copy = crashedCopy();
    rmSync(`${copy}.journal`);
    const next = await openSqlite({ path: copy });
    expect(await outcomeOf(next)).toBe("ALLOW");
    await next.close();
    blocked.release();
    await storage.close();
  });

  it("and the journal takes no more, it holds all the same, says that it is not durable, and is recorded in the end", async () => {
    const storage = await openSqlite({ path });
    const control = controlOver(storage);
    const blocked = block();
    await expect(deciderOver(storage).decide(ask())).rejects.toMatchObject({ code: "LEDGER_UNAVAILABLE" });
    for (let n = 0; n < SLOTS; n++) expect((await control.suspend(OPERATOR, agent(`bot-${n}`))).durable).toBe(true);
    expect((await control.suspend(OPERATOR, agent("one-more"))).durable).toBe(false);
    expect(storage.failures).toContain(`journal: it cannot be written: all its ${SLOTS} slots are taken`);
    const crashed = await openSqlite({ path: crashedCopy() });
    expect([await outcomeOf(crashed, `bot-${SLOTS - 1}`), await outcomeOf(crashed, "one-more")]).toEqual(["DENY", "ALLOW"]);
    await crashed.close();
    blocked.release();
    await isReady(storage);
    expect(await outcomeOf(storage, "one-more")).toBe("DENY");
    await storage.close();
    const again = await openSqlite({ path });
    expect(await outcomeOf(again, "one-more")).toBe("DENY");
    await again.close();
  });
});

describe("a journal that is read again after all of it was taken", () => {
  it("changes nothing, however often, also not what was resumed since", async () => {
    const storage = await openSqlite({ path });
    const blocked = block();
    await expect(deciderOver(storage).decide(ask())).rejects.toMatchObject({ code: "LEDGER_UNAVAILABLE" });
    const { suspension } = await controlOver(storage).suspend(OPERATOR, agent("bot"));
    await controlOver(storage).suspend(OPERATOR, agent("other"));
    copyFileSync(`${path}.journal`, join(directory.path, "kept"));
    blocked.release();
    await isReady(storage);
    await controlOver(storage).resume(OPERATOR, { id: suspension.id });
    await storage.close();
    for (let time = 0; time < 2; time++) {
      copyFileSync(join(directory.path, "kept"), `${path}.journal`);
      const again = await openSqlite({ path });
      expect([await outcomeOf(again), await outcomeOf(again, "other")]).toEqual(["ALLOW", "DENY"]);
      await again.close();
    }
    expect(storedEvents()).toEqual(["suspended", "suspended", "resumed"]);
  });

  it("is told of where a slot was damaged, and the others hold", async () => {
    const storage = await openSqlite({ path });
    const blocked = block();
    await expect(deciderOver(storage).decide(ask())).rejects.toMatchObject({ code: "LEDGER_UNAVAILABLE" });
    await controlOver(storage).suspend(OPERATOR, agent("bot"));
    await controlOver(storage).suspend(OPERATOR, agent("other"));
    const copy = crashedCopy();
    blocked.release();
    await storage.close();
    const bytes = readFileSync(`${copy}.journal`);
    bytes.writeUInt8(bytes.readUInt8(60) ^ 1, 60);
    writeFileSync(`${copy}.journal`, bytes);
    const again = await openSqlite({ path: copy });
    expect(again.failures).toEqual([expect.stringMatching(/^journal: 1 of its slots cannot be read/)]);
    expect([await outcomeOf(again), await outcomeOf(again, "other")]).toEqual(["ALLOW", "DENY"]);
    await again.close();
  });
});

describe("a control turn", () => {
  it("is not refused for the decisions that wait, of which more are refused", async () => {
    const storage = await openSqlite({ path, turnsWaitingMax: 3 });
    const results = Promise.allSettled(Array.from({ length: 50 }, () => deciderOver(storage).decide(ask())));
    expect(await controlOver(storage).suspend(OPERATOR, agent("bot"))).toMatchObject({ durable: true });
    const refused = (await results).filter((result) => result.status === "rejected" && result.reason.code === "OVERLOADED");
    expect(refused).toHaveLength(47);
    await storage.close();
  });

  it("is refused in words when too many suspensions hold, while everything can still be suspended", async () => {
    const storage = await openSqlite({ path });
    const control = controlOver(storage, 3);
    const until = instant(storage.clock.now() + 1_000);
    await control.suspend(OPERATOR, { ...agent("over"), until });
    const ids: string[] = [];
    for (let n = 0; n < 2; n++) ids.push((await control.suspend(OPERATOR, agent(`a${n}`))).suspension.id);
    const refused = {
      code: "STATE_FULL",
      message: "3 suspensions hold already; resume some, suspend a tenant or everything, or raise `suspensions_max`",
      detail: { limit: "suspensions" },
    };
    await expect(control.suspend(OPERATOR, agent("more"))).rejects.toMatchObject(refused);
    for (let n = 0; n < 3; n++) await control.suspend(OPERATOR, { kind: "all", value: "", reason: "r" });
    await expect(control.suspend(OPERATOR, { kind: "all", value: "", reason: "r" })).rejects.toMatchObject({
      code: "STATE_FULL",
      message: "everything is suspended 3 times already; resume some of these suspensions first",
    });
    storage.clock.advance(1_000);
    await control.suspend(OPERATOR, agent("more"));
    await expect(control.suspend(OPERATOR, agent("again"))).rejects.toMatchObject(refused);
    await control.resume(OPERATOR, { id: ids[0] ?? "" });
    await control.suspend(OPERATOR, agent("again"));
    await storage.close();
  });
});
