import { preparsePolicySet, statefulIsAuthorized } from "@cedar-policy/cedar-wasm/nodejs";
import { Engine } from "json-rules-engine";
import { cacheKey } from "../src/core/cached-evaluation.ts";
import { evaluate, findingsOf } from "../src/core/evaluate.ts";
import { gather } from "../src/core/gather.ts";
import type { Policy } from "../src/core/policy.ts";
import { situate } from "../src/core/situation.ts";
import { policyOf } from "../test/policies.ts";
import {
  type BenchRule,
  behestRuleOf,
  benchRules,
  cedarCallOf,
  cedarPolicyOf,
  conditionsOf,
  engineFactsOf,
  NAMING_THE_TOOL,
  QUESTIONS,
  subjectOf,
} from "./evaluation-rules.ts";
import { must, type Scale, type Section, type SectionReport } from "./section.ts";
import { median, rounded } from "./statistics.ts";

/** What it takes, from a request's facts to the rules that hold, among so many rules. */
export interface EvaluationFigures {
  readonly rules: number;
  readonly namingTheTool: number;
  readonly behestUs: number;
  /** The same with the key of the decision cache, as every decision makes it. */
  readonly withKeyUs: number;
  readonly cedarUs: number;
  /** One engine with all rules, built once, one run after the other, which is the fastest way to use it correctly. */
  readonly engineUs: number;
  readonly cedarRatio: number;
  readonly engineRatio: number;
  /** `behestUs` over that among 100 rules. */
  readonly growth: number;
  /** Questions on which all three named the same rules before anything was measured. */
  readonly agreed: number;
}

export const evaluation: Section = {
  name: "evaluation",
  says: "the rules alone, beside json-rules-engine and Cedar",
  run: async ({ scale, tell }) => {
    tell("the same rules, compiled, by Cedar, and by json-rules-engine");
    return reportOf(await measureEvaluation(PLANS[scale]));
  },
};

const PLANS: Readonly<Record<Scale, EvaluationPlan>> = {
  full: { sizes: [10, 100, 1_000, 10_000], repetitions: 4, repetitionMs: 300 },
  quick: { sizes: [10, 100, 1_000, 10_000], repetitions: 3, repetitionMs: 100 },
  check: { sizes: [100, 1_000], repetitions: 5, repetitionMs: 100 },
};

export interface EvaluationPlan {
  readonly sizes: readonly number[];
  readonly repetitions: number;
  /** How long each repetition measures each evaluator; one that takes longer for once is asked once. */
  readonly repetitionMs: number;
}

/** Answers the names of the rules that hold for a question, by its number. */
type Ask = (question: number) => readonly string[] | Promise<readonly string[]>;

interface Evaluator {
  readonly ask: Ask;
  /** Runs so many evaluations; without making names of them where that is not part of it. */
  readonly run: (from: number, count: number) => void | Promise<void>;
  readonly atOnce: number;
}

interface Evaluators {
  readonly behest: Evaluator;
  readonly withKey: Evaluator;
  readonly cedar: Evaluator;
  readonly engine: Evaluator;
}
const NAMES = ["behest", "withKey", "cedar", "engine"] as const;

/** All sizes and evaluators in turn in each repetition, so that a slow moment of the machine strikes all of them. */
export async function measureEvaluation(
  { sizes, repetitions, repetitionMs }: EvaluationPlan,
  /** Puts a fault into our policy: for whoever tests that it would show. */
  spoil: (policy: Policy) => Policy = (policy) => policy,
): Promise<readonly EvaluationFigures[]> {
  const measured = sizes.map((size) => {
    const rules = benchRules(size);
    return {
      size,
      evaluators: evaluatorsOf(rules, spoil),
      took: { behest: [], withKey: [], cedar: [], engine: [] } as Record<keyof Evaluators, number[]>,
    };
  });
  const agreed: number[] = [];
  for (const { size, evaluators } of measured) agreed.push(await agree(evaluators, size));
  for (let repetition = 0; repetition <= repetitions; repetition++) {
    for (const { evaluators, took } of measured) {
      for (const name of NAMES) {
        const us = await timeUs(evaluators[name], repetitionMs);
        // The first one warms up.
        if (repetition > 0) took[name].push(us);
      }
    }
  }
  const behestAt100 = median(measured.find(({ size }) => size === 100)?.took.behest ?? [Number.NaN]);
  return measured.map(({ size, took }, index) => {
    const [behestUs, cedarUs, engineUs] = [median(took.behest), median(took.cedar), median(took.engine)];
    return {
      rules: size,
      namingTheTool: Math.min(size, NAMING_THE_TOOL),
      behestUs: rounded(behestUs, 2),
      withKeyUs: rounded(median(took.withKey), 2),
      cedarUs: rounded(cedarUs, 0),
      engineUs: rounded(engineUs, 0),
      cedarRatio: rounded(cedarUs / behestUs, 0),
      engineRatio: rounded(engineUs / behestUs, 0),
      growth: rounded(behestUs / behestAt100, 2),
      agreed: agreed[index] ?? 0,
    };
  });
}

function evaluatorsOf(rules: readonly BenchRule[], spoil: (policy: Policy) => Policy): Evaluators {
  return { ...behestEvaluators(spoil(policyOf({ rules: rules.map(behestRuleOf) }))), cedar: cedarEvaluator(rules), engine: engineEvaluator(rules) };
}

const numbered = <T>(items: readonly T[], number: number): T => {
  const item = items[number % items.length];
  if (item === undefined) throw new RangeError("nothing to ask");
  return item;
};

