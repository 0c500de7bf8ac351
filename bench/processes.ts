import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { devNull, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** A server in a process of its own, so that its CPU can be told from the load's. */
export interface ServerProcess {
  /** HOST:PORT. */
  readonly address: string;
  /** From its start until it was ready. */
  readonly readyMs: number;
  cpu(): CpuTime;
  /** What of its memory is in RAM. */
  residentMib(): number;
  stop(): Promise<void>;
}

/** CPU time used since the process began. */
export interface CpuTime {
  readonly mainThreadMs: number;
  readonly processMs: number;
}

/** Everything that was started or made, so that all of it can be taken away again, whatever happens. */
export interface Stage {
  /** An empty directory, removed with the stage. */
  readonly directory: string;
  /** Runs a module of this project that prints `{"ready":true,"grpc":"HOST:PORT"}` once it serves; its talk is thrown away. */
  start(module: string, args: readonly string[], settings?: Settings): Promise<ServerProcess>;
  /** Runs any other program that listens at this address once it serves. */
  startProgram(command: string, args: readonly string[], address: string): Promise<ServerProcess>;
  close(): Promise<void>;
}

/** Variables of its environment, beside those of this process. */
export type Settings = Readonly<Record<string, string>>;

const READY_WITHIN_MS = 30_000;
const STOPS_WITHIN_MS = 8_000;

function createStage(): Stage {
  const directory = mkdtempSync(join(tmpdir(), "behest-bench-"));
  const children: ChildProcess[] = [];
  const begin = (command: string, args: readonly string[], settings: Settings = {}): ChildProcess => {
    const silence = openSync(devNull, "w");
    const child = spawn(command, args, { stdio: ["ignore", "pipe", silence], env: { ...process.env, ...settings } });
    closeSync(silence);
    children.push(child);
    return child;
  };
  const ready = async (child: ChildProcess, address: Promise<string>): Promise<ServerProcess> => {
    const began = performance.now();
    const pid = child.pid ?? 0;
    return {
      address: await address,
      readyMs: performance.now() - began,
      cpu: () => cpuTime(pid),
      residentMib: () => residentMib(pid),
      stop: () => stop(child),
    };
  };
  return {
    directory,
    start(module, args, settings) {
      const child = begin(process.execPath, [fileURLToPath(new URL(module, import.meta.url)), ...args], settings);
      return ready(child, readyAddress(child, module));
    },
    startProgram(command, args, address) {
      const child = begin(command, args);
      child.stdout?.resume();
      return ready(child, listeningAt(child, address));
    },
    async close() {
      await Promise.all(children.map(stop));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const INTERRUPTED = 130;

/** Servers and files go away with whatever used them, also when it is interrupted. */
export async function withStage<T>(use: (stage: Stage) => Promise<T>): Promise<T> {
  const stage = createStage();
  const stop = (): void => {
    const leave = (): void => process.exit(INTERRUPTED);
    stage.close().then(leave, leave);
  };
  process.once("SIGINT", stop).once("SIGTERM", stop);
  try {
    return await use(stage);
  } finally {
    await stage.close();
    process.off("SIGINT", stop).off("SIGTERM", stop);
  }
}

function readyAddress({ stdout }: ChildProcess, module: string): Promise<string> {
  return new Promise((resolve, reject) => {
    if (!stdout) throw new TypeError("the child has no stdout");
    const timer = setTimeout(() => reject(new Error(`\`${module}\` was not ready within ${READY_WITHIN_MS / 1_000} s`)), READY_WITHIN_MS);
    const lines = createInterface({ input: stdout });
    lines.on("line", (line) => {
      const said: { readonly ready?: boolean; readonly grpc?: string } = JSON.parse(line);
      if (said.ready && said.grpc !== undefined) resolve(said.grpc);
    });
    lines.on("close", () => {
      clearTimeout(timer);
      reject(new Error(`\`${module}\` ended before it was ready`));
    });
    lines.once("line", () => clearTimeout(timer));
  });
}

const LOOK_AGAIN_MS = 50;

async function listeningAt(child: ChildProcess, address: string): Promise<string> {
  const colon = address.lastIndexOf(":");
  const [host, port] = [address.slice(0, colon), Number(address.slice(colon + 1))];
  const takes = (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect({ host, port });
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
  for (const until = performance.now() + READY_WITHIN_MS; performance.now() < until; await pause(LOOK_AGAIN_MS)) {
    if (await takes()) return address;
    if (child.exitCode !== null) throw new Error(`\`${child.spawnfile}\` ended with ${child.exitCode} before it was ready`);
  }
  throw new Error(`\`${child.spawnfile}\` was not ready within ${READY_WITHIN_MS / 1_000} s`);
}

/** A port that nobody listens at just now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** Asks it to end, and ends it when it does not. */
function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill("SIGKILL"), STOPS_WITHIN_MS);
    child.once("exit", () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill("SIGTERM");
  });
}

/** Linux counts in hundredths of a second (`getconf CLK_TCK`), so what is measured must take seconds. */
const TICK_MS = 10;

function cpuTime(pid: number): CpuTime {
  return {
    // The main thread's id is the process's; the first field is nanoseconds that it ran.
    mainThreadMs: Number(readStat(`/proc/${pid}/task/${pid}/schedstat`).split(" ")[0]) / 1e6,
    processMs: ticksOf(`/proc/${pid}/stat`) * TICK_MS,
  };
}

function residentMib(pid: number): number {
  const [, kib = "0"] = /^VmRSS:\s+(\d+) kB/m.exec(readStat(`/proc/${pid}/status`)) ?? [];
  return Number(kib) / 1_024;
}

/** User and system time: fields 14 and 15, see proc_pid_stat(5). */
function ticksOf(path: string): number {
  const text = readStat(path);
  // The second field is the command in parentheses, and may itself hold spaces.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

/** CPU time that everything on this machine has used since it started: user, nice, system, interrupts; see proc_stat(5). */
export function machineBusyMs(): number {
  const [, user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = (readStat("/proc/stat").split("\n")[0] ?? "").split(/\s+/).map(Number);
  return (user + nice + system + irq + softirq) * TICK_MS;
}

function readStat(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new Error(`\`${path}\` cannot be read: CPU time is measured on Linux, of a server that lives`, { cause: error });
  }
}
