import type { Command } from "commander";
import { addApprovalsApprove, addApprovalsDeny, addApprovalsRevoke } from "./approvals-answer.ts";
import { addApprovalsList } from "./approvals-list.ts";
import { addApprovalsShow } from "./approvals-show.ts";
import { addApprovalsWatch } from "./approvals-watch.ts";

/** `behest approvals …`: what people are asked, and their answers. */
export function addApprovals(program: Command): void {
  const approvals = program
    .command("approvals")
    .description("see what agents want people to agree to, and answer")
    .addHelpText("after", "\nExample:\n  behest approvals ls\n");
  addApprovalsList(approvals);
  addApprovalsShow(approvals);
  addApprovalsApprove(approvals);
  addApprovalsDeny(approvals);
  addApprovalsRevoke(approvals);
  addApprovalsWatch(approvals);
}
