import { standingAt } from "../../core/approvals/approval.ts";
import type { State } from "../../core/state.ts";
import type { Instant } from "../../core/words.ts";

export interface LedgerMeasures {
  readonly queue: QueueMeasures;
  /** What is remembered; undefined while the ledger cannot be written, because it is read anew when it can. */
  readonly state: StateMeasures | undefined;
}

export interface QueueMeasures {
  /** Turns that are not on disk. */
  readonly turns: number;
  /** How long the oldest of them has waited; 0 if none does. */
  readonly oldestMs: number;
}

export interface StateMeasures {
  readonly selfAssertedTasks: number;
  readonly registeredTasks: number;
  readonly agents: number;
  readonly requestIds: number;
  readonly approvals: number;
  readonly approvalsPending: number;
  readonly suspensions: number;
  readonly cacheRows: number;
}

export function measureState(
  { tasks, registered, memories, attempts, approvals, suspensions }: State,
  cache: { readonly size: number },
  at: Instant,
): StateMeasures {
  let approvalsPending = 0;
  for (const state of approvals.all()) if (standingAt(state, at) === "pending") approvalsPending++;
  return {
    selfAssertedTasks: tasks.size,
    registeredTasks: registered.size,
    agents: memories.size,
    requestIds: attempts.size,
    approvals: approvals.size,
    approvalsPending,
    suspensions: suspensions.size,
    cacheRows: cache.size,
  };
}
