import { randomFillSync } from "node:crypto";
import type { Logger } from "pino";
import { v7 } from "uuid";
import { canonical } from "./canonical.ts";
import { createLedgerClock, type LedgerClock, machineClock } from "./clock.ts";
import type { Config } from "./config.ts";
import { type ApprovalKeeperPorts, createApprovalKeeper } from "./core/approvals/keeper.ts";
import { createWaitingDecider, type WaitingDecider } from "./core/approvals/waiting.ts";
import { createApprovalWatching } from "./core/approvals/watching.ts";
import { createControl } from "./core/control.ts";
import { createDecider } from "./core/decide.ts";
import { ServiceError } from "./core/errors.ts";
import { gatherAll } from "./core/gather.ts";
import { createIntent } from "./core/intent/intent.ts";
import { createKeyedDigest } from "./core/masking.ts";
import type { DecisionCache, Ledger, NewId, SecondOpinion } from "./core/ports.ts";
import { createReports } from "./core/reports.ts";
import type { StateLimits } from "./core/reserve.ts";
import type { TaskLimits } from "./core/tasks/delegate.ts";
import { createTaskKeeper } from "./core/tasks/keeper.ts";
import { durationMs } from "./core/words.ts";
import { type DataDirectory, holdDataDirectory, StartRefused } from "./data-directory.ts";
import type { AllHandlerPorts } from "./endpoints/grpc/handlers.ts";
import { serveCalls, tellHealth } from "./grpc-served.ts";
import { createLocalTokens, watchTokens } from "./identity/tokens.ts";
import { createLanguage } from "./inference/statement.ts";
import type { Metrics } from "./metrics/metrics.ts";
import { countForMetrics, serveMetrics } from "./metrics-served.ts";
import { differences } from "./reference/second-opinion.ts";
import { readResult } from "./results/read.ts";
import { followRules, keepRules, policyReaders, readFirstRules, reloadRules } from "./rules-in-force.ts";
import { createRemoteScorer, type RemoteScorer } from "./scorer/scorer.ts";
import { openSqliteStorage, type SqliteLedgerOptions, type SqliteStorage } from "./storage/sqlite/ledger.ts";
import type { Environment } from "./tracing/environment.ts";
import type { Tracing } from "./tracing/tracing.ts";
import { followCalls } from "./tracing-wanted.ts";
import { openWebhooks, type Webhooks } from "./webhooks/webhooks.ts";

export interface Service {
  /** HOST:PORT as it is bound. */
  readonly grpc: string;
  /** The same of HTTP; null where it is off. */
  readonly http: string | null;
  readonly data: string;
  readonly policy: string;
  /** Reads the rules directory anew; what comes of it is in the log. */
  reload(): Promise<void>;
  /** Answers what is under way, then lets go of everything. */
  close(): Promise<void>;
}

