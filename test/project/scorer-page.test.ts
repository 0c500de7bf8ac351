import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { judge } from "../../src/core/judge.ts";
import type { Subject } from "../../src/core/situation.ts";
import { NOTHING_SEEN } from "../../src/core/tasks/seen.ts";
import { instant } from "../../src/core/words.ts";
import { lintPolicy } from "../../src/policy/lint/lint.ts";
import { FULL_REACH, load } from "../policies.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/scorer.md"), "utf8");
const rule = JSON.parse(page.split("```json\n")[1]?.split("```")[0] ?? "{}");
const EVERYTHING = { "*": "allow", unknown: "allow" };
const parts = {
  settings: { reach: { default: FULL_REACH }, basis: { AUTHORIZED: EVERYTHING, INFERRED: EVERYTHING, AVAILABLE: EVERYTHING } },
  tools: Object.fromEntries(["read", "pay"].map((effect) => [effect, { effect, reversibility: "reversible", output: { trust: "trusted" } }])),
};
const withRule = (change: object = {}) => load({ ...parts, rules: [{ ...rule, ...change }] });

const outcomeOf = (tool: string, risk: number | undefined): string => {
  const subject: Subject = {
    at: instant(0),
    tenant: "default",
    caller: "gateway",
    request: { agent: { id: "bot" }, action: { tool, arguments: {} } },
    masked: 0,
    task: { standing: "open", id: "t", restated: false, seen: NOTHING_SEEN },
    ...(risk !== undefined && { scorer: { id: "s", version: "1", risk, reason: "" } }),
  };
  return judge(withRule().policy, subject).judgement.outcome;
};

describe("docs/scorer.md", () => {
  it("shows a rule of which nothing warns, and that asks people where it says", () => {
    expect(withRule().warnings).toEqual([]);
    const aboutRules = lintPolicy(withRule()).complaints.filter(({ file }) => file.endsWith(".rules.json"));
    // It stands alone here, without the cases that it should have.
    expect(aboutRules.map(({ id }) => id).filter((id) => id !== "rule-without-case")).toEqual([]);
    expect([outcomeOf("pay", 69), outcomeOf("pay", 70), outcomeOf("pay", undefined), outcomeOf("read", undefined)]).toEqual([
      "ALLOW",
      "REQUIRE_APPROVAL",
      "REQUIRE_APPROVAL",
      "ALLOW",
    ]);
  });

  it("says of what the loader warns", () => {
    const answered = { fact: "scorer.answered", operator: "equal", value: true };
    expect(page).toContain(`{ "fact": "scorer.answered", "operator": "equal", "value": true }`);
    const { warnings } = withRule({ conditions: { all: [...rule.conditions.all, answered] } });
    expect(warnings.map(({ id }) => id)).toEqual(["softens-as-it-worsens"]);
  });
});
