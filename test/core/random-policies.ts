import fc from "fast-check";
import { GRADES, PROVENANCES } from "../../src/core/intent/grades.ts";
import { ALIGNMENTS } from "../../src/core/intent/scope.ts";
import { type IntentStanding, OBJECT_STANDINGS, SCOPE_STANDINGS } from "../../src/core/intent/standing.ts";
import { OBLIGATION_TYPES } from "../../src/core/obligations.ts";
import { ARGUMENT_ROLES } from "../../src/core/policy.ts";
import type { Hop } from "../../src/core/request.ts";
import type { Subject } from "../../src/core/situation.ts";
import { EFFECTS, type Effect, instant, type Json, type JsonObject, PRINCIPAL_TYPES } from "../../src/core/words.ts";
import { FULL_REACH } from "../policies.ts";
import { type ApprovalPlan, approvalPlans, approved, GROUPS } from "./random-approvals.ts";
import { conditionsOver, type Place, valueOfKind } from "./random-rules.ts";
import { type Registration, registrations, underTask } from "./random-tasks.ts";
import type { AgentJson, ObligationJson, PolicyJson, ReachJson, RuleJson, ToolJson } from "./specification.ts";

/** One whole decision: a policy the loader accepts, and everything that is decided by it. */
export interface Question {
  readonly policy: PolicyJson;
  readonly subject: Subject;
  /** False when asking the rules is to fail. */
  readonly evaluates: boolean;
}

export const CLASSIFICATIONS = ["public", "internal", "confidential", "restricted"];
const TOOLS = ["crm/read_contact", "mail/send", "files/edit", "pay", "web/fetch"];
export const AGENTS = ["support-bot", "planner", "worker"];
const CATEGORIES = ["personal", "payment", "health"];
const DIGESTS = ["0", "f"].map((digit) => `sha256:${digit.repeat(64)}`);
const ARGUMENTS = ["to", "path", "text", "count"];
/** What tools say of money, and what requests say to them. */
const MONEY_ROLES: readonly Readonly<Record<string, string>>[] = [
  {},
  { amount: "amount", currency: "currency" },
  { amount: "amount", fee: "amount", currency: "currency" },
  { amount: "amount", currency: "currency", unit: "currency" },
];
const AMOUNTS: readonly Json[] = [0, 1, 10, 12.5, "0.999", "7.50", 19.999, -1, 0.1 + 0.2, "1e3", "", 1e21, 999_999_999_999_999, { kind: "number" }];
const RESOURCES = [
  "/srv/reports/q1.md",
  "/srv/reports/2026/q1.md",
  "/SRV//Reports/./q1.md",
  "/srv/Reports/Q1.md",
  "/SRV/reports/q1.md",
  "/srv/%2572eports/q1.md",
  "/srv/reports/../secret",
  "account-7",
  "reports\\q1.md",
  "",
];

