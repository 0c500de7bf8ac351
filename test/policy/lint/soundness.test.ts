import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evaluate } from "../../../src/core/evaluate.ts";
import { FACTS } from "../../../src/core/facts.ts";
import { gather, gatherAll } from "../../../src/core/gather.ts";
import type { Known } from "../../../src/core/json.ts";
import { FALSE, type Kleene, UNKNOWN } from "../../../src/core/kleene.ts";
import type { CompiledCondition, CompiledRule } from "../../../src/core/policy.ts";
import { slotsOf } from "../../../src/core/policy.ts";
import { type Subject, situate } from "../../../src/core/situation.ts";
import { type Effort, type Examined, examine, firesWith } from "../../../src/policy/lint/examine.ts";
import { lintPolicy } from "../../../src/policy/lint/lint.ts";
import type { Vocabulary } from "../../../src/policy/lint/model.ts";
import { findShadows, type Shadow } from "../../../src/policy/lint/shadows.ts";
import { compilePolicy, type LoadedPolicy } from "../../../src/policy/load.ts";
import { compilePair, valuesFor } from "../../core/differential.ts";
import { type Question, questions, subjects } from "../../core/random-policies.ts";
import { conditionsOver, factsArbitrary, PLACES, randomRuns } from "../../core/random-rules.ts";
import { filesOf } from "../../policies.ts";

const RUNS = { ...randomRuns(500), includeErrorInReport: true };

interface Looked {
  readonly loaded: LoadedPolicy;
  readonly examined: readonly (Examined | undefined)[];
  readonly shadows: readonly Shadow[];
}

function look(question: Question): Looked {
  const loaded = compilePolicy(filesOf(question.policy));
  const { policy } = loaded;
  const vocabulary: Vocabulary = { slots: policy.slots, classifications: policy.settings.classification.order };
  const effort: Effort = { left: 10_000_000 };
  const examined = policy.rules.map((rule) => examine(rule, vocabulary, effort));
  return { loaded, examined, shadows: findShadows({ policy, examined, vocabulary, effort }).shadows };
}

/** What every fact is for a subject of the question, in the order of the slots. */
const valuesOf = ({ loaded: { policy } }: Looked, subject: Subject): readonly Known[] => gatherAll(policy, situate(policy, subject));

const fires = (rule: CompiledRule, values: readonly Known[]): boolean => firesWith(rule, rule.condition.test(values));

const nodesOf = (condition: CompiledCondition): readonly CompiledCondition[] => [condition, ...condition.parts.flatMap(nodesOf)];

/** One policy, and many subjects asked of it. */
const asked = fc
  .tuple(questions, fc.array(subjects, { minLength: 4, maxLength: 12 }))
  .map(([question, others]) => ({ question, all: [question.subject, ...others] }));

describe("what lint says of random policies holds for random subjects:", () => {
  it("a rule that never fires does not, one that always fires does, and an impossible part is never met", () => {
    const seen = { never: 0, always: 0, impossible: 0, absent: 0 };
    fc.assert(
      fc.property(asked, ({ question, all }) => {
        const looked = look(question);
        for (const subject of all) {
          const values = valuesOf(looked, subject);
          const absent = values.map((value, at) => (isPartial(looked, at) ? undefined : value));
          for (const one of looked.examined) {
            if (!one) continue;
            if (one.fires === "never") expect(fires(one.rule, values), `${one.rule.name} never fires`).toBe(false);
            if (one.fires === "always") expect(fires(one.rule, values), `${one.rule.name} always fires`).toBe(true);
            for (const part of one.impossible) expect(part.test(values), part.position).toBe(FALSE);
            if (one.unknownWhenAbsent) expect(one.rule.condition.test(absent), `${one.rule.name} stands when absent`).not.toBe(FALSE);
            seen.never += one.fires === "never" ? 1 : 0;
            seen.always += one.fires === "always" ? 1 : 0;
            seen.impossible += one.impossible.size;
            seen.absent += one.unknownWhenAbsent ? 1 : 0;
          }
        }
      }),
      RUNS,
    );
    for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(50);
  });

  it("a rule with an unguarded attribute is unknown with facts among which that map is empty, and all else is known", () => {
    let unguarded = 0;
    fc.assert(
      fc.property(questions, (question) => {
        const looked = look(question);
        const { slots } = looked.loaded.policy;
        for (const one of looked.examined) {
          for (const [map, { condition, facts }] of one?.unguarded ?? []) {
            if (!one) continue;
            const values: Known[] = slots.map(() => undefined);
            for (const { slot, value } of facts) values[slot] = value;
            // Of a comparison that may come out in any way no example is kept.
            if (![...slotsOf(one.rule.condition)].every((slot) => facts.some((fact) => fact.slot === slot))) continue;
            // Also where the same fact is compared in another way as well.
            if (nodesOf(one.rule.condition).some(({ comparison }) => comparison && (comparison.operator.includes(":") || "slot" in comparison.value)))
              continue;
            for (const [at, { fact }] of slots.entries()) if (fact === map) expect(values[at], `${map} is empty`).toBeUndefined();
            expect(one.rule.condition.test(values), one.rule.name).toBe(UNKNOWN);
            expect(condition.test(values), condition.position).toBe(UNKNOWN);
            unguarded++;
          }
        }
      }),
      RUNS,
    );
    expect(unguarded).toBeGreaterThan(50);
  });

  it("a rule that a `deny` shadows never fires without it", () => {
    let shadowed = 0;
    fc.assert(
      fc.property(asked, fc.nat(), ({ question, all }, at) => {
        const looked = look(withDenyOfPart(question, at));
        shadowed += looked.shadows.length;
        for (const subject of all) {
          const values = valuesOf(looked, subject);
          for (const { rule, deny } of looked.shadows) {
            if (fires(rule.rule, values)) expect(deny.rule.condition.test(values), `${deny.rule.name} shadows ${rule.rule.name}`).not.toBe(FALSE);
          }
        }
      }),
      RUNS,
    );
    expect(shadowed).toBeGreaterThan(100);
  });

  it("a band that cannot be reached is not reached where no `deny` stands", () => {
    let unreachable = 0;
    let scored = 0;
    fc.assert(
      fc.property(asked, ({ question, all }) => {
        const looked = look(question);
        const { policy } = looked.loaded;
        const complaint = lintPolicy(looked.loaded).complaints.find(({ id }) => id === "unreachable-band");
        if (!complaint) return;
        unreachable++;
        const most = Number(/at most (\d+)$/.exec(complaint.message)?.[1]);
        const { middle, top } = policy.settings.bands;
        expect(most).toBeLessThan(complaint.message.startsWith("neither") ? middle : top);
        for (const subject of all) {
          const { score, stands } = evaluate(policy, gather(policy, situate(policy, subject)));
          if (stands.some((stand) => policy.rules[stand >> 1]?.event === "deny")) continue;
          expect(score).toBeLessThanOrEqual(most);
          if (score > 0) scored++;
        }
      }),
      RUNS,
    );
    expect(unreachable).toBeGreaterThan(30);
    expect(scored).toBeGreaterThan(30);
  });
});

