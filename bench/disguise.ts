import { isObject } from "../src/core/json.ts";
import type { Json, JsonObject } from "../src/core/words.ts";
import { objectIn } from "./eval-replay.ts";
import { type Paraphrase, paraphrased } from "./paraphrases.ts";
import type { Recording, TraceSet } from "./trace-sets.ts";
import type { TraceStep } from "./traces.ts";

/** How tools are told otherwise than they were recorded, to see what the figures owe to their wording. */
export interface Disguise {
  readonly names?: "kept" | "opaque";
  readonly descriptions?: "kept" | Paraphrase;
}

/** The same recording under other words; outputs stay as they are. */
export function disguised({ sets, outputs }: Recording, { names, descriptions }: Disguise): Recording {
  const reworded =
    descriptions === undefined || descriptions === "kept"
      ? sets
      : sets.map((set) => ({ ...set, tools: set.tools.map((tool) => withParaphrases(tool, descriptions)) }));
  return { sets: names === "opaque" ? withOpaqueNames(reworded) : reworded, outputs };
}

function withParaphrases(tool: JsonObject, table: Paraphrase): JsonObject {
  const reword = (text: string): string => paraphrased(text, table);
  const { description, inputSchema } = tool;
  return {
    ...tool,
    ...(typeof description === "string" && { description: reword(description) }),
    ...(inputSchema !== undefined && { inputSchema: inSchema(inputSchema, { rewordDescription: reword }) }),
  };
}

/** The same name is called the same everywhere, in whatever suite. */
function withOpaqueNames(sets: readonly TraceSet[]): readonly TraceSet[] {
  const toolName = namer("t");
  const argumentName = namer("a");
  const opaqueTool = (tool: JsonObject): JsonObject => {
    const { name, description, inputSchema } = tool;
    const schema = inputSchema === undefined ? {} : { inputSchema: withOpaqueArguments(inputSchema, argumentName) };
    return { name: toolName(String(name)), ...(description !== undefined && { description }), ...schema };
  };
  const opaqueStep = (step: TraceStep): TraceStep => ({
    ...step,
    tool: toolName(step.tool),
    argumentsJson: withOpaqueKeys(step.argumentsJson, argumentName),
  });
  return sets.map(({ suite, tools, cases }) => ({
    suite,
    tools: tools.map(opaqueTool),
    cases: cases.map((one) => ({
      ...one,
      steps: one.steps.map(opaqueStep),
      ...(one.proposedTools && { proposedTools: one.proposedTools.map(toolName) }),
    })),
  }));
}

type Name = (name: string) => string;

/** Numbers names in the order in which they come up. */
function namer(prefix: string): Name {
  const names = new Map<string, string>();
  return (name) => {
    const known = names.get(name) ?? `${prefix}${names.size + 1}`;
    names.set(name, known);
    return known;
  };
}

function withOpaqueKeys(argumentsJson: string, nameOf: Name): string {
  const stated = objectIn(argumentsJson);
  if (!stated) return argumentsJson;
  return JSON.stringify(Object.fromEntries(Object.entries(stated).map(([key, value]) => [nameOf(key), value])));
}

/** Renames the arguments; what is inside one is its content and stays. Titles go: they are names again, in capitals. */
function withOpaqueArguments(schema: Json, nameOf: Name): Json {
  if (!isObject(schema)) return schema;
  const { properties, required, ...rest } = schema;
  return untitled({
    ...rest,
    ...(isObject(properties) && { properties: Object.fromEntries(Object.entries(properties).map(([name, property]) => [nameOf(name), property])) }),
    ...(Array.isArray(required) && { required: required.map((name) => (typeof name === "string" ? nameOf(name) : name)) }),
  });
}

const untitled = (schema: Json): Json => inSchema(schema, { withoutTitles: true });

interface SchemaChange {
  readonly rewordDescription?: (text: string) => string;
  readonly withoutTitles?: true;
}

/** Keys of a schema whose values are schemas by name; what they list is never a keyword. */
const NAMED_SCHEMAS = new Set(["properties", "$defs", "definitions", "patternProperties", "dependentSchemas"]);
/** Keys whose values are data. */
const DATA = new Set(["default", "const", "enum", "examples", "required"]);

/** Goes through a JSON schema and changes what it says of itself, not what it describes. */
function inSchema(schema: Json, change: SchemaChange): Json {
  if (Array.isArray(schema)) return schema.map((one) => inSchema(one, change));
  if (!isObject(schema)) return schema;
  return Object.fromEntries(
    Object.entries(schema).flatMap(([key, value]): [string, Json][] => {
      if (DATA.has(key)) return [[key, value]];
      if (key === "title" && change.withoutTitles) return [];
      if (key === "description" && typeof value === "string") return [[key, change.rewordDescription?.(value) ?? value]];
      if (NAMED_SCHEMAS.has(key) && isObject(value)) {
        return [[key, Object.fromEntries(Object.entries(value).map(([name, one]) => [name, inSchema(one, change)]))]];
      }
      return [[key, inSchema(value, change)]];
    }),
  );
}
