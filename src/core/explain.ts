import type { Judgement } from "./combine.ts";
import type { Influence } from "./fact.ts";
import { FACTS } from "./facts.ts";
import { gather, gatherAll, type Reading } from "./gather.ts";
import type { Known } from "./json.ts";
import { FALSE, type Kleene, TRUE, UNKNOWN } from "./kleene.ts";
import { nearest } from "./nearest.ts";
import { type Comparison, type CompiledCondition, type CompiledRule, type Policy, slotsOf } from "./policy.ts";
import type { Situation } from "./situation.ts";
import type { Steps } from "./steps.ts";
import type { Json, RiskLevel, RuleEvent } from "./words.ts";

/** Why a decision came out as it did, down to the conditions. */
export interface Explanation {
  /** The rules that stand, and those asked for, in the order of their evaluation. */
  readonly rules: readonly ExplainedRule[];
  /** Every fact that these rules read. */
  readonly facts: readonly ExplainedFact[];
  readonly score: ExplainedScore;
  /** Names of the request that are nearly those of the policy, in words. */
  readonly hints: readonly string[];
}

export type RuleResult = "matched" | "unknown" | "not_matched";

export interface ExplainedRule {
  readonly rule: string;
  readonly event: RuleEvent;
  readonly result: RuleResult;
  /** What it added. */
  readonly points: number;
  /** All points so far, before they are clamped. */
  readonly sum: number;
  /** `file:line:column`. */
  readonly position: string;
  /** Names of the facts it reads. */
  readonly reads: readonly string[];
  /** The comparisons that made the result what it is. */
  readonly decided: readonly DecidingComparison[];
}

export interface DecidingComparison {
  readonly position: string;
  readonly fact: string;
  readonly operator: string;
  readonly value: { readonly literal: Json } | { readonly fact: string };
  /** What the fact was; undefined when it is absent. */
  readonly found: Known;
  readonly result: "true" | "false" | "unknown";
}

export interface ExplainedFact {
  readonly name: string;
  /** Undefined when it is absent. */
  readonly value: Known;
  readonly influence: Influence;
}

export interface ExplainedScore {
  readonly score: number;
  /** Before it was clamped to 0..100. */
  readonly sum: number;
  readonly level: RiskLevel;
  readonly bands: { readonly middle: number; readonly top: number };
  /** Points that are missing to the next band; absent in the top one. */
  readonly toNextBand?: number;
  /** Points to lose to reach the band below; absent in the low one. */
  readonly toBandBelow?: number;
}

export interface ExplainOptions {
  /** Also rules that do not stand. */
  readonly everyRule: boolean;
}

/** Asks the same closures as the decision, and each of their parts; of rules that could not stand only if every rule is wanted. */
export function* explainJudgement(situation: Situation, judgement: Judgement, { everyRule }: ExplainOptions): Steps<Explanation> {
  const { policy } = situation;
  const reading = gather(policy, situation);
  const values = everyRule ? gatherAll(policy, situation) : reading.values;
  const rules: ExplainedRule[] = [];
  const slots = new Set<number>();
  let sum = 0;
  for (const rule of everyRule ? policy.rules : candidates(policy, reading)) {
    yield;
    const result = rule.condition.test(values);
    const points = result === FALSE ? 0 : (result === UNKNOWN ? rule.unknown : rule.matched).points;
    sum += points;
    if (result === FALSE && !everyRule) continue;
    const reads = slotsOf(rule.condition);
    for (const slot of reads) slots.add(slot);
    rules.push(explainRule({ policy, values }, rule, { result, points, sum, reads }));
  }
  const facts = [...slots].sort((a, b) => a - b).map((slot) => explainFact(policy, values, slot));
  return { rules, facts, score: explainScore(policy, judgement, sum), hints: hintsOf(situation) };
}

