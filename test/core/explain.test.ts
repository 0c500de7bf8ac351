import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ExplainedRule, explainJudgement } from "../../src/core/explain.ts";
import { FACTS } from "../../src/core/facts.ts";
import { applied, FLIP_TRIALS_MAX, type Flip, findFlips } from "../../src/core/flips.ts";
import { gatherAll } from "../../src/core/gather.ts";
import type { IntentStanding } from "../../src/core/intent/standing.ts";
import type { Known } from "../../src/core/json.ts";
import { judge, judgeSituation } from "../../src/core/judge.ts";
import { FALSE, type Kleene, not, TRUE, UNKNOWN } from "../../src/core/kleene.ts";
import type { CompiledCondition, Policy } from "../../src/core/policy.ts";
import { type Situation, situate } from "../../src/core/situation.ts";
import { toEnd } from "../../src/core/steps.ts";
import { CHANGES } from "../../src/core/what-if.ts";
import { FULL_REACH, policyOf } from "../policies.ts";
import { type Question, questions } from "./random-policies.ts";
import { randomRuns } from "./random-rules.ts";

const explain = ({ policy: stated, subject }: Question) => {
  const policy = policyOf(stated);
  const { situation, judgement } = judge(policy, subject);
  return { policy, situation, judgement, explanation: toEnd(explainJudgement(situation, judgement, { everyRule: true })) };
};

describe("an explanation", () => {
  it("adds up to the score, and names every rule with the result that the decision saw", () => {
    fc.assert(
      fc.property(questions, (question) => {
        const { policy, judgement, explanation } = explain(question);
        const { rules, score } = explanation;
        expect(rules.map(({ rule }) => rule)).toEqual(policy.rules.map(({ name }) => name));
        expect(Math.min(100, Math.max(0, rules.at(-1)?.sum ?? 0))).toBe(judgement.score);
        expect(rules.map(({ points }) => points).reduce((sum, points) => sum + points, 0)).toBe(score.sum);
        const standing = rules.filter(({ result }) => result !== "not_matched").map(({ rule, result, points }) => ({ rule, result, points }));
        const found = judgement.findings.filter(({ rule }) => !rule.startsWith("behest:"));
        expect(standing).toEqual(found.map(({ rule, result, points }) => ({ rule, result, points })));
        const { toNextBand = 0, toBandBelow = 0, bands, level } = score;
        const at = { low: [bands.middle, 0], middle: [bands.top, bands.middle - 1], top: [0, bands.top - 1] }[level];
        expect([level === "top" ? 0 : judgement.score + toNextBand, level === "low" ? 0 : judgement.score - toBandBelow]).toEqual(at);
      }),
      randomRuns(500),
    );
  });

  /** The result of a condition when all but these comparisons come out at random. */
  function resultWith(condition: CompiledCondition, fixed: ReadonlyMap<string, Kleene>, other: () => Kleene): Kleene {
    if (condition.kind === "compare") return fixed.get(condition.position) ?? other();
    const results = condition.parts.map((part) => resultWith(part, fixed, other));
    if (condition.kind === "not") return not(results[0] ?? UNKNOWN);
    return (condition.kind === "all" ? Math.min(TRUE, ...results) : Math.max(FALSE, ...results)) as Kleene;
  }

  const KLEENE = { true: TRUE, false: FALSE, unknown: UNKNOWN } as const;
  const isSettled = (rule: ExplainedRule): boolean => rule.result !== "unknown";

  it("names comparisons that decide by themselves, whatever the others say", () => {
    let left = 0;
    fc.assert(
      fc.property(questions, fc.infiniteStream(fc.constantFrom<Kleene>(FALSE, UNKNOWN, TRUE)), (question, stream) => {
        const { policy, situation, explanation } = explain(question);
        const values = gatherAll(policy, situation);
        for (const [index, rule] of explanation.rules.entries()) {
          const condition = policy.rules[index]?.condition;
          if (!condition || !isSettled(rule) || hasRepeated(condition)) continue;
          const fixed = new Map(rule.decided.map(({ position, result }) => [position, KLEENE[result]]));
          const whole = resultWith(condition, fixed, () => {
            left++;
            return stream.next().value ?? UNKNOWN;
          });
          expect(whole, rule.rule).toBe(condition.test(values));
        }
      }),
      randomRuns(1_000),
    );
    expect(left, "comparisons that did not matter").toBeGreaterThan(100);
  });

  /** A named condition that is used twice in a rule stands at one place. */
  function hasRepeated(condition: CompiledCondition): boolean {
    const seen = new Set<string>();
    const visit = ({ parts, position, comparison }: CompiledCondition): boolean => {
      if (comparison && seen.has(position)) return true;
      if (comparison) seen.add(position);
      return parts.some(visit);
    };
    return visit(condition);
  }

  it("says what an unknown fact was, and that it was absent", () => {
    const policy = policyOf({
      rules: [
        {
          name: "large",
          conditions: { all: [{ fact: "action.arguments.amount", operator: "greaterThan", value: 100 }] },
          event: { type: "require-approval", params: { points: 20, reason: "large", controls: [] } },
        },
      ],
    });
    const { situation, judgement } = judge(policy, subjectOf({}));
    const { rules, facts } = toEnd(explainJudgement(situation, judgement, { everyRule: false }));
    expect(rules).toMatchObject([
      {
        rule: "large",
        result: "unknown",
        points: 20,
        sum: 20,
        reads: ["action.arguments.amount"],
        decided: [{ fact: "action.arguments.amount", operator: "greaterThan", value: { literal: 100 }, found: undefined, result: "unknown" }],
      },
    ]);
    expect(facts).toEqual([{ name: "action.arguments.amount", value: undefined, influence: "enforcer" }]);
  });
});

