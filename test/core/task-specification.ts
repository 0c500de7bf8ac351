import type { IntentStanding } from "../../src/core/intent/standing.ts";
import type { ReportRequest } from "../../src/core/reports.ts";
import type { Caller, DecisionRequest, Hop } from "../../src/core/request.ts";
import type { Budget } from "../../src/core/tasks/budget.ts";
import type { DelegateRequest } from "../../src/core/tasks/delegate.ts";
import type { OpenRequest } from "../../src/core/tasks/keeper.ts";
import type { Scope } from "../../src/core/tasks/scope.ts";
import type { Seen } from "../../src/core/tasks/seen.ts";
import type { TaskStanding } from "../../src/core/tasks/standing.ts";
import { EFFECTS, type Effect, instant } from "../../src/core/words.ts";
import { matchesGlob } from "./resource-model.ts";
import { fitted, SCOPE_LAWS } from "./scope-model.ts";
import { type PolicyJson, specify } from "./specification.ts";

/**
 * Trees of tasks as the issue and design.md tell them: a list of what happened, and everything else computed from it anew each time. Naive on
 * purpose; random histories are lived through by this and by the real keeper, decider and reports.
 */
export type Step =
  | { readonly kind: "open"; readonly caller: Caller; readonly asked: OpenRequest }
  | { readonly kind: "delegate"; readonly caller: Caller; readonly asked: DelegateRequest }
  | { readonly kind: "close" | "revoke"; readonly caller: Caller; readonly id: string }
  | { readonly kind: "decide"; readonly caller: Caller; readonly request: DecisionRequest }
  | { readonly kind: "report"; readonly caller: Caller; readonly asked: ReportRequest }
  | { readonly kind: "look"; readonly caller: Caller; readonly id: string };

/** What is compared: a refusal by its code, or what was answered. */
export type Said = Readonly<Record<string, unknown>>;

export interface World {
  readonly policy: PolicyJson;
  readonly limits: { readonly childrenMax: number; readonly depthMax: number; readonly lifetimeMs: number; readonly lifetimeMaxMs: number };
  /** What a glob covers beside itself and what is spelled out, written by hand. */
  readonly covers: Readonly<Record<string, readonly string[]>>;
  readonly reportWithinMs: number;
  readonly memoryMs: number;
}

interface Task {
  readonly id: string;
  readonly parent: Task | undefined;
  readonly caller: Caller;
  readonly asked: OpenRequest;
  readonly agent: string;
  readonly statement: string;
  readonly kind: "issued" | "proposed";
  readonly scope: Scope;
  readonly expires: number;
  ended: { readonly how: string; readonly at: number } | undefined;
}

interface Decision {
  readonly id: string;
  readonly at: number;
  readonly caller: Caller;
  readonly task: Task | undefined;
  readonly tool: string;
  readonly outcome: string;
  readonly shows: Seen;
  readonly worst: Seen;
  readonly calls: readonly Effect[];
  readonly money: { readonly currency: string; readonly minor: number } | undefined;
  report: { readonly asked: ReportRequest; readonly said: Said } | undefined;
}

const NOTHING: Seen = { classifications: [], categories: [], trust: "trusted", systems: [] };
const sorted = (words: readonly string[]): readonly string[] => [...new Set(words)].sort();
const union = (all: readonly Seen[]): Seen => ({
  classifications: sorted(all.flatMap(({ classifications }) => classifications)),
  categories: sorted(all.flatMap(({ categories }) => categories)),
  trust: all.some(({ trust }) => trust === "untrusted") ? "untrusted" : "trusted",
  systems: sorted(all.flatMap(({ systems }) => systems)),
});

