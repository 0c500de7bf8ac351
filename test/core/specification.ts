import { ARGUMENT_ROLES } from "../../src/core/policy.ts";
import type { Subject } from "../../src/core/situation.ts";
import { type Basis, EFFECTS, type Effect, type JsonObject, type Outcome, type ReasonCode, type RiskLevel } from "../../src/core/words.ts";
import { ASKING_LAWS, askedOf, type HoldModel } from "./asking-specification.ts";
import { type Truth, truthOf } from "./kleene-model.ts";
import { type Condition, type Facts, isList, type Named, type Value } from "./random-rules.ts";
import { agentsOf, boundsOf, isOutside, TASK_LAWS, taskFacts } from "./registered-specification.ts";
import { isObscured, matchesGlob, spellingsOf } from "./resource-model.ts";

/** The whole decision as design.md §3 tells it, from plain JSON to the outcome; naive on purpose, to be compared with the real one. */
export interface PolicyJson {
  readonly settings: {
    readonly classification: { readonly order: readonly string[]; readonly default: string };
    readonly environment: { readonly default: string };
    readonly bands: { readonly middle: number; readonly top: number };
    readonly basis: { readonly AUTHORIZED: BasisJson; readonly INFERRED: BasisJson; readonly AVAILABLE: BasisJson };
    readonly reach: { readonly default: ReachJson };
    readonly approvers: { readonly default: readonly string[]; readonly quorum: number; readonly require_verified?: boolean };
    readonly groups: Readonly<Record<string, readonly string[]>>;
    readonly outside_issued_scope: "deny" | "ask";
    readonly lifetimes: { readonly decision: string; readonly self_asserted_idle: string; readonly approval: string };
  };
  readonly rules: readonly RuleJson[];
  readonly conditions: Named;
  readonly tools: Readonly<Record<string, ToolJson>>;
  readonly resources: readonly { readonly match: string; readonly classification?: string; readonly categories?: readonly string[] }[];
  readonly agents: Readonly<Record<string, AgentJson>>;
}
type BasisJson = Readonly<Record<string, "allow" | "ask" | "deny">>;
export interface ReachJson {
  readonly tools?: readonly string[];
  readonly effects?: readonly string[];
  readonly resources?: readonly string[];
  readonly max_classification?: string;
}
export interface RuleJson {
  readonly name: string;
  readonly priority?: number;
  readonly conditions: Condition;
  readonly event: {
    readonly type: "risk" | "deny" | "require-approval" | "allow" | "oblige";
    readonly params: {
      readonly points?: number;
      readonly reason: string;
      readonly controls: readonly string[];
      readonly obligation?: ObligationJson;
      readonly approvers?: readonly string[];
      readonly quorum?: number;
      readonly lifetime?: string;
    };
  };
}
export interface ObligationJson {
  readonly type: string;
  readonly paths?: readonly string[];
  readonly rows_max?: number;
  readonly level?: string;
  readonly recipients?: readonly string[];
}
export interface ToolJson {
  readonly effect?: Effect;
  readonly operations?: Readonly<Record<string, Effect>>;
  readonly reversibility: string;
  readonly arguments?: Readonly<Record<string, string>>;
  readonly classification?: string;
  readonly categories?: readonly string[];
  readonly output: { readonly trust: string };
  readonly owner?: string;
  readonly definition_digest?: string;
}
export interface AgentJson {
  readonly trust: string;
  readonly owner?: string;
  readonly status?: string;
  readonly review_by?: string;
  readonly tenant?: string;
  readonly callers?: readonly string[];
  readonly reach: ReachJson;
}

/** What is compared with the real judgement. */
export interface Specified {
  readonly outcome: Outcome;
  readonly basis: Basis;
  readonly score: number;
  readonly level: RiskLevel;
  readonly reasonCodes: readonly ReasonCode[];
  readonly standing: readonly string[];
  readonly holds: readonly HoldModel[];
  readonly obligations: readonly ObligationJson[];
  readonly approvedBy?: string;
  readonly validUntil?: number;
}