const subjectOf = (args: Question["subject"]["request"]["action"]["arguments"]): Question["subject"] => ({
  at: 0 as Question["subject"]["at"],
  tenant: "default",
  caller: "gateway",
  masked: 0,
  request: { agent: { id: "a" }, action: { tool: "pay", arguments: args } },
  task: { standing: "new", id: "t", restated: false, seen: { classifications: [], categories: [], trust: "trusted", systems: [] } },
});

/** As the search names it, back to a place that can be changed. */
function slotNamed(policy: Policy, name: string) {
  return policy.slots.find((slot) => slot.name === name) ?? { name, fact: name, path: [] };
}

function outcomeAfter(policy: Policy, situation: Situation, { changes }: Pick<Flip, "changes">) {
  const changed = applied(
    situation,
    changes.map(({ fact, to }) => ({ slot: slotNamed(policy, fact), to })),
  );
  return changed && judgeSituation(changed).judgement.outcome;
}

describe("the smallest changes that would flip an outcome", () => {
  it("do flip it, and none of them is needless", () => {
    const sizes = new Map<number, number>();
    let decisions = 0;
    fc.assert(
      fc.property(questions, (question) => {
        const { policy, situation, judgement } = explain(question);
        decisions++;
        const { flips } = toEnd(findFlips(situation, judgement));
        sizes.set(0, (sizes.get(0) ?? 0) + (flips.length === 0 ? 1 : 0));
        for (const flip of flips) {
          expect(flip.outcome).not.toBe(judgement.outcome);
          expect(outcomeAfter(policy, situation, flip), JSON.stringify(flip)).toBe(flip.outcome);
          for (const change of flip.changes) {
            if (flip.changes.length === 1) continue;
            const rest = { changes: flip.changes.filter((other) => other !== change) };
            expect(outcomeAfter(policy, situation, rest), JSON.stringify(flip)).not.toBe(flip.outcome);
          }
          sizes.set(flip.changes.length, (sizes.get(flip.changes.length) ?? 0) + 1);
        }
      }),
      { ...randomRuns(900), includeErrorInReport: true },
    );
    expect(sizes.get(1), "single changes").toBeGreaterThan(20);
    expect(sizes.get(2), "pairs").toBeGreaterThan(5);
    expect(sizes.get(0) ?? 0, "decisions without any").toBeLessThan(decisions * 0.8);
  }, 120_000);

  it("start from what the facts are", () => {
    fc.assert(
      fc.property(questions, (question) => {
        const { policy, situation, judgement } = explain(question);
        const values = gatherAll(policy, situation);
        for (const { changes } of toEnd(findFlips(situation, judgement)).flips) {
          for (const { fact, from } of changes) {
            const at = policy.slots.findIndex(({ name }) => name === fact);
            expect(from, fact).toEqual(at === -1 ? FACTS[fact]?.read(situation) : values[at]);
          }
        }
      }),
      randomRuns(100),
    );
  });

  const otherTools = (count: number) =>
    Array.from({ length: count }, (_, number) => ({
      name: `rule-${number}`,
      conditions: {
        all: [
          { fact: "action.tool", operator: "equal", value: `tool-${number}` },
          { fact: `action.arguments.field_${number}`, operator: "greaterThan", value: number },
        ],
      },
      event: { type: "deny", params: { reason: "r", controls: [] } },
    }));

  it("are searched among what the rules that could stand read, however many rules there are", () => {
    const few = judge(policyOf({ rules: [amountRule], tools }), subjectOf({ amount: 250 }));
    const many = judge(policyOf({ rules: [amountRule, ...otherTools(3_000)], tools }), subjectOf({ amount: 250 }));
    const found = toEnd(findFlips(many.situation, many.judgement));
    expect(found).toEqual(toEnd(findFlips(few.situation, few.judgement)));
    expect(found.isComplete).toBe(true);
    let steps = 0;
    for (const work = findFlips(many.situation, many.judgement); !work.next().done; ) steps++;
    expect(steps).toBeLessThan(FLIP_TRIALS_MAX);
  });

  it("say when the search was cut short", () => {
    const rules = Array.from({ length: 2_000 }, (_, number) => ({
      name: `rule-${number}`,
      conditions: { all: [{ fact: `action.arguments.field_${number}`, operator: "greaterThan", value: 5 }] },
      event: { type: "deny", params: { reason: "r", controls: [] } },
    }));
    const { situation, judgement } = judge(policyOf({ rules }), subjectOf({}));
    expect(toEnd(findFlips(situation, judgement)).isComplete).toBe(false);
  });

  const openly = {
    basis: { AUTHORIZED: { "*": "allow" }, INFERRED: { "*": "allow" }, AVAILABLE: { "*": "allow" } },
    reach: { default: { tools: ["*"], effects: ["*"], resources: ["*"], max_classification: "restricted" } },
  };
  const asks = (...all: readonly object[]) => ({
    name: "asks",
    conditions: { all },
    event: { type: "require-approval", params: { reason: "r", controls: [] } },
  });

  it.each<{ says: string; condition: object; arguments: Record<string, number | string>; change: object }>([
    {
      says: "that an entry were there",
      condition: { fact: "action.arguments.ticket", operator: "present", value: false },
      arguments: {},
      change: { fact: "action.arguments.ticket", from: undefined, to: "anything" },
    },
    {
      says: "what another fact is",
      condition: { fact: "action.arguments.n", operator: "greaterThan", value: { fact: "action.arguments.limit" } },
      arguments: { n: 5, limit: 3 },
      change: { fact: "action.arguments.n", from: 5, to: 3 },
    },
    {
      says: "the border itself where nothing was said",
      condition: { fact: "action.arguments.amount", operator: "greaterThan", value: 50 },
      arguments: {},
      change: { fact: "action.arguments.amount", from: undefined, to: 50 },
    },
  ])("name $says", ({ condition, arguments: args, change }) => {
    const policy = policyOf({ rules: [asks(condition)], tools, settings: openly });
    const { situation, judgement } = judge(policy, subjectOf(args));
    expect(judgement.outcome).toBe("REQUIRE_APPROVAL");
    expect(toEnd(findFlips(situation, judgement)).flips).toContainEqual({ outcome: "ALLOW", changes: [change] });
  });

  const amountRule = {
    name: "large",
    conditions: {
      all: [
        { fact: "action.effect", operator: "in", value: ["pay", "unknown"] },
        { fact: "action.arguments.amount", operator: "greaterThan", value: 100 },
      ],
    },
    event: { type: "deny", params: { reason: "large", controls: [] } },
  };
  const tools = { pay: { effect: "pay", reversibility: "irreversible", output: { trust: "trusted" } } };

  it("name the number nearest to what it is", () => {
    const policy = policyOf({
      rules: [amountRule],
      tools,
      settings: openly,
    });
    const { situation, judgement } = judge(policy, subjectOf({ amount: 250 }));
    expect(judgement.outcome).toBe("DENY");
    expect(toEnd(findFlips(situation, judgement)).flips).toContainEqual({
      outcome: "ALLOW",
      changes: [{ fact: "action.arguments.amount", from: 250, to: 100 }],
    });
  });
});

