import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { judgeSituation } from "../../src/core/judge.ts";
import type { Policy } from "../../src/core/policy.ts";
import type { Hop } from "../../src/core/request.ts";
import { rankOf, type Situation, type Subject, situate } from "../../src/core/situation.ts";
import type { Budget } from "../../src/core/tasks/budget.ts";
import { fitScope, type Scope } from "../../src/core/tasks/scope.ts";
import { raiseSeen, type Seen } from "../../src/core/tasks/seen.ts";
import type { RegisteredStanding } from "../../src/core/tasks/standing.ts";
import { EFFECTS, type Effect, instant, type Outcome } from "../../src/core/words.ts";
import { FULL_REACH, load, policyOf } from "../policies.ts";
import { type Dice, diceOf } from "./random-histories.ts";
import { AGENTS, CLASSIFICATIONS, policies, subjects } from "./random-policies.ts";
import { randomRuns } from "./random-rules.ts";
import type { PolicyJson } from "./specification.ts";
import { STARTER, starterSubjects } from "./starter-subjects.ts";

/** What may be done to a decision that must never make its outcome better. */
type Worsening = (subject: Subject, policy: Policy, dice: Dice) => Subject | undefined;

const withRegistered = (subject: Subject, change: Partial<RegisteredStanding>): Subject | undefined =>
  subject.task.registered && { ...subject, task: { ...subject.task, registered: { ...subject.task.registered, ...change } } };

const hopOf = (dice: Dice): Hop => ({ type: "agent", id: dice.pick([...AGENTS, "stranger"]) });

/** Somebody the caller names, below a registered task's chain or anywhere in the agent's own. */
function withAssertedHop(subject: Subject, policy: Policy, dice: Dice): Subject | undefined {
  // A chain that is broken already may be mended by a hop that was missing.
  if (situate(policy, subject).chainBroken) return undefined;
  const { request, task } = subject;
  const acting: Hop = { type: "agent", id: request.agent.id };
  const chain = request.delegation ?? [];
  if (task.registered) return { ...subject, request: { ...request, delegation: [...chain, hopOf(dice), acting] } };
  const longer = chain.length < 2 ? [hopOf(dice), acting] : chain.toSpliced(1 + dice.roll(chain.length - 1), 0, hopOf(dice));
  return { ...subject, request: { ...request, delegation: longer } };
}

/** One more task between the root and the acting agent. */
function withRegisteredHop(subject: Subject, policy: Policy, dice: Dice): Subject | undefined {
  const { request, task } = subject;
  const { registered } = task;
  if (!registered || !request.delegation || registered.hops < 2 || request.delegation.length < registered.hops) return undefined;
  const delegation = request.delegation.toSpliced(registered.hops - 1, 0, { ...hopOf(dice), taskId: "between" });
  const budget: Budget = { task: "between", spent: { calls: {}, amounts: {} }, maxCalls: { [dice.pick(EFFECTS)]: dice.roll(2) } };
  const change: Partial<RegisteredStanding> = {
    depth: registered.depth + 1,
    hops: registered.hops + 1,
    ...(dice.once(2) && { budgets: [...(registered.budgets ?? []), budget] }),
    ...(dice.once(2) && { reworded: true }),
    ...(dice.once(2) && { scopeKind: "proposed" }),
    boundary: narrower(registered.boundary ?? {}, policy, dice),
  };
  return withRegistered({ ...subject, request: { ...request, delegation } }, change);
}

const GLOBS = ["*", "**", "crm/*", "mail/send", "files/**", "file:/srv/**", "file:/srv/reports/q1.md", "crm:*", "worker", "*er"];

function narrower(boundary: Scope, policy: Policy, dice: Dice): Scope {
  const some = (of: readonly string[]): readonly string[] => of.filter(() => dice.once(2));
  const asked: Scope = {
    ...(dice.once(3) && { tools: some(GLOBS) }),
    ...(dice.once(3) && { effects: EFFECTS.filter(() => dice.once(2)) }),
    ...(dice.once(3) && { resources: some(GLOBS) }),
    ...(dice.once(3) && { maxClassification: dice.pick(policy.settings.classification.order) }),
    ...(dice.once(3) && { delegates: some(GLOBS) }),
  };
  return fitScope(asked, { parent: boundary, classifications: policy.settings.classification.order }).scope;
}

