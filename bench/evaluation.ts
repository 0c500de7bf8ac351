import { Engine, type TopLevelCondition } from "json-rules-engine";
import { evaluate } from "../src/core/evaluate.ts";
import type { Known } from "../src/core/json.ts";
import type { Policy } from "../src/core/policy.ts";
import { policyOf, readingOf } from "../test/policies.ts";
import { median, rounded } from "./statistics.ts";

/** One evaluation of so many rules, all of which apply. */
export interface EvaluationFigures {
  readonly rules: number;
  readonly compiledUs: number;
  /** json-rules-engine: one engine with all rules, built once, one run after the other, which is the fastest way to use it correctly. */
  readonly engineUs: number;
  readonly ratio: number;
}

export interface EvaluationPlan {
  readonly sizes: readonly number[];
  readonly repetitions: number;
  /** How long each repetition measures. */
  readonly repetitionMs: number;
}

export async function measureEvaluation({ sizes, repetitions, repetitionMs }: EvaluationPlan): Promise<readonly EvaluationFigures[]> {
  const figures: EvaluationFigures[] = [];
  for (const size of sizes) {
    const policy = policyOf({ rules: Array.from({ length: size }, (_, number) => ruleOf(number)) });
    const compiledUs = await medianUs(repetitions, async () => timeCompiled(policy, repetitionMs));
    const engine = engineOf(policy);
    const engineUs = await medianUs(repetitions, () => timeEngine(engine, size, repetitionMs));
    figures.push({ rules: size, compiledUs: rounded(compiledUs, 2), engineUs: rounded(engineUs, 0), ratio: Math.round(engineUs / compiledUs) });
  }
  return figures;
}

/** The first repetition warms up and does not count. */
async function medianUs(repetitions: number, time: () => Promise<number>): Promise<number> {
  await time();
  const figures: number[] = [];
  for (let repetition = 0; repetition < repetitions; repetition++) figures.push(await time());
  return median(figures);
}

/** Five conditions, two of them in an `any`; the words differ from rule to rule, so that nothing is compared once for all. */
function ruleOf(number: number): object {
  return {
    name: `rule-${number}`,
    conditions: {
      all: [
        { fact: "action.effect", operator: "in", value: number % 2 === 0 ? ["send", "share"] : ["send", "share", "pay", "unknown"] },
        { fact: "data.classification_rank", operator: "greaterThanInclusive", value: number % 3 },
        { fact: "data.categories", operator: "contains", value: number % 2 === 0 ? "personal" : "financial" },
        {
          any: [
            { fact: "action.tool", operator: "equal", value: `tool-${number}` },
            { fact: "context.environment", operator: "notEqual", value: `environment-${number}` },
          ],
        },
      ],
    },
    event: { type: "risk", params: { points: 1, reason: `says ${number}`, controls: ["owasp:ASI02"] } },
  };
}

const SITUATIONS = 16;

/** Different every time, and every rule applies to each. */
function factsOf(number: number): Readonly<Record<string, Known>> {
  return {
    "action.effect": number % 2 === 0 ? "send" : "share",
    "data.classification_rank": 2 + (number % 2),
    "data.categories": ["financial", "personal", `category-${number}`],
    "action.tool": `mail/send-${number}`,
    "context.environment": number % 2 === 0 ? "production" : "staging",
  };
}

const ALL_FACTS = Array.from({ length: SITUATIONS }, (_, number) => factsOf(number));

const EVALUATIONS_AT_ONCE = 64;

function timeCompiled(policy: Policy, durationMs: number): number {
  const situations = ALL_FACTS.map((facts) => policy.slots.map(({ name }) => facts[name]));
  const beganMs = performance.now();
  let evaluations = 0;
  let tookMs = 0;
  while (tookMs < durationMs) {
    for (let count = 0; count < EVALUATIONS_AT_ONCE; count++) {
      const { stands } = evaluate(policy, readingOf(policy, situations[count % SITUATIONS] ?? []));
      refuseOthers(stands.length, policy.rules.length);
    }
    evaluations += EVALUATIONS_AT_ONCE;
    tookMs = performance.now() - beganMs;
  }
  return (tookMs * 1_000) / evaluations;
}

function engineOf(policy: Policy): Engine {
  const engine = new Engine();
  for (const { name, source } of policy.rules) {
    engine.addRule({ name, conditions: source as unknown as TopLevelCondition, event: { type: name } });
  }
  return engine;
}

async function timeEngine(engine: Engine, rules: number, durationMs: number): Promise<number> {
  const beganMs = performance.now();
  let evaluations = 0;
  let tookMs = 0;
  while (tookMs < durationMs) {
    const { events } = await engine.run(ALL_FACTS[evaluations % SITUATIONS]);
    refuseOthers(events.length, rules);
    evaluations++;
    tookMs = performance.now() - beganMs;
  }
  return (tookMs * 1_000) / evaluations;
}

function refuseOthers(applied: number, rules: number): void {
  if (applied !== rules) throw new Error(`${applied} of ${rules} rules applied: the figures would be of something else`);
}
