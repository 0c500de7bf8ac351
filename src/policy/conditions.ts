import type { FactType } from "../core/fact.ts";
import { isList } from "../core/json.ts";
import { nearest } from "../core/nearest.ts";
import type { Json } from "../core/words.ts";
import { orMean, type Said, suggesting, suggestionOf } from "./complaints.ts";
import { type Document, listed, type Node, type Property, plainValue, propertiesOf } from "./document.ts";
import { type FactReference, readFact } from "./fact-reference.ts";
import { OPERATOR_SYNONYMS } from "./meanings.ts";
import { DECORATORS, OPERATORS, type Operator, operatorNamed, type StaticKind, staticKindsOf, whyUndecidable } from "./operators.ts";

/** A read and checked condition. */
export type Condition = Group | Negation | Leaf;

/** Where a condition stands; one of a named condition stands where that is written. */
interface Placed {
  readonly node: Node;
  readonly document: Document;
}

export interface Group extends Placed {
  readonly kind: "all" | "any";
  readonly parts: readonly Condition[];
}

export interface Negation extends Placed {
  readonly kind: "not";
  readonly part: Condition;
}

export interface Leaf extends Placed {
  readonly kind: "leaf";
  readonly fact: FactReference;
  readonly operatorName: string;
  readonly operator: Operator;
  readonly value: { readonly literal: Json } | { readonly fact: FactReference };
}

/** Conditions by name, over all files; resolved when they are first used. */
export interface NamedConditions {
  readonly nodes: ReadonlyMap<string, { readonly node: Node; readonly document: Document }>;
  readonly used: Set<string>;
}

export const CONDITIONS_PER_RULE_MAX = 200;
const DEPTH_MAX = 32;

interface Context {
  readonly document: Document;
  readonly named: NamedConditions;
  readonly classifications: readonly string[];
  /** Names being resolved, to refuse self-reference. */
  readonly resolving: readonly string[];
  readonly budget: { left: number };
  readonly depth: number;
}

export interface ConditionInput {
  readonly node: Node;
  readonly document: Document;
  readonly named: NamedConditions;
  readonly classifications: readonly string[];
}

/** Reads the `conditions` of a rule. Undefined after complaining. */
export function readConditions({ node, document, named, classifications }: ConditionInput): Condition | undefined {
  const budget = { left: CONDITIONS_PER_RULE_MAX };
  const context: Context = { document, named, classifications, resolving: [], budget, depth: 1 };
  if (node.type === "object" && !propertiesOf(node).some(({ key }) => COMPOSITES.has(key))) {
    document.error("condition-incomplete", node, "`conditions` is an object with `all`, `any`, `not` or `condition`");
    return undefined;
  }
  const condition = readNode(node, context);
  if (budget.left >= 0) return condition;
  document.error("too-big", node, `more than ${CONDITIONS_PER_RULE_MAX} conditions in one rule`);
  return undefined;
}

const COMPOSITES = new Set(["all", "any", "not", "condition"]);
const LEAF_KEYS = ["fact", "operator", "value", "path", "name", "priority"];

function readNode(node: Node, context: Context): Condition | undefined {
  const { document } = context;
  if (node.type !== "object") {
    document.error("wrong-type", node, "a condition is an object");
    return undefined;
  }
  if (context.depth > DEPTH_MAX) {
    document.error("too-big", node, `conditions nest at most ${DEPTH_MAX} deep`);
    return undefined;
  }
  if (--context.budget.left < 0) return undefined;
  const properties = propertiesOf(node);
  const composites = properties.filter(({ key }) => COMPOSITES.has(key));
  const [composite, second] = composites;
  if (second) {
    document.error(
      "ambiguous-condition",
      second.keyNode,
      `\`${composite?.key}\` and \`${second.key}\` stand in one condition; nest one in the other`,
    );
    return undefined;
  }
  return composite ? readComposite(composite, node, { ...context, depth: context.depth + 1 }) : readLeaf(node, properties, context);
}

