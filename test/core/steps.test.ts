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

/** The longest that one step takes, at best: a busy machine makes any of them longer once. */
function longestStepMs(files: Readonly<Record<string, string>>): number {
  const runs = Array.from({ length: 3 }, () => {
    const steps = compileSteps(files, "rules");
    let longest = 0;
    for (let done = false; !done; ) {
      const began = now();
      done = steps.next().done ?? false;
      longest = Math.max(longest, now() - began);
    }
    return longest;
  });
  return Math.min(...runs);
}

describe("the largest policy that is served", () => {
  it.each([
    { says: "ten thousand rules in three files", files: filesOf({ rules: [] }), more: 3 },
    {
      says: "a catalog of ten thousand tools",
      files: filesOf({ tools: Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`server/tool-${n}`, tool(n)])) }),
      more: 0,
    },
  ])("never holds up a decision for 50 ms while it is compiled: $says", ({ files, more }) => {
    const rules = Array.from({ length: more }, (_, file) => {
      const own = Array.from({ length: 3_333 }, (_rule, n) => rule(file * 3_333 + n));
      return [`r${file}.rules.json`, JSON.stringify({ rules: own }, null, 1)] as const;
    });
    expect(longestStepMs({ ...files, ...Object.fromEntries(rules) })).toBeLessThan(50);
  });
});
