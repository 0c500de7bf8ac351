import { describe, expect, it } from "vitest";
import { outcomesOf, reasonsOf, summaryOf } from "../../bench/chain-report.ts";
import { VARIANTS } from "../../bench/chains.ts";
import { STARTER_RULES } from "../../src/config.ts";
import { REASON_CODES } from "../../src/core/words.ts";
import { loadPolicy } from "../../src/policy/load.ts";
import { servedPage } from "./served-page.ts";

const { page, blocksOf, run } = servedPage("docs/delegation.md");

describe("docs/delegation.md", () => {
  it("has commands that open a task, hand it on, show it and take it back", () => {
    const { status, stdout } = run(blocksOf("sh").slice(0, 1));
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringMatching(/inbox-assistant.*send 1 of 1.*└──.*revoked.*INC-4711/s) });
  });

  it("shows the tables that the replay prints", () => {
    const runs = VARIANTS.map(({ name }) => ({ name, decided: [[{ outcome: "ALLOW" as const, reasonCodes: ["RISK_TOP"] }]] }));
    const cases = [
      { id: "x", suite: "x", task: "x", principal: {}, steps: [{ tool: "x", argumentsJson: "{}" }], key: { isAttack: false, injected: [false] } },
    ];
    const shown = blocksOf("text").map((text) =>
      text
        .trimEnd()
        .split("\n")
        .map((line) => line.split(/ {2,}/)),
    );
    for (const [at, rows] of [summaryOf(cases, runs), outcomesOf(cases, runs), reasonsOf(runs)].entries()) {
      expect(shown[at]?.[0]).toEqual(Object.keys(rows[0] ?? {}));
    }
    expect(shown[0]?.slice(1).map(([name]) => name)).toEqual(VARIANTS.map(({ name }) => name));
    expect(shown[1]?.slice(1).map(([name, steps]) => [name, steps])).toEqual(outcomesOf(cases, runs).map(({ variant, steps }) => [variant, steps]));
  });

  it("names only reasons and rules that there are", () => {
    const rules = new Set(loadPolicy(STARTER_RULES).policy.rules.map(({ name }) => name));
    const [, ...reasons] =
      blocksOf("text")[2]
        ?.trimEnd()
        .split("\n")
        .map((line) => line.split(/ {2,}/)[0] ?? "") ?? [];
    expect(reasons.filter((reason) => !(REASON_CODES as readonly string[]).includes(reason))).toEqual([]);
    const named = [...page.matchAll(/starter rule `([a-z-]+)`/g)].map(([, name = ""]) => name);
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((name) => !rules.has(name))).toEqual([]);
  });
});
