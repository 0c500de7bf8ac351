import type { Logger } from "pino";
import type { Config } from "./config.ts";
import type { WaitingDecider } from "./core/approvals/waiting.ts";
import type { PolicyKeeper } from "./core/policy-keeper.ts";
import type { Clock } from "./core/ports.ts";
import { StartRefused } from "./data-directory.ts";
import { SHED_REASONS } from "./endpoints/grpc/shedding.ts";
import { type HttpOptions, type HttpServer, serveHttp } from "./endpoints/http/server.ts";
import { lookAtFiles } from "./metrics/files.ts";
import { createMetrics, type Metrics } from "./metrics/metrics.ts";
import type { Readings } from "./metrics/readings.ts";
import type { SqliteStorage } from "./storage/sqlite/ledger.ts";
import type { Tracing } from "./tracing/tracing.ts";
import { VERSION } from "./version.ts";

/** Nothing is counted that nobody could look at. */
export function countForMetrics(config: Config): Metrics | undefined {
  if (config.http === "off") return undefined;
  return createMetrics({
    version: VERSION,
    shedReasons: Object.keys(SHED_REASONS),
    entriesMax: {
      self_asserted_tasks: config.open_tasks_max,
      registered_tasks: config.registered_tasks_max,
      agents: config.agents_remembered_max,
      request_ids: config.request_ids_max,
      approvals: config.approvals_max,
      suspensions: config.suspensions_max,
      cache_rows: config.cache_rows_max,
    },
  });
}

interface ServedPorts extends Sources {
  readonly metrics?: Metrics;
  readonly authenticate: HttpOptions["authenticate"];
}

/** What is looked at when somebody asks. */
interface Sources {
  readonly storage: Pick<SqliteStorage, "measure">;
  readonly databasePath: string;
  readonly policies: PolicyKeeper;
  readonly waiting: Pick<WaitingDecider, "waiting">;
  readonly clock: Clock;
  readonly tracing?: Pick<Tracing, "counts">;
}

/** Serves them, unless that is off. @throws {StartRefused} */
export async function serveMetrics({ http: address }: Config, log: Logger, ports: ServedPorts): Promise<HttpServer | undefined> {
  const { metrics, authenticate } = ports;
  if (!metrics) return undefined;
  try {
    return await serveHttp({
      address,
      authenticate,
      metrics: { contentType: metrics.contentType, text: async () => metrics.text(await read(ports)) },
      onInternalError: (error) => log.error({ err: error }, "internal error"),
    });
  } catch (error) {
    throw new StartRefused(
      `HTTP cannot be served on \`${address}\`: ${error instanceof Error ? error.message : String(error)}; choose another address with --http, or --http off`,
      { cause: error },
    );
  }
}

async function read({ storage, databasePath, policies, waiting, clock, tracing }: Sources): Promise<Readings> {
  const files = await lookAtFiles(databasePath);
  const { queue, state } = storage.measure();
  const { loadedAt, refusal } = policies.status;
  return {
    queue,
    files,
    policy: { ageMs: clock.now() - loadedAt, isRefused: refusal !== undefined },
    waiting: waiting.waiting,
    ...(tracing && { spans: tracing.counts() }),
    state: state && {
      approvalsPending: state.approvalsPending,
      entries: {
        self_asserted_tasks: state.selfAssertedTasks,
        registered_tasks: state.registeredTasks,
        agents: state.agents,
        request_ids: state.requestIds,
        approvals: state.approvals,
        suspensions: state.suspensions,
        cache_rows: state.cacheRows,
      },
    },
  };
}
