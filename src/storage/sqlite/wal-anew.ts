import { closeSync, fsyncSync, readSync, writeSync } from "node:fs";
import { openWal } from "./wal-tail.ts";

const CHUNK_BYTES = 1_024 * 1_024;

/**
 * Writes every byte of a WAL that was left behind once more, where it stands, and syncs it. When an fsync fails, the kernel keeps what it could not write in
 * memory, as if it were on the disk: whoever opens the file reads it, and no later fsync writes it. A checkpoint from such frames would change the
 * database before the log holds what it changes. Bytes that are on the disk are replaced by the same ones, so a power cut meanwhile does no harm.
 * Only for who alone writes this database. @throws {Error}
 */
export function writeAnew(databasePath: string): void {
  const file = openWal(databasePath);
  if (file === undefined) return;
  try {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    for (let at = 0, read = 0; ; at += read) {
      read = readSync(file, chunk, 0, CHUNK_BYTES, at);
      if (read === 0) break;
      for (let written = 0; written < read; ) written += writeSync(file, chunk, written, read - written, at + written);
    }
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
