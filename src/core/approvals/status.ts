import type { StateView } from "../state.ts";
import { endOf } from "../tasks/registered.ts";
import type { Instant } from "../words.ts";
import { type ApprovalStanding, type ApprovalState, isOpen, openUntil, standingAt } from "./approval.ts";

/** An approval as people see it. */
export interface ApprovalStatus {
  readonly state: ApprovalState;
  readonly standing: ApprovalStanding;
  readonly until: Instant;
  /** What the task is for; absent where nobody said, or it has been forgotten. */
  readonly statement?: string;
}

export type LookedAt = Pick<StateView, "approvals" | "registeredTasks" | "selfAsserted">;

/** What belongs to a task that has ended is cancelled, whether or not that was written down. */
export function statusAt(state: ApprovalState, view: LookedAt, at: Instant): ApprovalStatus {
  const { task } = state.approval;
  const standing = standingAt(state, at);
  const registered = view.registeredTasks.get(task);
  const own = view.selfAsserted.get(task);
  const hasEnded = registered ? endOf(registered, at) !== undefined : own === undefined;
  const statement = registered?.task.statement ?? own?.statement;
  return {
    state,
    standing: isOpen(standing) && hasEnded ? "cancelled" : standing,
    until: openUntil(state),
    ...(statement !== undefined && { statement }),
  };
}
