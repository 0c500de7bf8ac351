import { canonical } from "../../src/canonical.ts";
import { createDecider, type Decider } from "../../src/core/decide.ts";
import { createKeyedDigest } from "../../src/core/masking.ts";
import type { Policy } from "../../src/core/policy.ts";
import type { Ledger } from "../../src/core/ports.ts";
import { createReports, type Reports } from "../../src/core/reports.ts";
import { createTaskKeeper, type TaskKeeper } from "../../src/core/tasks/keeper.ts";
import { durationMs, instant } from "../../src/core/words.ts";
import { createMemoryDecisionCache } from "../../src/storage/memory/decision-cache.ts";
import { createMemoryLedger } from "../../src/storage/memory/ledger.ts";
import { INTENT, LIMITS, MASK_KEY } from "../storage/deciders.ts";
import type { World } from "./task-specification.ts";

/** The real keeper, decider and reports over a ledger in memory, with a clock that is moved by hand and ids that are counted. */
export interface LiveTasks {
  readonly ledger: Ledger;
  readonly keeper: TaskKeeper;
  readonly decider: Decider;
  readonly reports: Reports;
  now(): number;
  /** Also back. */
  pass(ms: number): void;
}

interface LiveOptions {
  readonly policy: Policy;
  readonly limits?: World["limits"];
}

const HOUR = 3_600_000;
const ROOMY: World["limits"] = { childrenMax: 100, depthMax: 8, lifetimeMs: HOUR, lifetimeMaxMs: 24 * HOUR };

const keyedDigest = createKeyedDigest(MASK_KEY);

export function liveTasks({ policy, limits = ROOMY }: LiveOptions): LiveTasks {
  const ledger = createMemoryLedger();
  let now = Date.UTC(2026, 0, 5, 9);
  let ids = 0;
  const ports = {
    ledger,
    policies: { current: () => policy },
    clock: { now: () => instant(now), ahead: () => durationMs(0) },
    newId: () => `id-${++ids}`,
    keyedDigest,
    intent: INTENT,
  };
  const { childrenMax, depthMax, lifetimeMs, lifetimeMaxMs } = limits;
  return {
    ledger,
    keeper: createTaskKeeper({
      ...ports,
      limits: {
        registeredTasksMax: 1_000,
        taskChildrenMax: childrenMax,
        delegationDepthMax: depthMax,
        taskLifetime: durationMs(lifetimeMs),
        taskLifetimeMax: durationMs(lifetimeMaxMs),
      },
    }),
    decider: createDecider({
      ...ports,
      cache: createMemoryDecisionCache(100),
      canonical,
      limits: LIMITS,
      onEvaluationError: (error) => {
        throw error;
      },
    }),
    reports: createReports({ ...ports, limits: LIMITS }),
    now: () => now,
    pass(ms) {
      now += ms;
    },
  };
}
