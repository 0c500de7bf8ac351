import { describe, expect, it } from "vitest";
import { load } from "../policies.ts";

const rule = (condition: object, type: string, params: object = {}): object => ({
  name: "a-rule",
  conditions: { all: [condition] },
  event: { type, params: { reason: "r", controls: [], ...params } },
});

const leaf = (fact: string, operator: string, value: unknown): object => ({ fact, operator, value });
const warnings = (condition: object, type: string, params: object = {}): readonly string[] =>
  load({ rules: [rule(condition, type, params)] }).warnings.map(({ message }) => message);

describe("a restrictive rule that stops applying as a fact gets worse", () => {
  it.each([
    {
      says: "a classification by name",
      condition: leaf("data.classification", "equal", "confidential"),
      from: '"confidential"',
      to: '"restricted"',
      fact: "data.classification",
    },
    { says: "a rank from above", condition: leaf("data.classification_rank", "lessThan", 3), from: "0", to: "3", fact: "data.classification_rank" },
    {
      says: "an effect list without `unknown`",
      condition: leaf("action.effect", "in", ["send"]),
      from: '"send"',
      to: '"unknown"',
      fact: "action.effect",
    },
    { says: "a trust level by name", condition: leaf("agent.trust", "equal", "low"), from: '"low"', to: '"unregistered"', fact: "agent.trust" },
    { says: "a flag at its better value", condition: leaf("tool.listed", "equal", true), from: "true", to: "false", fact: "tool.listed" },
    {
      says: "a list that lacks something",
      condition: leaf("data.categories", "doesNotContain", "personal"),
      from: "[]",
      to: '["personal"]',
      fact: "data.categories",
    },
    {
      says: "a rank among lists of lists",
      condition: leaf("task.seen.classification_rank", "everyValue:notIn", [
        [0, 1],
        [3, 0],
      ]),
      from: "2",
      to: "3",
      fact: "task.seen.classification_rank",
    },
    {
      says: "a list that lacks one of several",
      condition: { not: leaf("data.categories", "everyValue:contains", ["health", "payment", "personal"]) },
      from: '["health","payment"]',
      to: '["health","payment","personal"]',
      fact: "data.categories",
    },
    {
      says: "a list that lacks one of many",
      condition: { not: leaf("data.categories", "everyValue:contains", ["a", "b", "c", "d", "e", "f", "g", "h"]) },
      from: '["b","c","d","e","f","g","h","something else"]',
      to: '["b","c","d","e","f","g","h","something else","a"]',
      fact: "data.categories",
    },
    { says: "the same under `not`", condition: { not: leaf("chain.depth", "greaterThan", 2) }, from: "0", to: "3", fact: "chain.depth" },
    {
      says: "a comparison of two facts",
      condition: leaf("chain.depth", "greaterThan", { fact: "action.target_count" }),
      from: "0",
      to: "9007199254740991",
      fact: "chain.depth",
    },
  ])("is warned of: $says", ({ condition, from, to, fact }) => {
    for (const [type, params] of [
      ["deny", {}],
      ["require-approval", {}],
      ["risk", { points: 5 }],
    ] as const) {
      const [warning] = warnings(condition, type, params);
      expect(warning).toMatch(`rule \`a-rule\` stops applying as \`${fact}\` gets worse, from \`${from}\` to \`${to}\`, which \``);
    }
  });

  it.each([
    { says: "a rank from below", condition: leaf("data.classification_rank", "greaterThanInclusive", 2) },
    { says: "an effect list with `unknown`", condition: leaf("action.effect", "in", ["send", "unknown"]) },
    { says: "every level from one on", condition: leaf("agent.trust", "in", ["low", "unregistered"]) },
    { says: "a flag at its worse value", condition: leaf("tool.listed", "equal", false) },
    { says: "a list that holds something", condition: leaf("data.categories", "contains", "personal") },
    { says: "a lower bound denied under `not`", condition: { not: leaf("chain.depth", "lessThan", 2) } },
    { says: "facts without an order", condition: leaf("action.tool", "equal", "t") },
  ])("is not, when it does not: $says", ({ condition }) => {
    expect(warnings(condition, "deny")).toEqual([]);
  });

  it("a helping rule is warned of when it starts to apply", () => {
    expect(warnings(leaf("agent.trust", "equal", "low"), "allow")[0]).toMatch("rule `a-rule` starts to apply as `agent.trust` gets worse");
    expect(warnings(leaf("agent.trust", "equal", "high"), "allow")).toEqual([]);
    // No count is below 0, so that nothing is better than 0.
    expect(warnings(leaf("action.destination_count", "equal", 0), "allow")).toEqual([]);
  });
});

describe("the loader warns", () => {
  it("that priority has no effect on outcomes", () => {
    const { warnings: said } = load({ rules: [{ ...rule(leaf("agent.id", "equal", "x"), "deny"), priority: 9 }] });
    expect(said.map(({ message }) => message)).toEqual(["rule `a-rule`: `priority` orders findings and has no effect on outcomes"]);
  });

  it("of a named condition that no rule uses", () => {
    const { warnings: said } = load({ conditions: { spare: { all: [leaf("agent.id", "equal", "x")] } } });
    expect(said.map(({ message }) => message)).toEqual(["no rule uses the condition `spare`"]);
  });
});

describe("a policy without groups", () => {
  it.each([
    { says: "that asks one is warned of", settings: { groups: {} }, warned: ["`groups` is empty, and `group:approvers` is asked: say who is in it"] },
    { says: "that asks none is not", settings: { groups: {}, approvers: { default: ["principal"], quorum: 1 } }, warned: [] },
  ])("$says", ({ settings, warned }) => {
    expect(load({ settings }).warnings.map(({ message }) => message)).toEqual(warned);
  });
});
