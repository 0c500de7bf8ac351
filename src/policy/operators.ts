import { isList, type Known } from "../core/json.ts";
import { FALSE, type Kleene, kleene, not, TRUE, UNKNOWN } from "../core/kleene.ts";
import type { Json } from "../core/words.ts";

/** Compares a fact with a value. Never throws; what it cannot compare is UNKNOWN. */
export type Operator = (fact: Known, value: Known) => Kleene;

type Kind = "string" | "number" | "boolean" | "null" | "list" | "object" | "absent";

function kindOf(value: Known): Kind {
  if (value === undefined) return "absent";
  if (value === null) return "null";
  if (Array.isArray(value)) return "list";
  const type = typeof value;
  return type === "string" || type === "number" || type === "boolean" ? type : "object";
}

const isScalar = (kind: Kind): boolean => kind !== "absent" && kind !== "list" && kind !== "object";

/** `"100"` is not 100, and is not known to differ from it either: somebody meant another type. */
const equal: Operator = (fact, value) => {
  const kind = kindOf(fact);
  return isScalar(kind) && kind === kindOf(value) ? kleene(fact === value) : UNKNOWN;
};

const contains: Operator = (fact, value) => {
  if (!Array.isArray(fact) || !isScalar(kindOf(value))) return UNKNOWN;
  if (fact.length === 0) return FALSE;
  if (fact.includes(value)) return TRUE;
  return fact.some((item) => kindOf(item) === kindOf(value)) ? FALSE : UNKNOWN;
};

const isIn: Operator = (fact, value) => contains(value, fact);

const compare =
  (holds: (fact: number, value: number) => boolean): Operator =>
  (fact, value) =>
    typeof fact === "number" && typeof value === "number" ? kleene(holds(fact, value)) : UNKNOWN;

const present: Operator = (fact, value) => kleene((fact !== undefined) === value);

const opposite =
  (operator: Operator): Operator =>
  (fact, value) =>
    not(operator(fact, value));

/** json-rules-engine's operators, by its names, and `present`. */
export const OPERATORS: Readonly<Record<string, Operator>> = {
  equal,
  notEqual: opposite(equal),
  in: isIn,
  notIn: opposite(isIn),
  contains,
  doesNotContain: opposite(contains),
  lessThan: compare((fact, value) => fact < value),
  lessThanInclusive: compare((fact, value) => fact <= value),
  greaterThan: compare((fact, value) => fact > value),
  greaterThanInclusive: compare((fact, value) => fact >= value),
  present,
};

type Decorator = (next: Operator) => Operator;

const some = (results: readonly Kleene[]): Kleene => Math.max(FALSE, ...results) as Kleene;
const every = (results: readonly Kleene[]): Kleene => Math.min(TRUE, ...results) as Kleene;

const overFact =
  (join: (results: readonly Kleene[]) => Kleene): Decorator =>
  (next) =>
  (fact, value) =>
    Array.isArray(fact) ? join(fact.map((item) => next(item, value))) : UNKNOWN;

const overValue =
  (join: (results: readonly Kleene[]) => Kleene): Decorator =>
  (next) =>
  (fact, value) =>
    Array.isArray(value) ? join(value.map((item) => next(fact, item))) : UNKNOWN;

/** json-rules-engine's operator decorators, by its names. */
export const DECORATORS: Readonly<Record<string, Decorator>> = {
  someFact: overFact(some),
  everyFact: overFact(every),
  someValue: overValue(some),
  everyValue: overValue(every),
  swap: (next) => (fact, value) => next(value, fact),
  not: opposite,
};

/** Takes `everyFact:not:in` apart. Undefined when a part is not known. */
export function operatorNamed(name: string): Operator | undefined {
  const parts = name.split(":");
  const base = parts.pop() ?? "";
  let operator = Object.hasOwn(OPERATORS, base) ? OPERATORS[base] : undefined;
  if (base === "present" && parts.length > 0) return undefined;
  for (const part of parts.reverse()) {
    const decorate = Object.hasOwn(DECORATORS, part) ? DECORATORS[part] : undefined;
    if (!operator || !decorate) return undefined;
    operator = decorate(operator);
  }
  return operator;
}

/** What is known of an operand before anything is evaluated; `any` is a value inside an open map. */
export type StaticKind = "string" | "number" | "boolean" | "null" | "object" | "any" | { readonly listOf: StaticKind };

/** Every kind that a literal is of: a list of text and numbers is a list of either. */
export function staticKindsOf(value: Json): readonly StaticKind[] {
  const kind = kindOf(value);
  if (!isList(value)) return [kind === "absent" || kind === "list" ? "any" : kind];
  const items = value.length === 0 ? (["any"] as const) : value.flatMap(staticKindsOf);
  return [...new Map(items.map((listOf) => [JSON.stringify(listOf), { listOf }])).values()];
}

/** Why an operator can never decide over these operands, or undefined when it can. */
export function whyUndecidable(name: string, fact: StaticKind, value: StaticKind): string | undefined {
  const [head = "", ...rest] = name.split(":");
  if (rest.length === 0) return whyBaseUndecidable(head, fact, value);
  const next = rest.join(":");
  switch (head) {
    case "swap":
      return whyUndecidable(next, value, fact);
    case "not":
      return whyUndecidable(next, fact, value);
    case "someFact":
    case "everyFact":
      return isListKind(fact) ? whyUndecidable(next, itemOf(fact), value) : `\`${head}\` needs a list fact`;
    default:
      return isListKind(value) ? whyUndecidable(next, fact, itemOf(value)) : `\`${head}\` needs a list value`;
  }
}

const isListKind = (kind: StaticKind): boolean => kind === "any" || typeof kind === "object";
const itemOf = (kind: StaticKind): StaticKind => (typeof kind === "object" ? kind.listOf : "any");
const mayEqual = (a: StaticKind, b: StaticKind): boolean => a === "any" || b === "any" || (a === b && typeof a === "string" && a !== "object");

const nameKind = (kind: StaticKind): string => (typeof kind === "object" ? "a list" : kind === "object" ? "an object" : kind);

function whyBaseUndecidable(name: string, fact: StaticKind, value: StaticKind): string | undefined {
  const mismatch = `\`${name}\` cannot compare ${nameKind(fact)} with ${nameKind(value)}`;
  switch (name) {
    case "equal":
    case "notEqual":
      return mayEqual(fact, value) ? undefined : mismatch;
    case "in":
    case "notIn":
      if (!isListKind(value)) return `\`${name}\` needs a list value`;
      return mayEqual(fact, itemOf(value)) ? undefined : mismatch;
    case "contains":
    case "doesNotContain":
      if (!isListKind(fact)) return `\`${name}\` needs a list fact`;
      return mayEqual(itemOf(fact), value) ? undefined : mismatch;
    case "present":
      return value === "boolean" ? undefined : "`present` needs true or false";
    default:
      if (fact === "string") return `\`${name}\` needs numbers, not text; name the words that count with \`in\``;
      return mayEqual(fact, "number") && mayEqual(value, "number") ? undefined : `\`${name}\` needs numbers`;
  }
}
