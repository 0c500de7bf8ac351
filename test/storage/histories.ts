import fc from "fast-check";
import { type ApprovalState, isOpen } from "../../src/core/approvals/approval.ts";
import { ASKING_WINDOW_MS } from "../../src/core/approvals/register.ts";
import type { Policy } from "../../src/core/policy.ts";
import { RECORD_VERSION } from "../../src/core/record.ts";
import type { Caller, DecisionRequest } from "../../src/core/request.ts";
import type { StateKeys } from "../../src/core/state.ts";
import { recall } from "../../src/core/tasks/memory.ts";
import { isPast, type TaskState } from "../../src/core/tasks/registered.ts";
import type { Scope } from "../../src/core/tasks/scope.ts";
import { instant } from "../../src/core/words.ts";
import { FULL_REACH, policyOf } from "../policies.ts";
import { approvalsOver, deciderOver, keeperOver, reportsOver } from "./deciders.ts";
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

/** Everything within reach; `pay` moves money, `mail/read` brings back what nobody trusts, and people are asked about `wire` and `wipe`. */
export const historyPolicy = (windows: HistoryWindows, decision = "60s"): Policy =>
  policyOf({
    settings: {
      windows,
      lifetimes: { decision, self_asserted_idle: "1h", approval: "1h" },
      asked_per_hour: { agent: 4, task: 3 },
    },
    rules: [
      held("wire", { approvers: ["user:ann", "user:ben"], lifetime: "30h" }),
      held("wipe", { approvers: ["user:ann", "user:local"], quorum: 2 }),
    ],
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
      wire: {
        effect: "pay",
        reversibility: "irreversible",
        arguments: { to: "destination", amount: "amount", currency: "currency", note: "free_text" },
        output: { trust: "trusted", classification_max: "public" },
      },
      wipe: { effect: "delete", reversibility: "irreversible", output: { trust: "trusted", classification_max: "public" } },
    },
    agents: Object.fromEntries(AGENTS.map((id) => [id, { trust: "high", owner: "team:a", reach: FULL_REACH }])),
  });

/** People are asked about every use of a tool. */
const held = (name: string, asked: object): object => ({
  name: `${name}-is-asked-about`,
  conditions: { all: [{ fact: "action.tool", operator: "equal", value: name }] },
  event: { type: "require-approval", params: { reason: "people look at it", controls: [], ...asked } },
});

export const PEOPLE = ["user:ann", "user:ben", "user:local"] as const;

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
  | {
      readonly does: "answer";
      readonly approval: number;
      readonly by: (typeof PEOPLE)[number];
      readonly verdict: "approve" | "deny" | "revoke";
      readonly wider: "uses" | "values" | undefined;
    }
  | { readonly does: "use"; readonly approval: number }
  | { readonly does: "wait"; readonly ms: number };

const number = fc.nat(7);
const agent = fc.constantFrom(...AGENTS);
const scope = fc.constantFrom<Scope>({}, { maxCalls: { read: 2 } }, { maxCalls: { pay: 3, read: 9 }, maxAmounts: { EUR: 2_500 } }, { maxDepth: 1 });
const lifetimeMs = fc.constantFrom(5 * MINUTE, HOUR, 3 * HOUR, 48 * HOUR);
const tool = fc.constantFrom("read", "mail/read", "vault/read", "pay", "pay", "wire", "wire", "wipe");

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
          does: fc.constant("answer" as const),
          approval: number,
          by: fc.constantFrom(...PEOPLE),
          verdict: fc.constantFrom("approve", "approve", "approve", "deny", "revoke"),
          wider: fc.constantFrom(undefined, "uses", "values"),
        }),
      },
      { weight: 3, arbitrary: fc.record({ does: fc.constant("use" as const), approval: number }) },
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
  /** What people were asked about, by approval. */
  readonly asked: Map<string, DecisionRequest>;
  readonly names: Map<string, string>;
}

export const createDoer = (policy: Policy): Doer => ({
  policy,
  tasks: [],
  agents: new Map(),
  decisions: [],
  asked: new Map(),
  names: new Map(),
});

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

