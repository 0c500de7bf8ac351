import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "../../src/cli/program.ts";
import type { Finished, RunOptions } from "./running-command.ts";

let last: Promise<unknown> = Promise.resolve();

/**
 * Runs a command to its end in this process, which saves it the half second that a process of its own takes to load. A command finds its
 * variables, its directory, its outputs and its exit code at the process, so for its time this one has those of the command; one runs after the other.
 */
export function runHere(args: readonly string[], options: Omit<RunOptions, "input">): Promise<Finished> {
  const finished = last.then(() => runAs(args, options));
  last = finished.catch(() => undefined);
  return finished;
}

async function runAs(args: readonly string[], { env = {}, cwd }: Omit<RunOptions, "input">): Promise<Finished> {
  const directory = mkdtempSync(join(tmpdir(), "behest-output-"));
  const [stdout, stderr] = [fileOf(join(directory, "stdout")), fileOf(join(directory, "stderr"))];
  const restores = [
    lend("stdout", stdout.stream),
    lend("stderr", stderr.stream),
    lendEnvironment({ PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", ...env }),
    lendDirectory(cwd ?? process.cwd()),
  ];
  const { exitCode } = process;
  process.exitCode = undefined;
  try {
    await runProgram(args);
    return { code: Number(process.exitCode ?? 0), stdout: stdout.text(), stderr: stderr.text() };
  } finally {
    process.exitCode = exitCode;
    for (const restore of restores) restore();
    for (const { close } of [stdout, stderr]) close();
    rmSync(directory, { recursive: true });
  }
}

/** A file that can be written to as to an output which is no terminal: by its stream, or by the number of its descriptor. */
function fileOf(path: string) {
  const fd = openSync(path, "w");
  const stream = { fd, isTTY: false, write: (text: string | Uint8Array): boolean => writeSync(fd, Buffer.from(text)) > 0 };
  return { stream, text: (): string => readFileSync(path, "utf8"), close: (): void => closeSync(fd) };
}

type Restore = () => void;

function lend(name: "stdout" | "stderr", value: object): Restore {
  const own = Object.getOwnPropertyDescriptor(process, name) ?? {};
  Object.defineProperty(process, name, { configurable: true, enumerable: true, value });
  return () => Object.defineProperty(process, name, own);
}

/** No variables but those given. `process.env` stays the object it is, as Node asks the real variables for the home directory. */
function lendEnvironment(variables: Readonly<Record<string, string>>): Restore {
  const own = { ...process.env };
  const become = (wanted: Readonly<Record<string, string | undefined>>): void => {
    for (const name of Object.keys(process.env)) if (!(name in wanted)) delete process.env[name];
    Object.assign(process.env, wanted);
  };
  become(variables);
  return () => become(own);
}

function lendDirectory(path: string): Restore {
  const own = process.cwd();
  process.chdir(path);
  return () => process.chdir(own);
}