function readComposite(composite: Property, node: Node, context: Context): Condition | undefined {
  const { document } = context;
  const { key, valueNode } = composite;
  for (const other of propertiesOf(node)) {
    if (other.key === "priority") warnOfPriority(other, document);
    else if (other.key !== key && other.key !== "name") {
      document.error("ambiguous-condition", other.keyNode, `\`${other.key}\` cannot stand beside \`${key}\``);
    }
  }
  if (key === "not") {
    const part = readNode(valueNode, context);
    return part && { kind: "not", part, node, document };
  }
  if (key === "condition") return readNamed(valueNode, context);
  if (valueNode.type !== "array" || (valueNode.children ?? []).length === 0) {
    document.error("empty-condition", valueNode, `\`${key}\` is a list of at least one condition`);
    return undefined;
  }
  const parts = (valueNode.children ?? []).map((child) => readNode(child, context));
  const whole = parts.filter((part) => part !== undefined);
  return whole.length === parts.length ? { kind: key === "all" ? "all" : "any", parts: whole, node, document } : undefined;
}

const warnOfPriority = ({ keyNode }: Pick<Property, "keyNode">, document: Document): void =>
  document.warn("priority-of-condition", keyNode, "`priority` of a condition has no effect");

function readNamed(node: Node, context: Context): Condition | undefined {
  const name = node.type === "string" ? String(node.value) : "";
  const found = context.named.nodes.get(name);
  if (!found) {
    context.document.error("unknown-condition", node, orMean(`unknown condition \`${name}\``, name, context.named.nodes.keys()));
    return undefined;
  }
  context.named.used.add(name);
  if (context.resolving.includes(name)) {
    context.document.error(
      "self-reference",
      node,
      `the condition \`${name}\` refers to itself: ${[...context.resolving, name].map((part) => `\`${part}\``).join(" → ")}`,
    );
    return undefined;
  }
  return readNode(found.node, { ...context, document: found.document, resolving: [...context.resolving, name] });
}

function readLeaf(node: Node, properties: readonly Property[], context: Context): Condition | undefined {
  const { document } = context;
  const at = new Map(properties.map((property) => [property.key, property.valueNode]));
  const misspelt = complainOfKeys(properties, document);
  const factNode = at.get("fact");
  const operatorNode = at.get("operator");
  const valueNode = at.get("value");
  if (!factNode || !operatorNode || !valueNode) {
    const missing = ["fact", "operator", "value"].filter((key) => !at.has(key) && !misspelt.has(key));
    if (missing.length === 0 || [...COMPOSITES].some((key) => misspelt.has(key))) return undefined;
    document.error(
      "condition-incomplete",
      node,
      `a condition has \`all\`, \`any\`, \`not\` or \`condition\`, or \`fact\`, \`operator\` and \`value\`; missing ${missing.map((key) => `\`${key}\``).join(", ")}`,
    );
    return undefined;
  }
  const fact = readFact(factNode, at.get("path"), document);
  const operatorName = String(operatorNode.value);
  const operator = operatorNode.type === "string" ? operatorNamed(operatorName) : undefined;
  if (!operator) {
    document.error("unknown-operator", operatorNode, whyNoOperator(operatorName));
  }
  const value = readValue(valueNode, document);
  if (!fact || !operator || !value) return undefined;
  const leaf: Leaf = { kind: "leaf", fact, operatorName, operator, value, node, document };
  refuseUndecidable(leaf, valueNode, context.classifications);
  return leaf;
}

/** Complains of keys that no comparison has, and answers those that were probably meant. */
function complainOfKeys(properties: readonly Property[], document: Document): ReadonlySet<string | undefined> {
  const misspelt = new Set<string | undefined>();
  for (const { key, keyNode } of properties) {
    if (key === "priority") warnOfPriority({ keyNode }, document);
    if (key === "params") document.error("fact-parameters", keyNode, "`params` is not served: facts take no parameters");
    else if (!LEAF_KEYS.includes(key)) {
      const said = orMean(`unknown key \`${key}\` in a condition`, key, [...LEAF_KEYS, ...COMPOSITES]);
      document.error("unknown-key", keyNode, said);
      misspelt.add(suggestionOf(said));
    }
  }
  return misspelt;
}

