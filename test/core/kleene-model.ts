import { type Condition, type Facts, isList, isReference, locate, type Named, type Reference, type Value } from "./random-rules.ts";

/** What design.md §3 says conditions mean, read straight from their JSON; written apart from the compiled evaluator, to be compared with it. */
export type Truth = "TRUE" | "FALSE" | "UNKNOWN";
type Compare = (fact: Value, value: Value) => Truth;
type Table<T> = Readonly<Record<string, T>>;

const isScalar = (value: Value): boolean => value === null || ["string", "number", "boolean"].includes(typeof value);
export const areAlike = (a: Value, b: Value): boolean => isScalar(a) && isScalar(b) && typeof a === typeof b && (a === null) === (b === null);

export const truth = (value: boolean): Truth => (value ? "TRUE" : "FALSE");
const not = (part: Truth): Truth => (part === "UNKNOWN" ? "UNKNOWN" : truth(part === "FALSE"));
const all = (parts: readonly Truth[]): Truth => (parts.includes("FALSE") ? "FALSE" : parts.includes("UNKNOWN") ? "UNKNOWN" : "TRUE");
const any = (parts: readonly Truth[]): Truth => (parts.includes("TRUE") ? "TRUE" : parts.includes("UNKNOWN") ? "UNKNOWN" : "FALSE");

const equal: Compare = (fact, value) => (areAlike(fact, value) ? truth(fact === value) : "UNKNOWN");
/** A list that holds nothing like the item was meant for other items. */
const contains: Compare = (fact, value) => {
  if (!isList(fact) || !isScalar(value)) return "UNKNOWN";
  return fact.length === 0 || fact.some((item) => areAlike(item, value)) ? truth(fact.some((item) => item === value)) : "UNKNOWN";
};
const numbers = (holds: (fact: number, value: number) => boolean): Compare => {
  return (fact, value) => (typeof fact === "number" && typeof value === "number" ? truth(holds(fact, value)) : "UNKNOWN");
};
const operators: Table<Compare> = {
  equal,
  notEqual: (fact, value) => not(equal(fact, value)),
  in: (fact, value) => contains(value, fact),
  notIn: (fact, value) => not(contains(value, fact)),
  contains,
  doesNotContain: (fact, value) => not(contains(fact, value)),
  lessThan: numbers((fact, value) => fact < value),
  lessThanInclusive: numbers((fact, value) => fact <= value),
  greaterThan: numbers((fact, value) => fact > value),
  greaterThanInclusive: numbers((fact, value) => fact >= value),
  present: (fact, value) => truth((fact !== undefined) === value),
};
const decorators: Table<(next: Compare) => Compare> = {
  not: (next) => (fact, value) => not(next(fact, value)),
  swap: (next) => (fact, value) => next(value, fact),
  someFact: (next) => (fact, value) => (isList(fact) ? any(fact.map((item) => next(item, value))) : "UNKNOWN"),
  everyFact: (next) => (fact, value) => (isList(fact) ? all(fact.map((item) => next(item, value))) : "UNKNOWN"),
  someValue: (next) => (fact, value) => (isList(value) ? any(value.map((item) => next(fact, item))) : "UNKNOWN"),
  everyValue: (next) => (fact, value) => (isList(value) ? all(value.map((item) => next(fact, item))) : "UNKNOWN"),
};
/** A name goes into a map, a position into a list; nothing is inherited. */
const step = (value: Value, part: string | number): Value => {
  if (typeof part === "number") return isList(value) ? value[part] : undefined;
  return typeof value === "object" && value !== null && !isList(value) && Object.hasOwn(value, part) ? value[part] : undefined;
};

/** A table, so that a test can break one entry and see whether that is noticed. */
export const MEANING = { all, any, not, step, operators, decorators };
export type Meaning = typeof MEANING;

export function truthOf(condition: Condition, named: Named, facts: Facts, meaning: Meaning = MEANING): Truth {
  const ask = (part: Condition): Truth => truthOf(part, named, facts, meaning);
  if ("all" in condition) return meaning.all(condition.all.map(ask));
  if ("any" in condition) return meaning.any(condition.any.map(ask));
  if ("not" in condition) return meaning.not(ask(condition.not));
  if ("condition" in condition) return ask(entry(named, condition.condition));
  const [base = "", ...outwards] = condition.operator.split(":").reverse();
  const compare = outwards.reduce((next, name) => entry(meaning.decorators, name)(next), entry(meaning.operators, base));
  const { value } = condition;
  return compare(valueAt(condition, facts, meaning), isReference(value) ? valueAt(value, facts, meaning) : value);
}

export function valueAt(reference: Reference, facts: Facts, { step }: Pick<Meaning, "step"> = MEANING): Value {
  const { name, parts } = locate(reference, facts);
  return parts.reduce(step, facts[name]);
}

function entry<T>(table: Table<T>, name: string): T {
  const found = table[name];
  if (found === undefined) throw new RangeError(`the model knows no \`${name}\``);
  return found;
}
