import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { status } from "@grpc/grpc-js";
import { percentile } from "../bench/statistics.ts";
import type { BehestClient, CallFailed } from "../src/client/client.ts";
import { SuspensionKind } from "../src/gen/behest/v1/control_pb.ts";
import { DecideRequestSchema, PrincipalType } from "../src/gen/behest/v1/decision_pb.ts";
import { ErrorInfoSchema } from "../src/gen/google/rpc/error_details_pb.ts";
import { type Acknowledged, ask, readOf, type Said, startAsking, variedRequests } from "./asking.ts";
import { type Breakage, brokenBy } from "./break.ts";
import { examine } from "./examine.ts";
import type { Fault, Outcome, Setting } from "./fault.ts";
import { type Serve, type Served, withServers } from "./served.ts";

const FILLINGS = { short: 3, long: 30 } as const;
const DISK_MIB = 24;
const ASKERS = 8;
/** How long the disk stays full, once decisions have stopped. */
const FULL_MS = 1_000;
const STOPS_WITHIN_MS = 20_000;
const REFUSED_WITHIN_MS = 50;
const RESUMES_WITHIN_MS = 5_000;

export const diskFull: Fault = {
  name: "disk-full",
  claim:
    "on a full disk nothing is allowed without its record, refusals are clear and come within 50 ms, what is suspended or revoked is so, also after a restart, and decisions go on within 5 s of there being room, without one",
  strike: (setting) => onSmallDisk(setting, []),
  control: {
    says: "it answers as if a group that failed had been written",
    strike: (setting) =>
      onSmallDisk(setting, [
        {
          file: "src/storage/sqlite/ledger.ts",
          passage: "for (const waiting of refused) {",
          instead: "for (const waiting of refused) { waiting.resolve(); continue;",
        },
      ]),
  },
};

