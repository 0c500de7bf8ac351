import { setTimeout } from "node:timers/promises";
import { create, toBinary } from "@bufbuild/protobuf";
import Sqlite from "better-sqlite3";
import { WatchApprovalsRequestSchema } from "../src/gen/behest/v1/approval_pb.ts";
import { DecideRequestSchema } from "../src/gen/behest/v1/decision_pb.ts";
import { type Acknowledged, startAsking, variedRequests } from "./asking.ts";
import { type Breakage, brokenBy } from "./break.ts";
import { examine } from "./examine.ts";
import type { Fault, Outcome, Setting } from "./fault.ts";
import { type Serve, type Served, withServers } from "./served.ts";
import { connectHostile, framed, type HostileConnection } from "./wire/hostile-connection.ts";

const DRAINS = { short: 20, long: 200 } as const;
/** Every so often there are callers who would never let it end. */
const STUCK_EVERY = 5;
const EXIT_WITHIN_MS = 10_000;
const CONCURRENCY = 24;
/** What a server that stops may say to a call that it has not begun: the caller may try again elsewhere. */
const RETRYABLE = new Set(["UNAVAILABLE"]);

interface Drains {
  readonly times: number;
  /** Callers who would never let it end: at every how manieth drain. */
  readonly stuckEvery: number;
  readonly breakages?: readonly Breakage[];
}

interface Drained {
  readonly exitMs: number;
  readonly acknowledged: readonly Acknowledged[];
  readonly errors: ReadonlyMap<string, number>;
  readonly broken: readonly string[];
}

export const drain: Fault = {
  name: "drain",
  claim:
    "a server that is told to stop answers every decision that it has begun, refuses the others so that they can be asked again, and is gone in 10 s",
  strike: (setting) => drainOften(setting, { times: DRAINS[setting.form], stuckEvery: STUCK_EVERY }),
  control: {
    says: "the server cuts every connection at once; another waits for callers who are stuck as long as they like",
    async strike(setting) {
      const cutting = await drainOften(setting, { times: 4, stuckEvery: Number.POSITIVE_INFINITY, breakages: CUTS_AT_ONCE });
      const waiting = await drainOften(setting, { times: 1, stuckEvery: 1, breakages: WAITS_FOR_ALL });
      const unnoticed = [cutting, waiting].some(({ broken }) => broken.length === 0);
      return { figures: cutting.figures, broken: unnoticed ? [] : [...cutting.broken, ...waiting.broken] };
    },
  },
};

const CUTS_AT_ONCE: readonly Breakage[] = [
  {
    file: "src/endpoints/grpc/server.ts",
    passage: "    server.tryShutdown(ended);",
    instead: "    guard.destroyConnections();\n    server.tryShutdown(ended);",
  },
];
const WAITS_FOR_ALL: readonly Breakage[] = [
  { file: "src/endpoints/grpc/server.ts", passage: "    }, graceMs);\n    guard.hasten();", instead: "    }, 12 * graceMs);" },
];

async function drainOften(setting: Setting, { times, stuckEvery, breakages = [] }: Drains): Promise<Outcome> {
  const { directory: data, progress, signal } = setting;
  const drained: Drained[] = [];
  await withServers(async (serve) => {
    for (let number = 0; number < times && !signal.aborted; number++) {
      progress(`drain ${number + 1} of ${times}`, number / times);
      const stuck = number % stuckEvery === stuckEvery - 1;
      drained.push(await drainOnce(serve, { data, number, stuck, breakages, afterMs: 150 + ((setting.seed * 7_919 + number * 131) % 400) }));
    }
  });
  const acknowledged = drained.flatMap((one) => one.acknowledged);
  const lost = unanswered(data, acknowledged);
  const exits = drained.map(({ exitMs }) => exitMs).sort((one, other) => one - other);
  return {
    figures: {
      drains: drained.length,
      answered: acknowledged.length,
      refused: drained.reduce((sum, { errors }) => sum + [...errors.values()].reduce((all, count) => all + count, 0), 0),
      recorded_but_not_answered: lost,
      exit_median_ms: Math.round(exits[exits.length >> 1] ?? 0),
      exit_longest_ms: Math.round(exits.at(-1) ?? 0),
    },
    broken: [
      ...drained.flatMap(({ broken }) => broken),
      ...(lost > 0 ? [`${lost} decisions were recorded, and never answered`] : []),
      ...examine(data, acknowledged).broken,
    ],
  };
}

