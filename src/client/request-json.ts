import { type DescField, type DescMessage, fromJson, type JsonObject, type JsonValue, type MessageShape } from "@bufbuild/protobuf";
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
export const readRequestJson = (json: unknown): DecideRequest => readMessageJson(DecideRequestSchema, json);

/** The same for the request of another call. @throws {RequestUnreadable} */
export function readMessageJson<T extends DescMessage>(schema: T, json: unknown): MessageShape<T> {
  if (!isObject(json)) throw new RequestUnreadable("a request is a JSON object");
  const problems = requestProblems(json, schema);
  if (problems[0]) throw new RequestUnreadable(problems[0].message, { problems });
  return read(schema, expandWords(schema, json));
}

function read<T extends DescMessage>(schema: T, json: JsonValue): MessageShape<T> {
  try {
    return fromJson(schema, json);
  } catch (error) {
    throw new RequestUnreadable(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

const isObject = (value: unknown): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value);

/** Only where the proto has an enum: the same words inside arguments and attributes are nobody's business. */
function expandWords(message: DescMessage, json: JsonValue): JsonValue {
  if (!isObject(json) || message.typeName.startsWith("google.protobuf.")) return json;
  return Object.fromEntries(
    Object.entries(json).map(([key, value]) => {
      const field = message.fields.find(({ name, jsonName }) => name === key || jsonName === key);
      return [key, field ? expandField(field, value) : value];
    }),
  );
}

function expandField(field: DescField, value: JsonValue): JsonValue {
  const expand = (one: JsonValue): JsonValue => {
    if (field.message && field.fieldKind !== "map") return expandWords(field.message, one);
    return field.enum && field.fieldKind !== "map" && typeof one === "string" ? fullWord(one, field.enum.sharedPrefix ?? "") : one;
  };
  return field.fieldKind === "list" && Array.isArray(value) ? value.map(expand) : expand(value);
}
