import { applyEdits, type Edit } from "jsonc-parser";
import { type Document, type Node, type Property, propertiesOf } from "./document.ts";

/** How a tool's definition stands to the catalog: worst first. */
export const PIN_STATES = ["drifted", "gone", "new", "unpinned", "same"] as const;

/** One tool of a catalog, of a server's list, or of both. */
export interface ToolPin {
  readonly tool: string;
  /**
   * `drifted`: its definition is another than the pinned one; `gone`: the server lists it no more; `new`: the catalog does not list it;
   * `unpinned`: nothing is pinned yet; `same`: it is what is pinned.
   */
  readonly state: (typeof PIN_STATES)[number];
  /** The catalog file; undefined for a new tool. */
  readonly file?: string;
  readonly pinned?: string;
  readonly listed?: string;
}

/** Digests of definitions, by the names that the catalog has for the tools. */
export type ListedTools = ReadonlyMap<string, string>;

/**
 * Compares catalogs with what one server lists. A tool is gone when its server's other tools are listed, and stand in the same file: of other
 * servers the list says nothing.
 */
export function comparePins(catalogs: readonly Document[], listed: ListedTools): readonly ToolPin[] {
  const servers = new Set([...listed.keys()].map(serverOf));
  const known = new Set<string>();
  const pins: ToolPin[] = [];
  for (const document of catalogs) {
    const tools = toolsOf(document);
    for (const { key } of tools) known.add(key);
    if (!tools.some(({ key }) => listed.has(key))) continue;
    for (const entry of tools) {
      if (listed.has(entry.key) || servers.has(serverOf(entry.key))) pins.push(pinOf(document, entry, listed.get(entry.key)));
    }
  }
  const strangers = [...listed].filter(([tool]) => !known.has(tool));
  return [...pins, ...strangers.map(([tool, digest]): ToolPin => ({ tool, state: "new", listed: digest }))].sort(
    (a, b) => PIN_STATES.indexOf(a.state) - PIN_STATES.indexOf(b.state) || (a.tool < b.tool ? -1 : 1),
  );
}

function pinOf({ file }: Document, { key: tool, valueNode }: Property, listed: string | undefined): ToolPin {
  const node = digestNodeOf(valueNode);
  const pinned = node && String(node.value);
  const state = listed === undefined ? "gone" : pinned === undefined ? "unpinned" : pinned === listed ? "same" : "drifted";
  return { tool, state, file, ...(pinned !== undefined && { pinned }), ...(listed !== undefined && { listed }) };
}

/** The text of a catalog with these definitions pinned. Nothing else in it changes, not even a space. */
export function withPins(document: Document, listed: ListedTools): string {
  const edits = toolsOf(document).flatMap(({ key, valueNode }) => {
    const digest = listed.get(key);
    return digest === undefined ? [] : [pinEdit(document, valueNode, JSON.stringify(digest))];
  });
  return applyEdits(document.text, edits);
}

function pinEdit({ text }: Document, tool: Node, digest: string): Edit {
  const stated = digestNodeOf(tool);
  if (stated) return { offset: stated.offset, length: stated.length, content: digest };
  const members = tool.children ?? [];
  const [last, before] = [members.at(-1), members.at(-2)];
  if (!last) return { offset: tool.offset + 1, length: 0, content: `"definition_digest": ${digest}` };
  // On a line of its own, or on the same line, as the member before it.
  const gap = text.slice(before ? endOf(before) : tool.offset + 1, last.offset).replace(",", "");
  return { offset: endOf(last), length: 0, content: `,${gap}"definition_digest": ${digest}` };
}

export const toolNamesIn = (document: Document): readonly string[] => toolsOf(document).map(({ key }) => key);

function toolsOf({ root }: Document): readonly Property[] {
  const tools = propertiesOf(root).find(({ key }) => key === "tools");
  return tools ? propertiesOf(tools.valueNode).filter(({ valueNode }) => valueNode.type === "object") : [];
}

const digestNodeOf = (tool: Node): Node | undefined => propertiesOf(tool).find(({ key }) => key === "definition_digest")?.valueNode;
const serverOf = (tool: string): string => tool.slice(0, Math.max(0, tool.indexOf("/")));
const endOf = ({ offset, length }: Node): number => offset + length;