interface Drain {
  readonly data: string;
  readonly number: number;
  readonly stuck: boolean;
  readonly breakages: readonly Breakage[];
  /** How long the load has lasted when it is told to stop. */
  readonly afterMs: number;
}

async function drainOnce(serve: Serve, { data, number, stuck, breakages, afterMs }: Drain): Promise<Drained> {
  const server = await serve({ data, flags: ["--log-level", "error", ...doors(number)], ...(breakages.length > 0 && brokenBy(breakages)) });
  const asking = startAsking({ client: server.client("enforcer"), concurrency: CONCURRENCY, requestOf: variedRequests(`drain-${number}`) });
  while (asking.acknowledged.length < CONCURRENCY) await setTimeout(5);
  const clients = stuck ? await holdOn(server) : [];
  await setTimeout(afterMs);
  const ended = await stop(server);
  await asking.stop();
  for (const client of clients) client.close();
  const broken = [...asking.errors]
    .filter(([code]) => !RETRYABLE.has(code))
    .map(([code, count]) => `${count} calls ended with ${code}, so nobody knows whether to ask again`);
  if (ended.code !== 0) broken.push(`it ended with ${ended.code ?? "no code"} after ${Math.round(ended.tookMs)} ms`);
  return { exitMs: ended.tookMs, acknowledged: asking.acknowledged, errors: asking.errors, broken };
}

/** Every other one through two doors: they have calls under way that the decisions' thread knows nothing of. */
const doors = (number: number): readonly string[] => (number % 2 === 1 ? ["--workers", "2"] : []);

/** SIGTERM; who has not ended when it should have is killed, and has no exit code. */
async function stop(server: Served): Promise<{ readonly code: number | null; readonly tookMs: number }> {
  const began = performance.now();
  const patience = new AbortController();
  void setTimeout(EXIT_WITHIN_MS, undefined, { signal: patience.signal }).then(
    () => server.kill(),
    () => undefined,
  );
  process.kill(server.pid, "SIGTERM");
  const { code } = await server.ended;
  patience.abort();
  return { code, tookMs: performance.now() - began };
}

/** One sends half a request, one does not take its answer, one watches and does not read. */
async function holdOn({ address, token }: Served): Promise<readonly HostileConnection[]> {
  const half = await connectHostile(address);
  const decide = framed(toBinary(DecideRequestSchema, variedRequests("stuck")(0)));
  const path = "/behest.v1.DecisionService/Decide";
  half.call(path, { headers: authorization(token("enforcer")), body: decide.subarray(0, -1) });
  const deaf = await connectHostile(address, { initialWindowSize: 0 });
  const watch = framed(toBinary(WatchApprovalsRequestSchema, create(WatchApprovalsRequestSchema)));
  deaf.call("/behest.v1.ApprovalService/WatchApprovals", { headers: authorization(token("approver")), body: watch, whole: true });
  await Promise.all([half.reached(), deaf.reached()]);
  return [half, deaf];
}

const authorization = (token: string) => ({ authorization: `Bearer ${token}` });

/** How many decisions the ledger holds whose answers reached nobody. */
function unanswered(data: string, acknowledged: readonly Acknowledged[]): number {
  const known = new Set(acknowledged.map(({ decisionId }) => decisionId));
  const db = new Sqlite(`${data}/behest.db`, { readonly: true });
  try {
    const rows = db.prepare<[], { readonly id: string }>("SELECT decision_id AS id FROM decisions").all();
    return rows.filter(({ id }) => !known.has(id)).length;
  } finally {
    db.close();
  }
}
