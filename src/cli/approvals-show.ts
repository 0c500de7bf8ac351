import { toJson } from "@bufbuild/protobuf";
import type { Command } from "commander";
import { GetApprovalResponseSchema } from "../gen/behest/v1/approval_pb.ts";
import { findApproval } from "./approval-found.ts";
import { describeApproval } from "./approval-report.ts";
import { nextWords } from "./approval-words.ts";
import { systemNow } from "./clock.ts";
import { addConnectOptions, type ConnectOptions, withClient } from "./connect.ts";
import { asTypedTo } from "./hint.ts";
import { type Format, formatOption, paint, printJson, printLine, screenColumns } from "./output.ts";
import { JSON_OPTIONS } from "./task-words.ts";

interface ShowOptions extends ConnectOptions {
  readonly output: Format;
}

export function addApprovalsShow(approvals: Command): void {
  addConnectOptions(approvals.command("show"))
    .description("all that whoever answers should see: who wants what, for whom, with every argument in full")
    .argument("<approval-id>", "its id, or enough of its beginning or end")
    .addOption(formatOption())
    .addHelpText("after", "\nExample:\n  behest approvals show 01999d5c-2f10-7b7e-a6c3-1b0a4a5e9f21\n")
    .action((id: string, options: ShowOptions) => show(id, options));
}

async function show(id: string, options: ShowOptions): Promise<void> {
  const answer = await withClient(options, "approver", (client) => findApproval(client, id, options));
  if (options.output !== "table") {
    (options.output === "json" ? printJson : printLine)(toJson(GetApprovalResponseSchema, answer, JSON_OPTIONS));
    return;
  }
  process.stdout.write(describeApproval(answer, { now: systemNow(), columns: screenColumns() }));
  const next = answer.approval && nextWords(answer.approval);
  if (next !== undefined) process.stderr.write(`${paint("dim", `next: ${asTypedTo(next, options)}`)}\n`);
}