/** The sentences that a broken twin gets wrong. */
export const TREE_LAWS = {
  ...SCOPE_LAWS,
  /** Whatever ends a task ends everything below it: the one that stands highest says how. */
  above: <T>(chain: readonly T[]): readonly T[] => chain,
  /** What has ended stays ended as it did. */
  ends: (before: Task["ended"], now: NonNullable<Task["ended"]>): Task["ended"] => before ?? now,
  /** A decision that finds a task expired makes it so for good, whatever the clock says later. */
  keepsExpired: true,
  /** A child's charge is charged to every ancestor. */
  charged: <T>(chain: readonly T[]): readonly T[] => chain,
  /** Given back once, by a report that nothing happened. */
  givesBack: ({ status, tookEffect }: ReportRequest): boolean =>
    status === "blocked" || status === "abandoned" || (status === "failed" && tookEffect === false),
  /** The first report stands. */
  takesAgain: false,
  /** An initiator entitled for the agent, or the parent's delegates, make it issued; never better than the parent. */
  kind: (parent: "issued" | "proposed", entitled: boolean, named: boolean): "issued" | "proposed" =>
    parent === "issued" && (entitled || named) ? "issued" : "proposed",
  /** A root's proposed scope bounds nothing; what was handed on always does. */
  binds: (kind: string, depth: number): boolean => kind === "issued" || depth > 0,
  /** A child lives no longer than any ancestor. */
  latest: (expiries: readonly number[]): number => Math.min(...expiries),
  /** A chain may be left out, repeated, or extended below the leaf by agents; and it ends with the one that acts. */
  repeats: (own: readonly Hop[], said: readonly Hop[] | undefined, agent: string): boolean => {
    const chain = said ?? own;
    const isSame = own.every(
      ({ type, id, taskId }, at) => chain[at]?.type === type && chain[at]?.id === id && (chain[at]?.taskId ?? taskId) === taskId,
    );
    return isSame && chain.at(-1)?.id === agent && chain.slice(own.length).every((hop) => hop.type === "agent" && hop.taskId === undefined);
  },
  /** What a whole tree has seen, every agent of it has. */
  shares: (tree: readonly Decision[], _own: readonly Decision[]): readonly Decision[] => tree,
  /** What is not reported in time counts as the worst. */
  isOverdue: (age: number, within: number): boolean => age >= within,
  /** A report raises what was seen by what it says; of what was not allowed and happened, by what the call shows. */
  bypasses: (outcome: string, nothingHappened: boolean): boolean => outcome !== "ALLOW" && !nothingHappened,
  /** A late report leaves what had to be assumed. */
  keepsWorst: true,
  /** Words end with those they come from. */
  wordsEnd: (ends: readonly number[], at: number): boolean => ends.some((end) => at >= end),
  /** Whose decision it is. */
  isTheirs: (decision: Caller, caller: Caller): boolean => decision.id === caller.id && decision.tenant === caller.tenant,
  /** Who may end a task: who opened it, or its root; and operators. */
  mayEnd: (caller: Caller, task: string, root: string): boolean => caller.roles.includes("operator") || [task, root].includes(caller.id),
};
export type TreeLaws = typeof TREE_LAWS;

type Deciding = Pick<Extract<Step, { kind: "decide" }>, "caller" | "request">;

/** What the real tasks made of a step, and the specification does not. */
export interface Given {
  readonly id: string;
  readonly intent: IntentStanding | undefined;
}

const refused = (error: string, more: Said = {}): Said => ({ error, ...more });

