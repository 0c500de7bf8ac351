import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BehestClient, createClient } from "../../src/client/client.ts";
import type { Role } from "../../src/core/request.ts";
import { runHere } from "./run-here.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly cwd?: string;
}

/** The program as a child process, with no variables but those it is given and the one that has it start faster. */
function start(args: readonly string[], { env = {}, cwd }: RunOptions): ChildProcess {
  const inherited = { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] ?? "" };
  return spawn(process.execPath, [MAIN, ...args], { env: { ...inherited, ...env }, cwd, stdio: "pipe" });
}

function gather(child: ChildProcess): { stdout: string; stderr: string } {
  const said = { stdout: "", stderr: "" };
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    said.stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said.stderr += text;
  });
  return said;
}

/** Runs a command to its end, as a child process only where it takes one: to serve, and to read a stdin of its own. */
export const run = (args: readonly string[], options: RunOptions = {}): Promise<Finished> =>
  args[0] === "serve" || options.input !== undefined ? runAlone(args, options) : runHere(args, options);

/** Runs a command to its end as a child process, as a shell does. */
export async function runAlone(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const child = start(args, options);
  const said = gather(child);
  child.stdin?.end(options.input ?? "");
  await once(child, "close");
  return { code: child.exitCode, ...said };
}

export interface Launched {
  readonly child: ChildProcess;
  readonly said: { readonly stdout: string; readonly stderr: string };
  readonly ended: Promise<Finished & { readonly signal: NodeJS.Signals | null }>;
}

/** `behest serve` as a child process, from its first moment. */
export const launch = (data: string): Launched => begin(["serve", "--data", data, "--grpc", "127.0.0.1:0"]);

/** A command that goes on until it is told to stop, as a child process. */
export function begin(args: readonly string[]): Launched {
  const child = start(args, {});
  const said = gather(child);
  return { child, said, ended: once(child, "close").then(() => ({ code: child.exitCode, signal: child.signalCode, ...said })) };
}

export interface Served {
  readonly address: string;
  readonly data: string;
  readonly pid: number;
  /** The line it printed when it was ready. */
  readonly ready: Readonly<Record<string, unknown>>;
  /** All that it has printed. */
  readonly said: { readonly stdout: string; readonly stderr: string };
  client(role?: Role): BehestClient;
  /** Sends a signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<Finished & { readonly signal: NodeJS.Signals | null }>;
}

/** `behest serve` as a child process on a free port. @throws {Error} when it ends before it is ready. */
export async function serve(data: string, flags: readonly string[] = [], options: RunOptions = {}): Promise<Served> {
  const child = start(["serve", "--data", data, "--grpc", "127.0.0.1:0", ...flags], options);
  const said = gather(child);
  const closed = once(child, "close");
  while (!said.stdout.includes("\n")) {
    await Promise.race([child.stdout && once(child.stdout, "data"), closed]);
    if (child.exitCode !== null) throw new Error(`serve ended with ${child.exitCode}: ${said.stderr}`);
  }
  const ready = JSON.parse(said.stdout);
  const clients: BehestClient[] = [];
  return {
    address: ready.grpc,
    data,
    pid: child.pid ?? 0,
    ready,
    said,
    client(role) {
      const token = role && readFileSync(join(data, `${role}.token`), "utf8").trim();
      const client = createClient({ address: ready.grpc, timeoutMs: 20_000, ...(token !== undefined && { token }) });
      clients.push(client);
      return client;
    },
    async stop(signal = "SIGTERM") {
      for (const client of clients) client.close();
      child.kill(signal);
      await closed;
      return { code: child.exitCode, signal: child.signalCode, ...said };
    },
  };
}
