import { GRADES, type Grade } from "./intent/grades.ts";
import { ALIGNMENTS } from "./intent/scope.ts";
import { type IntentStanding, NOTHING_FOUND, OBJECT_STANDINGS, SCOPE_STANDINGS } from "./intent/standing.ts";
import { isList, isObject, type Known } from "./json.ts";
import { ARGUMENT_ROLES, type ArgumentRole } from "./policy.ts";
import type { DecisionRequest } from "./request.ts";
import { type Situation, type Subject, situate } from "./situation.ts";
import { type Budget, percentUsed } from "./tasks/budget.ts";
import { SCOPE_KINDS } from "./tasks/registered.ts";
import type { RegisteredStanding } from "./tasks/standing.ts";
import { AGENT_STATUSES, AGENT_TRUST_LEVELS, EFFECTS, type Json, type JsonObject, REVERSIBILITIES, TRUST_LEVELS } from "./words.ts";

/** The situation in which a fact has another value; undefined where it cannot have that value. */
type Change = (situation: Situation, value: Known, path: readonly (string | number)[]) => Situation | undefined;

/**
 * How each fact can be otherwise, for explanations that ask what would be if it were. Facts that follow from the same thing stay in step: a
 * changed rank is a changed classification. Who asks for whom, the tool and the resource are left out: they are the question itself.
 */
