import { Engine, type TopLevelCondition } from "json-rules-engine";
import type { Evaluation } from "../core/evaluate.ts";
import type { Known } from "../core/json.ts";
import { FALSE, type Kleene, TRUE } from "../core/kleene.ts";
import type { CompiledRule, Policy } from "../core/policy.ts";
import type { JsonObject } from "../core/words.ts";

/** A rule on which the compiled evaluator and json-rules-engine differ. */
export interface Difference {
  readonly rule: string;
  readonly compiled: Kleene;
  readonly engine: boolean;
}

/**
 * What json-rules-engine says of one condition: the written meaning of the format, for facts that are present and of the declared type. A
 * fresh Engine every time, because an Engine shared by overlapping runs skips rules.
 */
export async function engineSays(source: JsonObject, facts: ReadonlyMap<string, Known>): Promise<boolean> {
  const engine = new Engine([], { allowUndefinedFacts: true });
  for (const [name, value] of facts) if (value !== undefined) engine.addFact(name, value);
  engine.addRule({ conditions: source as unknown as TopLevelCondition, event: { type: "stands" } });
  const { events } = await engine.run();
  return events.length > 0;
}

/** Asks json-rules-engine about every rule whose facts are all there, and names each on which it differs. */
export async function differences(policy: Policy, values: readonly Known[], evaluation: Evaluation): Promise<readonly Difference[]> {
  const facts = new Map(policy.slots.map((slot, index) => [slot.name, values[index]]));
  const found: Difference[] = [];
  for (const [index, rule] of policy.rules.entries()) {
    if (!isComparable(rule, facts)) continue;
    const compiled = evaluation.stands.includes(index * 2) ? TRUE : evaluation.stands.includes(index * 2 + 1) ? 1 : FALSE;
    const engine = await engineSays(rule.source, facts);
    if (compiled !== (engine ? TRUE : FALSE)) found.push({ rule: rule.name, compiled, engine });
  }
  return found;
}

/** Absent facts, parts of open maps, and `present` have no meaning in json-rules-engine that we share. */
function isComparable({ source }: CompiledRule, facts: ReadonlyMap<string, Known>): boolean {
  const text = JSON.stringify(source);
  if (text.includes('"operator":"present"')) return false;
  return [...text.matchAll(/"fact":"([^"]+)"/g)].every(([, name = ""]) => facts.get(name) !== undefined && !isOpen(name));
}

const isOpen = (name: string): boolean => name.startsWith("action.arguments.") || name.includes(".attributes");
