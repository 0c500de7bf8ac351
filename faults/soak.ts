import { once } from "node:events";
import { cpSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:http2";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { status } from "@grpc/grpc-js";
import { percentile } from "../bench/statistics.ts";
import { type BehestClient, CallFailed } from "../src/client/client.ts";
import { STARTER_RULES } from "../src/config.ts";
import { SuspensionKind } from "../src/gen/behest/v1/control_pb.ts";
import { PrincipalType, ReportStatus } from "../src/gen/behest/v1/decision_pb.ts";
import { type Acknowledged, ask, type Said, startAsking, variedRequests } from "./asking.ts";
import { type Breakage, brokenBy } from "./break.ts";
import { COLLECTED } from "./collected.ts";
import { askingOf } from "./consuming.ts";
import { examine } from "./examine.ts";
import type { Fault, Outcome, Setting } from "./fault.ts";
import { type Served, withServers } from "./served.ts";

const MINUTES = { short: 0.5, long: 480 } as const;
/** The twin leaks fast enough to be caught in the short form. */
const TWIN_MINUTES = 0.3;
const LANES = 8;
/** Some hundred decisions a second: what matters is how long it lasts. */
const REST_MS = 50;
/** One decision in so many is reported. */
const REPORTED_EVERY = 4;
const LOOK_EVERY_MS = 250;
const SETTLED_AFTER = 1 / 3;
/** What it comes and goes by, with the garbage collected: pages that V8 and SQLite keep for later. */
const GROWTH_MAX = 0.05;
const GROWTH_KIB_MAX = 8 * 1_024;
const DESCRIPTORS_MORE_MAX = 8;
/** Twice the size at which it is taken into the file. */
const WAL_BYTES_MAX = 2 * 16 * 1_024 * 1_024;
const MIB_KIB = 1_024;
const MIB_BYTES = 1_024 * 1_024;

export const soak: Fault = {
  name: "soak",
  claim: "for as long as it serves, memory and descriptors stay flat, the WAL is bounded, and there are as many rows as acknowledgements",
  strike: (setting) => serveLong(setting, { minutes: setting.soakMinutes ?? MINUTES[setting.form], breakages: [] }),
  control: {
    says: "every decision leaves 256 KiB behind",
    strike: (setting) =>
      serveLong(setting, {
        minutes: TWIN_MINUTES,
        breakages: [
          {
            file: "src/core/decide.ts",
            passage: "const evaluation = asked.fresh();",
            instead: "(globalThis.leaked ??= []).push(new Uint8Array(262_144).fill(1)); const evaluation = asked.fresh();",
          },
        ],
      }),
  },
};

interface Soaking {
  readonly minutes: number;
  readonly breakages: readonly Breakage[];
}

/** What was seen of the server at one moment. */
interface Look {
  readonly residentKib: number;
  readonly descriptors: number;
  readonly walBytes: number;
}

async function serveLong(setting: Setting, { minutes, breakages }: Soaking): Promise<Outcome> {
  const rules = writeForgetful(join(setting.directory, "rules"));
  const data = join(setting.directory, "data");
  const looks: Look[] = [];
  const { acknowledged, shed, failures } = await withServers(async (serve) => {
    const broken = brokenBy(breakages);
    const server = await serve({ data, flags: ["--rules", rules], ...broken, execArgv: [...COLLECTED, ...broken.execArgv] });
    const work = startWorking(server);
    const began = performance.now();
    const share = (): number => (performance.now() - began) / (minutes * 60_000);
    while (share() < 1 && !setting.signal.aborted) {
      await setTimeout(LOOK_EVERY_MS);
      looks.push({ residentKib: server.residentKib(), descriptors: server.descriptors(), walBytes: statSync(join(data, "behest.db-wal")).size });
      setting.progress(`${Math.round((looks.at(-1)?.residentKib ?? 0) / MIB_KIB)} MiB`, share());
    }
    const done = await work.stop();
    await server.terminate();
    return done;
  });
  const { broken, decisions } = examine(data, acknowledged);
  const rows = decisions === acknowledged.length ? [] : [`there are ${decisions} rows of ${acknowledged.length} acknowledged decisions`];
  return {
    figures: { minutes, decisions, shed, ...figuresOf(looks) },
    broken: [...broken, ...rows, ...failures, ...grown(looks)],
  };
}

/** The starter policy, but for what it remembers: what grows for a day or an hour before it is forgotten would look like a leak. */
function writeForgetful(path: string): string {
  cpSync(STARTER_RULES, path, { recursive: true });
  const file = join(path, "policy.json");
  const settings = JSON.parse(readFileSync(file, "utf8"));
  const lifetimes = { decision: "5s", self_asserted_idle: "5s", approval: "5s" };
  writeFileSync(file, JSON.stringify({ ...settings, lifetimes, windows: { memory: "5s", report_within: "5s", idempotency: "5s" } }));
  return path;
}

interface Working {
  /** Answers when the last call has ended. */
  stop(): Promise<Worked>;
}

interface Worked {
  readonly acknowledged: readonly Acknowledged[];
  /** Calls that were refused because too much was under way. */
  readonly shed: number;
  readonly failures: readonly string[];
}

/** Everything that callers do, over and over: ask, report, ask people, open tasks, suspend and resume, connect and go away. */
function startWorking(server: Served): Working {
  const failures = new Map<string, number>();
  let shed = 0;
  const others: Acknowledged[] = [];
  const fail = (error: unknown): void => {
    if (!(error instanceof CallFailed)) throw error;
    // A machine that others use as well may be too busy for a moment: that it says so is right.
    if (error.code === status.RESOURCE_EXHAUSTED) shed++;
    else failures.set(error.message, (failures.get(error.message) ?? 0) + 1);
  };
  const client = server.client("enforcer");
  const callers = { enforcer: client, initiator: server.client("initiator"), operator: server.client("operator") };
  let reports: Promise<unknown> = Promise.resolve();
  let count = 0;
  const onSaid = ({ acknowledged, error }: Said): void => {
    if (error) fail(error);
    if (acknowledged?.outcome !== "ALLOW" || count++ % REPORTED_EVERY !== 0) return;
    const reported = client.reportOutcome({
      decisionId: acknowledged.decisionId,
      status: ReportStatus.EXECUTED,
      resultForm: { case: "resultText", value: JSON.stringify({ line: acknowledged.requestId }) },
    });
    reports = Promise.all([reports, reported]).catch(fail);
  };
  const asking = startAsking({ client, concurrency: LANES, requestOf: variedRequests("soak"), restMs: REST_MS, onSaid });
  let stopped = false;
  const rest = async (): Promise<void> => {
    for (let number = 0; !stopped; number++) {
      try {
        others.push(...(await changeState(server.address, callers, number)));
      } catch (error) {
        fail(error);
      }
      await setTimeout(200);
    }
  };
  const resting = rest();
  // A failure of the harness itself shows when it is stopped, and must not end the process before.
  resting.catch(() => undefined);
  return {
    async stop() {
      stopped = true;
      await Promise.all([asking.stop(), resting]);
      await reports;
      const told = [...failures].map(([message, times]) => `${times} calls failed: ${message}`);
      return { acknowledged: [...asking.acknowledged, ...others], shed, failures: told };
    },
  };
}

const TASK_LIVES_MS = 5_000;

interface Callers {
  readonly enforcer: BehestClient;
  readonly initiator: BehestClient;
  readonly operator: BehestClient;
}

/** Whatever is not a decision; one question to people; and a connection that comes and goes. */
async function changeState(address: string, { enforcer, initiator, operator }: Callers, number: number): Promise<readonly Acknowledged[]> {
  const connection = connect(`http://${address}`);
  await once(connection, "connect");
  const principal = { type: PrincipalType.USER, id: "alice" };
  const expiresAt = timestampFromMs(Date.now() + TASK_LIVES_MS);
  await initiator.openTask({ statement: "read on", agentId: `worker-${number % 10}`, principal, expiresAt });
  const { suspension } = await operator.suspend({ kind: SuspensionKind.AGENT, value: `suspect-${number}`, reason: "looks wrong" });
  await operator.resume(suspension?.suspensionId ?? "");
  const { acknowledged, error } = await ask(enforcer, askingOf(`asks-${number}`));
  connection.close();
  if (error) throw error;
  return acknowledged ? [acknowledged] : [];
}

/** The middle and the end of the time after it has settled. */
function halves(looks: readonly Look[]): { readonly before: readonly Look[]; readonly after: readonly Look[] } {
  const settled = looks.slice(Math.floor(looks.length * SETTLED_AFTER));
  const middle = Math.floor(settled.length / 2);
  return { before: settled.slice(0, middle), after: settled.slice(middle) };
}

const median = (looks: readonly Look[]): number =>
  percentile(
    looks.map(({ residentKib }) => residentKib),
    0.5,
  );
const most = (looks: readonly Look[], what: keyof Look): number => Math.max(0, ...looks.map((look) => look[what]));

function figuresOf(looks: readonly Look[]): Outcome["figures"] {
  const { before, after } = halves(looks);
  return {
    resident_before_mib: Math.round(median(before) / MIB_KIB),
    resident_after_mib: Math.round(median(after) / MIB_KIB),
    descriptors_before: most(before, "descriptors"),
    descriptors_after: most(after, "descriptors"),
    largest_wal_mib: Math.round((most(looks, "walBytes") / MIB_BYTES) * 10) / 10,
  };
}

function grown(looks: readonly Look[]): readonly string[] {
  const { before, after } = halves(looks);
  const [earlierKib, laterKib] = [median(before), median(after)];
  const [earlier, later] = [most(before, "descriptors"), most(after, "descriptors")];
  const walBytes = most(looks, "walBytes");
  return [
    ...(laterKib > earlierKib * (1 + GROWTH_MAX) + GROWTH_KIB_MAX
      ? [`resident memory grew from ${Math.round(earlierKib / MIB_KIB)} to ${Math.round(laterKib / MIB_KIB)} MiB after it had settled`]
      : []),
    ...(later > earlier + DESCRIPTORS_MORE_MAX ? [`open descriptors grew from ${earlier} to ${later}`] : []),
    ...(walBytes > WAL_BYTES_MAX ? [`the WAL grew to ${Math.round(walBytes / MIB_BYTES)} MiB`] : []),
  ];
}
