import type { Subject } from "../../src/core/situation.ts";
import type { Budget } from "../../src/core/tasks/budget.ts";
import type { Scope } from "../../src/core/tasks/scope.ts";
import { AGENT_TRUST_LEVELS, EFFECTS, type Effect, type Json, type ReasonCode } from "../../src/core/words.ts";
import type { Facts } from "./random-rules.ts";
import { isObscured, matchesGlob } from "./resource-model.ts";
import type { Laws, PolicyJson, ToolJson } from "./specification.ts";

/** What a registered task adds to a decision, as design.md §1 to §4 and the issue of tasks tell it; naive on purpose, a part of the specification. */

/** What the rest of the specification has found out about the action. */
export interface ActionModel {
  readonly tool: ToolJson | undefined;
  /** The catalog's word, and the worse one of it and the request's. */
  readonly listed: Effect;
  readonly effect: Effect;
  readonly resources: readonly string[];
  readonly rank: number;
}

interface Cap {
  readonly used: number;
  readonly max: number;
}

export const TASK_LAWS = {
  /** What says no to a task that does not stand, whichever kind it is. */
  refusals: {
    open: undefined,
    new: undefined,
    unknown: "TASK_UNKNOWN",
    closed: "TASK_CLOSED",
    expired: "TASK_EXPIRED",
    revoked: "TASK_REVOKED",
    mismatch: "CHAIN_MISMATCH",
  } satisfies Record<Subject["task"]["standing"], ReasonCode | undefined> as Readonly<Record<Subject["task"]["standing"], ReasonCode | undefined>>,
  /** An agent of another tenant serves nobody here, wherever it stands in the chain. */
  serving: (chain: readonly string[]): readonly string[] => chain,
  /** What an initiator issued is granted by people, as long as the chain is the task's own. */
  authorizes: (kind: string, added: number): boolean => kind === "issued" && added === 0,
  /** What the words of a planner's task ask for may be inferred, unless it goes to somebody whom nobody vouches for. */
  infers: ({ scope, provenance }: NonNullable<Subject["intent"]>): boolean =>
    scope === "inside" && !["free_text", "unseen"].includes(provenance.destination ?? "none"),
  /** Neither is what was handed on below the task's agent. */
  infersBelow: (added: number): boolean => added === 0,
  /** A list that is unset restricts nothing, one that is empty allows nothing. */
  allows: (list: readonly string[] | undefined, text: string): boolean => list === undefined || list.some((glob) => matchesGlob(glob, text)),
  /** Only `*` covers what names no resource, or one in an obscured spelling. */
  within: (globs: readonly string[] | undefined, resources: readonly string[]): boolean =>
    globs === undefined ||
    globs.includes("*") ||
    (resources.length > 0 && resources.every((resource) => !isObscured(resource) && globs.some((glob) => matchesGlob(glob, resource)))),
  /** Whoever the caller adds below the task's agent was handed the task on. */
  handsOn: ({ delegates, maxDepth }: Scope, added: readonly string[]): boolean =>
    (delegates === undefined || added.every((agent) => delegates.some((glob) => matchesGlob(glob, agent)))) &&
    (maxDepth === undefined || added.length <= maxDepth),
  /** A cap that the policy does not list allows nothing. */
  cap: (order: readonly string[], cap: string): number => order.indexOf(cap),
  /** A worse word of the request's is no way around a cap, and what nobody knows counts as everything. */
  charged: (listed: Effect, effect: Effect): readonly Effect[] => ([listed, effect].includes("unknown") ? EFFECTS : [listed, effect]),
  /** A child's budget is a cap and no share: those above it count as well. */
  counted: (budgets: readonly Budget[]): readonly Budget[] => budgets,
  isOver: ({ used, max }: Cap, more: number): boolean => used + more > max,
  /** A currency that is not named may not be moved. */
  amount: (amounts: Readonly<Record<string, number>>, currency: string): number => amounts[currency] ?? 0,
  /** What cannot be read is over any budget. */
  spendsUnclear: false,
  /** How many decimal digits the smallest unit has (ISO 4217). */
  digits: (currency: string): number => ({ JPY: 0, KWD: 3 })[currency] ?? 2,
  /** Several amounts of one call add up. */
  total: (amounts: readonly bigint[]): bigint => amounts.reduce((sum, amount) => sum + amount, 0n),
  /** Of the cap that is nearest its end; one of nothing is never nearly used up. */
  percent: (caps: readonly Cap[]): number =>
    Math.min(100, Math.max(0, ...caps.filter(({ max }) => max > 0).map(({ used, max }) => Math.floor((used * 100) / max)))),
  /** At the instant at which a task expires it has expired. */
  lastMoment: (until: number): number => until - 1,
  /** To be told other words than those that were registered is worth a remark. */
  remarks: (restated: boolean): boolean => restated,
  /** An issuer who is asked has not issued. */
  isAvailable: (outside: boolean, authorized: boolean): boolean => outside || !authorized,
  /** The first of these that is worse than the rest. */
  leastTrust: (levels: readonly string[]): string | undefined => [...AGENT_TRUST_LEVELS].reverse().find((level) => levels.includes(level)),
  /** Who answers to nobody shares that with nobody. */
  crosses: (owners: readonly (string | undefined)[]): boolean => owners.length > 1 && (new Set(owners).size > 1 || owners.includes(undefined)),
  /** Only a person whom an initiator named is anywhere near. */
  distance: (type: string | undefined, agents: number): string => (type !== "user" ? "none" : agents > 8 ? "more" : String(agents)),
};

