import { toJson } from "@bufbuild/protobuf";
import { type Command, InvalidArgumentError } from "commander";
import { RequestUnreadable } from "../client/request-json.ts";
import { nearest } from "../core/nearest.ts";
import type { Instant } from "../core/words.ts";
import {
  type ApprovalSummary,
  ApprovalSummarySchema,
  type ListApprovalsResponse,
  ListApprovalsResponseSchema,
} from "../gen/behest/v1/approval_pb.ts";
import { ApprovalKind, ApprovalState } from "../gen/behest/v1/decision_pb.ts";
import { checkTaskId, filterWords } from "./approval-found.ts";
import { APPROVAL_STATES, approvalStateWord, leftUntil, named, times } from "./approval-words.ts";
import { systemNow } from "./clock.ts";
import { addConnectOptions, approverOf, type ConnectOptions, withClient } from "./connect.ts";
import { asTypedTo } from "./hint.ts";
import { type Format, folded, formatOption, paint, printJson, printLine, printRows, type Row, screenColumns } from "./output.ts";
import { revealed } from "./revealed.ts";
import { effectWord, JSON_OPTIONS } from "./task-words.ts";

interface ListOptions extends ConnectOptions {
  readonly state?: readonly ApprovalState[];
  readonly all?: boolean;
  readonly agent?: string;
  readonly task?: string;
  readonly quiet?: boolean;
  readonly output: Format;
}

export function addApprovalsList(approvals: Command): void {
  addConnectOptions(approvals.command("ls").alias("list"))
    .description("what people are asked: what waits first, the riskiest before the others")
    .option(
      "--state <state>",
      `only those that stand so: ${Object.keys(APPROVAL_STATES).join(", ")}; repeatable (default: pending and approved)`,
      collectState,
    )
    .option("--all", "however they stand, as long as they are remembered")
    .option("--agent <id>", "that this agent asks for")
    .option("--task <id>", "of this task, and of those below it; its whole id")
    .option("-q, --quiet", "print ids and nothing else, for scripts")
    .addOption(formatOption())
    .addHelpText("after", "\nExamples:\n  behest approvals ls\n  behest approvals ls --agent finance-assistant --state denied\n")
    .action((options: ListOptions) => list(options));
}

function collectState(word: string, before: readonly ApprovalState[] = []): readonly ApprovalState[] {
  const state = APPROVAL_STATES[word.toLowerCase()];
  if (state !== undefined) return [...before, state];
  const known = Object.keys(APPROVAL_STATES);
  const near = nearest(word, known);
  throw new InvalidArgumentError(
    `No approval stands so${near === undefined ? "." : `; did you mean \`${near}\`?`} Write one of ${known.join(", ")}.`,
  );
}

const LIMIT = 500;

async function list(options: ListOptions): Promise<void> {
  const { state, all = false, agent = "", task = "", quiet = false, output } = options;
  if (all && state) throw new RequestUnreadable("--all and --state exclude each other: give one of them");
  checkTaskId(options.task);
  const states = all ? Object.values(APPROVAL_STATES) : [...(state ?? [])];
  const answer = await withClient(options, "approver", (client) => client.listApprovals({ states, agentId: agent, taskId: task, limit: LIMIT }));
  if (quiet) for (const { id } of answer.approvals) process.stdout.write(`${id}\n`);
  else if (output === "json") printJson(toJson(ListApprovalsResponseSchema, answer, JSON_OPTIONS));
  else if (output === "ndjson") for (const one of answer.approvals) printLine(toJson(ApprovalSummarySchema, one, JSON_OPTIONS));
  else print(answer, options);
}

function print({ approvals, total }: ListApprovalsResponse, options: ListOptions): void {
  const [first] = approvals;
  if (!first) {
    const isAll = options.all || options.state;
    const filter = filterWords(options);
    const nothing = filter === "" ? "nobody has to be asked, and no approval waits for its use" : `nothing is open${filter}`;
    process.stdout.write(isAll ? `there are no such approvals${filter}\n` : `${nothing}\n`);
    if (!isAll) process.stderr.write(`${paint("dim", `next: ${asTypedTo("approvals ls --all", options)}`)}\n`);
    return;
  }
  const now = systemNow();
  for (const flood of approvals.filter(isFlood)) process.stdout.write(`${folded(floodLine(flood, now), screenColumns())}\n`);
  const actions = approvals.filter((one) => !isFlood(one));
  if (actions.length > 0) {
    printRows(rowsOf(actions, now, approverOf(options)?.id), "table");
  }
  if (total > approvals.length) process.stderr.write(`${total - approvals.length} more; name an --agent, a --task or a --state\n`);
  process.stderr.write(`${paint("dim", `next: ${asTypedTo(`approvals show ${first.id}`, options)}`)}\n`);
}

const isFlood = ({ kind }: ApprovalSummary): boolean => kind === ApprovalKind.FLOOD;

function floodLine({ id, state, agentId, asked, expiresAt }: ApprovalSummary, now: Instant): string {
  const who = paint("bold", named(agentId));
  const count = `${asked} more question${asked === 1 ? "" : "s"}`;
  const said =
    state === ApprovalState.PENDING
      ? `${who} asks more than people can be asked: ${count} wait${asked === 1 ? "s" : ""} here as one, for ${leftUntil(expiresAt, now)}; yes lets it ask again, no denies it what it asks beyond`
      : `${who} asked more than people can be asked: ${count}, as one ${approvalStateWord(state)}`;
  return `${paint("yellow", "!")} ${said}  ${paint("dim", id)}`;
}

const TAIL = 12;
/** On a terminal the end of an id, which tells one from another and can be typed. */
const idOf = (id: string): string => (screenColumns() === undefined ? id : id.slice(-TAIL));

/** Why whoever lists it cannot answer it, where it is known who that is. */
function ownWords({ state, holds }: ApprovalSummary, caller: string | undefined): string {
  if (caller === undefined || state !== ApprovalState.PENDING) return "";
  if (!holds.some(({ eligible }) => eligible.includes(caller))) return "may not answer";
  return holds.some(({ agreed }) => agreed.includes(caller)) ? "said yes" : "";
}

/** What all have in common is left out, so that the rest has room on a narrow terminal. */
function rowsOf(approvals: readonly ApprovalSummary[], now: Instant, caller: string | undefined): readonly Row[] {
  const allWait = approvals.every(({ state }) => state === ApprovalState.PENDING);
  const own = (approval: ApprovalSummary): string => ownWords(approval, caller);
  const someNotOwn = approvals.some((approval) => own(approval) !== "");
  const allOnce = approvals.every(({ asked }) => asked === 1);
  return approvals.map((approval) => {
    const { id, state, score, agentId, tool, effect, asked, expiresAt, principal, statement } = approval;
    const isOpen = state === ApprovalState.PENDING || state === ApprovalState.APPROVED;
    return {
      approval: idOf(id),
      ...(!allWait && { state: approvalStateWord(state) }),
      risk: score,
      agent: named(agentId),
      wants: `${effectWord(effect)} ${named(tool)}`,
      ...(!allOnce && { asked: times(asked) }),
      left: isOpen ? leftUntil(expiresAt, now) : "",
      ...(someNotOwn && { you: own(approval) }),
      for: [...(principal === "" ? [] : [named(principal)]), statement === "" ? "nobody said what" : `“${revealed(statement)}”`].join(": "),
    };
  });
}
