import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { ApprovalKind, ApprovalStanding, ApprovalState, Endorsement, GivenAnswer, Granted } from "../../core/approvals/approval.ts";
import { type ApproverSettings, agreedTo, eligibleFor } from "../../core/approvals/approvers.ts";
import type { ListApprovalsQuestion, ResolveRequest } from "../../core/approvals/keeper.ts";
import type { ApprovalStatus } from "../../core/approvals/status.ts";
import * as wire from "../../gen/behest/v1/approval_pb.ts";
import { Effect as WireEffect, ApprovalKind as WireKind, type ApprovalState as WireState } from "../../gen/behest/v1/decision_pb.ts";
import { APPROVAL_STATES, compact, EFFECTS, FieldReader, malformed, type RequestLimits, timestamp, tooBig } from "./convert.ts";
import { readInstant, readReason } from "./convert-fields.ts";

const LIST_LIMIT = 100;
const LIST_LIMIT_MAX = 500;

/** @throws {ServiceError} REQUEST_MALFORMED or REQUEST_TOO_BIG, naming the field */
export function listFromWire(message: wire.ListApprovalsRequest, limits: RequestLimits): ListApprovalsQuestion {
  const { states, limit } = message;
  if (limit > LIST_LIMIT_MAX) throw malformed("limit", `is ${limit}; at most ${LIST_LIMIT_MAX} are listed`);
  return compact<ListApprovalsQuestion>({
    standings: states.length === 0 ? undefined : states.map(readState),
    ...readFilter(message, limits),
    limit: limit || LIST_LIMIT,
  });
}

/** Whose approvals are meant. @throws {ServiceError} REQUEST_MALFORMED or REQUEST_TOO_BIG, naming the field */
export function readFilter(
  { agentId, taskId }: Pick<wire.ListApprovalsRequest, "agentId" | "taskId">,
  limits: RequestLimits,
): Pick<ListApprovalsQuestion, "agent" | "task"> {
  const reader = new FieldReader(limits);
  return compact<Pick<ListApprovalsQuestion, "agent" | "task">>({
    agent: reader.optionalIdentifier("agent_id", agentId),
    task: reader.optionalIdentifier("task_id", taskId),
  });
}

const STANDINGS = new Map(Object.entries(APPROVAL_STATES).map(([word, state]) => [state, word as ApprovalStanding]));

function readState(state: WireState, index: number): ApprovalStanding {
  const standing = STANDINGS.get(state);
  if (standing) return standing;
  throw malformed(`states[${index}]`, `is \`${state}\`: write PENDING, APPROVED, DENIED, EXPIRED, CANCELLED or CONSUMED`);
}

const VERDICTS: Readonly<Record<ResolveRequest["verdict"], wire.Verdict>> = {
  approve: wire.Verdict.APPROVE,
  deny: wire.Verdict.DENY,
  revoke: wire.Verdict.REVOKE,
};

/** @throws {ServiceError} REQUEST_MALFORMED or REQUEST_TOO_BIG, naming the field */
export function resolveFromWire(message: wire.ResolveApprovalRequest, limits: RequestLimits): ResolveRequest {
  const reader = new FieldReader(limits);
  const id = reader.identifier("approval_id", message.approvalId);
  const verdict = readVerdict(message.verdict);
  const comment = readReason(message.comment, "comment");
  if (message.endorsement && verdict !== "approve")
    throw malformed("endorsement", `goes with APPROVE alone; \`verdict\` is ${verdict.toUpperCase()}`);
  return compact<ResolveRequest>({ id, verdict, comment, endorsement: message.endorsement && readEndorsement(message.endorsement, reader) });
}

function readVerdict(verdict: wire.Verdict): ResolveRequest["verdict"] {
  if (verdict === wire.Verdict.APPROVE) return "approve";
  if (verdict === wire.Verdict.DENY) return "deny";
  if (verdict === wire.Verdict.REVOKE) return "revoke";
  throw malformed("verdict", `is \`${verdict}\`: write APPROVE, DENY or REVOKE`);
}

function readEndorsement({ uses, until, values, sources }: wire.Endorsement, reader: FieldReader): Endorsement {
  return compact<Endorsement>({
    uses: uses || undefined,
    // What is given must not last a moment too long.
    until: until && readInstant("endorsement.until", until, "down"),
    values: readNames("endorsement.values", values, reader),
    sources: readNames("endorsement.sources", sources, reader),
  });
}

