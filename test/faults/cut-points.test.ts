import { describe, expect, it } from "vitest";
import { drawCutPoints } from "../../faults/cut-points.ts";
import type { Entry } from "../../faults/shim/log.ts";
import { createRandom } from "../storage/under-load.ts";

/** A log of groups: two writes to the WAL, and its sync. */
const logOf = (groups: number): readonly Entry[] => {
  const handle = 1n;
  const entries: Entry[] = [{ kind: "opened", atNs: 0n, handle, name: "behest.db-wal", created: true, emptied: false }];
  for (let group = 0; group < groups; group++) {
    const sync = BigInt(group);
    for (const offset of [0, 8]) entries.push({ kind: "written", atNs: 0n, handle, offset, bytes: Buffer.from("x"), error: 0 });
    entries.push({ kind: "sync began", atNs: 0n, handle, sync }, { kind: "sync ended", atNs: 0n, handle, sync, error: 0 });
  }
  return entries;
};

describe("the points at which power is cut", () => {
  it("are as many as wanted, in order, within the log, and none twice", () => {
    const points = drawCutPoints(logOf(500), 300, createRandom(1));
    expect(points).toHaveLength(300);
    expect(points).toEqual([...new Set(points)].sort((a, b) => a - b));
    expect(points.at(0)).toBeGreaterThanOrEqual(0);
    expect(points.at(-1)).toBeLessThan(2_001);
  });

  it("lie mostly where a group has just become durable, or just not", () => {
    const entries = logOf(2_000);
    const points = drawCutPoints(entries, 200, createRandom(1));
    const atBoundary = points.filter((at) => entries[at]?.kind === "sync ended" || entries[at - 1]?.kind === "sync ended");
    expect(atBoundary.length).toBeGreaterThan(80);
  });

  it("are every entry of a log that has fewer", () => {
    expect(drawCutPoints(logOf(2), 300, createRandom(1))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });
});
