import { isList, type Known } from "../core/json.ts";
import { FALSE, type Kleene, not, TRUE, UNKNOWN } from "../core/kleene.ts";
import type { Comparison, CompiledCondition, Slot, Test } from "../core/policy.ts";
import type { Json, JsonObject } from "../core/words.ts";
import type { Condition } from "./conditions.ts";
import { type FactReference, spell } from "./fact-reference.ts";
import type { Operator } from "./operators.ts";

/** Where each fact's value stands among the values that `gather` hands over. */
export interface SlotTable {
  readonly slots: readonly Slot[];
  indexOf(fact: FactReference): number;
}

export interface GrowingSlotTable extends SlotTable {
  readonly slots: Slot[];
}

export function createSlotTable(): GrowingSlotTable {
  const slots: Slot[] = [];
  const indexes = new Map<string, number>();
  return {
    slots,
    indexOf(fact) {
      const name = spell(fact);
      let index = indexes.get(name);
      if (index === undefined) {
        index = slots.length;
        slots.push({ name, fact: fact.name, path: fact.path });
        indexes.set(name, index);
      }
      return index;
    },
  };
}

/** Turns a condition into closures over the values' places, one for each of its parts. */
export function compile(condition: Condition, slots: SlotTable): CompiledCondition {
  const position = condition.document.positionOf(condition.node);
  switch (condition.kind) {
    case "all":
    case "any":
      return grouping(
        condition.kind,
        condition.parts.map((part) => compile(part, slots)),
        position,
      );
    case "not":
      return grouping("not", [compile(condition.part, slots)], position);
    case "leaf": {
      const { fact, operator, operatorName, value } = condition;
      const slot = slots.indexOf(fact);
      const other = "fact" in value ? { slot: slots.indexOf(value.fact) } : value;
      return comparing(operator, { slot, operator: operatorName, value: other }, position);
    }
  }
}

export function grouping(kind: "all" | "any" | "not", parts: readonly CompiledCondition[], position: string): CompiledCondition {
  const tests = parts.map(({ test }) => test);
  switch (kind) {
    case "all":
      return { kind, test: compileAll(tests), parts, position };
    case "any":
      return { kind, test: compileAny(tests), parts, position };
    case "not":
      return { kind, test: negated(compileAll(tests)), parts, position };
  }
}

export const comparing = (operator: Operator, comparison: Comparison, position: string): CompiledCondition => ({
  kind: "compare",
  test: compileComparison(operator, comparison),
  parts: [],
  position,
  comparison,
});

/** Most rules have one or two parts; for those a loop would cost more than the parts. */
function compileAll(tests: readonly Test[]): Test {
  const [first, second, third] = tests;
  if (first && !second) return first;
  if (first && second && !third) {
    return (values) => {
      const result = first(values);
      if (result === FALSE) return FALSE;
      const other = second(values);
      return other === TRUE ? result : other;
    };
  }
  return (values) => {
    let result: Kleene = TRUE;
    for (let at = 0; at < tests.length; at++) {
      const part = tests[at]?.(values) ?? UNKNOWN;
      if (part === FALSE) return FALSE;
      if (part < result) result = part;
    }
    return result;
  };
}

function compileAny(tests: readonly Test[]): Test {
  const [first, second] = tests;
  if (first && !second) return first;
  return (values) => {
    let result: Kleene = FALSE;
    for (let at = 0; at < tests.length; at++) {
      const part = tests[at]?.(values) ?? UNKNOWN;
      if (part === TRUE) return TRUE;
      if (part > result) result = part;
    }
    return result;
  };
}

function compileComparison(operator: Operator, { slot, operator: name, value }: Comparison): Test {
  if ("slot" in value) {
    const other = value.slot;
    return (values) => operator(values[slot], values[other]);
  }
  const { literal } = value;
  return quickTest(name, literal, slot) ?? ((values) => operator(values[slot], literal));
}

/** The comparisons that most rules are made of, without a call and without looking at kinds twice. Each says what its operator says. */
function quickTest(operatorName: string, literal: Json, at: number): Test | undefined {
  if (typeof literal === "string" || typeof literal === "boolean") {
    if (operatorName === "equal") return sameTest(literal, at);
    if (operatorName === "notEqual") return negated(sameTest(literal, at));
    if (operatorName === "contains" && typeof literal === "string") return holdsTest(literal, at);
    return undefined;
  }
  if (typeof literal === "number") {
    if (operatorName === "greaterThan") return aboveTest(literal, at);
    if (operatorName === "greaterThanInclusive") return fromTest(literal, at);
    return undefined;
  }
  return operatorName === "in" && isList(literal) && literal.every((item) => typeof item === "string") ? amongTest(literal, at) : undefined;
}

const negated =
  (test: Test): Test =>
  (values) =>
    not(test(values));

function sameTest(literal: string | boolean, at: number): Test {
  const kind = typeof literal;
  return (values) => {
    const found = values[at];
    if (found === literal) return TRUE;
    return typeof found === kind ? FALSE : UNKNOWN;
  };
}

/** A list without a string may hold anything but what was meant: whether it holds the literal is not known. */
function holdsTest(literal: string, at: number): Test {
  return (values) => {
    const found = values[at];
    if (!isList(found)) return UNKNOWN;
    let result: Kleene = found.length === 0 ? FALSE : UNKNOWN;
    for (let item = 0; item < found.length; item++) {
      if (found[item] === literal) return TRUE;
      if (typeof found[item] === "string") result = FALSE;
    }
    return result;
  };
}

function amongTest(words: readonly Known[], at: number): Test {
  const known = new Set(words);
  return (values) => {
    const found = values[at];
    if (typeof found !== "string") return UNKNOWN;
    return known.has(found) ? TRUE : FALSE;
  };
}

function aboveTest(literal: number, at: number): Test {
  return (values) => {
    const found = values[at];
    if (typeof found !== "number") return UNKNOWN;
    return found > literal ? TRUE : FALSE;
  };
}

function fromTest(literal: number, at: number): Test {
  return (values) => {
    const found = values[at];
    if (typeof found !== "number") return UNKNOWN;
    return found >= literal ? TRUE : FALSE;
  };
}

/** The condition as json-rules-engine reads it, every fact under one name, named conditions written out. */
export function sourceOf(condition: Condition): JsonObject {
  switch (condition.kind) {
    case "all":
    case "any":
      return { [condition.kind]: condition.parts.map(sourceOf) };
    case "not":
      return { not: sourceOf(condition.part) };
    case "leaf": {
      const { value } = condition;
      return {
        fact: spell(condition.fact),
        operator: condition.operatorName,
        value: "literal" in value ? value.literal : { fact: spell(value.fact) },
      };
    }
  }
}