/** Ids, and digests of what holds them, are random; they are compared by the order in which they come up. */
export function named<T>({ names }: Doer, value: T): unknown {
  const text = JSON.stringify(value)?.replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{21}|sha256:[0-9a-f]{64}/g, (id) => {
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
      storage.clock.advance(step.ms);
      return approvalsOver(storage, policy).sweep();
    case "answer":
      return answered(storage, doer, step);
    case "use": {
      const id = pick(
        approvalsIn(storage, doer).map(({ approval }) => approval.id),
        step.approval,
      );
      const request = doer.asked.get(id);
      return request && decide(storage, doer, { ...request, approvalId: id });
    }
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
  const paid = { amount: 10 * (1 + (doer.decisions.length % 2)), currency: "EUR" };
  const args = { pay: { ...paid, amount: 10 }, wire: { ...paid, to: "bob@example.com", note: `for ${doer.decisions.length}` } };
  return decide(storage, doer, {
    agent: { id: own ?? wished },
    action: { tool: name, arguments: name === "pay" || name === "wire" ? args[name] : {} },
    ...(id !== undefined && { task: { id } }),
    ...(requestId !== undefined && { requestId: `${requestId} ${name} ${id ?? ""}` }),
  });
}

async function decide(storage: OpenedStorage, doer: Doer, request: DecisionRequest): Promise<unknown> {
  const { record, replayed } = await deciderOver(storage, { policy: doer.policy }).decide(ask(request));
  if (!replayed) doer.decisions.push(record.id);
  const { judgement, subject, seenAfter, worst, charge, approval } = record;
  const { requestId: _, approvalId: __, ...shown } = request;
  if (approval && !doer.asked.has(approval.id)) doer.asked.set(approval.id, shown);
  const { task, approval: standing, refused, asked, endorsed } = subject;
  return { id: record.id, judgement, task, seenAfter, worst, charge, approval, standing, refused, asked, endorsed, replayed };
}

/** Approvals that every storage remembers, whenever it last forgot any. */
function approvalsIn({ ledger, clock }: Pick<OpenedStorage, "ledger" | "clock">, { policy }: Doer): readonly ApprovalState[] {
  const kept = Math.max(policy.settings.windows.memory, ASKING_WINDOW_MS);
  return [...view({ ledger }, {}).approvals.all()].filter(({ standing, ended }) => isOpen(standing) || !ended || clock.now() - ended.at < kept);
}

async function answered(storage: OpenedStorage, doer: Doer, { approval, by, verdict, wider }: Step & { readonly does: "answer" }) {
  const id = pick(
    approvalsIn(storage, doer).map((state) => state.approval.id),
    approval,
  );
  const status = await approvalsOver(storage, doer.policy).resolve(
    { tenant: "default", id: by, roles: ["approver"] },
    {
      id,
      verdict,
      comment: "because",
      ...(wider === "uses" && { endorsement: { uses: 3 } }),
      ...(wider === "values" && { endorsement: { values: ["bob@example.com"] } }),
    },
  );
  return status;
}

/** All that a later decision could read, now and later: of every task that was made, and of every agent. */
export function looked({ ledger, clock }: OpenedStorage, doer: Doer): unknown {
  const at = clock.now();
  const { memory: window, reportWithin } = doer.policy.settings.windows;
  const tasks = doer.tasks.map((id) => {
    const state = ledger.tasks().get(id);
    return state && !isPast(state.tree, at, window) ? stateOf(state) : undefined;
  });
  const agents = AGENTS.map((id) => {
    const { memory, task } = view({ ledger }, { agent: id });
    const later = [0, 1, reportWithin / 2, reportWithin - 1, reportWithin].flatMap((ms) => [ms, Math.max(0, window - ms), window + ms]);
    const seen = later.map((ms) => recall(memory, { at: instant(at + ms), window, reportWithin }));
    return { seen, task: task && { ...task, awaited: [...task.awaited.calls], forgone: task.awaited.forgone } };
  });
  // Looking gives nothing a name: who does not look must find the next id under the same one.
  return named({ ...doer, names: new Map(doer.names) }, { tasks, agents, approvals: lookedApprovals({ ledger, clock }, doer) });
}

/** What the approvals say, whoever asks: of each that is remembered, and of every agent and task. */
function lookedApprovals(storage: Pick<OpenedStorage, "ledger" | "clock">, doer: Doer): unknown {
  const at = storage.clock.now();
  const states = approvalsIn(storage, doer);
  const ids = new Set(states.map(({ approval }) => approval.id));
  const known = (state: ApprovalState | undefined): string | undefined => (state && ids.has(state.approval.id) ? state.approval.id : undefined);
  const { approvals } = view(storage, {});
  const tasks = [...new Set([...doer.tasks, ...states.map(({ approval }) => approval.task)])];
  return {
    states: states.map((state) => ({ ...state, bound: known(approvals.boundTo(state.approval.binding)) })),
    agents: AGENTS.map((agent) => [approvals.askedBy({ tenant: "default", agent }, at), known(approvals.floodOf("default", agent))]),
    tasks: tasks.map((task) => ({
      asked: approvals.askedBy({ tenant: "default", task }, at),
      bearing: approvals
        .bearingOn(task)
        .map(known)
        .filter((id) => id !== undefined),
      awaited: approvals.isAwaited(task, at),
    })),
  };
}

const view = ({ ledger }: Pick<OpenedStorage, "ledger">, keys: Partial<StateKeys>) =>
  ledger.peek({ tenant: "default", caller: CALLER.id, agent: "none", principal: "none", session: "none", ...keys }, (seen) => seen);

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
