import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createStrikes, type Strikes } from "./strikes.ts";

const SOURCE = fileURLToPath(new URL("disk.c", import.meta.url));

/** What stands between a server and its disk. */
export interface Shim {
  /** What the server's process has to be started with. */
  readonly environment: Readonly<Record<string, string>>;
  /** Where everything is written down that it does to its data directory; empty if it only strikes. */
  readonly logPath: string;
  readonly strikes: Strikes;
}

/** Why there is no shim here. */
export interface Obstacle {
  readonly obstacle: string;
}

export interface ShimOptions {
  /** Takes the library, the log and the strikes. */
  readonly directory: string;
  /** What is watched, by its absolute path without links. */
  readonly data: string;
  /** False: it only strikes, which costs less. */
  readonly records?: boolean;
}

/** Builds the shim for one server. A machine without gcc is no fault of the server's. */
export async function buildShim({ directory, data, records = true }: ShimOptions): Promise<Shim | Obstacle> {
  const library = join(directory, "disk.so");
  try {
    await promisify(execFile)("gcc", ["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o", library, SOURCE, "-pthread"]);
  } catch (error) {
    if (process.platform !== "linux" || isAbsent(error)) return { obstacle: "the disk's shim is built with gcc, on Linux, which is not here" };
    throw error;
  }
  const [logPath, strikesPath] = [join(directory, "disk.log"), join(directory, "strikes")];
  writeFileSync(logPath, "");
  return {
    environment: { LD_PRELOAD: library, FAULTS_DIRECTORY: data, FAULTS_STRIKES: strikesPath, ...(records && { FAULTS_LOG: logPath }) },
    logPath,
    strikes: createStrikes(strikesPath),
  };
}

const isAbsent = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "ENOENT";
