import { hash } from "node:crypto";
import { EVALUATOR_VERSION, type Evaluation, evaluate } from "./evaluate.ts";
import type { Reading } from "./gather.ts";
import { encodeStable } from "./json.ts";
import type { Policy } from "./policy.ts";
import type { DecisionCache } from "./ports.ts";

/** The rules' answer through the decision cache. Its key holds all that the rules can see, so there is nothing it could leave out. */
export function askCached(cache: DecisionCache, tenant: string, decisionId: string) {
  let repeats: string | undefined;
  let fresh: Evaluation | undefined;
  let keep: (() => void) | undefined;
  return {
    ask(policy: Policy, reading: Reading): Evaluation {
      const key = cacheKey(policy, tenant, reading);
      const cached = cache.get(key);
      if (cached && cached.policy === policy.digest) {
        repeats = cached.decisionId;
        return cached.evaluation;
      }
      const evaluation = evaluate(policy, reading);
      fresh = evaluation;
      keep = () => cache.put(key, { policy: policy.digest, evaluation, decisionId });
      return evaluation;
    },
    /** Only once the decision is certain to be recorded: an answer names the decision that first got it. */
    keep: () => keep?.(),
    repeats: () => repeats,
    fresh: () => fresh,
  };
}

/** Which slots were read follows from the values of those before them, so the values in their order are enough. */
export function cacheKey(policy: Policy, tenant: string, { values, slots }: Reading): string {
  let text = `${EVALUATOR_VERSION};${encodeStable(policy.digest)}${encodeStable(tenant)}${slots.length};`;
  for (const at of slots) text += encodeStable(values[at]);
  return hash("sha256", text);
}