const some = <T>(values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const listOf = (values: readonly string[]): fc.Arbitrary<string[]> => fc.uniqueArray(some(values), { maxLength: 3 });
const mostly = <T>(usual: T, other: fc.Arbitrary<T>, weight = 4): fc.Arbitrary<T> => fc.oneof({ weight, arbitrary: fc.constant(usual) }, other);

/** A record whose optional keys are there or not, and never undefined. */
function withKeys<R, O>(
  required: { [K in keyof R]: fc.Arbitrary<R[K]> },
  optional: { [K in keyof O]: fc.Arbitrary<O[K]> },
): fc.Arbitrary<R & Partial<O>> {
  const there = fc.record(required, { noNullPrototype: true });
  const perhaps = fc.record(optional, { requiredKeys: [], noNullPrototype: true }) as unknown as fc.Arbitrary<Partial<O>>;
  return fc.tuple(there, perhaps).map(([all, some]) => ({ ...all, ...some }) as R & Partial<O>);
}

const globs = (usual: string, others: readonly string[]) => mostly<readonly string[]>([usual], fc.uniqueArray(some(others), { maxLength: 2 }), 5);
const narrowReach: fc.Arbitrary<ReachJson> = fc
  .record({
    tools: globs("*", ["crm/*", "mail/send", "**", "*/*", "files/**", "p*y"]),
    effects: fc.oneof(
      { weight: 5, arbitrary: fc.constant<readonly string[]>(["*", "unknown"]) },
      fc.constant(["*"]),
      fc.uniqueArray(some<string>(EFFECTS), { maxLength: 6 }),
    ),
    resources: globs("*", ["file:/srv/**", "crm:*", "file:/srv/reports/*", "**", "/srv/**", "*.md"]),
    max_classification: mostly("restricted", some(CLASSIFICATIONS), 3),
    left: mostly("", some(["tools", "effects", "resources", "max_classification"]), 6),
  })
  .map(({ left, ...stated }) => Object.fromEntries(Object.entries(stated).filter(([key]) => left === "" || key !== left)));

const reach = mostly<ReachJson>(FULL_REACH, narrowReach);

const agent: fc.Arbitrary<AgentJson> = withKeys(
  { trust: some(["high", "medium", "low"]), reach },
  {
    owner: fc.constant("team:support"),
    status: mostly("active", some(["paused", "retired"]), 12),
    review_by: some(["2026-01-04", "2026-01-05", "2027-01-05"]),
    tenant: mostly<string>("default", fc.constant("other"), 15),
    callers: mostly<string[]>(["gateway"], fc.constant(["other"]), 15),
  },
);

const tool: fc.Arbitrary<ToolJson> = withKeys(
  {
    reversibility: some(["reversible", "irreversible", "unknown"]),
    output: fc.record({ trust: some(["trusted", "untrusted"]) }, { noNullPrototype: true }),
    does: fc.oneof(
      { weight: 3, arbitrary: some(EFFECTS).map((effect) => ({ effect })) },
      fc.dictionary(some(["append", "erase"]), some(EFFECTS), { noNullPrototype: true }).map((operations) => ({ operations })),
    ),
  },
  {
    arguments: fc
      .tuple(fc.dictionary(some(ARGUMENTS), some(["destination", "target", "free_text"]), { noNullPrototype: true }), some(MONEY_ROLES))
      .map(([roles, money]) => ({ ...roles, ...money })),
    classification: some(CLASSIFICATIONS),
    categories: listOf(CATEGORIES),
    owner: fc.constant("team:it"),
    definition_digest: some(DIGESTS),
  },
).map(({ does, ...rest }) => ({ ...rest, ...does }));

const label = fc
  .record({
    match: some(["file:/srv/reports/**", "file:/srv/**", "FILE:/SRV/*/q1.md", "crm:*", "**/q1.md", "*secret*", "/srv/**", "*"]),
    labels: fc.oneof(
      mostly("restricted", some(CLASSIFICATIONS)).map((classification) => ({ classification })),
      listOf(CATEGORIES).map((categories) => ({ categories })),
    ),
  })
  .map(({ match, labels }) => ({ match, ...labels }));

const answers = some(["allow", "ask", "deny"] as const);
const basisRow = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ "*": "allow", unknown: "allow" } as const) },
  { weight: 2, arbitrary: fc.constant({ read: "allow", "*": "ask", unknown: "ask" } as const) },
  fc.dictionary(some<string>([...EFFECTS, "*"]), answers, { noNullPrototype: true }),
);