const own = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined => (Object.hasOwn(table, name) ? table[name] : undefined);

/** Who acts, and every agent that the work was handed on by. */
export const agentsOf = ({ request }: Subject): readonly string[] => [
  ...new Set([...(request.delegation ?? []).flatMap(({ type, id }) => (type === "agent" ? [id] : [])), request.agent.id]),
];

/** Those below the task's own chain. */
const addedTo = ({ request, task }: Subject): readonly string[] =>
  (request.delegation ?? []).filter((_, index) => task.registered !== undefined && index >= task.registered.hops).map(({ id }) => id);

export function taskFacts(policy: PolicyJson, subject: Subject, laws: Laws): Facts {
  const { task, request } = subject;
  const { registered } = task;
  const agents = agentsOf(subject).map((id) => own(policy.agents, id));
  const chain = request.delegation ?? [];
  const budgets = laws.counted(registered?.budgets ?? []);
  return {
    "principal.type": registered?.principal.type ?? "none",
    "principal.id": registered?.principal.id ?? "none",
    "principal.attributes": registered?.principal.attributes,
    "task.registered": registered !== undefined,
    "task.scope_kind": registered?.scopeKind ?? "none",
    "task.reworded": registered?.reworded ?? false,
    "task.statement_expired": registered?.statementExpired ?? false,
    "task.budget_used_percent": laws.percent(budgets.flatMap(capsOf)),
    "task.unreported": task.unreported ?? 0,
    "chain.depth": Math.max(0, chain.filter(({ type }) => type === "agent").length - 1),
    "chain.weakest_hop": registered ? (addedTo(subject).length > 0 ? "asserted" : "registered") : chain.length > 0 ? "asserted" : "none",
    "chain.person_distance": laws.distance(registered?.principal.type, Math.max(1, chain.length - 1)),
    "chain.least_trust": laws.leastTrust(agents.map((agent) => agent?.trust ?? "unregistered")),
    "chain.crosses_owner": laws.crosses(agents.map((agent) => agent?.owner)),
  };
}

const capsOf = ({ spent, maxCalls = {}, maxAmounts = {} }: Budget): readonly Cap[] => [
  ...Object.entries(maxCalls).map(([effect, max]) => ({ used: spent.calls[effect as Effect] ?? 0, max })),
  ...Object.entries(maxAmounts).map(([currency, max]) => ({ used: spent.amounts[currency] ?? 0, max })),
];

