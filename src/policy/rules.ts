import { type FactDeclaration, mayHelp } from "../core/facts.ts";
import type { Obligation } from "../core/obligations.ts";
import type { CompiledRule } from "../core/policy.ts";
import { type Finding, RULE_EVENTS, type RuleEvent } from "../core/words.ts";
import { compile, type SlotTable, sourceOf } from "./compile.ts";
import { orMean } from "./complaints.ts";
import { type Condition, leavesOf, type NamedConditions, readConditions } from "./conditions.ts";
import { type Document, duration, integer, listOf, matching, type Node, object, oneOf, propertiesOf, type Read, text } from "./document.ts";
import { spell } from "./fact-reference.ts";
import { softenings } from "./monotonic.ts";
import { obligationShape } from "./obligations.ts";
import { approver } from "./settings.ts";

const RULE_NAME = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const NAME_MAX = 128;
const POINTS_MAX = 100;
export const RULES_MAX = 10_000;

/** A rule that has been read, not yet compiled. */
export interface StatedRule {
  readonly name: string;
  readonly priority: number;
  readonly event: RuleEvent;
  readonly params: RuleParams;
  readonly condition: Condition;
  readonly node: Node;
  readonly document: Document;
}

interface RuleParams {
  readonly points?: number;
  readonly reason: string;
  readonly controls: readonly string[];
  readonly approvers?: readonly string[];
  readonly quorum?: number;
  readonly lifetime?: number;
  readonly obligation?: Obligation;
}

const control = matching(
  /^(owasp:(ASI|LLM)\d{2}|maestro:L[1-7]|nist:(GOVERN|MAP|MEASURE|MANAGE)-\d+\.\d+|[a-z][a-z0-9-]*:[A-Za-z0-9._-]+)$/,
  "a control such as `owasp:ASI02`",
);

const paramsShape: Read<RuleParams> = object(
  { reason: text, controls: listOf(control) },
  {
    points: integer(-POINTS_MAX, POINTS_MAX),
    approvers: listOf(approver),
    quorum: integer(1, 20),
    lifetime: duration,
    obligation: obligationShape,
  },
);

/** Collects the named conditions of all files; a name is unique over all of them. */
export function collectNamed(documents: readonly Document[]): NamedConditions {
  const nodes = new Map<string, { node: Node; document: Document }>();
  for (const document of documents) {
    const conditions = propertiesOf(document.root).find(({ key }) => key === "conditions");
    for (const { key, keyNode, valueNode } of conditions ? propertiesOf(conditions.valueNode) : []) {
      if (nodes.has(key)) document.error("duplicate-name", keyNode, `the condition \`${key}\` is named twice`);
      nodes.set(key, { node: valueNode, document });
    }
  }
  return { nodes, used: new Set() };
}

export interface RuleContext {
  readonly named: NamedConditions;
  readonly classifications: readonly string[];
  /** Names so far, over all files. */
  readonly names: Set<string>;
}

/** The rules of a file, as they are written. */
export function ruleNodesOf({ root }: Document): readonly Node[] {
  const rules = root.type === "object" ? propertiesOf(root).find(({ key }) => key === "rules")?.valueNode : undefined;
  return rules?.type === "array" ? (rules.children ?? []) : [];
}

/** Reads one `*.rules.json`. */
export function readRules(document: Document, context: RuleContext): readonly StatedRule[] {
  if (document.root.type !== "object") {
    document.error("wrong-type", document.root, "a rule file is an object with `rules`");
    return [];
  }
  const rules: StatedRule[] = [];
  let seen = false;
  for (const { key, keyNode, valueNode } of propertiesOf(document.root)) {
    if (key === "rules" && valueNode.type === "array") {
      seen = true;
      for (const node of valueNode.children ?? []) {
        const rule = readRule(node, document, context);
        if (rule) rules.push(rule);
      }
    } else if (key === "rules") document.error("wrong-type", valueNode, "`rules` is a list");
    else if (key === "conditions" && valueNode.type !== "object")
      document.error("wrong-type", valueNode, "`conditions` is an object of conditions by name");
    else if (key !== "$schema" && key !== "conditions")
      document.error("unknown-key", keyNode, orMean(`unknown key \`${key}\` in a rule file`, key, ["rules", "conditions"]));
  }
  if (!seen && !document.root.children?.some((child) => child.children?.[0]?.value === "conditions")) {
    document.error("missing-key", document.root, "the key `rules` is missing");
  }
  return rules;
}

function readRule(node: Node, document: Document, context: RuleContext): StatedRule | undefined {
  let condition: Condition | undefined;
  const stated = object(
    {
      name: ruleName(context.names),
      conditions: (conditionsNode: Node) => {
        condition = readConditions({ node: conditionsNode, document, named: context.named, classifications: context.classifications });
        return condition && true;
      },
      event: object({ type: oneOf(RULE_EVENTS), params: paramsShape }, {}),
    },
    { priority: integer(-1_000_000, 1_000_000) },
  )(node, document);
  if (!stated || !condition) return undefined;
  const { priority } = stated;
  if (priority !== undefined)
    document.warn("priority-of-rule", node, `rule \`${stated.name}\`: \`priority\` orders findings and has no effect on outcomes`);
  const rule: StatedRule = {
    name: stated.name,
    priority: priority ?? 1,
    event: stated.event.type,
    params: stated.event.params,
    condition,
    node,
    document,
  };
  refuseMisuse(rule);
  refuseInfluence(rule);
  warnSoftening(rule, context.classifications);
  return rule;
}

