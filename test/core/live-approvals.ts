import { canonical } from "../../src/canonical.ts";
import { type ApprovalKeeper, createApprovalKeeper } from "../../src/core/approvals/keeper.ts";
import { createDecider, type Decider } from "../../src/core/decide.ts";
import { createKeyedDigest } from "../../src/core/masking.ts";
import type { Policy } from "../../src/core/policy.ts";
import type { Canonical, Ledger } from "../../src/core/ports.ts";
import type { Caller } from "../../src/core/request.ts";
import { createTaskKeeper, type TaskKeeper } from "../../src/core/tasks/keeper.ts";
import { durationMs, instant } from "../../src/core/words.ts";
import { createMemoryDecisionCache } from "../../src/storage/memory/decision-cache.ts";
import { createMemoryLedger } from "../../src/storage/memory/ledger.ts";
import { FULL_REACH, policyOf } from "../policies.ts";
import { INTENT, LIMITS, MASK_KEY, TASK_LIMITS } from "../storage/deciders.ts";

/** The real decider, tasks and approvals over a ledger in memory, with a clock and a policy that are changed by hand and ids that are counted. */
export interface LiveApprovals {
  readonly ledger: Ledger;
  readonly decider: Decider;
  readonly tasks: TaskKeeper;
  readonly approvals: ApprovalKeeper;
  now(): number;
  /** Also back. */
  pass(ms: number): void;
  load(policy: Policy): void;
}

interface LiveOptions {
  readonly policy: Policy;
  readonly canonical?: Canonical;
  readonly approvalsMax?: number;
}

const keyedDigest = createKeyedDigest(MASK_KEY);

export function liveApprovals(options: LiveOptions): LiveApprovals {
  const ledger = createMemoryLedger();
  let { policy } = options;
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
  return {
    ledger,
    decider: createDecider({
      ...ports,
      cache: createMemoryDecisionCache(100),
      canonical: options.canonical ?? canonical,
      limits: { ...LIMITS, approvalsMax: options.approvalsMax ?? LIMITS.approvalsMax },
      onEvaluationError: (error) => {
        throw error;
      },
    }),
    tasks: createTaskKeeper({ ...ports, limits: TASK_LIMITS }),
    approvals: createApprovalKeeper(ports),
    now: () => now,
    pass(ms) {
      now += ms;
    },
    load(another) {
      policy = another;
    },
  };
}

export const GATEWAY: Caller = { tenant: "default", id: "gateway", roles: ["enforcer"] };
export const PORTAL: Caller = { tenant: "default", id: "portal", roles: ["initiator"] };
export const person = (name: string): Caller => ({ tenant: "default", id: `user:${name}`, roles: ["approver"] });

export const PIN = `sha256:${"a".repeat(64)}`;

interface PayPolicy {
  /** The people in finance. */
  readonly finance?: readonly string[];
  readonly approvers?: readonly string[];
  readonly quorum?: number;
  readonly points?: number;
  /** More rules. */
  readonly rules?: readonly object[];
  readonly pin?: string;
  readonly settings?: object;
}

/** Payments are asked of the people in finance; everything else of a registered task is allowed. */
export const payPolicy = ({
  finance = ["user:ann", "user:bo", "user:cy"],
  approvers = ["group:finance"],
  quorum = 1,
  points = 0,
  rules = [],
  pin = PIN,
  settings = {},
}: PayPolicy = {}): Policy =>
  policyOf({
    settings: {
      reach: { default: FULL_REACH },
      groups: { approvers: ["user:local", "user:ann"], finance },
      asked_per_hour: { agent: 1_000, task: 1_000 },
      ...settings,
    },
    tools: {
      "bank/pay": {
        effect: "pay",
        reversibility: "irreversible",
        arguments: {
          to: "destination",
          account: "target",
          amount: "amount",
          currency: "currency",
          memo: "free_text",
          note: "free_text",
          pin: "secret",
        },
        output: { trust: "trusted" },
        definition_digest: pin,
      },
      "bank/pay2": { effect: "pay", reversibility: "irreversible", output: { trust: "trusted" } },
      "bank/read": { effect: "read", reversibility: "reversible", output: { trust: "trusted" } },
    },
    rules: [asking("payments-are-asked", approvers, { quorum, ...(points > 0 && { points }) }), ...rules],
  });

export const asking = (name: string, approvers: readonly string[], more: object = {}): object => ({
  name,
  conditions: { all: [{ fact: "action.tool", operator: "in", value: ["bank/pay", "bank/pay2"] }] },
  event: { type: "require-approval", params: { reason: name, controls: ["owasp:ASI02"], approvers, ...more } },
});