async function onSmallDisk(setting: Setting, breakages: readonly Breakage[]): Promise<Outcome> {
  const disk = join(setting.directory, "disk");
  mkdirSync(disk);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_MIB}m`, "tmpfs", disk], { stdio: "pipe" });
  } catch (error) {
    return {
      figures: {},
      broken: [],
      skipped: `no small file system can be mounted here: ${error instanceof Error ? error.message.trim() : String(error)}`,
    };
  }
  try {
    return await fillOften(setting, new SmallDisk(disk), breakages);
  } finally {
    execFileSync("umount", ["--lazy", disk]);
  }
}

/** A file system that is full when it is told to be. */
class SmallDisk {
  readonly data: string;
  readonly #filler: string;

  constructor(path: string) {
    this.data = join(path, "data");
    this.#filler = join(path, "filler");
  }

  /** Takes every byte that is left. */
  fill(): void {
    const file = openSync(this.#filler, "a");
    const block = Buffer.alloc(4_096);
    try {
      for (;;) writeSync(file, block);
    } catch {
      closeSync(file);
    }
  }

  empty(): void {
    rmSync(this.#filler, { force: true });
  }
}

/** What was seen over all fillings. */
interface Seen {
  readonly acknowledged: Acknowledged[];
  readonly refusedMs: number[];
  /** What a call takes that needs no disk, at the same time. */
  readonly healthMs: number[];
  readonly resumedMs: number[];
  readonly broken: string[];
}

async function fillOften({ form, progress, signal }: Setting, disk: SmallDisk, breakages: readonly Breakage[]): Promise<Outcome> {
  const seen: Seen = { acknowledged: [], refusedMs: [], healthMs: [], resumedMs: [], broken: [] };
  const start = (serve: Serve): Promise<Served> => serve({ data: disk.data, ...brokenBy(breakages) });
  let fillings = 0;
  await withServers(async (serve) => {
    let server = await start(serve);
    while (fillings < FILLINGS[form] && !signal.aborted && seen.broken.length === 0) {
      progress(`${fillings} times full`, fillings / FILLINGS[form]);
      const stopped = await fillOnce(server, { disk, seen, number: fillings++ });
      const isLast = fillings === FILLINGS[form];
      if (isLast) await server.kill();
      const resuming = isLast ? undefined : resumed(server, seen);
      disk.empty();
      if (isLast) server = await start(serve);
      await resuming;
      await expectStopped(server, seen, stopped);
    }
    await server.terminate();
  });
  return outcomeOf(fillings, seen, examine(disk.data, seen.acknowledged).broken);
}

function outcomeOf(fillings: number, { acknowledged, refusedMs, healthMs, resumedMs, broken }: Seen, examined: readonly string[]): Outcome {
  const rounded = (ms: number): number => Math.round(ms * 10) / 10;
  const [p99, health] = [percentile(refusedMs, 0.99), percentile(healthMs, 0.99)];
  // Where others use the machine as well, what needs no disk takes longer too.
  const isSlow = p99 > REFUSED_WITHIN_MS && p99 > 3 * health;
  return {
    figures: {
      fillings,
      answers: acknowledged.length,
      refusals: refusedMs.length,
      refusal_p50_ms: rounded(percentile(refusedMs, 0.5)),
      refusal_p99_ms: rounded(p99),
      health_p99_ms: rounded(health),
      slowest_resumption_ms: Math.round(Math.max(0, ...resumedMs)),
    },
    broken: [
      ...broken,
      ...examined,
      ...(isSlow ? [`1 in 100 refusals took ${rounded(p99)} ms, where a call that needs no disk took ${rounded(health)} ms`] : []),
      ...(refusedMs.length === 0 ? ["nothing was refused although the disk was full"] : []),
    ],
  };
}

/** What an operator stopped while the disk was full. */
interface Stopped {
  readonly agent: string;
  readonly task: string;
}

interface Filling {
  readonly disk: SmallDisk;
  readonly seen: Seen;
  readonly number: number;
}

/** Fills the disk under load, and looks at what is answered meanwhile. */
async function fillOnce(server: Served, { disk, seen, number }: Filling): Promise<Stopped> {
  const [client, operator] = [server.client("enforcer"), server.client("operator")];
  const stopped = { agent: `suspect-${number}`, task: await openTask(server.client("initiator")) };
  let isFull = false;
  const onSaid = (said: Said): void => {
    if (!isFull || !said.error) return;
    seen.refusedMs.push(said.tookMs);
    const unclear = unclearness(said.error);
    if (unclear !== undefined) seen.broken.push(unclear);
  };
  const asking = startAsking({ client, concurrency: ASKERS, requestOf: variedRequests(`filling-${number}`), onSaid });
  await setTimeout(200);
  disk.fill();
  isFull = true;
  if (!(await within(STOPS_WITHIN_MS, async () => !(await client.isServing())))) seen.broken.push("decisions are still healthy on a full disk");
  for (const until = performance.now() + FULL_MS; performance.now() < until; await setTimeout(20)) {
    const began = performance.now();
    if (await client.isServing()) seen.broken.push("decisions are healthy on a full disk");
    seen.healthMs.push(performance.now() - began);
    if (!(await operator.isServing("control"))) seen.broken.push("the control service is not healthy on a full disk");
  }
  const suspension = await operator.suspend({ kind: SuspensionKind.AGENT, value: stopped.agent, reason: "looks wrong" });
  const revocation = await operator.revokeTask(stopped.task, "looks wrong");
  if (!suspension.durable || !revocation.durable) seen.broken.push("a suspension or a revocation on a full disk is not durable");
  await asking.stop();
  seen.acknowledged.push(...asking.acknowledged);
  return stopped;
}

const openTask = async (initiator: BehestClient): Promise<string> =>
  (await initiator.openTask({ statement: "read on", agentId: "worker", principal: { type: PrincipalType.USER, id: "alice" } })).task?.taskId ?? "";

/** What a refusal lacks: it names the ledger, and when to come back. */
function unclearness(error: CallFailed): string | undefined {
  const reasons = (error.status?.details ?? []).flatMap((any) => anyUnpack(any, ErrorInfoSchema)?.reason ?? []);
  if (error.code === status.UNAVAILABLE && reasons.includes("LEDGER_UNAVAILABLE")) return undefined;
  return `a refusal on a full disk is not clear: ${status[error.code]} ${reasons.join(" ")} ${error.message}`;
}

/** How long it takes until decisions are made again, once there is room. */
async function resumed(server: Served, { resumedMs, broken }: Seen): Promise<void> {
  const client = server.client("enforcer");
  const [began, waitedMs] = [performance.now(), server.waitedForCoreMs()];
  const isServing = await within(STOPS_WITHIN_MS, () => client.isServing());
  const tookMs = performance.now() - began;
  resumedMs.push(tookMs);
  const undisturbedMs = tookMs - Math.max(0, server.waitedForCoreMs() - waitedMs);
  if (!isServing) broken.push(`decisions have not gone on ${STOPS_WITHIN_MS / 1_000} s after there was room: ${server.log().slice(-500)}`);
  else if (undisturbedMs > RESUMES_WITHIN_MS) broken.push(`decisions went on only ${Math.round(undisturbedMs)} ms after there was room`);
}

/** What was stopped on the full disk is stopped from the first decision afterwards, and nothing else is. */
async function expectStopped(server: Served, { acknowledged, broken }: Seen, { agent, task }: Stopped): Promise<void> {
  const client = server.client("enforcer");
  const outcome = async (agentId: string, taskId: string): Promise<string> => {
    const requestId = `after-${agent}-${agentId}-${taskId}`;
    const said = await ask(
      client,
      create(DecideRequestSchema, { requestId, agent: { id: agentId }, ...(taskId !== "" && { task: { id: taskId } }), action: readOf(1) }),
    );
    if (said.acknowledged) acknowledged.push(said.acknowledged);
    return said.acknowledged?.outcome ?? `${said.error?.message}`;
  };
  const [suspended, revoked, other] = [await outcome(agent, ""), await outcome("worker", task), await outcome("another", "")];
  if (suspended !== "DENY") broken.push(`an agent that was suspended on a full disk got ${suspended} afterwards`);
  if (revoked !== "DENY") broken.push(`a task that was revoked on a full disk got ${revoked} afterwards`);
  if (other !== "ALLOW") broken.push(`what nobody stopped got ${other} after there was room again`);
}

async function within(ms: number, isSo: () => Promise<boolean>): Promise<boolean> {
  for (const deadline = performance.now() + ms; performance.now() < deadline; await setTimeout(20)) if (await isSo()) return true;
  return false;
}
