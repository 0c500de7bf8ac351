import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { WEBHOOK_SECRET_FILE } from "../src/data-directory.ts";
import { SuspensionKind } from "../src/gen/behest/v1/control_pb.ts";
import { readWebhookSecret } from "../src/webhooks/signing.ts";
import { type Acknowledged, startAsking, variedRequests } from "./asking.ts";
import { type Breakage, brokenBy } from "./break.ts";
import type { Setting } from "./fault.ts";
import { ReplayedDisk } from "./replayed-disk.ts";
import { type Served, withServers } from "./served.ts";
import { type Entry, readDiskLog } from "./shim/log.ts";
import { buildShim, type Obstacle, type Shim } from "./shim/shim.ts";

/** Something that a caller was told, and when it had it: what is begun later knows of it. */
export interface Told<T> {
  readonly what: T;
  readonly atNs: bigint;
}

/** What a server wrote, and what it said meanwhile. All times are of one clock, the log's. */
export interface RecordedRun {
  readonly entries: readonly Entry[];
  readonly readyAtNs: bigint;
  readonly decisions: readonly Told<Acknowledged>[];
  /** Suspensions that were said to be durable, by their ids. */
  readonly suspended: readonly Told<string>[];
  readonly resumed: readonly Told<string>[];
  /** When each was asked for: from then on it may hold or not. */
  readonly resuming: ReadonlyMap<string, bigint>;
  /** Tokens that were made, by their ids. */
  readonly tokens: readonly Told<string>[];
  readonly webhookSecret: Buffer;
  /** Events that the webhooks' receiver has taken, by their ids. */
  readonly delivered: readonly Told<string>[];
}

const MAIN = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));
const CONCURRENCY = 8;

const now = (): bigint => process.hrtime.bigint();

/** Runs a server through all that it writes for: decisions, the kill switch with and without a ledger, tokens, webhooks. Answers why it cannot be recorded here. */
export async function recordRun(setting: Setting, breakages: readonly Breakage[] = []): Promise<RecordedRun | Obstacle> {
  const data = join(setting.directory, "data");
  mkdirSync(data);
  const shim = await buildShim({ directory: setting.directory, data });
  if ("obstacle" in shim) return shim;
  const receiver = await openReceiver();
  try {
    const told = await withServers(async (serve) => {
      const environment = { ...shim.environment, BEHEST_WEBHOOK_URL: receiver.url };
      const server = await serve({ data, environment, ...broken(breakages, environment) });
      const readyAtNs = now();
      return { readyAtNs, ...(await useServer(server, shim, setting)) };
    });
    const entries = readDiskLog(shim.logPath);
    refuseGaps(entries, data);
    const webhookSecret = readWebhookSecret(join(data, WEBHOOK_SECRET_FILE));
    return { ...told, entries, webhookSecret, delivered: receiver.delivered };
  } finally {
    await receiver.close();
  }
}

function broken(breakages: readonly Breakage[], environment: Readonly<Record<string, string>>) {
  if (breakages.length === 0) return {};
  const twin = brokenBy(breakages);
  return { execArgv: twin.execArgv, environment: { ...environment, ...twin.environment } };
}

type Said = Pick<RecordedRun, "decisions" | "suspended" | "resumed" | "resuming" | "tokens">;

async function useServer(server: Served, shim: Shim, { form, signal, progress }: Setting): Promise<Said> {
  const client = server.client("enforcer");
  const decisions: Told<Acknowledged>[] = [];
  const control = controlling(server);
  const tokens: Told<string>[] = [];
  const rounds = form === "long" ? 10 : 1;
  for (let round = 0; round < rounds && !signal.aborted; round++) {
    progress(`a server is recorded, round ${round + 1} of ${rounds}`, round / rounds / 4);
    const asking = startAsking({
      client,
      concurrency: CONCURRENCY,
      requestOf: variedRequests(`round-${round}`),
      onSaid: ({ acknowledged }) => acknowledged && decisions.push({ what: acknowledged, atNs: now() }),
    });
    await setTimeout(400);
    await control.suspend(`agent-apart-${round}`);
    await createToken(server, shim, `gateway-${round}`).then((what) => tokens.push({ what, atNs: now() }));
    await control.resume();
    await control.suspend(`agent-away-${round}`);
    // What operators do while nothing can be written goes to the control journal.
    shim.strikes.set([{ what: "write", suffix: "behest.db-wal", nth: 1, error: "EIO" }]);
    await until(async () => !(await client.isServing()));
    await control.suspend(`agent-off-${round}`);
    await control.resume();
    await control.suspend(`agent-gone-${round}`);
    shim.strikes.set([]);
    await until(() => client.isServing());
    await setTimeout(400);
    await asking.stop();
    // So that everything was answered before something is written again.
    await control.suspend(`agent-last-${round}`);
  }
  await server.terminate();
  return { decisions, tokens, ...control };
}

/** The kill switch, of agents that nobody asks for. */
function controlling(server: Served) {
  const operator = server.client("operator");
  const suspended: Told<string>[] = [];
  const resumed: Told<string>[] = [];
  const resuming = new Map<string, bigint>();
  return {
    suspended,
    resumed,
    resuming,
    async suspend(value: string): Promise<void> {
      const { suspension, durable } = await operator.suspend({ kind: SuspensionKind.AGENT, value, reason: "a power cut is coming" });
      if (suspension && durable) suspended.push({ what: suspension.suspensionId, atNs: now() });
    },
    /** The last one. */
    async resume(): Promise<void> {
      const id = suspended.at(-1)?.what ?? "";
      resuming.set(id, now());
      const { durable } = await operator.resume(id);
      if (durable) resumed.push({ what: id, atNs: now() });
    },
  };
}

/** By the command line, in a process of its own that writes to the same log. */
async function createToken({ data }: Served, { environment }: Shim, id: string): Promise<string> {
  const args = [MAIN, "tokens", "create", "--role", "enforcer", "--id", id, "--data", data];
  await promisify(execFile)(process.execPath, args, { env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", ...environment } });
  return id;
}

const WAIT_MAX_MS = 20_000;

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const began = performance.now(); !(await holds()); await setTimeout(20)) {
    if (performance.now() - began > WAIT_MAX_MS) throw new Error(`a server that was struck is not as expected after ${WAIT_MAX_MS / 1_000} s`);
  }
}

async function openReceiver() {
  const delivered: Told<string>[] = [];
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      delivered.push({ what: String(request.headers["webhook-id"]), atNs: now() });
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    delivered,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A recorder that missed something would let anything hold. @throws {Error} */
function refuseGaps(entries: readonly Entry[], data: string): void {
  const disk = new ReplayedDisk(() => 0);
  for (const entry of entries) disk.apply(entry);
  const live = disk.live();
  const names = readdirSync(data).filter((name) => !name.endsWith("-shm"));
  const different = names.filter((name) => !live.get(name)?.equals(readFileSync(join(data, name))));
  const gone = [...live.keys()].filter((name) => !names.includes(name));
  if (different.length + gone.length > 0) throw new Error(`the recorder has missed something about ${[...different, ...gone].join(", ")}`);
}