const settings = fc
  .record({
    order: mostly(CLASSIFICATIONS, fc.shuffledSubarray(CLASSIFICATIONS, { minLength: CLASSIFICATIONS.length })),
    unstated: some(CLASSIFICATIONS),
    bands: some([
      { middle: 40, top: 80 },
      { middle: 40, top: 80 },
      { middle: 20, top: 100 },
      { middle: 10, top: 30 },
      { middle: 1, top: 2 },
    ]),
    basis: fc.record({ AUTHORIZED: basisRow, INFERRED: basisRow, AVAILABLE: basisRow }, { noNullPrototype: true }),
    reach,
    approvers: fc.record(
      {
        default: mostly(
          ["group:approvers"],
          some([
            ["principal", "user:bo"],
            ["group:approvers", "issuer"],
          ]),
          2,
        ),
        quorum: mostly(1, fc.integer({ min: 2, max: 3 }), 2),
        require_verified: mostly(false, fc.constant(true), 7),
      },
      { noNullPrototype: true },
    ),
    groups: some(GROUPS),
    outside: some(["deny", "ask"] as const),
    decision: some(["60s", "5m", "2h"]),
  })
  .map(({ order, unstated, bands, basis, reach: granted, approvers, groups, outside, decision }) => ({
    classification: { order, default: unstated },
    environment: { default: "production" },
    bands,
    basis,
    reach: { default: granted },
    approvers,
    groups,
    outside_issued_scope: outside,
    lifetimes: { decision, self_asserted_idle: "1h", approval: "1h" },
  }));

const place = (name: string, kind: string, words?: readonly string[]): Place => ({ name, rest: "", kind, ...(words && { words }) });

/** Facts that may speak for the caller. */
const HELPING: readonly Place[] = [
  place("caller.id", "string", ["gateway", "other"]),
  place("agent.id", "string", AGENTS),
  place("agent.identity", "string", ["proven", "claimed"]),
  place("agent.registered", "boolean"),
  place("agent.trust", "string", ["high", "medium", "low", "unregistered"]),
  place("agent.owner", "string", ["team:support", "none"]),
  place("agent.status", "string", ["active", "paused", "retired", "unregistered"]),
  place("agent.review_overdue", "boolean"),
  place("principal.type", "string", ["user", "service", "none"]),
  place("principal.id", "string", ["alice", "cron", "none"]),
  { name: "principal.attributes", rest: ".text", kind: "string" },
  place("task.registered", "boolean"),
  place("task.scope_kind", "string", ["issued", "proposed", "none"]),
  place("task.statement_expired", "boolean"),
  place("action.tool", "string", [...TOOLS, "toString"]),
  place("action.server", "string", ["crm", "mail", "files", "none"]),
  place("action.operation", "string", ["append", "none"]),
  place("action.effect", "string", EFFECTS),
  place("action.arguments_truncated", "boolean"),
  place("action.target_count", "number"),
  place("action.destination_count", "number"),
  place("action.resource_obscured", "boolean"),
  place("tool.listed", "boolean"),
  place("tool.owner", "string", ["team:it", "none"]),
  place("tool.definition_pinned", "boolean"),
  place("tool.reversibility", "string", ["reversible", "irreversible", "unknown"]),
  place("resource.type", "string", ["file", "crm", "none"]),
  place("resource.id", "string", RESOURCES),
  { name: "action.arguments", rest: ".text", kind: "string" },
  { name: "action.arguments", rest: ".count", kind: "number" },
  { name: "action.arguments", rest: ".to[0]", kind: "string" },
];
const EVERY: readonly Place[] = [
  ...HELPING,
  place("session", "string", ["chat-7", "none"]),
  place("task.statement_given", "boolean"),
  place("task.restated", "boolean"),
  place("task.seen.classification", "string", CLASSIFICATIONS),
  place("task.seen.classification_rank", "number"),
  place("task.seen.categories", "string[]", CATEGORIES),
  place("task.seen.trust", "string", ["trusted", "untrusted"]),
  place("task.seen.systems", "string[]", ["crm", "unlisted"]),
  place("chain.depth", "number"),
  place("chain.weakest_hop", "string", ["none", "registered", "asserted"]),
  place("chain.person_distance", "string", ["1", "2", "3", "none"]),
  place("chain.least_trust", "string", ["high", "medium", "low", "unregistered"]),
  // Seldom the one fact that decides, so it is read more often.
  place("chain.crosses_owner", "boolean"),
  place("chain.crosses_owner", "boolean"),
  place("task.reworded", "boolean"),
  place("agent.approvals_asked", "number"),
  place("task.approvals_asked", "number"),
  place("task.endorsed_values", "string[]", ["a", "b"]),
  place("task.endorsed_sources", "string[]", ["crm", "mail/send"]),
  place("task.budget_used_percent", "number"),
  place("task.unreported", "number"),
  place("intent.scope", "string", SCOPE_STANDINGS),
  place("intent.alignment", "string", ALIGNMENTS),
  place("intent.object", "string", OBJECT_STANDINGS),
  ...ARGUMENT_ROLES.map((role) => place(`provenance.${role}`, "string", PROVENANCES)),
  place("scorer.answered", "boolean"),
  place("scorer.risk", "number"),
  place("action.secret_count", "number"),
  place("tool.definition_stated", "boolean"),
  place("tool.drifted", "boolean"),
  place("data.classification", "string", CLASSIFICATIONS),
  place("data.classification_rank", "number"),
  place("data.classification_stated", "boolean"),
  place("data.categories", "string[]", CATEGORIES),
  place("data.categories_stated", "boolean"),
  place("context.environment", "string", ["production", "staging"]),
  { name: "agent.attributes", rest: ".framework", kind: "string" },
  { name: "resource.attributes", rest: ".classification", kind: "string" },
  { name: "resource.attributes", rest: ".text", kind: "string" },
  { name: "context.attributes", rest: ".text", kind: "string" },
  { name: "context.attributes", rest: ".counts", kind: "number[]" },
];
/** Every fact that the random rules read. */
export const READ_FACTS: ReadonlySet<string> = new Set(EVERY.map(({ name }) => name));