/** Whether the action lies outside what was given, apart from data and budgets. */
export function isOutside(subject: Subject, action: ActionModel, laws: Laws): boolean {
  const boundary = subject.task.registered?.boundary;
  if (!boundary) return false;
  return !(
    laws.allows(boundary.tools, subject.request.action.tool) &&
    (boundary.effects === undefined || laws.named(action.listed, action.effect).every((effect) => boundary.effects?.includes(effect))) &&
    laws.within(boundary.resources, action.resources) &&
    laws.handsOn(boundary, addedTo(subject))
  );
}

/** What bounds a registered task beside its standing, in the order in which it is reported. */
export function boundsOf(policy: PolicyJson, subject: Subject, action: ActionModel, laws: Laws): readonly ReasonCode[] {
  const { registered } = subject.task;
  if (!registered) return [];
  const { boundary, budgets = [] } = registered;
  const codes: ReasonCode[] = [];
  if (isOutside(subject, action, laws) && policy.settings.outside_issued_scope === "deny") codes.push("OUTSIDE_SCOPE");
  const cap = boundary?.maxClassification;
  if (cap !== undefined && action.rank > laws.cap(policy.settings.classification.order, cap)) codes.push("CLASSIFICATION_EXCEEDED");
  if (laws.counted(budgets).some((budget) => isOverBudget(budget, subject, action, laws))) codes.push("BUDGET_SPENT");
  return codes;
}

function isOverBudget({ spent, maxCalls = {}, maxAmounts }: Budget, subject: Subject, action: ActionModel, laws: Laws): boolean {
  const calls = laws.charged(action.listed, action.effect).some((effect) => {
    const max = maxCalls[effect];
    return max !== undefined && laws.isOver({ used: spent.calls[effect] ?? 0, max }, 1);
  });
  const money = moneyOf(subject, action, laws);
  if (calls || !maxAmounts || money === "none") return calls;
  if (money === "unclear") return !laws.spendsUnclear;
  const { currency, minor } = money;
  return laws.isOver({ used: spent.amounts[currency] ?? 0, max: laws.amount(maxAmounts, currency) }, Number(minor));
}

/** What the action moves, from the catalog's roles `amount` and `currency`. */
function moneyOf({ request }: Subject, { tool, listed, effect }: ActionModel, laws: Laws) {
  const withRole = (role: string): readonly string[] => Object.entries(tool?.arguments ?? {}).flatMap(([name, its]) => (its === role ? [name] : []));
  const given = (role: string): readonly Json[] =>
    withRole(role)
      .map((name) => own(request.action.arguments, name))
      .filter((value) => value !== undefined);
  if (withRole("amount").length === 0) return [listed, effect].some((word) => word === "pay" || word === "unknown") ? "unclear" : "none";
  const currencies = given("currency");
  const [currency] = currencies;
  const isOne = currencies.every((other) => other === currency) && typeof currency === "string" && /^[A-Z]{3}$/.test(currency);
  const amounts = given("amount");
  if (request.action.argumentsTruncated || amounts.length === 0 || !isOne) return "unclear";
  const read = amounts.map((amount) => minorUnits(amount, laws.digits(currency)));
  if (read.includes(undefined)) return "unclear";
  const minor = laws.total(read.filter((amount) => amount !== undefined));
  return minor > BigInt(Number.MAX_SAFE_INTEGER) ? "unclear" : { currency, minor };
}

/** Decimal digits, at most fifteen before and after the point, and none finer than the unit. */
function minorUnits(amount: Json, digits: number): bigint | undefined {
  const text = typeof amount === "number" || typeof amount === "string" ? String(amount) : "";
  const parts = text.split(".");
  if (parts.length > 2 || !parts.every((part) => /^\d{1,15}$/.test(part))) return undefined;
  const [whole = "", fraction = ""] = parts;
  let finest = fraction;
  while (finest.endsWith("0")) finest = finest.slice(0, -1);
  return finest.length > digits ? undefined : BigInt(whole + finest.padEnd(digits, "0"));
}
