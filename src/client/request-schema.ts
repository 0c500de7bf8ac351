import { type DescEnum, type DescField, type DescMessage, type JsonObject, ScalarType } from "@bufbuild/protobuf";
import { DecideRequestSchema } from "../gen/behest/v1/decision_pb.ts";
import { DURATION } from "./request-problems.ts";

/** What the fields of a request are for, in short; the contract itself says more. */
const MEANINGS: Readonly<Record<string, string>> = {
  "DecideRequest.request_id": "names this attempt; absent, every request is an attempt of its own",
  "DecideRequest.agent": "who wants to act; required",
  "DecideRequest.task": "what the action is for",
  "DecideRequest.session": "separates several conversations of one agent",
  "DecideRequest.delegation": "who handed the work to whom, from the person first to the acting agent last",
  "DecideRequest.action": "what the agent wants to do; required",
  "DecideRequest.data": "what the caller knows of the data involved; counts only where it is stricter than resource and catalog",
  "DecideRequest.context": "the circumstances",
  "DecideRequest.approval_id": "the approval that this attempt continues after: the same request once more, which uses it up",
  "DecideRequest.wait_ms": "how long to wait for people where they have to be asked, in milliseconds, at most 55000",
  "DecideRequest.permit": "asks for a signed credential for the allowed action; not served yet",
  "DecideRequest.supported_obligations": "the obligations that the caller can fulfil",
  "Agent.id": "the agent's stable name, as agents.json lists it; required",
  "Agent.credential": "proof of the agent's identity; a request that carries one is denied, for none is verified yet",
  "Agent.attributes": "what the caller says of the agent; rules read it as `agent.attributes`",
  "TaskReference.id": "the id that an earlier answer carried as `task_id`",
  "TaskReference.statement": "what was asked for, in the asker's words",
  "DelegationHop.principal": "who; required",
  "DelegationHop.task_id": "the task in which this principal handed the work on",
  "DelegationHop.credential": "proof that this principal delegated; a request that carries one is denied, for none is verified yet",
  "Principal.type": "a person, a program that acts for itself, or an AI agent; required",
  "Principal.id": "stable name; required",
  "Action.tool": "the tool's name as the catalog lists it; required",
  "Action.operation": "which of the tool's operations, for a tool that has several",
  "Action.effect": "what the caller thinks this does; counts only where it is stricter than the catalog",
  "Action.arguments": "the call's arguments",
  "Action.arguments_json": "the call's arguments as the text of one JSON object",
  "Action.arguments_digest": "`sha256:` and 64 hexadecimal digits over the whole arguments; required with `arguments_truncated`",
  "Action.arguments_truncated": "the arguments sent are cut; rules see it as `action.arguments_truncated`",
  "Action.tool_definition_digest": "digest of the tool's definition that the agent was shown",
  "Action.resource": "what is acted upon, apart from the arguments",
  "Resource.type": "its kind, such as `file`; required in a resource",
  "Resource.id": "its name; required in a resource. Reach and labels see `type:id`",
  "Resource.attributes": "what the caller knows of it; `classification` and `categories` count as the resource's own",
  "Data.classification": "one of `classification.order` of policy.json; any other counts as the highest",
  "Data.categories": "what kinds of data, such as `personal`",
  "Context.environment": "such as `production`",
  "Context.attributes": "anything else that rules may read as `context.attributes`",
  "PermitRequest.audience": "who will check it",
  "PermitRequest.ttl": "how long it should live",
};

/** What words of the proto's enums mean, by the enum's name and their short form. */
export type WordMeanings = Readonly<Record<string, Readonly<Record<string, string>>>>;

/**
 * The JSON Schema of a request as `readRequestJson` reads it, from the descriptor of the contract. Nothing is required, so that it fits parts of
 * a request too.
 */
export const requestSchema = (words: WordMeanings = {}): JsonObject => messageSchema(DecideRequestSchema, words);

function messageSchema(message: DescMessage, words: WordMeanings): JsonObject {
  if (message.typeName === "google.protobuf.Struct") return { type: "object" };
  if (message.typeName === "google.protobuf.Duration") return { type: "string", pattern: DURATION.source };
  const oneofs = message.oneofs.map(({ fields }) => ({ not: { required: fields.map(({ name }) => name) } }));
  return {
    type: "object",
    properties: Object.fromEntries(message.fields.flatMap((field) => propertiesOf(field, words))),
    additionalProperties: false,
    ...(oneofs.length > 0 && { allOf: oneofs }),
  };
}

/** The proto's own name, and the one in camel case that JSON readers of protobuf take too. */
function propertiesOf(field: DescField, words: WordMeanings): readonly (readonly [string, JsonObject])[] {
  const description = MEANINGS[`${field.parent.name}.${field.name}`];
  const schema = { ...fieldSchema(field, words), ...(description !== undefined && { description }) };
  const own = [field.name, schema] as const;
  return field.jsonName === field.name ? [own] : [own, [field.jsonName, { ...schema, doNotSuggest: true }]];
}

function fieldSchema(field: DescField, words: WordMeanings): JsonObject {
  switch (field.fieldKind) {
    case "message":
      return messageSchema(field.message, words);
    case "enum":
      return enumSchema(field.enum, words);
    case "scalar":
      return scalarSchema(field.scalar);
    case "list":
      return { type: "array", items: itemSchema(field, words) };
    case "map":
      throw new RangeError(`no schema for the map \`${field.name}\``);
  }
}

function itemSchema(field: DescField & { readonly fieldKind: "list" }, words: WordMeanings): JsonObject {
  if (field.listKind === "message") return messageSchema(field.message, words);
  return field.listKind === "enum" ? enumSchema(field.enum, words) : scalarSchema(field.scalar);
}

function scalarSchema(scalar: ScalarType): JsonObject {
  switch (scalar) {
    case ScalarType.STRING:
      return { type: "string" };
    case ScalarType.BOOL:
      return { type: "boolean" };
    case ScalarType.UINT32:
      return { type: "integer", minimum: 0, maximum: 0xffff_ffff };
    default:
      throw new RangeError(`no schema for the scalar ${scalar}`);
  }
}

/** Short words are offered; full names are fine. */
function enumSchema({ name, values, sharedPrefix = "" }: DescEnum, words: WordMeanings): JsonObject {
  const full = values.filter(({ number }) => number !== 0).map((value) => value.name);
  const short = full.map((word) => word.slice(sharedPrefix.length).toLowerCase());
  const meanings = words[name];
  return {
    type: "string",
    anyOf: [
      { enum: short, ...(meanings && { enumDescriptions: short.map((word) => meanings[word] ?? "") }) },
      { pattern: `^(?:${full.join("|")})$` },
    ],
  };
}
