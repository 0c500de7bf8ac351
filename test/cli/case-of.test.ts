import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { beyondCases, caseOf } from "../../src/cli/case-of.ts";
import { readyCase } from "../../src/cli/cases.ts";
import { GRADES } from "../../src/core/intent/grades.ts";
import { ALIGNMENTS } from "../../src/core/intent/scope.ts";
import { type IntentStanding, NOTHING_FOUND, OBJECT_STANDINGS, SCOPE_STANDINGS } from "../../src/core/intent/standing.ts";
import { judge } from "../../src/core/judge.ts";
import { ARGUMENT_ROLES } from "../../src/core/policy.ts";
import type { DecisionRecord } from "../../src/core/record.ts";
import type { Hop } from "../../src/core/request.ts";
import type { Subject } from "../../src/core/situation.ts";
import type { Budget } from "../../src/core/tasks/budget.ts";
import type { Scope } from "../../src/core/tasks/scope.ts";
import type { RegisteredStanding } from "../../src/core/tasks/standing.ts";
import { EFFECTS, instant } from "../../src/core/words.ts";
import { approvalBy } from "../../src/policy/case-approvals.ts";
import { type JudgedCase, judgeCase } from "../../src/policy/case-judge.ts";
import { readCases } from "../../src/policy/cases.ts";
import type { Complaint } from "../../src/policy/complaints.ts";
import { readDocument } from "../../src/policy/document.ts";
import { type Question, questions } from "../core/random-policies.ts";
import { randomRuns } from "../core/random-rules.ts";
import { policyOf } from "../policies.ts";
import { INTENT } from "../storage/deciders.ts";

const recordOf = (subject: Subject, rest: object = {}): DecisionRecord => {
  const { at, tenant, caller, ...recorded } = subject;
  return { id: "x", at, tenant, caller, subject: recorded, ...rest } as unknown as DecisionRecord;
};

/** Decides, makes a case of it, and decides the case; undefined where the random request names a resource that no endpoint lets in. */
function decidedTwice({ policy: stated, subject }: Question): JudgedCase | undefined {
  const policy = policyOf(stated);
  const { judgement } = judge(policy, subject);
  const complaints: Complaint[] = [];
  const text = JSON.stringify({ cases: [caseOf(recordOf(subject, { judgement }), undefined)] });
  const document = readDocument("one.cases.json", text, complaints);
  const [one] = document ? readCases([document]) : [];
  const [ready] = one ? readyCase(one) : [];
  return ready && judgeCase({ policy, intent: INTENT }, ready.stated, ready.request);
}

/** Neither a lapsed attempt, nor what a token covers, nor what is suspended, nor secrets that nobody masked can be told by a request. */
const canBeTold = ({ lapsed, callerAgents, suspended, masked, task }: Subject): boolean =>
  lapsed === undefined && callerAgents === undefined && !suspended?.length && masked === 0 && isBound(task);

/** What is proposed for a root bounds nothing: no decision is made otherwise. */
const isBound = ({ registered }: Subject["task"]): boolean => !registered?.boundary || registered.scopeKind === "issued" || registered.depth > 0;

const counts = fc.dictionary(fc.constantFrom(...EFFECTS), fc.integer({ min: 0, max: 3 }), { maxKeys: 3, noNullPrototype: true });
const amounts = fc.dictionary(fc.constantFrom("EUR", "JPY"), fc.integer({ min: 0, max: 3_000 }), { noNullPrototype: true });
const caps = fc.record({ maxCalls: counts, maxAmounts: amounts }, { requiredKeys: [], noNullPrototype: true });
const scopes: fc.Arbitrary<Scope> = fc
  .tuple(
    caps,
    fc.record(
      {
        tools: fc.constantFrom(["*"], ["crm/*", "mail/send"], []),
        effects: fc.uniqueArray(fc.constantFrom(...EFFECTS), { maxLength: 8 }),
        resources: fc.constantFrom(["*"], ["file:/srv/**", "/srv/**"], []),
        maxClassification: fc.constantFrom("public", "internal", "confidential", "restricted"),
        delegates: fc.constantFrom(["worker"], ["*"], []),
        maxDepth: fc.integer({ min: 0, max: 2 }),
      },
      { requiredKeys: [], noNullPrototype: true },
    ),
  )
  .map(([capped, rest]) => ({ ...rest, ...capped }));
