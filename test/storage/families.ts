import type { Caller } from "../../src/core/request.ts";
import type { OpenRequest } from "../../src/core/tasks/keeper.ts";
import { instant } from "../../src/core/words.ts";
import { deciderOver, keeperOver, reportsOver } from "./deciders.ts";
import { historyPolicy, INITIATOR, loadPolicy } from "./histories.ts";
import { ask, CALLER } from "./requests.ts";
import type { OpenedStorage } from "./storages.ts";

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
export const POLICY = historyPolicy({ memory: "24h", report_within: "10m", idempotency: "1h" });

export const REQUEST: OpenRequest = {
  statement: "pay the invoices",
  principal: { type: "user", id: "alice", attributes: { team: "a" } },
  agent: "bot",
  scopeKind: "issued",
  scope: { maxCalls: { pay: 5 }, maxAmounts: { EUR: 10_000 } },
};

export const keeper = (storage: OpenedStorage) => keeperOver(storage, { policy: POLICY });

export const open = async (storage: OpenedStorage, more: Partial<OpenRequest> = {}): Promise<string> =>
  (await keeper(storage).open(INITIATOR, { ...REQUEST, ...more })).task.id;

export const delegate = async (storage: OpenedStorage, taskId: string, agent = "worker"): Promise<string> =>
  (await keeper(storage).delegate(INITIATOR, { taskId, agent, scope: {}, narrow: false })).status.task.id;

export const pay = async (storage: OpenedStorage, id: string, agent = "bot", amount = 10) =>
  (
    await deciderOver(storage, { policy: POLICY }).decide(
      ask({ task: { id }, agent: { id: agent }, action: { tool: "pay", arguments: { amount, currency: "EUR" } } }),
    )
  ).record;

export const outcomeOf = async (storage: OpenedStorage, id: string, agent?: string): Promise<string> =>
  (await pay(storage, id, agent)).judgement.outcome;

export const report = (storage: OpenedStorage, decision: string, status: "executed" | "blocked" = "executed", more = {}, caller: Caller = CALLER) =>
  reportsOver(storage, POLICY).report(caller, { decision, status, result: "paid", truncated: false, ...more });

/** A root of `bot` and a child of `worker`; each has paid once, and the child's was given back. */
export async function familyIn(
  storage: OpenedStorage,
): Promise<{ readonly root: string; readonly child: string; readonly paid: string; readonly back: string }> {
  await loadPolicy(storage, POLICY);
  const root = await open(storage, { expiresAt: instant(storage.clock.now() + 60 * DAY), statementExpiresAt: instant(storage.clock.now() + HOUR) });
  const child = await delegate(storage, root);
  const paid = (await pay(storage, root)).id;
  const back = (await pay(storage, child, "worker", 25)).id;
  await report(storage, back, "blocked", { labels: { classification: "confidential", categories: ["personal"], trust: "untrusted" } });
  return { root, child, paid, back };
}
