import { describe, expect, it } from "vitest";
import { type Bounds, compare, readBounds, sectionOf } from "../../bench/check.ts";
import { measureEvaluation, reportOf } from "../../bench/evaluation.ts";
import type { Policy } from "../../src/core/policy.ts";

describe("a ratio", () => {
  const bounds: Bounds = { "a.most": { most: 2, seen: "1" }, "a.least": { least: 0.5, seen: "1" } };
  it.each<{ says: string; ratios: Readonly<Record<string, number>>; missed: readonly string[] }>([
    { says: "holds within its bound", ratios: { "a.most": 1.9, "a.least": 0.6 }, missed: [] },
    { says: "holds at its bound", ratios: { "a.most": 2, "a.least": 0.5 }, missed: [] },
    { says: "is missed above the most", ratios: { "a.most": 2.01, "a.least": 1 }, missed: ["a.most"] },
    { says: "is missed below the least", ratios: { "a.most": 1, "a.least": 0.49 }, missed: ["a.least"] },
    { says: "is missed when it was not measured", ratios: { "a.most": 1 }, missed: ["a.least"] },
    { says: "is missed when it is no number", ratios: { "a.most": Number.NaN, "a.least": 1 }, missed: ["a.most"] },
  ])("$says", ({ ratios, missed }) => {
    const found = compare(bounds, ratios).filter(({ holds }) => !holds);
    expect(found.map(({ ratio }) => ratio)).toEqual(missed);
  });
});

it("bounds every ratio on at least one side, and says what was seen", () => {
  for (const [ratio, { least, most, seen }] of Object.entries(readBounds())) {
    expect(least ?? most, ratio).toBeGreaterThan(0);
    expect(seen, ratio).not.toBe("");
  }
});

describe("the rules' ratios", () => {
  const PLAN = { sizes: [100, 1_000], repetitions: 1, repetitionMs: 30 };
  const BOUNDS = Object.fromEntries(Object.entries(readBounds()).filter(([ratio]) => sectionOf(ratio) === "evaluation"));

  it("are missed when rules are not found by their tool any more", async () => {
    const withoutIndex = (policy: Policy): Policy => {
      const always = { rules: policy.rules.map((_, index) => index), slots: policy.slots.map((_, slot) => slot) };
      return { ...policy, index: { always, guards: [] } };
    };
    const { ratios } = reportOf(await measureEvaluation(PLAN, withoutIndex));
    const missed = compare(BOUNDS, ratios).filter(({ holds }) => !holds);
    expect(missed.map(({ ratio }) => ratio)).toContain("evaluation.growth");
  });
});