/** Random bytes are drawn for many ids at once: one draw costs more than an id. */
function createNewId(): NewId {
  const pool = Buffer.alloc(16 * 256);
  let used = pool.length;
  return (at) => {
    if (used === pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    used += 16;
    return v7({ msecs: at, random: pool.subarray(used - 16, used) });
  };
}

/** Where everything is kept: in the SQLite file, unless whoever measures what that costs says otherwise. */
export type OpenStorage = (config: Config, log: Logger, kept: StorageParts) => Promise<Storage>;
type StorageParts = DataDirectory & Pick<SqliteLedgerOptions, "onGroupWritten"> & { readonly clock: LedgerClock };
type Storage = Omit<SqliteStorage, "cache"> & { readonly cache: DecisionCache };

export interface Surroundings {
  /** Says whether calls are followed in traces; all else it says is in the configuration. */
  readonly environment?: Environment;
  readonly open?: OpenStorage;
}

const newId = createNewId();
const REOPEN_AFTER_MS = 1_000;
const DRAIN_MS = 5_000;
const HTTP_DRAIN_MS = 1_000;

/**
 * The composition root: everything is made here, once, and handed to what needs it.
 * @throws {PolicyInvalid} or {StartRefused}
 */
export async function startService(config: Config, log: Logger, { environment = {}, open = openStorage }: Surroundings = {}): Promise<Service> {
  const first = await readFirstRules(config.rules, log);
  const data = holdDataDirectory(config.data);
  const closers: (() => Promise<void> | void)[] = [() => data.release()];
  const closeAll = async (): Promise<void> => {
    for (const close of closers.reverse()) await close();
  };
  try {
    const clock = createLedgerClock({ machine: machineClock, elapsedMs: () => performance.now() });
    createLocalTokens(data.path, clock.now());
    const tokens = watchTokens(data.path, { now: clock.now, onProblem: (error) => log.error(error.message) });
    closers.push(() => tokens.close());
    const watched = await watch(config, log, environment);
    closers.push(watched.close);
    const storage = await open(config, log, { ...data, clock, onGroupWritten: (group) => watched.metrics?.written(group) });
    closers.push(() => storage.ledger.close());
    const telling = await tellReceiver(config, log, { data, ledger: storage.ledger });
    closers.push(() => telling.close());
    const policies = await keepRules(first, { log, ledger: storage.ledger, clock, newId });
    const scorer = remoteScorer(config, log);
    closers.push(() => scorer?.close());
    const ports = {
      ledger: storage.ledger,
      policies,
      clock,
      newId,
      keyedDigest: createKeyedDigest(data.maskKey),
      intent: createIntent(createLanguage(), readResult),
    };
    const decider = createDecider({
      ...ports,
      cache: storage.cache,
      canonical,
      limits: stateLimits(config),
      onEvaluationError: (error) => log.error({ err: error }, "a rule could not be evaluated; the action was denied"),
      secondOpinion: secondOpinion(config.second_opinion_every, log),
      ...(scorer && { scorer }),
    });
    const people = askPeople(config, log, { ...ports, decider });
    closers.push(people.close);
    const { authenticate, agentsOf } = tokens;
    const { databasePath } = data;
    const http = await serveMetrics(config, log, { storage, databasePath, policies, authenticate, clock, ...people, ...watched });
    closers.push(() => http?.close(HTTP_DRAIN_MS));
    const grpc = await serveCalls(config, log, {
      decider,
      ...people,
      reports: createReports({ ...ports, limits: stateLimits(config) }),
      tasks: createTaskKeeper({ ...ports, limits: taskLimits(config) }),
      control: createControl({ ...ports, suspensionsMax: config.suspensions_max }),
      authenticate,
      agentsOf,
      policies,
      ...policyReaders(storage.ledger),
      clock,
      environment,
      queuedForMs: storage.queuedForMs,
      ...watched,
    });
    closers.push(() => {
      // Whoever waits for people is answered now, or the server would wait for them.
      people.close();
      return grpc.close(DRAIN_MS);
    });
    tellHealth(grpc, { ledger: storage.ledger, policies, log });
    const following = followRules(config, policies, log);
    closers.push(() => following.close());
    return {
      grpc: grpc.address,
      http: http?.address ?? null,
      data: data.path,
      policy: policies.current().digest,
      reload: () => reloadRules(policies, log),
      close: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

interface Watched {
  readonly metrics?: Metrics;
  readonly tracing?: Tracing;
  close(): Promise<void>;
}

/** Counts what is done, and follows calls in traces, where somebody wants that. */
async function watch(config: Config, log: Logger, environment: Environment): Promise<Watched> {
  const metrics = countForMetrics(config);
  const tracing = await followCalls(environment, log);
  const close = async (): Promise<void> => {
    metrics?.close();
    await tracing?.close();
  };
  return { ...(metrics && { metrics }), ...(tracing && { tracing }), close };
}

const RECEIVER_TIMEOUT_MS = 10_000;
const RETRY_MS = { first: 1_000, most: 60_000 };

/** Tells whoever the operator named of approvals; nobody, unless somebody is named. */
async function tellReceiver(config: Config, log: Logger, { data, ledger }: { data: DataDirectory; ledger: Ledger }): Promise<Webhooks> {
  const { webhook_url: url } = config;
  if (url === "") return { close: async () => undefined };
  try {
    return await openWebhooks({
      ledger,
      url,
      secretPath: data.webhookSecretPath,
      cursorPath: data.webhookCursorPath,
      // A receiver compares what a message says with its own clock.
      clock: machineClock,
      random: Math.random,
      timeoutMs: RECEIVER_TIMEOUT_MS,
      retryMs: RETRY_MS,
      log: { told: (what) => log.info(what), failing: (why) => log.warn(why) },
    });
  } catch (error) {
    throw new StartRefused(`webhooks cannot be sent: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** Whoever the operator named to judge actions; nobody, unless somebody is named. */
function remoteScorer(config: Config, log: Logger): RemoteScorer | undefined {
  if (config.scorer_url === "") return undefined;
  return createRemoteScorer({
    url: config.scorer_url,
    deadlineMs: config.scorer_deadline_ms,
    cacheTtlMs: config.scorer_cache_ttl_ms,
    cacheAnswersMax: config.scorer_cache_answers_max,
    callsMax: config.scorer_calls_max,
    failuresMax: config.scorer_failures_max,
    pauseMs: config.scorer_pause_ms,
    now: () => performance.now(),
    log: { told: (what) => log.info(what), failing: (why) => log.warn(why) },
  });
}

type Approvals = Pick<AllHandlerPorts, "approvals" | "watching"> & { readonly waiting: WaitingDecider };
type ApprovalPorts = ApprovalKeeperPorts & Pick<Parameters<typeof createWaitingDecider>[0], "decider" | "ledger">;

/** What lets agents ask people, people answer, and calls wait for that. */
function askPeople(config: Config, log: Logger, ports: ApprovalPorts): Approvals & { close(): void } {
  const approvals = createApprovalKeeper(ports);
  const waiting = createWaitingDecider({ ...ports, waitsMax: config.waits_max });
  const watching = createApprovalWatching({ ...ports, keeper: approvals, watchesMax: config.watches_max, untoldMax: config.approvals_max });
  ports.ledger.onApprovalChange((event) => {
    if (event.kind !== "approval_ended" || event.by !== undefined) return;
    const { approval: approvalId, task: taskId, how: state, reason } = event;
    log.info({ approvalId, taskId, state, ...(reason !== undefined && { reason }) }, "approval ended");
  });
  const sweeping = everySecond(() => approvals.sweep(), log);
  const close = (): void => {
    sweeping.stop();
    waiting.close();
    watching.close();
  };
  return { approvals, waiting, watching, close };
}

/** One at a time. What we threw ourselves is told where it came from, and tried again. */
function everySecond(sweep: () => Promise<unknown>, log: Logger): { stop(): void } {
  let timer: NodeJS.Timeout | undefined;
  const later = (): void => {
    timer = setTimeout(() => {
      sweep()
        .catch((error: unknown) => error instanceof ServiceError || log.error({ err: error }, "approvals that are over could not be written down"))
        .finally(() => timer && later());
    }, 1_000).unref();
  };
  later();
  return {
    stop() {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}

async function openStorage(
  config: Config,
  log: Logger,
  { databasePath: path, controlJournalPath, sealKey, observationKey, clock, onGroupWritten }: StorageParts,
): Promise<SqliteStorage> {
  try {
    return await openSqliteStorage({
      path,
      journalPath: controlJournalPath,
      sealKey,
      observationKey,
      now: clock.now,
      notBefore: clock.notBefore,
      cacheRowsMax: config.cache_rows_max,
      turnsWaitingMax: config.turns_waiting_max,
      reopenAfterMs: REOPEN_AFTER_MS,
      onFailure: (error) => log.error(`the ledger cannot be written: ${error.message}; nothing is decided until it can, tried again every second`),
      onJournalProblem: (problem) => log.error(`the control journal \`${controlJournalPath}\`: ${problem}`),
      onGroupWritten,
    });
  } catch (error) {
    throw new StartRefused(`the ledger \`${path}\` cannot be opened: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** How much is remembered for the decisions. */
const stateLimits = (config: Config): StateLimits => ({
  openTasksMax: config.open_tasks_max,
  agentsRememberedMax: config.agents_remembered_max,
  requestIdsMax: config.request_ids_max,
  categoriesSeenMax: config.categories_seen_max,
  approvalsMax: config.approvals_max,
});

const HOUR_MS = 3_600_000;

/** What registered tasks may be. */
const taskLimits = (config: Config): TaskLimits => ({
  registeredTasksMax: config.registered_tasks_max,
  taskChildrenMax: config.task_children_max,
  delegationDepthMax: config.delegation_depth_max,
  taskLifetime: durationMs(config.task_lifetime_hours * HOUR_MS),
  taskLifetimeMax: durationMs(config.task_lifetime_max_hours * HOUR_MS),
});

/** Lets json-rules-engine check one in so many evaluations, one at a time, after the answer has left. */
function secondOpinion(every: number, log: Logger): SecondOpinion {
  let count = 0;
  let busy = false;
  return (situation, evaluation) => {
    count++;
    if (every === 0 || busy || count % every !== 0) return;
    busy = true;
    const { policy } = situation;
    differences(policy, gatherAll(policy, situation), evaluation)
      .then((found) => {
        for (const difference of found) log.error({ ...difference, policyDigest: policy.digest }, "json-rules-engine evaluates this rule otherwise");
      })
      .catch((error: unknown) => log.error({ err: error }, "the second opinion failed"))
      .finally(() => {
        busy = false;
      });
  };
}
