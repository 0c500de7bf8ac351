import fc from "fast-check";
import type { Policy } from "../../src/core/policy.ts";
import { RECORD_VERSION } from "../../src/core/record.ts";
import type { Caller } from "../../src/core/request.ts";
import type { StateKeys } from "../../src/core/state.ts";
import { recall } from "../../src/core/tasks/memory.ts";
import { isPast, type TaskState } from "../../src/core/tasks/registered.ts";
import type { Scope } from "../../src/core/tasks/scope.ts";
import { instant } from "../../src/core/words.ts";
import { FULL_REACH, policyOf } from "../policies.ts";
import { deciderOver, keeperOver, reportsOver } from "./deciders.ts";
import { ask, CALLER } from "./requests.ts";
import type { OpenedStorage } from "./storages.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

export const INITIATOR: Caller = { tenant: "default", id: "portal", roles: ["initiator"] };

const AGENTS = ["bot", "worker", "helper"] as const;

export interface HistoryWindows {
  readonly memory: string;
  readonly report_within: string;
  readonly idempotency: string;
}

/** Everything within reach; `pay` moves money, `mail/read` brings back what nobody trusts. */
export const historyPolicy = (windows: HistoryWindows, decision = "60s"): Policy =>
  policyOf({
    settings: { windows, lifetimes: { decision, self_asserted_idle: "1h", approval: "1h" } },
    tools: {
      read: { effect: "read", reversibility: "reversible", output: { trust: "trusted", classification_max: "internal" } },
      "mail/read": { effect: "read", reversibility: "reversible", output: { trust: "untrusted", categories: ["personal"] } },
      "vault/read": { effect: "read", reversibility: "reversible", classification: "confidential", output: { trust: "trusted" } },
      pay: {
        effect: "pay",
        reversibility: "irreversible",
        arguments: { amount: "amount", currency: "currency" },
        output: { trust: "trusted", classification_max: "public" },
      },
    },
    agents: Object.fromEntries(AGENTS.map((id) => [id, { trust: "high", owner: "team:a", reach: FULL_REACH }])),
  });

/** One thing that somebody does. Tasks and decisions are named by their number, counted around. */
export type Step =
  | { readonly does: "open"; readonly agent: string; readonly scope: Scope; readonly lifetimeMs: number }
  | { readonly does: "delegate"; readonly task: number; readonly agent: string; readonly scope: Scope; readonly lifetimeMs: number }
  | {
      readonly does: "decide";
      readonly task: number | undefined;
      readonly agent: string;
      readonly tool: string;
      readonly requestId: string | undefined;
    }
  | {
      readonly does: "report";
      readonly decision: number;
      readonly status: "executed" | "failed" | "blocked" | "abandoned";
      readonly tookEffect: false | undefined;
      readonly category: string | undefined;
    }
  | { readonly does: "close" | "revoke"; readonly task: number }
  | { readonly does: "wait"; readonly ms: number };

const number = fc.nat(7);
const agent = fc.constantFrom(...AGENTS);
const scope = fc.constantFrom<Scope>({}, { maxCalls: { read: 2 } }, { maxCalls: { pay: 3, read: 9 }, maxAmounts: { EUR: 2_500 } }, { maxDepth: 1 });
const lifetimeMs = fc.constantFrom(5 * MINUTE, HOUR, 3 * HOUR, 48 * HOUR);
const tool = fc.constantFrom("read", "mail/read", "vault/read", "pay", "pay");

export const steps = (most: number): fc.Arbitrary<readonly Step[]> =>
  fc.array(
    fc.oneof(
      { weight: 2, arbitrary: fc.record({ does: fc.constant("open" as const), agent, scope, lifetimeMs }) },
      { weight: 2, arbitrary: fc.record({ does: fc.constant("delegate" as const), task: number, agent, scope, lifetimeMs }) },
      {
        weight: 8,
        arbitrary: fc.record({
          does: fc.constant("decide" as const),
          task: fc.option(number, { nil: undefined, freq: 3 }),
          agent,
          tool,
          requestId: fc.constantFrom(undefined, undefined, "r1", "r2"),
        }),
      },
      {
        weight: 4,
        arbitrary: fc.record({
          does: fc.constant("report" as const),
          decision: fc.nat(30),
          status: fc.constantFrom("executed", "failed", "blocked", "abandoned"),
          tookEffect: fc.constantFrom(false, undefined),
          category: fc.constantFrom(undefined, "health", "credential"),
        }),
      },
      { weight: 1, arbitrary: fc.record({ does: fc.constantFrom("close", "revoke"), task: number }) },
      {
        weight: 4,
        arbitrary: fc.record({
          does: fc.constant("wait" as const),
          ms: fc.constantFrom(SECOND, 30 * SECOND, 4 * MINUTE, 9 * MINUTE, 30 * MINUTE, 59 * MINUTE, 2 * HOUR, 26 * HOUR),
        }),
      },
    ),
    { minLength: 1, maxLength: most },
  );

/** Who does it, over one storage after the other: what was made so far, and the names by which ids are compared. */
export interface Doer {
  readonly policy: Policy;
  readonly tasks: string[];
  /** By task. */
  readonly agents: Map<string, string>;
  readonly decisions: string[];
  readonly names: Map<string, string>;
}

export const createDoer = (policy: Policy): Doer => ({ policy, tasks: [], agents: new Map(), decisions: [], names: new Map() });

