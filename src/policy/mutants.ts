import { isList } from "../core/json.ts";
import { judgeSituation } from "../core/judge.ts";
import { FALSE, UNKNOWN } from "../core/kleene.ts";
import type { Comparison, CompiledCondition, CompiledRule, Policy, RuleIndex } from "../core/policy.ts";
import type { Json, RuleEvent } from "../core/words.ts";
import { disagreementsOf, type JudgedCase } from "./case-judge.ts";
import { comparing, grouping } from "./compile.ts";
import { spellComparison } from "./coverage.ts";
import { operatorNamed } from "./operators.ts";

/** One small mistake that an author could have made: what one change of a file makes of the rules. */
export interface Mutant {
  /** `file:line:column`. */
  readonly position: string;
  readonly what: string;
  /** By index into `Policy.rules`: several where a named condition is changed. */
  readonly mutated: ReadonlyMap<number, CompiledRule>;
}

/** Every mutant of a policy's rules, in the order of the rules. */
export function mutantsOf(policy: Policy): readonly Mutant[] {
  const mutants = new Map<string, { readonly position: string; readonly what: string; readonly mutated: Map<number, CompiledRule> }>();
  for (const [index, rule] of policy.rules.entries()) {
    const add = (what: string, mutated: CompiledRule, position = rule.position): void => {
      const key = `${position} ${what}`;
      const known = mutants.get(key) ?? { position, what, mutated: new Map<number, CompiledRule>() };
      mutants.set(key, known);
      if (!known.mutated.has(index)) known.mutated.set(index, mutated);
    };
    for (const { what, event, points } of eventMutations(rule)) add(what, withEvent(rule, event, points));
    for (const { what, position, condition } of conditionMutations(rule.condition, policy)) add(what, { ...rule, condition }, position);
  }
  return [...mutants.values()];
}

interface EventMutation {
  readonly what: string;
  readonly event: RuleEvent;
  readonly points: number;
}

/** What the rule would be if it did less than it does. */
function eventMutations({ event, points }: CompiledRule): readonly EventMutation[] {
  const silent = { what: "the rule is left out", event: "risk", points: 0 } as const;
  const pointless = { what: `${points} points → 0`, event, points: 0 };
  switch (event) {
    case "deny":
      return [{ what: "`deny` → `require-approval`", event: "require-approval", points }, ...(points === 0 ? [] : [pointless])];
    case "require-approval":
      return [{ what: "`require-approval` → `risk`", event: "risk", points }, ...(points === 0 ? [] : [pointless])];
    case "risk":
      return [pointless];
    case "allow":
    case "oblige":
      return [silent];
  }
}

function withEvent({ obligation: _, ...rule }: CompiledRule, event: RuleEvent, points: number): CompiledRule {
  return { ...rule, event, points, matched: { ...rule.matched, event, points }, unknown: { ...rule.unknown, event, points: Math.max(0, points) } };
}

interface ConditionMutation {
  readonly what: string;
  readonly position: string;
  /** The whole condition of the rule. */
  readonly condition: CompiledCondition;
}

function* conditionMutations(condition: CompiledCondition, policy: Policy): Generator<ConditionMutation> {
  const { kind, parts, position, comparison } = condition;
  if (comparison) {
    for (const { what, changed } of comparisonMutations(comparison)) {
      const operator = operatorNamed(changed.operator);
      if (operator)
        yield { what: `${spellComparison(policy.slots, comparison)}: ${what}`, position, condition: comparing(operator, changed, position) };
    }
    return;
  }
  if (kind === "not") {
    const [part] = parts;
    if (part) yield { what: "`not` is dropped", position, condition: part };
    for (const mutation of part ? conditionMutations(part, policy) : []) {
      yield { ...mutation, condition: grouping("not", [mutation.condition], position) };
    }
    return;
  }
  if (kind === "compare") return;
  const other = kind === "all" ? "any" : "all";
  if (parts.length > 1) {
    yield { what: `\`${kind}\` → \`${other}\``, position, condition: grouping(other, parts, position) };
    for (const [at, part] of parts.entries()) {
      const rest = parts.filter((_, index) => index !== at);
      yield { what: `part ${at + 1} of \`${kind}\` is dropped`, position: part.position, condition: grouping(kind, rest, position) };
    }
  }
  for (const [at, part] of parts.entries()) {
    for (const mutation of conditionMutations(part, policy)) {
      yield { ...mutation, condition: grouping(kind, parts.with(at, mutation.condition), position) };
    }
  }
}

