import type { FactDeclaration, Worsening } from "../core/fact.ts";
import { isList, isObject, type Known } from "../core/json.ts";
import type { Json } from "../core/words.ts";

export interface ExampleCondition {
  readonly fact: string;
  readonly operator: string;
  readonly value: Json;
}

/** A condition on a fact as an author may begin with it: in a restrictive rule it does not stop applying as the fact gets worse. */
export function exampleCondition(name: string, { type, example, worsening }: FactDeclaration): ExampleCondition {
  switch (type) {
    case "integer":
      return { fact: name, operator: "greaterThanInclusive", value: plain(example) };
    case "boolean":
      return { fact: name, operator: "equal", value: worsening?.by === "becoming" ? worsening.value : plain(example) };
    case "list":
      return { fact: name, operator: "contains", value: firstOf(example) };
    case "map": {
      const [[key, value] = ["name", null]] = isObject(plain(example)) ? Object.entries(plain(example) ?? {}) : [];
      return isList(value)
        ? { fact: `${name}.${key}`, operator: "contains", value: firstOf(value) }
        : { fact: `${name}.${key}`, operator: "equal", value };
    }
    case "string": {
      const words = fromHere(plain(example), worsening);
      return words.length > 1 ? { fact: name, operator: "in", value: words } : { fact: name, operator: "equal", value: plain(example) };
    }
  }
}

const plain = (value: Known): Json => value ?? null;
const firstOf = (value: Known): Json => (isList(plain(value)) ? ((value as readonly Json[])[0] ?? null) : plain(value));

/** A word, and all that are worse. */
function fromHere(word: Json, worsening: Worsening | undefined): readonly Json[] {
  // Which classifications there are is the policy's own business: these are the starter's.
  if (worsening?.by === "classification") return [word, "restricted"];
  if (worsening?.by !== "tiers") return [word];
  const at = worsening.tiers.findIndex((tier) => tier.some((other) => other === word));
  return [word, ...worsening.tiers.slice(at + 1).flat()];
}
