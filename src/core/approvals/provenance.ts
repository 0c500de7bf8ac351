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

/** Says where values are known from. Whoever asks chooses how many there are, and decisions wait meanwhile: each text is looked for once. */
export interface Grading {
  /** The worst over every text of a value. */
  gradeOf(value: Json): Grade;
  identifiersOf(value: Json): readonly { readonly value: string; readonly provenance: Grade }[];
}

export function gradingOf({ statement, endorsed, own }: Known): Grading {
  const words = statement === undefined ? undefined : plainText(statement);
  const [inEndorsed, inOwn] = [namedIn(endorsed), namedIn(own)];
  const known = new Map<string, Grade>();
  const look = (text: string): Grade => {
    const plain = plainText(text);
    if (plain === "") return "unseen";
    if (words !== undefined && names(words, plain)) return "stated";
    if (inEndorsed.has(plain) || inEndorsed.has(text)) return "endorsed";
    return inOwn.has(plain) || inOwn.has(text) ? "own" : "unseen";
  };
  const grade = (text: string): Grade => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const found = look(text);
    known.set(text, found);
    return found;
  };
  return {
    gradeOf(value) {
      let worst = -1;
      for (const text of textsOf(value)) {
        worst = Math.max(worst, GRADES.indexOf(grade(text)));
        if (worst === GRADES.length - 1) break;
      }
      return GRADES[worst] ?? "unseen";
    },
    identifiersOf: (value) => [...new Set(identifiersOf(value))].map((identifier) => ({ value: identifier, provenance: grade(identifier) })),
  };
}

/** The texts, and what they name. */
const namedIn = (texts: readonly string[]): ReadonlySet<string> => new Set(texts.flatMap((text) => [plainText(text), ...identifiersIn(text)]));

const plainText = (text: string): string => text.normalize("NFKC").trim().toLowerCase();

/** Whether words hold a text as whole words: no part of a longer address or number. */
function names(words: string, plain: string): boolean {
  for (let at = words.indexOf(plain); at !== -1; at = words.indexOf(plain, at + 1)) {
    // A character can be two units long.
    const before = words.slice(Math.max(0, at - 2), at);
    const after = words.slice(at + plain.length, at + plain.length + 3);
    if (!/[\p{L}\p{N}@._%+-]$/u.test(before) && !/^(?:[\p{L}\p{N}@_%+-]|[.,/][\p{L}\p{N}])/u.test(after)) return true;
  }
  return false;
}
