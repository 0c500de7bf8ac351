import type { Known } from "../core/json.ts";
import { FALSE, TRUE, UNKNOWN } from "../core/kleene.ts";
import type { Comparison, CompiledCondition, Policy, Slot } from "../core/policy.ts";
import type { JudgedCase } from "./case-judge.ts";

/** What of the rules no case reaches. */
export interface Coverage {
  /** Rules that stand in some case, of all. */
  readonly rules: Share;
  /** Each comparison, wherever it is written, has two branches: it is true, it is false. */
  readonly branches: Share;
  readonly unreached: readonly Unreached[];
}

export interface Share {
  readonly reached: number;
  readonly all: number;
}

export interface Unreached {
  readonly rule: string;
  /** `file:line:column`. */
  readonly position: string;
  readonly what: string;
}

/** Part of a hundred, rounded down, so that 100 means all. */
export const percentOf = ({ reached, all }: Share): number => (all === 0 ? 100 : Math.floor((reached * 1_000) / all) / 10);

interface Branches {
  readonly rule: string;
  readonly words: string;
  isTrue: boolean;
  isFalse: boolean;
  isUnknown: boolean;
}

export function coverageOf(policy: Policy, judged: readonly JudgedCase[]): Coverage {
  const standing = new Set(judged.flatMap(({ judgement }) => judgement.findings.map(({ rule }) => rule)));
  const branches = new Map<string, Branches>();
  for (const { name, condition } of policy.rules) enter(condition, { policy, rule: name, branches });
  for (const { values } of judged) for (const { condition } of policy.rules) walk(condition, values, branches);
  const unreached: Unreached[] = [];
  for (const { name, position } of policy.rules) if (!standing.has(name)) unreached.push({ rule: name, position, what: "the rule never stands" });
  for (const [position, branch] of branches) {
    if (!branch.isTrue || !branch.isFalse) unreached.push({ rule: branch.rule, position, what: `${branch.words} is never ${missingOf(branch)}` });
  }
  const reachedBranches = [...branches.values()].reduce((sum, { isTrue, isFalse }) => sum + (isTrue ? 1 : 0) + (isFalse ? 1 : 0), 0);
  return {
    rules: { reached: policy.rules.filter(({ name }) => standing.has(name)).length, all: policy.rules.length },
    branches: { reached: reachedBranches, all: branches.size * 2 },
    unreached: unreached.sort((a, b) => byPlace(a.position, b.position)),
  };
}

function missingOf({ isTrue, isFalse, isUnknown }: Branches): string {
  if (isTrue) return "false";
  if (isFalse) return "true";
  return isUnknown ? "true or false: always unknown" : "asked";
}

interface Entering {
  readonly policy: Policy;
  readonly rule: string;
  readonly branches: Map<string, Branches>;
}

function enter({ parts, position, comparison }: CompiledCondition, entering: Entering): void {
  const { policy, rule, branches } = entering;
  for (const part of parts) enter(part, entering);
  if (comparison && !branches.has(position))
    branches.set(position, { rule, words: spellComparison(policy.slots, comparison), isTrue: false, isFalse: false, isUnknown: false });
}

/** As the decision goes: what stands behind a part that has already decided is not reached. */
function walk({ kind, parts, position, test }: CompiledCondition, values: readonly Known[], branches: ReadonlyMap<string, Branches>): void {
  if (kind === "compare") {
    const branch = branches.get(position);
    const result = test(values);
    if (branch && result === TRUE) branch.isTrue = true;
    if (branch && result === FALSE) branch.isFalse = true;
    if (branch && result === UNKNOWN) branch.isUnknown = true;
    return;
  }
  const decides = kind === "all" ? FALSE : TRUE;
  for (const part of parts) {
    walk(part, values, branches);
    if (kind !== "not" && part.test(values) === decides) return;
  }
}

/** `action.effect in ["send","share"]`. */
export function spellComparison(slots: readonly Slot[], { slot, operator, value }: Comparison): string {
  const other = "slot" in value ? (slots[value.slot]?.name ?? "?") : JSON.stringify(value.literal);
  return `\`${slots[slot]?.name ?? "?"} ${operator} ${other}\``;
}

const numbersOf = (position: string): readonly number[] => position.split(":").slice(-2).map(Number);

function byPlace(a: string, b: string): number {
  const [fileA, fileB] = [a, b].map((position) => position.split(":").slice(0, -2).join(":"));
  if (fileA !== fileB) return (fileA ?? "") < (fileB ?? "") ? -1 : 1;
  const [[lineA = 0, columnA = 0], [lineB = 0, columnB = 0]] = [numbersOf(a), numbersOf(b)];
  return lineA - lineB || columnA - columnB;
}
