import { type Excerpt, excerpt } from "../core/excerpt.ts";
import { nearest } from "../core/nearest.ts";
import { type ComplaintId, KINDS } from "./complaint-kinds.ts";

/** One thing that is wrong in a rules directory. */
export interface Complaint {
  /** What kind of complaint it is; `docs/lint/ID.md` explains it. */
  readonly id: ComplaintId;
  readonly severity: "error" | "warning";
  /** Path as it was opened. */
  readonly file: string;
  /** From 1; absent when the complaint is about the file or directory as a whole. */
  readonly at?: { readonly line: number; readonly column: number; readonly source: string };
  readonly message: string;
  /** What was probably meant; the message says it too. */
  readonly suggestion?: string;
}

/** What is wrong, in words, and what was probably meant. */
export type Said = string | { readonly message: string; readonly suggestion: string };

/** A complaint about a file as a whole. */
export function complaint(id: ComplaintId, file: string, said: Said): Complaint {
  return { id, severity: KINDS[id].severity, file, ...(typeof said === "string" ? { message: said } : said) };
}

/** The rules directory cannot be used; every complaint is there, not only the first. */
export class PolicyInvalid extends Error {
  readonly complaints: readonly Complaint[];

  constructor(complaints: readonly Complaint[]) {
    super(`the rules have ${complaints.length === 1 ? "an error" : `${complaints.length} errors`}`);
    this.name = "PolicyInvalid";
    this.complaints = complaints;
  }
}

/** `file:line:column: message`, then the line with a caret under the place. */
export function formatComplaint({ severity, file, at, message }: Omit<Complaint, "id">, excerptMax?: number): string {
  const said = severity === "warning" ? `warning: ${message}` : message;
  if (!at) return `${file}: ${said}`;
  return `${file}:${at.line}:${at.column}: ${said}\n${underlined(excerpt(at.source, at.column, excerptMax))}`;
}

/** A line with a caret under the place. */
export const underlined = ({ source, caret }: Excerpt): string => `  ${source}\n  ${" ".repeat(caret)}^`;

/** What is wrong, and the known word that a mistyped one is close to. */
export const orMean = (message: string, word: string, known: Iterable<string>): Said => suggesting(message, nearest(word.slice(0, 200), known));

/** What is wrong, and what was probably meant. */
export const suggesting = (message: string, meant: string | undefined): Said =>
  meant === undefined ? message : { message: `${message}; did you mean \`${meant}\`?`, suggestion: meant };

export const suggestionOf = (said: Said): string | undefined => (typeof said === "string" ? undefined : said.suggestion);
