import { createHmac, timingSafeEqual } from "node:crypto";
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Where what operators do is kept while the ledger cannot be written. All of its space is taken when the server starts, so that a full disk
 * leaves it writable. An event has a slot of its own: number, length, HMAC-SHA-256 over both and the text, text. A slot whose HMAC is wrong is
 * one whose writing was cut short, and so was never acknowledged; or it was damaged afterwards, which is told.
 */
export interface ControlJournal {
  /** What it held when it was opened, in the order in which it was written. */
  readonly found: readonly string[];
  /** Slots that hold something that cannot be read. */
  readonly damagedSlots: number;
  /** Whether the text is on disk. It is kept under this id. Never throws. */
  append(id: string, text: string): Promise<boolean>;
  /** Frees the slots of these ids; what cannot be freed now stays, and whoever reads it again must know that it has it. Never throws. */
  clear(ids: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

export const SLOT_BYTES = 8 * 1_024;
export const SLOTS = 64;
const MAGIC = Buffer.from("BHC1");
const HEADER_BYTES = 48;
const EMPTY_HEADER = Buffer.alloc(HEADER_BYTES);

export interface ControlJournalOptions {
  readonly path: string;
  readonly key: Buffer;
  /** The id under which a text was kept. */
  readonly idOf: (text: string) => string;
  /** Told of each writing that failed. */
  readonly onFailure: (error: Error) => void;
}

interface Slot {
  readonly at: number;
  readonly sequence: bigint;
  readonly text: string;
}

/** Opens the journal, and makes it or what is missing of it. @throws {Error} when it cannot be read, or its space cannot be had. */
export function openControlJournal(options: ControlJournalOptions): ControlJournal {
  const { path, key, idOf } = options;
  const bytes = makeWhole(path);
  const slots: Slot[] = [];
  const free: number[] = [];
  let damagedSlots = 0;
  for (let at = 0; at < SLOTS; at++) {
    const slot = bytes.subarray(at * SLOT_BYTES, (at + 1) * SLOT_BYTES);
    const read = readSlot(key, slot);
    if (read) slots.push({ at, ...read });
    else free.push(at);
    if (!read && !slot.subarray(0, HEADER_BYTES).equals(EMPTY_HEADER)) damagedSlots++;
  }
  slots.sort((a, b) => (a.sequence < b.sequence ? -1 : 1));
  return new Journal(options, {
    found: slots.map(({ text }) => text),
    damagedSlots,
    free,
    used: new Map(slots.map(({ at, text }) => [idOf(text), at])),
    next: (slots.at(-1)?.sequence ?? 0n) + 1n,
  });
}

/** Every byte is written, for a hole in a file takes its space only later. Read whole: it is small. */
function makeWhole(path: string): Buffer {
  const file = openSync(path, "a+", 0o600);
  try {
    const before = readFileSync(path);
    const missing = SLOTS * SLOT_BYTES - before.length;
    if (missing <= 0) return before;
    const blank = Buffer.alloc(missing);
    for (let written = 0; written < missing; ) written += writeSync(file, blank, written);
    fsyncSync(file);
    syncDirectory(dirname(path));
    return Buffer.concat([before, blank]);
  } finally {
    closeSync(file);
  }
}

function syncDirectory(path: string): void {
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

function readSlot(key: Buffer, slot: Buffer): { readonly sequence: bigint; readonly text: string } | undefined {
  if (!slot.subarray(0, 4).equals(MAGIC)) return undefined;
  const length = slot.readUInt32BE(12);
  if (length > SLOT_BYTES - HEADER_BYTES) return undefined;
  const body = slot.subarray(HEADER_BYTES, HEADER_BYTES + length);
  if (!timingSafeEqual(macOf(key, slot.subarray(0, 16), body), slot.subarray(16, HEADER_BYTES))) return undefined;
  return { sequence: slot.readBigUInt64BE(4), text: body.toString("utf8") };
}

/** Undefined for a text that is too long for a slot. */
function slotOf(key: Buffer, sequence: bigint, text: string): Buffer | undefined {
  const body = Buffer.from(text);
  if (body.length > SLOT_BYTES - HEADER_BYTES) return undefined;
  const slot = Buffer.alloc(SLOT_BYTES);
  MAGIC.copy(slot);
  slot.writeBigUInt64BE(sequence, 4);
  slot.writeUInt32BE(body.length, 12);
  macOf(key, slot.subarray(0, 16), body).copy(slot, 16);
  body.copy(slot, HEADER_BYTES);
  return slot;
}

const macOf = (key: Buffer, head: Buffer, body: Buffer): Buffer =>
  createHmac("sha256", key).update("behest control journal v1").update(head).update(body).digest();

interface Contents {
  readonly found: readonly string[];
  readonly damagedSlots: number;
  readonly free: number[];
  readonly used: Map<string, number>;
  readonly next: bigint;
}

class Journal implements ControlJournal {
  readonly found: readonly string[];
  readonly damagedSlots: number;
  readonly #options: ControlJournalOptions;
  readonly #free: number[];
  readonly #used: Map<string, number>;
  #next: bigint;
  #file: FileHandle | undefined;
  /** One at a time: a slot is cleared after it has been written. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: ControlJournalOptions, { found, damagedSlots, free, used, next }: Contents) {
    this.#options = options;
    this.found = found;
    this.damagedSlots = damagedSlots;
    this.#free = free;
    this.#used = used;
    this.#next = next;
    // Opened beforehand, because there may be no descriptor to be had when it is needed.
    void this.#inTurn(() => this.#open());
  }

  append(id: string, text: string): Promise<boolean> {
    return this.#inTurn(async () => {
      const slot = slotOf(this.#options.key, this.#next, text);
      const at = this.#free.shift();
      if (!slot || at === undefined)
        throw new Error(slot ? `all its ${SLOTS} slots are taken` : `the event is longer than a slot of ${SLOT_BYTES} bytes`);
      this.#next++;
      try {
        await this.#write(at, slot);
      } catch (error) {
        // Whatever of it is there is overwritten next.
        this.#free.unshift(at);
        throw error;
      }
      this.#used.set(id, at);
    });
  }

  async clear(ids: readonly string[]): Promise<void> {
    await this.#inTurn(async () => {
      for (const id of ids) {
        const at = this.#used.get(id);
        if (at === undefined) continue;
        await this.#write(at, EMPTY_HEADER);
        this.#used.delete(id);
        this.#free.push(at);
      }
    });
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#file?.close();
    this.#file = undefined;
  }

  /** Whatever fails of it may have spoiled the descriptor: one whose fsync has failed must not be used again. */
  async #write(at: number, bytes: Buffer): Promise<void> {
    const file = await this.#open();
    try {
      const { bytesWritten } = await file.write(bytes, 0, bytes.length, at * SLOT_BYTES);
      if (bytesWritten < bytes.length) throw new Error(`only ${bytesWritten} of ${bytes.length} bytes could be written`);
      await file.sync();
    } catch (error) {
      this.#file = undefined;
      await file.close().catch(() => undefined);
      throw error;
    }
  }

  async #open(): Promise<FileHandle> {
    this.#file ??= await open(this.#options.path, "r+");
    return this.#file;
  }

  #inTurn(run: () => Promise<unknown>): Promise<boolean> {
    const done = this.#last.then(run).then(
      () => true,
      (error: unknown) => {
        this.#options.onFailure(error instanceof Error ? error : new Error(String(error)));
        return false;
      },
    );
    this.#last = done;
    return done;
  }
}
