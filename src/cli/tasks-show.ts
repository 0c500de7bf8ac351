import { toJson } from "@bufbuild/protobuf";
import type { Command } from "commander";
import { TaskSchema } from "../gen/behest/v1/task_pb.ts";
import { addConnectOptions, type ConnectOptions, withClient } from "./connect.ts";
import { asTypedTo } from "./hint.ts";
import { type Format, formatOption, paint, printJson, printLine } from "./output.ts";
import { describeTask } from "./task-report.ts";
import { JSON_OPTIONS, wholeTaskId } from "./task-words.ts";

interface ShowOptions extends ConnectOptions {
  readonly output: Format;
}

export function addTasksShow(tasks: Command): void {
  addConnectOptions(tasks.command("show"))
    .description("one task as it stands")
    .argument("<task-id>", "its id, or enough of its beginning or end")
    .addOption(formatOption())
    .addHelpText("after", "\nExample:\n  behest tasks show 01999d5c-2f10-7b7e-a6c3-1b0a4a5e9f21\n")
    .action((id: string, options: ShowOptions) => show(id, options));
}

async function show(id: string, options: ShowOptions): Promise<void> {
  const { task } = await withClient(options, "auditor", async (client) => client.getTask(await wholeTaskId(client, id, options)));
  if (!task) throw new Error("the server named no task");
  if (options.output !== "table") {
    (options.output === "json" ? printJson : printLine)(toJson(TaskSchema, task, JSON_OPTIONS));
    return;
  }
  process.stdout.write(describeTask(task));
  process.stderr.write(`${paint("dim", `next: ${asTypedTo(`tasks tree ${task.rootTaskId}`, options)}`)}\n`);
}
