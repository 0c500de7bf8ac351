import { v7 } from "uuid";
import { canonical } from "../../src/canonical.ts";
import { type ApprovalKeeper, createApprovalKeeper } from "../../src/core/approvals/keeper.ts";
import { createDecider, type Decider } from "../../src/core/decide.ts";
import { createIntent } from "../../src/core/intent/intent.ts";
import type { Scorer } from "../../src/core/intent/scorer.ts";
import { createKeyedDigest } from "../../src/core/masking.ts";
import type { Policy } from "../../src/core/policy.ts";
import { createReports, type Reports } from "../../src/core/reports.ts";
import type { StateLimits } from "../../src/core/reserve.ts";
import type { TaskLimits } from "../../src/core/tasks/delegate.ts";
import { createTaskKeeper, type TaskKeeper } from "../../src/core/tasks/keeper.ts";
import { durationMs } from "../../src/core/words.ts";
import { createLanguage } from "../../src/inference/statement.ts";
import { readResult } from "../../src/results/read.ts";
import { policyOf } from "../policies.ts";
import type { OpenedStorage } from "./storages.ts";

/** As a server has it. */
export const INTENT = createIntent(createLanguage(), readResult);

export const MASK_KEY = Buffer.alloc(32, "mask");

const tool = (effect: string, more: object = {}): object => ({ effect, reversibility: "reversible", output: { trust: "trusted" }, ...more });

/** Reads are allowed, writes ask, `leak` is denied by a rule; `mail` brings back untrusted personal data. */
export const POLICY: Policy = policyOf({
  tools: {
    read: tool("read"),
    write: tool("update"),
    leak: tool("read"),
    "mail/read": tool("read", { output: { trust: "untrusted", categories: ["personal"] }, classification: "internal" }),
    "vault/read": tool("read", { classification: "confidential", arguments: { password: "secret" } }),
  },
  agents: {
    keeper: { trust: "high", owner: "team:vault", reach: { tools: ["*"], effects: ["*"], resources: ["*"], max_classification: "restricted" } },
  },
  rules: [
    {
      name: "leaks-are-denied",
      conditions: { all: [{ fact: "action.tool", operator: "equal", value: "leak" }] },
      event: { type: "deny", params: { reason: "it leaks", controls: ["owasp:ASI02"] } },
    },
    {
      name: "untrusted-content-was-seen",
      conditions: { all: [{ fact: "task.seen.trust", operator: "equal", value: "untrusted" }] },
      event: { type: "risk", params: { points: 7, reason: "has seen untrusted content", controls: ["owasp:ASI01"] } },
    },
  ],
});

export const LIMITS: StateLimits = {
  openTasksMax: 1_000,
  agentsRememberedMax: 1_000,
  requestIdsMax: 1_000,
  categoriesSeenMax: 8,
  approvalsMax: 1_000,
};

export interface DeciderChange {
  readonly policy?: Policy;
  readonly limits?: Partial<StateLimits>;
  readonly scorer?: Scorer;
  /** The policy of the moment, where it changes. */
  readonly current?: () => Policy;
}

export function deciderOver({ ledger, cache, clock }: OpenedStorage, change: DeciderChange = {}): Decider {
  const { policy = POLICY, limits = {}, scorer, current = () => policy } = change;
  return createDecider({
    ledger,
    cache,
    clock,
    policies: { current },
    newId: (at) => v7({ msecs: at }),
    canonical,
    keyedDigest: createKeyedDigest(MASK_KEY),
    intent: INTENT,
    limits: { ...LIMITS, ...limits },
    onEvaluationError: () => undefined,
    ...(scorer && { scorer }),
  });
}

export const TASK_LIMITS: TaskLimits = {
  registeredTasksMax: 1_000,
  taskChildrenMax: 256,
  delegationDepthMax: 8,
  taskLifetime: durationMs(24 * 3_600_000),
  taskLifetimeMax: durationMs(90 * 24 * 3_600_000),
};

export interface KeeperChange {
  readonly policy?: Policy;
  readonly limits?: Partial<TaskLimits>;
}

export function keeperOver({ ledger, clock }: OpenedStorage, { policy = POLICY, limits = {} }: KeeperChange = {}): TaskKeeper {
  return createTaskKeeper({
    ledger,
    clock,
    policies: { current: () => policy },
    newId: (at) => v7({ msecs: at }),
    keyedDigest: createKeyedDigest(MASK_KEY),
    limits: { ...TASK_LIMITS, ...limits },
  });
}

export function reportsOver({ ledger, clock }: OpenedStorage, policy: Policy = POLICY): Reports {
  return createReports({
    ledger,
    clock,
    policies: { current: () => policy },
    newId: (at) => v7({ msecs: at }),
    keyedDigest: createKeyedDigest(MASK_KEY),
    intent: INTENT,
    limits: LIMITS,
  });
}

export function approvalsOver({ ledger, clock }: OpenedStorage, policy: Policy = POLICY): ApprovalKeeper {
  return createApprovalKeeper({ ledger, clock, policies: { current: () => policy }, newId: (at) => v7({ msecs: at }) });
}