/** The sentences that a broken twin gets wrong. */
export const LAWS = {
  ...TASK_LAWS,
  ...ASKING_LAWS,
  /** With a chain, every agent in it needs the reach that it hands on. */
  bound: (chain: readonly string[], agent: string): readonly string[] => [...new Set([...chain, agent])],
  /** Only an active agent has reach, and who hands on the work of one that is not has none to hand on. */
  serves: (status: string): boolean => status === "active",
  /** From the end of the day on. */
  isOverdue: (at: number, reviewBy: string): boolean => new Date(at).toISOString().slice(0, 10) > reviewBy,
  /** Of two definitions that are both known. */
  hasDrifted: (pinned: string | undefined, stated: string | undefined): boolean => pinned !== undefined && stated !== undefined && pinned !== stated,
  /** Each suspension that covers the action denies it. */
  stops: (suspended: readonly unknown[]): readonly unknown[] => suspended,
  /** Who hands a registered task on has to be spoken for by whoever says so: its own agent, where the chain goes on below it. */
  giver: ({ request, task }: Subject): string | undefined => {
    const { delegation: chain = [] } = request;
    if (!task.registered || task.standing === "mismatch" || chain.length <= task.registered.hops) return undefined;
    return chain[task.registered.hops - 1]?.id;
  },
  /** A token without a list covers every agent; one with a list those that it names. */
  entitles: (agents: readonly string[] | undefined, agent: string): boolean =>
    agents === undefined || agents.some((glob) => matchesGlob(glob, agent)),
  /** Unknown never helps the caller. */
  points: (truth: Truth, points: number): number => (truth === "UNKNOWN" ? Math.max(0, points) : points),
  denies: (truth: Truth): boolean => truth !== "FALSE",
  asks: (truth: Truth): boolean => truth !== "FALSE",
  lifts: (truth: Truth): boolean => truth === "TRUE",
  obliges: (truth: Truth): boolean => truth !== "FALSE",
  /** Redactions and notices add up, of limits the least counts, of log levels the highest. */
  rows: (all: readonly number[]): number => Math.min(...all),
  loudest: (all: readonly string[]): string | undefined => ["error", "warn", "info", "debug"].find((level) => all.includes(level)),
  fulfils: (supported: readonly string[], type: string): boolean => supported.includes(type),
  /** Of one obligation. */
  itemsMax: 256,
  /** `*` never includes `unknown`. */
  covers: (words: readonly string[], effect: string): boolean => words.includes(effect) || (effect !== "unknown" && words.includes("*")),
  /** What is not listed counts as the highest. */
  rank: (order: readonly string[], word: string): number => (order.includes(word) ? order.indexOf(word) : order.length - 1),
  level: (score: number, { middle, top }: { readonly middle: number; readonly top: number }): RiskLevel =>
    score >= top ? "top" : score >= middle ? "middle" : "low",
  clamp: (sum: number): number => Math.max(0, Math.min(100, sum)),
  worse: (listed: Effect, stated: Effect | undefined): Effect =>
    EFFECTS.indexOf(stated ?? "read") > EFFECTS.indexOf(listed) ? (stated ?? listed) : listed,
  /** What forbids the catalog's effect or the request's forbids the action. */
  named: (listed: Effect, effect: Effect): readonly Effect[] => [listed, effect],
  /** `*` matches within a segment, `**` across; alone, `*` is everything. */
  matches: matchesGlob,
  /** The spellings that labels are matched against. */
  spellings: spellingsOf,
  isObscured,
};
export type Laws = typeof LAWS;

const own = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined => (Object.hasOwn(table, name) ? table[name] : undefined);

const leaves = (value: Value): readonly string[] => {
  if (value === undefined || value === null || value === "") return [];
  if (typeof value !== "object") return [String(value)];
  return isList(value) ? value.flatMap(leaves) : Object.entries(value as JsonObject).flatMap(([key, item]) => [key, ...leaves(item)]);
};

