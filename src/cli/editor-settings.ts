import { applyEdits, type FormattingOptions, modify, type ParseError, parse } from "jsonc-parser";
import type { SchemaMapping } from "./schema-files.ts";

const KEY = "json.schemas";

/** VS Code's settings with the mappings that they lack, all else as it was, comments included; or why they had better be left alone. */
export function mergeMappings(text: string, mappings: readonly SchemaMapping[]): { readonly text: string } | { readonly problem: string } {
  const errors: ParseError[] = [];
  const settings: unknown = parse(text.trim() === "" ? "{}" : text, errors, { allowTrailingComma: true });
  if (errors.length > 0) return { problem: "it is not JSON" };
  if (typeof settings !== "object" || settings === null || Array.isArray(settings)) return { problem: "it is not a JSON object" };
  const there: unknown = Object.hasOwn(settings, KEY) ? Reflect.get(settings, KEY) : [];
  if (!Array.isArray(there)) return { problem: `its \`${KEY}\` is not a list` };
  // Who maps one of these schemas otherwise has a reason to.
  const missing = mappings.filter(({ url }) => !there.some((entry: unknown) => urlOf(entry) === url));
  const insert = (before: string, mapping: SchemaMapping): string =>
    applyEdits(before, modify(before, [KEY, -1], mapping, { isArrayInsertion: true, formattingOptions: formattingOf(text) }));
  return { text: missing.reduce(insert, text.trim() === "" ? "{}\n" : text) };
}

const urlOf = (entry: unknown): unknown => (typeof entry === "object" && entry !== null ? Reflect.get(entry, "url") : undefined);

const formattingOf = (text: string): FormattingOptions => ({
  insertSpaces: !/^\t/m.test(text),
  tabSize: /^ {4}"/m.test(text) && !/^ {2}"/m.test(text) ? 4 : 2,
  eol: text.includes("\r\n") ? "\r\n" : "\n",
});
