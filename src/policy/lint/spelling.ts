import { type Document, type Node, type Property, propertiesOf } from "../document.ts";
import { joinedName } from "../fact-reference.ts";

/** A fact that is written as `fact` and `path`, and could be written as one name. */
export interface SplitFact {
  readonly factNode: Node;
  /** Key and value. */
  readonly pathProperty: Node;
  readonly joined: string;
}

export function* splitFactsOf(document: Document): Generator<SplitFact> {
  for (const node of conditionObjects(document)) {
    const factNode = memberOf(node, "fact");
    const path = propertiesOf(node).find(({ key }) => key === "path");
    const pathProperty = path?.keyNode.parent;
    if (!factNode || !path || !pathProperty) continue;
    const joined = joinedName(factNode, path.valueNode);
    if (joined !== undefined) yield { factNode, pathProperty, joined };
  }
}

/** Every object in the conditions of a rule file, named ones included. */
export function* conditionObjects(document: Document): Generator<Node> {
  for (const { valueNode } of namedConditionsOf(document)) yield* objectsIn(valueNode);
  for (const rule of memberOf(document.root, "rules")?.children ?? []) {
    const conditions = memberOf(rule, "conditions");
    if (conditions) yield* objectsIn(conditions);
  }
}

export function namedConditionsOf({ root }: Document): readonly Property[] {
  const named = memberOf(root, "conditions");
  return named ? propertiesOf(named) : [];
}

const memberOf = (node: Node | undefined, name: string): Node | undefined =>
  node?.type === "object" ? propertiesOf(node).find(({ key }) => key === name)?.valueNode : undefined;

function* objectsIn(node: Node): Generator<Node> {
  if (node.type === "object") yield node;
  for (const child of node.children ?? []) yield* objectsIn(child);
}