describe("an explanation of a mistyped name", () => {
  it.each([
    {
      says: "names the agent and the tool that were probably meant",
      agent: "suport-bot",
      tool: "git/psuh",
      hints: [
        "agent `suport-bot` is not in agents.json; did you mean `support-bot`?",
        "tool `git/psuh` is not in the catalog; did you mean `git/push`?",
      ],
    },
    { says: "names none for what is like none", agent: "x", tool: "weather", hints: [] },
    { says: "names none for what is there", agent: "support-bot", tool: "git/push", hints: [] },
  ])("$says", ({ agent, tool, hints }) => {
    const policy = policyOf({
      agents: { "support-bot": { trust: "low", reach: {} } },
      tools: { "git/push": { effect: "send", reversibility: "reversible", output: { trust: "trusted" } } },
    });
    const subject = subjectOf({});
    const request = { ...subject.request, agent: { id: agent }, action: { tool, arguments: {} } };
    const { situation, judgement } = judge(policy, { ...subject, request });
    expect(toEnd(explainJudgement(situation, judgement, { everyRule: false })).hints).toEqual(hints);
  });
});

describe("what would flip an outcome", () => {
  const OPEN = {
    basis: { AUTHORIZED: { "*": "allow" }, INFERRED: { "*": "allow" }, AVAILABLE: { "*": "allow" } },
    reach: { default: { tools: ["*"], effects: ["*"], resources: ["*"], max_classification: "restricted" } },
  };
  const rule = {
    name: "elsewhere",
    conditions: {
      all: [
        { fact: "action.tool", operator: "equal", value: "pay" },
        { not: { fact: "action.arguments.to", operator: "in", value: [null, "", "DE02"] } },
      ],
    },
    event: { type: "deny", params: { reason: "elsewhere", controls: [] } },
  };
  const flipsWith = (role: string) => {
    const policy = policyOf({
      rules: [rule],
      settings: OPEN,
      tools: { pay: { effect: "pay", reversibility: "irreversible", arguments: { to: role }, output: { trust: "trusted" } } },
    });
    const { situation, judgement } = judge(policy, subjectOf({ to: "DE99" }));
    return toEnd(findFlips(situation, judgement)).flips.flatMap(({ outcome, changes }) =>
      outcome === "ALLOW" ? changes.filter(({ fact }) => fact === "action.arguments.to").map(({ to }) => to) : [],
    );
  };

  it.each(["target", "destination"])("is never to leave out what a call names as its %s", (role) => {
    expect(flipsWith(role)).toEqual(["DE02"]);
  });

  it("may be to leave out something else", () => {
    expect(flipsWith("free_text")).toEqual([null]);
  });
});

