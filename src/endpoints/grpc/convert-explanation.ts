import { fromJson, type JsonValue, type MessageInitShape } from "@bufbuild/protobuf";
import { type Value, ValueSchema } from "@bufbuild/protobuf/wkt";
import type { DecidingComparison, ExplainedRule, Explanation } from "../../core/explain.ts";
import type { FactChange, FlipSearch } from "../../core/flips.ts";
import type { Known } from "../../core/json.ts";
import * as wire from "../../gen/behest/v1/decision_pb.ts";
import { EVENTS, LEVELS, OUTCOMES } from "./convert.ts";

type Init = MessageInitShape<typeof wire.ExplanationSchema>;

/** Renders what a decision came from. Places are told within `directory`, the rules' own: where that lies is the server's business. */
export function explanationToWire({ rules, facts, score, hints }: Explanation, { flips, isComplete }: FlipSearch, directory: string): Init {
  const within = (position: string): string => (position.startsWith(`${directory}/`) ? position.slice(directory.length + 1) : position);
  return {
    rules: rules.map((rule) => ruleToWire(rule, within)),
    facts: facts.map(({ name, value, influence }) => ({ name, influence, ...withValue("value", value) })),
    score: {
      score: score.score,
      sum: score.sum,
      level: LEVELS[score.level],
      middle: score.bands.middle,
      top: score.bands.top,
      ...(score.toNextBand !== undefined && { toNextBand: score.toNextBand }),
      ...(score.toBandBelow !== undefined && { toBandBelow: score.toBandBelow }),
    },
    flipsCutShort: !isComplete,
    hints: [...hints],
    flips: flips.map(({ outcome, changes }) => ({ outcome: OUTCOMES[outcome], changes: changes.map(changeToWire) })),
  };
}

const RESULTS = {
  matched: wire.FindingResult.MATCHED,
  unknown: wire.FindingResult.UNKNOWN,
  not_matched: wire.FindingResult.UNSPECIFIED,
} as const satisfies Readonly<Record<ExplainedRule["result"], wire.FindingResult>>;

const TRUTHS = { true: wire.Truth.TRUE, false: wire.Truth.FALSE, unknown: wire.Truth.UNKNOWN } as const satisfies Readonly<
  Record<DecidingComparison["result"], wire.Truth>
>;

type Within = (position: string) => string;

const ruleToWire = (
  { rule, event, result, points, sum, position, reads, decided }: ExplainedRule,
  within: Within,
): MessageInitShape<typeof wire.ExplainedRuleSchema> => ({
  rule,
  event: EVENTS[event],
  result: RESULTS[result],
  points,
  sum,
  position: within(position),
  reads: [...reads],
  decided: decided.map((comparison) => comparisonToWire(comparison, within)),
});

const comparisonToWire = (
  { position, fact, operator, value, found, result }: DecidingComparison,
  within: Within,
): MessageInitShape<typeof wire.DecidingComparisonSchema> => ({
  position: within(position),
  fact,
  operator,
  comparedWith: "fact" in value ? { case: "otherFact", value: value.fact } : { case: "value", value: toValue(value.literal) },
  ...withValue("found", found),
  truth: TRUTHS[result],
});

const changeToWire = ({ fact, from, to }: FactChange): MessageInitShape<typeof wire.FactChangeSchema> => ({
  fact,
  ...withValue("from", from),
  ...withValue("to", to),
});

export const toValue = (value: Exclude<Known, undefined>): Value => fromJson(ValueSchema, value as JsonValue);

/** What is absent is a field that is not set. */
export const withValue = <K extends string>(key: K, value: Known): { [P in K]?: Value } =>
  value === undefined ? {} : ({ [key]: toValue(value) } as { [P in K]: Value });
