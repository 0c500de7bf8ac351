import { closeSync, fchmodSync, fchownSync, fstatSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Readable by its owner only, there whole or not at all, and on the disk under its name when this returns; until it is, what was there before stays.
 * @throws {Error}
 */
export function writePrivate(path: string, text: string): void {
  const draft = `${path}.new`;
  const directory = openSync(dirname(path), "r");
  try {
    try {
      writeDraft(draft, path, text);
      renameSync(draft, path);
    } catch (error) {
      discard(draft);
      throw new Error(`\`${path}\` cannot be written: ${messageOf(error)}; nothing was changed`, { cause: error });
    }
    try {
      fsyncSync(directory);
    } catch (error) {
      throw new Error(`\`${path}\` has been replaced, but may not outlast a power cut: ${messageOf(error)}`, { cause: error });
    }
  } finally {
    closeSync(directory);
  }
}

function writeDraft(draft: string, path: string, text: string): void {
  // What a process that was killed left behind.
  rmSync(draft, { force: true });
  const file = openSync(draft, "wx", 0o600);
  try {
    fchmodSync(file, 0o600);
    keepOwner(file, path);
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function discard(draft: string): void {
  try {
    rmSync(draft, { force: true });
  } catch {
    // What failed before is what there is to tell; the next edit removes the draft, or says why it cannot.
  }
}

/** An administrator who edits the file of a server that runs as somebody else must not take it away from that server. */
function keepOwner(file: number, path: string): void {
  const before = statSync(path, { throwIfNoEntry: false });
  if (before && before.uid !== fstatSync(file).uid) fchownSync(file, before.uid, before.gid);
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
