import { applyEdits } from "jsonc-parser";
import type { JsonObject } from "../core/words.ts";
import { type Document, type Property, propertiesOf } from "./document.ts";

/** What a new file of the catalog begins with. */
const SCHEMA = "../schema/catalog.schema.json";
/** Longer, an entry's part stands on several lines. */
const LINE_MAX = 120;

/** The text of a new catalog with these tools. */
export const catalogOf = (entries: ReadonlyMap<string, JsonObject>): string =>
  `{\n  "$schema": "${SCHEMA}",\n  "tools": {\n${membersOf(entries)}\n  }\n}\n`;

/** The text of a catalog with these tools after those that it has. Nothing else in it changes, not even a space. */
export function withEntries(document: Document, entries: ReadonlyMap<string, JsonObject>): string {
  if (entries.size === 0) return document.text;
  const tools = toolsNodeOf(document);
  const holder = tools?.valueNode ?? document.root;
  const content = tools ? membersOf(entries) : `  "tools": {\n${membersOf(entries)}\n  }`;
  const last = holder.children?.at(-1);
  const offset = last ? last.offset + last.length : holder.offset + 1;
  const end = holder.offset + holder.length - 1;
  // What closes the object goes on a line of its own, unless it stands on one.
  const closing = /^\s*\n/.test(document.text.slice(offset, end)) ? "" : `\n${tools ? "  " : ""}`;
  return applyEdits(document.text, [{ offset, length: 0, content: `${last ? "," : ""}\n${content}${closing}` }]);
}

const toolsNodeOf = ({ root }: Document): Property | undefined => propertiesOf(root).find(({ key }) => key === "tools");

const membersOf = (entries: ReadonlyMap<string, JsonObject>): string =>
  [...entries].map(([name, entry]) => `    ${JSON.stringify(name)}: {\n${partsOf(entry)}\n    }`).join(",\n");

const partsOf = (entry: JsonObject): string =>
  Object.entries(entry)
    .map(([key, value]) => {
      const line = spaced(JSON.stringify(value, null, 1));
      const text = line.length <= LINE_MAX ? line : JSON.stringify(value, null, 2).replaceAll("\n", "\n      ");
      return `      ${JSON.stringify(key)}: ${text}`;
    })
    .join(",\n");

/** On one line, as an author writes it. A line break is never inside a string, where JSON writes it as `\n`. */
const spaced = (json: string): string => json.replaceAll(/\n\s*/g, " ").replaceAll(/\[ | \]/g, (bracket) => bracket.trim());
