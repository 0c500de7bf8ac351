import { toJson } from "@bufbuild/protobuf";
import type { Command } from "commander";
import { type GetTaskResponse, GetTaskResponseSchema, TaskSchema } from "../gen/behest/v1/task_pb.ts";
import { addConnectOptions, type ConnectOptions, withClient } from "./connect.ts";
import { asTypedTo } from "./hint.ts";
import { type Format, formatOption, paint, printJson, printLine, screenColumns } from "./output.ts";
import { treeText } from "./task-tree.ts";
import { JSON_OPTIONS, wholeTaskId } from "./task-words.ts";

interface TreeOptions extends ConnectOptions {
  readonly output: Format;
}

export function addTasksTree(tasks: Command): void {
  addConnectOptions(tasks.command("tree"))
    .description("a task and all that was handed on from it: scopes, budgets left, and what was decided for whom")
    .argument("<task-id>", "its id, or enough of its beginning or end")
    .addOption(formatOption())
    .addHelpText("after", "\nExample:\n  behest tasks tree 01999d5c-2f10-7b7e-a6c3-1b0a4a5e9f21\n")
    .action((id: string, options: TreeOptions) => tree(id, options));
}

async function tree(id: string, options: TreeOptions): Promise<void> {
  const answer = await withClient(options, "auditor", async (client) => client.getTask(await wholeTaskId(client, id, options), { tree: true }));
  print(answer, options);
}

function print(answer: GetTaskResponse, options: TreeOptions): void {
  const { task, below, belowTotal } = answer;
  if (!task) throw new Error("the server named no task");
  if (options.output === "json") {
    printJson(toJson(GetTaskResponseSchema, answer, JSON_OPTIONS));
    return;
  }
  if (options.output === "ndjson") {
    for (const one of [task, ...below]) printLine(toJson(TaskSchema, one, JSON_OPTIONS));
    return;
  }
  process.stdout.write(treeText(task, below, screenColumns()));
  if (belowTotal > below.length) process.stderr.write(`${belowTotal - below.length} more below it are not shown\n`);
  const next = asTypedTo(`history list --task ${task.taskId}`, options.data === undefined ? {} : { data: options.data });
  process.stderr.write(`${paint("dim", `next: ${next}`)}\n`);
}
