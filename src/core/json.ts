import type { Json, JsonObject } from "./words.ts";

/** How deep and how wide JSON from outside may be. */
export interface JsonLimits {
  /** Levels of objects and lists, the outermost being 1. */
  readonly nestingMax: number;
  /** Keys of all objects together. */
  readonly keysMax: number;
}

export type JsonProblem =
  | { readonly kind: "too-big"; readonly limit: "nesting" | "keys"; readonly max: number }
  | { readonly kind: "malformed"; readonly why: string };

export type JsonResult = { readonly value: Json } | { readonly problem: JsonProblem };

export const isObject = (value: Json | undefined): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value);

/** Says where, never what: the text may hold secrets. */
const malformedAt = (why: string, position: number): { readonly problem: JsonProblem } => ({
  problem: { kind: "malformed", why: `${why} (at character ${position + 1})` },
});

const malformed = (why: string): JsonResult => ({ problem: { kind: "malformed", why } });

/**
 * Reads one JSON text strictly: what JSON.parse would quietly change — duplicate keys, numbers that lose precision, lone surrogates — is
 * refused, and nothing deeper or wider than `limits` is ever built.
 */
export function parseStrict(text: string, limits: JsonLimits): JsonResult {
  const scan = scanText(text, limits);
  if ("problem" in scan) return scan;
  let value: Json;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // The engine's own words quote the text, and the text may hold secrets.
    const position = error instanceof Error ? /at position (\d+)/.exec(error.message)?.[1] : undefined;
    return position === undefined ? malformed("it is not JSON") : malformedAt("it is not JSON", Number(position));
  }
  const tally: Tally = { limits, keys: 0 };
  const problem = inspect(value, tally, 1);
  if (problem) return { problem };
  // Every member of the text has one colon; fewer keys than colons means that one key replaced another.
  return tally.keys === scan.members ? { value } : malformed("a key stands twice in one object");
}

/** Checks a value that a decoder has already built: depth, width, numbers, strings. */
export function checkJson(value: Json, limits: JsonLimits): JsonProblem | undefined {
  return inspect(value, { limits, keys: 0 }, 1);
}

type Scan = { readonly members: number } | { readonly problem: JsonProblem };

function scanText(text: string, limits: JsonLimits): Scan {
  let members = 0;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x22) {
      i = endOfString(text, i);
    } else if (c === 0x3a) {
      if (++members > limits.keysMax) return { problem: { kind: "too-big", limit: "keys", max: limits.keysMax } };
    } else if (c === 0x7b || c === 0x5b) {
      if (++depth > limits.nestingMax) return { problem: { kind: "too-big", limit: "nesting", max: limits.nestingMax } };
    } else if (c === 0x7d || c === 0x5d) {
      depth--;
    } else if (c === 0x2d || (c >= 0x30 && c <= 0x39)) {
      const start = i;
      while (i + 1 < text.length && isNumberPart(text.charCodeAt(i + 1))) i++;
      if (losesPrecision(text.slice(start, i + 1))) return malformedAt("a number would lose precision", start);
    }
  }
  return { members };
}

function endOfString(text: string, open: number): number {
  let i = open + 1;
  while (i < text.length) {
    const c = text.charCodeAt(i);
    if (c === 0x22) return i;
    i += c === 0x5c ? 2 : 1;
  }
  return text.length;
}

const isNumberPart = (c: number): boolean => (c >= 0x30 && c <= 0x39) || c === 0x2e || c === 0x65 || c === 0x45 || c === 0x2b || c === 0x2d;

/** A number whose digits all fit a double's 15: only its exponent can go wrong. */
const EXACT_DIGITS_MAX = 15;
/** Well above where doubles begin to lose digits. */
const SUBNORMAL_BELOW = 1e-290;

/** Whether a JSON number, read as a double and written again, names another number. */
export function losesPrecision(source: string): boolean {
  const value = Number(source);
  if (source.length <= EXACT_DIGITS_MAX && Number.isFinite(value) && Math.abs(value) > SUBNORMAL_BELOW) return false;
  return decimal(source) !== decimal(String(value));
}

/** A number's digits without leading or trailing zeros, and its exponent: the same for all spellings of one number. */
function decimal(source: string): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(source);
  if (!match) return source;
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = match;
  const digits = whole + fraction;
  // By hand: a regular expression for trailing zeros looks at every run of zeros again from each of its digits.
  let from = 0;
  while (digits[from] === "0") from++;
  let to = digits.length;
  while (to > from && digits[to - 1] === "0") to--;
  if (from === to) return "0";
  return `${sign}${digits.slice(from, to)}e${Number(exponent) - fraction.length + (digits.length - to)}`;
}

interface Tally {
  readonly limits: JsonLimits;
  keys: number;
}

function inspect(value: Json, tally: Tally, depth: number): JsonProblem | undefined {
  if (typeof value === "string") return value.isWellFormed() ? undefined : { kind: "malformed", why: "a string holds a lone surrogate" };
  if (typeof value === "number") return checkNumber(value);
  if (typeof value !== "object" || value === null) return undefined;
  if (depth > tally.limits.nestingMax) return { kind: "too-big", limit: "nesting", max: tally.limits.nestingMax };
  if (isList(value)) {
    for (const item of value) {
      const problem = inspect(item, tally, depth + 1);
      if (problem) return problem;
    }
    return undefined;
  }
  for (const key of Object.keys(value)) {
    const problem = checkKey(key, tally) ?? inspect(value[key] as Json, tally, depth + 1);
    if (problem) return problem;
  }
  return undefined;
}

function checkKey(key: string, tally: Tally): JsonProblem | undefined {
  if (++tally.keys > tally.limits.keysMax) return { kind: "too-big", limit: "keys", max: tally.limits.keysMax };
  if (!key.isWellFormed()) return { kind: "malformed", why: "a key holds a lone surrogate" };
  return key === "__proto__" ? { kind: "malformed", why: "`__proto__` is no key" } : undefined;
}

function checkNumber(value: number): JsonProblem | undefined {
  if (!Number.isFinite(value)) return { kind: "malformed", why: "a number is not finite" };
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    return { kind: "malformed", why: "an integer beyond 2^53 would lose precision" };
  }
  return undefined;
}

/** What a rule sees for an absent value, apart from every JSON value. */
export type Known = Json | undefined;

/**
 * An injective text of a value: every part carries its type and its length, object keys are sorted, absent differs from null. Two values
 * have the same text only if they are the same value, whatever the order their keys came in.
 */
export function encodeStable(value: Known): string {
  switch (typeof value) {
    case "string":
      return `s${value.length}:${value}`;
    case "number":
      return `n${Object.is(value, -0) ? 0 : value};`;
    case "boolean":
      return value ? "t" : "f";
    case "undefined":
      return "u";
    case "object":
      return encodeComposite(value);
    default:
      throw new TypeError(`not a JSON value: ${typeof value}`);
  }
}

function encodeComposite(value: null | readonly Json[] | JsonObject): string {
  if (value === null) return "z";
  if (isList(value)) {
    let text = `l${value.length}:`;
    for (const item of value) text += encodeStable(item);
    return text;
  }
  const keys = Object.keys(value).sort();
  let text = `o${keys.length}:`;
  for (const key of keys) text += `${key.length}:${key}${encodeStable(value[key])}`;
  return text;
}

export const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);