const budgets = fc.array(
  fc.record({ caps, calls: counts, amounts }).map(({ caps: capped, ...spent }) => ({ ...capped, spent })),
  { maxLength: 2 },
);

/** What a decision found beside the words of its task. Records of before that was looked for do not say it. */
const intents: fc.Arbitrary<IntentStanding | undefined> = fc.option(
  fc.record({
    scope: fc.constantFrom(...SCOPE_STANDINGS),
    alignment: fc.constantFrom(...ALIGNMENTS),
    object: fc.constantFrom(...OBJECT_STANDINGS),
    words: fc.constantFrom([], ["Send", "mail"]),
    provenance: fc.dictionary(fc.constantFrom(...ARGUMENT_ROLES), fc.constantFrom(...GRADES), { noNullPrototype: true }),
  }),
  { nil: undefined, freq: 4 },
);

interface Chosen {
  readonly intent: IntentStanding | undefined;
  readonly scope: Scope;
  readonly scopeKind: RegisteredStanding["scopeKind"];
  readonly above: readonly Omit<Budget, "task">[];
  readonly middle: readonly string[];
  readonly beyond: readonly string[];
  readonly standing: "open" | "closed" | "expired" | "revoked" | "mismatch";
  readonly marks: readonly string[];
}

const chosen: fc.Arbitrary<Chosen> = fc.record({
  intent: intents,
  scope: fc.oneof({ weight: 2, arbitrary: fc.constant<Scope>({}) }, scopes),
  scopeKind: fc.constantFrom("issued" as const, "proposed" as const),
  above: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, budgets),
  middle: fc.oneof(fc.constant([]), fc.array(fc.constantFrom("planner", "support-bot"), { maxLength: 2 })),
  beyond: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, fc.array(fc.constantFrom("planner", "worker"), { maxLength: 2 })),
  standing: fc.oneof(
    { weight: 3, arbitrary: fc.constant("open" as const) },
    fc.constantFrom("closed" as const, "expired" as const, "revoked" as const, "mismatch" as const),
  ),
  marks: fc.subarray(["reworded", "expired", "unreported", "attributes"]),
});

/** The same question about a registered task, as `standingOf` would find it. */
function ofRegistered({ policy, subject, evaluates }: Question, choice: Chosen): Question {
  const { intent, scope, scopeKind, above, middle, beyond, standing, marks } = choice;
  const { request, task } = subject;
  const own: readonly Hop[] = [
    { type: "user", id: "alice" },
    ...[...middle, ...(beyond.length > 0 ? ["planner"] : [request.agent.id])].map((id, at): Hop => ({ type: "agent", id, taskId: `t${at}` })),
  ];
  const further = beyond.length > 0 ? [...beyond.slice(1), request.agent.id].map((id): Hop => ({ type: "agent", id })) : [];
  const capped = [...above, ...(scope.maxCalls || scope.maxAmounts ? [{ ...scope, spent: above[0]?.spent ?? { calls: {}, amounts: {} } }] : [])];
  const { statement, ...wordless } = task;
  const { maxCalls: _, maxAmounts: __, ...boundary } = scope;
  const expired = marks.includes("expired");
  const registered: RegisteredStanding = {
    root: "t0",
    depth: own.length - 2,
    principal: { type: "user", id: "alice", ...(marks.includes("attributes") && { attributes: { department: "finance" } }) },
    issuer: "portal",
    scopeKind,
    ...((scopeKind === "issued" || own.length > 2) && { boundary }),
    hops: own.length,
    ...(capped.length > 0 && {
      budgets: capped.map(({ spent, maxCalls, maxAmounts }, at) => ({
        task: at < above.length ? `above-${at}` : "task-1",
        spent,
        ...(maxCalls && { maxCalls }),
        ...(maxAmounts && { maxAmounts }),
      })),
    }),
    ...(marks.includes("reworded") && { reworded: true }),
    ...(expired && { statementExpired: true }),
    until: instant(subject.at + 3_600_000),
    ...(standing !== "open" && standing !== "mismatch" && { endedTask: "t0" }),
  };
  return {
    policy,
    evaluates,
    subject: {
      ...subject,
      ...(intent && { intent }),
      // A request that contradicts its task stays as it is.
      request:
        standing === "mismatch" ? { ...request, task: { id: "task-1" } } : { ...request, delegation: [...own, ...further], task: { id: "task-1" } },
      task: {
        ...wordless,
        ...(!expired && { statement: statement ?? "answer the ticket" }),
        restated: false,
        id: "task-1",
        standing,
        ...(marks.includes("unreported") && { unreported: 2 }),
        registered,
      },
    },
  };
}

