import { identifiersIn } from "../intent/identifiers.ts";
import { isList, isObject } from "../json.ts";
import type { Json } from "../words.ts";

/** Every text of a value, however deep. */
export function textsOf(value: Json): readonly string[] {
  if (isList(value)) return value.flatMap(textsOf);
  if (isObject(value)) return Object.values(value).flatMap(textsOf);
  return value === null ? [] : [String(value)];
}

/** Every identifier in a value, however deep, keys included. */
export function identifiersOf(value: Json): readonly string[] {
  if (typeof value === "string") return identifiersIn(value);
  if (isList(value)) return value.flatMap(identifiersOf);
  return isObject(value) ? Object.entries(value).flatMap(([key, item]) => [...identifiersIn(key), ...identifiersOf(item)]) : [];
}