describe("a flip of what was found beside the words of a task", () => {
  const policy = policyOf({
    tools: { pay: { effect: "pay", reversibility: "irreversible", output: { trust: "trusted" }, arguments: { to: "destination" } } },
    settings: { reach: { default: FULL_REACH }, basis: { AUTHORIZED: { "*": "allow" }, INFERRED: { "*": "allow" }, AVAILABLE: { "*": "allow" } } },
    rules: [
      {
        name: "weak",
        conditions: { all: [{ fact: "provenance.destination", operator: "in", value: ["free_text", "unseen"] }] },
        event: { type: "require-approval", params: { reason: "weak", controls: [] } },
      },
      {
        name: "asked-for",
        conditions: { all: [{ fact: "intent.scope", operator: "equal", value: "outside" }] },
        event: { type: "require-approval", params: { reason: "outside", controls: [] } },
      },
    ],
  });
  const allowedBy = (intent: IntentStanding): readonly (readonly string[])[] => {
    const { situation, judgement } = judge(policy, { ...subjectOf({ to: "DE99" }), intent });
    const flips = toEnd(findFlips(situation, judgement)).flips.filter(({ outcome }) => outcome === "ALLOW");
    return flips.map(({ changes }) => changes.map(({ fact, to }) => `${fact} ${to}`));
  };
  const found: IntentStanding = { scope: "inside", alignment: "full", object: "bound", words: ["pay"], provenance: { destination: "free_text" } };

  it("is a better source of the destination, and never that there be none", () => {
    expect(allowedBy(found)).toEqual([["provenance.destination stated"]]);
  });

  it("is that the task had asked for it", () => {
    expect(allowedBy({ ...found, scope: "outside", provenance: { destination: "stated" } })).toEqual([["intent.scope inside"]]);
  });

  it("is both where both stand against it", () => {
    expect(allowedBy({ ...found, scope: "outside" })).toEqual([["provenance.destination stated", "intent.scope inside"]]);
  });

  it("takes back what only the one who opened the task said, where nobody had", () => {
    const registered = { root: "t", depth: 0, principal: { type: "user", id: "ann" }, issuer: "portal", scopeKind: "issued", hops: 2 } as const;
    const subject = subjectOf({ to: "DE99" });
    const task = { ...subject.task, registered: { ...registered, until: subject.at } };
    const before = situate(policy, { ...subject, task, intent: { ...found, provenance: { destination: "stated", target: "attested" } } });
    const after = CHANGES["task.registered"]?.(before, false, []);
    expect(after?.subject.intent?.provenance).toEqual({ destination: "unseen", target: "attested" });
  });
});