const params = { reason: fc.constant("a random reason"), controls: fc.constant(["owasp:ASI02"]) };

function ruleOf(
  type: RuleJson["event"]["type"],
  conditions: fc.Arbitrary<RuleJson["conditions"]>,
  required: Readonly<Record<string, fc.Arbitrary<unknown>>>,
  optional: Readonly<Record<string, fc.Arbitrary<unknown>>>,
): fc.Arbitrary<Omit<RuleJson, "name">> {
  const event = fc.record({ type: fc.constant(type), params: withKeys({ ...params, ...required }, optional) }, { noNullPrototype: true });
  return withKeys({ conditions, event }, { priority: fc.integer({ min: -1, max: 2 }) }) as fc.Arbitrary<Omit<RuleJson, "name">>;
}

const many = (word: string): readonly string[] => Array.from({ length: 200 }, (_, number) => `$.${word}${number}`);
const obligation: fc.Arbitrary<ObligationJson> = fc.oneof(
  // Two of the long lists are more than one enforcement point is held to.
  some([["$.name"], ["$.ssn", "$.name"], ["$.rows[*].ssn"]]).map((paths) => ({ type: "redact", paths })),
  some([many("a"), many("b")]).map((paths) => ({ type: "redact", paths })),
  some([1, 50, 1_000]).map((rows_max) => ({ type: "limit_rows", rows_max })),
  some(["debug", "info", "warn", "error"]).map((level) => ({ type: "log", level })),
  some([["user:ann"], ["group:privacy", "user:ann"]]).map((recipients) => ({ type: "notify", recipients })),
);

/** What rules may read: those that speak for the caller, and all others. */
interface Readable {
  readonly helping: readonly Place[];
  readonly every: readonly Place[];
  /** How many parts at least must all hold before a rule denies or asks: the more, the fewer decisions it decides. */
  readonly partsMin: number;
}

