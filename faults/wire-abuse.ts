import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { percentile } from "../bench/statistics.ts";
import { type Breakage, brokenBy } from "./break.ts";
import type { Fault, Outcome, Setting } from "./fault.ts";
import { watchResident } from "./resident.ts";
import { type Served, withServers } from "./served.ts";
import { ATTACKS, type Attack, type Attacked } from "./wire/attacks.ts";
import { connectOther, type OtherClient } from "./wire/other-client.ts";

const CONNECTIONS_MAX = 1_024;
/** So that what is half-sent does not have to be waited for long. */
const RECEIVE_TIMEOUT_MS = 2_000;
/** How long may be waited until what is held has been let go. */
const HELD_MS_MAX = 10_000;
const STEP_MS = 500;
const WARM_UP_MS = 2_000;
const LASTS_MS = { short: 2_000, long: 60_000 } as const;
const CALM_MS = { short: 600, long: 20_000 } as const;
const TIMES_SLOWER_MAX = 2;
/** Below that, twice as long is nothing that anybody notices: what a decision may take at half load. */
const UNNOTICED_MS = 5;
const RESIDENT_MIB_MAX = 512;
/** Files, threads, and connections that are about to close. */
const OTHER_DESCRIPTORS_MAX = 200;

export const wireAbuse: Fault = {
  name: "wire-abuse",
  claim: "whatever callers send or leave unsent, the server lives, holds it within its limits, and keeps other clients waiting at most twice as long",
  strike: (setting) => abuse(setting, { attacks: ATTACKS, breakages: [] }),
  control: {
    says: "the server waits for requests as long as they like, reads what is compressed, and bounds neither connections, resets nor headers",
    async strike(setting) {
      const { figures, broken } = await abuse(setting, {
        attacks: ATTACKS.filter(({ name }) => name in TWINS),
        breakages: Object.values(TWINS).flat(),
      });
      const unnoticed = Object.keys(TWINS).filter((name) => !broken.some((sentence) => sentence.startsWith(`${name}: `)));
      return { figures: { ...figures, unnoticed: unnoticed.join(" ") || "none" }, broken: unnoticed.length > 0 ? [] : broken };
    },
  },
};

const LIMITS_FILE = "src/endpoints/grpc/limits.ts";
const CONNECTIONS_FILE = "src/endpoints/grpc/connections.ts";

/** What is broken, by the attack that has to show it. */
const TWINS: Readonly<Record<string, readonly Breakage[]>> = {
  gzip: [{ file: LIMITS_FILE, passage: "if (isCompressed(headers))", instead: "if (false)" }],
  "half-sent": [{ file: "src/endpoints/grpc/open-calls.ts", passage: "if (nowMs - call.arrivingSinceMs >= this.#timeoutMs)", instead: "if (false)" }],
  resets: [{ file: LIMITS_FILE, passage: "streamResetBurst: streamsMax,", instead: "streamResetBurst: 1_000_000," }],
  headers: [
    { file: LIMITS_FILE, passage: "maxHeaderListPairs: HEADER_PAIRS_MAX,", instead: "maxHeaderListPairs: 10_000," },
    { file: LIMITS_FILE, passage: "maxHeaderListSize: HEADER_BYTES_MAX }", instead: "maxHeaderListSize: 1_000_000 }" },
  ],
  idle: [
    { file: CONNECTIONS_FILE, passage: "server.maxConnections = this.#limits.connectionsMax + CLOSING_MAX;", instead: "" },
    { file: CONNECTIONS_FILE, passage: "if (this.#open.size <= this.#limits.connectionsMax) return;", instead: "return;" },
  ],
};

interface Abuse {
  readonly attacks: readonly Attack[];
  readonly breakages: readonly Breakage[];
}

interface Met {
  readonly name: string;
  readonly attacked: Attacked;
  readonly shed: Readonly<Record<string, number>>;
  readonly descriptors: number;
  readonly calmP99Ms: number;
  readonly p99Ms: number;
  readonly failed: readonly string[];
}