export const CHANGES: Readonly<Record<string, Change>> = {
  session: (situation, value) => (isText(value) ? withRequest(situation, { session: value }) : undefined),
  "agent.registered": (situation, value) => (value === false ? { ...situation, agent: undefined } : undefined),
  "agent.trust": (situation, value) => {
    if (value === "unregistered") return { ...situation, agent: undefined };
    const trust = AGENT_TRUST_LEVELS.find((level) => level === value);
    const { id } = situation.subject.request.agent;
    return trust && { ...situation, agent: { id, status: "active", reach: situation.policy.settings.reachDefault, ...situation.agent, trust } };
  },
  "agent.owner": (situation, value) => (situation.agent && isText(value) ? { ...situation, agent: { ...situation.agent, owner: value } } : undefined),
  "agent.status": (situation, value) => {
    const { agent, outOfService } = situation;
    if (value === "unregistered") return { ...situation, agent: undefined };
    const status = AGENT_STATUSES.find((word) => word === value);
    if (!agent || !status || status === "unregistered") return undefined;
    const others = [...outOfService].filter(([id]) => id !== agent.id);
    return { ...situation, agent: { ...agent, status }, outOfService: new Map(status === "active" ? others : [...others, [agent.id, status]]) };
  },
  "agent.review_overdue": (situation, value) => {
    if (!situation.agent || typeof value !== "boolean") return undefined;
    const { overdueFrom: _, ...agent } = situation.agent;
    return { ...situation, agent: value ? { ...agent, overdueFrom: situation.subject.at } : agent };
  },
  "agent.approvals_asked": (situation, value) => withAsked(situation, { byAgent: value }),
  "agent.attributes": (situation, value, path) => {
    const { agent } = situation.subject.request;
    return withRequest(situation, { agent: { ...agent, attributes: withEntry(agent.attributes, path, value) } });
  },

  "principal.attributes": (situation, value, path) =>
    withRegistered(situation, ({ principal, ...rest }) => ({
      ...rest,
      principal: { ...principal, attributes: withEntry(principal.attributes, path, value) },
    })),

  "task.registered": (situation, value) => (value === false ? unregistered(situation) : undefined),
  "task.scope_kind": (situation, value) => {
    if (value === "none") return unregistered(situation);
    const scopeKind = SCOPE_KINDS.find((kind) => kind === value);
    return scopeKind && withRegistered(situation, (registered) => ({ ...registered, scopeKind }));
  },
  "task.reworded": (situation, value) =>
    isFlag(value) ? withRegistered(situation, ({ reworded: _, ...rest }) => ({ ...rest, ...(value && { reworded: value }) })) : undefined,
  "task.statement_expired": (situation, value) =>
    isFlag(value)
      ? withRegistered(situation, ({ statementExpired: _, ...rest }) => ({ ...rest, ...(value && { statementExpired: value }) }))
      : undefined,
  "task.budget_used_percent": (situation, value) => {
    const budgets = isCount(value) ? situation.subject.task.registered?.budgets?.map((budget) => usedUpTo(budget, value)) : undefined;
    if (!budgets || percentUsed(budgets) !== value) return undefined;
    return withRegistered(situation, (registered) => ({ ...registered, budgets }));
  },
  "task.unreported": (situation, value) => {
    const { unreported: _, ...task } = situation.subject.task;
    return isCount(value) ? withTask(situation, { ...task, ...(value > 0 && { unreported: value }) }) : undefined;
  },
  "task.statement_given": (situation, value) => {
    if (typeof value !== "boolean") return undefined;
    const { statement = "a task", ...task } = situation.subject.task;
    return withTask(situation, value ? { ...task, statement } : task);
  },
  "task.restated": (situation, value) =>
    typeof value === "boolean" ? withTask(situation, { ...situation.subject.task, restated: value }) : undefined,
  "task.approvals_asked": (situation, value) => withAsked(situation, { forTask: value }),
  "task.endorsed_values": (situation, value) => withEndorsed(situation, { values: value }),
  "task.endorsed_sources": (situation, value) => withEndorsed(situation, { sources: value }),
  "task.seen.classification": (situation, value) => {
    const known = situation.policy.settings.classification.order.find((word) => word === value);
    return withSeen(situation, known === undefined ? undefined : { classifications: [known] });
  },
  "task.seen.classification_rank": (situation, value) => {
    const classification = classificationAt(situation, value);
    return withSeen(situation, classification === undefined ? undefined : { classifications: [classification] });
  },
  "task.seen.categories": (situation, value) => withSeen(situation, isWords(value) ? { categories: value } : undefined),
  "task.seen.trust": (situation, value) => {
    const trust = TRUST_LEVELS.find((level) => level === value);
    return withSeen(situation, trust && { trust });
  },
  "task.seen.systems": (situation, value) => withSeen(situation, isWords(value) ? { systems: value } : undefined),

  "scorer.answered": (situation, value) => (isFlag(value) ? withScorer(situation, value ? {} : undefined) : undefined),
  "scorer.risk": (situation, value) => {
    if (value === undefined) return withScorer(situation, undefined);
    return isCount(value) && value <= 100 ? withScorer(situation, { risk: value }) : undefined;
  },

  "chain.depth": (situation, value) => (isCount(value) ? { ...situation, chainDepth: value } : undefined),
  "chain.weakest_hop": (situation, value) => {
    const { registered } = situation.subject.task;
    // Whoever was added below the task's own chain would have been handed it on.
    if (registered) return value === "registered" ? { ...situation, handedOn: [] } : undefined;
    if (value !== "none") return undefined;
    const { delegation: _, ...request } = situation.subject.request;
    return situate(situation.policy, { ...situation.subject, request });
  },
  "chain.person_distance": (situation, value) =>
    value === "none" ? withRegistered(situation, ({ principal, ...rest }) => ({ ...rest, principal: { ...principal, type: "service" } })) : undefined,
  "chain.least_trust": (situation, value) => {
    const leastTrust = AGENT_TRUST_LEVELS.find((level) => level === value);
    return leastTrust && { ...situation, leastTrust };
  },
  "chain.crosses_owner": (situation, value) => (isFlag(value) ? { ...situation, crossesOwner: value } : undefined),

  "action.operation": (situation, value) => {
    const { operation: _, ...action } = situation.subject.request.action;
    if (!isText(value)) return undefined;
    return resituated(situation, { action: value === "none" ? action : { ...action, operation: value } });
  },
  "action.effect": (situation, value) => {
    const effect = EFFECTS.find((word) => word === value);
    return effect && { ...situation, effect, listedEffect: effect };
  },
  "action.arguments": (situation, value, path) => {
    const { action } = situation.subject.request;
    return resituated(situation, { action: { ...action, arguments: withEntry(action.arguments, path, value) } });
  },
  "action.arguments_truncated": (situation, value) => {
    const { action } = situation.subject.request;
    return typeof value === "boolean" ? withRequest(situation, { action: { ...action, argumentsTruncated: value } }) : undefined;
  },
  "action.secret_count": (situation, value) => (isCount(value) ? withSubject(situation, { masked: value }) : undefined),
  "action.target_count": (situation, value) => (isCount(value) ? { ...situation, targetCount: value } : undefined),
  "action.destination_count": (situation, value) => (isCount(value) ? { ...situation, destinationCount: value } : undefined),
  "action.resource_obscured": (situation, value) => (typeof value === "boolean" ? { ...situation, resourceObscured: value } : undefined),

  "tool.listed": (situation, value) =>
    value === false ? { ...situation, tool: undefined, reversibility: "unknown", effect: "unknown", listedEffect: "unknown" } : undefined,
  "tool.owner": (situation, value) => (situation.tool && isText(value) ? { ...situation, tool: { ...situation.tool, owner: value } } : undefined),
  "tool.definition_pinned": (situation, value) => {
    if (!situation.tool || typeof value !== "boolean") return undefined;
    const { definitionDigest: pinned, ...tool } = situation.tool;
    const digest = pinned ?? situation.subject.request.action.toolDefinitionDigest ?? SOME_DIGEST;
    return { ...situation, tool: value ? { ...tool, definitionDigest: digest } : tool };
  },
  "tool.definition_stated": (situation, value) => {
    const { toolDefinitionDigest: stated, ...action } = situation.subject.request.action;
    if (typeof value !== "boolean") return undefined;
    const digest = stated ?? situation.tool?.definitionDigest ?? SOME_DIGEST;
    return withRequest(situation, { action: value ? { ...action, toolDefinitionDigest: digest } : action });
  },
  "tool.drifted": (situation, value) => {
    const { action } = situation.subject.request;
    const pinned = situation.tool?.definitionDigest;
    if (pinned === undefined || action.toolDefinitionDigest === undefined || typeof value !== "boolean") return undefined;
    const other = pinned === SOME_DIGEST ? OTHER_DIGEST : SOME_DIGEST;
    return withRequest(situation, { action: { ...action, toolDefinitionDigest: value ? other : pinned } });
  },
  "tool.reversibility": (situation, value) => {
    const reversibility = REVERSIBILITIES.find((word) => word === value);
    return reversibility && { ...situation, reversibility };
  },

  "resource.attributes": (situation, value, path) => {
    const { action } = situation.subject.request;
    if (!action.resource) return undefined;
    const attributes = withEntry(action.resource.attributes, path, value);
    return resituated(situation, { action: { ...action, resource: { ...action.resource, attributes } } });
  },

  "data.classification": (situation, value) =>
    isText(value) ? withRank(situation, situation.policy.settings.classification.order.indexOf(value)) : undefined,
  "data.classification_rank": (situation, value) => withRank(situation, value),
  "data.classification_stated": (situation, value) => (typeof value === "boolean" ? { ...situation, classificationStated: value } : undefined),
  "data.categories": (situation, value) => (isWords(value) ? { ...situation, categories: value, categoriesStated: value.length > 0 } : undefined),
  "data.categories_stated": (situation, value) => (value === false ? { ...situation, categories: [], categoriesStated: false } : undefined),

  "intent.scope": (situation, value) => {
    const scope = SCOPE_STANDINGS.find((word) => word === value);
    return withFound(situation, scope && { scope });
  },
  "intent.alignment": (situation, value) => {
    const alignment = ALIGNMENTS.find((word) => word === value);
    return withFound(situation, alignment && { alignment });
  },
  "intent.object": (situation, value) => {
    const object = OBJECT_STANDINGS.find((word) => word === value);
    return withFound(situation, object && { object });
  },
  ...Object.fromEntries(
    ARGUMENT_ROLES.map((role): [string, Change] => [`provenance.${role}`, (situation, value) => withGrade(situation, role, value)]),
  ),

  "context.environment": (situation, value) => (isText(value) ? { ...situation, environment: value } : undefined),
  "context.attributes": (situation, value, path) => {
    const { context } = situation.subject.request;
    return withRequest(situation, { context: { ...context, attributes: withEntry(context?.attributes, path, value) } });
  },
};