function whyNoOperator(name: string): Said {
  if (name.endsWith(":present")) return "`present` takes no decorator";
  const operators = Object.keys(OPERATORS);
  const decorators = Object.keys(DECORATORS).map((decorator) => `${decorator}:`);
  const meant = OPERATOR_SYNONYMS.get(name) ?? nearest(name.slice(0, 200), [...operators, ...decorators]);
  return suggesting(`unknown operator \`${name}\`: there are ${listed(operators)}, and before them may stand ${listed(decorators)}`, meant);
}

/** A value is a literal, or `{fact, path}`: another fact. */
function readValue(node: Node, document: Document): Leaf["value"] | undefined {
  if (node.type !== "object") return { literal: plainValue(node) };
  const at = new Map(propertiesOf(node).map((property) => [property.key, property.valueNode]));
  const factNode = at.get("fact");
  if (!factNode) {
    document.error("wrong-type", node, 'a value is a string, a number, true, false, null, a list of those, or another fact: `{"fact": …}`');
    return undefined;
  }
  for (const key of at.keys()) {
    if (key === "params") document.error("fact-parameters", node, "`params` is not served: facts take no parameters");
    else if (key !== "fact" && key !== "path") document.error("unknown-key", node, `unknown key \`${key}\` beside \`fact\``);
  }
  const fact = readFact(factNode, at.get("path"), document);
  return fact && { fact };
}

export const KIND_OF_TYPE: Readonly<Record<FactType, StaticKind>> = {
  string: "string",
  integer: "number",
  boolean: "boolean",
  list: { listOf: "string" },
  map: "object",
};

const staticKindOfFact = ({ declaration, path }: FactReference): StaticKind => (path.length > 0 ? "any" : KIND_OF_TYPE[declaration.type]);

/** A comparison that can never be decided is a mistake; left alone it would be unknown for ever. */
function refuseUndecidable(leaf: Leaf, valueNode: Node, classifications: readonly string[]): void {
  const { document, fact, operatorName } = leaf;
  const valueKinds = "literal" in leaf.value ? staticKindsOf(leaf.value.literal) : [staticKindOfFact(leaf.value.fact)];
  // A list of several kinds can be decided if it could be with items of one of them alone.
  const whys = valueKinds.map((valueKind) => whyUndecidable(operatorName, staticKindOfFact(fact), valueKind));
  const [why] = whys;
  if (why !== undefined && !whys.includes(undefined)) {
    document.error("undecidable", valueNode, why);
    return;
  }
  if (!("literal" in leaf.value)) return;
  const { literal } = leaf.value;
  if (isList(literal) && literal.length === 0) document.error("undecidable", valueNode, "an empty list: nothing is in it");
  const known = fact.declaration.values ?? (fact.declaration.worsening?.by === "classification" ? classifications : undefined);
  if (!known || fact.path.length > 0) return;
  for (const word of isList(literal) ? literal : [literal]) {
    if (typeof word === "string" && !known.includes(word)) {
      document.error(
        "impossible-value",
        valueNode,
        orMean(`\`${fact.name}\` is never \`${word}\`: it is one of ${known.map((value) => `\`${value}\``).join(" ")}`, word, known),
      );
    }
  }
}

/** Every leaf, and whether it stands under an odd number of `not`s. */
export function* leavesOf(condition: Condition, negated = false): Generator<{ readonly leaf: Leaf; readonly negated: boolean }> {
  if (condition.kind === "leaf") yield { leaf: condition, negated };
  else if (condition.kind === "not") yield* leavesOf(condition.part, !negated);
  else for (const part of condition.parts) yield* leavesOf(part, negated);
}
