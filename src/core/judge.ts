import { combine, type Judgement } from "./combine.ts";
import { type Evaluation, evaluate } from "./evaluate.ts";
import { gather, type Reading } from "./gather.ts";
import { brokenInvariants, builtIn, type Violation } from "./invariants.ts";
import type { Policy } from "./policy.ts";
import { type Situation, type Subject, situate } from "./situation.ts";

export interface JudgeOptions {
  /** Asks the rules otherwise than afresh: from what they answered before. */
  readonly evaluate?: (policy: Policy, reading: Reading) => Evaluation;
  readonly onError?: (error: unknown) => void;
}

export interface Verdict {
  readonly situation: Situation;
  readonly judgement: Judgement;
}

/**
 * The whole decision, pure: facts, rules, invariants, combination. Live decisions, Explain and re-derivation all call this, and nothing else
 * decides. What goes wrong inside is a DENY with EVALUATION_ERROR, told to `onError`.
 */
export function judge(policy: Policy, subject: Subject, options: JudgeOptions = {}): Verdict {
  return judgeSituation(situate(policy, subject), options);
}

/** The same from a situation on: for an explanation that asks what would be if a fact were another. */
export function judgeSituation(situation: Situation, options: JudgeOptions = {}): Verdict {
  const { policy } = situation;
  const violations = brokenInvariants(situation);
  const ask = options.evaluate ?? evaluate;
  try {
    return { situation, judgement: combine(situation, violations, ask(policy, gather(policy, situation))) };
  } catch (error) {
    options.onError?.(error);
    return { situation, judgement: combine(situation, [...violations, EVALUATION_FAILED], { score: 0, stands: [] }) };
  }
}

const EVALUATION_FAILED: Violation = {
  code: "EVALUATION_ERROR",
  finding: builtIn("EVALUATION_ERROR", "the rules could not be evaluated; the server's log has the cause"),
};
