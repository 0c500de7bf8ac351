import { createHmac, createSecretKey } from "node:crypto";
import { encodeStable, isList, isObject } from "./json.ts";
import type { Policy } from "./policy.ts";
import type { DecisionRequest } from "./request.ts";
import type { Json, JsonObject } from "./words.ts";

/** Keyed digests of what must not be kept in clear; the key lives outside the database. */
export type KeyedDigest = (text: string) => string;

/** HMAC-SHA-256, `hmac-sha256:` and 64 hexadecimal digits. The key is made an object once: as a Buffer it costs six times as much at each use. */
export function createKeyedDigest(key: Buffer): KeyedDigest {
  const secret = createSecretKey(key);
  return (text) => `hmac-sha256:${createHmac("sha256", secret).update(text).digest("hex")}`;
}

const SECRET_KEY =
  /(^|_)([a-z]*pass(word|wd|phrase)s?|pass(code)?|pwd|secrets?|tokens?|(api|private|access|signing|encryption|secret|ssh|auth)_?keys?|credentials?|auth|authorization|cookies?|pin|cvv|cvc|otp|mfa_code|jwt|bearer|connection_string)(_(hash|confirmation|confirm|value|text))?$/;
/** Counts and places in a listing, not secrets. */
const COUNTED_TOKEN = /(^|_)(next|page|continuation|max|min|total|prompt|completion|input|output)_tokens?$/;

/** Answers by key: the same few keys come with every call. Emptied when full, because callers choose the keys. */
const known = new Map<string, boolean>();
const KNOWN_MAX = 10_000;
const KNOWN_KEY_LENGTH_MAX = 64;

/** Whether a key's last words say that its value is a secret: `password`, `apiKey`, `X-Auth-Token`. */
export function looksSecret(key: string): boolean {
  const before = known.get(key);
  if (before !== undefined) return before;
  if (key.length > KNOWN_KEY_LENGTH_MAX) return readsAsSecret(key);
  if (known.size >= KNOWN_MAX) known.clear();
  const answer = readsAsSecret(key);
  known.set(key, answer);
  return answer;
}

function readsAsSecret(key: string): boolean {
  const words = key
    .replaceAll(/([A-Z]+)([A-Z][a-z])/g, "$1_$2")
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replaceAll(/[-.\s:/]+/g, "_")
    .replace(/_?\d{1,4}$/, "")
    .toLowerCase();
  return SECRET_KEY.test(words) && !COUNTED_TOKEN.test(words);
}

/**
 * The request as everything behind this point sees it — rules, records, logs: each argument with role `secret` and each value under a
 * secret-looking key is replaced by `{kind, length, digest}`. Answers how many values were.
 */
export function maskRequest(
  request: DecisionRequest,
  policy: Policy,
  digest: KeyedDigest,
): { readonly request: DecisionRequest; readonly masked: number } {
  const roles = policy.tools.get(request.action.tool)?.roles;
  const mask: Mask = { isSecret: looksSecret, digest, count: { masked: 0 } };
  const { agent, action, context } = request;
  // What the catalog calls a target or destination must be seen by reach and labels, whatever its name looks like.
  const isPlaceArgument = (key: string): boolean => roles?.get(key) === "target" || roles?.get(key) === "destination";
  const isSecretArgument = (key: string): boolean => roles?.get(key) === "secret" || looksSecret(key);
  const masked: DecisionRequest = {
    ...request,
    agent: agent.attributes ? { ...agent, attributes: maskObject(agent.attributes, mask) } : agent,
    action: {
      ...action,
      arguments: maskObject(action.arguments, { ...mask, isSecret: isSecretArgument, isPlain: isPlaceArgument }),
      ...(action.resource?.attributes && { resource: { ...action.resource, attributes: maskObject(action.resource.attributes, mask) } }),
    },
    ...(context?.attributes && { context: { ...context, attributes: maskObject(context.attributes, mask) } }),
  };
  return { request: masked, masked: mask.count.masked };
}

/** The same for attributes by themselves: values under secret-looking keys are masked. */
export const maskAttributes = (attributes: JsonObject, digest: KeyedDigest): JsonObject =>
  maskObject(attributes, { isSecret: looksSecret, digest, count: { masked: 0 } });

interface Mask {
  readonly isSecret: (key: string) => boolean;
  /** Keys whose values are left as they are, however deep. */
  readonly isPlain?: (key: string) => boolean;
  readonly digest: KeyedDigest;
  readonly count: { masked: number };
}

function maskObject(object: JsonObject, mask: Mask): JsonObject {
  const { isSecret, isPlain, digest, count } = mask;
  const before = count.masked;
  const masked: Record<string, Json> = {};
  for (const key of Object.keys(object)) {
    const value = object[key] as Json;
    if (isPlain?.(key)) {
      masked[key] = value;
    } else if (value !== null && isSecret(key)) {
      masked[key] = maskValue(value, digest);
      count.masked++;
    } else {
      masked[key] = typeof value === "object" && value !== null ? maskNested(value, mask) : value;
    }
  }
  // Most requests hold nothing secret: hand back the original rather than a copy.
  return count.masked === before ? object : masked;
}

/** A role is a top-level argument's; below that, a key must speak for itself. */
function maskNested(value: Json, mask: Mask): Json {
  if (isList(value)) return value.map((item) => maskNested(item, mask));
  return isObject(value) ? maskObject(value, { digest: mask.digest, count: mask.count, isSecret: looksSecret }) : value;
}

function maskValue(value: Json, digest: KeyedDigest): JsonObject {
  const text = typeof value === "string" ? value : encodeStable(value);
  return { kind: isList(value) ? "list" : typeof value, length: text.length, digest: digest(text) };
}
