import { createInterface } from "node:readline/promises";
import { toJson } from "@bufbuild/protobuf";
import { status as Code } from "@grpc/grpc-js";
import type { Command } from "commander";
import { type BehestClient, CallFailed } from "../client/client.ts";
import { RequestUnreadable, readMessageJson } from "../client/request-json.ts";
import {
  type ApprovalSummary,
  type Endorsement,
  type GetApprovalResponse,
  type ResolveApprovalRequest,
  ResolveApprovalRequestSchema,
  type ResolveApprovalResponse,
  ResolveApprovalResponseSchema,
  Verdict,
} from "../gen/behest/v1/approval_pb.ts";
import { ApprovalKind, ApprovalState } from "../gen/behest/v1/decision_pb.ts";
import { findApproval } from "./approval-found.ts";
import { describeApproval } from "./approval-report.ts";
import { approvalHeadline, endedWords, grantedWords, holdWords, nextWords, notGrantedWords } from "./approval-words.ts";
import { systemNow } from "./clock.ts";
import { addConnectOptions, approverOf, type ConnectOptions, withClient } from "./connect.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import { failureOf } from "./failure.ts";
import { asTypedTo } from "./hint.ts";
import { type Format, folded, formatOption, paint, printJson, printLine, screenColumns } from "./output.ts";
import { revealed } from "./revealed.ts";
import { collect, instantOf } from "./task-options.ts";
import { JSON_OPTIONS, momentOf } from "./task-words.ts";

interface AnswerOptions extends ConnectOptions {
  readonly comment?: string;
  readonly output: Format;
}

interface ApproveOptions extends AnswerOptions {
  readonly uses?: string;
  readonly until?: string;
  readonly value?: readonly string[];
  readonly source?: readonly string[];
  readonly yes?: boolean;
}

const addAnswer = (command: Command): Command =>
  addConnectOptions(command).argument("<approval-id>", "its id, or enough of its beginning or end").addOption(formatOption());

export function addApprovalsApprove(approvals: Command): void {
  addAnswer(approvals.command("approve"))
    .description("say yes, as whoever the token is for; to this one use, unless the flags say more")
    .option("--comment <text>", "why, for the record")
    .option("--uses <n>", "how often the action, or one that is alike, may be taken in all")
    .option("--until <time>", "how long that holds: 90s, 30m, 8h, or an instant such as 2027-01-01T00:00:00Z; at most until the task ends")
    .option("--value <value>", "a value of the request that counts as named by a person in this task from now on; repeatable", collect)
    .option("--source <tool>", "a tool or server whose answers may be followed in this task from now on; repeatable", collect)
    .option("-y, --yes", "do not show it first and ask")
    .addHelpText(
      "after",
      "\nExamples:\n  behest approvals approve 01999d5c-2f10-7b7e-a6c3-1b0a4a5e9f21\n  behest approvals approve 01999d5c-2f10-7b7e-a6c3-1b0a4a5e9f21 --uses 3 --until 2h\n  behest approvals approve 01999d5c-2f10-7b7e-a6c3-1b0a4a5e9f21 --value bob@example.org\n",
    )
    .action((id: string, options: ApproveOptions) => approve(id, options));
}

export function addApprovalsDeny(approvals: Command): void {
  addAnswer(approvals.command("deny"))
    .description("say no: the same request is then denied while its task lives")
    .option("--comment <text>", "why; required")
    .addHelpText("after", '\nExample:\n  behest approvals deny 01999d5c-2f10-7b7e-a6c3-1b0a4a5e9f21 --comment "not this account"\n')
    .action((id: string, options: AnswerOptions) => deny(id, options));
}

export function addApprovalsRevoke(approvals: Command): void {
  addAnswer(approvals.command("revoke"))
    .description("take back what is pending, approved and not used up, or endorsed; it can be asked anew")
    .option("--comment <text>", "why, for the record")
    .addHelpText("after", '\nExample:\n  behest approvals revoke 01999d5c-2f10-7b7e-a6c3-1b0a4a5e9f21 --comment "INC-4711"\n')
    .action((id: string, options: AnswerOptions) => answer(id, { verdict: "revoke" }, options));
}

