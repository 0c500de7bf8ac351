import { parseArgs } from "node:util";
import fc from "fast-check";
import { evaluate, findingsOf } from "../../src/core/evaluate.ts";
import { gatherAll } from "../../src/core/gather.ts";
import type { Policy } from "../../src/core/policy.ts";
import { type Subject, situate } from "../../src/core/situation.ts";
import { NOTHING_SEEN } from "../../src/core/tasks/seen.ts";
import { instant, type JsonObject } from "../../src/core/words.ts";
import { compilePolicy } from "../../src/policy/load.ts";
import { engineSays } from "../../src/reference/second-opinion.ts";
import { filesOf, readingOf } from "../policies.ts";
import { areAlike, type Truth, truth, truthOf, valueAt } from "./kleene-model.ts";
import {
  type Condition,
  depthOf,
  type Facts,
  isList,
  isReference,
  type Kind,
  leavesOf,
  locate,
  type Named,
  type Pair,
  PLACES,
  type Place,
  pairs,
  type Reference,
  randomRuns,
  TOTALS,
  type Value,
} from "./random-rules.ts";

/** What answers a pair: the compiled evaluator, the model, or a broken twin of it. */
export type Evaluator = (pair: Pair) => Truth;

/** What every evaluator must agree with. */
export type Law =
  /** What json-rules-engine says where every fact is there and of the type that its condition expects. */
  | "engine"
  /** What the Kleene model says, always. */
  | "model"
  /** A TRUE or FALSE in spite of absent facts is what json-rules-engine says, whatever they turn out to be. */
  | "tie";

/** A pair with everything the oracles say of it. */
export interface Observation {
  readonly pair: Pair;
  readonly model: Truth;
  /** Absent where json-rules-engine is no oracle. */
  readonly engine?: Truth;
  /** What the engine says for each value drawn for what is absent. */
  readonly drawn: readonly Truth[];
}

export function brokenLaws(evaluator: Evaluator, { pair, model, engine, drawn }: Observation): readonly Law[] {
  const said = evaluator(pair);
  const broken: Law[] = [];
  if (engine !== undefined && said !== engine) broken.push("engine");
  if (said !== model) broken.push("model");
  if (said !== "UNKNOWN" && drawn.some((other) => other !== said)) broken.push("tie");
  return broken;
}

export async function observe(pair: Pair): Promise<Observation> {
  const { conditions, named, facts } = pair;
  const model = truthOf(conditions, named, facts);
  const leaves = leavesOf(conditions, named);
  const fits = leaves.every((leaf) => {
    const value = isReference(leaf.value) ? valueAt(leaf.value, facts) : leaf.value;
    return isFitting(leaf.operator, valueAt(leaf, facts), value);
  });
  if (fits) return { pair, model, engine: truth(await askEngine(pair, facts)), drawn: [] };
  const absent = leaves.flatMap((leaf) => (isReference(leaf.value) ? [leaf, leaf.value] : [leaf])).some((one) => valueAt(one, facts) === undefined);
  const drawn: Truth[] = [];
  if (absent) {
    // Where the model does not know there is little to tie; one draw still shows up an evaluator that believes it knows.
    for (const draw of model === "UNKNOWN" ? pair.draws.slice(0, 1) : pair.draws) {
      const said = await askEngineWith(pair, draw);
      if (said !== undefined) drawn.push(truth(said));
    }
  }
  return { pair, model, drawn };
}

/** Whether both sides are there and of the types that the operator compares. */
function isFitting(operator: string, fact: Value, value: Value): boolean {
  const [head = "", ...rest] = operator.split(":");
  const next = rest.join(":");
  switch (head) {
    case "present":
      return true;
    case "not":
      return isFitting(next, fact, value);
    case "swap":
      return isFitting(next, value, fact);
    case "someFact":
    case "everyFact":
      return isList(fact) && fact.every((item) => isFitting(next, item, value));
    case "someValue":
    case "everyValue":
      return isList(value) && value.every((item) => isFitting(next, fact, item));
    case "in":
    case "notIn":
      return holdsLike(value, fact);
    case "contains":
    case "doesNotContain":
      return holdsLike(fact, value);
    default:
      return areAlike(fact, value) && (head.toLowerCase().endsWith("equal") || typeof fact === "number");
  }
}

const holdsLike = (list: Value, item: Value): boolean =>
  isList(list) && areAlike(item, item) && (list.length === 0 || list.some((one) => areAlike(one, item)));

const TRUE_FACT = "test.true";