export function createTreeModel(world: World, laws: TreeLaws = TREE_LAWS) {
  const { policy, limits } = world;
  const { order, default: unstated } = policy.settings.classification;
  const tasks = new Map<string, Task>();
  const decisions: Decision[] = [];
  const learned: { readonly root: Task; readonly seen: Seen }[] = [];

  const chainOf = (task: Task): readonly Task[] => [...(task.parent ? chainOf(task.parent) : []), task];
  const rootOf = (task: Task): Task => chainOf(task)[0] as Task;
  const depthOf = (task: Task): number => chainOf(task).length - 1;
  const isBelow = (task: Task | undefined, top: Task): boolean => task !== undefined && chainOf(task).includes(top);
  const coversGlob = (wide: string, narrow: string): boolean => wide === "*" || wide === narrow || (world.covers[wide] ?? []).includes(narrow);

  function endOf(task: Task, at: number): { readonly task: string; readonly how: string } | undefined {
    for (const { id, ended, expires } of laws.above(chainOf(task))) {
      if (ended) return { task: id, how: ended.how };
      if (at >= expires) return { task: id, how: "expired" };
    }
    return undefined;
  }

  function find(id: string | undefined, caller: Caller, at: number): Task | undefined {
    const task = id === undefined ? undefined : tasks.get(id);
    if (!task || task.caller.tenant !== caller.tenant) return undefined;
    const root = rootOf(task);
    return at - Math.min(root.ended?.at ?? root.expires, root.expires) >= world.memoryMs ? undefined : task;
  }

  function spentOf(task: Task): Budget["spent"] {
    const calls: Partial<Record<Effect, number>> = {};
    const amounts: Record<string, number> = {};
    for (const { task: by, calls: made, money, outcome, report } of decisions) {
      if (!by || !laws.charged(chainOf(by)).includes(task) || outcome !== "ALLOW" || (report && laws.givesBack(report.asked))) continue;
      for (const effect of made) calls[effect] = (calls[effect] ?? 0) + 1;
      // Of money that nobody has capped nothing is counted.
      const isCapped = chainOf(by).some(({ scope }) => money && scope.maxAmounts && Object.hasOwn(scope.maxAmounts, money.currency));
      if (money && money.minor > 0 && isCapped) amounts[money.currency] = (amounts[money.currency] ?? 0) + money.minor;
    }
    return { calls, amounts };
  }

  const overdueOf = (task: Task, at: number): readonly Decision[] => {
    const tree = decisions.filter((decision) => isBelow(decision.task, rootOf(task)));
    const shared = laws.shares(
      tree,
      tree.filter((decision) => decision.task === task),
    );
    return shared.filter(({ at: when, outcome, report }) => outcome === "ALLOW" && !report && laws.isOverdue(at - when, world.reportWithinMs));
  };

  const seenBy = (task: Task, at: number): Seen =>
    union([...learned.filter(({ root }) => root === rootOf(task)).map(({ seen }) => seen), ...overdueOf(task, at).map(({ worst }) => worst)]);

  function budgetsOf(task: Task): readonly Budget[] {
    const capped = laws.above(chainOf(task)).filter(({ scope }) => scope.maxCalls || scope.maxAmounts);
    return capped.map((one) => ({
      task: one.id,
      spent: spentOf(one),
      ...(one.scope.maxCalls && { maxCalls: one.scope.maxCalls }),
      ...(one.scope.maxAmounts && { maxAmounts: one.scope.maxAmounts }),
    }));
  }

  function statusOf(task: Task, at: number): Said {
    const mine = decisions.filter((decision) => decision.task === task);
    const count = (outcome: string): number => mine.filter((decision) => decision.outcome === outcome).length;
    const left: Record<string, number> = {};
    for (const { spent, maxCalls = {}, maxAmounts = {} } of budgetsOf(task)) {
      for (const [effect, max] of Object.entries(maxCalls)) left[effect] = Math.min(left[effect] ?? max, max - (spent.calls[effect as Effect] ?? 0));
      for (const [currency, max] of Object.entries(maxAmounts))
        left[currency] = Math.min(left[currency] ?? max, max - (spent.amounts[currency] ?? 0));
    }
    return {
      ...described(task),
      ended: endOf(task, at),
      spent: spentOf(task),
      left,
      seen: seenBy(task, at),
      unreported: overdueOf(task, at).length,
      decided: [count("ALLOW"), count("DENY"), count("REQUIRE_APPROVAL")],
      children: [...tasks.values()].filter(({ parent }) => parent === task).length,
    };
  }

  const described = (task: Task): Said => ({
    id: task.id,
    root: rootOf(task).id,
    parent: task.parent?.id,
    depth: depthOf(task),
    kind: task.kind,
    agent: task.agent,
    statement: task.statement,
    scope: task.scope,
    expires: task.expires,
  });

  /** Whoever issues a task without somebody above who said to whom it may go names no agents beyond those of the token. */
  const namesStrangers = ({ agents }: Caller, { delegates = [] }: Scope): boolean =>
    agents !== undefined && delegates.some((glob) => !agents.some((covered) => coversGlob(covered, glob)));
  const named = ({ agents }: Caller, scope: Scope): Scope => (agents && !scope.delegates ? { ...scope, delegates: agents } : scope);

  function open(caller: Caller, asked: OpenRequest, at: number, id: string): Said {
    const covers = (agent: string): boolean => caller.agents?.some((glob) => matchesGlob(glob, agent)) ?? true;
    if (!covers(asked.agent) || namesStrangers(caller, asked.scope)) return refused("CALLER_FORBIDDEN");
    const expires = asked.expiresAt ?? at + limits.lifetimeMs;
    if (expires <= at || expires - at > limits.lifetimeMaxMs || (asked.statementExpiresAt ?? at + 1) <= at) return refused("REQUEST_MALFORMED");
    const scope = named(caller, asked.scope);
    const { agent, statement, scopeKind: kind } = asked;
    const task: Task = { id, parent: undefined, caller, asked, agent, statement, kind, scope, expires, ended: undefined };
    tasks.set(id, task);
    return statusOf(task, at);
  }

  function delegate(caller: Caller, asked: DelegateRequest, at: number, id: string): Said {
    const parent = find(asked.taskId, caller, at);
    if (!parent) return refused("TASK_UNKNOWN");
    if (endOf(parent, at)) return refused("TASK_ENDED");
    const covers = (agent: string): boolean => caller.agents?.some((glob) => matchesGlob(glob, agent)) ?? true;
    const entitled = caller.roles.includes("initiator") && covers(asked.agent);
    if (!entitled && !(caller.roles.includes("enforcer") && covers(parent.agent))) return refused("CALLER_FORBIDDEN");
    const { delegates, maxDepth } = parent.scope;
    const isNamed = delegates?.some((glob) => matchesGlob(glob, asked.agent)) ?? false;
    const forbidden = [...(delegates && !isNamed ? ["agent_id"] : []), ...(maxDepth === 0 ? ["task_id"] : [])];
    if (forbidden.length > 0) return refused("SCOPE_TOO_WIDE", { wide: forbidden });
    if (depthOf(parent) >= limits.depthMax) return refused("REQUEST_TOO_BIG");
    if ([...tasks.values()].filter((task) => task.parent === parent).length >= limits.childrenMax) return refused("STATE_FULL");
    const kind = laws.kind(parent.kind, entitled, isNamed);
    const first = kind === "issued" && !delegates;
    if (first && namesStrangers(caller, asked.scope)) return refused("CALLER_FORBIDDEN");
    const latest = laws.latest(chainOf(parent).map(({ expires }) => expires));
    const wished = asked.expiresAt ?? latest;
    if (wished <= at) return refused("REQUEST_MALFORMED");
    const { scope, wide } = fitted(first ? named(caller, asked.scope) : asked.scope, { parent: parent.scope, order, coversGlob, laws });
    const tooWide = sorted([...wide, ...(wished > latest ? ["expires_at"] : [])]);
    if (tooWide.length > 0 && !asked.narrow) return refused("SCOPE_TOO_WIDE", { wide: tooWide });
    const task: Task = {
      id,
      parent,
      caller,
      asked: parent.asked,
      agent: asked.agent,
      statement: asked.statement ?? parent.statement,
      kind,
      scope,
      expires: laws.latest([wished, latest]),
      ended: undefined,
    };
    tasks.set(id, task);
    return { ...statusOf(task, at), trimmed: tooWide };
  }

  function end(how: "close" | "revoke", caller: Caller, id: string, at: number): Said {
    const task = find(id, caller, at);
    if (!task) return refused("TASK_UNKNOWN");
    if (!laws.mayEnd(caller, task.caller.id, rootOf(task).caller.id)) return refused("CALLER_FORBIDDEN");
    const word = how === "revoke" ? "revoked" : at >= task.expires ? "expired" : "closed";
    task.ended = laws.ends(task.ended, { how: word, at });
    return statusOf(task, at);
  }

  /** How the task stands that a request names, as a decision reads it. */
  function standingOf(task: Task, request: DecisionRequest, at: number): TaskStanding {
    const chain = chainOf(task);
    const { asked } = task;
    const own = hopsOf(task);
    const ended = endOf(task, at);
    const wordsEnd = asked.statementExpiresAt;
    const isOver = wordsEnd !== undefined && laws.wordsEnd([wordsEnd], at);
    const until = Math.min(...chain.map(({ expires }) => expires), ...(wordsEnd === undefined || isOver ? [] : [wordsEnd]));
    const told = request.task?.statement;
    const unreported = overdueOf(task, at).length;
    const budgets = budgetsOf(task);
    const caps = chain.flatMap(({ scope }) => scope.maxClassification ?? []);
    const lowest = order.find((word) => caps.includes(word));
    return {
      standing: (ended?.how as TaskStanding["standing"]) ?? (laws.repeats(own, request.delegation, request.agent.id) ? "open" : "mismatch"),
      id: task.id,
      ...(!isOver && { statement: task.statement }),
      restated: told !== undefined && told !== task.statement,
      seen: seenBy(task, at),
      ...(unreported > 0 && { unreported }),
      registered: {
        root: rootOf(task).id,
        depth: depthOf(task),
        principal: asked.principal,
        issuer: rootOf(task).caller.id,
        scopeKind: task.kind,
        ...(laws.binds(task.kind, depthOf(task)) && {
          boundary: withoutCaps(lowest === undefined ? task.scope : { ...task.scope, maxClassification: lowest }),
        }),
        hops: own.length,
        ...(budgets.length > 0 && { budgets }),
        ...(task.statement !== asked.statement && { reworded: true as const }),
        ...(isOver && { statementExpired: true as const }),
        until: instant(until),
        ...(ended && { endedTask: ended.task }),
      },
    };
  }

  const hopsOf = (task: Task): readonly Hop[] => {
    const { type, id } = task.asked.principal;
    return [{ type, id }, ...chainOf(task).map(({ agent, id: taskId }): Hop => ({ type: "agent", id: agent, taskId }))];
  };

  function decide({ caller, request }: Deciding, at: number, id: string, intent: IntentStanding | undefined): Said {
    const task = find(request.task?.id, caller, at);
    const standing: TaskStanding = task ? standingOf(task, request, at) : { standing: "unknown", restated: false, seen: NOTHING };
    const own = task ? hopsOf(task) : [];
    const isOwn = task && standing.standing !== "mismatch";
    const delegation = isOwn ? [...own, ...(request.delegation ?? []).slice(own.length)] : request.delegation;
    const asked = { ...request, ...(delegation && { delegation }) };
    const subject = {
      at: instant(at),
      tenant: caller.tenant,
      caller: caller.id,
      request: asked,
      masked: 0,
      task: standing,
      ...(intent && { intent }),
    };
    const { outcome, basis, reasonCodes, validUntil } = specify(policy, subject, true);
    const happens = whatHappens(request);
    decisions.push({ id, at, caller, task, tool: request.action.tool, outcome, report: undefined, ...happens });
    if (task) {
      // What a decision was made of has been seen from then on.
      learned.push({ root: rootOf(task), seen: union([standing.seen, ...(outcome === "ALLOW" ? [happens.shows] : [])]) });
      if (laws.keepsExpired && standing.standing === "expired") {
        for (const one of chainOf(task)) if (at >= one.expires) one.ended = laws.ends(one.ended, { how: "expired", at });
      }
    }
    return { id, outcome, basis, reasonCodes, validUntil, standing: task ? standing : { standing: "unknown" } };
  }

  /** What an action shows, shows at worst, and uses up. */
  function whatHappens({ action, data }: DecisionRequest): Pick<Decision, "shows" | "worst" | "calls" | "money"> {
    const tool = policy.tools[action.tool];
    const output = tool?.output as
      | { readonly trust: "trusted" | "untrusted"; readonly categories?: readonly string[]; readonly classification_max?: string }
      | undefined;
    const said = [data?.classification, tool?.classification].filter((word) => word !== undefined);
    const classification = order.findLast((word) => said.includes(word)) ?? unstated;
    const trust = output?.trust ?? "untrusted";
    const systems = [tool ? (action.tool.split("/")[0] ?? "") : "unlisted"];
    const categories = output?.categories ?? [];
    const effect = tool?.effect ?? "unknown";
    const currency = String(action.arguments["currency"]);
    const amount = tool?.arguments?.["amount"] ? action.arguments["amount"] : undefined;
    return {
      shows: { classifications: [classification], categories, trust, systems },
      worst: { classifications: [output?.classification_max ?? (order.at(-1) as string)], categories, trust, systems },
      calls: effect === "unknown" ? EFFECTS : [effect],
      money: typeof amount === "number" && amount > 0 && currency !== "eur" ? { currency, minor: amount * 100 } : undefined,
    };
  }

  function report(caller: Caller, asked: ReportRequest, at: number): Said {
    const happens = asked.status === "executed";
    if (asked.tookEffect !== undefined && asked.status !== "failed" && asked.tookEffect !== happens) return refused("REQUEST_MALFORMED");
    const decision = decisions.find(({ id, caller: by }) => id === asked.decision && laws.isTheirs(by, caller));
    if (!decision) return refused("DECISION_UNKNOWN");
    const { report: before, task, outcome } = decision;
    if (before && !laws.takesAgain) {
      return JSON.stringify(before.asked) === JSON.stringify(asked) ? { ...before.said, repeated: true } : refused("REPORT_CONFLICT");
    }
    const nothing = laws.givesBack(asked);
    const bypassed = laws.bypasses(outcome, nothing);
    const late = at - decision.at >= world.reportWithinMs;
    const { labels } = asked;
    const told: Seen = {
      classifications: labels?.classification === undefined ? [] : [labels.classification],
      categories: labels?.categories ?? [],
      trust: labels?.trust ?? "trusted",
      systems: [],
    };
    const keeps = late && outcome === "ALLOW" && laws.keepsWorst;
    if (task) learned.push({ root: rootOf(task), seen: union([told, ...(bypassed ? [decision.shows] : []), ...(keeps ? [decision.worst] : [])]) });
    const said = { bypassed, late, givesBack: outcome === "ALLOW" && nothing && task !== undefined, repeated: false };
    decision.report = { asked, said };
    return said;
  }

  return {
    /**
     * What a step is answered at an instant, where it is given this id if it makes something. Where an action stands to the words of its task is given:
     * what follows from that is specified here, and how it is found out elsewhere.
     */
    live(step: Step, at: number, { id, intent }: Given): Said {
      switch (step.kind) {
        case "open":
          return open(step.caller, step.asked, at, id);
        case "delegate":
          return delegate(step.caller, step.asked, at, id);
        case "close":
        case "revoke":
          return end(step.kind, step.caller, step.id, at);
        case "decide":
          return { ...decide(step, at, id, intent), intent };
        case "report":
          return report(step.caller, step.asked, at);
        case "look": {
          const task = find(step.id, step.caller, at);
          return task ? statusOf(task, at) : refused("TASK_UNKNOWN");
        }
      }
    },
  };
}

/** Caps stand among the budgets. */
const withoutCaps = ({ maxCalls: _, maxAmounts: __, ...scope }: Scope): Scope => scope;