describe("a decision as a case expects what the same policy decides of it", () => {
  it("whatever is asked", () => {
    let held = 0;
    fc.assert(
      fc.property(questions, (question) => {
        fc.pre(canBeTold(question.subject));
        const judged = decidedTwice(question);
        if (!judged) return;
        expect(judged.disagreements).toEqual([]);
        held++;
      }),
      { ...randomRuns(500), includeErrorInReport: true },
    );
    expect(held).toBeGreaterThan(100);
  });

  it("and of a registered task, with its scope, its chain and its budgets", () => {
    const outcomes = new Map<string, number>();
    fc.assert(
      fc.property(questions, chosen, (question, choice) => {
        fc.pre(canBeTold(question.subject));
        const asked = ofRegistered(question, choice);
        const judged = decidedTwice(asked);
        if (!judged) return;
        expect(judged.disagreements).toEqual([]);
        // All that rules and Behest itself can read of it, and not only what came out this time.
        expect(readable(judged.situation.subject)).toEqual(readable(asked.subject));
        for (const word of [judged.judgement.outcome, judged.judgement.basis, ...judged.judgement.reasonCodes])
          outcomes.set(word, (outcomes.get(word) ?? 0) + 1);
      }),
      { ...randomRuns(500), includeErrorInReport: true },
    );
    const reached = [
      "INFERRED",
      "ALLOW",
      "DENY",
      "REQUIRE_APPROVAL",
      "TASK_CLOSED",
      "TASK_EXPIRED",
      "TASK_REVOKED",
      "CHAIN_MISMATCH",
      "OUTSIDE_SCOPE",
      "BUDGET_SPENT",
    ];
    expect(reached.filter((word) => !outcomes.has(word))).toEqual([]);
  });

  it("and of what people were asked and have said", () => {
    const reached = new Map<string, number>();
    fc.assert(
      fc.property(questions, chosen, saids, (question, choice, said) => {
        fc.pre(canBeTold(question.subject));
        const asked = underApprovals(ofRegistered(question, { ...choice, standing: "open" }), said);
        const judged = decidedTwice(asked);
        if (!judged) return;
        expect(judged.disagreements).toEqual([]);
        expect(readable(judged.situation.subject)).toEqual(readable(asked.subject));
        const { judgement } = judged;
        const words = [...judgement.reasonCodes, ...(judgement.approvedBy === undefined ? [] : ["approved"])];
        for (const word of words) reached.set(word, (reached.get(word) ?? 0) + 1);
      }),
      { ...randomRuns(900), includeErrorInReport: true },
    );
    const wanted = ["approved", "APPROVAL_DENIED", "APPROVAL_NOT_APPLICABLE", "NO_APPROVER", "ARGUMENTS_TRUNCATED"];
    expect(wanted.filter((word) => !reached.has(word))).toEqual([]);
  });
});

