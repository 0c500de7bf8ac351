import { isObject } from "../core/json.ts";
import type { JsonObject } from "../core/words.ts";

/** A JSON Schema of draft 7, with the words that editors add to it: `enumDescriptions`, `errorMessage`, `defaultSnippets`. */
export type Schema = JsonObject;

/** One of some words, each with its meaning where one is given. */
export function wordsSchema<T extends string>(words: readonly T[], meanings?: Readonly<Record<T, string>>): Schema {
  return { type: "string", enum: words, ...(meanings && { enumDescriptions: words.map((word) => meanings[word]) }) };
}

/** What stands under this name in `definitions`. */
export const definition = (name: string): Schema => ({ $ref: `#/definitions/${name}` });

/** Where something matches one schema, it must match another; where not, a third. */
export const when = (matches: Schema, then: Schema, otherwise?: Schema): Schema => ({ if: matches, then, ...(otherwise && { else: otherwise }) });

/** An object that has this key, with a value of this schema. */
export const has = (key: string, schema: Schema): Schema => ({ properties: { [key]: schema }, required: [key] });

export interface Part {
  /** Keys that may stand beside those which must. */
  readonly takes?: readonly string[];
  readonly needs: readonly string[];
  /** What is narrower here than elsewhere, by key. */
  readonly narrower?: Readonly<Record<string, Schema>>;
}

/** An object schema that knows only some of its keys, so that an editor offers no others. */
export function partOf(schema: Schema, { takes = [], needs, narrower = {} }: Part): Schema {
  const properties = isObject(schema["properties"]) ? schema["properties"] : {};
  const kept = Object.entries(properties).filter(([key]) => takes.includes(key) || needs.includes(key));
  return {
    type: "object",
    properties: Object.fromEntries(kept.map(([key, value]) => [key, { ...(isObject(value) && value), ...narrower[key] }])),
    required: needs,
    additionalProperties: false,
  };
}
