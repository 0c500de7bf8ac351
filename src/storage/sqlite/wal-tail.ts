import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from "node:fs";

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const MAGIC = 0x377f0682;

/**
 * Cuts off what stands in a WAL behind its last commit: what an unfinished transaction has left, be it that the disk was full or that the
 * process ended. SQLite reads none of it and keeps the bytes for its next writes; on a full disk they are what a checkpoint needs, and without
 * one the file is never opened again. Only for who alone writes this database, while it has no connection that writes.
 * Format: https://www.sqlite.org/fileformat2.html#walformat
 */
export function cutUnfinished(databasePath: string): void {
  const file = openWal(databasePath);
  if (file === undefined) return;
  try {
    const sizeBytes = fstatSync(file).size;
    const header = readAt(file, 0, HEADER_BYTES);
    // What is no WAL is for SQLite to complain of.
    if (header.length < HEADER_BYTES || (header.readUInt32BE(0) & ~1) >>> 0 !== MAGIC) return;
    const keptBytes = HEADER_BYTES + finishedFrames(file, header, sizeBytes) * frameBytes(header);
    if (keptBytes < sizeBytes) ftruncateSync(file, keptBytes);
  } finally {
    closeSync(file);
  }
}

const frameBytes = (header: Buffer): number => FRAME_HEADER_BYTES + header.readUInt32BE(8);

/**
 * Frames up to the last that ends a transaction of this round of the log. Checksums are left to SQLite: a frame too many does no harm.
 */
function finishedFrames(file: number, header: Buffer, sizeBytes: number): number {
  const salts = header.subarray(16, 24);
  for (let count = Math.floor((sizeBytes - HEADER_BYTES) / frameBytes(header)); count > 0; count--) {
    const frame = readAt(file, HEADER_BYTES + (count - 1) * frameBytes(header), FRAME_HEADER_BYTES);
    const endsTransaction = frame.readUInt32BE(4) !== 0;
    if (endsTransaction && frame.subarray(8, 16).equals(salts)) return count;
  }
  return 0;
}

function readAt(file: number, position: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  return buffer.subarray(0, readSync(file, buffer, 0, length, position));
}

/** Undefined when there is none. */
export function openWal(databasePath: string): number | undefined {
  try {
    return openSync(`${databasePath}-wal`, "r+");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
