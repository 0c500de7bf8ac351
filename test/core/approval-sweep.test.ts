import { expect, it } from "vitest";
import type { Approval } from "../../src/core/approvals/approval.ts";
import { createApprovalKeeper } from "../../src/core/approvals/keeper.ts";
import { createState } from "../../src/core/state.ts";
import { createAwaited } from "../../src/core/tasks/awaited.ts";
import { NOTHING_SEEN } from "../../src/core/tasks/seen.ts";
import { instant } from "../../src/core/words.ts";
import { createMemoryLedger } from "../../src/storage/memory/ledger.ts";
import { GATEWAY, payPolicy } from "./live-approvals.ts";

const NOW = Date.UTC(2026, 0, 5, 9);
const TASK = { tenant: "default", caller: "gateway", agent: "payer", principal: "none", session: "none" };

const approval = (at: number, expiresAt: number): Approval => ({
  id: `approval-${at}`,
  tenant: "default",
  kind: "action",
  decision: `decision-${at}`,
  binding: `sha256:${at}`,
  task: "task",
  root: "task",
  parties: { caller: GATEWAY.id, agents: ["payer"] },
  agent: "payer",
  tool: "bank/pay",
  effect: "pay",
  holds: [],
  score: 0,
  askedAt: instant(NOW),
  expiresAt: instant(expiresAt),
  endorsableUntil: instant(NOW + 1_000),
});

it("a sweep looks at so many approvals, and the next goes on behind them", async () => {
  const state = createState();
  state.tasks.use({ ...TASK, id: "task", openedAt: instant(NOW), lastUsedAt: instant(NOW), seen: NOTHING_SEEN, awaited: createAwaited() });
  for (let at = 0; at < 12_000; at++) state.approvals.open(approval(at, at % 4_000 === 3_999 ? NOW : NOW + 1_000));
  let looked = 0;
  const { get } = state.approvals;
  state.approvals.get = (id) => {
    looked++;
    return get.call(state.approvals, id);
  };
  const keeper = createApprovalKeeper({
    ledger: createMemoryLedger(state),
    policies: { current: payPolicy },
    clock: { now: () => instant(NOW) },
    newId: () => `event-${looked}`,
  });
  const swept = [];
  for (let sweep = 0; sweep < 4; sweep++) swept.push(await keeper.sweep());
  expect(swept).toEqual([1, 1, 1, 0]);
  expect(looked).toBeLessThan(20_000);
});
