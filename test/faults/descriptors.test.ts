import { describe, expect, it } from "vitest";
import { usedAfterFailing } from "../../faults/shim/descriptors.ts";
import type { Entry } from "../../faults/shim/log.ts";

const atNs = 0n;
const opened = (handle: bigint, name: string): Entry => ({ kind: "opened", atNs, handle, name, created: false, emptied: false });
const synced = (handle: bigint, error = 0): Entry[] => [
  { kind: "sync began", atNs, handle, sync: 1n },
  { kind: "sync ended", atNs, handle, sync: 1n, error },
];
const written = (handle: bigint): Entry => ({ kind: "written", atNs, handle, offset: 0, bytes: Buffer.from("x"), error: 0 });

describe("a descriptor whose sync has failed", () => {
  it.each<{ says: string; entries: readonly Entry[]; used: readonly string[] }>([
    {
      says: "may be closed, and its file opened anew and synced",
      entries: [{ kind: "closed", atNs, handle: 1n }, opened(2n, "a"), ...synced(2n)],
      used: [],
    },
    { says: "must not be synced again", entries: synced(1n), used: ["a"] },
    { says: "must not be written to", entries: [written(1n)], used: ["a"] },
    { says: "is told of for each time that it is used", entries: [written(1n), ...synced(1n)], used: ["a", "a"] },
  ])("$says", ({ entries, used }) => {
    expect(usedAfterFailing([opened(1n, "a"), written(1n), ...synced(1n), ...synced(1n, 5), ...entries])).toEqual(used);
  });
});