function policiesOver({ helping: helpingPlaces, every, partsMin }: Readable): fc.Arbitrary<PolicyJson> {
  // Named conditions read only what may help, so that any rule can use them.
  const named = conditionsOver(helpingPlaces, { names: [], depthMax: 1 });
  const helping = conditionsOver(helpingPlaces, { names: ["shared"], depthMax: 2 }).whole;
  const restrictive = conditionsOver(every, { names: ["shared"], depthMax: 2 }).whole;
  const narrow = fc.array(restrictive, { minLength: partsMin, maxLength: partsMin * 2 }).map((all) => ({ all }));
  const approval = {
    points: some([10, 40]),
    approvers: some([["issuer", "user:ann"], ["group:approvers", "user:ann", "user:bo"], ["user:alice"]]),
    quorum: some([1, 1, 2]),
    lifetime: some(["5m", "2h"]),
  };
  const rule = fc.oneof(
    { weight: 4, arbitrary: ruleOf("risk", restrictive, { points: some([5, 10, 20, 45, 70]) }, {}) },
    { weight: 2, arbitrary: ruleOf("risk", helping, { points: some([-5, -30, -100]) }, {}) },
    { weight: 2, arbitrary: ruleOf("deny", narrow, {}, { points: some([0, 30]) }) },
    { weight: 3, arbitrary: ruleOf("require-approval", narrow, {}, approval) },
    { weight: 1, arbitrary: ruleOf("allow", helping, {}, {}) },
  );
  // Several at once, or there would be nothing to merge.
  const obliging = mostly<readonly Omit<RuleJson, "name">[]>(
    [],
    fc.array(ruleOf("oblige", restrictive, { obligation }, {}), { minLength: 2, maxLength: 5 }),
    3,
  );
  return fc.record(
    {
      settings,
      rules: fc
        .tuple(fc.array(rule, { maxLength: 5 }), obliging)
        .map((rules) => rules.flat().map((stated, index) => ({ name: `rule-${index}`, ...stated }))),
      conditions: fc.record({ shared: fc.oneof(named.leaf, named.whole) }, { noNullPrototype: true }),
      tools: fc.dictionary(some(TOOLS), tool, { minKeys: 2, noNullPrototype: true }),
      resources: fc.array(label, { minLength: 1, maxLength: 3 }),
      agents: fc.dictionary(some(AGENTS), agent, { noNullPrototype: true }),
    },
    { noNullPrototype: true },
  );
}

const argument: fc.Arbitrary<Json> = fc.oneof(
  { weight: 3, arbitrary: some(RESOURCES).map((id) => `file:${id}`) },
  fc.array(some(RESOURCES), { maxLength: 3 }),
  valueOfKind("any"),
);
/** Absent as a whole mostly where nothing asks for it. */
const money: fc.Arbitrary<JsonObject> = withKeys<object, JsonObject>(
  {},
  {
    amount: mostly<Json>(10, some(AMOUNTS), 1),
    fee: mostly<Json>(50, some(AMOUNTS), 1),
    currency: mostly<Json>("EUR", some(["JPY", "KWD", "USD", "eur", ""]), 1),
    unit: fc.constant("EUR"),
  },
) as fc.Arbitrary<JsonObject>;
const attributes: fc.Arbitrary<JsonObject> = withKeys<object, JsonObject>(
  {},
  {
    classification: mostly<Json>("internal", fc.oneof(some([...CLASSIFICATIONS, "cosmic"]), fc.constant(7)), 1),
    categories: fc.oneof<fc.Arbitrary<Json>[]>(listOf(CATEGORIES), fc.constant("personal"), fc.constant(["health", 7])),
    text: valueOfKind("string"),
    counts: valueOfKind("number[]"),
    framework: valueOfKind("any"),
  },
) as fc.Arbitrary<JsonObject>;

