import { setImmediate as nextRound } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { GroupQueue } from "../../src/storage/sqlite/group-queue.ts";

/** A queue whose transactions are kept, and whose turns are numbered. */
function queue() {
  const sent: (readonly string[])[] = [];
  const answered: number[] = [];
  const groups = new GroupQueue(({ events }) => sent.push(events));
  let next = 0;
  const add = (turns: number): void => {
    for (const last = next + turns; next < last; next++) {
      const number = next;
      groups.add({
        events: [String(number)],
        policies: [],
        sinceMs: 0,
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
