import type { Hop } from "../core/request.ts";
import { type Budget, CURRENCY, NOTHING_SPENT, type Spent } from "../core/tasks/budget.ts";
import { type Principal, SCOPE_KINDS, type ScopeKind } from "../core/tasks/registered.ts";
import { type Amounts, type CallCounts, type Scope, stated as statedParts } from "../core/tasks/scope.ts";
import type { Seen } from "../core/tasks/seen.ts";
import { type RegisteredStanding, STANDINGS, type TaskStanding } from "../core/tasks/standing.ts";
import { EFFECTS, type Effect, type Instant, instant, type JsonObject, TRUST_LEVELS } from "../core/words.ts";
import { type CaseIntent, type CaseObserved, intentShape, observedShape } from "./case-observed.ts";
import {
  type Document,
  described,
  flag,
  integer,
  jsonObject,
  listOf,
  mapOf,
  matching,
  type Node,
  object,
  oneOf,
  type Read,
  reading,
  text,
} from "./document.ts";

/** How the task of the request stands before it; what is left out is what a new task has. */
export interface CaseTask {
  readonly standing?: TaskStanding["standing"];
  /** The task's first statement, where it is another one than the request's. */
  readonly statement?: string;
  readonly restated?: boolean;
  readonly seen?: Partial<Seen>;
  readonly unreported?: number;
  /** What its earlier calls returned, in their order. */
  readonly observed?: readonly CaseObserved[];
  /** What was found of the action beside the words of the task, where a record says so. */
  readonly intent?: CaseIntent;
  readonly registered?: CaseRegistered;
}

/** What a case says of a registered task. Budgets are in the words of the files. */
export interface CaseRegistered {
  /** `user:…` or `service:…`. */
  readonly principal?: string;
  readonly principal_attributes?: JsonObject;
  readonly issuer?: string;
  readonly scope_kind?: ScopeKind;
  readonly scope?: CaseScope;
  readonly spent?: CaseSpent;
  /** The caps of the tasks above it, and what was used of them. */
  readonly above?: readonly (CaseCaps & { readonly spent?: CaseSpent })[];
  /** How many hops of the request's chain are the task's own. */
  readonly hops?: number;
  readonly reworded?: boolean;
  readonly root_statement?: string;
  readonly statement_expired?: boolean;
}

export interface CaseCaps {
  readonly max_calls?: CallCounts;
  readonly max_amounts?: Amounts;
}

/** Of a task and of all that is below it, before the request. */
export type CaseSpent = Partial<Spent>;

export interface CaseScope extends CaseCaps {
  readonly tools?: readonly string[];
  readonly effects?: readonly Effect[];
  readonly resources?: readonly string[];
  readonly max_classification?: string;
  readonly delegates?: readonly string[];
  readonly max_depth?: number;
}

const COUNT_MAX = Number.MAX_SAFE_INTEGER;

/** An object as plain data, so that a fixture's and a case's can be merged. */
const plainMap = <K extends string>(key: Read<K>): Read<Readonly<Partial<Record<K, number>>>> => {
  const map = mapOf(integer(0, COUNT_MAX), key);
  return reading(map.schema, (node: Node, document: Document) => {
    const read = map(node, document);
    return read && (Object.fromEntries(read) as Partial<Record<K, number>>);
  });
};

const calls = plainMap(oneOf(EFFECTS));
const amounts = plainMap(matching(CURRENCY, "a currency's code of three capital letters, such as `EUR`")) as Read<Amounts>;

const caps = {
  max_calls: described(calls, "how many calls may be allowed, by effect"),
  max_amounts: described(amounts, "how much may be moved, by currency, in its smallest unit"),
};

const spentShape = described(
  object({}, { calls: described(calls, "calls that were allowed, by effect"), amounts: described(amounts, "by currency, in its smallest unit") }),
  "what was used of its budgets before, by it and all that was handed on from it",
);

const scopeShape = object(
  {},
  {
    tools: described(listOf(text), "globs of tools"),
    effects: described(listOf(oneOf(EFFECTS)), "effects"),
    resources: described(listOf(text), "globs of resources"),
    max_classification: described(text, "the highest classification of data"),
    ...caps,
    delegates: described(listOf(text), "globs of agents to which the task may be handed on"),
    max_depth: described(integer(0, COUNT_MAX), "how many times the task may be handed on, one below the other"),
  },
);

/** Nobody that the starter policy asks, so that a case asks others unless it says otherwise. */
const PRINCIPAL = "user:alice";
/** The caller that opens the tasks of cases. */
const ISSUER = "local-initiator";

const registeredShape = object(
  {},
  {
    principal: described(matching(/^(user|service):./, "`user:…` or `service:…`"), {
      description: "whom the task is for, as its initiator says",
      default: PRINCIPAL,
    }),
    principal_attributes: described(jsonObject, "what its initiator says of whom it is for"),
    issuer: described(text, { description: "the caller that opened it, or its root", default: ISSUER }),
    scope_kind: described(oneOf(SCOPE_KINDS), { description: "who stands behind its scope", default: "issued" }),
    scope: described(scopeShape, "what it may be used for; a list that is left out restricts nothing"),
    spent: spentShape,
    above: described(listOf(object({}, { ...caps, spent: spentShape })), "the caps of the tasks above it, the root's first"),
    hops: described(integer(2, 100), "how many hops of `delegation` are the task's own; unless stated, all: what follows is the caller's word"),
    reworded: described(flag, "whether it was handed on in other words than its root's"),
    root_statement: described(text, "the words of its root, where it was handed on in others; unless stated, they say nothing then"),
    statement_expired: described(flag, "whether the time of its words is over"),
  },
);