const [SOME_DIGEST, OTHER_DIGEST] = [`sha256:${"0".repeat(64)}`, `sha256:${"1".repeat(64)}`];

const isText = (value: Known): value is string => typeof value === "string" && value !== "";
const isFlag = (value: Known): value is boolean => typeof value === "boolean";
const isCount = (value: Known): value is number => typeof value === "number" && Number.isInteger(value) && value >= 0;
const isWords = (value: Known): value is readonly string[] => isList(value) && value.every((item) => typeof item === "string");

const withSubject = (situation: Situation, changed: Partial<Subject>): Situation => ({ ...situation, subject: { ...situation.subject, ...changed } });
const withRequest = (situation: Situation, changed: Partial<DecisionRequest>): Situation =>
  withSubject(situation, { request: { ...situation.subject.request, ...changed } });
const withTask = (situation: Situation, task: Subject["task"]): Situation => withSubject(situation, { task });
const withSeen = (situation: Situation, changed: Partial<Subject["task"]["seen"]> | undefined): Situation | undefined => {
  const { task } = situation.subject;
  return changed && withTask(situation, { ...task, seen: { ...task.seen, ...changed } });
};

function withRegistered(situation: Situation, change: (registered: RegisteredStanding) => RegisteredStanding): Situation | undefined {
  const { task } = situation.subject;
  return task.registered && withTask(situation, { ...task, registered: change(task.registered) });
}