function behestEvaluators(policy: Policy): Pick<Evaluators, "behest" | "withKey"> {
  const situations = QUESTIONS.map((question) => situate(policy, subjectOf(question)));
  const evaluateOne = (number: number) => evaluate(policy, gather(policy, numbered(situations, number)));
  const ask: Ask = (question) => findingsOf(policy, evaluateOne(question)).map(({ rule }) => rule);
  const atOnce = 64;
  return {
    behest: {
      ask,
      atOnce,
      run(from, count) {
        for (let number = from; number < from + count; number++) if (evaluateOne(number).stands.length === 0) throw new Error(NO_RULE);
      },
    },
    withKey: {
      ask,
      atOnce,
      run(from, count) {
        for (let number = from; number < from + count; number++) {
          const reading = gather(policy, numbered(situations, number));
          if (cacheKey(policy, "default", reading) === "" || evaluate(policy, reading).stands.length === 0) throw new Error(NO_RULE);
        }
      },
    },
  };
}

const NO_RULE = "no rule holds: the figures would be of something else";

function cedarEvaluator(rules: readonly BenchRule[]): Evaluator {
  const id = `rules-${rules.length}`;
  const parsed = preparsePolicySet(id, { staticPolicies: Object.fromEntries(rules.map((rule) => [rule.name, cedarPolicyOf(rule)])) });
  if (parsed.type !== "success") throw new Error(`Cedar does not read the policies: ${JSON.stringify(parsed.errors)}`);
  const calls = QUESTIONS.map((question) => cedarCallOf(question, id));
  const ask = (question: number): readonly string[] => {
    const answer = statefulIsAuthorized(numbered(calls, question));
    if (answer.type !== "success" || answer.response.diagnostics.errors.length > 0) throw new Error(`Cedar failed: ${JSON.stringify(answer)}`);
    return answer.response.diagnostics.reason;
  };
  return {
    ask,
    atOnce: 1,
    run(from, count) {
      for (let number = from; number < from + count; number++) if (ask(number).length === 0) throw new Error(NO_RULE);
    },
  };
}

function engineEvaluator(rules: readonly BenchRule[]): Evaluator {
  const engine = new Engine([], { allowUndefinedFacts: true });
  for (const rule of rules) engine.addRule({ name: rule.name, conditions: conditionsOf(rule), event: { type: rule.name } });
  const facts = QUESTIONS.map(engineFactsOf);
  const ask = async (question: number): Promise<readonly string[]> => (await engine.run(numbered(facts, question))).events.map(({ type }) => type);
  return {
    ask,
    atOnce: 1,
    async run(from, count) {
      for (let number = from; number < from + count; number++) if ((await ask(number)).length === 0) throw new Error(NO_RULE);
    },
  };
}

/** Beyond so many rules, a few questions suffice: json-rules-engine takes a second for each. */
const MANY_RULES = 1_000;

/** @throws {Error} where they do not name the same rules: the figures would be of different things. */
async function agree({ behest, cedar, engine }: Evaluators, rules: number): Promise<number> {
  const questions = rules > MANY_RULES ? 3 : QUESTIONS.length;
  const sorted = (names: readonly string[]): string => [...names].sort().join(" ");
  for (let question = 0; question < questions; question++) {
    const ours = sorted(await behest.ask(question));
    for (const [name, other] of [["Cedar", cedar] as const, ["json-rules-engine", engine] as const]) {
      const theirs = sorted(await other.ask(question));
      if (theirs !== ours) throw new Error(`on question ${question}, of ${rules} rules ${name} finds \`${theirs}\` to hold, and Behest \`${ours}\``);
    }
  }
  return questions;
}

/** CPU time of this thread: what other work takes of the machine is left out. */
async function timeUs({ run, atOnce }: Evaluator, durationMs: number): Promise<number> {
  const beganMs = threadMs();
  let evaluations = 0;
  let tookMs = 0;
  while (tookMs < durationMs) {
    await run(evaluations, atOnce);
    evaluations += atOnce;
    tookMs = threadMs() - beganMs;
  }
  return (tookMs * 1_000) / evaluations;
}

function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

export function reportOf(figures: readonly EvaluationFigures[]): SectionReport {
  const at = (rules: number): EvaluationFigures | undefined => figures.find((figure) => figure.rules === rules);
  const most = figures.at(-1);
  const at100 = at(100)?.behestUs ?? Number.NaN;
  return {
    figures,
    tables: [
      {
        title:
          `From a request's facts to the rules that hold, of which ${NAMING_THE_TOOL} name its tool: CPU µs, median; all three name the same rules on the same\n` +
          "questions. Cedar: policies parsed once. json-rules-engine: one engine, built once, one run after the other. Growth: over 100 rules.",
        rows: figures.map(evaluationRow),
      },
    ],
    musts: [
      must({ what: `evaluation of 100 rules, ${NAMING_THE_TOOL} of which name the tool`, reached: at100, unit: " µs", most: 5 }),
      must({ what: `evaluation of ${most?.rules} rules over that of 100`, reached: most?.growth ?? Number.NaN, unit: " ×", most: 2 }),
    ],
    ratios: {
      "evaluation.growth": most?.growth ?? Number.NaN,
      "evaluation.cedar_over_ours_at_100": at(100)?.cedarRatio ?? Number.NaN,
      "evaluation.json_rules_engine_over_ours_at_100": at(100)?.engineRatio ?? Number.NaN,
    },
  };
}

const evaluationRow = (figures: EvaluationFigures) => ({
  rules: figures.rules,
  "name the tool": figures.namingTheTool,
  "Behest µs": figures.behestUs,
  "with cache key µs": figures.withKeyUs,
  "Cedar µs": `${figures.cedarUs} (${figures.cedarRatio} ×)`,
  "json-rules-engine µs": `${figures.engineUs} (${figures.engineRatio} ×)`,
  growth: `${figures.growth} ×`,
});
