import type { ApprovalStandings } from "./approvals/standing.ts";
import type { ScorerAnswer } from "./intent/scorer.ts";
import type { IntentStanding } from "./intent/standing.ts";
import { isList, isObject } from "./json.ts";
import type { Policy, Reach, RegisteredAgent, ResourceLabel, Tool } from "./policy.ts";
import type { DecisionRequest } from "./request.ts";
import type { AppliedSuspension } from "./suspensions.ts";
import type { TaskStanding } from "./tasks/standing.ts";
import { AGENT_TRUST_LEVELS, type AgentTrust, type Effect, type Instant, type Json, type Reversibility, worseEffect } from "./words.ts";

/** All that one decision is made from, beside the policy. It is recorded whole, so the decision can be made again from its row. */
export interface Subject extends ApprovalStandings {
  readonly at: Instant;
  readonly tenant: string;
  readonly caller: string;
  /** Globs of the agents that the caller's token covers; absent: all. */
  readonly callerAgents?: readonly string[];
  /** Masked. */
  readonly request: DecisionRequest;
  /** How many values were masked. */
  readonly masked: number;
  readonly task: TaskStanding;
  /** The ALLOW that this attempt repeats after it has lapsed, or after something was suspended that covers it. */
  readonly lapsed?: string;
  /** Where the action stands to the words of its task, and where its values come from. */
  readonly intent?: IntentStanding;
  /** The suspensions that cover the action; absent if none does. */
  readonly suspended?: readonly AppliedSuspension[];
  /** What an outside judge said of it; absent: nothing that counts. */
  readonly scorer?: ScorerAnswer;
}

/** What policy and subject together say of the action: everything that facts and invariants are read from. */
export interface Situation {
  readonly policy: Policy;
  readonly subject: Subject;
  readonly tool: Tool | undefined;
  readonly agent: RegisteredAgent | undefined;
  readonly effect: Effect;
  /** The catalog's, which the request may only make worse. */
  readonly listedEffect: Effect;
  readonly reversibility: Reversibility;
  /** `type:id` of the resource, and every value and key inside a `target` argument. */
  readonly resources: readonly string[];
  /** A resource is spelled in a way that tools may read as another; see `OBSCURED`. */
  readonly resourceObscured: boolean;
  readonly targetCount: number;
  readonly destinationCount: number;
  readonly classification: string;
  readonly classificationRank: number;
  readonly classificationStated: boolean;
  /** Sorted, each once. */
  readonly categories: readonly string[];
  readonly categoriesStated: boolean;
  readonly environment: string;
  /** Agents of the chain after the first. */
  readonly chainDepth: number;
  readonly chainBroken: boolean;
  /** Agents of the chain below a registered task's own, in the caller's words. */
  readonly handedOn: readonly string[];
  /** The least trust of any agent of the chain. */
  readonly leastTrust: AgentTrust;
  /** Agents of the chain answer to different owners; one without an owner answers to none that it could share. */
  readonly crossesOwner: boolean;
  /** The reach of every agent of the chain, by agent id. */
  readonly reaches: ReadonlyMap<string, Reach>;
  /** Agents of the chain that the registry has taken out of service: they have no reach at all. */
  readonly outOfService: ReadonlyMap<string, OutOfService>;
}

export type OutOfService = Exclude<RegisteredAgent["status"], "active">;

export function situate(policy: Policy, subject: Subject): Situation {
  const { request } = subject;
  const tool = policy.tools.get(request.action.tool);
  const agent = policy.agents.get(request.agent.id);
  const targets = valuesWithRole(request, tool, "target");
  const resource = request.action.resource;
  const resources = resource ? [`${resource.type}:${resource.id}`, ...targets] : targets;
  const labels = labelsOf(policy, resources);
  return {
    policy,
    subject,
    tool,
    agent,
    ...effectsOf(request, tool),
    reversibility: tool?.reversibility ?? "unknown",
    resources,
    resourceObscured: resources.some(isObscured),
    targetCount: targets.length,
    destinationCount: valuesWithRole(request, tool, "destination").length,
    ...classify({ policy, request, tool, labels }),
    ...categorise(request, tool, labels),
    environment: request.context?.environment ?? policy.settings.environmentDefault,
    ...chainOf(policy, subject),
  };
}

