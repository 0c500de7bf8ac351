import { readFileSync } from "node:fs";

/** What a process did to one file of its data directory, as `disk.c` has written it down. */
export type Entry = { readonly atNs: bigint } & (
  | { readonly kind: "opened"; readonly handle: bigint; readonly name: string; readonly created: boolean; readonly emptied: boolean }
  | { readonly kind: "written"; readonly handle: bigint; readonly offset: number; readonly bytes: Buffer; readonly error: number }
  | { readonly kind: "truncated"; readonly handle: bigint; readonly size: number; readonly error: number }
  | { readonly kind: "sync began"; readonly handle: bigint; readonly sync: bigint }
  | { readonly kind: "sync ended"; readonly handle: bigint; readonly sync: bigint; readonly error: number }
  | { readonly kind: "renamed"; readonly from: string; readonly to: string }
  | { readonly kind: "unlinked"; readonly name: string }
  | { readonly kind: "closed"; readonly handle: bigint }
);

const HEADER_BYTES = 40;

/** Reads the whole log. A last entry that was cut short by the end of its process is left out. @throws {Error} for what is no log. */
export function readDiskLog(path: string): readonly Entry[] {
  const bytes = readFileSync(path);
  const entries: Entry[] = [];
  for (let at = 0; at + HEADER_BYTES <= bytes.length; ) {
    const end = at + HEADER_BYTES + bytes.readUInt32LE(at + 4);
    if (end > bytes.length) break;
    entries.push(entryOf(bytes.subarray(at, at + HEADER_BYTES), bytes.subarray(at + HEADER_BYTES, end)));
    at = end;
  }
  return entries;
}

const CREATED = 1n;
const EMPTIED = 2n;

function entryOf(header: Buffer, payload: Buffer): Entry {
  const atNs = header.readBigUInt64LE(8);
  const handle = header.readBigUInt64LE(16);
  const offset = header.readBigUInt64LE(24);
  const result = Number(header.readBigInt64LE(32));
  const error = Math.max(0, -result);
  switch (header.readUInt32LE(0)) {
    case 1:
      return { kind: "opened", atNs, handle, name: payload.toString(), created: (offset & CREATED) !== 0n, emptied: (offset & EMPTIED) !== 0n };
    case 2:
      return { kind: "written", atNs, handle, offset: Number(offset), bytes: payload, error };
    case 3:
      return { kind: "truncated", atNs, handle, size: Number(offset), error };
    case 4:
      return { kind: "sync began", atNs, handle, sync: offset };
    case 5:
      return { kind: "sync ended", atNs, handle, sync: offset, error };
    case 6: {
      const [from = "", to = ""] = payload.toString().split("/");
      return { kind: "renamed", atNs, from, to };
    }
    case 7:
      return { kind: "unlinked", atNs, name: payload.toString() };
    case 8:
      return { kind: "closed", atNs, handle };
    default:
      throw new Error(`the log of the disk holds an entry of no known kind: ${header.readUInt32LE(0)}`);
  }
}