async function deny(id: string, options: AnswerOptions): Promise<void> {
  if (!options.comment?.trim()) {
    throw new CommandFailed(
      EXIT.usage,
      'a no needs its reason, for it holds as long as the task lives, and who asks for it again is denied without anybody being asked: --comment "…"',
    );
  }
  await answer(id, { verdict: "deny" }, options);
}

async function approve(id: string, options: ApproveOptions): Promise<void> {
  const { uses, until, value, source } = options;
  const endorsement = {
    ...(uses !== undefined && { uses: usesOf(uses) }),
    ...(until !== undefined && { until: instantOf("--until", until) }),
    ...(value && { values: value }),
    ...(source && { sources: source }),
  };
  if (until !== undefined && Object.keys(endorsement).length === 1) {
    throw new RequestUnreadable("--until says how long a wider yes holds; say which with --uses, --value or --source");
  }
  await answer(id, { verdict: "approve", ...(Object.keys(endorsement).length > 0 && { endorsement }) }, options);
}

function usesOf(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new RequestUnreadable(`--uses: \`${text}\` is no count of uses; write digits, such as \`3\``);
}

async function answer(id: string, said: object, options: ApproveOptions): Promise<void> {
  await withClient(options, "approver", async (client) => {
    const before = await findApproval(client, id, options);
    const request = readMessageJson(ResolveApprovalRequestSchema, {
      approval_id: before.approval?.id ?? "",
      ...said,
      ...(options.comment !== undefined && { comment: options.comment }),
    });
    if (request.verdict === Verdict.APPROVE) await confirm(before, request, options);
    const resolved = await send(client, request, options);
    const isNew = request.verdict === Verdict.REVOKE || resolved.approval?.answers.length !== before.approval?.answers.length;
    print(resolved, isNew ? undefined : request.verdict, options);
  });
}

/** Whoever sits at a terminal sees what they say yes to. */
async function confirm(shown: GetApprovalResponse, { endorsement }: ResolveApprovalRequest, { yes = false }: ApproveOptions): Promise<void> {
  if (yes || !process.stdin.isTTY || !process.stderr.isTTY) return;
  // Any other cannot be answered, and the server says why.
  if (shown.approval?.state !== ApprovalState.PENDING) return;
  process.stderr.write(describeApproval(shown, { now: systemNow(), columns: screenColumns(process.stderr) }));
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const typed = await asking.question(`\nsay yes to ${endorsement ? widerWords(endorsement) : "exactly this, once"}? [y/N] `);
    if (/^y(es)?$/i.test(typed.trim())) return;
  } finally {
    asking.close();
  }
  throw new CommandFailed(EXIT.usage, "nothing was said; it stays as it was");
}

/** A wider yes, as the flags ask for it. */
function widerWords({ uses, until, values, sources }: Endorsement): string {
  return [
    uses > 1 ? `this and what is alike, ${uses} times in all` : "this, once",
    ...values.map((value) => `to ${revealed(value)} as named by you for this task`),
    ...sources.map((source) => `to what ${revealed(source)} answers in this task`),
    ...(until ? [`until ${momentOf(until)}`] : []),
  ].join(", ");
}

async function send(client: BehestClient, request: ResolveApprovalRequest, options: AnswerOptions): Promise<ResolveApprovalResponse> {
  try {
    return await client.resolveApproval(request);
  } catch (error) {
    if (error instanceof CallFailed && error.code === Code.FAILED_PRECONDITION) throw await settled(client, request, { error, options });
    if (!(error instanceof CallFailed) || error.code !== Code.DEADLINE_EXCEEDED) throw error;
    const { exitCode, message } = failureOf(error);
    throw new CommandFailed(
      exitCode,
      `${message}; it may be answered all the same: look with ${asTypedTo(`approvals show ${request.approvalId}`, options)}`,
    );
  }
}

interface Refused {
  readonly error: CallFailed;
  readonly options: AnswerOptions;
}

