import { toJson } from "@bufbuild/protobuf";
import { status as Code } from "@grpc/grpc-js";
import type { Command } from "commander";
import { CallFailed } from "../client/client.ts";
import { CloseTaskResponseSchema, RevokeTaskResponseSchema, type Task, TaskState } from "../gen/behest/v1/task_pb.ts";
import { addConnectOptions, type ConnectOptions, withClient } from "./connect.ts";
import { CommandFailed } from "./exit.ts";
import { failureOf } from "./failure.ts";
import { asTypedTo } from "./hint.ts";
import { type Format, folded, formatOption, paint, printJson, printLine, screenColumns, visible } from "./output.ts";
import { endWords, JSON_OPTIONS, principalWord, stateMark, wholeTaskId } from "./task-words.ts";

interface EndOptions extends ConnectOptions {
  readonly reason?: string;
  readonly output: Format;
}

const addEnd = (command: Command): Command =>
  addConnectOptions(command)
    .argument("<task-id>", "its id, or enough of its beginning or end")
    .option("--reason <text>", "why, for the record")
    .addOption(formatOption());

export function addTasksClose(tasks: Command): void {
  addEnd(tasks.command("close"))
    .description("end a task because its work is done, and all that was handed on from it")
    .addHelpText("after", "\nExample:\n  behest tasks close 01999d5c-2f10-7b7e-a6c3-1b0a4a5e9f21\n")
    .action((id: string, options: EndOptions) => close(id, options));
}

export function addTasksRevoke(tasks: Command): void {
  addEnd(tasks.command("revoke"))
    .description("take a task back at once, and all that was handed on from it")
    .addHelpText("after", '\nExample:\n  behest tasks revoke 01999d5c-2f10-7b7e-a6c3-1b0a4a5e9f21 --reason "INC-4711"\n')
    .action((id: string, options: EndOptions) => revoke(id, options));
}

async function close(id: string, options: EndOptions): Promise<void> {
  const answer = await withClient(options, "operator", async (client) => client.closeTask(await wholeTaskId(client, id, options), options.reason));
  if (options.output === "table") describe(answer.task, "closed", options);
  else (options.output === "json" ? printJson : printLine)(toJson(CloseTaskResponseSchema, answer, JSON_OPTIONS));
}

async function revoke(id: string, options: EndOptions): Promise<void> {
  const answer = await withClient(options, "operator", async (client) => {
    const whole = await wholeTaskId(client, id, options);
    try {
      return await client.revokeTask(whole, options.reason);
    } catch (error) {
      if (!(error instanceof CallFailed) || error.code !== Code.DEADLINE_EXCEEDED) throw error;
      const { exitCode, message } = failureOf(error);
      throw new CommandFailed(exitCode, `${message}; it may be revoked all the same: look with ${asTypedTo(`tasks show ${whole}`, options)}`);
    }
  });
  if (options.output === "table") describe(answer.task, "revoked", options);
  else (options.output === "json" ? printJson : printLine)(toJson(RevokeTaskResponseSchema, answer, JSON_OPTIONS));
  if (answer.durable) return;
  process.stderr.write(
    "behest: warning: neither the ledger nor the control journal can be written: this holds until the server ends; make room, and keep it running\n",
  );
}

const CODES: Readonly<Partial<Record<TaskState, string>>> = {
  [TaskState.CLOSED]: "TASK_CLOSED",
  [TaskState.EXPIRED]: "TASK_EXPIRED",
  [TaskState.REVOKED]: "TASK_REVOKED",
};

function describe(task: Task | undefined, wanted: "closed" | "revoked", options: EndOptions): void {
  if (!task) throw new Error("the server named no task");
  const { state, agentId, principal, taskId, children, rootTaskId } = task;
  const is = wanted === "closed" ? TaskState.CLOSED : TaskState.REVOKED;
  const lines = [
    `${stateMark(state)}  ${paint("bold", visible(agentId))}  for ${principalWord(principal)}  ${paint("dim", taskId)}`,
    ...(state === is ? [] : ["    it had ended before, and that stands"]),
    `    ${endWords(task) ?? ""}`,
    `    from now on whatever is asked for it${children > 0 ? ", or for what was handed on from it," : ""} is DENY, ${CODES[state] ?? ""}`,
  ];
  const columns = screenColumns();
  process.stdout.write(`${lines.map((line) => folded(line, columns)).join("\n")}\n`);
  process.stderr.write(`${paint("dim", `next: ${asTypedTo(wanted === "closed" ? "tasks list" : `tasks tree ${rootTaskId}`, options)}`)}\n`);
}