async function abuse(setting: Setting, { attacks, breakages }: Abuse): Promise<Outcome> {
  return withServers(async (serve) => {
    const server = await serve({
      data: setting.directory,
      flags: ["--log-level", "warn"],
      environment: { BEHEST_RECEIVE_TIMEOUT_MS: String(RECEIVE_TIMEOUT_MS), BEHEST_CONNECTIONS_MAX: String(CONNECTIONS_MAX) },
      ...(breakages.length > 0 && brokenBy(breakages)),
    });
    const resident = watchResident(server);
    const other = await connectOther(server);
    await other.ask(WARM_UP_MS);
    const met: Met[] = [];
    for (const [index, attack] of attacks.entries()) {
      if (setting.signal.aborted) break;
      setting.progress(attack.name, index / attacks.length);
      met.push(await meetOften(attack, { server, other, form: setting.form }));
    }
    other.close();
    const residentMib = resident.stop();
    return {
      figures: {
        ...Object.fromEntries(met.map(({ name, calmP99Ms, p99Ms, attacked }) => [name, `${attacked.acts} acts, p99 ${calmP99Ms} → ${p99Ms} ms`])),
        resident_mib: residentMib,
      },
      broken: [
        ...met.flatMap(brokenPromises),
        ...(residentMib > RESIDENT_MIB_MAX ? [`it took ${residentMib} MiB of memory`] : []),
        ...((await isAlive(server)) ? [] : ["it does not answer any more"]),
      ],
    };
  });
}

interface Meeting {
  readonly server: Served;
  readonly other: OtherClient;
  readonly form: Setting["form"];
}

/** What the machine does besides passes, and a disk that others use as well can be slow for a moment; the harm of an attack comes each time. */
const MEETINGS_MAX = 3;

async function meetOften(attack: Attack, meeting: Meeting): Promise<Met> {
  for (let times = 1; ; times++) {
    const met = await meet(attack, meeting);
    if (!isSlower(met) || times === MEETINGS_MAX) return met;
  }
}

const isSlower = ({ p99Ms, calmP99Ms }: Met): boolean => p99Ms > TIMES_SLOWER_MAX * Math.max(calmP99Ms, UNNOTICED_MS);

/** Calm, attacked, calm again: what the machine does besides is in all three. */
async function meet(attack: Attack, { server, other, form }: Meeting): Promise<Met> {
  const before = await other.ask(CALM_MS[form]);
  const shedBefore = shedBy(server);
  const shed = (): Readonly<Record<string, number>> =>
    Object.fromEntries(Object.entries(shedBy(server)).map(([reason, count]) => [reason, count - (shedBefore[reason] ?? 0)]));
  const stop = await begin(attack, server);
  const during = [await other.ask(LASTS_MS[form])];
  // What is held is held until it is cut: on a machine that is busy otherwise, that takes its time.
  const openingMs = attack.times === Number.POSITIVE_INFINITY ? 0 : (attack.times / attack.perSecond) * 1_000;
  for (let waitedMs = LASTS_MS[form]; openingMs > 0 && waitedMs < openingMs + HELD_MS_MAX; waitedMs += STEP_MS) {
    if (waitedMs > openingMs && (HELD[attack.name]?.(shed()) ?? 0) >= MOST * attack.times) break;
    during.push(await other.ask(STEP_MS));
  }
  const descriptors = server.descriptors();
  const attacked = await stop();
  const after = await other.ask(CALM_MS[form]);
  // It tells once a second.
  await setTimeout(500);
  return {
    name: attack.name,
    attacked,
    descriptors,
    shed: shed(),
    calmP99Ms: p99([...before.tookMs, ...after.tookMs]),
    p99Ms: p99(during.flatMap(({ tookMs }) => tookMs)),
    failed: during.flatMap(({ failed }) => failed),
  };
}

