import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { ApprovalStanding } from "../../core/approvals/approval.ts";
import type { Answer, Asked } from "../../core/decide.ts";
import { ServiceError } from "../../core/errors.ts";
import { isFitIdentifier, UNFIT_IDENTIFIER } from "../../core/identifiers.ts";
import { checkJson, isObject, type JsonLimits, type JsonProblem, parseStrict } from "../../core/json.ts";
import type { Obligation } from "../../core/obligations.ts";
import type { DecisionRecord } from "../../core/record.ts";
import type { Action, DecisionRequest, Hop } from "../../core/request.ts";
import type { Basis, Effect, Finding, Instant, JsonObject, Outcome, PrincipalType, RiskLevel, RuleEvent } from "../../core/words.ts";
import * as wire from "../../gen/behest/v1/decision_pb.ts";

export interface RequestLimits {
  readonly json: JsonLimits;
  readonly identifierBytesMax: number;
  readonly statementBytesMax: number;
  readonly delegationDepthMax: number;
  readonly categoriesMax: number;
}

export const malformed = (field: string, why: string): ServiceError => new ServiceError("REQUEST_MALFORMED", `\`${field}\` ${why}`, { field });
export const tooBig = (field: string, limit: string, why: string): ServiceError =>
  new ServiceError("REQUEST_TOO_BIG", `\`${field}\` ${why}`, { field, limit });

/** Reads a request into the core's own words. @throws {ServiceError} REQUEST_MALFORMED or REQUEST_TOO_BIG, naming the field. */
export function fromWire(message: wire.DecideRequest, limits: RequestLimits): Omit<Asked, "caller"> {
  refuseUnserved(message);
  const { agent, action, task, data, context } = message;
  if (!agent) throw malformed("agent", "is missing");
  if (!action) throw malformed("action", "is missing");
  const reader = new FieldReader(limits);
  const argumentsDigest = digestOf(action);
  const request: DecisionRequest = compact({
    requestId: reader.optionalIdentifier("request_id", message.requestId),
    session: reader.optionalIdentifier("session", message.session),
    agent: compact({ id: reader.identifier("agent.id", agent.id), attributes: reader.map("agent.attributes", agent.attributes) }),
    task: task && readTask(task, reader),
    delegation: readChain(message.delegation, reader, limits),
    action: readAction(action, reader),
    data: data && readData(data, reader),
    context:
      context &&
      compact({
        environment: reader.optionalIdentifier("context.environment", context.environment),
        attributes: reader.map("context.attributes", context.attributes),
      }),
    supportedObligations: readObligations(message.supportedObligations),
    approvalId: reader.optionalIdentifier("approval_id", message.approvalId),
    waitMs: message.waitMs || undefined,
    credentialed: agent.credential !== "" || message.delegation.some(({ credential }) => credential !== "") || undefined,
  });
  return {
    request,
    ...(argumentsDigest !== undefined && (action.argumentsTruncated ? { argumentsDigest } : { claimedDigest: argumentsDigest })),
  };
}

/** Below the minute after which proxies give a call up. */
const WAIT_MS_MAX = 55_000;

/** Asking for what is not served must not look as if it had been granted. */
function refuseUnserved(message: wire.DecideRequest): void {
  if (message.waitMs > WAIT_MS_MAX) throw malformed("wait_ms", `is ${message.waitMs}; at most ${WAIT_MS_MAX} can be waited`);
  if (message.permit) throw malformed("permit", "cannot be asked for: this server signs no permits");
}

/** Absent fields are left out, so that a request reads the same whatever way it came. */
export function compact<T extends object>(fields: { readonly [K in keyof T]: T[K] | undefined }): T {
  const stated: Partial<T> = {};
  for (const key in fields) if (fields[key] !== undefined) stated[key] = fields[key];
  return stated as T;
}

/** Reads the fields of a message, and refuses by name what is not fit. */
export class FieldReader {
  readonly #limits: RequestLimits;

  constructor(limits: RequestLimits) {
    this.#limits = limits;
  }

  identifier(field: string, value: string): string {
    if (value === "") throw malformed(field, "is missing or empty");
    const { identifierBytesMax } = this.#limits;
    if (Buffer.byteLength(value) > identifierBytesMax) throw tooBig(field, "identifier_bytes", `is longer than ${identifierBytesMax} bytes`);
    if (!isFitIdentifier(value)) throw malformed(field, UNFIT_IDENTIFIER);
    return value;
  }

