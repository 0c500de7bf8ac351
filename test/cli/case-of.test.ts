import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { beyondCases, caseOf } from "../../src/cli/case-of.ts";
import { readyCase } from "../../src/cli/cases.ts";
import { judge } from "../../src/core/judge.ts";
import type { DecisionRecord } from "../../src/core/record.ts";
import type { Hop } from "../../src/core/request.ts";
import type { Subject } from "../../src/core/situation.ts";
import type { Budget } from "../../src/core/tasks/budget.ts";
import type { Scope } from "../../src/core/tasks/scope.ts";
import type { RegisteredStanding } from "../../src/core/tasks/standing.ts";
import { EFFECTS, instant } from "../../src/core/words.ts";
import { type JudgedCase, judgeCase } from "../../src/policy/case-judge.ts";
import { readCases } from "../../src/policy/cases.ts";
import type { Complaint } from "../../src/policy/complaints.ts";
import { readDocument } from "../../src/policy/document.ts";
import { type Question, questions } from "../core/random-policies.ts";
import { randomRuns } from "../core/random-rules.ts";
import { policyOf } from "../policies.ts";

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
  return ready && judgeCase(policy, ready.stated, ready.request);
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

interface Chosen {
  readonly scope: Scope;
  readonly scopeKind: RegisteredStanding["scopeKind"];
  readonly above: readonly Omit<Budget, "task">[];
  readonly middle: readonly string[];
  readonly beyond: readonly string[];
  readonly standing: "open" | "closed" | "expired" | "revoked" | "mismatch";
  readonly marks: readonly string[];
}

const chosen: fc.Arbitrary<Chosen> = fc.record({
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
  const { scope, scopeKind, above, middle, beyond, standing, marks } = choice;
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
    issuer: "local-initiator",
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
        for (const word of [judged.judgement.outcome, ...judged.judgement.reasonCodes]) outcomes.set(word, (outcomes.get(word) ?? 0) + 1);
      }),
      { ...randomRuns(500), includeErrorInReport: true },
    );
    const reached = [
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
});

/** Without what only words are made of: names of other tasks, and when they end. */
function readable({ task: { registered, ...task } }: Subject): object {
  const { principal, scopeKind, boundary, hops, budgets = [], reworded, statementExpired } = registered ?? {};
  const capped = budgets.filter(({ maxCalls, maxAmounts }) => maxCalls || maxAmounts).map(({ task: _, ...rest }) => rest);
  return { ...task, principal, scopeKind, boundary, hops, capped, reworded, statementExpired };
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
