import type { Json } from "../core/words.ts";
import { LEVELS_MAX, NODES_MAX } from "./limits.ts";
import { isForbiddenKey, isNumberAsWritten } from "./values.ts";

/** The object or array that a text is; undefined if it is none, is beyond the limits or names a member twice. */
export function readJson(text: string): Json | undefined {
  if (!/^\s*[{[]/u.test(text)) return undefined;
  const members = membersWithinLimits(text);
  if (members === undefined) return undefined;
  const value = parsed(text);
  return value === undefined || keptMembers(value) !== members ? undefined : value;
}

/** How many members the objects of a JSON text have together, as it is written; undefined beyond the limits. What is no JSON is only measured. */
function membersWithinLimits(text: string): number | undefined {
  let members = 0;
  let nodes = 1;
  let levels = 0;
  for (let at = 0; at < text.length; at++) {
    const sign = text[at];
    if (sign === '"') at = endOfString(text, at);
    else if (sign === ":") members++;
    else if (sign === ",") nodes++;
    else if (sign === "}" || sign === "]") levels--;
    else if (sign === "{" || sign === "[") {
      nodes++;
      levels++;
    }
    if (levels > LEVELS_MAX || nodes > NODES_MAX) return undefined;
  }
  return members;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at;
}

function parsed(text: string): Json | undefined {
  try {
    return /\d{16}/u.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A long number stays the text that it is. */
function keepDigits(_key: string, value: unknown, { source = "" }: { readonly source?: string } = {}): unknown {
  return typeof value === "number" && !isNumberAsWritten(source) ? source : value;
}

/** How many members are left: fewer than were written where one was named twice. Not a number where one may not be kept. */
function keptMembers(value: Json): number {
  if (typeof value !== "object" || value === null) return 0;
  if (Array.isArray(value)) return value.reduce((sum: number, entry: Json) => sum + keptMembers(entry), 0);
  let members = 0;
  for (const [key, member] of Object.entries(value)) members += isForbiddenKey(key) ? Number.NaN : 1 + keptMembers(member);
  return members;
}
