import { NOTHING_FOUND } from "../core/intent/standing.ts";
import { encodeStable, isList, isObject } from "../core/json.ts";
import type { DecisionRecord } from "../core/record.ts";
import type { DecisionRequest, Hop } from "../core/request.ts";
import type { Scope } from "../core/tasks/scope.ts";
import { NOTHING_SEEN, raiseSeen } from "../core/tasks/seen.ts";
import type { RegisteredStanding, TaskStanding } from "../core/tasks/standing.ts";
import type { Json, JsonObject } from "../core/words.ts";
import type { CaseApprovals } from "../policy/case-approvals.ts";
import { type CaseCaps, type CaseRegistered, type CaseScope, type CaseTask, ownChain } from "../policy/case-task.ts";
import { obligationJson } from "../policy/obligations.ts";

/** A recorded decision as a case: what it was asked, how its task stood, and what came out. */
export function caseOf(record: DecisionRecord, name: string | undefined) {
  const { subject, judgement, tenant, caller } = record;
  const { request, task } = subject;
  const { outcome, basis, score, holds, reasonCodes, obligations, findings } = judgement;
  const rules = findings.map(({ rule }) => rule).filter((rule) => !rule.startsWith("behest:"));
  const statement = request.task?.statement ?? task.statement;
  return {
    name: name ?? `${request.agent.id} calls ${request.action.tool}: ${outcome}`,
    at: new Date(record.at).toISOString(),
    caller,
    ...(tenant !== "default" && { tenant }),
    request: requestJson(withoutOwnChain(withoutGoodApproval(record), task), statement),
    // Records do not hold what tools returned, so a case says what was found by it.
    task: { ...(!isNew(task) && taskJson(task, request)), intent: subject.intent ?? NOTHING_FOUND },
    ...approvalsJson(record),
    ...(subject.scorer && { scorer: { risk: subject.scorer.risk } }),
    expect: {
      outcome,
      basis,
      score,
      ...(holds.length > 0 && { holds: holds.map((hold) => hold.name) }),
      ...(reasonCodes.length > 0 && { reason_codes: reasonCodes }),
      ...(obligations && { obligations: obligations.map(obligationJson) }),
      ...(rules.length > 0 && { fires: rules }),
    },
  };
}

/** Nothing where nobody was asked before and nobody has said anything. */
function approvalsJson({ subject: { asked, endorsed, refused, approval }, judgement }: DecisionRecord): { readonly approvals?: CaseApprovals } {
  const answers = judgement.approvedBy !== undefined && approval?.standing === "covers" ? approval.answers : [];
  const approvedBy = answers.filter(({ verdict }) => verdict === "approve").map(({ by }) => by);
  const approvals: CaseApprovals = {
    ...(asked && { asked: { agent: asked.byAgent, task: asked.forTask } }),
    ...(endorsed && { endorsed }),
    ...(refused && { refused: refused.kind }),
    ...(approvedBy.length > 0 && { approved_by: approvedBy }),
  };
  return Object.keys(approvals).length > 0 ? { approvals } : {};
}

const isNew = ({ standing, restated, seen, unreported, registered }: TaskStanding): boolean =>
  standing === "new" && !restated && raiseSeen(NOTHING_SEEN, seen) === NOTHING_SEEN && unreported === undefined && !registered;

function taskJson(task: TaskStanding, request: DecisionRequest): CaseTask {
  const { standing, restated, statement, seen, unreported, registered } = task;
  return {
    standing,
    ...(restated && { restated: true, ...(statement !== undefined && { statement }) }),
    seen,
    ...(unreported !== undefined && { unreported }),
    ...(registered && { registered: registeredJson(registered, task.id, request) }),
  };
}

function registeredJson(registered: RegisteredStanding, id: string | undefined, { delegation }: DecisionRequest): CaseRegistered {
  const { principal, issuer, scopeKind, boundary, hops, budgets = [], reworded, statementExpired } = registered;
  const own = budgets.find(({ task }) => task === id);
  const above = budgets.filter((budget) => budget !== own);
  // Its caps are a budget, which counts even where a planner proposed it for a root, and it bounds nothing.
  const scope = { ...(boundary && scopeJson(boundary)), ...(own && capsJson(own)) };
  return {
    principal: `${principal.type}:${principal.id}`,
    ...(principal.attributes && { principal_attributes: principal.attributes }),
    issuer,
    scope_kind: scopeKind,
    ...(Object.keys(scope).length > 0 && { scope }),
    ...(own && { spent: own.spent }),
    ...(above.length > 0 && { above: above.map((budget) => ({ ...capsJson(budget), spent: budget.spent })) }),
    ...(hops !== (delegation?.length ?? OWN_HOPS) && { hops }),
    ...(reworded && { reworded }),
    ...(statementExpired && { statement_expired: statementExpired }),
  };
}

/** Of a task that nobody has handed on. */
const OWN_HOPS = 2;

