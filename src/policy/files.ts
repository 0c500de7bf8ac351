import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { encodeStable } from "../core/json.ts";
import { type Complaint, complaint } from "./complaints.ts";

/** The files of a rules directory that can change a decision, text by path relative to it. */
export type PolicyFiles = Readonly<Record<string, string>>;

const FILE_BYTES_MAX = 4 * 1024 * 1024;

/** Reads a rules directory. Complains of everything in it that is not known, because a rule that is not loaded protects nobody. */
export function readPolicyFiles(directory: string, complaints: Complaint[]): PolicyFiles {
  const found: Found = { files: {}, complaints };
  for (const name of namesIn(directory, complaints)) {
    const path = join(directory, name);
    if (name === "catalog" && isDirectory(path)) readCatalog(path, found);
    else if (name === "schema" && isDirectory(path)) refuseStrangers(path, ".schema.json", complaints);
    else if (name === "policy.json" || name === "agents.json" || name.endsWith(".rules.json")) readInto(found, name, path);
    else if (!name.endsWith(".cases.json") && !name.endsWith(".md"))
      refuse(path, "name it `NAME.rules.json` or `NAME.cases.json`, put it into `catalog/`, or move it away", complaints);
  }
  return found.files;
}

function readCatalog(directory: string, found: Found): void {
  for (const name of namesIn(directory, found.complaints)) {
    const path = join(directory, name);
    if (name.endsWith(".json") && !isDirectory(path)) readInto(found, `catalog/${name}`, path);
    else if (!name.endsWith(".md")) refuse(path, "a catalog is a `NAME.json`, not in a directory of its own", found.complaints);
  }
}

function refuseStrangers(directory: string, ending: string, complaints: Complaint[]): void {
  for (const name of namesIn(directory, complaints)) {
    if (!name.endsWith(ending)) refuse(join(directory, name), `only \`NAME${ending}\` belongs here`, complaints);
  }
}

const refuse = (file: string, advice: string, complaints: Complaint[]): void => {
  complaints.push(complaint("stray-file", file, `nothing that Behest reads: ${advice}`));
};

/** Sorted; hidden names are a file system's or an editor's business. */
function namesIn(directory: string, complaints: Complaint[]): readonly string[] {
  try {
    return readdirSync(directory)
      .filter((name) => !name.startsWith("."))
      .sort();
  } catch (error) {
    complaints.push(complaint("unreadable-file", directory, `the rules directory cannot be read: ${reasonOf(error)}`));
    return [];
  }
}

const isDirectory = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

interface Found {
  readonly files: Record<string, string>;
  readonly complaints: Complaint[];
}

function readInto({ files, complaints }: Found, name: string, path: string): void {
  try {
    files[name] = readText(path);
  } catch (error) {
    complaints.push(complaint("unreadable-file", path, `cannot be read: ${reasonOf(error)}`));
  }
}

function readText(path: string): string {
  // Non-blocking, so that a FIFO without a writer answers at once.
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) throw new Error("it is no regular file");
    if (stat.size > FILE_BYTES_MAX) throw new Error(`it has ${stat.size} bytes, at most ${FILE_BYTES_MAX} are read`);
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(descriptor));
    } catch (error) {
      throw error instanceof TypeError ? new Error("it is not valid UTF-8", { cause: error }) : error;
    }
  } finally {
    closeSync(descriptor);
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** SHA-256 over paths and texts, each with its length: `sha256:` and 64 hexadecimal digits. */
export const digestOf = (files: PolicyFiles): string => `sha256:${createHash("sha256").update(encodeStable(files)).digest("hex")}`;
