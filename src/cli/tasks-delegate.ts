import { toJson } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import type { Command } from "commander";
import { CallFailed } from "../client/client.ts";
import { RequestUnreadable } from "../client/request-json.ts";
import { DelegateTaskRequestSchema, type DelegateTaskResponse, DelegateTaskResponseSchema, type Trimmed } from "../gen/behest/v1/task_pb.ts";
import { BadRequestSchema, ErrorInfoSchema } from "../gen/google/rpc/error_details_pb.ts";
import { withClient } from "./connect.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import { asTyped, asTypedTo } from "./hint.ts";
import { withAmounts } from "./money.ts";
import { folded, paint, printJson, printLine, screenColumns, visible } from "./output.ts";
import { addAskingOptions, addTaskOptions, commonFields, requestOf, type TaskOptions } from "./task-options.ts";
import { describeNewTask } from "./task-report.ts";
import { JSON_OPTIONS } from "./task-words.ts";

interface DelegateOptions extends TaskOptions {
  readonly narrow?: boolean;
}

export function addTasksDelegate(tasks: Command): void {
  const command = tasks
    .command("delegate")
    .description("hand a part of a task on to another agent, within what the task has")
    .argument("[task-id]", "the task to hand on from, its whole id");
  addTaskOptions(command, {
    statement: "what they are asked for (default: the words of the task)",
    list: "as the task",
    expires: "with the task",
  }).option("--narrow", "trim what is wider than the task's instead of refusing it");
  addAskingOptions(command)
    .addHelpText(
      "after",
      "\nExamples:\n  behest tasks delegate 01999d5c-2f10-7b7e-a6c3-1b0a4a5e9f21 --agent payer --effect pay --max-calls pay=1\n  behest tasks delegate --file request.json\n",
    )
    .action((id: string | undefined, options: DelegateOptions) => delegate(id, options));
}

async function delegate(id: string | undefined, options: DelegateOptions): Promise<void> {
  if (id !== undefined && options.file !== undefined) {
    throw new RequestUnreadable(`\`${options.file}\` holds the whole request, so the task's id would change nothing; leave out one of the two`);
  }
  const request = requestOf({
    schema: DelegateTaskRequestSchema,
    options,
    flags: ["narrow"],
    fromFlags: () => requestOfFlags(id, options),
  });
  try {
    print(await withClient(options, "initiator", (client) => client.delegateTask(request)), options);
  } catch (error) {
    throw tooWide(error) ?? error;
  }
}

function requestOfFlags(id: string | undefined, options: DelegateOptions): object {
  if (id === undefined || options.agent === undefined) {
    throw new RequestUnreadable(`name the task and at least --agent, or a --file; see \`${asTyped("tasks delegate --help")}\``);
  }
  return { task_id: id, ...commonFields(options), ...(options.narrow && { narrow: true }) };
}

/** A line for each part that is too wide, and the way out. */
function tooWide(error: unknown): CommandFailed | undefined {
  if (!(error instanceof CallFailed) || !error.status) return undefined;
  const { details } = error.status;
  const [info] = details.flatMap((any) => anyUnpack(any, ErrorInfoSchema) ?? []);
  if (info?.reason !== "SCOPE_TOO_WIDE") return undefined;
  const violations = details.flatMap((any) => anyUnpack(any, BadRequestSchema)?.fieldViolations ?? []);
  const lines = violations.map(({ field, description }) => `${visible(field)}: ${said(field, description)}`);
  const trimmable = violations.some(({ field }) => field.startsWith("scope.") || field === "expires_at");
  const way = trimmable ? "ask for less, or have it trimmed with --narrow" : "ask the task's initiator for a task that may be handed on so";
  return new CommandFailed(EXIT.usage, ["refused:", ...lines, way].join("\n"), { cause: error });
}

function print(answer: DelegateTaskResponse, options: DelegateOptions): void {
  const { task, trimmed } = answer;
  if (!task) throw new Error("the server named no task");
  if (options.quiet) {
    process.stdout.write(`${task.taskId}\n`);
    return;
  }
  if (options.output !== "table") {
    (options.output === "json" ? printJson : printLine)(toJson(DelegateTaskResponseSchema, answer, JSON_OPTIONS));
    return;
  }
  const columns = screenColumns();
  process.stdout.write(describeNewTask(task));
  for (const one of trimmed) process.stdout.write(`${folded(`    ${paint("yellow", "trimmed")} ${trimmedWords(one)}`, columns)}\n`);
  process.stderr.write(`${paint("dim", `next: ${asTypedTo(`tasks tree ${task.rootTaskId}`, options)}`)}\n`);
}

const trimmedWords = ({ field, asked, allowed }: Trimmed): string =>
  `${visible(field)}: asked for ${said(field, asked)}, the task has ${said(field, allowed)}`;

const said = (field: string, text: string): string => visible(field === "scope.max_amounts" ? withAmounts(text) : text);
