import { readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ControlJournal, openControlJournal, SLOT_BYTES, SLOTS } from "../../src/storage/sqlite/control-journal.ts";
import { temporaryDirectory } from "../running-server.ts";

let directory: ReturnType<typeof temporaryDirectory>;
let path: string;
let failures: string[];
beforeEach(() => {
  directory = temporaryDirectory();
  path = join(directory.path, "control.journal");
  failures = [];
});
afterEach(() => directory.remove());

const idOf = (text: string): string => text.split(" ")[0] ?? "";
const open = (key = "k"): ControlJournal =>
  openControlJournal({ path, key: Buffer.from(key), idOf, onFailure: (error) => failures.push(error.message) });

/** What a journal holds, opened anew. */
async function reopened(key?: string): Promise<Pick<ControlJournal, "found" | "damagedSlots">> {
  const journal = open(key);
  await journal.close();
  return { found: journal.found, damagedSlots: journal.damagedSlots };
}

async function written(...texts: readonly string[]): Promise<void> {
  const journal = open();
  for (const text of texts) expect(await journal.append(idOf(text), text)).toBe(true);
  await journal.close();
}

const change = (edit: (bytes: Buffer) => void): void => {
  const bytes = readFileSync(path);
  edit(bytes);
  writeFileSync(path, bytes);
};

describe("the control journal", () => {
  it("takes all of its space when it is made, for its owner alone", async () => {
    expect(await reopened()).toEqual({ found: [], damagedSlots: 0 });
    const { size, blocks, mode } = statSync(path);
    expect({ size, mode: mode & 0o777 }).toEqual({ size: SLOTS * SLOT_BYTES, mode: 0o600 });
    expect(blocks * 512).toBeGreaterThanOrEqual(size);
    await written("a 1");
    expect(statSync(path).size).toBe(SLOTS * SLOT_BYTES);
  });

  it("holds what was appended, in its order, until it is cleared", async () => {
    await written("a 1", "b 2", "c ü");
    expect((await reopened()).found).toEqual(["a 1", "b 2", "c ü"]);
    const journal = open();
    await journal.clear(["b", "no-such"]);
    await journal.append("d", "d 4");
    await journal.close();
    expect((await reopened()).found).toEqual(["a 1", "c ü", "d 4"]);
    expect(failures).toEqual([]);
  });

  it("takes as many as it has slots, says of the next that it is not on disk, and takes one again once one was cleared", async () => {
    const journal = open();
    for (let n = 0; n < SLOTS; n++) expect(await journal.append(`n${n}`, `n${n} x`)).toBe(true);
    expect(await journal.append("more", "more x")).toBe(false);
    expect(failures).toEqual([`all its ${SLOTS} slots are taken`]);
    await journal.clear(["n7"]);
    expect(await journal.append("more", "more x")).toBe(true);
    await journal.close();
    expect((await reopened()).found).toEqual([...Array.from({ length: SLOTS }, (_, n) => `n${n} x`).filter((text) => text !== "n7 x"), "more x"]);
  });

  it("refuses what is longer than a slot, and takes what just fits", async () => {
    const journal = open();
    expect(await journal.append("a", `a ${"x".repeat(SLOT_BYTES)}`)).toBe(false);
    const fits = `b ${"x".repeat(SLOT_BYTES - 48 - 2)}`;
    expect(await journal.append("b", fits)).toBe(true);
    await journal.close();
    expect(failures).toEqual([`the event is longer than a slot of ${SLOT_BYTES} bytes`]);
    expect((await reopened()).found).toEqual([fits]);
  });

  it("clears what is still being written after it has been written", async () => {
    const journal = open();
    const appended = journal.append("a", "a 1");
    await journal.clear(["a"]);
    expect(await appended).toBe(true);
    await journal.close();
    expect((await reopened()).found).toEqual([]);
  });

  it("has whole or not at all what was cut short at any byte, and all else", async () => {
    await written("a 1", "b 2");
    const whole = readFileSync(path).subarray(SLOT_BYTES, 2 * SLOT_BYTES);
    const last = 48 + "b 2".length;
    for (let cut = 0; cut <= last; cut++) {
      change((bytes) => whole.copy(bytes.fill(0, SLOT_BYTES, 2 * SLOT_BYTES), SLOT_BYTES, 0, cut));
      const { found, damagedSlots } = await reopened();
      expect({ cut, found }).toEqual({ cut, found: cut === last ? ["a 1", "b 2"] : ["a 1"] });
      expect(damagedSlots).toBe(cut > 0 && cut < last ? 1 : 0);
    }
  });

  it("has the one or the other, and never a mixture, where the slot held another event before", async () => {
    await written("a 1");
    const before = readFileSync(path).subarray(0, SLOT_BYTES);
    const journal = open();
    await journal.clear(["a"]);
    for (let n = 1; n < SLOTS; n++) await journal.append(`n${n}`, `n${n} x`);
    await journal.append("b", "b 22");
    await journal.close();
    const after = readFileSync(path).subarray(0, SLOT_BYTES);
    expect(after.toString()).toContain("b 22");
    for (let cut = 0; cut <= 60; cut++) {
      change((bytes) => {
        before.copy(bytes);
        after.copy(bytes, 0, 0, cut);
      });
      const { found } = await reopened();
      expect(["a 1", "b 22", undefined]).toContain(found.find((text) => !text.startsWith("n")));
    }
  });

  it.each<{ says: string; edit: (bytes: Buffer) => void }>([
    { says: "one bit of its text", edit: (bytes) => bytes.writeUInt8(bytes.readUInt8(48) ^ 1, 48) },
    { says: "its number", edit: (bytes) => bytes.writeUInt8(9, 11) },
    { says: "its length, beyond the slot", edit: (bytes) => bytes.writeUInt32BE(0xffffffff, 12) },
    { says: "its length, by one", edit: (bytes) => bytes.writeUInt32BE(2, 12) },
    { says: "its seal", edit: (bytes) => bytes.writeUInt8(bytes.readUInt8(20) ^ 0x80, 20) },
    { says: "its mark", edit: (bytes) => bytes.write("XXXX", 0) },
  ])("leaves out a slot that was damaged, and says so: $says", async ({ edit }) => {
    await written("a 1", "b 2");
    change(edit);
    expect(await reopened()).toEqual({ found: ["b 2"], damagedSlots: 1 });
  });

  it("believes nothing that was sealed under another key", async () => {
    await written("a 1");
    expect(await reopened("another")).toEqual({ found: [], damagedSlots: 1 });
  });

  it("makes whole what was cut off its end", async () => {
    await written("a 1");
    truncateSync(path, SLOT_BYTES + 100);
    expect((await reopened()).found).toEqual(["a 1"]);
    expect(statSync(path).size).toBe(SLOTS * SLOT_BYTES);
  });

  it("says that nothing is on disk where it cannot be written, and writes again when it can", async () => {
    const journal = open();
    await journal.append("a", "a 1");
    await journal.close();
    // A descriptor that is gone is opened anew; here there is nothing to open.
    directory.remove();
    expect(await journal.append("b", "b 2")).toBe(false);
    expect(failures).toEqual([expect.stringContaining("ENOENT")]);
  });
});
