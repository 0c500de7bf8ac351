/** How a power cut chooses among what was not synced: between 0 and `below`, drawn from the run's seed. */
export type Draw = (below: number) => number;

/** What a file system tears at: no smaller part of a write is there or not. */
export const SECTOR_BYTES = 512;

export interface Write {
  readonly at: number;
  readonly bytes: Buffer;
}
export interface Resize {
  readonly size: number;
}
export type Change = Write | Resize;

/** Ways in which power goes: evenly drawn bits would nearly never leave a long series whole, or leave nothing of it. */
const WAYS = ["nothing", "everything", "a beginning", "some", "sectors"] as const;

/** What is there of a file, of which some is certain, after the power has gone. */
export function leftOf(synced: Contents, pending: readonly Change[], draw: Draw): Buffer {
  const contents = synced.clone();
  const way = WAYS[draw(WAYS.length)] ?? "nothing";
  const beginning = way === "a beginning" ? draw(pending.length + 1) : 0;
  for (const [index, one] of pending.entries()) {
    if (way === "everything" || (way === "a beginning" && index < beginning) || (way === "some" && draw(2) === 0)) contents.change(one);
    else if (way === "sectors" || (way === "a beginning" && index === beginning)) changeInPart(contents, one, draw);
    else if (draw(4) === 0) contents.lengthen(one);
  }
  return contents.copy();
}

/** Each sector on its own; the new length may be there without them. */
export function changeInPart(contents: Contents, one: Change, draw: Draw): void {
  if ("size" in one) {
    if (draw(2) === 0) contents.change(one);
    return;
  }
  for (const sector of sectorsOf(one)) if (draw(2) === 0) contents.change(sector);
  if (draw(2) === 0) contents.lengthen(one);
}

/** A write in the parts that are there or not as a whole: by where they lie in the file. */
export function sectorsOf({ at, bytes }: Write): readonly Write[] {
  const parts: Write[] = [];
  for (let from = at; from < at + bytes.length; ) {
    const to = Math.min(at + bytes.length, (Math.floor(from / SECTOR_BYTES) + 1) * SECTOR_BYTES);
    parts.push({ at: from, bytes: bytes.subarray(from - at, to - at) });
    from = to;
  }
  return parts;
}

/** The bytes of a file; what was never written of them is zero. */
export class Contents {
  #room: Buffer;
  #size: number;

  constructor(room = Buffer.alloc(0), size = 0) {
    this.#room = room;
    this.#size = size;
  }

  change(one: Change): void {
    if ("size" in one) {
      this.#room.fill(0, Math.min(one.size, this.#room.length));
      this.#resize(one.size);
      return;
    }
    this.lengthen(one);
    one.bytes.copy(this.#room, one.at);
  }

  /** As a write makes the file longer, without what it has written. */
  lengthen(one: Change): void {
    if ("at" in one) this.#resize(Math.max(this.#size, one.at + one.bytes.length));
  }

  clone(): Contents {
    return new Contents(Buffer.from(this.#room), this.#size);
  }

  copy(): Buffer {
    return Buffer.from(this.#room.subarray(0, this.#size));
  }

  #resize(size: number): void {
    if (size > this.#room.length) {
      const room = Buffer.alloc(Math.max(size, 2 * this.#room.length));
      this.#room.copy(room);
      this.#room = room;
    }
    this.#size = size;
  }
}