const isPartial = ({ loaded: { policy } }: Looked, at: number): boolean => {
  const { fact = "", path = [] } = policy.slots[at] ?? {};
  return path.length > 0 || FACTS[fact]?.total === false;
};

/** Adds a `deny` under a part of what one rule demands, so that there is something to shadow. */
function withDenyOfPart(question: Question, at: number): Question {
  const { rules } = question.policy;
  const chosen = rules[at % Math.max(1, rules.length)];
  if (!chosen) return question;
  const parts = "all" in chosen.conditions ? (chosen.conditions.all as readonly object[]) : [chosen.conditions];
  const part = parts[at % parts.length] ?? chosen.conditions;
  const deny = {
    name: "added",
    conditions: { all: [part] },
    event: { type: "deny", params: { reason: "added", controls: ["owasp:ASI02"] } },
  } as unknown as (typeof rules)[number];
  return { ...question, policy: { ...question.policy, rules: [...rules, deny] } };
}

describe("what lint says of rules over an open map, which may hold anything,", () => {
  const places = PLACES.filter(({ name, rest }) => name === "action.arguments" && [".count", ".texts"].includes(rest));
  const { leaf, whole } = conditionsOver(places, { names: [], depthMax: 2 });
  const crowded = fc
    .array(leaf, { minLength: 2, maxLength: 4 })
    .chain((parts) => fc.constantFrom({ all: parts }, { any: [{ all: parts }] }, { not: { any: parts } }));
  const conditions = fc.oneof(whole, crowded);
  const rules = fc.record({ conditions, facts: fc.array(factsArbitrary("dirty"), { minLength: 5, maxLength: 15 }) });

  it("holds for it", () => {
    const seen = { impossible: 0, decided: 0 };
    fc.assert(
      fc.property(rules, ({ conditions: stated, facts }) => {
        const { policy } = compilePair({ conditions: stated, named: {}, facts: {}, draws: [] });
        const one = policy.rules[0] && examine(policy.rules[0], { slots: policy.slots, classifications: [] }, { left: 1_000_000 });
        if (!one) return;
        for (const given of facts) {
          const known: readonly Known[] = valuesFor(policy, given);
          for (const part of nodesOf(one.rule.condition)) if (one.impossible.has(part)) expect(part.test(known), part.position).toBe(FALSE);
          if (one.fires !== "sometimes") expect(fires(one.rule, known)).toBe(one.fires === "always");
          seen.impossible += one.impossible.size;
          seen.decided += one.fires === "sometimes" ? 0 : 1;
        }
      }),
      { ...randomRuns(2_000), includeErrorInReport: true },
    );
    expect(seen.impossible).toBeGreaterThan(50);
    expect(seen.decided).toBeGreaterThan(50);
  });
});

describe("the property", () => {
  it("catches a verdict that overlooks a value, as one that never tries an absent fact would", () => {
    const caught = fc.check(
      fc.property(asked, ({ question, all }) => {
        const looked = look(question);
        for (const subject of all) {
          const values = valuesOf(looked, subject);
          for (const one of looked.examined) if (one) expect(one.fires === "sometimes" || agrees(one, values)).toBe(true);
        }
      }),
      { ...RUNS, endOnFailure: true },
    );
    expect(caught.failed).toBe(true);
  });
});

/** A broken twin: it takes what is unknown for false. */
const agrees = ({ rule, fires: verdict }: Examined, values: readonly Known[]): boolean => {
  const result: Kleene = rule.condition.test(values);
  return (verdict === "always") === (result !== FALSE && result !== UNKNOWN);
};
