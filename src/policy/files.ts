import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, opendirSync, openSync, readSync, realpathSync, statSync } from "node:fs";
import { encodeStable } from "../core/json.ts";
import type { Steps } from "../core/steps.ts";
import type { Complaint } from "./complaints.ts";
import { bufferFor, decoded, refuseTooMany, whyUnreadable } from "./reading.ts";
import { type PolicyFiles, type Seen, seenAmong, type Walk, walkPolicy } from "./walk.ts";

export type { PolicyFiles } from "./walk.ts";

/** Reads a rules directory, and complains of what in it cannot be read or is not known. */
export const readPolicyFiles = (directory: string, complaints: Complaint[]): PolicyFiles => follow(walkPolicy(directory, complaints), look);

/** The same of files that are in memory. */
export const takePolicyFiles = (files: PolicyFiles, directory: string, complaints: Complaint[]): PolicyFiles =>
  follow(walkPolicy(directory, complaints), seenAmong(files, directory));

function follow(walk: Walk, see: (path: string) => Seen): PolicyFiles {
  let step = walk.next();
  while (!step.done) step = walk.next(see(step.value));
  return step.value;
}

/** What stands at a path, read if it is a file: warily, because anything may stand there. */
export function look(path: string): Seen {
  try {
    if (!statSync(path).isDirectory()) return readText(path);
    return { kind: "directory", names: namesIn(path), realPath: realpathSync(path) };
  } catch (error) {
    return { kind: "unreadable", why: whyUnreadable(error) };
  }
}

function namesIn(path: string): readonly string[] {
  const directory = opendirSync(path);
  try {
    const names: string[] = [];
    for (let entry = directory.readSync(); entry; entry = directory.readSync()) refuseTooMany(names.push(entry.name));
    return names;
  } finally {
    directory.closeSync();
  }
}

function readText(path: string): Seen {
  // Non-blocking, so that a FIFO without a writer answers at once.
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const buffer = bufferFor(fstatSync(descriptor));
    let length = 0;
    for (let read = 1; read > 0 && length < buffer.length; length += read) read = readSync(descriptor, buffer, length, buffer.length - length, null);
    return decoded(buffer, length);
  } finally {
    closeSync(descriptor);
  }
}

/** SHA-256 over paths and texts, each with its length: `sha256:` and 64 hexadecimal digits. */
export function* digestOf(files: PolicyFiles): Steps<string> {
  // What `encodeStable(files)` would be, file by file.
  const names = Object.keys(files).sort();
  const hash = createHash("sha256").update(`o${names.length}:`);
  for (const name of names) {
    hash.update(`${name.length}:${name}`).update(encodeStable(files[name]));
    yield;
  }
  return `sha256:${hash.digest("hex")}`;
}
