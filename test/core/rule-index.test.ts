import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Evaluation, evaluate } from "../../src/core/evaluate.ts";
import { gather, gatherAll } from "../../src/core/gather.ts";
import { FALSE, UNKNOWN } from "../../src/core/kleene.ts";
import type { Policy } from "../../src/core/policy.ts";
import { situate } from "../../src/core/situation.ts";
import { policyOf } from "../policies.ts";
import { type Question, questions } from "./random-policies.ts";
import { randomRuns } from "./random-rules.ts";

/** Every rule, one after the other, over every fact. */
function linear(policy: Policy, { subject }: Question): Evaluation {
  const values = gatherAll(policy, situate(policy, subject));
  const stands = policy.rules.flatMap(({ condition }, index) => {
    const result = condition.test(values);
    return result === FALSE ? [] : [index * 2 + (result === UNKNOWN ? 1 : 0)];
  });
  const points = stands.map((stand) => {
    const rule = policy.rules[stand >> 1];
    return (stand % 2 === 1 ? rule?.unknown : rule?.matched)?.points ?? 0;
  });
  return {
    score: Math.min(
      100,
      Math.max(
        0,
        points.reduce((sum, more) => sum + more, 0),
      ),
    ),
    stands,
  };
}

const indexed = (policy: Policy, { subject }: Question): Evaluation => evaluate(policy, gather(policy, situate(policy, subject)));

/** Forgets the last group of the index, as a builder that loses an entry would. */
function forgetful(policy: Policy): Policy {
  const guards = policy.index.guards.map((guard) => ({ ...guard, groups: new Map([...guard.groups].slice(0, -1)) }));
  return { ...policy, index: { ...policy.index, guards } };
}

describe("rules that are found through the index", () => {
  it("are the rules that stand when each is asked", () => {
    let guarded = 0;
    let forgotten = 0;
    fc.assert(
      fc.property(questions, (question) => {
        const policy = policyOf(question.policy);
        const expected = linear(policy, question);
        expect(indexed(policy, question)).toEqual(expected);
        if (policy.index.guards.length > 0) guarded++;
        if (JSON.stringify(indexed(forgetful(policy), question)) !== JSON.stringify(expected)) forgotten++;
      }),
      { ...randomRuns(2_000), includeErrorInReport: true },
    );
    expect(guarded, "policies with something to index").toBeGreaterThan(200);
    expect(forgotten, "decisions in which a lost entry is noticed").toBeGreaterThan(10);
  });

  it("stand in every policy in exactly one place for each value", () => {
    fc.assert(
      fc.property(questions, ({ policy: stated }) => {
        const { index, rules } = policyOf(stated);
        const everywhere = [...index.always.rules, ...index.guards.flatMap(({ whole }) => whole.rules)];
        expect(everywhere.sort((a, b) => a - b)).toEqual(rules.map((_, at) => at));
      }),
      randomRuns(300),
    );
  });

  const named = (tool: string, number: number) => ({
    name: `rule-${number}`,
    conditions: {
      all: [
        { fact: "action.tool", operator: "equal", value: tool },
        { fact: `action.arguments.field_${number}`, operator: "greaterThan", value: 5 },
      ],
    },
    event: { type: "risk", params: { points: 1, reason: "more than five", controls: ["owasp:ASI02"] } },
  });

  it("are all that a decision reads facts for", () => {
    const others = Array.from({ length: 1_000 }, (_, number) => named(`tool-${number}`, number));
    const policy = policyOf({ rules: [...others, named("mail/send", 1_000), named("mail/send", 1_001)] });
    const reading = gather(policy, situate(policy, subjectOf("mail/send")));
    expect(reading.slots.map((at) => policy.slots[at]?.name)).toEqual(["action.tool", "action.arguments.field_1000", "action.arguments.field_1001"]);
    expect(evaluate(policy, reading).stands).toEqual([1_000 * 2 + 1, 1_001 * 2 + 1]);
  });
});

const subjectOf = (tool: string): Question["subject"] => ({
  at: 0 as Question["subject"]["at"],
  tenant: "default",
  caller: "gateway",
  masked: 0,
  request: { agent: { id: "a" }, action: { tool, arguments: {} } },
  task: { standing: "new", restated: false, seen: { classifications: [], categories: [], trust: "trusted", systems: [] } },
});
