import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type BehestClient, createClient } from "../src/client/client.ts";
import type { Role } from "../src/core/request.ts";

const MAIN = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));
const READY_WITHIN_MS = 30_000;
const STOPS_WITHIN_MS = 30_000;
/** Of what it says, the end is kept. */
const SAID_CHARACTERS_MAX = 1_000_000;
const PAGE_KIB = 4;
/** What is shipped is JavaScript: that Node has to make it of sources first, in each thread of each server, is left out. */
const COMPILE_CACHE = process.env["NODE_COMPILE_CACHE"] ?? fileURLToPath(new URL("../node_modules/.cache/compiled", import.meta.url));

export interface ServeOptions {
  readonly data: string;
  readonly flags?: readonly string[];
  /** Over the variables that every server here gets. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Before the program, such as `brokenBy` says. */
  readonly execArgv?: readonly string[];
}

/** `behest serve` as it is shipped, in a process of its own. */
export interface Served {
  readonly pid: number;
  /** HOST:PORT. */
  readonly address: string;
  /** Where its metrics are: HOST:PORT. */
  readonly http: string;
  readonly data: string;
  /** From its start to the line that says that it is ready. */
  readonly readyMs: number;
  /** The same without the time for which its threads waited for a core, because others use this machine as well. */
  readonly readyUndisturbedMs: number;
  /** The end of what it has logged, as JSON lines. */
  log(): string;
  token(role: Role): string;
  /** Closed with the server. */
  client(role?: Role, options?: { readonly timeoutMs?: number }): BehestClient;
  /** SIGKILL, at once. Answers when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM. Answers how it ended, and how long that took; after half a minute it is killed. */
  terminate(): Promise<Ended>;
  /** Settles when the process has ended, whoever ended it. */
  readonly ended: Promise<Ended>;
  /** Resident memory, of which what the program holds is a part. */
  residentKib(): number;
  /** The most that it was since the start. */
  residentMostKib(): number;
  /** For how long its threads were ready to run and waited for a core, because others use this machine as well. */
  waitedForCoreMs(): number;
  /** Open files, sockets and the like. */
  descriptors(): number;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** From when it was asked to. */
  readonly tookMs: number;
}

export type Serve = (options: ServeOptions) => Promise<Served>;

/** Whatever happens, no server that was started is left. */
export async function withServers<T>(use: (serve: Serve) => Promise<T>): Promise<T> {
  const children = new Set<ChildProcess>();
  const killAll = (): void => {
    for (const child of children) child.kill("SIGKILL");
  };
  process.once("exit", killAll);
  try {
    return await use((options) => serve(options, children));
  } finally {
    process.off("exit", killAll);
    await Promise.all(
      [...children].map((child) => {
        const gone = once(child, "exit");
        child.kill("SIGKILL");
        return gone;
      }),
    );
  }
}

async function serve({ data, flags = [], environment = {}, execArgv = [] }: ServeOptions, children: Set<ChildProcess>): Promise<Served> {
  const began = performance.now();
  const child = spawn(process.execPath, [...execArgv, MAIN, "serve", "--data", data, "--grpc", "127.0.0.1:0", ...flags], {
    env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", NODE_COMPILE_CACHE: COMPILE_CACHE, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.add(child);
  let askedMs = began;
  const exited: Promise<Ended> = once(child, "exit").then(() => {
    children.delete(child);
    return { code: child.exitCode, signal: child.signalCode, tookMs: performance.now() - askedMs };
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-SAID_CHARACTERS_MAX);
  });
  const { grpc: address, http } = await readyLine(child, { exited, said: () => said });
  const readyMs = performance.now() - began;
  const pid = child.pid ?? 0;
  const waitedMs = waitedForCoreMs(pid);
  const clients: BehestClient[] = [];
  const token = (role: Role): string => readFileSync(join(data, `${role}.token`), "utf8").trim();
  const end = (signal: NodeJS.Signals): Promise<Ended> => {
    askedMs = performance.now();
    child.kill(signal);
    return exited;
  };
  void exited.then(() => {
    for (const client of clients) client.close();
  });
  return {
    pid,
    address,
    http,
    data,
    readyMs,
    readyUndisturbedMs: readyMs - waitedMs,
    log: () => said,
    token,
    client(role, { timeoutMs = 20_000 } = {}) {
      const client = createClient({ address, timeoutMs, ...(role && { token: token(role) }) });
      clients.push(client);
      return client;
    },
    async kill() {
      await end("SIGKILL");
    },
    async terminate() {
      const timer = setTimeout(() => child.kill("SIGKILL"), STOPS_WITHIN_MS);
      const ended = await end("SIGTERM");
      clearTimeout(timer);
      return ended;
    },
    ended: exited,
    residentKib: () => Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]) * PAGE_KIB,
    residentMostKib: () => Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]),
    waitedForCoreMs: () => waitedForCoreMs(pid),
    descriptors: () => readdirSync(`/proc/${pid}/fd`).length,
  };
}

interface Starting {
  readonly exited: Promise<Ended>;
  readonly said: () => string;
}

function readyLine({ stdout }: ChildProcess, { exited, said }: Starting): Promise<{ readonly grpc: string; readonly http: string }> {
  return new Promise((resolve, reject) => {
    if (!stdout) throw new TypeError("the child has no stdout");
    const fail = (why: string): void => reject(new Error(`the server ${why}: ${said().slice(-2_000)}`));
    const timer = setTimeout(() => fail(`was not ready within ${READY_WITHIN_MS / 1_000} s`), READY_WITHIN_MS);
    createInterface({ input: stdout }).once("line", (line) => {
      clearTimeout(timer);
      resolve(JSON.parse(line));
    });
    void exited.then(({ code, signal }) => {
      clearTimeout(timer);
      fail(`ended with ${code ?? signal} before it was ready`);
    });
  });
}

/** The threads that whatever takes long goes through, one after the other. */
const THREADS: readonly string[] = ["MainThread", "behest-ledger"];
const NS_PER_MS = 1_000_000;

/** How long they were ready to run, and others ran: second field of schedstat, see proc_pid_schedstat(5). Nothing where the kernel does not count it. */
function waitedForCoreMs(pid: number): number {
  const waited = readdirSync(`/proc/${pid}/task`).map((thread) => {
    try {
      const about = (what: string): string => readFileSync(`/proc/${pid}/task/${thread}/${what}`, "utf8").trim();
      return THREADS.includes(about("comm")) ? Number(about("schedstat").split(" ")[1]) / NS_PER_MS : 0;
    } catch {
      return 0;
    }
  });
  return waited.reduce((sum, ms) => sum + ms, 0);
}
