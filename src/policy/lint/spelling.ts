import { type Document, type Node, propertiesOf } from "../document.ts";

/** A fact that is written as `fact` and `path`, and could be written as one name. */
export interface SplitFact {
  readonly document: Document;
  readonly factNode: Node;
  readonly pathNode: Node;
  /** The object that holds both. */
  readonly node: Node;
  readonly joined: string;
}

/** An object of a rule file's conditions, wherever it stands in them. */
export interface Place {
  readonly document: Document;
  readonly node: Node;
}

/** Every object in the conditions of a rule file, named ones included. */
export function* conditionObjects(document: Document): Generator<Place> {
  for (const { key, valueNode } of propertiesOf(document.root)) {
    if (key === "conditions") yield* objectsIn(valueNode, document);
    else if (key === "rules") {
      for (const rule of valueNode.children ?? []) {
        const conditions = propertiesOf(rule).find((property) => property.key === "conditions")?.valueNode;
        if (conditions) yield* objectsIn(conditions, document);
      }
    }
  }
}

function* objectsIn(node: Node, document: Document): Generator<Place> {
  if (node.type === "object") yield { document, node };
  for (const child of node.children ?? []) yield* objectsIn(child, document);
}

export function* splitFactsOf(document: Document): Generator<SplitFact> {
  for (const { node } of conditionObjects(document)) {
    const properties = propertiesOf(node);
    const factNode = properties.find(({ key }) => key === "fact")?.valueNode;
    const pathNode = properties.find(({ key }) => key === "path")?.valueNode;
    if (factNode?.type !== "string" || pathNode?.type !== "string") continue;
    yield { document, factNode, pathNode, node, joined: `${factNode.value}${String(pathNode.value).slice(1)}` };
  }
}