/** One that says so much, or nothing. */
function withScorer(situation: Situation, said: { readonly risk?: number } | undefined): Situation {
  const { scorer: before, ...subject } = situation.subject;
  const scorer = said && { id: "some-scorer", version: "1", risk: 0, reason: "", ...before, ...said };
  return { ...situation, subject: { ...subject, ...(scorer && { scorer }) } };
}

function withAsked(situation: Situation, changed: { readonly byAgent?: Known; readonly forTask?: Known }): Situation | undefined {
  const { byAgent, forTask } = { byAgent: 0, forTask: 0, ...situation.subject.asked, ...changed };
  return isCount(byAgent) && isCount(forTask) ? withSubject(situation, { asked: { byAgent, forTask } }) : undefined;
}

function withEndorsed(situation: Situation, changed: { readonly values?: Known; readonly sources?: Known }): Situation | undefined {
  const { values, sources } = { values: [], sources: [], ...situation.subject.endorsed, ...changed };
  return isWords(values) && isWords(sources) ? withSubject(situation, { endorsed: { values, sources } }) : undefined;
}

const withFound = (situation: Situation, changed: Partial<IntentStanding> | undefined): Situation | undefined =>
  changed && withSubject(situation, { intent: { ...(situation.subject.intent ?? NOTHING_FOUND), ...changed } });

/** Where a value comes from. What the call does not name comes from nowhere, and to leave out what it names is no way to have it allowed. */
function withGrade(situation: Situation, role: ArgumentRole, value: Known): Situation | undefined {
  const { provenance } = situation.subject.intent ?? NOTHING_FOUND;
  const grade = GRADES.find((word) => word === value);
  return grade && provenance[role] !== undefined ? withFound(situation, { provenance: { ...provenance, [role]: grade } }) : undefined;
}

/** Known from the words of the task alone, or from whom it is for. */
const FROM_THE_TASK: ReadonlySet<Grade> = new Set(["stated", "own", "same_host", "named_source"]);

/** Nothing comes any more from what an initiator said. */
function withoutTheTask(situation: Situation): Situation {
  const { intent } = situation.subject;
  if (!intent) return situation;
  const graded = Object.entries(intent.provenance).map(([role, grade]) => [role, FROM_THE_TASK.has(grade) ? "unseen" : grade]);
  return withSubject(situation, { intent: { ...intent, provenance: Object.fromEntries(graded) } });
}

/** The same task, had no initiator opened it. */
function unregistered(situation: Situation): Situation {
  const { registered: _, ...task } = situation.subject.task;
  return { ...withTask(withoutTheTask(situation), task), handedOn: [] };
}

/** A budget of which so much is used, in percent of each cap. */
function usedUpTo(budget: Budget, percent: number): Budget {
  const used = (caps: Readonly<Record<string, number>>): Readonly<Record<string, number>> =>
    Object.fromEntries(Object.entries(caps).map(([name, max]) => [name, Math.ceil((max * percent) / 100)]));
  return { ...budget, spent: { calls: used(budget.maxCalls ?? {}), amounts: used(budget.maxAmounts ?? {}) } };
}

/** Resources, labels and the effect follow from these parts of the request. */
const resituated = (situation: Situation, changed: Partial<DecisionRequest>): Situation =>
  situate(situation.policy, withRequest(situation, changed).subject);

const classificationAt = ({ policy }: Situation, rank: Known): string | undefined =>
  isCount(rank) ? policy.settings.classification.order[rank] : undefined;

function withRank(situation: Situation, rank: Known): Situation | undefined {
  const classification = classificationAt(situation, rank);
  return classification === undefined || !isCount(rank)
    ? undefined
    : { ...situation, classification, classificationRank: rank, classificationStated: true };
}

/** An open map with one entry set, or taken out when the value is undefined. */
function withEntry(map: Json | undefined, [key, ...rest]: readonly (string | number)[], value: Known): JsonObject {
  const before: JsonObject = isObject(map) ? map : {};
  if (typeof key !== "string") return before;
  const { [key]: there, ...others } = before;
  const inside = rest.length === 0 ? value : typeof rest[0] === "number" ? withItem(there, rest, value) : withEntry(there, rest, value);
  return inside === undefined ? others : { ...others, [key]: inside };
}

function withItem(list: Json | undefined, [at, ...rest]: readonly (string | number)[], value: Known): Json | undefined {
  if (typeof at !== "number") return list;
  const items = isList(list) ? [...list] : [];
  const inside = rest.length === 0 ? value : typeof rest[0] === "number" ? withItem(items[at], rest, value) : withEntry(items[at], rest, value);
  while (items.length < at) items.push(null);
  if (inside === undefined) items.splice(at, 1);
  else items[at] = inside;
  return items;
}