const ruleName =
  (names: Set<string>): Read<string> =>
  (node, document) => {
    const name = matching(RULE_NAME, "a rule name: words of `a-z 0-9`, joined by `-`")(node, document);
    if (name === undefined) return undefined;
    if (name.length > NAME_MAX) document.error("wrong-value", node, `a rule name has at most ${NAME_MAX} characters`);
    if (names.has(name)) document.error("duplicate-name", node, `the rule \`${name}\` stands twice`);
    names.add(name);
    return name;
  };

function refuseMisuse({ name, event, params, node, document }: StatedRule): void {
  const refuse = (why: string): void => document.error("event-misuse", node, `rule \`${name}\`: ${why}`);
  if (event === "oblige" && params.obligation === undefined) refuse("an `oblige` rule says its `obligation`");
  if (event === "oblige" && params.points !== undefined) refuse("an `oblige` rule carries no `points`");
  if (event !== "oblige" && params.obligation !== undefined) refuse("an `obligation` belongs to `oblige`");
  if (event === "risk" && params.points === undefined) refuse("a `risk` rule says its `points`");
  if (event === "allow" && params.points !== undefined) refuse("an `allow` rule carries no `points`");
  if ((event === "deny" || event === "require-approval") && (params.points ?? 0) < 0) refuse(`a \`${event}\` rule cannot lower the score`);
  if (event !== "require-approval" && (params.approvers ?? params.quorum ?? params.lifetime) !== undefined) {
    refuse("`approvers`, `quorum` and `lifetime` belong to `require-approval`");
  }
  if (params.approvers?.length === 0) refuse("name at least one approver, or leave `approvers` out");
}

export const isHelping = ({ event, params }: StatedRule): boolean => event === "allow" || (params.points ?? 0) < 0;

/** What the agent's side can bring about must not help it. */
function refuseInfluence(rule: StatedRule): void {
  if (!isHelping(rule)) return;
  const what = rule.event === "allow" ? "an `allow` rule" : "a rule with negative points";
  for (const { leaf } of leavesOf(rule.condition)) {
    for (const fact of [leaf.fact, ...("fact" in leaf.value ? [leaf.value.fact] : [])]) {
      const { influence }: FactDeclaration = fact.declaration;
      if (mayHelp(influence)) continue;
      rule.document.error(
        "influenced-help",
        rule.document === leaf.document ? leaf.node : rule.node,
        `rule \`${rule.name}\`: ${what} may not read \`${spell(fact)}\`, which \`${influence}\` can influence; it may read what policy, a verified credential, an initiator or the enforcer says`,
      );
    }
  }
}

function warnSoftening(rule: StatedRule, classifications: readonly string[]): void {
  const helping = isHelping(rule);
  for (const { leaf, fact, better, worse } of softenings(rule.condition, helping ? "helping" : "restrictive", classifications)) {
    const change = helping ? "starts to apply" : "stops applying";
    rule.document.warn(
      "softens-as-it-worsens",
      rule.document === leaf.document ? leaf.node : rule.node,
      `rule \`${rule.name}\` ${change} as \`${fact}\` gets worse, from \`${JSON.stringify(better)}\` to \`${JSON.stringify(worse)}\`, which \`${leaf.fact.declaration.influence}\` can bring about`,
    );
  }
}

/** The order of their evaluation. */
export const inOrder = (rules: readonly StatedRule[]): readonly StatedRule[] => [...rules].sort((a, b) => b.priority - a.priority);

export const compileRules = (rules: readonly StatedRule[], slots: SlotTable): readonly CompiledRule[] =>
  rules.map((rule) => compileRule(rule, slots));

function compileRule(rule: StatedRule, slots: SlotTable): CompiledRule {
  const { name, event, params, condition, document, node } = rule;
  const points = params.points ?? 0;
  const finding = (result: Finding["result"], counted: number): Finding => ({
    rule: name,
    event,
    result,
    points: counted,
    reason: params.reason,
    controls: params.controls,
  });
  return {
    name,
    event,
    points,
    reason: params.reason,
    controls: params.controls,
    ...(params.approvers && { approvers: params.approvers }),
    ...(params.quorum !== undefined && { quorum: params.quorum }),
    ...(params.obligation && { obligation: params.obligation }),
    condition: compile(condition, slots),
    matched: finding("matched", points),
    // Unknown never helps the caller: it adds what would be added, and takes nothing away.
    unknown: finding("unknown", Math.max(0, points)),
    source: sourceOf(condition),
    position: document.positionOf(node),
  };
}
