import { combine, type Judgement } from "./combine.ts";
import { type Evaluation, evaluate } from "./evaluate.ts";
import { gather } from "./facts.ts";
import { brokenInvariants, builtIn, type Violation } from "./invariants.ts";
import type { Known } from "./json.ts";
import type { Policy } from "./policy.ts";
import { type Situation, type Subject, situate } from "./situation.ts";

/** How the rules are asked: afresh, or from what they answered before. */
export type Evaluate = (policy: Policy, values: readonly Known[]) => Evaluation;

export interface Verdict {
  readonly situation: Situation;
  readonly judgement: Judgement;
}

/**
 * The whole decision, pure: facts, rules, invariants, combination. Live decisions, Explain and re-derivation all call this, and nothing else
 * decides. What goes wrong inside is a DENY with EVALUATION_ERROR, told to `onError`.
 */
export function judge(policy: Policy, subject: Subject, ask: Evaluate = evaluate, onError?: (error: unknown) => void): Verdict {
  const situation = situate(policy, subject);
  const violations = brokenInvariants(situation);
  try {
    return { situation, judgement: combine(situation, violations, ask(policy, gather(policy, situation))) };
  } catch (error) {
    onError?.(error);
    return { situation, judgement: combine(situation, [...violations, EVALUATION_FAILED], { score: 0, stands: [] }) };
  }
}

const EVALUATION_FAILED: Violation = {
  code: "EVALUATION_ERROR",
  finding: builtIn("EVALUATION_ERROR", "the rules could not be evaluated; the server's log has the cause"),
};
