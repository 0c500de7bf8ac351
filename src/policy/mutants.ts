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
    for (const { what, position, target, change } of editsOf(rule.condition, policy)) {
      add(what, { ...rule, condition: rewritten(rule.condition, target, change) }, position);
    }
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

/** One change of a condition where it is written. */
interface Edit {
  readonly what: string;
  /** Where it is told. */
  readonly position: string;
  /** Where the part stands that is changed. */
  readonly target: string;
  readonly change: (part: CompiledCondition) => CompiledCondition;
}

function* editsOf(condition: CompiledCondition, policy: Policy): Generator<Edit> {
  const { kind, parts, position, comparison } = condition;
  if (comparison) {
    for (const { what, changed } of comparisonMutations(comparison)) {
      const operator = operatorNamed(changed.operator);
      const words = `${spellComparison(policy.slots, comparison)}: ${what}`;
      if (operator) yield { what: words, position, target: position, change: () => comparing(operator, changed, position) };
    }
    return;
  }
  if (kind === "not") yield { what: "`not` is dropped", position, target: position, change: (part) => part.parts[0] ?? part };
  if ((kind === "all" || kind === "any") && parts.length > 1) {
    const other = kind === "all" ? "any" : "all";
    yield { what: `\`${kind}\` → \`${other}\``, position, target: position, change: (part) => grouping(other, part.parts, position) };
    for (const [at, dropped] of parts.entries()) {
      const change = (part: CompiledCondition): CompiledCondition =>
        grouping(
          kind,
          part.parts.filter((_, index) => index !== at),
          position,
        );
      yield { what: `part ${at + 1} of \`${kind}\` is dropped`, position: dropped.position, target: position, change };
    }
  }
  for (const part of parts) yield* editsOf(part, policy);
}

/** The condition with the part at a place changed, wherever it is used: a named condition may be used twice in one rule. */
function rewritten(condition: CompiledCondition, target: string, change: Edit["change"]): CompiledCondition {
  const { kind, parts, position } = condition;
  if (position === target) return change(condition);
  if (kind === "compare") return condition;
  const changed = parts.map((part) => rewritten(part, target, change));
  return changed.every((part, at) => part === parts[at]) ? condition : grouping(kind, changed, position);
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