const milliseconds = (text: string): number => Number.parseInt(text, 10) * ({ s: 1_000, m: 60_000, h: 3_600_000 }[text.slice(-1)] ?? 1);

/** What is known of the action before any rule is asked. */
function resolve(policy: PolicyJson, subject: Subject, laws: Laws) {
  const { request } = subject;
  const { action } = request;
  const { order, default: unstated } = policy.settings.classification;
  const tool = own(policy.tools, action.tool);
  const listed = tool?.operations ? (own(tool.operations, action.operation ?? "") ?? "unknown") : (tool?.effect ?? "unknown");
  const withRole = (role: string): readonly string[] =>
    Object.entries(tool?.arguments ?? {}).flatMap(([name, its]) => (its === role ? leaves(own(action.arguments, name)) : []));
  const targets = withRole("target");
  const resources = [...(action.resource ? [`${action.resource.type}:${action.resource.id}`] : []), ...targets];
  const labels = resources.flatMap((resource) =>
    policy.resources.filter(({ match }) => laws.spellings(resource).some((spelling) => laws.matches(match.toLowerCase(), spelling))),
  );
  const attributes = action.resource?.attributes ?? {};
  const said = [request.data?.classification, attributes["classification"], tool?.classification, ...labels.map((label) => label.classification)];
  const words = said.filter((word) => word !== undefined).map((word) => (typeof word === "string" ? word : ""));
  const rank = Math.max(...(words.length > 0 ? words : [unstated]).map((word) => laws.rank(order, word)));
  const ofResource = attributes["categories"];
  const categories = [
    ...(request.data?.categories ?? []),
    ...(isList(ofResource) ? ofResource : ofResource === undefined || ofResource === null ? [] : [ofResource]).map(String),
    ...(tool?.categories ?? []),
    ...labels.flatMap((label) => label.categories ?? []),
  ];
  const destinations = withRole("destination").length;
  return {
    tool,
    listed,
    effect: laws.worse(listed, action.effect),
    resources,
    targets,
    destinations,
    words,
    rank,
    categories: [...new Set(categories)].sort(),
  };
}
type Resolved = ReturnType<typeof resolve>;

function factsOf(
  policy: PolicyJson,
  subject: Subject,
  { tool, effect, resources, targets, destinations, words, rank, categories }: Resolved,
  laws: Laws,
): Facts {
  const { request, task, intent } = subject;
  const { action, agent } = request;
  const { order } = policy.settings.classification;
  const registered = own(policy.agents, agent.id);
  const seen = Math.max(0, ...task.seen.classifications.map((word) => laws.rank(order, word)));
  return {
    "caller.id": subject.caller,
    session: request.session ?? "none",
    "agent.id": agent.id,
    "agent.identity": "claimed",
    "agent.registered": registered !== undefined,
    "agent.trust": registered?.trust ?? "unregistered",
    "agent.owner": registered?.owner ?? "none",
    "agent.status": registered ? (registered.status ?? "active") : "unregistered",
    "agent.review_overdue": registered?.review_by !== undefined && laws.isOverdue(subject.at, registered.review_by),
    "agent.attributes": agent.attributes,
    ...taskFacts(policy, subject, laws),
    "agent.approvals_asked": subject.asked?.byAgent ?? 0,
    "task.approvals_asked": subject.asked?.forTask ?? 0,
    "task.endorsed_values": subject.endorsed?.values ?? [],
    "task.endorsed_sources": subject.endorsed?.sources ?? [],
    "task.statement_given": task.statement !== undefined,
    "task.restated": task.restated,
    "task.seen.classification": order[seen],
    "task.seen.classification_rank": seen,
    "task.seen.categories": task.seen.categories,
    "task.seen.trust": task.seen.trust,
    "task.seen.systems": task.seen.systems,
    "intent.scope": intent?.scope ?? "outside",
    "intent.alignment": intent?.alignment ?? "none",
    "intent.object": intent?.object ?? "unbound",
    ...Object.fromEntries(ARGUMENT_ROLES.map((role) => [`provenance.${role}`, intent ? (intent.provenance[role] ?? "none") : "unseen"])),
    "scorer.answered": subject.scorer !== undefined,
    "scorer.risk": subject.scorer?.risk,
    "action.tool": action.tool,
    "action.server": /^[^/]+(?=\/)/.exec(action.tool)?.[0] ?? "none",
    "action.operation": action.operation ?? "none",
    "action.effect": effect,
    "action.arguments": action.arguments,
    "action.arguments_truncated": action.argumentsTruncated ?? false,
    "action.secret_count": subject.masked,
    "action.target_count": targets.length,
    "action.destination_count": destinations,
    "action.resource_obscured": resources.some(laws.isObscured),
    "tool.listed": tool !== undefined,
    "tool.owner": tool?.owner ?? "none",
    "tool.definition_pinned": tool?.definition_digest !== undefined,
    "tool.definition_stated": action.toolDefinitionDigest !== undefined,
    "tool.drifted": laws.hasDrifted(tool?.definition_digest, action.toolDefinitionDigest),
    "tool.reversibility": tool?.reversibility ?? "unknown",
    "resource.type": action.resource?.type ?? "none",
    "resource.id": action.resource?.id ?? "none",
    "resource.attributes": action.resource?.attributes,
    "data.classification": order[rank],
    "data.classification_rank": rank,
    "data.classification_stated": words.length > 0,
    "data.categories": categories,
    "data.categories_stated": categories.length > 0,
    "context.environment": request.context?.environment ?? policy.settings.environment.default,
    "context.attributes": request.context?.attributes,
  };
}

