import { toJson } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import * as wire from "../gen/behest/v1/decision_pb.ts";
import { asTyped } from "./hint.ts";
import { type Format, folded, paint, printJson, printLine, screenColumns, visible } from "./output.ts";

export type Result = wire.DecideBatchItem["result"];

interface Printing {
  readonly format: Format;
  /** What to type after a decision. */
  readonly next: (decision: wire.DecideResponse) => string;
}

export function printAnswers(requests: readonly wire.DecideRequest[], answers: readonly Result[], { format, next }: Printing): void {
  if (format === "table") {
    for (const [index, answer] of answers.entries()) process.stdout.write(`${describe(requests[index], answer)}\n`);
    const last = answers.findLast((answer) => answer.case === "decision" && answer.value.recorded);
    if (last?.case === "decision") process.stderr.write(`${paint("dim", `next: ${next(last.value)}`)}\n`);
    return;
  }
  const values = answers.map(answerToJson);
  if (format === "ndjson") for (const value of values) printLine(value);
  else printJson(values.length === 1 ? values[0] : values);
}

const answerToJson = (answer: Result): unknown => {
  const options = { useProtoFieldName: true, alwaysEmitImplicit: true };
  if (answer.case === "decision") return toJson(wire.DecideResponseSchema, answer.value, options);
  return answer.case === "error" ? { error: { code: answer.value.code, message: answer.value.message } } : { error: { message: "no answer" } };
};

const MARKS: Readonly<Partial<Record<wire.Outcome, string>>> = {
  [wire.Outcome.ALLOW]: paint("green", "✔ ALLOW"),
  [wire.Outcome.DENY]: paint("red", "✖ DENY"),
  [wire.Outcome.REQUIRE_APPROVAL]: paint("yellow", "? REQUIRE_APPROVAL"),
};

/** The name of an enum's value, as the proto has it after its prefix. */
export const nameOf = (names: Readonly<Record<string, number>>, value: number): string =>
  Object.keys(names).find((name) => names[name] === value) ?? String(value);

/** What came out, in one line. */
export function headline(request: wire.DecideRequest | undefined, answer: Result): string {
  const asked = request ? `${visible(request.agent?.id ?? "")} → ${visible(request.action?.tool ?? "")}` : "";
  if (answer.case !== "decision") return `${paint("red", "✖ ERROR")}  ${asked}`;
  const { outcome, basis, risk, replayed } = answer.value;
  return [
    MARKS[outcome] ?? "✖ UNKNOWN",
    paint("bold", asked),
    `risk ${risk?.score ?? "?"} (${nameOf(wire.RiskLevel, risk?.level ?? 0).toLowerCase()})`,
    `basis ${nameOf(wire.Basis, basis)}`,
    ...(replayed ? ["replayed"] : []),
  ].join("  ");
}

/** One decision for people: what, why, and who is to be asked. */
export function describe(request: wire.DecideRequest | undefined, answer: Result, sayApproval = approvalWords): string {
  const lines = [headline(request, answer), ...reasonLines(request, answer, sayApproval)];
  const columns = screenColumns();
  return lines.map((line) => folded(line, columns)).join("\n");
}

const WHY_ALLOWED: Readonly<Partial<Record<wire.Basis, string>>> = {
  [wire.Basis.AUTHORIZED]: "inside the issued scope of its task; policy allows the effect, and no rule asks or denies",
  [wire.Basis.AVAILABLE]: "within reach; policy allows the effect, and no rule asks or denies",
};

const APPROVED = "people have said yes to it, and nothing else asks or denies";

function reasonLines(request: wire.DecideRequest | undefined, answer: Result, sayApproval: typeof approvalWords): readonly string[] {
  if (answer.case !== "decision") return [`    ${answer.case === "error" ? visible(answer.value.message) : "no answer"}`];
  const { outcome, basis, findings, holds, obligations, reasonCodes, approval } = answer.value;
  const lines: string[] = [];
  if (reasonCodes.length > 0) lines.push(`    ${reasonCodes.join(", ")}`);
  if (request?.approvalId && reasonCodes.includes("APPROVAL_NOT_APPLICABLE")) lines.push(`    ${coversNothingWords(request.approvalId)}`);
  if (outcome === wire.Outcome.ALLOW) lines.push(`    ${(approval && APPROVED) ?? WHY_ALLOWED[basis] ?? "allowed"}`);
  for (const finding of findings) {
    const points = finding.points === 0 ? "" : ` ${finding.points > 0 ? "+" : ""}${finding.points}`;
    const unknown = finding.result === wire.FindingResult.UNKNOWN ? " (unknown)" : "";
    lines.push(`    ${visible(finding.rule)}${points}${unknown}: ${visible(finding.reason)}`);
  }
  for (const obligation of obligations) lines.push(`    obliges: ${visible(obligationText(obligation))}`);
  for (const hold of holds)
    lines.push(
      `    asks ${hold.approvers.map(visible).join(" or ")}${hold.quorum > 1 ? ` (${hold.quorum} of them)` : ""} about ${visible(hold.name)}`,
    );
  if (approval) lines.push(`    ${approval.kind === wire.ApprovalKind.FLOOD ? floodWords(request, approval) : sayApproval(approval)}`);
  return lines;
}

/** Whoever enforces is not told which of these it is: the approval may be another's. */
const coversNothingWords = (id: string): string =>
  visible(
    `approval ${id} covers nothing here: unknown, for another request, over, or given for less than is asked now; \`${asTyped(`approvals show ${id}`)}\` tells`,
  );

function approvalWords({ id, state, expiresAt }: wire.Approval): string {
  const isOpen = state === wire.ApprovalState.PENDING || state === wire.ApprovalState.APPROVED;
  const until = isOpen && expiresAt ? `, until ${timestampDate(expiresAt).toISOString()}` : "";
  return `approval ${id} is ${nameOf(wire.ApprovalState, state).toLowerCase()}${until}`;
}

/** A yes to it allows none of what waits for it. */
const floodWords = (request: wire.DecideRequest | undefined, { id }: wire.Approval): string =>
  visible(
    `\`${request?.agent?.id ?? "the agent"}\` has had people asked as often as policy.json lets it in an hour: this waits, with what else it asks, for a yes to its asking on (approval ${id}), and must then be asked anew`,
  );

export function obligationText({ type, paths, rowsMax, level, recipients }: wire.Obligation): string {
  switch (type) {
    case wire.ObligationType.REDACT:
      return `redact ${paths.join(", ")}`;
    case wire.ObligationType.LIMIT_ROWS:
      return `return at most ${rowsMax} rows`;
    case wire.ObligationType.LOG:
      return `log the call, at ${level} or above`;
    case wire.ObligationType.NOTIFY:
      return `tell ${recipients.join(", ")}`;
    default:
      return "something that this program does not know: treat it as DENY";
  }
}
