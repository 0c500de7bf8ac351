import type { ReadResult } from "../ports.ts";
import { addressesIn } from "./addresses.ts";
import type { Language } from "./language.ts";
import type { Observation, ObservedView } from "./observed.ts";
import { observe, type Returned, type StatementWords } from "./observing.ts";
import { createToolWords } from "./scope.ts";
import { plainly } from "./spelling.ts";
import { type IntentQuestion, type IntentStanding, intentOf } from "./standing.ts";

/** Reads what people ask for and what tools return. Pure; what it has read before it remembers. */
export interface Intent {
  readonly read: (statement: string) => StatementWords;
  readonly standing: (question: Omit<IntentQuestion, "toolWords" | "read" | "registrableOf">) => IntentStanding;
  readonly observe: (returned: Omit<Returned, "structure" | "statement" | "followed">, task: Observing) => Observation;
}

/** The task to which a result comes. */
export interface Observing {
  readonly statement: string | undefined;
  readonly observed: ObservedView | undefined;
}

/** To read one takes longer than a whole decision, so those of ten thousand tasks stay; some 2.5 KiB each. */
const STATEMENTS_REMEMBERED_MAX = 16_384;
/** Of all that are remembered, together: what is read of a statement is some thirty times as large, and up to a hundred times. */
const CHARACTERS_REMEMBERED_MAX = 1024 * 1024;
/** Quoted words of one statement with which values are compared. */
const QUOTED_MAX = 64;

export function createIntent(language: Language, readResult: ReadResult): Intent {
  const toolWords = createToolWords(language);
  const read = remembering((statement: string) => {
    const reading = language.readStatement(statement);
    const plain = plainly(statement);
    return {
      plain,
      plainWithoutSigns: plain.replaceAll(/(?<![\p{L}\p{N}._%+-])[#@](?=\p{L})/gu, ""),
      addresses: new Map(addressesIn(statement).map(({ value, kind }) => [value, kind] as const)),
      reading,
      quoted: [...new Set(reading.quoted.map(plainly))].filter((words) => words.length > 3).slice(0, QUOTED_MAX),
    };
  });
  return {
    read,
    standing: (question) => intentOf({ ...question, toolWords, read, registrableOf: language.registrableOf }),
    observe: (returned, { statement, observed }) =>
      observe(
        {
          ...returned,
          structure: readResult(returned.text),
          statement: statement === undefined ? undefined : read(statement),
          followed: (observed?.followed ?? []).map(read),
        },
        language,
      ),
  };
}

/** A statement never changes, and each decision of its task asks for it again. */
function remembering(read: (statement: string) => StatementWords): (statement: string) => StatementWords {
  const known = new Map<string, StatementWords>();
  let characters = 0;
  return (statement) => {
    const before = known.get(statement);
    if (before) return before;
    characters += statement.length;
    for (const oldest of known.keys()) {
      if (known.size < STATEMENTS_REMEMBERED_MAX && characters <= CHARACTERS_REMEMBERED_MAX) break;
      known.delete(oldest);
      characters -= oldest.length;
    }
    const words = read(statement);
    known.set(statement, words);
    return words;
  };
}