/** The same conditions for json-rules-engine: `present`, which it has not, as a constant; references as `reference` spells them. */
function forEngine(condition: Condition, named: Named, facts: Facts, spell: (reference: Reference) => Reference): Condition {
  const again = (part: Condition): Condition => forEngine(part, named, facts, spell);
  if ("all" in condition) return { all: condition.all.map(again) };
  if ("any" in condition) return { any: condition.any.map(again) };
  if ("not" in condition) return { not: again(condition.not) };
  if ("condition" in condition) return again(named[condition.condition] ?? { all: [] });
  const { operator, value } = condition;
  if (operator === "present") return { fact: TRUE_FACT, operator: "equal", value: (valueAt(condition, facts) !== undefined) === value };
  return { ...spell(condition), operator, value: isReference(value) ? spell(value) : value };
}

/** As its author wrote it, with json-rules-engine's own paths into whole facts. */
function askEngine({ conditions, named }: Pair, facts: Facts): Promise<boolean> {
  const spell = (reference: Reference): Reference => {
    const { name, parts } = locate(reference, facts);
    return {
      fact: name,
      ...(parts.length > 0 && { path: `$${parts.map((part) => (typeof part === "number" ? `[${part}]` : `['${part}']`)).join("")}` }),
    };
  };
  const source = forEngine(conditions, named, facts, spell) as unknown as JsonObject;
  return engineSays(source, new Map([...Object.entries(facts), [TRUE_FACT, true]]));
}

