import { Worker } from "node:worker_threads";
import type { Logger } from "pino";
import { logCalls, logShed } from "./call-log.ts";
import type { Config } from "./config.ts";
import { ServiceError } from "./core/errors.ts";
import type { PolicyKeeper } from "./core/policy-keeper.ts";
import type { Clock, Ledger } from "./core/ports.ts";
import { createRateLimiter } from "./core/rate-limit.ts";
import { createTurnstile } from "./core/turnstile.ts";
import { StartRefused } from "./data-directory.ts";
import type { DoorSettings } from "./door.ts";
import { type DoorsOptions, openDoors } from "./doors/doors.ts";
import { decideAndTell, type TellingPorts } from "./endpoints/grpc/deciding.ts";
import { type AllHandlerPorts, createHandlers } from "./endpoints/grpc/handlers.ts";
import { type GrpcServer, type ServingOptions, serveGrpc } from "./endpoints/grpc/server.ts";
import { freeAddress } from "./endpoints/grpc/shared-address.ts";
import { callLimits, wireLimits } from "./grpc-limits.ts";
import type { Metrics } from "./metrics/metrics.ts";
import type { Environment } from "./tracing/environment.ts";
import type { Tracing } from "./tracing/tracing.ts";

type ServedPorts = Pick<
  AllHandlerPorts,
  "decider" | "reports" | "tasks" | "approvals" | "watching" | "control" | "authenticate" | "agentsOf" | "policies" | "findPolicy" | "validatePolicy"
> &
  Pick<TellingPorts, "waiting"> &
  Pick<ServingOptions, "queuedForMs"> & {
    readonly clock: Clock;
    readonly metrics?: Metrics;
    readonly tracing?: Tracing;
    readonly environment: Environment;
  };

const EXPLAIN_KEYS_MAX = 10_000;
const EXPLANATIONS_WAITING_MAX = 64;

/** Serves gRPC. @throws {StartRefused} */
export async function serveCalls(config: Config, log: Logger, { metrics, waiting, queuedForMs, ...ports }: ServedPorts): Promise<GrpcServer> {
  const told = logCalls(log);
  const toldShed = logShed(log);
  const handlerPorts = {
    ...ports,
    ...told,
    decide: decideAndTell({
      waiting,
      onDecision: (caller, answer, call) => {
        metrics?.decided(answer, call.durationMs);
        told.onDecision(caller, answer, call);
      },
      onNoDecision: (error) => metrics?.undecided(error instanceof ServiceError ? error.code : "INTERNAL"),
    }),
    rulesDirectory: config.rules,
    explaining: createTurnstile("explanations", EXPLANATIONS_WAITING_MAX),
    explains: createRateLimiter(config.explains_per_minute, EXPLAIN_KEYS_MAX),
    now: ports.clock.now,
    limits: callLimits(config),
  };
  const serving: ServingOptions = {
    address: config.grpc,
    wire: wireLimits(config),
    connectionIdleMs: config.connection_idle_ms,
    limits: handlerPorts.limits,
    queuedForMs,
    onShed: (reason) => {
      metrics?.shed(reason);
      toldShed(reason);
    },
    onInternalError: told.onInternalError,
    ...(ports.tracing && { tracing: ports.tracing }),
  };
  try {
    if (config.workers === 0) return await serveGrpc(serving, (shedding) => createHandlers({ ...handlerPorts, shedding }));
    return await serveThroughDoors(config, log, { ...serving, ...handlerPorts, onSpans: (counts) => ports.tracing?.note(counts) });
  } catch (error) {
    throw new StartRefused(
      `gRPC cannot be served on \`${config.grpc}\`: ${error instanceof Error ? error.message : String(error)}; choose another address with --grpc`,
      { cause: error },
    );
  }
}

type DoorPorts = ServingOptions &
  Omit<AllHandlerPorts, "shedding" | "decide"> &
  Pick<DoorsOptions, "decide" | "onSpans"> &
  Pick<ServedPorts, "environment">;

async function serveThroughDoors(config: Config, log: Logger, ports: DoorPorts): Promise<GrpcServer> {
  // The doors shed what comes to them, before they have read it.
  const shedding = { refusal: () => undefined, began: () => undefined, ended: () => undefined };
  return openDoors({
    ...ports,
    address: await freeAddress(config.grpc),
    count: config.workers,
    handlers: createHandlers({ ...ports, shedding }),
    start: (address) => {
      const workerData: DoorSettings = { config, address, environment: { ...ports.environment }, at: ports.now() };
      // The same extension as this file's: sources in development, JavaScript when built.
      const file = new URL(import.meta.url.endsWith(".ts") ? "./door.ts" : "./door.js", import.meta.url);
      return new Worker(file, { workerData, name: "behest-door" });
    },
    onDied: (error) => log.error({ err: error }, "a door has died, and its connections with it; it is opened again"),
    onWarning: (why) => log.warn(why),
    onTold: (what) => log.info(what),
    onBack: () => log.info("the door is open again"),
  });
}

interface HealthSources {
  readonly ledger: Ledger;
  readonly policies: PolicyKeeper;
  readonly log: Logger;
}

/** Has the health say whether decisions are made, and whether the policy in force is the one in the rules directory. */
export function tellHealth(grpc: GrpcServer, { ledger, policies, log }: HealthSources): void {
  grpc.setServing("decisions", ledger.ready);
  ledger.onReadyChange((ready) => {
    grpc.setServing("decisions", ready);
    if (ready) log.info("the ledger is open again");
  });
  grpc.setServing("policy", policies.status.refusal === undefined);
  policies.onChange(({ refusal }) => grpc.setServing("policy", refusal === undefined));
}
