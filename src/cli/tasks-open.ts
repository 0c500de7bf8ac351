import { toJson } from "@bufbuild/protobuf";
import type { Command } from "commander";
import { RequestUnreadable } from "../client/request-json.ts";
import { OpenTaskRequestSchema, type OpenTaskResponse, OpenTaskResponseSchema } from "../gen/behest/v1/task_pb.ts";
import { withClient } from "./connect.ts";
import { asTyped, asTypedTo, quoted } from "./hint.ts";
import { paint, printJson, printLine } from "./output.ts";
import { collectArgument, typed } from "./requests.ts";
import { addAskingOptions, addTaskOptions, commonFields, instantOf, requestOf, type TaskOptions } from "./task-options.ts";
import { describeNewTask } from "./task-report.ts";
import { JSON_OPTIONS } from "./task-words.ts";

interface OpenOptions extends TaskOptions {
  readonly principal?: string;
  readonly attribute?: Readonly<Record<string, unknown>>;
  readonly proposed?: boolean;
  readonly statementExpires?: string;
}

export function addTasksOpen(tasks: Command): void {
  const command = tasks
    .command("open")
    .description("open a task for an agent; what it may do is then bounded by the task")
    .option("--principal <type:id>", "whom it is for, such as user:alice")
    .option("--attribute <key=value>", "an attribute of theirs; the value is JSON, or else text; repeatable", collectArgument);
  addTaskOptions(command, {
    statement: "what was asked for, in the asker's words",
    list: "any",
    expires: "after `task_lifetime_hours` of the server, a day unless set",
  })
    .option(
      "--proposed",
      "the scope is what a planner expects: it counts together with the words, as INFERRED, and bounds nothing; its budgets count",
    )
    .option("--statement-expires <time>", "when the words stop counting, while the task goes on (default: with the task)");
  addAskingOptions(command)
    .addHelpText(
      "after",
      '\nExamples:\n  behest tasks open --agent finance-assistant --principal user:alice --statement "Pay the October invoices" --tool send_money --max-calls pay=3 --expires 8h\n  behest tasks open --file request.json\n',
    )
    .action((options: OpenOptions) => open(options));
}

async function open(options: OpenOptions): Promise<void> {
  const request = requestOf({
    schema: OpenTaskRequestSchema,
    options,
    flags: ["principal", "attribute", "proposed", "statementExpires"],
    fromFlags: () => requestOfFlags(options),
  });
  const answer = await withClient(options, "initiator", (client) => client.openTask(request));
  print(answer, options);
}

function requestOfFlags(options: OpenOptions): object {
  const { agent, statement, principal, attribute, proposed, statementExpires } = options;
  if (agent === undefined || statement === undefined || principal === undefined) {
    throw new RequestUnreadable(`name at least --agent, --principal and --statement, or a --file; see \`${asTyped("tasks open --help")}\``);
  }
  return {
    ...commonFields(options),
    principal: { ...typed(principal, "--principal"), ...(attribute && { attributes: attribute }) },
    ...(proposed && { scope_kind: "proposed" }),
    ...(statementExpires !== undefined && { statement_expires_at: instantOf("--statement-expires", statementExpires) }),
  };
}

function print(answer: OpenTaskResponse, options: OpenOptions): void {
  const { task } = answer;
  if (!task) throw new Error("the server named no task");
  if (options.quiet) {
    process.stdout.write(`${task.taskId}\n`);
    return;
  }
  if (options.output !== "table") {
    (options.output === "json" ? printJson : printLine)(toJson(OpenTaskResponseSchema, answer, JSON_OPTIONS));
    return;
  }
  process.stdout.write(describeNewTask(task));
  const tool = task.scope?.tools.find((name) => !name.includes("*")) ?? "TOOL";
  const next = `decide --task ${task.taskId} --agent ${quoted(task.agentId)} --tool ${quoted(tool)}`;
  process.stderr.write(`${paint("dim", `next: ${asTypedTo(next, options)}`)}\n`);
}
