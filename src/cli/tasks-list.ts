import { toJson } from "@bufbuild/protobuf";
import type { Command } from "commander";
import { type Task, TaskSchema, TaskState } from "../gen/behest/v1/task_pb.ts";
import { addConnectOptions, type ConnectOptions, withClient } from "./connect.ts";
import { asTyped, asTypedTo } from "./hint.ts";
import { type Format, formatOption, paint, printJson, printLine, printRows, type Row } from "./output.ts";
import { decisionsOf, JSON_OPTIONS, momentOf, principalWord, stateWord } from "./task-words.ts";

interface ListOptions extends ConnectOptions {
  readonly ended?: boolean;
  readonly agent?: string;
  readonly principal?: string;
  readonly output: Format;
}

export function addTasksList(tasks: Command): void {
  addConnectOptions(tasks.command("list"))
    .description("the open tasks, the last opened first")
    .option("--ended", "also those that have ended and are not forgotten yet")
    .option("--agent <id>", "of this agent")
    .option("--principal <type:id>", "for this principal, such as user:alice")
    .addOption(formatOption())
    .addHelpText("after", "\nExample:\n  behest tasks list --agent finance-assistant --ended\n")
    .action((options: ListOptions) => list(options));
}

async function list(options: ListOptions): Promise<void> {
  const { ended = false, agent = "", principal = "", output } = options;
  const { tasks, total } = await withClient(options, "auditor", (client) => client.listTasks({ includeEnded: ended, agentId: agent, principal }));
  if (output !== "table") {
    const values = tasks.map((task) => toJson(TaskSchema, task, JSON_OPTIONS));
    if (output === "json") printJson(values);
    else for (const value of values) printLine(value);
    return;
  }
  const [first] = tasks;
  if (!first) {
    process.stdout.write(ended ? "there are no tasks\n" : "no task is open\n");
    const next = ended ? asTyped("tasks open --help") : asTypedTo("tasks list --ended", options);
    process.stderr.write(`${paint("dim", `next: ${next}`)}\n`);
    return;
  }
  printRows(tasks.map(rowOf), output);
  if (total > tasks.length) {
    process.stderr.write(`${total - tasks.length} more; name an --agent or a --principal, or ask ${asTyped('history sql "SELECT * FROM tasks"')}\n`);
  }
  const shown = tasks.find(({ state }) => state === TaskState.OPEN) ?? first;
  process.stderr.write(`${paint("dim", `next: ${asTypedTo(`tasks tree ${shown.rootTaskId}`, options)}`)}\n`);
}

const rowOf = (task: Task): Row => ({
  task_id: task.taskId,
  state: stateWord(task.state),
  agent: task.agentId,
  for: principalWord(task.principal),
  until: momentOf(task.expiresAt),
  decided: decisionsOf(task) ?? null,
  statement: task.statement,
});
