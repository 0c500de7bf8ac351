import { type Task, TaskState } from "../gen/behest/v1/task_pb.ts";
import { folded, paint, visible } from "./output.ts";
import {
  decisionWords,
  endWords,
  leftWords,
  momentOf,
  narrowerWords,
  principalWord,
  scopeWords,
  seenWords,
  stateMark,
  unreportedWords,
} from "./task-words.ts";

/** Where a terminal is narrow, branches take less room. */
const WIDE_COLUMNS = 72;
/** However deep a task lies, its words get this much. */
const TEXT_COLUMNS_MIN = 24;

interface Branches {
  readonly middle: string;
  readonly last: string;
  readonly goesOn: string;
  readonly none: string;
}

const WIDE: Branches = { middle: "├── ", last: "└── ", goesOn: "│   ", none: "    " };
const NARROW: Branches = { middle: "├ ", last: "└ ", goesOn: "│ ", none: "  " };

/** A task and those below it as a tree, with what concerns all of them once at the top. `columns` is undefined where nothing is to be folded. */
export function treeText(top: Task, below: readonly Task[], columns: number | undefined): string {
  const drawing: Drawing = {
    columns,
    branches: columns !== undefined && columns < WIDE_COLUMNS ? NARROW : WIDE,
    byParent: Map.groupBy(below, ({ parentTaskId }) => parentTaskId),
  };
  const head = [
    `for ${principalWord(top.principal)}: “${visible(top.statement)}”`,
    `the tree ${seenWords(top.seen)}`,
    ...(top.unreported > 0 ? [paint("yellow", unreportedWords(top.unreported))] : []),
  ].map((line) => folded(line, columns));
  return `${[...head, "", ...nodeLines(drawing, { task: top, first: "", rest: "" })].join("\n")}\n`;
}

interface Drawing {
  readonly columns: number | undefined;
  readonly branches: Branches;
  readonly byParent: ReadonlyMap<string, readonly Task[]>;
}

interface Node {
  readonly task: Task;
  readonly above?: Task;
  /** What stands before its first line, and before all others. */
  readonly first: string;
  readonly rest: string;
}

function nodeLines(drawing: Drawing, { task, above, first, rest }: Node): readonly string[] {
  const { columns, branches, byParent } = drawing;
  const children = byParent.get(task.taskId) ?? [];
  const room = columns === undefined ? undefined : Math.max(TEXT_COLUMNS_MIN, columns - rest.length - branches.goesOn.length);
  const [headline = "", ...details] = [headlineOf(task), ...detailsOf(task, above)].map((line) => folded(line, room, 2).split("\n"));
  const inner = rest + (children.length > 0 ? branches.goesOn : branches.none);
  const [begin, ...more] = headline;
  return [
    first + begin,
    ...[...more, ...details.flat()].map((line) => inner + line),
    ...children.flatMap((child, at) => {
      const isLast = at === children.length - 1;
      return nodeLines(drawing, {
        task: child,
        above: task,
        first: rest + (isLast ? branches.last : branches.middle),
        rest: rest + (isLast ? branches.none : branches.goesOn),
      });
    }),
  ];
}

const headlineOf = ({ agentId, state, taskId, expiresAt }: Task): string =>
  [
    paint("bold", visible(agentId)),
    stateMark(state),
    ...(state === TaskState.OPEN ? [`until ${momentOf(expiresAt)}`] : []),
    paint("dim", taskId),
  ].join("  ");

/** What a task has in common with the one above it is not said again. */
function detailsOf(task: Task, above: Task | undefined): readonly string[] {
  const end = task.endedTaskId === task.taskId ? endWords(task) : undefined;
  const left = leftWords(task);
  return [
    ...(end === undefined ? [] : [end]),
    ...(above && above.statement !== task.statement ? [`“${visible(task.statement)}”`] : []),
    above ? narrowerWords(task, above) : scopeWords(task),
    ...(left === undefined ? [] : [left]),
    decisionWords(task),
  ];
}