/** Good chains mostly: a person, then agents, the acting one last. */
const chainTo = (id: string): fc.Arbitrary<readonly Hop[]> => {
  const acting: Hop = { type: "agent", id };
  const person = some<Hop>([
    { type: "user", id: "alice" },
    { type: "service", id: "cron" },
    { type: "agent", id: "planner" },
  ]);
  const middle = fc.array(some(AGENTS), { maxLength: 2 }).map((ids) => ids.map((agentId): Hop => ({ type: "agent", id: agentId })));
  const good = fc.tuple(person, middle).map(([first, rest]) => [first, ...rest, acting]);
  const anyHop = fc.record({ type: some(PRINCIPAL_TYPES), id: some([...AGENTS, "alice"]) }, { noNullPrototype: true });
  return fc.oneof({ weight: 9, arbitrary: good }, fc.array(anyHop, { maxLength: 4 }));
};

const request = some(AGENTS).chain((id) =>
  withKeys(
    {
      agent: withKeys({ id: fc.constant(id) }, { attributes }),
      action: withKeys(
        {
          tool: fc.oneof({ weight: 9, arbitrary: some(TOOLS) }, fc.constant("toString")),
          arguments: fc
            .tuple(fc.dictionary(some(ARGUMENTS), argument, { noNullPrototype: true }), money)
            .map(([others, moved]): JsonObject => ({ ...others, ...moved })),
        },
        {
          operation: some(["append", "erase", "constructor"]),
          effect: some<Effect>(EFFECTS),
          argumentsTruncated: mostly(false, fc.constant(true), 6),
          toolDefinitionDigest: some(DIGESTS),
          resource: withKeys({ type: some(["file", "file", "crm"]), id: some(RESOURCES) }, { attributes }),
        },
      ),
    },
    {
      session: fc.constant("chat-7"),
      delegation: chainTo(id),
      data: withKeys({}, { classification: some([...CLASSIFICATIONS, "cosmic"]), categories: listOf(CATEGORIES) }),
      context: withKeys({}, { environment: some(["production", "staging"]), attributes }),
      credentialed: mostly(false, fc.constant(true), 15),
      supportedObligations: mostly<readonly string[]>(OBLIGATION_TYPES, fc.uniqueArray(some(OBLIGATION_TYPES)), 3),
    },
  ),
);

const task = withKeys(
  {
    standing: fc.oneof({ weight: 20, arbitrary: some(["open", "new"] as const) }, some(["unknown", "closed", "mismatch"] as const)),
    restated: fc.boolean(),
    seen: fc.record(
      {
        classifications: listOf([...CLASSIFICATIONS, "cosmic"]),
        categories: listOf(CATEGORIES),
        trust: some(["trusted", "untrusted"] as const),
        systems: listOf(["crm", "unlisted"]),
      },
      { noNullPrototype: true },
    ),
  },
  { id: fc.constant("task-1"), statement: fc.constant("answer the ticket") },
);

const suspended: fc.Arbitrary<NonNullable<Subject["suspended"]>> = fc.constantFrom(
  [{ id: "s1", kind: "all", value: "", reason: "why" }],
  [
    { id: "s1", kind: "agent", value: "bot", reason: "why" },
    { id: "s2", kind: "tool", value: "mail/**", reason: "why not" },
  ],
);

export const scorerAnswers: fc.Arbitrary<NonNullable<Subject["scorer"]>> = fc
  .constantFrom(0, 1, 2, 39, 40, 79, 80, 100)
  .map((risk) => ({ id: "some-scorer", version: "1", risk, reason: "it says so" }));

/** Recipients alone decide whether anything may be inferred, so theirs are drawn most often. */
const destinations = some(["stated", "named_source", "free_text", "unseen"] as const);
const intents: fc.Arbitrary<IntentStanding> = fc.record(
  {
    scope: mostly<IntentStanding["scope"]>("inside", fc.constant("outside"), 5),
    alignment: some(ALIGNMENTS),
    object: some(OBJECT_STANDINGS),
    words: fc.constant([]),
    provenance: fc
      .tuple(fc.dictionary(some(ARGUMENT_ROLES), some(GRADES), { maxKeys: ARGUMENT_ROLES.length, noNullPrototype: true }), destinations)
      .map(([others, destination]) => ({ ...others, destination })),
  },
  { noNullPrototype: true },
);