/** A smaller cap than before, and never less than was spent of it. */
function lowered(budget: Budget, dice: Dice): Budget {
  const lower = (caps: Readonly<Record<string, number>>, used: Readonly<Record<string, number>>): Record<string, number> =>
    Object.fromEntries(
      Object.entries(caps).map(([name, max]) => [name, Math.max(Math.min(max, used[name] ?? 0), max - dice.roll(3) * Math.ceil(max / 2))]),
    );
  const { spent, maxCalls, maxAmounts } = budget;
  const fresh: Effect = dice.pick(EFFECTS);
  const calls = maxCalls ?? (dice.once(3) ? { [fresh]: (spent.calls[fresh] ?? 0) + dice.roll(2) } : undefined);
  return {
    ...budget,
    ...(calls && { maxCalls: lower(calls, spent.calls) }),
    ...(maxAmounts && { maxAmounts: lower(maxAmounts, spent.amounts) }),
  };
}

function withNarrowerHop(subject: Subject, policy: Policy, dice: Dice): Subject | undefined {
  const { registered } = subject.task;
  return (
    registered &&
    withRegistered(subject, {
      boundary: narrower(registered.boundary ?? {}, policy, dice),
      ...(registered.budgets && { budgets: registered.budgets.map((budget) => lowered(budget, dice)) }),
      until: instant(Math.max(subject.at + 1, registered.until - dice.roll(90_000))),
    })
  );
}

/** What is stated at all is stated higher. */
function withHigherClassification(subject: Subject, policy: Policy, dice: Dice): Subject | undefined {
  const { request } = subject;
  const stated = request.data?.classification;
  if (stated === undefined) return undefined;
  const higher = [...policy.settings.classification.order, "cosmic"].filter((word) => rankOf(policy, word) >= rankOf(policy, stated));
  return { ...subject, request: { ...request, data: { ...request.data, classification: dice.pick(higher) } } };
}

/** A report came, and said what the tool had returned. */
function withObservation(subject: Subject, policy: Policy, dice: Dice): Subject {
  const labels: Seen = {
    classifications: [dice.pick([...policy.settings.classification.order, "cosmic"])],
    categories: dice.once(2) ? [dice.pick(["personal", "credential", "health", "financial"])] : [],
    trust: "untrusted",
    systems: [dice.pick(["crm", "unlisted", "none"])],
  };
  return { ...subject, task: { ...subject.task, seen: raiseSeen(subject.task.seen, labels) } };
}

/** A scorer that finds more wrong with it, or says nothing any more. */
function withWorseScore(subject: Subject, _: Policy, dice: Dice): Subject | undefined {
  const { scorer, ...rest } = subject;
  if (!scorer) return undefined;
  return dice.once(3) ? rest : { ...rest, scorer: { ...scorer, risk: Math.min(100, scorer.risk + 1 + dice.roll(60)) } };
}

const WORSENINGS: Readonly<Record<string, Worsening>> = {
  "a hop that the caller names": withAssertedHop,
  "one more task between": withRegisteredHop,
  "a narrower hop": withNarrowerHop,
  "a higher classification": withHigherClassification,
  "an untrusted observation": withObservation,
  "a worse word of a scorer": withWorseScore,
};

const BEST_FIRST: readonly Outcome[] = ["ALLOW", "REQUIRE_APPROVAL", "DENY"];

type Twin = (situation: Situation) => Situation;
const asItIs: Twin = (situation) => situation;

/** What a worse decision is answered, beside what it was before; undefined where there is nothing to make worse. */
function compare({ policy, subject, seed }: Trial, worsen: Worsening, twin: Twin) {
  const worse = worsen(subject, policy, diceOf(seed));
  if (!worse) return undefined;
  const before = judgeSituation(situate(policy, subject)).judgement;
  const after = judgeSituation(twin(situate(policy, worse))).judgement;
  return { before, after, isBetter: BEST_FIRST.indexOf(after.outcome) < BEST_FIRST.indexOf(before.outcome) };
}

interface Trial {
  readonly policy: Policy;
  readonly subject: Subject;
  readonly seed: number;
}

/** As many trials, a few under each policy: a policy takes longer to compile than to decide by. */
const SUBJECTS_PER_POLICY = 40;
const TRIALS = randomRuns(20_000);

const subjectLists = fc.array(fc.tuple(subjects, fc.nat()), { minLength: SUBJECTS_PER_POLICY, maxLength: SUBJECTS_PER_POLICY });

/** What is allowed with a better basis must not be less: the loader does not look at that. */
function withOrderedBasis({ settings, ...rest }: PolicyJson): PolicyJson {
  const { AUTHORIZED, INFERRED, AVAILABLE } = settings.basis;
  const answerOf = (row: typeof AVAILABLE, effect: string) => row[effect] ?? (effect === "unknown" ? undefined : row["*"]) ?? "deny";
  const kindest = (effect: string, ...rows: readonly (typeof AVAILABLE)[]) =>
    (["allow", "ask", "deny"] as const).find((answer) => rows.some((row) => answerOf(row, effect) === answer)) ?? "deny";
  const row = (...rows: readonly (typeof AVAILABLE)[]) => Object.fromEntries(EFFECTS.map((effect) => [effect, kindest(effect, ...rows)]));
  const basis = { AUTHORIZED: row(AUTHORIZED, INFERRED, AVAILABLE), INFERRED: row(INFERRED, AVAILABLE), AVAILABLE: row(AVAILABLE) };
  return { ...rest, settings: { ...settings, basis } };
}