export async function loadPolicy({ ledger, clock }: OpenedStorage, policy: Policy): Promise<void> {
  const event = {
    kind: "policy_loaded",
    v: RECORD_VERSION,
    id: `policy-${policy.digest}`,
    at: clock.now(),
    policy: policy.digest,
    windows: policy.settings.windows,
  } as const;
  await ledger.recordPolicy({ event, files: {} });
}

/** Ids are random; they are compared by the order in which they come up. */
export function named<T>({ names }: Doer, value: T): unknown {
  const text = JSON.stringify(value)?.replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{21}/g, (id) => {
    const name = names.get(id) ?? `id ${names.size}`;
    names.set(id, name);
    return name;
  });
  return text === undefined ? undefined : JSON.parse(text);
}

/** Does one step, and says what came of it. */
export async function doStep(storage: OpenedStorage, doer: Doer, step: Step): Promise<unknown> {
  try {
    return named(doer, await done(storage, doer, step));
  } catch (error) {
    return named(doer, { error: error instanceof Error ? error.message : String(error) });
  }
}

const pick = (ids: readonly string[], n: number): string => ids[n % Math.max(1, ids.length)] ?? "00000000-0000-7000-8000-000000000000";

async function done(storage: OpenedStorage, doer: Doer, step: Step): Promise<unknown> {
  const { policy } = doer;
  const keeper = keeperOver(storage, { policy });
  const taskOf = ({ task }: { readonly task: number }): string => pick(doer.tasks, task);
  switch (step.does) {
    case "wait":
      return storage.clock.advance(step.ms);
    case "open":
    case "delegate": {
      const { agent: id, scope: asked, lifetimeMs: ms } = step;
      const expiresAt = instant(storage.clock.now() + ms);
      const status =
        step.does === "open"
          ? await keeper.open(INITIATOR, {
              statement: "look after it",
              principal: { type: "user", id: "alice", attributes: { team: "a" } },
              agent: id,
              scopeKind: "issued",
              scope: asked,
              expiresAt,
            })
          : (await keeper.delegate(INITIATOR, { taskId: taskOf(step), agent: id, scope: asked, expiresAt, narrow: true })).status;
      doer.tasks.push(status.task.id);
      doer.agents.set(status.task.id, id);
      return status;
    }
    case "close":
      return keeper.close(INITIATOR, { id: taskOf(step), reason: "done" });
    case "revoke":
      return keeper.revoke(INITIATOR, { id: taskOf(step), reason: "stop" });
    case "report":
      return reported(storage, doer, step);
    case "decide":
      return decided(storage, doer, step);
  }
}

async function reported(storage: OpenedStorage, doer: Doer, { decision, status, tookEffect, category }: Step & { readonly does: "report" }) {
  const { report, repeated } = await reportsOver(storage, doer.policy).report(CALLER, {
    decision: pick(doer.decisions, decision),
    status,
    ...(tookEffect !== undefined && status !== "executed" && { tookEffect }),
    result: "",
    truncated: false,
    ...(category !== undefined && { labels: { categories: [category] } }),
  });
  return { report, repeated };
}

async function decided(storage: OpenedStorage, doer: Doer, { task, agent: wished, tool: name, requestId }: Step & { readonly does: "decide" }) {
  const id = task === undefined ? undefined : pick(doer.tasks, task);
  // Mostly the task's own agent, so that something is allowed.
  const own = id === undefined || doer.decisions.length % 5 === 0 ? undefined : doer.agents.get(id);
  const { record, replayed } = await deciderOver(storage, { policy: doer.policy }).decide(
    ask({
      agent: { id: own ?? wished },
      action: { tool: name, arguments: name === "pay" ? { amount: 10, currency: "EUR" } : {} },
      ...(id !== undefined && { task: { id } }),
      ...(requestId !== undefined && { requestId: `${requestId} ${name} ${id ?? ""}` }),
    }),
  );
  if (!replayed) doer.decisions.push(record.id);
  const { judgement, subject, seenAfter, worst, charge } = record;
  return { id: record.id, judgement, task: subject.task, seenAfter, worst, charge, replayed };
}

/** All that a later decision could read, now and later: of every task that was made, and of every agent. */
export function looked({ ledger, clock }: OpenedStorage, doer: Doer): unknown {
  const at = clock.now();
  const { memory: window, reportWithin } = doer.policy.settings.windows;
  const view = (keys: Partial<StateKeys>) =>
    ledger.peek({ tenant: "default", caller: CALLER.id, agent: "none", principal: "none", session: "none", ...keys }, (seen) => seen);
  const tasks = doer.tasks.map((id) => {
    const state = ledger.tasks().get(id);
    return state && !isPast(state.tree, at, window) ? stateOf(state) : undefined;
  });
  const agents = AGENTS.map((id) => {
    const { memory, task } = view({ agent: id });
    const later = [0, 1, reportWithin / 2, reportWithin - 1, reportWithin].flatMap((ms) => [ms, Math.max(0, window - ms), window + ms]);
    const seen = later.map((ms) => recall(memory, { at: instant(at + ms), window, reportWithin }));
    return { seen, task: task && { ...task, awaited: [...task.awaited.calls], forgone: task.awaited.forgone } };
  });
  return named(doer, { tasks, agents });
}

const stateOf = ({ task, parent, tree, children, ended, spent, decided: { allowed, denied, held } }: TaskState) => ({
  task,
  parent: parent?.task.id,
  children,
  ended,
  spent,
  decided: { allowed, denied, held },
  seen: tree.seen,
  awaited: [...tree.awaited.calls],
  forgone: tree.awaited.forgone,
  tree: tree.tasks.map((other) => other.task.id),
});
