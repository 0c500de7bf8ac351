import { constants } from "node:fs";
import { type FileHandle, open, opendir, realpath, stat } from "node:fs/promises";
import { inSlices, type Slicing } from "../core/steps.ts";
import { type Complaint, complaint, PolicyInvalid } from "./complaints.ts";
import { compileSteps, type LoadedPolicy } from "./load.ts";
import { bufferFor, decoded, refuseTooMany, whyUnreadable } from "./reading.ts";
import { type PolicyFiles, type Seen, type Walk, walkPolicy } from "./walk.ts";

/** What a server keeps of a policy: without the trees that it was compiled from, which are many times as large. */
export type KeptPolicy = Pick<LoadedPolicy, "policy" | "files" | "warnings">;

/** What a directory holds, read without holding up anything else in the process. */
export interface ReadDirectory {
  readonly fingerprint: string | undefined;
  readonly outcome: KeptPolicy | { readonly complaints: readonly Complaint[] };
}

export interface RulesDirectory {
  readonly path: string;
  fingerprint(): Promise<string>;
  settle(): Promise<string>;
  read(): Promise<ReadDirectory>;
}

/** A burst of changes has ended when nothing has changed for so long; one that does not end is waited for only so many times. */
const SETTLED_MS = 100;
const SETTLED_TRIES = 10;
/**
 * How long it must have stood still before it is read: longer than the ticks of a file system's clock, in which two writes look like one.
 */
const STILL_MS = 20;
const STILL_TRIES = 10;

const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export function openRulesDirectory(path: string, slicing: Slicing): RulesDirectory {
  return {
    path,
    fingerprint: () => fingerprint(path),
    settle: () => settle(path),
    async read() {
      const read = await readStill(path);
      const outcome = await compileRead(read, path, slicing);
      return { fingerprint: read.fingerprint, outcome };
    },
  };
}

interface ReadFiles {
  readonly fingerprint: string | undefined;
  readonly files: PolicyFiles;
  readonly complaints: readonly Complaint[];
}

async function settle(path: string): Promise<string> {
  let seen = await fingerprint(path);
  for (let tries = 0; tries < SETTLED_TRIES; tries++) {
    await later(SETTLED_MS);
    const before = seen;
    seen = await fingerprint(path);
    if (seen === before) break;
  }
  return seen;
}

/** Everything as it stood at one instant: nothing in it changed from before the first file was read until after the last was. */
async function readStill(path: string): Promise<ReadFiles> {
  let seen = await fingerprint(path);
  for (let tries = 0; tries < STILL_TRIES; tries++) {
    await later(STILL_MS);
    const before = await fingerprint(path);
    if (before !== seen) {
      seen = before;
      continue;
    }
    const complaints: Complaint[] = [];
    const files = await follow(walkPolicy(path, complaints), look);
    seen = await fingerprint(path);
    if (seen === before) return { fingerprint: before, files, complaints };
  }
  const restless = complaint(
    "unreadable-file",
    path,
    "the rules directory keeps changing while it is read; change it at once, as by renaming a symbolic link",
  );
  return { fingerprint: undefined, files: {}, complaints: [restless] };
}

async function compileRead({ files, complaints }: ReadFiles, path: string, slicing: Slicing): Promise<ReadDirectory["outcome"]> {
  if (complaints.length > 0) return { complaints };
  try {
    const { policy, warnings } = await inSlices(compileSteps(files, path), slicing);
    return { policy, files, warnings };
  } catch (error) {
    if (error instanceof PolicyInvalid) return { complaints: error.complaints };
    throw error;
  }
}

async function follow(walk: Walk, see: (path: string) => Promise<Seen>): Promise<PolicyFiles> {
  let step = walk.next();
  while (!step.done) step = walk.next(await see(step.value));
  return step.value;
}

/** The same walk, looking at files from outside. */
async function fingerprint(path: string): Promise<string> {
  const marks: string[] = [];
  await follow(walkPolicy(path, []), async (at) => {
    const { seen, mark } = await glance(at);
    marks.push(`${at}\0${mark}`);
    return seen;
  });
  return marks.join("\n");
}

async function glance(path: string): Promise<{ readonly seen: Seen; readonly mark: string }> {
  try {
    const found = await stat(path, { bigint: true });
    if (!found.isDirectory()) {
      const { dev, ino, size, mtimeNs, ctimeNs } = found;
      return { seen: { kind: "file", text: "", bytes: Number(size) }, mark: [dev, ino, size, mtimeNs, ctimeNs].join(" ") };
    }
    const seen = await lookInto(path);
    return { seen, mark: [seen.realPath, ...seen.names.filter((name) => !name.startsWith(".")).sort()].join("\0") };
  } catch (error) {
    const why = whyUnreadable(error);
    return { seen: { kind: "unreadable", why }, mark: why };
  }
}

async function look(path: string): Promise<Seen> {
  try {
    return (await stat(path)).isDirectory() ? await lookInto(path) : await readText(path);
  } catch (error) {
    return { kind: "unreadable", why: whyUnreadable(error) };
  }
}

async function lookInto(path: string): Promise<Extract<Seen, { kind: "directory" }>> {
  const names: string[] = [];
  for await (const entry of await opendir(path)) refuseTooMany(names.push(entry.name));
  return { kind: "directory", names, realPath: await realpath(path) };
}

async function readText(path: string): Promise<Seen> {
  // Non-blocking, so that a FIFO without a writer does not hold a thread for ever.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return await readAll(file);
  } finally {
    await file.close();
  }
}

async function readAll(file: FileHandle): Promise<Seen> {
  const buffer = bufferFor(await file.stat());
  let length = 0;
  for (let read = 1; read > 0 && length < buffer.length; length += read) {
    read = (await file.read(buffer, length, buffer.length - length, null)).bytesRead;
  }
  return decoded(buffer, length);
}