/** With values drawn for what is absent, every place a fact of its own. Undefined when the engine throws, as on `in` what is no list. */
async function askEngineWith({ conditions, named, facts }: Pair, draw: Readonly<Record<Kind, Value>>): Promise<boolean | undefined> {
  const known = new Map<string, Value>([[TRUE_FACT, true]]);
  const spell = ({ fact, path }: Reference): Reference => {
    const whole = fact + (path ?? "$").slice(1);
    const kind = PLACES.find(({ name, rest }) => name + rest === whole)?.kind ?? "any";
    const found = valueAt({ fact: whole }, facts);
    known.set(whole, found === undefined ? draw[kind] : found);
    return { fact: whole };
  };
  const source = forEngine(conditions, named, facts, spell) as unknown as JsonObject;
  try {
    return await engineSays(source, known);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** No rule reads these; the shorter, the more pairs fit into a minute. */
const UNREAD = { basis: { AUTHORIZED: {}, INFERRED: {}, AVAILABLE: {} }, reach: { default: {} }, groups: {} };
const { "policy.json": SETTINGS = "" } = filesOf({ settings: UNREAD });

/** The pair as one rule of a real policy, and the values that its slots have. */
export function compilePair({ conditions, named, facts }: Pair): { readonly policy: Policy; readonly values: readonly Value[] } {
  const rule = { name: "asked", conditions, event: { type: "risk", params: { points: 1, reason: "asked", controls: [] } } };
  const { policy } = compilePolicy({ "policy.json": SETTINGS, "test.rules.json": JSON.stringify({ conditions: named, rules: [rule] }) });
  return { policy, values: valuesFor(policy, facts) };
}

/** The real loader and evaluator, the facts read from a real subject. */
export const compiled: Evaluator = (pair) => {
  const { policy, values } = compilePair(pair);
  const [finding] = findingsOf(policy, evaluate(policy, readingOf(policy, values)));
  return finding === undefined ? "FALSE" : finding.result === "matched" ? "TRUE" : "UNKNOWN";
};

/** No subject can leave a total fact out or give it another type: those values alone are put in place by hand. */
export function valuesFor(policy: Policy, facts: Facts): readonly Value[] {
  const gathered = gatherAll(policy, situate(policy, subjectOf(facts)));
  return policy.slots.map(({ name }, index) => {
    const total = TOTALS.find((place) => place.name === name);
    return total && !canBe(total, facts[name]) ? facts[name] : gathered[index];
  });
}

const canBe = ({ kind, words }: Place, value: Value): boolean =>
  isOfKind(value, kind) && (words === undefined || words.some((word) => word === value));

const isOfKind = (value: Value, kind: Kind): boolean =>
  kind.endsWith("[]") ? isList(value) && value.every((item) => isOfKind(item, kind.slice(0, -2))) : typeof value === kind;

function subjectOf(facts: Facts): Subject {
  const stringAt = (name: string): string => (typeof facts[name] === "string" ? facts[name] : "none");
  const stringsAt = (name: string): readonly string[] => (isOfKind(facts[name], "string[]") ? (facts[name] as readonly string[]) : []);
  const mapAt = (name: string): JsonObject | undefined => facts[name] as JsonObject | undefined;
  const attributes = mapAt("context.attributes");
  const masked = facts["action.secret_count"];
  return {
    at: instant(0),
    tenant: "default",
    caller: stringAt("caller.id"),
    request: {
      agent: { id: "agent" },
      session: stringAt("session"),
      action: {
        tool: "tool",
        operation: stringAt("action.operation"),
        arguments: mapAt("action.arguments") ?? {},
        argumentsTruncated: facts["action.arguments_truncated"] === true,
      },
      context: { environment: stringAt("context.environment"), ...(attributes && { attributes }) },
    },
    masked: typeof masked === "number" ? masked : 0,
    task: {
      standing: "new",
      id: "task",
      restated: facts["task.restated"] === true,
      seen: {
        ...NOTHING_SEEN,
        categories: stringsAt("task.seen.categories"),
        systems: stringsAt("task.seen.systems"),
        trust: facts["task.seen.trust"] === "untrusted" ? "untrusted" : "trusted",
      },
    },
  };
}

export interface Differential {
  /** Every pair that was tried, in order. */
  readonly observations: readonly Observation[];
  /** The smallest pair found on which the evaluator breaks a law, with seed and path; absent when there is none. */
  readonly failure?: string;
}

/** Puts random pairs to an evaluator and to its oracles. */
export async function differential(evaluator: Evaluator, runs: { readonly seed: number; readonly numRuns: number }): Promise<Differential> {
  const observations: Observation[] = [];
  const property = fc.asyncProperty(pairs(), async (pair) => {
    const observation = await observe(pair);
    observations.push(observation);
    const broken = brokenLaws(evaluator, observation);
    if (broken.length === 0) return;
    const { model, engine, drawn } = observation;
    throw new Error(`breaks ${broken.join(", ")}: ${JSON.stringify({ said: evaluator(pair), model, engine, drawn })}`);
  });
  const details = await fc.check(property, { ...runs, includeErrorInReport: true });
  return details.failed ? { observations, failure: fc.defaultReportMessage(details) ?? "failed" } : { observations };
}

/** How many observations have something to them, by what it is. */
export function coverageOf(observations: readonly Observation[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const observation of observations) for (const what of featuresOf(observation)) counts.set(what, (counts.get(what) ?? 0) + 1);
  return counts;
}

function featuresOf({ pair, model, engine, drawn }: Observation): ReadonlySet<string> {
  const { conditions, named, facts } = pair;
  const features = new Set<string>([model]);
  if (engine !== undefined) features.add("engine asked").add(`engine ${engine}`);
  if (drawn.length > 0 && model !== "UNKNOWN") features.add(`${model} although absent`);
  if (JSON.stringify(conditions).includes('"condition"')) features.add("named");
  if (depthOf(conditions, named) >= 3) features.add("nested three deep");
  for (const leaf of leavesOf(conditions, named)) {
    for (const part of leaf.operator.split(":")) features.add(part);
    if (leaf.operator.split(":").length > 2) features.add("decorated twice");
    const found = valueAt(leaf, facts);
    const { parts } = locate(leaf, facts);
    if (found === undefined) features.add("absent");
    else if (leaf.operator !== "present" && !isFitting(leaf.operator, found, isReference(leaf.value) ? valueAt(leaf.value, facts) : leaf.value)) {
      features.add("wrong type");
    }
    if (parts.length > 0) features.add("path");
    if (parts.some((part) => typeof part === "number")) features.add("list position");
    if (isReference(leaf.value)) features.add("other fact");
    if (isList(found) && found.length === 0) features.add("empty list");
    if (found === null) features.add("null");
  }
  return features;
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { runs: { type: "string", default: "20000" }, seed: { type: "string" } } });
  const runs = { numRuns: Number(values.runs), seed: Number(values.seed ?? randomRuns(1).seed) };
  const { observations, failure } = await differential(compiled, runs);
  const counts = [...coverageOf(observations)].sort(([, a], [, b]) => b - a).map(([what, count]) => `${count} ${what}`);
  process.stderr.write(`${counts.join("\n")}\n`);
  process.stdout.write(`${JSON.stringify({ ...runs, pairs: observations.length, differences: failure === undefined ? 0 : 1 })}\n`);
  if (failure !== undefined) {
    process.stderr.write(`${failure}\n`);
    process.exitCode = 4;
  }
}
