import { canonical } from "../src/canonical.ts";
import { readConfig, requestLimits } from "../src/config.ts";
import { createDecider, type Decider } from "../src/core/decide.ts";
import { createIntent, type Intent } from "../src/core/intent/intent.ts";
import { createKeyedDigest } from "../src/core/masking.ts";
import type { Policy } from "../src/core/policy.ts";
import { createReports, type Reports } from "../src/core/reports.ts";
import { createTaskKeeper, type TaskKeeper } from "../src/core/tasks/keeper.ts";
import { durationMs, instant } from "../src/core/words.ts";
import type { LanguagePack } from "../src/inference/language.ts";
import { createLanguage } from "../src/inference/statement.ts";
import { readResult } from "../src/results/read.ts";
import { createMemoryDecisionCache } from "../src/storage/memory/decision-cache.ts";
import { createMemoryLedger } from "../src/storage/memory/ledger.ts";

export interface Core {
  readonly tasks: TaskKeeper;
  readonly decider: Decider;
  readonly reports: Reports;
}

const STARTS_AT = Date.UTC(2026, 0, 5, 9);
const HOUR_MS = 3_600_000;
/** Those that a server has when nobody sets any. */
export const LIMITS = requestLimits(readConfig({ flags: {}, environment: {} }));
const STATE_LIMITS = { openTasksMax: 10, agentsRememberedMax: 10, requestIdsMax: 10, categoriesSeenMax: 1_000, approvalsMax: 1_000 };

export const createIntentBy = (pack?: LanguagePack): Intent => createIntent(createLanguage(pack), readResult);
const INTENT = createIntentBy();

/** All that a server decides with, in memory and empty: no case inherits what another has seen. Each look at the clock is a second later. */
export function createCore(policy: Policy, intent: Intent = INTENT): Core {
  let seconds = 0;
  let ids = 0;
  const clock = { now: () => instant(STARTS_AT + 1_000 * seconds++), ahead: () => durationMs(0) };
  const newId = (): string => `id-${ids++}`;
  const ledger = createMemoryLedger();
  const policies = { current: () => policy };
  const keyedDigest = createKeyedDigest(Buffer.alloc(32, "replay"));
  const limits = {
    registeredTasksMax: 10,
    taskChildrenMax: 10,
    delegationDepthMax: 8,
    taskLifetime: durationMs(HOUR_MS),
    taskLifetimeMax: durationMs(HOUR_MS),
  };
  return {
    tasks: createTaskKeeper({ ledger, policies, clock, newId, keyedDigest, limits }),
    reports: createReports({ ledger, policies, clock, newId, keyedDigest, intent, limits: STATE_LIMITS }),
    decider: createDecider({
      ledger,
      cache: createMemoryDecisionCache(1_000),
      policies,
      clock,
      newId,
      canonical,
      keyedDigest,
      intent,
      limits: STATE_LIMITS,
      onEvaluationError(error) {
        throw error;
      },
    }),
  };
}
