import { applyEdits, findNodeAtLocation, modify, parseTree } from "jsonc-parser";
import type { Obligation } from "../core/obligations.ts";
import type { Disagreement } from "./case-judge.ts";
import { obligationJson } from "./obligations.ts";

/** What one case is to expect from now on. */
export interface CaseChange {
  /** Its place in the list `cases`, from 0. */
  readonly index: number;
  readonly disagreements: readonly Disagreement[];
}

/** A file of cases with one more, behind so many. */
export function withCase(text: string, made: object, there: number): string {
  const formattingOptions = { insertSpaces: true, tabSize: 2, eol: "\n" };
  return applyEdits(text, modify(text, ["cases", there], made, { formattingOptions, isArrayInsertion: true }));
}

/** A file of cases with these expectations replaced by what was found; everything else stays as it was written. */
export function withFound(text: string, changes: readonly CaseChange[]): string {
  let changed = text;
  for (const { index, disagreements } of changes) {
    for (const { key, instead } of disagreements) changed = withExpectation(changed, ["cases", index, "expect", key], jsonOf(key, instead));
  }
  return changed;
}

/** Nothing to expect: the key had better go. */
const isNothing = (value: unknown): boolean => value === undefined || (Array.isArray(value) && value.length === 0);

function withExpectation(text: string, path: (string | number)[], value: unknown): string {
  const list = path.at(-1) === "fires" || path.at(-1) === "silent";
  if (value === undefined || (list && isNothing(value))) return applyEdits(text, modify(text, path, undefined, {}));
  const root = parseTree(text);
  const node = root && findNodeAtLocation(root, path);
  if (!node) return text;
  return text.slice(0, node.offset) + spaced(value) + text.slice(node.offset + node.length);
}

/** One line, as people write it. */
function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{ ${Object.entries(value)
    .map(([key, part]) => `${JSON.stringify(key)}: ${spaced(part)}`)
    .join(", ")} }`;
}

function jsonOf(key: Disagreement["key"], found: unknown): unknown {
  if (key === "obligations") return (found as readonly Obligation[]).map(obligationJson);
  if (key === "valid_for") return typeof found === "number" ? `${found}ms` : undefined;
  return found;
}
