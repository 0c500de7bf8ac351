import { identifiersIn } from "../intent/identifiers.ts";
import type { Subject } from "../situation.ts";
import type { Json } from "../words.ts";
import { identifiersOf, textsOf } from "./texts.ts";

/**
 * Where a value is known from, best first: in the words of the registered task, endorsed by a person for it, an attribute of whom the task is for. What
 * tools returned attests nothing yet.
 */
export const GRADES = ["stated", "endorsed", "own", "unseen"] as const;
export type Grade = (typeof GRADES)[number];

/** What people said of a task. */
export interface Known {
  /** Of the task at the root; absent for one that no initiator opened, whose words are the agent's. */
  readonly statement?: string;
  readonly endorsed: readonly string[];
  readonly own: readonly string[];
}

export const knownOf = ({ task, endorsed }: Subject, statement: string | undefined): Known => ({
  ...(statement !== undefined && { statement }),
  endorsed: endorsed?.values ?? [],
  own: textsOf(task.registered?.principal.attributes ?? {}),
});

/** The worst over every text of a value. */
export function gradeOf(value: Json, known: Known): Grade {
  const grades = textsOf(value).map((text) => gradeOfText(text, known));
  return worst(grades);
}

export const gradedIdentifiers = (value: Json, known: Known): readonly { readonly value: string; readonly provenance: Grade }[] =>
  [...new Set(identifiersOf(value))].map((identifier) => ({ value: identifier, provenance: gradeOfText(identifier, known) }));

const worst = (grades: readonly Grade[]): Grade => GRADES[Math.max(...grades.map((grade) => GRADES.indexOf(grade)))] ?? "unseen";

function gradeOfText(text: string, { statement, endorsed, own }: Known): Grade {
  const plain = plainText(text);
  if (plain === "") return "unseen";
  if (statement !== undefined && names(statement, plain)) return "stated";
  const isIn = (value: string): boolean => plainText(value) === plain || identifiersIn(value).some((one) => one === plain || one === text);
  if (endorsed.some(isIn)) return "endorsed";
  return own.some(isIn) ? "own" : "unseen";
}

const plainText = (text: string): string => text.normalize("NFKC").trim().toLowerCase();

/** Whether a statement holds a text as whole words: no part of a longer address or number. */
function names(statement: string, plain: string): boolean {
  const words = plainText(statement);
  for (let at = words.indexOf(plain); at !== -1; at = words.indexOf(plain, at + 1)) {
    const before = words.slice(0, at);
    const after = words.slice(at + plain.length);
    if (!/[\p{L}\p{N}@._%+-]$/u.test(before) && !/^(?:[\p{L}\p{N}@_%+-]|[.,/][\p{L}\p{N}])/u.test(after)) return true;
  }
  return false;
}
