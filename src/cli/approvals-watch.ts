import { toJson } from "@bufbuild/protobuf";
import type { Command } from "commander";
import { type ApprovalSummary, type WatchApprovalsResponse, WatchApprovalsResponseSchema } from "../gen/behest/v1/approval_pb.ts";
import { ApprovalState } from "../gen/behest/v1/decision_pb.ts";
import { checkTaskId, filterWords } from "./approval-found.ts";
import { approvalHeadline, approversWords, endedWords, leftUntil, times } from "./approval-words.ts";
import { systemNow } from "./clock.ts";
import { addConnectOptions, type ConnectOptions, withClient } from "./connect.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import { asTyped } from "./hint.ts";
import { type Format, folded, formatOption, paint, printJson, printLine, screenColumns } from "./output.ts";
import { revealed } from "./revealed.ts";
import { JSON_OPTIONS } from "./task-words.ts";

interface WatchOptions extends ConnectOptions {
  readonly agent?: string;
  readonly task?: string;
  readonly output: Format;
}

export function addApprovalsWatch(approvals: Command): void {
  addConnectOptions(approvals.command("watch"))
    .description("what is open, then a line whenever something is asked, answered, used or over, until Ctrl-C")
    .option("--agent <id>", "that this agent asks for")
    .option("--task <id>", "of this task, and of those below it; its whole id")
    .addOption(formatOption())
    .addHelpText("after", "\nExamples:\n  behest approvals watch\n  behest approvals watch --agent finance-assistant -o ndjson\n")
    .action((options: WatchOptions) => watch(options));
}

async function watch(options: WatchOptions): Promise<void> {
  const { agent = "", task = "" } = options;
  checkTaskId(options.task);
  const ending = new AbortController();
  const end = (): void => ending.abort();
  process.once("SIGINT", end).once("SIGTERM", end);
  try {
    await withClient(options, "approver", async (client) => {
      if (options.output === "table" && (await client.listApprovals({ agentId: agent, taskId: task, limit: 1 })).total === 0) {
        process.stderr.write(`watching; nothing is open${filterWords(options)}\n`);
      }
      for await (const change of client.watchApprovals({ agentId: agent, taskId: task }, ending.signal)) print(change, options.output);
    });
  } finally {
    process.off("SIGINT", end).off("SIGTERM", end);
  }
  if (!ending.signal.aborted) throw new CommandFailed(EXIT.unreachable, `the server has ended; once it serves again: ${asTyped("approvals watch")}`);
}

function print(change: WatchApprovalsResponse, output: Format): void {
  const { approval, existing } = change;
  if (!approval) throw new Error("the server named no approval");
  if (output === "table") {
    const line = `${approvalHeadline(approval)}  ${existing ? `${changeOf(approval)}, open already` : changeOf(approval)}`;
    process.stdout.write(`${folded(line, screenColumns())}\n`);
  } else (output === "json" ? printJson : printLine)(toJson(WatchApprovalsResponseSchema, change, JSON_OPTIONS));
}

/** What has come to it last, as far as how it stands tells. */
function changeOf(approval: ApprovalSummary): string {
  const { state, holds, answers, asked, expiresAt, granted } = approval;
  const last = revealed(answers.at(-1)?.approver?.id ?? "");
  const left = `${leftUntil(expiresAt, systemNow())} left`;
  switch (state) {
    case ApprovalState.PENDING: {
      const whom = [...new Set(holds.map(({ approvers }) => approversWords(approvers)))].join(", and ");
      const so = answers.length > 0 ? `${last} said yes, more is needed` : `asks ${whom}${asked > 1 ? `, ${times(asked)}` : ""}`;
      return `${so}, ${left}`;
    }
    case ApprovalState.APPROVED:
      return granted && granted.used > 0 ? `used ${granted.used} of ${granted.uses} times, ${left}` : `${last} said yes, ${left}`;
    default:
      return endedWords(approval) ?? paint("dim", "over");
  }
}
