import { isList, type Known } from "../core/json.ts";
import { FALSE, type Kleene, kleene, not, TRUE, UNKNOWN } from "../core/kleene.ts";
import type { Slot } from "../core/policy.ts";
import type { JsonObject } from "../core/words.ts";
import type { Condition, Leaf } from "./conditions.ts";
import { type FactReference, spell } from "./fact-reference.ts";

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

type Test = (values: readonly Known[]) => Kleene;

/** Turns a condition into a closure over the values' places. */
export function compile(condition: Condition, slots: SlotTable): Test {
  switch (condition.kind) {
    case "all":
      return compileAll(condition.parts.map((part) => compile(part, slots)));
    case "any":
      return compileAny(condition.parts.map((part) => compile(part, slots)));
    case "not": {
      const test = compile(condition.part, slots);
      return (values) => not(test(values));
    }
    case "leaf":
      return compileLeaf(condition, slots);
  }
}

function compileAll(tests: readonly Test[]): Test {
  return (values) => {
    let result: Kleene = TRUE;
    for (const test of tests) {
      const part = test(values);
      if (part === FALSE) return FALSE;
      if (part < result) result = part;
    }
    return result;
  };
}

function compileAny(tests: readonly Test[]): Test {
  return (values) => {
    let result: Kleene = FALSE;
    for (const test of tests) {
      const part = test(values);
      if (part === TRUE) return TRUE;
      if (part > result) result = part;
    }
    return result;
  };
}

function compileLeaf({ fact, operator, operatorName, value }: Leaf, slots: SlotTable): Test {
  const at = slots.indexOf(fact);
  if ("fact" in value) {
    const other = slots.indexOf(value.fact);
    return (values) => operator(values[at], values[other]);
  }
  const { literal } = value;
  // The two comparisons that most rules are made of, on strings: no call, no look at kinds twice.
  if (operatorName === "equal" && typeof literal === "string") {
    return (values) => {
      const found = values[at];
      return typeof found === "string" ? kleene(found === literal) : UNKNOWN;
    };
  }
  if (operatorName === "in" && isList(literal) && literal.every((item) => typeof item === "string")) {
    const words = new Set<Known>(literal);
    return (values) => {
      const found = values[at];
      return typeof found === "string" ? kleene(words.has(found)) : UNKNOWN;
    };
  }
  return (values) => operator(values[at], literal);
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
