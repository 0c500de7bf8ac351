import { describe, expect, it } from "vitest";
import { STARTER_RULES } from "../../src/config.ts";
import { evaluate } from "../../src/core/evaluate.ts";
import { gatherAll } from "../../src/core/gather.ts";
import { situate } from "../../src/core/situation.ts";
import { NOTHING_SEEN } from "../../src/core/tasks/seen.ts";
import { instant } from "../../src/core/words.ts";
import { loadPolicy } from "../../src/policy/load.ts";
import { differences } from "../../src/reference/second-opinion.ts";
import { readingOf } from "../policies.ts";

const { policy } = loadPolicy(STARTER_RULES);

const values = gatherAll(
  policy,
  situate(policy, {
    at: instant(0),
    tenant: "default",
    caller: "gateway",
    masked: 0,
    request: {
      agent: { id: "finance-assistant" },
      action: { tool: "send_money", arguments: { recipient: "DE89", amount: 9_000 } },
      data: { classification: "restricted", categories: ["personal"] },
    },
    task: { standing: "open", id: "t", restated: true, seen: { ...NOTHING_SEEN, trust: "untrusted", classifications: ["confidential"] } },
  }),
);

describe("the second opinion", () => {
  it("agrees with the compiled evaluator on every rule whose facts are there", async () => {
    const evaluation = evaluate(policy, readingOf(policy, values));
    expect(evaluation.stands.length).toBeGreaterThan(2);
    expect(await differences(policy, values, evaluation)).toEqual([]);
  });

  it("names a rule that stands in the engine and not in the evaluation", async () => {
    const { score, stands } = evaluate(policy, readingOf(policy, values));
    const [first = 0, ...rest] = stands;
    expect(await differences(policy, values, { score, stands: rest })).toEqual([{ rule: policy.rules[first >> 1]?.name, compiled: 0, engine: true }]);
  });

  it("names a rule that stands in the evaluation and not in the engine", async () => {
    const { score, stands } = evaluate(policy, readingOf(policy, values));
    const silent = policy.rules.findIndex((rule, index) => !stands.includes(index * 2) && !JSON.stringify(rule.source).includes("arguments"));
    expect(await differences(policy, values, { score, stands: [...stands, silent * 2] })).toEqual([
      { rule: policy.rules[silent]?.name, compiled: 2, engine: false },
    ]);
  });
});