/** Without the rules that the loader warns about. */
function unwarned(stated: PolicyJson): Policy {
  const ordered = withOrderedBasis(stated);
  const { policy, warnings } = load(ordered);
  if (warnings.length === 0) return policy;
  const warned = new Set(warnings.flatMap(({ message }) => /rule `([^`]+)`/.exec(message)?.[1] ?? []));
  return policyOf({ ...ordered, rules: ordered.rules.filter(({ name }) => !warned.has(name)) });
}

/** Drawn once, and asked by each property and each twin. */
const trialsUnder = (compile: (stated: PolicyJson) => Policy, count: number): readonly Trial[] => {
  const drawn = fc.sample(fc.tuple(policies, subjectLists), { seed: TRIALS.seed, numRuns: Math.ceil(count / SUBJECTS_PER_POLICY) });
  return drawn.flatMap(([stated, asked]) => {
    const policy = compile(stated);
    return asked.map(([subject, seed]) => ({ policy, subject, seed }));
  });
};
const RANDOM = trialsUnder(unwarned, TRIALS.numRuns);

const denying = (fact: string, operator: string, value: unknown): object => ({
  name: `${fact}-denies`.replaceAll(/[._]/g, "-"),
  conditions: { all: [{ fact, operator, value }] },
  event: { type: "deny", params: { reason: "a rule of one fact", controls: ["owasp:ASI02"] } },
});
const CATALOG = Object.fromEntries(
  (["crm/read_contact", "mail/send", "files/edit", "pay", "web/fetch"] as const).map((name, index) => [
    name,
    { effect: EFFECTS[index], reversibility: "reversible", output: { trust: "trusted" } },
  ]),
);
const EVERYTHING = { "*": "allow", unknown: "allow" };
const policyOfRules = (...rules: readonly object[]): Policy =>
  policyOf({
    settings: { reach: { default: FULL_REACH }, basis: { AUTHORIZED: EVERYTHING, INFERRED: EVERYTHING, AVAILABLE: EVERYTHING } },
    tools: CATALOG,
    rules,
  });

/** Each rule by itself, so that it is the one that decides. */
const trialsOfRules = (rules: readonly object[]): readonly Trial[] => {
  const asked = fc.sample(fc.tuple(subjects, fc.nat()), { seed: TRIALS.seed, numRuns: 1_500 });
  return rules.flatMap((rule) => {
    const policy = policyOfRules(rule);
    return asked.map(([subject, seed]) => ({ policy, subject, seed }));
  });
};

const FOCUSED_RULES = [
  denying("chain.depth", "greaterThan", 2),
  denying("chain.least_trust", "in", ["low", "unregistered"]),
  denying("chain.crosses_owner", "equal", true),
  denying("chain.weakest_hop", "equal", "asserted"),
  denying("chain.person_distance", "in", ["3", "4", "5", "6", "7", "8", "more", "none"]),
  denying("task.budget_used_percent", "greaterThanInclusive", 50),
  denying("task.scope_kind", "in", ["proposed", "none"]),
  denying("task.reworded", "equal", true),
  denying("task.seen.trust", "equal", "untrusted"),
  denying("task.seen.classification_rank", "greaterThanInclusive", 2),
  denying("task.seen.categories", "contains", "personal"),
  denying("data.classification_rank", "greaterThanInclusive", 2),
  denying("scorer.risk", "greaterThanInclusive", 50),
];
const FOCUSED = trialsOfRules(FOCUSED_RULES);

const STARTER_TRIALS: readonly Trial[] = fc
  .sample(fc.tuple(starterSubjects, fc.nat()), TRIALS)
  .map(([subject, seed]) => ({ policy: STARTER, subject, seed }));

describe.each([
  ["random policies whose rules the loader does not warn about", RANDOM],
  ["rules of one fact", FOCUSED],
  ["the starter policy", STARTER_TRIALS],
])("under %s", (_, trials) => {
  it.each(Object.entries(WORSENINGS))("no outcome is better for %s", (__, worsen) => {
    const seen = new Map<string, number>();
    for (const trial of trials) {
      const compared = compare(trial, worsen, asItIs);
      if (!compared) continue;
      const { before, after, isBetter } = compared;
      if (isBetter)
        expect({ subject: trial.subject, seed: trial.seed, rules: trial.policy.rules.map(({ source }) => source), before }).toEqual(after);
      seen.set(`${before.outcome} ${after.outcome}`, (seen.get(`${before.outcome} ${after.outcome}`) ?? 0) + 1);
    }
    expect([...seen.keys()]).toEqual(expect.arrayContaining(["ALLOW ALLOW", "DENY DENY"]));
    expect(seen.size).toBeGreaterThan(2);
  });
});

/** What is worse for these helps. */
const WARNED_RULES = [
  denying("chain.depth", "lessThan", 2),
  denying("chain.weakest_hop", "equal", "registered"),
  denying("task.scope_kind", "equal", "issued"),
  denying("task.budget_used_percent", "lessThan", 50),
  denying("task.seen.trust", "equal", "trusted"),
  denying("data.classification", "equal", "internal"),
  denying("scorer.risk", "lessThan", 50),
];
const WARNED = trialsOfRules(WARNED_RULES);

describe("under rules that the loader does warn about", () => {
  it("each of these is one", () => {
    expect(WARNED_RULES.map((rule) => load({ rules: [rule] }).warnings.map(({ id }) => id))).toEqual(
      WARNED_RULES.map(() => ["softens-as-it-worsens"]),
    );
    expect(FOCUSED_RULES.flatMap((rule) => load({ rules: [rule] }).warnings)).toEqual([]);
  });

  it.each(Object.entries(WORSENINGS))("some outcome is better for %s", (_, worsen) => {
    expect(WARNED.some((trial) => compare(trial, worsen, asItIs)?.isBetter === true)).toBe(true);
  });
});

const inTask =
  (change: (registered: RegisteredStanding) => Partial<RegisteredStanding>): Twin =>
  (situation) => {
    const { registered } = situation.subject.task;
    const changed = registered && withRegistered(situation.subject, change(registered));
    return changed ? { ...situation, subject: changed } : situation;
  };
const seeing =
  (change: (seen: Seen) => Partial<Seen>): Twin =>
  (situation) => {
    const { subject } = situation;
    return { ...situation, subject: { ...subject, task: { ...subject.task, seen: { ...subject.task.seen, ...change(subject.task.seen) } } } };
  };
const withoutEmptyLists = (scope: Scope): Scope =>
  Object.fromEntries(Object.entries(scope).filter(([, value]) => !Array.isArray(value) || value.length > 0));

describe("a decision is found to be better for what is worse when it", () => {
  it.each<[says: string, worsening: string, twin: Twin]>([
    [
      "forgets the scope below the task's agent",
      "a hop that the caller names",
      (situation) => (situation.handedOn.length > 0 ? inTask(() => ({ boundary: {} }))(situation) : situation),
    ],
    [
      "asks for the reach of the acting agent alone",
      "a hop that the caller names",
      (situation) => ({ ...situation, reaches: new Map([...situation.reaches].slice(-1)) }),
    ],
    ["puts no agent of the chain out of service", "a hop that the caller names", (situation) => ({ ...situation, outOfService: new Map() })],
    ["counts no hop", "a hop that the caller names", (situation) => ({ ...situation, chainDepth: 0, leastTrust: "high", crossesOwner: false })],
    ["counts the budget of one task alone", "one more task between", inTask(({ budgets = [] }) => ({ budgets: budgets.slice(-1) }))],
    ["binds a task by what it was handed on for, and not by what it was opened for", "one more task between", inTask(() => ({ boundary: {} }))],
    ["takes a list of nothing for none", "a narrower hop", inTask(({ boundary }) => ({ boundary: withoutEmptyLists(boundary ?? {}) }))],
    [
      "spends what is left of a smaller budget as if it were the larger",
      "a narrower hop",
      inTask(({ budgets = [] }) => ({ budgets: budgets.map(({ task, spent }) => ({ task, spent })) })),
    ],
    [
      "takes a classification that nobody listed for the lowest",
      "a higher classification",
      (situation) =>
        situation.subject.request.data?.classification === "cosmic"
          ? { ...situation, classification: CLASSIFICATIONS[0] as string, classificationRank: 0 }
          : situation,
    ],
    [
      "takes silence for nothing wrong",
      "a worse word of a scorer",
      (situation) => ({
        ...situation,
        subject: { ...situation.subject, scorer: situation.subject.scorer ?? { id: "s", version: "1", risk: 0, reason: "" } },
      }),
    ],
    ["believes whatever it has seen", "an untrusted observation", seeing(() => ({ trust: "trusted" }))],
    [
      "remembers what it has seen last alone",
      "an untrusted observation",
      seeing(({ categories }) => ({ categories: categories.slice(-1), classifications: [] })),
    ],
  ])("%s", (_, name, twin) => {
    const worsen = WORSENINGS[name] as Worsening;
    expect([...FOCUSED, ...RANDOM].some((trial) => compare(trial, worsen, twin)?.isBetter === true)).toBe(true);
  });
});
