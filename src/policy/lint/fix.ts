import { applyEdits, type Edit } from "jsonc-parser";
import type { WarningId } from "../complaint-kinds.ts";
import type { Complaint } from "../complaints.ts";
import type { Document, Node, Property } from "../document.ts";
import { conditionObjects, namedConditionsOf, splitFactsOf } from "./spelling.ts";

/** What can be mended without changing a decision. */
export const FIXABLE = ["path-spelling", "priority-of-condition", "unused-condition"] as const satisfies readonly WarningId[];
export type Fixable = (typeof FIXABLE)[number];

/** One change of a rule file. */
export interface Fix {
  readonly id: Fixable;
  /** `file:line:column`, as it was before any change. */
  readonly position: string;
  /** In words. */
  readonly done: string;
}

export interface Fixed {
  readonly text: string;
  readonly fixes: readonly Fix[];
}

interface Change extends Fix {
  readonly replaces?: { readonly node: Node; readonly content: string };
  readonly removes?: Node;
}

/**
 * Mends what the warnings say of one rule file, as far as it is one of `ids`. What is not mended keeps every byte, and what has been mended has
 * nothing left to mend.
 */
export function fixDocument(document: Document, warnings: readonly Complaint[], ids: ReadonlySet<Fixable>): Fixed {
  const unused = new Set(warnings.filter(({ id }) => id === "unused-condition").map(({ file, at }) => `${file}:${at?.line}:${at?.column}`));
  const whole = ids.has("unused-condition") ? namedConditionsOf(document).filter(({ valueNode }) => unused.has(document.positionOf(valueNode))) : [];
  const inner = [...joins(document), ...priorities(document)].filter(
    // What is removed as a whole needs no mending.
    ({ id, removes }) => ids.has(id) && !whole.some(({ valueNode }) => removes && contains(valueNode, removes)),
  );
  const changes: readonly Change[] = [...inner, ...whole.map((property) => unusedRemoval(document, property))];
  const replacements = changes.flatMap(({ replaces }) =>
    replaces ? [{ offset: replaces.node.offset, length: replaces.node.length, content: replaces.content }] : [],
  );
  const removed = new Set(changes.flatMap(({ removes }) => (removes ? [removes] : [])));
  const parents = new Set([...removed].flatMap(({ parent }) => (parent ? [parent] : [])));
  const edits = [...replacements, ...[...parents].flatMap((parent) => removals(parent.children ?? [], removed))];
  return { text: applyEdits(document.text, edits), fixes: changes.map(({ id, position, done }) => ({ id, position, done })) };
}

const contains = (outer: Node, node: Node): boolean => node.offset >= outer.offset && node.offset < outer.offset + outer.length;

const joins = (document: Document): readonly Change[] =>
  [...splitFactsOf(document)].map(({ factNode, pathProperty, joined }) => ({
    id: "path-spelling",
    position: document.positionOf(factNode),
    done: `joined \`fact\` and \`path\` into \`${joined}\``,
    replaces: { node: factNode, content: JSON.stringify(joined) },
    removes: pathProperty,
  }));

const priorities = (document: Document): readonly Change[] =>
  [...conditionObjects(document)].flatMap((node) => {
    const priority = (node.children ?? []).find((property) => property.children?.[0]?.value === "priority");
    if (!priority) return [];
    return [
      { id: "priority-of-condition", position: document.positionOf(priority), done: "removed the `priority` of a condition", removes: priority },
    ];
  });

function unusedRemoval(document: Document, { key, keyNode }: Property): Change {
  const done = `removed the condition \`${key}\`, which no rule uses`;
  return { id: "unused-condition", position: document.positionOf(keyNode), done, ...(keyNode.parent && { removes: keyNode.parent }) };
}

/** Removes members of an object with the commas and the space that they no longer need. */
function removals(members: readonly Node[], removed: ReadonlySet<Node>): readonly Edit[] {
  const edits: Edit[] = [];
  const cut = (from: number, to: number): void => void edits.push({ offset: from, length: to - from, content: "" });
  let kept: Node | undefined;
  for (let at = 0; at < members.length; at++) {
    const first = members[at];
    if (!first || !removed.has(first)) {
      kept = first;
      continue;
    }
    while (at + 1 < members.length && isIn(removed, members[at + 1])) at++;
    const last = members[at] ?? first;
    const next = members[at + 1];
    if (kept) cut(endOf(kept), endOf(last));
    else cut(first.offset, next ? next.offset : endOf(last));
  }
  return edits;
}

const isIn = (set: ReadonlySet<Node>, node: Node | undefined): boolean => node !== undefined && set.has(node);
const endOf = ({ offset, length }: Node): number => offset + length;
