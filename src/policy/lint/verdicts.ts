import type { CompiledCondition } from "../../core/policy.ts";
import type { Complaint } from "../complaints.ts";
import type { Condition, Leaf } from "../conditions.ts";
import { type Document, type Node, propertiesOf } from "../document.ts";
import { spell } from "../fact-reference.ts";
import type { StatedRule } from "../rules.ts";
import { type Examined, isHelping } from "./examine.ts";

/** Where a rule says its name: what a complaint about the whole rule points at. */
export const nameNodeOf = ({ node }: StatedRule): Node => propertiesOf(node).find(({ key }) => key === "name")?.valueNode ?? node;

/** What can be said of one rule by itself. A place in a named condition is told once, whichever rules use it. */
export function complaintsAbout(stated: StatedRule, examined: Examined, told: Set<string>): readonly Complaint[] {
  const written = pairsOf(stated.condition, examined.rule.condition);
  const contradictions = written.filter(({ compiled }) => isContradiction(compiled, examined));
  const found: Complaint[] = [];
  const own = contradictions.filter(({ condition }) => isWithin(condition, stated));
  for (const { condition, compiled } of contradictions) {
    if (told.has(compiled.position)) continue;
    told.add(compiled.position);
    const outcome = examined.fires === "never" && isWithin(condition, stated) ? `, so rule \`${stated.name}\` can never fire` : "";
    found.push(
      condition.document.complaintAt(
        "contradictory-condition",
        condition.node,
        `the parts of this \`all\` exclude each other: it is false whatever the facts say${outcome}`,
      ),
    );
  }
  if (examined.fires === "never" && own.length === 0) found.push(neverFires(stated, examined, written));
  // An obligation may well be meant for everything.
  if (examined.fires === "always" && examined.rule.event !== "oblige") {
    const what = examined.rule.event === "deny" ? "; it denies everything" : "";
    found.push(
      stated.document.complaintAt(
        "always-fires",
        nameNodeOf(stated),
        `rule \`${stated.name}\` always fires: its conditions hold whatever the facts say${what}`,
      ),
    );
  }
  if (examined.fires === "sometimes" && !isHelping(examined.rule))
    found.push(...(examined.unknownWhenAbsent ? oftenAbsent(stated, written) : unguarded(stated, examined, written)));
  return found;
}

/** A condition as it is written, and what it was compiled to. */
interface Written {
  readonly condition: Condition;
  readonly compiled: CompiledCondition;
}

function pairsOf(condition: Condition, compiled: CompiledCondition): readonly Written[] {
  const parts = condition.kind === "leaf" ? [] : condition.kind === "not" ? [condition.part] : condition.parts;
  return [
    { condition, compiled },
    ...parts.flatMap((part, at) => {
      const its = compiled.parts[at];
      return its ? pairsOf(part, its) : [];
    }),
  ];
}

const isContradiction = (compiled: CompiledCondition, { impossible }: Examined): boolean =>
  compiled.kind === "all" && compiled.parts.length > 1 && impossible.has(compiled) && !compiled.parts.some((part) => impossible.has(part));

const isWithin = ({ document, node }: { readonly document: Document; readonly node: Node }, rule: StatedRule): boolean =>
  document === rule.document && node.offset >= rule.node.offset && node.offset < rule.node.offset + rule.node.length;

function neverFires(stated: StatedRule, examined: Examined, written: readonly Written[]): Complaint {
  if (!examined.impossible.has(examined.rule.condition)) {
    const message = `rule \`${stated.name}\` can never fire: its conditions are never known to hold, and unknown helps nobody`;
    return stated.document.complaintAt("never-fires", nameNodeOf(stated), message);
  }
  const blamed = blame(examined.rule.condition, examined);
  const condition = written.find(({ compiled }) => compiled === blamed)?.condition ?? stated.condition;
  const { document, node } = isWithin(condition, stated) ? condition : { document: stated.document, node: nameNodeOf(stated) };
  const what = condition.kind === "leaf" ? `\`${wordsOf(condition)}\` never holds` : "this is false whatever the facts say";
  return document.complaintAt("never-fires", node, `rule \`${stated.name}\` can never fire: ${what}`);
}

const WORDS_MAX = 100;

/** A comparison on one line, cut where it is long. */
function wordsOf({ fact, operatorName, value }: Leaf): string {
  const words = `${spell(fact)} ${operatorName} ${"fact" in value ? spell(value.fact) : JSON.stringify(value.literal)}`;
  return words.length > WORDS_MAX ? `${words.slice(0, WORDS_MAX)}…` : words;
}

/** The innermost part that alone makes the whole false. */
function blame(condition: CompiledCondition, examined: Examined): CompiledCondition {
  const [only, second] = condition.parts;
  const part =
    condition.kind === "all" ? condition.parts.find((one) => examined.impossible.has(one)) : condition.kind === "any" && !second ? only : undefined;
  return part ? blame(part, examined) : condition;
}

function oftenAbsent(stated: StatedRule, written: readonly Written[]): readonly Complaint[] {
  const leaf = written.map(({ condition }) => condition).find((condition) => condition.kind === "leaf" && isPartial(condition));
  if (leaf?.kind !== "leaf") return [];
  const { document, node } = isWithin(leaf, stated) ? leaf : { document: stated.document, node: nameNodeOf(stated) };
  const message = `rule \`${stated.name}\` stands for every request without \`${spell(leaf.fact)}\`: with it absent this is unknown, which never helps the caller; guard it by the tool that has it, or by \`present\``;
  return [document.complaintAt("often-absent", node, message)];
}

function unguarded(stated: StatedRule, examined: Examined, written: readonly Written[]): readonly Complaint[] {
  return [...examined.unguarded.values()].flatMap(({ condition: blamed }) => {
    const leaf = written.find(({ compiled }) => compiled === blamed)?.condition;
    if (leaf?.kind !== "leaf") return [];
    const { document, node } = isWithin(leaf, stated) ? leaf : { document: stated.document, node: nameNodeOf(stated) };
    const message = `where the rest holds, rule \`${stated.name}\` stands without \`${spell(attributeOf(leaf))}\` too: with it absent this is unknown, which never helps the caller, and no tool brings attributes along; guard it by \`present\``;
    return [document.complaintAt("often-absent", node, message)];
  });
}

/** The compared fact, or the one it is compared with. */
const attributeOf = ({ fact, value }: Leaf): Leaf["fact"] => (fact.name.endsWith(".attributes") || !("fact" in value) ? fact : value.fact);

const isPartial = ({ fact, operatorName }: Leaf): boolean => operatorName !== "present" && (!fact.declaration.total || fact.path.length > 0);