const FLIPS: Readonly<Record<string, readonly string[]>> = {
  equal: ["notEqual"],
  notEqual: ["equal"],
  in: ["notIn"],
  notIn: ["in"],
  contains: ["doesNotContain"],
  doesNotContain: ["contains"],
  lessThan: ["lessThanInclusive", "greaterThan"],
  lessThanInclusive: ["lessThan", "greaterThanInclusive"],
  greaterThan: ["greaterThanInclusive", "lessThan"],
  greaterThanInclusive: ["greaterThan", "lessThanInclusive"],
};

interface ComparisonMutation {
  readonly what: string;
  readonly changed: Comparison;
}

function* comparisonMutations(comparison: Comparison): Generator<ComparisonMutation> {
  const { operator, value } = comparison;
  const decorators = operator.split(":");
  const base = decorators.pop() ?? "";
  for (const flipped of FLIPS[base] ?? []) {
    yield { what: `\`${base}\` → \`${flipped}\``, changed: { ...comparison, operator: [...decorators, flipped].join(":") } };
  }
  if (!("literal" in value)) return;
  for (const { what, literal } of literalMutations(value.literal)) yield { what, changed: { ...comparison, value: { literal } } };
}

const DROPPED_MAX = 20;

function literalMutations(literal: Json): readonly { readonly what: string; readonly literal: Json }[] {
  const to = (other: Json) => ({ what: `\`${JSON.stringify(literal)}\` → \`${JSON.stringify(other)}\``, literal: other });
  if (typeof literal === "boolean") return [to(!literal)];
  if (typeof literal === "number") return [to(literal + 1), to(literal - 1)];
  if (typeof literal === "string") return [to(`${literal}?`)];
  if (!isList(literal) || literal.length < 2) return [];
  return literal
    .slice(0, DROPPED_MAX)
    .map((item, at) => ({ what: `\`${JSON.stringify(item)}\` is dropped`, literal: literal.filter((_, index) => index !== at) }));
}

/** Leaves no rule out: a mutant may demand other values than the rule that the index knows. */
const wholeIndex = (policy: Policy): RuleIndex => ({
  always: { rules: policy.rules.map((_, index) => index), slots: policy.slots.map((_, slot) => slot) },
  guards: [],
});

/** Says of a mutant whether some case notices it: decides it otherwise than it expects. All cases must hold as the rules are. */
export function createNoticer(policy: Policy, judged: readonly JudgedCase[]): (mutant: Mutant) => boolean {
  const index = wholeIndex(policy);
  return ({ mutated }) => {
    const rules = policy.rules.map((rule, at) => mutated.get(at) ?? rule);
    const changed = { ...policy, rules, index };
    return judged.some(({ stated, situation, values }) => {
      if ([...mutated].every(([at, rule]) => saysTheSame(policy.rules[at], rule, values))) return false;
      return disagreementsOf(stated, judgeSituation({ ...situation, policy: changed }).judgement).length > 0;
    });
  };
}

/** Most cases have nothing to do with the rule: they need not be decided again. */
function saysTheSame(before: CompiledRule | undefined, after: CompiledRule, values: JudgedCase["values"]): boolean {
  if (!before) return false;
  const result = before.condition.test(values);
  if (result !== after.condition.test(values)) return false;
  if (result === FALSE) return true;
  const [was, is] = result === UNKNOWN ? [before.unknown, after.unknown] : [before.matched, after.matched];
  return was.event === is.event && was.points === is.points && before.obligation === after.obligation;
}
