import { compileGlob } from "../../core/globs.ts";
import { nearest } from "../../core/nearest.ts";
import type { WarningId } from "../complaint-kinds.ts";
import { type Complaint, suggesting } from "../complaints.ts";
import { leavesOf } from "../conditions.ts";
import { type Document, type Node, propertiesOf } from "../document.ts";
import type { LoadedPolicy } from "../load.ts";
import { nodeAt } from "../settings.ts";

/** More than two mistakes, and it may well be another name: tools of one server are called alike. */
const MISTAKES_MAX = 2;

/**
 * Complains of tools and categories that the catalog does not have. A rule may well name what is not catalogued, so it is told only of names
 * that are near one which is; a glob of a reach is there to match something.
 */
export function nameComplaints(loaded: LoadedPolicy): readonly Complaint[] {
  const tools = [...loaded.policy.tools.keys()];
  if (tools.length === 0) return [];
  const known: Known = { "unknown-tool": tools, "unknown-category": categoriesOf(loaded) };
  const found = new Map<string, Complaint>();
  const add = (told: Complaint | undefined): void => {
    // A named condition stands for each rule that uses it.
    if (told) found.set(`${told.file}:${told.at?.line}:${told.at?.column}`, told);
  };
  for (const { condition } of loaded.stated) {
    for (const { leaf } of leavesOf(condition)) {
      const id = ABOUT[leaf.fact.name];
      const value = nodeAt(leaf.node, ["value"]);
      if (id)
        for (const node of value.type === "array" ? (value.children ?? []) : [value]) add(misspelt(id, { known, node, document: leaf.document }));
    }
  }
  for (const { document, reach } of reachesOf(loaded)) {
    for (const node of listAt(reach, "tools")) {
      if (!isGlob(node)) add(misspelt("unknown-tool", { known, node, document }));
      else if (!grantsUnknown(reach)) add(matchingNone({ known, node, document }));
    }
  }
  return [...found.values()];
}

const ABOUT: Readonly<Record<string, NameId>> = {
  "action.tool": "unknown-tool",
  "data.categories": "unknown-category",
  "task.seen.categories": "unknown-category",
};

type NameId = "unknown-tool" | "unknown-category";
type Known = Readonly<Record<NameId & WarningId, readonly string[]>>;

interface Named {
  readonly known: Known;
  readonly node: Node;
  readonly document: Document;
}

function misspelt(id: NameId, { known, node, document }: Named): Complaint | undefined {
  if (node.type !== "string" || known[id].includes(node.value)) return undefined;
  const near = nearest(node.value.slice(0, 200), known[id], MISTAKES_MAX);
  if (near === undefined) return undefined;
  const what = id === "unknown-tool" ? "tool" : "category";
  return document.complaintAt(id, node, suggesting(`the catalog has no ${what} \`${node.value}\``, near));
}

function matchingNone({ known, node, document }: Named): Complaint | undefined {
  const glob = String(node.value);
  if (known["unknown-tool"].some(compileGlob(glob))) return undefined;
  return document.complaintAt("unknown-tool", node, `no tool of the catalog matches \`${glob}\`, so it grants nothing`);
}

/** What a tool does that the catalog does not list is unknown, so only this reach can be meant for such tools. */
const grantsUnknown = (reach: Node): boolean => listAt(reach, "effects").some(({ value }) => value === "unknown");

const isGlob = (node: Node): boolean => String(node.value).includes("*");

/** Every reach, as it is written. */
function reachesOf({ documents }: LoadedPolicy): readonly { readonly document: Document; readonly reach: Node }[] {
  const [settings, agents] = [documents.get("policy.json"), documents.get("agents.json")];
  const own = agents && propertiesOf(agents.root).find(({ key }) => key === "agents");
  return [
    ...(settings ? [{ document: settings, reach: nodeAt(settings.root, ["reach", "default"]) }] : []),
    ...(agents && own ? propertiesOf(own.valueNode).map(({ valueNode }) => ({ document: agents, reach: nodeAt(valueNode, ["reach"]) })) : []),
  ];
}

/** The items of a list, none where it is left out. */
const listAt = (node: Node, key: string): readonly Node[] => propertiesOf(node).find((property) => property.key === key)?.valueNode.children ?? [];

function categoriesOf({ documents }: LoadedPolicy): readonly string[] {
  const found = new Set<string>();
  const collect = (node: Node): void => {
    for (const child of node.children ?? []) collect(child);
    const [key, value] = node.type === "property" ? (node.children ?? []) : [];
    if (key?.value === "categories") for (const child of value?.children ?? []) found.add(String(child.value));
  };
  for (const [name, { root }] of documents) if (name.startsWith("catalog/")) collect(root);
  return [...found];
}