/** The catalog's effect counts; the request's only if it is worse. */
export function effectsOf({ action }: Pick<DecisionRequest, "action">, tool: Tool | undefined): Pick<Situation, "effect" | "listedEffect"> {
  const { operation, effect } = action;
  const listed = tool?.operations ? (tool.operations.get(operation ?? "") ?? "unknown") : (tool?.effect ?? "unknown");
  return { effect: effect === undefined ? listed : worseEffect(listed, effect), listedEffect: listed };
}

/** The catalog's and, where that is another, the request's: what forbids either forbids the action, so that a worse word is no way round it. */
export const effectsNamed = ({ effect, listedEffect }: Pick<Situation, "effect" | "listedEffect">): readonly Effect[] =>
  effect === listedEffect ? [effect] : [listedEffect, effect];

/** Every value counts, however many: one that was left out could lie outside reach. */
function valuesWithRole(request: DecisionRequest, tool: Tool | undefined, role: "destination" | "target"): readonly string[] {
  if (!tool) return [];
  const values: string[] = [];
  for (const [name, itsRole] of tool.roles) {
    const value = request.action.arguments[name];
    if (itsRole === role && value !== undefined) collectLeaves(value, values);
  }
  return values;
}

function collectLeaves(value: Json, into: string[]): void {
  if (value === null || value === "") return;
  if (isList(value)) for (const item of value) collectLeaves(item, into);
  else if (isObject(value)) {
    for (const [key, item] of Object.entries(value)) {
      // A tool may take the key itself for a name.
      into.push(key);
      collectLeaves(item, into);
    }
  } else into.push(String(value));
}

const OBSCURED = /(^|[/:])\.{1,2}(\/|$)|\\|%[0-9a-fA-F]{2}|[\p{Cc}\p{Cf}]|^\s|\s$|::\$/u;
const isObscured = (resource: string): boolean => OBSCURED.test(resource);

/**
 * One spelling for many: how labels are written down and how resources are compared with them. Without regard to case, compatibility characters,
 * escapes, control characters, doubled or reversed slashes and `.` segments.
 */
export function plainSpelling(text: string): string {
  if (PLAIN.test(text)) return text;
  return text
    .normalize("NFKC")
    .replaceAll(/[\p{Cc}\p{Cf}]/gu, "")
    .replaceAll("\\", "/")
    .replaceAll(/\/(\.?\/)+/g, "/")
    .toLowerCase();
}

/** Has no other spelling: most resources do not. */
const PLAIN = /^[a-z0-9_@:+=~,*-]*(?:[./][a-z0-9_@:+=~,*-]+)*$/;

