import type { Command } from "commander";
import type { BehestClient } from "../client/client.ts";
import { RequestUnreadable } from "../client/request-json.ts";
import * as wire from "../gen/behest/v1/decision_pb.ts";
import { printAnswers, type Result } from "./answers.ts";
import { wholeApprovalId } from "./approval-found.ts";
import { SAME_REQUEST } from "./approval-words.ts";
import { withClient } from "./connect.ts";
import { EXIT } from "./exit.ts";
import { asTypedTo, quoted } from "./hint.ts";
import { folded, screenColumns, visible } from "./output.ts";
import { addRequestOptions, REQUEST_EXAMPLE, type RequestOptions, readRequests } from "./requests.ts";

const BATCH_ITEMS = 256;

interface DecideOptions extends RequestOptions {
  readonly exitCode?: boolean;
  readonly approval?: string;
  readonly wait?: string;
}

export function addDecide(program: Command): void {
  addRequestOptions(program.command("decide"), "JSON file with a request, a list of requests, or one request a line; `-` reads stdin")
    .description("ask for one or many decisions; they are recorded")
    .option("--approval <id>", "continue after this approval: send the same request once more, and use the approval up")
    .option("--wait <time>", "where people have to be asked, wait so long for them: 30 or 30s, at most 55s")
    .option("--exit-code", "exit 20 if any is DENY, else 21 if any is REQUIRE_APPROVAL")
    .addHelpText("after", `\nExamples:${REQUEST_EXAMPLE.replaceAll("COMMAND", "decide")}\n  behest decide requests.ndjson -o ndjson --exit-code\n`)
    .action((file: string | undefined, options: DecideOptions) => decide(file, options));
}

async function decide(file: string | undefined, options: DecideOptions): Promise<void> {
  const requests = readRequests(file, options, "decide").map((request, _, all) => attemptOf(request, options, all.length));
  const { asked, answers } = await withClient(options, "enforcer", async (client) => {
    const [only] = requests;
    if (requests.length === 1 && only) return decideOne(client, only, options);
    const items: wire.DecideBatchItem["result"][] = [];
    for (let at = 0; at < requests.length; at += BATCH_ITEMS) {
      const batch = await client.decideBatch(requests.slice(at, at + BATCH_ITEMS));
      items.push(...batch.items.map(({ result }) => result));
    }
    return { asked: requests, answers: items };
  });
  printAnswers(asked, answers, { format: options.output, next: (decision) => nextOf(decision, options) });
  if (options.exitCode) process.exitCode = exitCodeOf(answers);
  else if (answers.some((answer) => answer.case !== "decision")) process.exitCode = EXIT.usage;
}

interface Decided {
  readonly asked: readonly wire.DecideRequest[];
  readonly answers: readonly Result[];
}

async function decideOne(client: BehestClient, request: wire.DecideRequest, options: DecideOptions): Promise<Decided> {
  const { approval } = options;
  const attempt = approval === undefined ? request : { ...request, approvalId: await wholeApprovalId(client, approval, options) };
  const { waitMs, approvalId } = attempt;
  const seconds = waitMs / 1_000;
  if (waitMs > 0 && process.stderr.isTTY) {
    const whom = approvalId === "" ? "if people have to be asked" : `if people have to be asked, or have not yet answered approval ${approvalId}`;
    process.stderr.write(`${folded(visible(`waiting up to ${seconds} s ${whom}`), screenColumns(process.stderr))}\n`);
  }
  const since = performance.now();
  const decision = await client.decide(attempt);
  // A server on which many wait already answers at once.
  const hasWaited = waitMs > 0 && performance.now() - since >= waitMs;
  const { id, state, kind } = decision.approval ?? {};
  const isOpen = state === wire.ApprovalState.PENDING && kind === wire.ApprovalKind.ACTION;
  if (hasWaited && isOpen && options.output === "table") {
    process.stderr.write(`no answer within ${seconds} s; once there is one, go on with --approval ${id}\n`);
  }
  return { asked: [attempt], answers: [{ case: "decision", value: decision }] };
}

/** A file may hold the request that was asked before: what continues it is no part of it. */
function attemptOf(request: wire.DecideRequest, { approval, wait }: DecideOptions, count: number): wire.DecideRequest {
  if (approval === undefined && wait === undefined) return request;
  const flag = approval === undefined ? "--wait" : "--approval";
  if (count > 1) throw new RequestUnreadable(`${flag} is about one request, and there are ${count}`);
  if (approval !== undefined && request.approvalId !== "") throw new RequestUnreadable("the request has an `approval_id`; leave out --approval");
  return { ...request, ...(approval !== undefined && { approvalId: approval }), ...(wait !== undefined && { waitMs: waitOf(wait) }) };
}

const WAIT_SECONDS_MAX = 55;

function waitOf(text: string): number {
  const [, seconds] = /^(\d{1,2})s?$/.exec(text) ?? [];
  if (seconds !== undefined && Number(seconds) <= WAIT_SECONDS_MAX) return Number(seconds) * 1_000;
  throw new RequestUnreadable(`--wait: \`${text}\` is no such time; write seconds from 0 to ${WAIT_SECONDS_MAX}, such as \`30\``);
}

/** What is allowed is done, and then reported, by the caller that asked; what people are asked is shown to them; anything else wants to be understood. */
function nextOf({ decisionId, outcome, replayed, approval }: wire.DecideResponse, options: DecideOptions): string {
  const { data, tokenFile } = options;
  if (outcome === wire.Outcome.REQUIRE_APPROVAL && approval) {
    const isApproved = approval.state === wire.ApprovalState.APPROVED;
    return asTypedTo(isApproved ? `decide ${SAME_REQUEST} --approval ${approval.id}` : `approvals show ${approval.id}`, options);
  }
  if (outcome !== wire.Outcome.ALLOW || replayed) return asTypedTo(`explain ${decisionId}`, data === undefined ? {} : { data });
  const as = tokenFile === undefined ? "" : ` --token-file ${quoted(tokenFile)}`;
  return asTypedTo(`report ${decisionId} --status executed${as}`, options);
}

function exitCodeOf(answers: readonly Result[]): number {
  const outcomes = answers.map((answer) => (answer.case === "decision" ? answer.value.outcome : wire.Outcome.DENY));
  if (outcomes.includes(wire.Outcome.DENY)) return EXIT.deny;
  return outcomes.every((outcome) => outcome === wire.Outcome.ALLOW) ? EXIT.ok : EXIT.approvalRequired;
}