const scopeJson = ({ tools, effects, resources, maxClassification, delegates, maxDepth }: Scope): CaseScope => ({
  ...(tools && { tools }),
  ...(effects && { effects }),
  ...(resources && { resources }),
  ...(maxClassification !== undefined && { max_classification: maxClassification }),
  ...(delegates && { delegates }),
  ...(maxDepth !== undefined && { max_depth: maxDepth }),
});

const capsJson = ({ maxCalls, maxAmounts }: Pick<Scope, "maxCalls" | "maxAmounts">): CaseCaps => ({
  ...(maxCalls && { max_calls: maxCalls }),
  ...(maxAmounts && { max_amounts: maxAmounts }),
});

/** What no case can say, in words: where the decision owes something to it, no case shows it. */
export function beyondCases({ subject }: DecisionRecord): readonly string[] {
  const { lapsed, suspended = [], callerAgents } = subject;
  return [
    ...(lapsed === undefined ? [] : ["the attempt had been allowed before, and that had lapsed"]),
    ...suspended.map(({ id }) => `suspension \`${id}\` stopped it`),
    ...(callerAgents ? [`the caller's token covers only ${callerAgents.map((glob) => `\`${glob}\``).join(", ")}`] : []),
  ];
}

/** A chain that says no more than the task does is left out, as callers leave it out. */
function withoutOwnChain(request: DecisionRequest, { registered, standing }: TaskStanding): DecisionRequest {
  const { delegation, ...rest } = request;
  if (!registered || !delegation || standing === "mismatch") return request;
  const { type, id } = registered.principal;
  const own = ownChain({ principal: `${type}:${id}` }, request.agent.id);
  const isOwn = registered.hops === own.length && delegation.length === own.length && own.every((hop, at) => isSame(hop, delegation[at]));
  return isOwn ? rest : request;
}

const isSame = ({ type, id }: Hop, other: Hop | undefined): boolean => type === other?.type && id === other.id;

/** A case says who approved; the name of an approval stands only for one that covers nothing. */
function withoutGoodApproval({ subject: { request, approval }, judgement }: DecisionRecord): DecisionRequest {
  const { approvalId: _, ...rest } = request;
  return judgement.approvedBy !== undefined || approval?.standing === "pending" ? rest : request;
}

/** The request as `behest decide` reads it. */
function requestJson(
  { agent, task, session, delegation, action, data, context, supportedObligations, credentialed, approvalId }: DecisionRequest,
  statement: string | undefined,
): JsonObject {
  const { argumentsTruncated, toolDefinitionDigest, ...called } = action;
  const whole = {
    agent: { ...agent, ...(credentialed && { credential: "a credential that is never stored" }) },
    ...((task?.id !== undefined || statement !== undefined) && {
      task: { ...(task?.id !== undefined && { id: task.id }), ...(statement !== undefined && { statement }) },
    }),
    ...(session !== undefined && { session }),
    ...(delegation && {
      delegation: delegation.map(({ type, id, taskId }) => ({ principal: { type, id }, ...(taskId !== undefined && { task_id: taskId }) })),
    }),
    action: {
      ...called,
      ...(argumentsTruncated && { arguments_truncated: true, arguments_digest: `sha256:${"0".repeat(64)}` }),
      ...(toolDefinitionDigest !== undefined && { tool_definition_digest: toolDefinitionDigest }),
    },
    ...(data && { data }),
    ...(context && { context }),
    ...(supportedObligations && { supported_obligations: supportedObligations }),
    ...(approvalId !== undefined && { approval_id: approvalId }),
  };
  return unmasked(whole as JsonObject) as JsonObject;
}

const MASK_DIGEST = /^hmac-sha256:[0-9a-f]{64}$/;

/** Something of the same kind and length in the place of each secret, to be masked again. */
function unmasked(json: Json): Json {
  if (isList(json)) return json.map(unmasked);
  if (!isObject(json)) return json;
  const { kind, length, digest } = json;
  const isMask =
    Object.keys(json).length === 3 &&
    typeof kind === "string" &&
    typeof length === "number" &&
    typeof digest === "string" &&
    MASK_DIGEST.test(digest);
  if (isMask) return placeholder(kind, length);
  return Object.fromEntries(Object.entries(json).map(([key, part]) => [key, unmasked(part)]));
}

function placeholder(kind: string, length: number): Json {
  if (kind === "string") return "x".repeat(length);
  return candidatesOf(kind, length).find((value) => encodeStable(value).length === length) ?? "x";
}

/** More digits than any number has, and more than the encoding adds to a text. */
const SPARE = 40;

function candidatesOf(kind: string, length: number): readonly Json[] {
  if (kind === "boolean") return [true, false];
  if (kind === "number") return Array.from({ length: SPARE }, (_, digits) => 10 ** digits);
  const texts = Array.from({ length: SPARE }, (_, less) => "x".repeat(Math.max(0, length - less)));
  return texts.map((text) => (kind === "list" ? [text] : { x: text }));
}
