import type { StateView } from "../state.ts";
import { endOf } from "../tasks/registered.ts";
import type { Instant } from "../words.ts";
import { type ApprovalStanding, type ApprovalState, type EndedApproval, isOpen, openUntil, standingAt } from "./approval.ts";

/** An approval as people see it. */
export interface ApprovalStatus {
  readonly state: ApprovalState;
  readonly standing: ApprovalStanding;
  readonly until: Instant;
  /** What the task is for; absent where nobody said, or it has been forgotten. */
  readonly statement?: string;
  /** Whom the task is for, as its initiator said. Absent: nobody vouches for anyone; or it was a service, and the task has been forgotten. */
  readonly principal?: string;
  /** How it ended, whether or not that was written down. */
  readonly ended?: EndedApproval;
}

export type LookedAt = Pick<StateView, "approvals" | "registeredTasks" | "selfAsserted">;

/** Why an approval ends without anybody's word. */
export const TASK_ENDED = "its task has ended";

/** What belongs to a task that has ended is cancelled, whether or not that was written down. */
export function statusAt(state: ApprovalState, view: LookedAt, at: Instant): ApprovalStatus {
  const { task } = state.approval;
  const standing = standingAt(state, at);
  const registered = view.registeredTasks.get(task);
  const own = view.selfAsserted.get(task);
  const taskEnded = registered ? endOf(registered, at)?.at : own === undefined ? at : undefined;
  const isCut = isOpen(standing) && taskEnded !== undefined;
  const ended = state.ended ?? (isCut ? { at: taskEnded, reason: TASK_ENDED } : standing === "expired" ? { at: openUntil(state) } : undefined);
  const whom = registered?.task.principal;
  const principal = whom ? `${whom.type}:${whom.id}` : state.approval.parties.principal;
  const statement = registered?.task.statement ?? own?.statement;
  return {
    state,
    standing: isCut ? "cancelled" : standing,
    until: openUntil(state),
    ...(statement !== undefined && { statement }),
    ...(principal !== undefined && { principal }),
    ...(ended && { ended }),
  };
}