export const caseTaskShape: Read<CaseTask> = object(
  {},
  {
    standing: described(oneOf(STANDINGS), {
      description: "how the task stands that the request belongs to; `open` unless stated where it is a registered one",
      default: "new",
    }),
    statement: described(text, "the task's first statement, where it is another one than the request's"),
    restated: described(flag, "whether the request states another task than the one it belongs to"),
    seen: described(
      object(
        {},
        {
          classifications: described(listOf(text), "of the data it has seen"),
          categories: described(listOf(text), "of the data it has seen"),
          trust: described(oneOf(TRUST_LEVELS), "the least trust of what it has seen"),
          systems: described(listOf(text), "the servers it has called"),
        },
      ),
      "what the task had seen before; parts left out are what a new task has",
    ),
    unreported: described(integer(0, COUNT_MAX), "how many of its allowed calls were not reported in time"),
    observed: described(observedShape, "what its earlier calls returned, in their order, as reports said it"),
    intent: described(intentShape, "what was found of the action beside the words of the task, as a record has it; unless stated, it is found anew"),
    registered: described(registeredShape, "says that an initiator opened the task, or that it was handed on below one that was"),
  },
);

/** Why a task cannot stand so; undefined where it can. */
export function whyImpossible({ standing, registered, observed, intent }: CaseTask): string | undefined {
  if (registered && (standing === "new" || standing === "unknown")) return `a registered task is never \`${standing}\`; leave out \`registered\``;
  if (!registered && (standing === "expired" || standing === "revoked"))
    return `only a registered task is \`${standing}\`; say \`registered\`, which may be \`{}\``;
  if (observed && intent) return "what was found is said by `intent`, so that nothing is looked for in `observed`; leave out one of the two";
  if (registered?.root_statement !== undefined && registered.reworded === false)
    return "a task that is not `reworded` has its root's words; leave out `root_statement`";
  return undefined;
}

/** What a case's registered task is called where its request gives it no name. */
export const CASE_TASK = "case";

const principalOf = (word: string = PRINCIPAL, attributes?: JsonObject): Principal => {
  const colon = word.indexOf(":");
  const type = word.startsWith("user:") ? "user" : "service";
  return { type, id: word.slice(colon + 1), ...(attributes && { attributes }) };
};

/** The chain of a request that states none: whom the task is for, and the agent. */
export function ownChain({ principal }: CaseRegistered, agent: string): readonly Hop[] {
  const { type, id } = principalOf(principal);
  return [
    { type, id },
    { type: "agent", id: agent, taskId: CASE_TASK },
  ];
}

interface Standing {
  readonly id: string;
  /** Hops of the request's chain. */
  readonly hops: number;
  readonly at: Instant;
}

const DAY_MS = 86_400_000;

/** A registered task as a decision reads it. */
export function registeredOf(stated: CaseRegistered, { id, hops: all, at }: Standing): RegisteredStanding {
  const { principal, principal_attributes: attributes, scope_kind: scopeKind = "issued", scope = {}, hops = all, above = [] } = stated;
  const { issuer = ISSUER } = stated;
  const depth = Math.max(0, hops - 2);
  const budgets = [...above.map((one, index) => budgetOf(`above-${index + 1}`, one, one.spent)), budgetOf(id, scope, stated.spent)].filter(
    ({ maxCalls, maxAmounts }) => maxCalls || maxAmounts,
  );
  return {
    root: depth === 0 ? id : "root",
    depth,
    principal: principalOf(principal, attributes),
    issuer,
    scopeKind,
    ...((scopeKind === "issued" || depth > 0) && { boundary: scopeOf(scope) }),
    hops,
    ...(budgets.length > 0 && { budgets }),
    ...((stated.reworded ?? stated.root_statement !== undefined) && { reworded: true }),
    ...(stated.statement_expired && { statementExpired: true }),
    // Later than any decision lasts: a case does not say when its task ends.
    until: instant(at + 366 * DAY_MS),
  };
}

function budgetOf(task: string, { max_calls: maxCalls, max_amounts: maxAmounts }: CaseCaps, spent: CaseSpent | undefined): Budget {
  return { task, spent: { ...NOTHING_SPENT, ...spent }, ...(maxCalls && { maxCalls }), ...(maxAmounts && { maxAmounts }) };
}

/** Without its caps, which are read as budgets. */
function scopeOf({ tools, effects, resources, max_classification, delegates, max_depth }: CaseScope): Scope {
  return statedParts({
    tools,
    effects,
    resources,
    maxClassification: max_classification,
    maxCalls: undefined,
    maxAmounts: undefined,
    delegates,
    maxDepth: max_depth,
  });
}
