import type { Task } from "../gen/behest/v1/task_pb.ts";
import { folded, paint, screenColumns, visible } from "./output.ts";
import { decisionWords, endWords, leftWords, momentOf, principalWord, scopeWords, seenWords, stateMark, unreportedWords } from "./task-words.ts";

/** A task in one line: whose, for whom, how it stands, until when. */
export const taskHeadline = (task: Task): string =>
  [
    stateMark(task.state),
    paint("bold", visible(task.agentId)),
    `for ${principalWord(task.principal)}`,
    ...(endWords(task) === undefined ? [`until ${momentOf(task.expiresAt)}`] : []),
    paint("dim", task.taskId),
  ].join("  ");

/** A task in a few lines. */
export function describeTask(task: Task): string {
  const { statement, statementExpiresAt, seen, unreported, parentTaskId, children, caller, openedAt } = task;
  const end = endWords(task);
  const left = leftWords(task);
  const words = statementExpiresAt ? ` (until ${momentOf(statementExpiresAt)})` : "";
  const from = parentTaskId === "" ? "opened" : `handed on from ${parentTaskId}`;
  const details = [
    `“${visible(statement)}”${words}`,
    ...(end === undefined ? [] : [end]),
    `${from} at ${momentOf(openedAt)} by ${visible(caller)}`,
    scopeWords(task),
    ...(left === undefined ? [] : [left]),
    decisionWords(task),
    `its tree ${seenWords(seen)}`,
    ...(unreported > 0 ? [paint("yellow", unreportedWords(unreported))] : []),
    ...(children > 0 ? [`handed on to ${children} agent${children === 1 ? "" : "s"}`] : []),
  ];
  return printed([taskHeadline(task), ...details.map((line) => `    ${line}`)]);
}

/** What was just opened or handed on: what it may be used for, and nothing that cannot have happened yet. */
export function describeNewTask(task: Task): string {
  const left = leftWords(task);
  const details = [`“${visible(task.statement)}”`, scopeWords(task), ...(left === undefined ? [] : [left])];
  return printed([taskHeadline(task), ...details.map((line) => `    ${line}`)]);
}

function printed(lines: readonly string[]): string {
  const columns = screenColumns();
  return `${lines.map((line) => folded(line, columns)).join("\n")}\n`;
}
