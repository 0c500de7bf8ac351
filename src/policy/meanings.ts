import type { ArgumentRole } from "../core/policy.ts";
import type { Effect, RuleEvent } from "../core/words.ts";

/** What the words of a policy mean, for whoever writes one in an editor. */
export const EFFECT_MEANINGS: Readonly<Record<Effect, string>> = {
  read: "looks at data of known systems",
  browse: "looks at data of the open world; may carry data out in an address",
  create: "makes something new",
  update: "changes something",
  delete: "removes something",
  send: "passes data to somebody",
  share: "gives somebody access",
  pay: "moves money",
  credential: "makes, changes or reveals a secret",
  execute: "runs code or a command",
  unknown: "nobody knows",
};

export const ROLE_MEANINGS: Readonly<Record<ArgumentRole, string>> = {
  destination: "where data goes: a recipient, an address",
  target: "what is acted upon: it counts as a resource",
  secret: "is masked before any rule, record or log sees it",
  amount: "how much money",
  currency: "of which money",
  free_text: "words, of which nothing is concluded",
};

export const EVENT_MEANINGS: Readonly<Record<RuleEvent, string>> = {
  risk: "adds `points` to the score, or takes some away",
  deny: "DENY, whatever else",
  "require-approval": "a hold: `approvers` are asked",
  allow: "lifts what `basis.AVAILABLE` of policy.json says to allow, and overrides nothing else",
  oblige: "attaches an `obligation`, which the enforcement point fulfils or else does not act",
};

/** What other policy languages call them. */
export const EVENT_SYNONYMS: ReadonlyMap<string, RuleEvent> = new Map([
  ["ask", "require-approval"],
  ["approve", "require-approval"],
  ["approval", "require-approval"],
  ["require_approval", "require-approval"],
  ["requireApproval", "require-approval"],
  ["block", "deny"],
  ["forbid", "deny"],
  ["permit", "allow"],
  ["obligation", "oblige"],
]);

export const OPERATOR_MEANINGS: Readonly<Record<string, string>> = {
  equal: "the fact is the value",
  notEqual: "the fact is not the value",
  in: "the value, a list, holds the fact",
  notIn: "the value, a list, does not hold the fact",
  contains: "the fact, a list, holds the value",
  doesNotContain: "the fact, a list, does not hold the value",
  lessThan: "the fact is below the value",
  lessThanInclusive: "the fact is the value or below it",
  greaterThan: "the fact is above the value",
  greaterThanInclusive: "the fact is the value or above it",
  present: "the fact has a value (`true`) or has none (`false`); never unknown",
};

/** What other languages call them. */
export const OPERATOR_SYNONYMS: ReadonlyMap<string, string> = new Map([
  ...["==", "===", "=", "eq", "is"].map((word) => [word, "equal"] as const),
  ...["!=", "!==", "<>", "ne", "neq"].map((word) => [word, "notEqual"] as const),
  ...["<", "lt"].map((word) => [word, "lessThan"] as const),
  ...["<=", "lte", "le"].map((word) => [word, "lessThanInclusive"] as const),
  ...[">", "gt"].map((word) => [word, "greaterThan"] as const),
  ...[">=", "gte", "ge"].map((word) => [word, "greaterThanInclusive"] as const),
  ...["nin", "not_in"].map((word) => [word, "notIn"] as const),
  ["exists", "present"],
]);

export const DECORATOR_MEANINGS: Readonly<Record<string, string>> = {
  someFact: "for one of the fact's list",
  everyFact: "for each of the fact's list",
  someValue: "for one of the value's list",
  everyValue: "for each of the value's list",
  swap: "with fact and value exchanged",
  not: "not",
};