  optionalIdentifier(field: string, value: string): string | undefined {
    return value === "" ? undefined : this.identifier(field, value);
  }

  map(field: string, value: JsonObject | undefined): JsonObject | undefined {
    if (value === undefined) return undefined;
    const problem = checkJson(value, this.#limits.json);
    if (problem) throw jsonError(field, problem);
    return value;
  }

  json(field: string, text: string): JsonObject {
    const read = parseStrict(text, this.#limits.json);
    if ("problem" in read) throw jsonError(field, read.problem);
    if (!isObject(read.value)) throw malformed(field, "is not a JSON object");
    return read.value;
  }

  categories(field: string, names: readonly string[]): readonly string[] | undefined {
    const { categoriesMax } = this.#limits;
    if (names.length > categoriesMax) throw tooBig(field, "categories", `names more than ${categoriesMax} categories`);
    return names.length === 0 ? undefined : names.map((name, index) => this.identifier(`${field}[${index}]`, name));
  }

  statement(field: string, value: string): string | undefined {
    const { statementBytesMax } = this.#limits;
    if (Buffer.byteLength(value) > statementBytesMax) throw tooBig(field, "statement_bytes", `is longer than ${statementBytesMax} bytes`);
    if (!value.isWellFormed()) throw malformed(field, "holds a lone surrogate");
    return value === "" ? undefined : value;
  }
}

function jsonError(field: string, problem: JsonProblem): ServiceError {
  if (problem.kind === "malformed") return malformed(field, `is refused: ${problem.why}`);
  return tooBig(field, problem.limit, problem.limit === "keys" ? `has more than ${problem.max} keys` : `nests deeper than ${problem.max} levels`);
}

function readTask(task: wire.TaskReference, reader: FieldReader): DecisionRequest["task"] {
  return compact({
    id: reader.optionalIdentifier("task.id", task.id),
    statement: reader.statement("task.statement", task.statement),
  });
}

export const PRINCIPAL_TYPES: Readonly<Partial<Record<wire.PrincipalType, PrincipalType>>> = {
  [wire.PrincipalType.USER]: "user",
  [wire.PrincipalType.SERVICE]: "service",
  [wire.PrincipalType.AGENT]: "agent",
};

function readChain(hops: readonly wire.DelegationHop[], reader: FieldReader, limits: RequestLimits): readonly Hop[] | undefined {
  if (hops.length === 0) return undefined;
  const chain = hops.map((hop, index): Hop => {
    const field = `delegation[${index}]`;
    if (!hop.principal) throw malformed(`${field}.principal`, "is missing");
    const type = PRINCIPAL_TYPES[hop.principal.type];
    if (!type) throw malformed(`${field}.principal.type`, `is \`${hop.principal.type}\`: write USER, SERVICE or AGENT`);
    return compact<Hop>({
      type,
      id: reader.identifier(`${field}.principal.id`, hop.principal.id),
      taskId: reader.optionalIdentifier(`${field}.task_id`, hop.taskId),
    });
  });
  const depth = chain.filter(({ type }) => type === "agent").length - 1;
  // One more for the person or service that the chain begins with.
  if (depth > limits.delegationDepthMax || chain.length > limits.delegationDepthMax + 2) {
    throw tooBig("delegation", "delegation_depth", `names more than ${limits.delegationDepthMax} agents after the first`);
  }
  return chain;
}

export const EFFECTS: Readonly<Partial<Record<wire.Effect, Effect>>> = {
  [wire.Effect.READ]: "read",
  [wire.Effect.BROWSE]: "browse",
  [wire.Effect.CREATE]: "create",
  [wire.Effect.UPDATE]: "update",
  [wire.Effect.DELETE]: "delete",
  [wire.Effect.SEND]: "send",
  [wire.Effect.SHARE]: "share",
  [wire.Effect.PAY]: "pay",
  [wire.Effect.CREDENTIAL]: "credential",
  [wire.Effect.EXECUTE]: "execute",
  [wire.Effect.UNKNOWN]: "unknown",
};

export const DIGEST = /^sha256:[0-9a-f]{64}$/;

function digestOf(action: wire.Action): string | undefined {
  const { argumentsDigest, argumentsTruncated } = action;
  if (argumentsDigest === "") {
    if (argumentsTruncated) throw malformed("action.arguments_digest", "is missing: arguments that are cut need the digest of the whole");
    return undefined;
  }
  if (!DIGEST.test(argumentsDigest)) throw malformed("action.arguments_digest", "is not `sha256:` and 64 hexadecimal digits");
  return argumentsDigest;
}

function readAction(action: wire.Action, reader: FieldReader): Action {
  const { argumentsForm, resource, toolDefinitionDigest } = action;
  const effect = EFFECTS[action.effect];
  if (action.effect !== wire.Effect.UNSPECIFIED && !effect) throw malformed("action.effect", `is \`${action.effect}\`, which is no effect`);
  if (toolDefinitionDigest !== "" && !DIGEST.test(toolDefinitionDigest)) {
    throw malformed("action.tool_definition_digest", "is not `sha256:` and 64 hexadecimal digits");
  }
  refuseMistypedLabels(resource?.attributes);
  if (resource?.type.includes(":")) throw malformed("action.resource.type", "holds `:`, which parts it from the id");
  return compact<Action>({
    tool: reader.identifier("action.tool", action.tool),
    operation: reader.optionalIdentifier("action.operation", action.operation),
    effect,
    arguments: readArguments(argumentsForm, reader),
    argumentsTruncated: action.argumentsTruncated || undefined,
    toolDefinitionDigest: toolDefinitionDigest === "" ? undefined : toolDefinitionDigest,
    resource:
      resource &&
      compact({
        type: reader.identifier("action.resource.type", resource.type),
        id: reader.identifier("action.resource.id", resource.id),
        attributes: reader.map("action.resource.attributes", resource.attributes),
      }),
  });
}

/** These two attributes count as the resource's own, so they must be what they are taken for. */
function refuseMistypedLabels(attributes: JsonObject | undefined): void {
  const { classification, categories } = attributes ?? {};
  if (classification !== undefined && typeof classification !== "string") {
    throw malformed("action.resource.attributes", "has a `classification` that is no string");
  }
  const isWords = categories === undefined || (Array.isArray(categories) && categories.every((category) => typeof category === "string"));
  if (!isWords) throw malformed("action.resource.attributes", "has `categories` that are no list of strings");
}

function readArguments(form: wire.Action["argumentsForm"], reader: FieldReader): JsonObject {
  switch (form.case) {
    case "arguments":
      return reader.map("action.arguments", form.value) ?? {};
    case "argumentsJson":
      return reader.json("action.arguments_json", form.value);
    case undefined:
      return {};
  }
}

function readData(data: wire.Data, reader: FieldReader): DecisionRequest["data"] {
  return compact({
    classification: reader.optionalIdentifier("data.classification", data.classification),
    categories: reader.categories("data.categories", data.categories),
  });
}

const OBLIGATIONS: Readonly<Partial<Record<wire.ObligationType, Obligation["type"]>>> = {
  [wire.ObligationType.REDACT]: "redact",
  [wire.ObligationType.LIMIT_ROWS]: "limit_rows",
  [wire.ObligationType.LOG]: "log",
  [wire.ObligationType.NOTIFY]: "notify",
};

function readObligations(types: readonly wire.ObligationType[]): readonly string[] | undefined {
  if (types.length === 0) return undefined;
  const words = types.map((type, index) => {
    const word = OBLIGATIONS[type];
    if (word === undefined) throw malformed(`supported_obligations[${index}]`, `is \`${type}\`, which is no obligation`);
    return word;
  });
  return [...new Set(words)].sort();
}

export const OUTCOMES: Readonly<Record<Outcome, wire.Outcome>> = {
  ALLOW: wire.Outcome.ALLOW,
  DENY: wire.Outcome.DENY,
  REQUIRE_APPROVAL: wire.Outcome.REQUIRE_APPROVAL,
};
const BASES: Readonly<Record<Basis, wire.Basis>> = {
  AUTHORIZED: wire.Basis.AUTHORIZED,
  INFERRED: wire.Basis.INFERRED,
  AVAILABLE: wire.Basis.AVAILABLE,
  NONE: wire.Basis.NONE,
};
export const LEVELS: Readonly<Record<RiskLevel, wire.RiskLevel>> = {
  low: wire.RiskLevel.LOW,
  middle: wire.RiskLevel.MIDDLE,
  top: wire.RiskLevel.TOP,
};
export const EVENTS: Readonly<Record<RuleEvent, wire.RuleEvent>> = {
  risk: wire.RuleEvent.RISK,
  deny: wire.RuleEvent.DENY,
  "require-approval": wire.RuleEvent.REQUIRE_APPROVAL,
  allow: wire.RuleEvent.ALLOW,
  oblige: wire.RuleEvent.OBLIGE,
};

/** As much of an answer as its caller gets to see. */
export interface ShownAnswer extends Omit<Answer, "record"> {
  readonly record: Pick<DecisionRecord, "id" | "at" | "policy" | "judgement" | "cache" | "approval"> & {
    readonly subject: { readonly task: Pick<DecisionRecord["subject"]["task"], "id" | "standing"> };
  };
}

/**
 * Renders an answer: live, replayed or explained alike, from its record. Messages are written out field by field: filling in a prototype
 * costs several times as much, on every answer.
 */
export function toWire({ record, argumentsDigest, validUntil, recorded, replayed, approvalState }: ShownAnswer): wire.DecideResponse {
  const { judgement, cache, subject } = record;
  // A task that Explain would have opened does not exist.
  const taskId = recorded || subject.task.standing === "open" ? (subject.task.id ?? "") : "";
  return {
    $typeName: "behest.v1.DecideResponse",
    decisionId: recorded ? record.id : "",
    outcome: OUTCOMES[judgement.outcome],
    basis: BASES[judgement.basis],
    risk: { $typeName: "behest.v1.Risk", score: judgement.score, level: LEVELS[judgement.level] },
    findings: judgement.findings.map(findingToWire),
    reasonCodes: [...judgement.reasonCodes],
    obligations: (judgement.obligations ?? []).map(obligationToWire),
    holds: judgement.holds.map(({ name, approvers, quorum }) => ({ $typeName: "behest.v1.Hold", name, approvers: [...approvers], quorum })),
    // One that Explain would have opened does not exist; one that it would have used up is still approved.
    ...(record.approval && recorded && { approval: approvalToWire(record.approval, approvalState) }),
    ...(record.approval && !recorded && judgement.approvedBy !== undefined && { approval: approvalToWire(record.approval, "approved") }),
    taskId,
    argumentsDigest,
    policyDigest: record.policy,
    cache: { $typeName: "behest.v1.Cache", hit: cache.hit, repeats: cache.repeats ?? "" },
    decidedAt: timestamp(record.at),
    ...(validUntil !== undefined && { validUntil: timestamp(validUntil) }),
    recorded,
    replayed,
  };
}

export const APPROVAL_STATES: Readonly<Record<ApprovalStanding, wire.ApprovalState>> = {
  pending: wire.ApprovalState.PENDING,
  approved: wire.ApprovalState.APPROVED,
  denied: wire.ApprovalState.DENIED,
  expired: wire.ApprovalState.EXPIRED,
  cancelled: wire.ApprovalState.CANCELLED,
  consumed: wire.ApprovalState.CONSUMED,
};

const approvalToWire = ({ id, state, expiresAt, kind }: NonNullable<Answer["record"]["approval"]>, now: ApprovalStanding = state): wire.Approval => ({
  $typeName: "behest.v1.Approval",
  id,
  state: APPROVAL_STATES[now],
  url: "",
  expiresAt: timestamp(expiresAt),
  kind: kind === "flood" ? wire.ApprovalKind.FLOOD : wire.ApprovalKind.ACTION,
});

export const findingToWire = (finding: Finding): wire.Finding => ({
  $typeName: "behest.v1.Finding",
  rule: finding.rule,
  event: EVENTS[finding.event],
  result: finding.result === "matched" ? wire.FindingResult.MATCHED : wire.FindingResult.UNKNOWN,
  points: finding.points,
  reason: finding.reason,
  controls: [...finding.controls],
});

export function obligationToWire(obligation: Obligation): wire.Obligation {
  const base = { $typeName: "behest.v1.Obligation" as const, paths: [], rowsMax: 0, level: "", recipients: [] };
  switch (obligation.type) {
    case "redact":
      return { ...base, type: wire.ObligationType.REDACT, paths: [...obligation.paths] };
    case "limit_rows":
      return { ...base, type: wire.ObligationType.LIMIT_ROWS, rowsMax: obligation.rowsMax };
    case "log":
      return { ...base, type: wire.ObligationType.LOG, level: obligation.level };
    case "notify":
      return { ...base, type: wire.ObligationType.NOTIFY, recipients: [...obligation.recipients] };
  }
}

export const timestamp = (at: Instant): Timestamp => ({
  $typeName: "google.protobuf.Timestamp",
  seconds: BigInt(Math.floor(at / 1_000)),
  nanos: (at % 1_000) * 1_000_000,
});