/** What no rule can remove, in the order in which it is reported. */
function invariants(policy: PolicyJson, subject: Subject, resolved: Resolved, laws: Laws): readonly ReasonCode[] {
  const { listed, effect, resources, rank } = resolved;
  const { request, task, lapsed } = subject;
  const { agent, action, delegation: chain = [] } = request;
  const { order } = policy.settings.classification;
  const codes: ReasonCode[] = [];
  const registered = own(policy.agents, agent.id);
  if (lapsed !== undefined) codes.push("NO_LONGER_STANDS");
  const otherTenant = laws.serving(agentsOf(subject)).some((id) => (own(policy.agents, id)?.tenant ?? subject.tenant) !== subject.tenant);
  if (otherTenant || (registered?.callers && !registered.callers.includes(subject.caller))) codes.push("CALLER_NOT_ENTITLED");
  if (!laws.entitles(subject.callerAgents, agent.id)) codes.push("CALLER_NOT_ENTITLED");
  const giver = laws.giver(subject);
  if (giver !== undefined && !laws.entitles(subject.callerAgents, giver)) codes.push("CALLER_NOT_ENTITLED");
  if (request.credentialed) codes.push("CREDENTIAL_UNVERIFIABLE");
  for (const _ of laws.stops(subject.suspended ?? [])) codes.push("SUSPENDED");
  if (laws.isDenied(subject)) codes.push("APPROVAL_DENIED");
  const refusal = laws.refusals[task.standing];
  if (refusal) codes.push(refusal);
  const last = chain.at(-1);
  const endsHere = last === undefined || (last.type === "agent" && last.id === agent.id);
  if (!endsHere || chain.some(({ type }, index) => index > 0 && type !== "agent")) codes.push("CHAIN_BROKEN");
  codes.push(...boundsOf(policy, subject, resolved, laws));
  const agents = chain.flatMap(({ type, id }) => (type === "agent" ? [id] : []));
  for (const id of laws.bound(agents, agent.id)) {
    if (!laws.serves(own(policy.agents, id)?.status ?? "active")) {
      codes.push("OUTSIDE_REACH");
      continue;
    }
    const reach = own(policy.agents, id)?.reach ?? policy.settings.reach.default;
    const globs = reach.resources ?? [];
    const inside = (resource: string): boolean => !laws.isObscured(resource) && globs.some((glob) => laws.matches(glob, resource));
    const holds =
      (reach.tools ?? []).some((glob) => laws.matches(glob, action.tool)) &&
      laws.named(listed, effect).every((one) => laws.covers(reach.effects ?? [], one)) &&
      (globs.includes("*") || (resources.length > 0 && resources.every(inside)));
    const highest = reach.max_classification === undefined ? -1 : order.indexOf(reach.max_classification);
    if (rank > highest) codes.push("CLASSIFICATION_EXCEEDED");
    if (!holds) codes.push("OUTSIDE_REACH");
  }
  return codes;
}