/** How and when it ended, and what is left to do. */
async function settled(client: BehestClient, { approvalId }: ResolveApprovalRequest, { error, options }: Refused): Promise<Error> {
  const { approval } = await client.getApproval(approvalId);
  if (!approval) return error;
  const ended = endedWords(approval);
  const next = nextWords(approval);
  if (ended === undefined) {
    return new CommandFailed(EXIT.usage, `${error.message}${next === undefined ? "" : `\nnext: ${asTypedTo(next, options)}`}`, { cause: error });
  }
  return new CommandFailed(EXIT.usage, `approval \`${approvalId}\` is over: ${ended}\n${anewWords(approval)}`, { cause: error });
}

function anewWords({ state, kind, agentId }: ApprovalSummary): string {
  if (kind === ApprovalKind.FLOOD) return `what ${revealed(agentId)} asks next is asked anew`;
  return state === ApprovalState.DENIED
    ? "the same request is DENY, APPROVAL_DENIED, without anybody being asked; it takes another request, or another task"
    : "the agent asks anew by sending the request without --approval";
}

/** `again`: what was said before already. */
function print(resolved: ResolveApprovalResponse, again: Verdict | undefined, options: AnswerOptions): void {
  const { approval } = resolved;
  if (!approval) throw new Error("the server named no approval");
  if (options.output !== "table") {
    (options.output === "json" ? printJson : printLine)(toJson(ResolveApprovalResponseSchema, resolved, JSON_OPTIONS));
    return;
  }
  const columns = screenColumns();
  const told = again === undefined ? consequences(approval) : repetition(approval, again, approverOf(options)?.id);
  const lines = [approvalHeadline(approval), ...told.map((line) => `    ${line}`)];
  process.stdout.write(`${lines.map((line) => folded(line, columns)).join("\n")}\n`);
  // What is still to be said is for others to say.
  const next = approval.state === ApprovalState.PENDING ? "approvals watch" : nextWords(approval);
  if (next !== undefined) process.stderr.write(`${paint("dim", `next: ${asTypedTo(next, options)}`)}\n`);
}

function repetition(approval: ApprovalSummary, verdict: Verdict, by: string | undefined): readonly string[] {
  const said = verdict === Verdict.APPROVE ? "yes" : "no";
  const before = approval.answers.find((one) => one.verdict === verdict && one.approver?.id === by);
  const { state, holds } = approval;
  return [
    `this changes nothing: you said ${said} ${before ? `at ${momentOf(before.at)}` : "before"}`,
    ...(state === ApprovalState.PENDING ? holds.flatMap((hold) => holdWords(hold, approval)) : []),
  ];
}

/** What follows from how it stands now. */
function consequences(approval: ApprovalSummary): readonly string[] {
  const { state, kind, holds, granted, expiresAt, caller, agentId } = approval;
  const ended = endedWords(approval);
  switch (state) {
    case ApprovalState.PENDING:
      return ["your yes counts; more is needed", ...holds.flatMap((hold) => holdWords(hold, approval))];
    case ApprovalState.APPROVED:
      if (kind === ApprovalKind.FLOOD) return [`${revealed(agentId)} may have people asked again`];
      return [
        `${revealed(caller)} may take it from now on, until ${momentOf(expiresAt)}, by sending the same request once more with this approval`,
        ...(granted ? grantedWords(granted) : []),
        ...notGrantedWords(approval),
        ...(granted && granted.uses > 1 ? ["what is alike need not name this approval"] : []),
      ];
    case ApprovalState.DENIED:
      return [
        ...(ended === undefined ? [] : [ended]),
        kind === ApprovalKind.FLOOD
          ? `for an hour, whatever people would have to be asked for ${revealed(agentId)} beyond that is DENY, APPROVAL_DENIED`
          : "from now on the same request is DENY, APPROVAL_DENIED",
      ];
    default:
      return [...(ended === undefined ? [] : [ended]), "nobody can use it from now on; asked again, it is asked anew"];
  }
}