const NAMES_MAX = 64;

function readNames(field: string, names: readonly string[], reader: FieldReader): readonly string[] | undefined {
  if (names.length > NAMES_MAX) throw tooBig(field, "endorsed", `holds more than ${NAMES_MAX} of them`);
  return names.length === 0 ? undefined : names.map((name, index) => reader.identifier(`${field}[${index}]`, name));
}

const KINDS: Readonly<Record<ApprovalKind, WireKind>> = { action: WireKind.ACTION, flood: WireKind.FLOOD };

/** With who may answer as the policy is now. */
export function summaryToWire(status: ApprovalStatus, settings: ApproverSettings): wire.ApprovalSummary {
  const { state, standing, until, statement = "", principal = "", ended } = status;
  const { approval, answers, granted } = state;
  const { parties } = approval;
  return create(wire.ApprovalSummarySchema, {
    id: approval.id,
    kind: KINDS[approval.kind],
    state: APPROVAL_STATES[standing],
    agentId: approval.agent,
    principal,
    caller: parties.caller,
    taskId: approval.task,
    statement,
    tool: approval.tool,
    effect: effectToWire(approval.effect),
    score: approval.score,
    holds: approval.holds.map((hold) => ({
      name: hold.name,
      approvers: [...hold.approvers],
      quorum: hold.quorum,
      agreed: [...agreedTo(hold, answers, { parties, settings })],
      eligible: [...eligibleFor(hold, parties, settings)],
    })),
    answers: answers.map(answerToWire),
    askedAt: timestamp(approval.askedAt),
    expiresAt: timestamp(until),
    asked: state.asked,
    lastAskedAt: timestamp(state.lastAskedAt),
    ...(granted && { granted: grantedToWire(granted, state) }),
    ...(ended && { ended: { at: timestamp(ended.at), by: ended.by ?? "", reason: ended.reason ?? "" } }),
    decisionId: approval.decision,
  });
}

const effectToWire = (effect: string): WireEffect => Object.values(WireEffect).find((code) => EFFECTS[code as WireEffect] === effect) as WireEffect;

function answerToWire({
  by,
  verified,
  verdict,
  comment = "",
  at,
  holds,
  endorsement,
}: GivenAnswer): MessageInitShape<typeof wire.ApprovalAnswerSchema> {
  return {
    approver: { id: by, verified },
    verdict: VERDICTS[verdict],
    comment,
    at: timestamp(at),
    holds: [...holds],
    ...(endorsement && { endorsement: endorsementToWire(endorsement) }),
  };
}

const endorsementToWire = ({ uses = 0, until, values = [], sources = [] }: Endorsement): MessageInitShape<typeof wire.EndorsementSchema> => ({
  uses,
  ...(until !== undefined && { until: timestamp(until) }),
  values: [...values],
  sources: [...sources],
});

function grantedToWire(
  { uses, until, values, sources }: Granted,
  { approval: { pattern }, used }: ApprovalState,
): MessageInitShape<typeof wire.GrantedEndorsementSchema> {
  const amounts = Object.entries(pattern?.amounts ?? {}).map(([argument, atMost]) => ({ argument, atMost }));
  const texts = (pattern?.varies ?? []).map((argument) => ({ argument }));
  return { uses, used, until: timestamp(until), values: [...values], sources: [...sources], varying: uses > 1 ? [...amounts, ...texts] : [] };
}

/** Clients take 4 MiB by default. */
const APPROVALS_BYTES_MAX = 3 * 1024 * 1024;

/** As many of them, from the first on, as an answer has room for. */
export function listToWire(
  { approvals, total }: { readonly approvals: readonly ApprovalStatus[]; readonly total: number },
  settings: ApproverSettings,
): wire.ListApprovalsResponse {
  let room = APPROVALS_BYTES_MAX;
  const fitting: wire.ApprovalSummary[] = [];
  for (const status of approvals) {
    const summary = summaryToWire(status, settings);
    room -= toBinary(wire.ApprovalSummarySchema, summary).length;
    if (room < 0) break;
    fitting.push(summary);
  }
  return create(wire.ListApprovalsResponseSchema, { approvals: fitting, total });
}
