import { setImmediate as nextRound } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { GroupQueue } from "../../src/storage/sqlite/group-queue.ts";

/** A queue whose transactions are kept, and whose turns are numbered. */
function queue() {
  const sent: (readonly string[])[] = [];
  const answered: number[] = [];
  const groups = new GroupQueue(({ events }) => sent.push(events));
  let next = 0;
  const add = (turns: number, { events = 1, sinceMs = 0 } = {}): void => {
    for (const last = next + turns; next < last; next++) {
      const number = next;
      groups.add({
        events: Array.from({ length: events }, () => String(number)),
        policies: [],
        sinceMs,
        resolve: () => answered.push(number),
        reject: (error) => {
          throw error;
        },
      });
    }
  };
  return { groups, sent, answered, add, sizes: () => sent.map(({ length }) => length) };
}

describe("what waits for the disk", () => {
  it("goes there together, if it came in one round of the event loop", async () => {
    const { add, sizes } = queue();
    add(3);
    add(2);
    expect(sizes()).toEqual([]);
    await nextRound();
    expect(sizes()).toEqual([5]);
  });

  it("does not wait for the end of a long round", () => {
    const { add, sizes } = queue();
    add(31);
    expect(sizes()).toEqual([]);
    add(1);
    expect(sizes()).toEqual([32]);
  });

  it("gathers behind a transaction until it is as large as that", () => {
    const { groups, add, sizes } = queue();
    add(32);
    add(31);
    expect(sizes()).toEqual([32]);
    add(1);
    expect(sizes()).toEqual([32, 32]);
    // No third one, however much waits.
    add(90);
    expect(sizes()).toEqual([32, 32]);
    groups.acknowledge();
    expect(sizes()).toEqual([32, 32, 90]);
    groups.acknowledge();
    add(89);
    expect(sizes()).toEqual([32, 32, 90]);
    add(1);
    expect(sizes()).toEqual([32, 32, 90, 90]);
  });

  it("compares what is written, whatever else only reads", () => {
    const { add, sizes } = queue();
    add(1, { events: 32 });
    add(900, { events: 0 });
    add(31);
    expect(sizes()).toEqual([32]);
    add(1);
    expect(sizes()).toEqual([32, 32]);
  });

  it("waits for no more than one transaction may hold", () => {
    const { add, sizes } = queue();
    add(1, { events: 3_000 });
    add(1_023);
    expect(sizes()).toEqual([3_000]);
    add(1);
    expect(sizes()).toEqual([3_000, 1_024]);
  });

  it("waits no longer than 0.2 s behind a transaction that takes long", () => {
    const { add, sizes } = queue();
    add(120, { sinceMs: 1_000 });
    expect(sizes()).toEqual([32, 32]);
    const { add: addSlowly, sizes: slowSizes } = queue();
    addSlowly(1, { events: 120, sinceMs: 1_000 });
    addSlowly(20, { sinceMs: 1_010 });
    addSlowly(1, { sinceMs: 1_209 });
    expect(slowSizes()).toEqual([120]);
    addSlowly(1, { sinceMs: 1_210 });
    expect(slowSizes()).toEqual([120, 22]);
  });

  it("is sent, however little it is, once nothing is under way", async () => {
    const { groups, add, sizes } = queue();
    add(32);
    add(7);
    await nextRound();
    expect(sizes()).toEqual([32]);
    groups.acknowledge();
    await nextRound();
    expect(sizes()).toEqual([32, 7]);
  });

  it("keeps its order, and is answered by transactions", () => {
    const { groups, sent, answered, add } = queue();
    add(64);
    groups.acknowledge();
    expect(answered).toEqual(Array.from({ length: 32 }, (_, number) => number));
    groups.acknowledge();
    expect(answered).toHaveLength(64);
    expect(sent.flat()).toEqual(Array.from({ length: 64 }, (_, number) => String(number)));
  });
});
