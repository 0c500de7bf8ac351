import { type FactDeclaration, mayHelp } from "../core/fact.ts";
import type { CompiledRule } from "../core/policy.ts";
import type { Steps } from "../core/steps.ts";
import { durationMs, type Finding, type RuleEvent } from "../core/words.ts";
import { compile, type SlotTable, sourceOf } from "./compile.ts";
import { CONDITION, CONDITIONS } from "./condition-schema.ts";
import { type Condition, leavesOf, type NamedConditions, readConditions } from "./conditions.ts";
import {
  type Document,
  described,
  integer,
  later,
  listOf,
  mapOf,
  matching,
  type Node,
  object,
  propertiesOf,
  type Read,
  reading,
} from "./document.ts";
import { event, type RuleParams, refuseMisuse } from "./event.ts";
import { spell } from "./fact-reference.ts";
import { softenings, valueInWords } from "./monotonic.ts";
import type { Schema } from "./schema.ts";

const RULE_NAME = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const NAME_MAX = 128;
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

/** Collects the named conditions of all files; a name is unique over all of them. */
export function collectNamed(documents: readonly Document[]): NamedConditions {
  const nodes = new Map<string, { node: Node; document: Document }>();
  for (const document of documents) {
    const conditions = propertiesOf(document.root).find(({ key }) => key === "conditions");
    for (const { key, keyNode, valueNode } of conditions ? propertiesOf(conditions.valueNode) : []) {
      const first = nodes.get(key);
      if (first)
        document.error(
          "duplicate-name",
          keyNode,
          `the condition \`${key}\` is named twice; the first stands at ${first.document.positionOf(first.node)}`,
        );
      nodes.set(key, { node: valueNode, document });
    }
  }
  return { nodes, used: new Set() };
}

export interface RuleContext {
  readonly named: NamedConditions;
  readonly classifications: readonly string[];
  /** Names so far with their places, over all files. */
  readonly names: Map<string, string>;
}

/** The rules of a file, as they are written. */
export function ruleNodesOf({ root }: Document): readonly Node[] {
  const rules = root.type === "object" ? propertiesOf(root).find(({ key }) => key === "rules")?.valueNode : undefined;
  return rules?.type === "array" ? (rules.children ?? []) : [];
}

/** Reads one `*.rules.json`. */
export function* readRules(document: Document, context: RuleContext): Steps<readonly StatedRule[]> {
  const { root } = document;
  if (root.type !== "object") {
    document.error("wrong-type", root, "a rule file is an object with `rules`");
    return [];
  }
  if (!propertiesOf(root).some(({ key }) => key === "rules" || key === "conditions")) {
    document.error("missing-key", root, "the key `rules` is missing");
  }
  const shape = ruleShape(context);
  const rules: StatedRule[] = [];
  for (const node of fileShape(shape)(root, document)?.rules ?? []) {
    const rule = shape(node, document);
    if (rule) rules.push(rule);
    yield;
  }
  return rules;
}

const fileShape = (rule: Read<StatedRule>) =>
  object(
    {},
    {
      rules: described(listOf(later(rule)), "rules, in any order"),
      // Read by the rules that use them.
      conditions: described(
        mapOf(reading(CONDITION, (node) => node)),
        'conditions by name, to which rules of any file refer with `{ "condition": "name" }`',
      ),
    },
  );

/** What a file of rules may say. */
export const rulesSchema = (): Schema => ({
  ...fileShape(ruleShape({ named: { nodes: new Map(), used: new Set() }, classifications: [], names: new Map() })).schema,
  anyOf: [{ required: ["rules"] }, { required: ["conditions"] }],
});

function ruleShape(context: RuleContext): Read<StatedRule> {
  const shape = object(
    {
      name: ruleName(context.names),
      conditions: described(rootCondition(context), "when the rule stands"),
      event,
    },
    { priority: described(integer(-1_000_000, 1_000_000), { description: "orders findings; changes no outcome", doNotSuggest: true }) },
  );
  return reading(shape.schema, (node, document) => {
    const stated = shape(node, document);
    if (!stated) return undefined;
    const { name, priority, conditions: condition, event: stands } = stated;
    if (priority !== undefined)
      document.warn("priority-of-rule", node, `rule \`${name}\`: \`priority\` orders findings and has no effect on outcomes`);
    const rule: StatedRule = { name, priority: priority ?? 1, event: stands.type, params: stands.params, condition, node, document };
    refuseMisuse(rule);
    refuseInfluence(rule);
    warnSoftening(rule, context.classifications);
    return rule;
  });
}

const rootCondition = ({ named, classifications }: RuleContext): Read<Condition> =>
  reading(CONDITIONS, (node, document) => readConditions({ node, document, named, classifications }));

function ruleName(names: Map<string, string>): Read<string> {
  const shape = matching(RULE_NAME, "a rule name: words of `a-z 0-9`, joined by `-`");
  const says = { maxLength: NAME_MAX, description: "what the rule says, in a few words; unique over all files" };
  return reading({ ...shape.schema, ...says, examples: ["money-above-a-limit-asks"] }, (node, document) => {
    const name = shape(node, document);
    if (name === undefined) return undefined;
    if (name.length > NAME_MAX) document.error("wrong-value", node, `a rule name has at most ${NAME_MAX} characters`);
    const first = names.get(name);
    if (first !== undefined) document.error("duplicate-name", node, `the rule \`${name}\` stands twice; the first stands at ${first}`);
    else names.set(name, document.positionOf(node));
    return name;
  });
}

/** Only a `risk` can have negative points; elsewhere they are refused as such. */
export const isHelping = ({ event, params }: StatedRule): boolean => event === "allow" || (event === "risk" && (params.points ?? 0) < 0);

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
      `rule \`${rule.name}\` ${change} as \`${fact}\` gets worse, from \`${valueInWords(better)}\` to \`${valueInWords(worse)}\`, which \`${leaf.fact.declaration.influence}\` can bring about`,
    );
  }
}

/** The order of their evaluation. */
export const inOrder = (rules: readonly StatedRule[]): readonly StatedRule[] => [...rules].sort((a, b) => b.priority - a.priority);

export function* compileRules(rules: readonly StatedRule[], slots: SlotTable): Steps<readonly CompiledRule[]> {
  const compiled: CompiledRule[] = [];
  for (const rule of rules) {
    compiled.push(compileRule(rule, slots));
    yield;
  }
  return compiled;
}

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
    ...(params.lifetime !== undefined && { lifetime: durationMs(params.lifetime) }),
    ...(params.obligation && { obligation: params.obligation }),
    condition: compile(condition, slots),
    matched: finding("matched", points),
    // Unknown never helps the caller: it adds what would be added, and takes nothing away.
    unknown: finding("unknown", Math.max(0, points)),
    source: sourceOf(condition),
    position: document.positionOf(node),
  };
}