describe("the ways in which facts can be otherwise", () => {
  /** Who asks for whom, the tool and the resource are the question itself; the rest follows from those. */
  const FIXED = [
    "caller.id",
    "agent.id",
    "agent.identity",
    "principal.type",
    "principal.id",
    "action.tool",
    "action.server",
    "resource.type",
    "resource.id",
  ];

  it("are told for every fact but those that are the question itself", () => {
    expect(Object.keys(FACTS).filter((name) => !(name in CHANGES))).toEqual(FIXED);
  });

  it("bring about the value that they say, or none", () => {
    const tried = new Map<string, number>();
    const value = fc.oneof(
      fc.constantFrom(
        "untrusted",
        "low",
        "unregistered",
        "restricted",
        "internal",
        "staging",
        "append",
        "none",
        "send",
        "irreversible",
        "team:x",
        "paused",
      ),
      fc.boolean(),
      fc.integer({ min: 0, max: 9 }),
      fc.uniqueArray(fc.constantFrom("personal", "health"), { maxLength: 2 }).map((words) => [...words].sort()),
      fc.constant(undefined),
    );
    const changes = fc.constantFrom(...Object.keys(CHANGES)).chain((name) => {
      const own: readonly Known[] = [FACTS[name]?.example, ...(FACTS[name]?.values ?? [])];
      return fc.oneof(value, fc.constantFrom(...own)).map((to) => ({ name, to }));
    });
    fc.assert(
      // Several for each question: a policy takes longer to compile than to ask.
      fc.property(questions, fc.array(changes, { minLength: 10, maxLength: 10 }), ({ policy: stated, subject }, tries) => {
        const before = situate(policyOf(stated), subject);
        for (const { name, to } of tries) {
          const declaration = FACTS[name];
          const path = declaration?.type === "map" ? ["entry"] : [];
          const changed = CHANGES[name]?.(before, to, path);
          if (!changed || !declaration) continue;
          const read = declaration.read(changed);
          const is = path.length > 0 ? (read as Readonly<Record<string, unknown>> | undefined)?.["entry"] : read;
          expect(is, `${name} ${JSON.stringify(to)}`).toEqual(to);
          tried.set(name, (tried.get(name) ?? 0) + 1);
        }
      }),
      { ...randomRuns(1_000), includeErrorInReport: true },
    );
    expect(Object.keys(CHANGES).filter((name) => !tried.has(name))).toEqual([]);
  });
});
