import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Policy } from "../../src/core/policy.ts";
import { createState, forget } from "../../src/core/state.ts";
import { AWAITED_MAX } from "../../src/core/tasks/awaited.ts";
import { createDoer, doStep, historyPolicy, loadPolicy, looked, type Step, steps } from "../storage/histories.ts";
import { createTestClock, openMemory } from "../storage/storages.ts";
import { randomRuns } from "./random-rules.ts";

const STARTER = historyPolicy({ memory: "24h", report_within: "10m", idempotency: "1h" });
const LONG_ALLOW = historyPolicy({ memory: "1m", report_within: "1m", idempotency: "1h" }, "1h");

/** Does the same over two storages, of which one forgets before the steps that are named, and expects to find them alike. */
async function compare(policy: Policy, history: readonly Step[], forgets: (step: number) => boolean): Promise<void> {
  const [clock, otherClock] = [createTestClock(), createTestClock()];
  const state = createState();
  const [forgetful, other] = [await openMemory({ clock, state }), await openMemory({ clock: otherClock })];
  for (const storage of [forgetful, other]) await loadPolicy(storage, policy);
  const [doer, otherDoer] = [createDoer(policy), createDoer(policy)];
  for (const [n, step] of history.entries()) {
    if (forgets(n)) forget(state, clock.now());
    expect(await doStep(forgetful, doer, step)).toEqual(await doStep(other, otherDoer, step));
  }
  expect(looked(forgetful, doer)).toEqual(looked(other, otherDoer));
}

describe.each([
  { says: "as the starter has them", policy: STARTER },
  { says: "that are short", policy: historyPolicy({ memory: "5m", report_within: "10m", idempotency: "1m" }) },
  { says: "that remember less long than an ALLOW lives", policy: LONG_ALLOW },
])("under windows $says", ({ policy }) => {
  it("forgetting at any time changes no later answer", async () => {
    await fc.assert(
      fc.asyncProperty(steps(40), fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }), (history, forgets) =>
        compare(policy, history, (n) => forgets[n] === true),
      ),
      randomRuns(300),
    );
  });
});

const decide = (tool: string, more: Partial<Step & { readonly does: "decide" }> = {}): Step => ({
  does: "decide",
  task: undefined,
  agent: "bot",
  tool,
  requestId: undefined,
  ...more,
});
const wait = (ms: number): Step => ({ does: "wait", ms });
const MINUTE = 60_000;

describe("forgetting before every step changes nothing", () => {
  it.each<{ says: string; policy: Policy; history: readonly Step[] }>([
    {
      says: "for a report that comes late and shows nothing new",
      policy: STARTER,
      history: [decide("read"), wait(11 * MINUTE), { does: "report", decision: 0, status: "executed", tookEffect: undefined, category: undefined }],
    },
    {
      says: "where more calls are awaited than may be, of which the first is overdue",
      policy: STARTER,
      history: [
        { does: "open", agent: "bot", scope: {}, lifetimeMs: 60 * MINUTE },
        decide("vault/read"),
        wait(11 * MINUTE),
        ...Array.from({ length: AWAITED_MAX }, () => decide("read", { task: 0 })),
      ],
    },
    {
      says: "for an ALLOW that is asked for again after its task was revoked",
      policy: LONG_ALLOW,
      history: [
        { does: "open", agent: "bot", scope: {}, lifetimeMs: 60 * MINUTE },
        decide("read"),
        decide("read", { task: 0, requestId: "r1" }),
        { does: "revoke", task: 0 },
        wait(2 * MINUTE),
        decide("read", { task: 0, requestId: "r1" }),
      ],
    },
  ])("$says", ({ policy, history }) => compare(policy, history, () => true));
});