const REFUSALS = (["action", "flood", "flood"] as const).map((kind) => ({ id: "approval-0", kind, at: instant(0) }));

const selfAsserted: fc.Arbitrary<Subject> = withKeys(
  {
    at: some([Date.UTC(2026, 0, 5), Date.UTC(2026, 0, 5, 9), Date.UTC(2026, 0, 6) - 1, Date.UTC(2026, 0, 6)].map(instant)),
    tenant: mostly("default", fc.constant("other"), 15),
    caller: mostly("gateway", fc.constant("other"), 15),
    request,
    masked: fc.integer({ min: 0, max: 2 }),
    task,
    lapsed: mostly<string | undefined>(undefined, fc.constant("decision-1"), 40),
    suspended: mostly<Subject["suspended"]>(undefined, suspended, 40),
    refused: mostly<Subject["refused"]>(undefined, some(REFUSALS), 25),
    asked: mostly<Subject["asked"]>(
      undefined,
      some([
        { byAgent: 3, forTask: 1 },
        { byAgent: 20, forTask: 0 },
      ]),
      2,
    ),
    endorsed: mostly<Subject["endorsed"]>(undefined, fc.record({ values: listOf(["a", "b"]), sources: listOf(["crm", "mail/send"]) }), 2),
    scorer: mostly<Subject["scorer"]>(undefined, scorerAnswers, 1),
    intent: fc.oneof<[fc.Arbitrary<undefined>, fc.WeightedArbitrary<IntentStanding>]>(fc.constant(undefined), { weight: 5, arbitrary: intents }),
    callerAgents: mostly<readonly string[] | undefined>(undefined, fc.uniqueArray(some(["support-*", "*", "planner", "**er"]), { maxLength: 2 }), 9),
  },
  {},
).map(({ lapsed, suspended: by, callerAgents, refused, asked, endorsed, scorer, intent, ...subject }) => ({
  ...subject,
  ...(intent && { intent }),
  ...(refused && { refused }),
  ...(asked && { asked }),
  ...(endorsed && { endorsed }),
  ...(scorer && { scorer }),
  ...(lapsed !== undefined && { lapsed }),
  ...(by && { suspended: by }),
  ...(callerAgents && { callerAgents }),
}));

export const subjects: fc.Arbitrary<Subject> = fc
  .tuple(selfAsserted, mostly<undefined | Registration>(undefined, registrations({ agents: AGENTS, classifications: CLASSIFICATIONS }), 1))
  .map(([subject, registration]) => (registration ? underTask(subject, registration) : subject));

const questionsOver = (readable: Readable): fc.Arbitrary<Question> =>
  fc
    .record(
      {
        policy: policiesOver(readable),
        subject: subjects,
        plan: mostly<ApprovalPlan | undefined>(undefined, approvalPlans, 1),
        evaluates: mostly(true, fc.constant(false), 60),
      },
      { noNullPrototype: true },
    )
    .map(({ policy, subject, plan, evaluates }) => ({ policy, evaluates, subject: plan ? approved(policy, subject, plan) : subject }));

export const questions = questionsOver({ helping: HELPING, every: EVERY, partsMin: 2 });
/** With rules that decide more often than not. */
export const policies = policiesOver({ helping: HELPING, every: EVERY, partsMin: 1 });

const isOpen = ({ rest }: Place): boolean => rest !== "" && rest !== ".classification";
/** Whose rules read nothing but entries of open maps, from which nothing else is made. */
export const questionsOfEntries = questionsOver({ helping: HELPING.filter(isOpen), every: EVERY.filter(isOpen), partsMin: 1 });