type Said = typeof saids extends fc.Arbitrary<infer Drawn> ? Drawn : never;

/** What people were asked and have said; a yes is one to all that the same question asks without it. */
const saids = fc.record({
  asked: fc.option(fc.record({ byAgent: fc.integer({ min: 0, max: 40 }), forTask: fc.integer({ min: 0, max: 40 }) }), { nil: undefined }),
  endorsed: fc.option(fc.constant({ values: ["b@example.org"], sources: ["crm"] }), { nil: undefined }),
  refused: fc.option(fc.constantFrom("action" as const, "flood" as const), { nil: undefined, freq: 6 }),
  approvalId: fc.option(fc.constant("0199f5c4-7b1e-7000-8000-000000000000"), { nil: undefined }),
  // Who asks for the action cannot answer for it.
  members: fc.constantFrom(["user:local", "user:ann"], ["user:ann", "portal"], ["gateway"]),
  people: fc.subarray(["user:local", "user:ann", "user:bo", "user:alice", "portal", "gateway"]),
  standing: fc.constantFrom("covers" as const, "pending" as const, "not_applicable" as const, undefined),
});

/** In a policy by which people can be asked. */
function underApprovals(question: Question, { asked, endorsed, refused, approvalId, people, standing, members }: Said): Question {
  const { subject } = question;
  const { at, request } = subject;
  const { settings } = question.policy;
  const approvers = { default: ["group:approvers"], quorum: 1 };
  const policy = {
    ...question.policy,
    settings: { ...settings, approvers, groups: { approvers: members }, bands: { middle: 20, top: 100 } },
  };
  const posed: Subject = {
    ...subject,
    request: { ...request, ...(approvalId !== undefined && { approvalId }) },
    ...(asked && { asked }),
    ...(endorsed && { endorsed }),
  };
  const { judgement } = judge(policyOf(policy), posed);
  const isOwn = standing === "pending" || standing === "covers";
  const id = approvalId ?? "0199f5c4-7b1e-7000-8000-000000000001";
  const approval: Subject["approval"] =
    standing === "covers"
      ? approvalBy(people, judgement, at)
      : standing && approvalId !== undefined
        ? { standing, id, why: "nobody has said why" }
        : undefined;
  return {
    ...question,
    policy,
    // Whoever was asked this very thing may still answer, whatever else they refused.
    subject: { ...posed, ...(approval && { approval }), ...(refused && !isOwn && { refused: { id, kind: refused, at } }) },
  };
}

/** Without what only words are made of: names of other tasks, and when they end. */
function readable({ task: { registered, ...task }, asked, endorsed, refused, intent = NOTHING_FOUND }: Subject): object {
  const { principal, issuer, scopeKind, boundary, hops, budgets = [], reworded, statementExpired } = registered ?? {};
  const capped = budgets.filter(({ maxCalls, maxAmounts }) => maxCalls || maxAmounts).map(({ task: _, ...rest }) => rest);
  const said = { asked, endorsed, refused: refused?.kind, intent };
  return { ...task, ...said, principal, issuer, scopeKind, boundary, hops, capped, reworded, statementExpired };
}

it("what no case can say is named", () => {
  const subject = {
    lapsed: "d1",
    suspended: [{ id: "s1", kind: "all", value: "", reason: "why" }],
    callerAgents: ["support-*", "planner"],
  } as unknown as Subject;
  expect(beyondCases(recordOf(subject))).toEqual([
    "the attempt had been allowed before, and that had lapsed",
    "suspension `s1` stopped it",
    "the caller's token covers only `support-*`, `planner`",
  ]);
  expect(beyondCases(recordOf({} as Subject))).toEqual([]);
});