/** How much of what is held has been let go, by attack. */
const HELD: Readonly<Record<string, (shed: Readonly<Record<string, number>>) => number>> = {
  "half-sent": (shed) => shed["receive_timeout"] ?? 0,
  "half-begun": (shed) => 2 * (shed["receive_timeout"] ?? 0),
  idle: (shed) => (shed["connections"] ?? 0) + CONNECTIONS_MAX,
};

const p99 = (tookMs: readonly number[]): number =>
  tookMs.length === 0 ? Number.POSITIVE_INFINITY : Math.round(percentile([...tookMs], 0.99) * 10) / 10;

/** Answers when it has begun. */
async function begin({ name }: Attack, { address, token }: Served): Promise<() => Promise<Attacked>> {
  const worker = new Worker(new URL("./wire/attacker.ts", import.meta.url), { workerData: { name, target: { address, token: token("enforcer") } } });
  await once(worker, "message");
  return async () => {
    const answered = once(worker, "message");
    worker.postMessage("stop");
    const [attacked]: readonly Attacked[] = await answered;
    await worker.terminate();
    if (!attacked) throw new Error("the attacker said nothing");
    return attacked;
  };
}

/** What the server says it refused or cut so far, by why. */
function shedBy(server: Served): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const line of server.log().split("\n")) {
    if (!line.includes('"shed"')) continue;
    const { shed }: { readonly shed: Readonly<Record<string, number>> } = JSON.parse(line);
    for (const [reason, count] of Object.entries(shed)) counts[reason] = (counts[reason] ?? 0) + count;
  }
  return counts;
}

function brokenPromises(met: Met): readonly string[] {
  const { name, attacked, shed, descriptors, calmP99Ms, p99Ms, failed } = met;
  const broken: string[] = [];
  if (isSlower(met)) broken.push(`others waited ${p99Ms} ms at p99 instead of ${calmP99Ms} ms`);
  if (failed.length > 0) broken.push(`${failed.length} calls of others failed, one with: ${failed[0]}`);
  const unmet = UNMET[name]?.({ attacked, shed, descriptors });
  if (unmet !== undefined) broken.push(unmet);
  return broken.map((sentence) => `${name}: ${sentence}`);
}

type Look = (met: Pick<Met, "attacked" | "shed" | "descriptors">) => string | undefined;

/** Nearly all of them: the last few may be on their way. */
const MOST = 0.8;
const unlessMost = (count: number, all: number, what: string): string | undefined => (count >= MOST * all ? undefined : `${count} of ${all} ${what}`);

/** What has to have become of it, by attack. */
const UNMET: Readonly<Record<string, Look>> = {
  gzip: ({ attacked, shed }) => unlessMost(shed["compressed"] ?? 0, attacked.acts, "compressed calls were refused unread"),
  lengths: ({ attacked }) => unlessMost(attacked.answers, attacked.acts, "calls with a giant length were refused"),
  "half-sent": ({ attacked, shed }) => unlessMost(shed["receive_timeout"] ?? 0, attacked.acts, "half-sent calls were cut"),
  "half-begun": ({ attacked, shed }) => unlessMost(shed["receive_timeout"] ?? 0, attacked.acts / 2, "connections that did not greet were closed"),
  resets: ({ attacked }) => (attacked.closed > 0 ? undefined : `a connection went on resetting ${attacked.acts} calls`),
  headers: ({ attacked }) => unlessMost(attacked.resets, attacked.acts, "calls with a flood of headers were reset"),
  continuations: ({ attacked }) => (attacked.closed > 0 ? undefined : "headers without an end were read on"),
  nesting: ({ attacked }) => unlessMost(attacked.answers, attacked.acts, "calls that nest too deeply were refused"),
  idle: ({ attacked, descriptors }) =>
    descriptors <= CONNECTIONS_MAX + OTHER_DESCRIPTORS_MAX ? undefined : `of ${attacked.acts} idle connections ${descriptors} files stayed open`,
};

const isAlive = (server: Served): Promise<boolean> =>
  server
    .client()
    .isServing()
    .catch(() => false);
