import { describe, expect, it } from "vitest";
import { ReplayedDisk } from "../../faults/replayed-disk.ts";
import { type Draw, SECTOR_BYTES, sectorsOf } from "../../faults/replayed-file.ts";
import type { Entry } from "../../faults/shim/log.ts";
import { createRandom } from "../storage/under-load.ts";

const [DIRECTORY, FILE] = [1n, 2n];
let time = 0n;
type Said = Entry extends infer E ? (E extends Entry ? Omit<E, "atNs"> : never) : never;
const entry = (said: Said): Entry => ({ ...said, atNs: time++ });

const opened = (handle: bigint, name: string, created = true): Entry => entry({ kind: "opened", handle, name, created, emptied: false });
const written = (text: string, offset = 0): Entry => entry({ kind: "written", handle: FILE, offset, bytes: Buffer.from(text), error: 0 });
const truncated = (size: number): Entry => entry({ kind: "truncated", handle: FILE, size, error: 0 });
const syncBegan = (handle: bigint, sync: bigint): Entry => entry({ kind: "sync began", handle, sync });
const syncEnded = (handle: bigint, sync: bigint, error = 0): Entry => entry({ kind: "sync ended", handle, sync, error });
const synced = (handle: bigint, sync: bigint): Entry[] => [syncBegan(handle, sync), syncEnded(handle, sync)];

/** A file `f`, whose name is certain. */
const diskOf = (entries: readonly Entry[], settle: Draw = () => 0): ReplayedDisk => {
  const disk = new ReplayedDisk(settle);
  for (const one of [opened(DIRECTORY, ""), opened(FILE, "f"), ...synced(DIRECTORY, 1n), ...entries]) disk.apply(one);
  return disk;
};

/** Everything that may be there of `f` after cuts of many kinds. */
const possible = (disk: ReplayedDisk, during?: Entry): Set<string> => {
  const draw = createRandom(7);
  return new Set(Array.from({ length: 400 }, () => disk.cut(draw, during).get("f")?.toString("latin1") ?? "none"));
};

describe("a disk that loses its power", () => {
  it("keeps what was synced, whatever else it loses", () => {
    const disk = diskOf([written("kept"), ...synced(FILE, 2n), written("lost", 4)]);
    for (const text of possible(disk)) expect(text.slice(0, 4)).toBe("kept");
  });

  it("may lose what was not synced, keep it, or keep its length alone", () => {
    expect(possible(diskOf([written("ab")]))).toEqual(new Set(["", "ab", "\0\0"]));
  });

  it("may keep a later write and lose an earlier one", () => {
    const seen = possible(diskOf([written("----"), ...synced(FILE, 2n), written("a", 0), written("b", 3)]));
    expect(seen).toEqual(new Set(["----", "a---", "---b", "a--b"]));
  });

  it("takes a write that was made while a sync was under way for one that was not synced", () => {
    const seen = possible(diskOf([written("a"), syncBegan(FILE, 2n), written("b"), syncEnded(FILE, 2n)]));
    expect(seen).toEqual(new Set(["a", "b"]));
  });

  it("does not count a sync that was under way when the power went", () => {
    expect(possible(diskOf([written("a"), syncBegan(FILE, 2n)]))).toContain("");
  });

  it("may lose a truncation, also when something was written since", () => {
    const seen = possible(diskOf([written("abcd"), ...synced(FILE, 2n), truncated(0), written("x")]));
    expect(seen).toEqual(new Set(["abcd", "", "xbcd", "x", "\0"]));
  });

  it("tears a write at the sectors of the file, and nowhere else", () => {
    const start = SECTOR_BYTES - 2;
    const text = "a".repeat(2) + "b".repeat(SECTOR_BYTES) + "c".repeat(2);
    const parts = sectorsOf({ at: start, bytes: Buffer.from(text) });
    expect(parts.map(({ at, bytes }) => [at, bytes.toString()])).toEqual([
      [start, "aa"],
      [SECTOR_BYTES, "b".repeat(SECTOR_BYTES)],
      [2 * SECTOR_BYTES, "cc"],
    ]);
    const blank = "-".repeat(3 * SECTOR_BYTES);
    const seen = possible(diskOf([written(blank), ...synced(FILE, 2n), written(text, start)]));
    const whole = (part: string): boolean => new Set(part).size === 1;
    expect(seen.size).toBe(8);
    for (const one of seen)
      expect(
        [one.slice(start, start + 2), one.slice(SECTOR_BYTES, 2 * SECTOR_BYTES), one.slice(2 * SECTOR_BYTES, 2 * SECTOR_BYTES + 2)].every(whole),
      ).toBe(true);
  });

  it("may have a part of the write that was under way, and never what came later", () => {
    expect(possible(diskOf([written("old"), ...synced(FILE, 2n)]), written("new"))).toEqual(new Set(["old", "new"]));
  });

  it("never gives back what a failed sync has lost, however often it is synced again", () => {
    const lostAtOnce = diskOf(
      [written("old"), ...synced(FILE, 2n), written("new"), syncBegan(FILE, 3n), syncEnded(FILE, 3n, 5), ...synced(FILE, 4n)],
      () => 1,
    );
    expect(possible(lostAtOnce)).toEqual(new Set(["old"]));
    expect(lostAtOnce.live().get("f")?.toString()).toBe("new");
    lostAtOnce.apply(written("new"));
    for (const one of synced(FILE, 5n)) lostAtOnce.apply(one);
    expect(possible(lostAtOnce)).toEqual(new Set(["new"]));
  });

  it("may lose a new name, with all that was synced under it, until the directory is synced", () => {
    const disk = new ReplayedDisk(() => 0);
    for (const one of [opened(DIRECTORY, ""), opened(FILE, "f"), written("a"), ...synced(FILE, 1n)]) disk.apply(one);
    expect(possible(disk)).toEqual(new Set(["none", "a"]));
    for (const one of synced(DIRECTORY, 2n)) disk.apply(one);
    expect(possible(disk)).toEqual(new Set(["a"]));
  });

  it("has after a rename the one or the other, and the new one for certain once the directory is synced", () => {
    const disk = diskOf([written("old"), ...synced(FILE, 2n), opened(3n, "f.new")]);
    disk.apply(entry({ kind: "written", handle: 3n, offset: 0, bytes: Buffer.from("new"), error: 0 }));
    for (const one of synced(3n, 3n)) disk.apply(one);
    disk.apply(entry({ kind: "renamed", from: "f.new", to: "f" }));
    expect(possible(disk)).toEqual(new Set(["old", "new"]));
    for (const one of synced(DIRECTORY, 4n)) disk.apply(one);
    expect(possible(disk)).toEqual(new Set(["new"]));
    expect([...disk.live().keys()]).toEqual(["f"]);
  });
});
