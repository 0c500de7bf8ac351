import { type DescEnum, type DescField, type DescMessage, type JsonObject, type JsonValue, ScalarType } from "@bufbuild/protobuf";
import { DecideRequestSchema } from "../gen/behest/v1/decision_pb.ts";

/** One thing in a request that is not what the contract has there. */
export interface RequestProblem {
  /** From the request inwards. */
  readonly path: readonly (string | number)[];
  /** Whether the last key of the path is wrong, or what it holds. */
  readonly wrong: "key" | "value";
  readonly message: string;
  /** A word that is not known, and those that are. */
  readonly unknown?: { readonly word: string; readonly known: readonly string[] };
}

/** Of protobuf's JSON, without a sign. */
export const DURATION = /^\d+(\.\d{1,9})?s$/;

const isDuration = (json: JsonValue): boolean => typeof json === "string" && DURATION.test(json);

/** RFC 3339, as protobuf's JSON has it. */
const RFC_3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;
/** Those of 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.999Z. */
const [MS_MIN, MS_MAX] = [-62_135_596_800_000, 253_402_300_799_999];

function isTimestamp(json: JsonValue): boolean {
  const ms = typeof json === "string" && RFC_3339.test(json) ? Date.parse(json) : Number.NaN;
  return ms >= MS_MIN && ms <= MS_MAX;
}

type Path = RequestProblem["path"];

/** What of a request does not fit the descriptor of the contract, in the order in which it is written. What is inside arguments and attributes is free. */
export const requestProblems = (request: JsonObject, schema: DescMessage = DecideRequestSchema): readonly RequestProblem[] =>
  messageProblems(schema, request, []);

function messageProblems(message: DescMessage, json: JsonValue, path: Path): readonly RequestProblem[] {
  if (message.typeName === "google.protobuf.Duration") return isDuration(json) ? [] : [wrongValue("a duration such as `60s`", json, path)];
  if (message.typeName === "google.protobuf.Timestamp")
    return isTimestamp(json) ? [] : [wrongValue("a time such as `2027-01-01T00:00:00Z`", json, path)];
  if (!isObject(json)) return [wrongValue("an object", json, path)];
  if (message.typeName === "google.protobuf.Struct") return [];
  const problems = Object.entries(json).flatMap(([key, value]) => {
    const field = fieldNamed(message, key);
    if (!field) return [unknownKey(message, key, path)];
    return value === null ? [] : fieldProblems(field, value, [...path, key]);
  });
  return [...problems, ...message.oneofs.flatMap(({ fields }) => oneofProblems(fields, json, path))];
}

/** The proto's own name, or the one in camel case that JSON readers of protobuf take too. */
const fieldNamed = ({ fields }: DescMessage, key: string): DescField | undefined =>
  fields.find(({ name, jsonName }) => name === key || jsonName === key);

function unknownKey({ fields }: DescMessage, key: string, path: Path): RequestProblem {
  const inside = path.length === 0 ? "" : ` in \`${spelled(path)}\``;
  const unknown = { word: key, known: fields.map(({ name }) => name) };
  return { path: [...path, key], wrong: "key", message: `unknown key \`${key}\`${inside}`, unknown };
}

function oneofProblems(fields: readonly DescField[], json: JsonObject, path: Path): readonly RequestProblem[] {
  const [first, second] = Object.keys(json).filter(
    (key) => json[key] !== null && fields.some(({ name, jsonName }) => name === key || jsonName === key),
  );
  if (first === undefined || second === undefined) return [];
  return [{ path: [...path, second], wrong: "key", message: `\`${first}\` and \`${second}\` exclude each other: give one of them` }];
}

function fieldProblems(field: DescField, json: JsonValue, path: Path): readonly RequestProblem[] {
  switch (field.fieldKind) {
    case "message":
      return messageProblems(field.message, json, path);
    case "enum":
      return enumProblems(field.enum, json, path);
    case "scalar":
      return scalarProblems(field.scalar, json, path);
    case "list":
      if (!Array.isArray(json)) return [wrongValue("a list", json, path)];
      return json.flatMap((item, at) => itemProblems(field, item, [...path, at]));
    case "map":
      throw new RangeError(`no reading of the map \`${field.name}\``);
  }
}

function itemProblems(field: DescField & { readonly fieldKind: "list" }, json: JsonValue, path: Path): readonly RequestProblem[] {
  if (field.listKind === "message") return messageProblems(field.message, json, path);
  return field.listKind === "enum" ? enumProblems(field.enum, json, path) : scalarProblems(field.scalar, json, path);
}

function scalarProblems(scalar: ScalarType, json: JsonValue, path: Path): readonly RequestProblem[] {
  if (scalar === ScalarType.STRING) return typeof json === "string" ? [] : [wrongValue("a string", json, path)];
  if (scalar === ScalarType.BOOL) return typeof json === "boolean" ? [] : [wrongValue("true or false", json, path)];
  if (scalar === ScalarType.INT64) return isInt64(json) ? [] : [wrongValue("an integer", json, path)];
  const fits = typeof json === "number" && Number.isInteger(json) && json >= 0 && json <= UINT32_MAX;
  return fits ? [] : [wrongValue(`an integer from 0 to ${UINT32_MAX}`, json, path)];
}

/** Protobuf's JSON has them as text too. */
const isInt64 = (json: JsonValue): boolean => (typeof json === "string" ? /^-?\d{1,18}$/.test(json) : Number.isSafeInteger(json));

const UINT32_MAX = 0xffff_ffff;

function enumProblems({ values, sharedPrefix = "" }: DescEnum, json: JsonValue, path: Path): readonly RequestProblem[] {
  const known = values.filter(({ number }) => number !== 0).map(({ name }) => name.slice(sharedPrefix.length).toLowerCase());
  const words = known.map((word) => `\`${word}\``).join(" ");
  // Protobuf's JSON has numbers for enums as well; what they stand for is asked by whoever decides.
  if (typeof json === "number") return [];
  if (typeof json !== "string") return [wrongValue(`one of ${words}`, json, path)];
  const full = fullWord(json, sharedPrefix);
  if (values.some(({ name }) => name === full)) return [];
  return [{ path, wrong: "value", message: `\`${json}\` in \`${spelled(path)}\` is none of ${words}`, unknown: { word: json, known } }];
}

/** `send` for `EFFECT_SEND`; a full name stays itself. */
export const fullWord = (word: string, prefix: string): string =>
  /^[a-z_-]+$/.test(word) ? (prefix + word).toUpperCase().replaceAll("-", "_") : word;

const wrongValue = (expected: string, json: JsonValue, path: Path): RequestProblem => ({
  path,
  wrong: "value",
  message: `\`${spelled(path)}\`: expected ${expected}, found ${kindOf(json)}`,
});

const isObject = (value: JsonValue): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value);

function kindOf(json: JsonValue): string {
  if (json === null) return "null";
  if (Array.isArray(json)) return "a list";
  return typeof json === "object" ? "an object" : `a ${typeof json}`;
}

/** `delegation[0].principal`. */
const spelled = (path: Path): string => path.map((part, at) => (typeof part === "number" ? `[${part}]` : at === 0 ? part : `.${part}`)).join("");
