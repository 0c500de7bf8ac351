import canonicalize from "canonicalize";
import type { JsonObject } from "./core/words.ts";

/** RFC 8785 text. */
export function canonical(value: JsonObject): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError("a value without a canonical form");
  return text;
}