function hintsOf({ policy, subject, agent, tool }: Situation): readonly string[] {
  const { agent: asking, action } = subject.request;
  const nearAgent = agent ? undefined : nearest(asking.id.slice(0, 200), policy.agents.keys());
  const nearTool = tool ? undefined : nearest(action.tool.slice(0, 200), policy.tools.keys());
  return [
    ...(nearAgent === undefined ? [] : [`agent \`${asking.id}\` is not in agents.json; did you mean \`${nearAgent}\`?`]),
    ...(nearTool === undefined ? [] : [`tool \`${action.tool}\` is not in the catalog; did you mean \`${nearTool}\`?`]),
  ];
}

/** The rules that could stand, in the order of their evaluation. */
const candidates = ({ rules }: Policy, { groups }: Reading): readonly CompiledRule[] =>
  groups
    .flatMap((group) => group.rules)
    .sort((a, b) => a - b)
    .flatMap((index) => rules[index] ?? []);

interface Answers {
  readonly policy: Policy;
  readonly values: readonly Known[];
}

interface Asked {
  readonly result: Kleene;
  readonly points: number;
  readonly sum: number;
  readonly reads: ReadonlySet<number>;
}

const RESULTS = { [FALSE]: "not_matched", [UNKNOWN]: "unknown", [TRUE]: "matched" } as const satisfies Readonly<Record<Kleene, RuleResult>>;
const TRUTHS = { [FALSE]: "false", [UNKNOWN]: "unknown", [TRUE]: "true" } as const satisfies Readonly<Record<Kleene, string>>;

function explainRule(reading: Answers, { name, event, position, condition }: CompiledRule, { result, points, sum, reads }: Asked): ExplainedRule {
  const decided = deciding(condition, reading.values).map((part) => explainComparison(reading, part.condition, part.comparison));
  return {
    rule: name,
    event,
    result: RESULTS[result],
    points,
    sum,
    position,
    reads: [...reads].map((slot) => nameOf(reading.policy, slot)),
    decided,
  };
}

interface Part {
  readonly condition: CompiledCondition;
  readonly comparison: Comparison;
}

/**
 * The comparisons by which a condition came out as it did: of an `all` that is true every part, of one that is false the first false part, of
 * one that is unknown the unknown parts; of an `any` the mirror image.
 */
function deciding(condition: CompiledCondition, values: readonly Known[]): readonly Part[] {
  const { kind, parts, test, comparison } = condition;
  if (comparison) return [{ condition, comparison }];
  const result = test(values);
  const ofParts = (chosen: readonly CompiledCondition[]): readonly Part[] => chosen.flatMap((part) => deciding(part, values));
  if (kind === "not") return ofParts(parts);
  const alike = parts.filter((part) => part.test(values) === result);
  const settled = result === (kind === "all" ? FALSE : TRUE);
  return ofParts(settled ? alike.slice(0, 1) : alike);
}

function explainComparison({ policy, values }: Answers, { position, test }: CompiledCondition, comparison: Comparison): DecidingComparison {
  const { slot, operator, value } = comparison;
  return {
    position,
    fact: nameOf(policy, slot),
    operator,
    value: "slot" in value ? { fact: nameOf(policy, value.slot) } : value,
    found: values[slot],
    result: TRUTHS[test(values)],
  };
}

const nameOf = (policy: Policy, slot: number): string => policy.slots[slot]?.name ?? "?";

function explainFact(policy: Policy, values: readonly Known[], slot: number): ExplainedFact {
  const influence = FACTS[policy.slots[slot]?.fact ?? ""]?.influence ?? "agent";
  return { name: nameOf(policy, slot), value: values[slot], influence };
}

function explainScore({ settings: { bands } }: Policy, { score, level }: Judgement, sum: number): ExplainedScore {
  const { middle, top } = bands;
  return {
    score,
    sum,
    level,
    bands,
    ...(level !== "top" && { toNextBand: (level === "low" ? middle : top) - score }),
    ...(level !== "low" && { toBandBelow: score - (level === "top" ? top : middle) + 1 }),
  };
}
