import { expect, it } from "vitest";
import { createWaitingDecider } from "../../src/core/approvals/waiting.ts";
import type { Decider } from "../../src/core/decide.ts";
import { instant } from "../../src/core/words.ts";
import { GATEWAY, liveApprovals, payPolicy, person } from "./live-approvals.ts";

const REQUEST = { agent: { id: "payer" }, action: { tool: "bank/pay", arguments: { to: "a", amount: 5, currency: "EUR" } } };
const nobodyLeaves = (): AbortSignal => new AbortController().signal;

/** The answers of a decider of which each call waits for what is said of it: a record takes as long to read as a disk may take. */
function held(decider: Decider, until: (call: number) => Promise<void> | undefined): Decider {
  let calls = 0;
  return {
    ...decider,
    async decide(asked) {
      const call = ++calls;
      const answer = await decider.decide(asked);
      await until(call);
      return answer;
    },
  };
}

it("a call that comes to wait when another of its request id has got the yes already gets the same answer", async () => {
  const live = liveApprovals({ policy: payPolicy() });
  const second = Promise.withResolvers<void>();
  const waiting = createWaitingDecider({
    decider: held(live.decider, (call) => (call === 2 ? second.promise : undefined)),
    ledger: live.ledger,
    clock: { now: () => instant(live.now()) },
    waitsMax: 10,
  });
  const asked = { caller: GATEWAY, request: { ...REQUEST, requestId: "the-same", waitMs: 50_000 } };
  const answers = [waiting.decide(asked, nobodyLeaves), waiting.decide(asked, nobodyLeaves)];
  await expect.poll(() => waiting.waiting).toBe(1);
  const [approval] = (await live.approvals.list(person("ann"), { limit: 10 })).approvals;
  await live.approvals.resolve(person("ann"), { id: approval?.state.approval.id ?? "none", verdict: "approve" });
  const first = await answers[0];
  expect(first?.record.judgement.outcome).toBe("ALLOW");
  second.resolve();
  const other = await answers[1];
  expect(other?.record.id).toBe(first?.record.id);
  expect([first?.replayed, other?.replayed]).toEqual([false, true]);
});