/** An escape may itself be escaped; three rounds undo what servers are known to undo. */
function unescaped(text: string): string {
  let plain = text;
  for (let round = 0; round < 3 && plain.includes("%"); round++) {
    plain = plain.replaceAll(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
  return plain;
}

/**
 * The spellings under which a resource is looked for among labels: as it is; without what tools drop at its end (slashes, dots, spaces, a
 * stream's name); without a query or fragment; and with `..` resolved. Labels only restrict, so one that matches is enough.
 */
function spellingsOf(resource: string): readonly string[] {
  if (PLAIN.test(resource)) return [resource];
  const plain = plainSpelling(unescaped(resource));
  const spellings = new Set([plain]);
  for (const text of [plain, plain.replace(/[?#].*$/s, "")]) {
    const resolved = text.includes("..") ? withoutParents(text) : text;
    const trimmed = resolved.replace(/::\$data$/, "").replace(/[\s./]{1,64}$/, "");
    for (const one of [text, resolved, trimmed]) spellings.add(one);
  }
  return [...spellings];
}

function withoutParents(text: string): string {
  const kept: string[] = [];
  for (const segment of text.split("/")) {
    if (segment === ".." && kept.length > 0) kept.pop();
    else kept.push(segment);
  }
  return kept.join("/");
}

const labelsOf = (policy: Policy, resources: readonly string[]): readonly ResourceLabel[] =>
  resources.flatMap((resource) => spellingsOf(resource).flatMap((spelling) => policy.resourceLabels.find(spelling)));

/** Where a classification stands; one that is not listed counts as the highest. */
export function rankOf(policy: Policy, classification: string): number {
  const { order } = policy.settings.classification;
  const rank = order.indexOf(classification);
  return rank === -1 ? order.length - 1 : rank;
}

interface Classified {
  readonly policy: Policy;
  readonly request: DecisionRequest;
  readonly tool: Tool | undefined;
  readonly labels: readonly ResourceLabel[];
}

function classify({ policy, request, tool, labels }: Classified): Pick<Situation, "classification" | "classificationRank" | "classificationStated"> {
  let rank = -1;
  const raise = (classification: string | undefined): void => {
    if (classification !== undefined) rank = Math.max(rank, rankOf(policy, classification));
  };
  raise(request.data?.classification);
  const own = request.action.resource?.attributes?.["classification"];
  // A resource that is classified by something other than a name is classified by nothing we know: the highest.
  if (own !== undefined) raise(typeof own === "string" ? own : "");
  raise(tool?.classification);
  for (const label of labels) raise(label.classification);
  const stated = rank !== -1;
  if (!stated) raise(policy.settings.classification.default);
  return {
    classification: policy.settings.classification.order[rank] as string,
    classificationRank: rank,
    classificationStated: stated,
  };
}

function categorise(
  request: DecisionRequest,
  tool: Tool | undefined,
  labels: readonly ResourceLabel[],
): Pick<Situation, "categories" | "categoriesStated"> {
  const own = request.action.resource?.attributes?.["categories"];
  const stated = [
    ...(request.data?.categories ?? []),
    ...(isList(own) ? own : own === undefined || own === null ? [] : [own]).map(String),
    ...(tool?.categories ?? []),
    ...labels.flatMap((label) => label.categories),
  ];
  return { categories: stated.length < 2 ? stated : [...new Set(stated)].sort(), categoriesStated: stated.length > 0 };
}

type ChainPart = Pick<Situation, "chainDepth" | "chainBroken" | "handedOn" | "leastTrust" | "crossesOwner" | "reaches" | "outOfService">;

function chainOf(policy: Policy, { request, task }: Subject): ChainPart {
  const hops = request.delegation ?? [];
  const agents = hops.filter((hop) => hop.type === "agent");
  const last = hops.at(-1);
  const reaches = new Map<string, Reach>();
  const outOfService = new Map<string, OutOfService>();
  const owners = new Set<string | undefined>();
  let leastTrust: AgentTrust = AGENT_TRUST_LEVELS[0];
  for (const { id } of [...agents, request.agent]) {
    const registered = policy.agents.get(id);
    reaches.set(id, registered?.reach ?? policy.settings.reachDefault);
    if (registered && registered.status !== "active") outOfService.set(id, registered.status);
    owners.add(registered?.owner);
    leastTrust = lessTrust(leastTrust, registered?.trust ?? "unregistered");
  }
  return {
    chainDepth: Math.max(0, agents.length - 1),
    chainBroken: last !== undefined && (last.type !== "agent" || last.id !== request.agent.id || hops.slice(1).some((hop) => hop.type !== "agent")),
    handedOn: task.registered ? hops.slice(task.registered.hops).map(({ id }) => id) : [],
    leastTrust,
    crossesOwner: reaches.size > 1 && (owners.size > 1 || owners.has(undefined)),
    reaches,
    outOfService,
  };
}

const lessTrust = (a: AgentTrust, b: AgentTrust): AgentTrust => (AGENT_TRUST_LEVELS.indexOf(a) >= AGENT_TRUST_LEVELS.indexOf(b) ? a : b);
