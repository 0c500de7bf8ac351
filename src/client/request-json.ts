import { type DescMessage, fromJson, type JsonObject, type JsonValue, type MessageShape } from "@bufbuild/protobuf";
import { type DecideRequest, DecideRequestSchema } from "../gen/behest/v1/decision_pb.ts";
import { fullWord, type RequestProblem, requestProblems } from "./request-problems.ts";

/** A request as people write it. Its message says what is wrong with it. */
export class RequestUnreadable extends Error {
  /** What of it is wrong where, if it could be looked into; the message tells the first. */
  readonly problems: readonly RequestProblem[];

  constructor(message: string, { problems = [], ...options }: ErrorOptions & { readonly problems?: readonly RequestProblem[] } = {}) {
    super(message, options);
    this.name = "RequestUnreadable";
    this.problems = problems;
  }
}

/**
 * Reads a request from JSON with the field names of the proto. Enum values may be their short words in lower case: `send` for `EFFECT_SEND`,
 * `user` for `PRINCIPAL_TYPE_USER`. @throws {RequestUnreadable}
 */
export function readRequestJson(json: unknown): DecideRequest {
  if (!isObject(json)) throw new RequestUnreadable("a request is a JSON object");
  const problems = requestProblems(json);
  if (problems[0]) throw new RequestUnreadable(problems[0].message, { problems });
  return read(DecideRequestSchema, expandWords(json));
}

function read<T extends DescMessage>(schema: T, json: JsonValue): MessageShape<T> {
  try {
    return fromJson(schema, json);
  } catch (error) {
    throw new RequestUnreadable(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

const isObject = (value: unknown): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value);

/** Only where the proto has an enum: the same words inside arguments are nobody's business. */
function expandWords(request: JsonObject): JsonObject {
  const { action, delegation } = request;
  const obligations = request["supported_obligations"];
  return {
    ...request,
    ...(isObject(action) && { action: expandField(action, "effect", "EFFECT_") }),
    ...(Array.isArray(delegation) && { delegation: delegation.map(expandHop) }),
    ...(Array.isArray(obligations) && { supported_obligations: obligations.map((word) => expandWord(word, "OBLIGATION_TYPE_")) }),
  };
}

function expandHop(hop: JsonValue): JsonValue {
  if (!isObject(hop) || !isObject(hop["principal"])) return hop;
  return { ...hop, principal: expandField(hop["principal"], "type", "PRINCIPAL_TYPE_") };
}

const expandField = (object: JsonObject, field: string, prefix: string): JsonObject =>
  object[field] === undefined ? object : { ...object, [field]: expandWord(object[field], prefix) };

const expandWord = (word: JsonValue, prefix: string): JsonValue => (typeof word === "string" ? fullWord(word, prefix) : word);
