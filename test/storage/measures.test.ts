import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { deciderOver } from "./deciders.ts";
import { ask } from "./requests.ts";
import { type OpenedSqlite, openSqlite } from "./storages.ts";

let storage: OpenedSqlite;
beforeEach(async () => {
  storage = await openSqlite();
});
afterEach(() => storage.close());

describe("what the ledger tells of itself", () => {
  it("is each group once it is on disk, with its events and how long COMMIT took", async () => {
    const decider = deciderOver(storage);
    await Promise.all(Array.from({ length: 5 }, () => decider.decide(ask())));
    await decider.decide(ask());
    expect(storage.written.length).toBeGreaterThanOrEqual(2);
    // The task that the first of them opened is an event too.
    expect(storage.written.reduce((sum, { events }) => sum + events, 0)).toBe(7);
    for (const { commitMs } of storage.written) expect(commitMs).toBeGreaterThan(0);
  });

  it("is what waits for the disk, and for how long the oldest has", async () => {
    expect(storage.measure().queue).toEqual({ turns: 0, oldestMs: 0 });
    const decider = deciderOver(storage);
    const asked = [decider.decide(ask()), decider.decide(ask())];
    // Nothing is answered before this thread lets go.
    const until = performance.now() + 5;
    while (performance.now() < until);
    const { turns, oldestMs } = storage.measure().queue;
    expect(turns).toBe(2);
    expect(oldestMs).toBeGreaterThanOrEqual(5);
    await Promise.all(asked);
    expect(storage.measure().queue).toEqual({ turns: 0, oldestMs: 0 });
  });

  it("is how much it remembers", async () => {
    await deciderOver(storage).decide({ ...ask(), request: { ...ask().request, requestId: "one" } });
    expect(storage.measure().state).toEqual({
      selfAssertedTasks: 1,
      registeredTasks: 0,
      agents: 1,
      requestIds: 1,
      approvals: 0,
      approvalsPending: 0,
      suspensions: 0,
      cacheRows: 1,
    });
  });

  it("is nothing of its state while it is closed", async () => {
    await storage.ledger.close();
    expect(storage.measure().state).toBeUndefined();
  });
});