/** One obligation of each type, or nothing when there is too much of one. */
function merged(stated: readonly ObligationJson[], laws: Laws): readonly ObligationJson[] | undefined {
  const of = (type: string): readonly ObligationJson[] => stated.filter((one) => one.type === type);
  const union = (lists: readonly (readonly string[])[]): readonly string[] => [...new Set(lists.flat())].sort();
  const paths = union(of("redact").map((one) => one.paths ?? []));
  const recipients = union(of("notify").map((one) => one.recipients ?? []));
  if (Math.max(paths.length, recipients.length) > laws.itemsMax) return undefined;
  return [
    ...(of("redact").length > 0 ? [{ type: "redact", paths }] : []),
    ...(of("limit_rows").length > 0 ? [{ type: "limit_rows", rows_max: laws.rows(of("limit_rows").map((one) => one.rows_max ?? 0)) }] : []),
    ...(of("log").length > 0 ? [{ type: "log", level: laws.loudest(of("log").map((one) => one.level ?? "")) ?? "" }] : []),
    ...(of("notify").length > 0 ? [{ type: "notify", recipients }] : []),
  ];
}

/** `evaluates` is false when the rules could not be asked at all. */
export function specify(policy: PolicyJson, subject: Subject, evaluates: boolean, laws: Laws = LAWS): Specified {
  const { settings } = policy;
  const resolved = resolve(policy, subject, laws);
  const facts = factsOf(policy, subject, resolved, laws);
  const broken = [...invariants(policy, subject, resolved, laws), ...(evaluates ? [] : (["EVALUATION_ERROR"] as const))];
  const asked = [...(evaluates ? policy.rules : [])].sort((a, b) => (b.priority ?? 1) - (a.priority ?? 1));
  const answers = asked.map((rule) => ({ ...rule, truth: truthOf(rule.conditions, policy.conditions, facts) }));
  const stands = answers.filter(({ truth }) => truth !== "FALSE");
  const pointsOf = ({ event, truth }: (typeof answers)[number]): number => laws.points(truth, event.params.points ?? 0);
  const score = laws.clamp(stands.reduce((sum, rule) => sum + pointsOf(rule), 0));
  const level = laws.level(score, settings.bands);
  const on = (type: string, law: (truth: Truth) => boolean) => answers.filter(({ event, truth }) => event.type === type && law(truth));
  const obligations = merged(
    on("oblige", laws.obliges).flatMap(({ event }) => event.params.obligation ?? []),
    laws,
  );
  const supported = subject.request.supportedObligations ?? [];
  const unfit: readonly ReasonCode[] = obligations?.every(({ type }) => laws.fulfils(supported, type))
    ? []
    : [obligations ? "OBLIGATION_UNSUPPORTED" : "OBLIGATION_CONFLICT"];
  const standing = [
    ...[...broken, ...unfit].map(builtIn),
    ...(subject.task.registered && laws.remarks(subject.task.restated) ? ["behest:statement-differs risk TRUE 0"] : []),
    ...stands.map((rule) => `${rule.name} ${rule.event.type} ${rule.truth} ${pointsOf(rule)}`),
  ];
  const denied = { score, level, standing, obligations: [] };
  const deny = (reasonCodes: readonly ReasonCode[]): Specified => ({ ...denied, outcome: "DENY", basis: "NONE", reasonCodes, holds: [] });

  const denials = [...new Set<ReasonCode>(broken)];
  if (on("deny", laws.denies).length > 0) denials.push("RULE_DENY");
  if (level === "top") denials.push("RISK_TOP");
  denials.push(...unfit);
  if (denials.length > 0) return deny(denials);

  const { registered } = subject.task;
  const outside = isOutside(subject, resolved, laws);
  const added = Math.max(0, (subject.request.delegation?.length ?? 0) - (registered?.hops ?? 0));
  const authorized = registered !== undefined && laws.authorizes(registered.scopeKind, added);
  const inferred = registered !== undefined && laws.infersBelow(added) && subject.intent !== undefined && laws.infers(subject.intent);
  const basis = !laws.isAvailable(outside, authorized) ? "AUTHORIZED" : inferred && !outside ? "INFERRED" : "AVAILABLE";
  const table = settings.basis[basis];
  const says = laws
    .named(resolved.listed, resolved.effect)
    .map((effect) => table[effect] ?? (laws.covers(["*"], effect) ? table["*"] : undefined) ?? "deny");
  const strictest = says.includes("deny") ? "deny" : says.includes("ask") ? "ask" : "allow";
  const answer = on("allow", laws.lifts).length > 0 ? "allow" : strictest;
  if (answer === "deny") return deny(["BASIS_DENIED"]);
  const base = { ...denied, obligations: obligations ?? [] };

  const otherwise = { approvers: settings.approvers.default, quorum: settings.approvers.quorum };
  const asking = on("require-approval", laws.asks);
  const reasonCodes: readonly ReasonCode[] = [
    ...(outside ? (["OUTSIDE_SCOPE"] as const) : []),
    ...(asking.length > 0 ? (["RULE_ASKS"] as const) : []),
    ...(level === "middle" ? (["RISK_MIDDLE"] as const) : []),
    ...(answer === "ask" ? (["BASIS_ASKS"] as const) : []),
  ];
  const holds: readonly HoldModel[] = [
    ...asking.map(({ name, event: { params } }) => ({
      name,
      approvers: params.approvers ?? otherwise.approvers,
      quorum: params.quorum ?? otherwise.quorum,
      ...(params.lifetime !== undefined && { lifetime: milliseconds(params.lifetime) }),
    })),
    ...(outside ? [{ name: "behest:outside-scope", approvers: ["issuer"], quorum: 1 }] : []),
    ...(level === "middle" ? [{ name: "behest:risk", ...otherwise }] : []),
    ...(answer === "ask" ? [{ name: "behest:basis", ...laws.intent(laws.principal(subject), otherwise) }] : []),
  ];
  const { decision, self_asserted_idle: idle } = settings.lifetimes;
  const lasts = registered ? laws.lastMoment(registered.until) : subject.at + milliseconds(idle);
  const validUntil = Math.min(subject.at + milliseconds(decision), lasts);
  if (holds.length === 0) return { ...base, outcome: "ALLOW", basis, reasonCodes: [], holds, validUntil };
  const said = askedOf(policy, subject, { holds, score }, laws);
  if (said.says === "no") return { ...deny([said.code]), standing: [builtIn(said.code), ...standing] };
  if (said.says === "ask") {
    const codes: readonly ReasonCode[] = said.inapplicable ? [...reasonCodes, "APPROVAL_NOT_APPLICABLE"] : reasonCodes;
    return { ...base, outcome: "REQUIRE_APPROVAL", basis, reasonCodes: codes, holds };
  }
  const until = Math.min(validUntil, laws.usableUntil(said.approval));
  return { ...base, outcome: "ALLOW", basis: "AUTHORIZED", reasonCodes: [], holds: [], approvedBy: said.approval.id, validUntil: until };
}

const builtIn = (code: ReasonCode): string => `behest:${code.toLowerCase().replaceAll("_", "-")} deny TRUE 0`;
