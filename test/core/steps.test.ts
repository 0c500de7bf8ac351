import { describe, expect, it } from "vitest";
import { inSlices, type Steps, toEnd } from "../../src/core/steps.ts";
import { compileSteps } from "../../src/policy/load.ts";
import { filesOf } from "../policies.ts";

const now = (): number => performance.now();

function* counting(steps: number): Steps<string> {
  for (let step = 0; step < steps; step++) yield;
  return `after ${steps}`;
}

describe("work in steps", () => {
  it("comes to the same, at once or in slices", async () => {
    expect(toEnd(counting(1_000))).toBe("after 1000");
    expect(await inSlices(counting(1_000), { now, sliceMs: 0.01 })).toBe("after 1000");
    expect(await inSlices(counting(0), { now, sliceMs: 5 })).toBe("after 0");
  });

  it("goes on in slices however coarse the clock is", async () => {
    expect(await inSlices(counting(10), { now: () => 0, sliceMs: 5 })).toBe("after 10");
  });

  it("throws what a step throws", async () => {
    function* failing(): Steps<void> {
      yield;
      throw new Error("no");
    }
    await expect(inSlices(failing(), { now, sliceMs: 5 })).rejects.toThrow("no");
  });
});

const rule = (n: number): object => ({
  name: `rule-${n}`,
  conditions: {
    all: [
      { fact: "action.tool", operator: "equal", value: `server/tool-${n % 400}` },
      { fact: "action.effect", operator: "in", value: ["send", "share", "pay", "unknown"] },
      {
        any: [
          { fact: "task.seen.classification_rank", operator: "greaterThanInclusive", value: 2 },
          { fact: "action.arguments.to", operator: "equal", value: `to-${n}` },
        ],
      },
    ],
  },
  event: { type: "risk", params: { points: n % 20, reason: `because of ${n}`, controls: ["owasp:ASI02"] } },
});

const tool = (n: number): object => ({
  effect: "read",
  reversibility: "reversible",
  arguments: { path: "target" },
  output: { trust: n % 2 ? "trusted" : "untrusted" },
});

function stepsOf(files: Readonly<Record<string, string>>): number {
  const steps = compileSteps(files, "rules");
  let count = 0;
  while (!steps.next().done) count++;
  return count;
}

const tenThousand = <T>(one: (n: number) => T): readonly T[] => Array.from({ length: 10_000 }, (_, n) => one(n));
const reach = { tools: ["*"], effects: ["read"], resources: ["*"], max_classification: "internal" };

/** Each has as few steps as there are: one fewer for each rule, tool, label, agent, file or stretch of text, and decisions wait the longer. */
describe("the largest policy that is served", () => {
  it.each([
    { says: "ten thousand rules in three files", files: filesOf({ rules: [] }), more: 3, least: 55_645 },
    {
      says: "a catalog of ten thousand tools",
      files: filesOf({ tools: Object.fromEntries(tenThousand((n) => [`server/tool-${n}`, tool(n)])) }),
      more: 0,
      least: 10_772,
    },
    {
      says: "ten thousand labels and as many agents",
      files: filesOf({
        resources: tenThousand((n) => ({ match: `file:/srv/${n}`, categories: [] })),
        agents: Object.fromEntries(tenThousand((n) => [`agent-${n}`, { trust: "medium", reach }])),
      }),
      more: 0,
      least: 20_000,
    },
  ])("is compiled in thousands of steps, between which decisions are made: $says", ({ files, more, least }) => {
    const rules = Array.from({ length: more }, (_, file) => {
      const own = Array.from({ length: 3_333 }, (_rule, n) => rule(file * 3_333 + n));
      return [`r${file}.rules.json`, JSON.stringify({ rules: own }, null, 1)] as const;
    });
    expect(stepsOf({ ...files, ...Object.fromEntries(rules) })).toBeGreaterThan(least);
  });
});
