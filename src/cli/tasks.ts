import type { Command } from "commander";
import { addTasksDelegate } from "./tasks-delegate.ts";
import { addTasksClose, addTasksRevoke } from "./tasks-end.ts";
import { addTasksList } from "./tasks-list.ts";
import { addTasksOpen } from "./tasks-open.ts";
import { addTasksShow } from "./tasks-show.ts";
import { addTasksTree } from "./tasks-tree.ts";

/** `behest tasks …`: what was asked for, what it may be used for, and who handed it to whom. */
export function addTasks(program: Command): void {
  const tasks = program
    .command("tasks")
    .description("open tasks for agents, hand them on, look at them and end them")
    .addHelpText("after", "\nExample:\n  behest tasks list\n");
  addTasksOpen(tasks);
  addTasksDelegate(tasks);
  addTasksList(tasks);
  addTasksShow(tasks);
  addTasksTree(tasks);
  addTasksClose(tasks);
  addTasksRevoke(tasks);
}
