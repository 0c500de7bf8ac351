import { cacheKey } from "../src/core/cached-evaluation.ts";
import { evaluate } from "../src/core/evaluate.ts";
import { gather } from "../src/core/gather.ts";
import type { Policy } from "../src/core/policy.ts";
import { type Subject, situate } from "../src/core/situation.ts";
import { NOTHING_SEEN } from "../src/core/tasks/seen.ts";
import { instant } from "../src/core/words.ts";
import { compileSteps } from "../src/policy/load.ts";
import { filesOf, policyOf } from "../test/policies.ts";
import { median, rounded } from "./statistics.ts";

/** What reading facts, the cache key and the rules cost one decision, of so many rules, 30 of which name its tool. */
export interface RuleCountFigures {
  readonly rules: number;
  /** The rules of other tools read arguments of their own. */
  readonly facts: number;
  readonly decisionUs: number;
  /** The longest that a decision waits for one step of a reload. */
  readonly longestStepMs: number;
  /** Over the first. */
  readonly ratio: number;
}

export interface RuleCountPlan {
  readonly sizes: readonly number[];
  readonly repetitions: number;
  readonly repetitionMs: number;
}

const NAMING_THE_TOOL = 30;
const AT_ONCE = 64;

/** All sizes in turn in each repetition, so that a slow moment of the machine strikes all of them. */
export function measureRuleCounts({ sizes, repetitions, repetitionMs }: RuleCountPlan): readonly RuleCountFigures[] {
  const parts = sizes.map((size) => ({ rules: Array.from({ length: size }, (_, number) => ruleOf(number)) }));
  const policies = parts.map(policyOf);
  const longest = parts.map((part) => longestStepMs(filesOf(part), repetitions));
  const figures = policies.map((): number[] => []);
  for (let repetition = 0; repetition <= repetitions; repetition++) {
    for (const [index, policy] of policies.entries()) {
      const us = timeDecisions(policy, repetitionMs);
      // The first one warms up.
      if (repetition > 0) figures[index]?.push(us);
    }
  }
  const medians = figures.map(median);
  return policies.map((policy, index) => ({
    rules: policy.rules.length,
    facts: policy.slots.length,
    decisionUs: rounded(medians[index] ?? 0, 2),
    longestStepMs: rounded(longest[index] ?? 0, 1),
    ratio: rounded((medians[index] ?? 0) / (medians[0] ?? 1), 2),
  }));
}

/** The best of so many: a busy machine makes any step longer once. */
function longestStepMs(files: Readonly<Record<string, string>>, repetitions: number): number {
  const longest = Array.from({ length: repetitions }, () => {
    const steps = compileSteps(files, "rules");
    let most = 0;
    for (let done = false; !done; ) {
      const began = performance.now();
      done = steps.next().done ?? false;
      most = Math.max(most, performance.now() - began);
    }
    return most;
  });
  return Math.min(...longest);
}

function ruleOf(number: number): object {
  const named = number < NAMING_THE_TOOL;
  return {
    name: `rule-${number}`,
    conditions: {
      all: [
        { fact: "action.tool", operator: "equal", value: named ? "mail/send" : `tool-${number % 3_000}` },
        { fact: "data.classification_rank", operator: "greaterThanInclusive", value: number % 3 },
        { fact: "data.categories", operator: "contains", value: number % 2 === 0 ? "personal" : "financial" },
        { fact: `action.arguments.${named ? `field_${number % 5}` : `field_${number}`}`, operator: "greaterThan", value: 5 },
      ],
    },
    event: { type: "risk", params: { points: 1, reason: `says ${number}`, controls: ["owasp:ASI02"] } },
  };
}

const SUBJECTS = Array.from({ length: 16 }, (_, number): Subject => {
  return {
    at: instant(0),
    tenant: "default",
    caller: "gateway",
    masked: 0,
    request: {
      agent: { id: "bot" },
      action: { tool: "mail/send", arguments: { field_0: number, field_1: 7, field_2: 9, field_3: 3 } },
      data: { classification: "restricted", categories: ["financial", "personal"] },
    },
    task: { standing: "new", id: "t", restated: false, seen: NOTHING_SEEN },
  };
});

function timeDecisions(policy: Policy, durationMs: number): number {
  const situations = SUBJECTS.map((subject) => situate(policy, subject));
  const began = performance.now();
  let decisions = 0;
  let tookMs = 0;
  while (tookMs < durationMs) {
    for (let count = 0; count < AT_ONCE; count++) {
      const situation = situations[count % situations.length];
      if (!situation) continue;
      const reading = gather(policy, situation);
      if (cacheKey(policy, "default", reading) === "" || evaluate(policy, reading).stands.length === 0) throw new Error("no rule stands");
    }
    decisions += AT_ONCE;
    tookMs = performance.now() - began;
  }
  return (tookMs * 1_000) / decisions;
}
