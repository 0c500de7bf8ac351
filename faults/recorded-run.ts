import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { SuspensionKind } from "../src/gen/behest/v1/control_pb.ts";
import { PrincipalType } from "../src/gen/behest/v1/decision_pb.ts";
import { type Acknowledged, type Asking, startAsking, variedRequests } from "./asking.ts";
import { type Breakage, brokenBy } from "./break.ts";
import { type Consuming, startConsuming } from "./consuming.ts";
import type { Setting } from "./fault.ts";
import { ReplayedDisk } from "./replayed-disk.ts";
import { type Ended, type Served, withServers } from "./served.ts";
import { type Entry, readDiskLog } from "./shim/log.ts";
import { buildShim, type Obstacle, type Shim } from "./shim/shim.ts";

/** Something that a caller was told, and when it had it: what is begun later knows of it. */
export interface Told<T> {
  readonly what: T;
  readonly atNs: bigint;
}

/** What callers were told by a server. All times are of one clock, the log's. */
export interface Heard {
  readonly decisions: Told<Acknowledged>[];
  /** Suspensions that were said to be durable, by their ids. */
  readonly suspended: Told<string>[];
  readonly resumed: Told<string>[];
  /** When each was asked for: from then on it may hold or not. */
  readonly resuming: Map<string, bigint>;
  /** Registered tasks that were opened, and those that were revoked durably, by their ids. */
  readonly opened: Told<string>[];
  readonly revoked: Told<string>[];
  /** Approvals that were answered, by their ids. */
  readonly answered: Told<string>[];
  /** Tokens that were made, by their ids. */
  readonly tokens: Told<string>[];
}

/** What a server wrote, and what it said meanwhile. */
export interface RecordedRun extends Heard {
  readonly entries: readonly Entry[];
  readonly readyAtNs: bigint;
  readonly ended: Ended;
  /** Where it told a receiver of approvals: by which secret, and which events that has taken, by their ids. */
  readonly webhooks?: { readonly secret: Buffer; readonly delivered: readonly Told<string>[] };
}

/** A server whose writing is recorded. */
export interface Recorded {
  readonly server: Served;
  readonly shim: Shim;
  readonly heard: Heard;
}

export interface RecordOptions {
  readonly breakages: readonly Breakage[];
  readonly environment?: Readonly<Record<string, string>>;
  /** What is done to the server until it is stopped. */
  readonly use: (recorded: Recorded) => Promise<void>;
}

/** No breakage: the log is taken into the file eight times as often as otherwise, so that a short run sees it many times, and a replay need not copy as much. */
const SHORT_LOG: Breakage = {
  file: "src/storage/sqlite/connection.ts",
  passage: "const CHECKPOINT_AFTER_FRAMES = 2_048;",
  instead: "const CHECKPOINT_AFTER_FRAMES = 256;",
};

export const now = (): bigint => process.hrtime.bigint();

/** Serves from `data` in the run's directory. Answers why nothing can be recorded here, where it cannot. */
export async function recordRun({ directory }: Setting, { breakages, environment, use }: RecordOptions): Promise<RecordedRun | Obstacle> {
  const data = join(directory, "data");
  mkdirSync(data);
  const shim = await buildShim({ directory, data });
  if ("obstacle" in shim) return shim;
  const heard: Heard = { decisions: [], suspended: [], resumed: [], resuming: new Map(), opened: [], revoked: [], answered: [], tokens: [] };
  const served = await withServers(async (serve) => {
    const twin = brokenBy([SHORT_LOG, ...breakages]);
    const server = await serve({ data, ...twin, environment: { ...twin.environment, ...environment, ...shim.environment } });
    const readyAtNs = now();
    await use({ server, shim, heard });
    return { readyAtNs, ended: await server.terminate() };
  });
  const entries = readDiskLog(shim.logPath);
  refuseGaps(entries, data);
  return { ...heard, ...served, entries };
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

/** Callers that ask until they are stopped, and remember what they were told. */
export const askOf = ({ server, heard }: Recorded, { prefix, concurrency }: { prefix: string; concurrency: number }): Asking =>
  startAsking({
    client: server.client("enforcer"),
    concurrency,
    requestOf: variedRequests(prefix),
    onSaid: ({ acknowledged }) => acknowledged && heard.decisions.push({ what: acknowledged, atNs: now() }),
  });

/** Suspends an agent that nobody asks for. Answers whether that was said to be durable. */
export async function suspend({ server, heard }: Recorded, agent: string): Promise<boolean> {
  const { suspension, durable } = await server
    .client("operator")
    .suspend({ kind: SuspensionKind.AGENT, value: agent, reason: "something is coming" });
  if (suspension && durable) heard.suspended.push({ what: suspension.suspensionId, atNs: now() });
  return durable;
}

/** Ends the suspension that was made last. */
export async function resume({ server, heard }: Recorded): Promise<void> {
  const id = heard.suspended.at(-1)?.what ?? "";
  heard.resuming.set(id, now());
  const { durable } = await server.client("operator").resume(id);
  if (durable) heard.resumed.push({ what: id, atNs: now() });
}

/** Opens a registered task. Answers its id. */
export async function openTask({ server, heard }: Recorded): Promise<string> {
  const principal = { type: PrincipalType.USER, id: "alice" };
  const { task } = await server.client("initiator").openTask({ statement: "read on", agentId: "reader", principal });
  const id = task?.taskId ?? "";
  heard.opened.push({ what: id, atNs: now() });
  return id;
}

export async function revokeTask({ server, heard }: Recorded, id: string): Promise<void> {
  const { durable } = await server.client("operator").revokeTask(id);
  if (durable) heard.revoked.push({ what: id, atNs: now() });
}

/** People who are asked, say yes, and are taken at their word by several at once. */
export const consumeOf = ({ server, heard }: Recorded, prefix: string): Consuming =>
  startConsuming({
    enforcer: server.client("enforcer"),
    approver: server.client("approver"),
    prefix,
    lanes: 1,
    onAcknowledged: (answer) => heard.decisions.push({ what: answer, atNs: now() }),
    onApproved: (approvalId) => heard.answered.push({ what: approvalId, atNs: now() }),
  });

const WAIT_MAX_MS = 30_000;

/** @throws {Error} when it does not hold in time. */
export async function until(holds: () => Promise<boolean>, what: string, withinMs = WAIT_MAX_MS): Promise<void> {
  for (const began = performance.now(); !(await holds()); await setTimeout(10)) {
    if (performance.now() - began > withinMs) throw new Error(`${what}: not within ${withinMs / 1_000} s`);
  }
}
