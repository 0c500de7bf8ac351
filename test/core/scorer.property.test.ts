import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { STARTER_RULES } from "../../src/config.ts";
import type { Judgement } from "../../src/core/combine.ts";
import { judge } from "../../src/core/judge.ts";
import type { Policy } from "../../src/core/policy.ts";
import type { Subject } from "../../src/core/situation.ts";
import type { Outcome } from "../../src/core/words.ts";
import { compilePolicy } from "../../src/policy/load.ts";
import { complaintsOf } from "../policies.ts";
import { randomRuns } from "./random-rules.ts";
import { plainSubjects, STARTER, starterSubjects } from "./starter-subjects.ts";

const SCORER_FILE = "scorer.rules.json";

const ruleOf = (name: string, condition: object, event: object): object => ({ name, conditions: { all: [condition] }, event });
const params = (more: object): object => ({ reason: "a judge says so", controls: ["owasp:ASI01"], ...more });
const risk = (operator: string, value: number): object => ({ fact: "scorer.risk", operator, value });

/** What somebody may write about a scorer. */
const RULES = [
  ruleOf("far", risk("greaterThanInclusive", 70), { type: "require-approval", params: params({ points: 20 }) }),
  ruleOf("far-off", risk("greaterThan", 90), { type: "deny", params: params({}) }),
  ruleOf("doubtful", risk("greaterThanInclusive", 30), { type: "risk", params: params({ points: 15 }) }),
  ruleOf("silent", { fact: "scorer.answered", operator: "equal", value: false }, { type: "risk", params: params({ points: 10 }) }),
];

const NO_POLICY = /schema|cases/;
/** An `allow` shows only where nothing else asks, and points only where there are others. */
const AND_NO_RULES = /schema|cases|rules\.json/;

/** The starter policy with these rules beside its own, or instead of them. */
function starterWith(rules: readonly object[], leftOut = NO_POLICY): ReturnType<typeof compilePolicy> {
  const names = readdirSync(STARTER_RULES, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".json") && !leftOut.test(name));
  const files = Object.fromEntries(names.map((name) => [name.replaceAll("\\", "/"), readFileSync(join(STARTER_RULES, name), "utf8")]));
  return compilePolicy({ ...files, [SCORER_FILE]: JSON.stringify({ rules }) });
}

/** Rules that speak for the caller, on a fact that may. */
const HELPING = [
  ruleOf("near-is-enough", { fact: "action.target_count", operator: "lessThan", value: 30 }, { type: "allow", params: params({}) }),
  ruleOf("near-is-better", { fact: "action.target_count", operator: "lessThan", value: 30 }, { type: "risk", params: params({ points: -20 }) }),
];

/** What a loader that does not ask who can influence a fact would make of the same rules on the scorer's. */
function uncheckedLoad(rules: readonly object[], leftOut: RegExp): Policy {
  const { policy } = starterWith(rules, leftOut);
  const slots = policy.slots.map((slot) => (slot.fact === "action.target_count" ? { ...slot, fact: "scorer.risk" } : slot));
  expect(slots).not.toEqual(policy.slots);
  return { ...policy, slots };
}

const RUNS = randomRuns(2_000);
const SUBJECTS = [...fc.sample(starterSubjects, RUNS), ...fc.sample(plainSubjects, RUNS)].map(({ scorer: _, ...subject }): Subject => subject);
/** From the best to the worst; none is the worst. */
const ANSWERS = [...[0, 29, 30, 69, 70, 90, 91, 100].map((worst) => ({ id: "judge", version: "1", risk: worst, reason: "" })), undefined];

const BEST_FIRST: readonly Outcome[] = ["ALLOW", "REQUIRE_APPROVAL", "DENY"];
const isBetter = (a: Judgement, b: Judgement): boolean => BEST_FIRST.indexOf(a.outcome) < BEST_FIRST.indexOf(b.outcome);
const answered = (subject: Subject, scorer: Subject["scorer"]): Subject => ({ ...subject, ...(scorer && { scorer }) });

interface Comparison {
  readonly subject: Subject;
  readonly scorer: Subject["scorer"];
  /** Under a policy whose rules know nothing of a scorer. */
  readonly without: Judgement;
  readonly judgement: Judgement;
  /** With the answer before this one, which is no worse. */
  readonly before: Judgement | undefined;
}

