import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  type Stats,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

/** Text by path, relative to the directory they are placed in. */
export type Files = Readonly<Record<string, string>>;

/**
 * Writes files into a directory, which is made if it is missing: all of them or, when one cannot be written, none. A file that is there is
 * replaced; a directory keeps what else is in it. They are written aside first, so that what fails most often, a full or unwritable disk, fails
 * before anything has been touched. Only a process that is killed while it renames leaves a part, and what it replaced, in `.behest-init-…`.
 * @throws whatever the file system throws.
 */
export function placeFiles(directory: string, files: Files): void {
  const undo: (() => void)[] = [];
  try {
    makeDirectory(directory, undo);
    place(directory, files, undo);
  } catch (error) {
    takeBack(undo, error);
    throw error;
  }
}

function takeBack(undo: (() => void)[], cause: unknown): void {
  try {
    for (const step of undo.reverse()) step();
  } catch (error) {
    throw new Error(`${reasonOf(cause)}; taking back what was done failed too (${reasonOf(error)}): look for \`.behest-init-…\``, { cause });
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** One by one: asked to make them all, Node never comes back where a file system says that the parent, too, is missing, as `/proc` does. */
function makeDirectory(directory: string, undo: (() => void)[]): void {
  if (existsSync(directory)) return;
  const parent = dirname(directory);
  if (parent !== directory) makeDirectory(parent, undo);
  mkdirSync(directory);
  undo.push(() => rmdirSync(directory));
}

function place(directory: string, files: Files, undo: (() => void)[]): void {
  const aside = mkdtempSync(join(directory, ".behest-init-"));
  const [staged, replaced] = [join(aside, "new"), join(aside, "old")];
  undo.push(() => rmSync(aside, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(staged, path)), { recursive: true });
    writeFileSync(join(staged, path), text);
  }
  mkdirSync(replaced);
  moveInto({ from: staged, to: directory, replaced, undo });
  rmSync(aside, { recursive: true, force: true });
}

interface Move {
  readonly from: string;
  readonly to: string;
  /** Where what stood there before is kept until all is well. */
  readonly replaced: string;
  readonly undo: (() => void)[];
}

function moveInto({ from, to, replaced, undo }: Move): void {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    const there = statOf(target);
    if (there?.isDirectory() && entry.isDirectory()) {
      moveInto({ from: source, to: target, replaced, undo });
      continue;
    }
    if (there && !there.isFile()) throw new Error(`\`${target}\` is not a file`);
    if (there) {
      chmodSync(source, there.mode & 0o777);
      rename(target, join(replaced, String(undo.length)), undo);
    }
    rename(source, target, undo);
  }
}

function rename(from: string, to: string, undo: (() => void)[]): void {
  renameSync(from, to);
  undo.push(() => renameSync(to, from));
}

/** Of the thing itself, not of what a link leads to. Undefined when nothing is there, nor can be, because a part of the path is a file. */
export function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOTDIR") return undefined;
    throw error;
  }
}