interface Compared {
  /** Without any rule about a scorer. */
  readonly base?: Policy;
  readonly decide?: typeof judge;
}

function* comparisons(policy: Policy, { base = STARTER, decide = judge }: Compared = {}): Generator<Comparison> {
  for (const subject of SUBJECTS) {
    const { judgement: without } = judge(base, subject);
    let before: Judgement | undefined;
    for (const scorer of ANSWERS) {
      const { judgement } = decide(policy, answered(subject, scorer));
      yield { subject, scorer, without, judgement, before };
      before = judgement;
    }
  }
}

/** The first answer that helps. */
function firstHelp(policy: Policy, compared: Compared = {}): object | undefined {
  for (const { subject, scorer, without, judgement, before } of comparisons(policy, compared)) {
    const helps = isBetter(judgement, without) || judgement.score < without.score;
    const falls = before !== undefined && (isBetter(judgement, before) || judgement.score < before.score);
    if (helps || falls) return { subject, scorer, without, before, judgement, seed: RUNS.seed };
  }
  return undefined;
}

describe("whatever a scorer answers, or if it does not", () => {
  it("no outcome is better and no score lower than without its rules, and a worse answer makes neither better", () => {
    const { policy, warnings } = starterWith(RULES);
    expect(warnings).toEqual([]);
    expect(firstHelp(policy)).toBeUndefined();
    const seen = new Set([...comparisons(policy)].map(({ without, judgement }) => `${without.outcome} ${judgement.outcome}`));
    expect([...seen].sort()).toEqual([
      "ALLOW ALLOW",
      "ALLOW DENY",
      "ALLOW REQUIRE_APPROVAL",
      "DENY DENY",
      "REQUIRE_APPROVAL DENY",
      "REQUIRE_APPROVAL REQUIRE_APPROVAL",
    ]);
  });

  it("nothing changes where no rule reads it", () => {
    for (const subject of SUBJECTS.slice(0, 500)) {
      const [first, ...others] = ANSWERS.map((scorer) => judge(STARTER, answered(subject, scorer)).judgement);
      for (const other of others) expect(other).toEqual(first);
    }
  });

  it.each([
    ["an `allow` rule", 0, AND_NO_RULES],
    ["a rule with negative points", 1, NO_POLICY],
  ])("it would be found to help, if the loader let %s read it", (_, at, leftOut) => {
    const base = starterWith([], leftOut).policy;
    expect(firstHelp(uncheckedLoad(HELPING.slice(at, at + 1), leftOut), { base })).toBeDefined();
  });

  it("it would be found to help, if a decision took its answer off the score", () => {
    const { policy } = starterWith(RULES);
    const subtracting: typeof judge = (by, subject) => {
      const { situation, judgement } = judge(by, subject);
      return { situation, judgement: { ...judgement, score: Math.max(0, judgement.score - (subject.scorer?.risk ?? 0)) } };
    };
    expect(firstHelp(policy, { decide: subtracting })).toBeDefined();
  });
});

describe("the loader", () => {
  const onScorer = (rule: object): object => JSON.parse(JSON.stringify(rule).replaceAll("action.target_count", "scorer.risk"));

  it.each([
    ["an `allow` rule", 0],
    ["negative points", 1],
  ])("lets %s rest on no word of a scorer", (_, at) => {
    expect(complaintsOf(() => starterWith(HELPING.slice(at, at + 1)))).toEqual([]);
    expect(complaintsOf(() => starterWith(HELPING.slice(at, at + 1).map(onScorer)))).toEqual([expect.stringContaining("scorer.risk")]);
  });

  it.each([
    ["asks people where the risk is low", risk("lessThan", 30)],
    ["asks people only where it said something", { fact: "scorer.risk", operator: "present", value: true }],
    ["asks people only where it answered", { fact: "scorer.answered", operator: "equal", value: true }],
  ])("warns of a rule that %s", (_, condition) => {
    const { warnings } = starterWith([ruleOf("odd", condition, { type: "require-approval", params: params({}) })]);
    expect(warnings.map(({ id }) => id)).toContain("softens-as-it-worsens");
  });
});
