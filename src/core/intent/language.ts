import type { Effect } from "../words.ts";
import type { AddressKind } from "./addresses.ts";

/** What the core needs to know of people's words. It is pure: the same text is read the same way each time. */
export interface Language {
  readonly readStatement: (text: string) => StatementReading;
  /** Of the words that say something, in any spelling of names, those of one meaning as one. */
  readonly stemsIn: (text: string) => ReadonlySet<string>;
  readonly fieldKind: (name: string) => FieldKind;
  /** What somebody has registered of a host: whoever has it gives out the names below. */
  readonly registrableOf: (host: string) => string | undefined;
}

/**
 * Who fills a field of what a tool returns, as far as its name says: the system alone, anybody, whoever made it, anybody in sentences, or nobody knows; `amount` is how much
 * something is.
 */
export const FIELD_KINDS = ["system", "outsider", "author", "prose", "amount", "other"] as const;
export type FieldKind = (typeof FIELD_KINDS)[number];

/** One thing that a statement asks for. */
export interface Ask {
  readonly effect: Effect;
  /** As it stands there. */
  readonly verb: string;
  /** What it is to be done to: as it stands there, by its stem. */
  readonly objects: ReadonlyMap<string, string>;
  /** Stems of those it is done to, and not only of what they are about or with: of `mail the minutes of the meeting to Ann`, no meeting. */
  readonly direct: ReadonlySet<string>;
  /** All of them, whichever they are: `every mail`, `all my meetings`. */
  readonly universal: boolean;
}

/** A statement, as far as its words can be read. */
export interface StatementReading {
  readonly asks: readonly Ask[];
  /** What it says is not to be done, as asks that nobody makes: `do not pay`. */
  readonly forbids?: readonly Ask[];
  /** Of every word that says something, and of what is meant with its verbs; not of what it does not want. */
  readonly stems: ReadonlySet<string>;
  /** What is quoted in it. */
  readonly quoted: readonly string[];
  /** Years, months and days that it names, as `2026-05-15` or `05-15`. */
  readonly dates: readonly string[];
  /** Numbers that it names, without those of dates and times. */
  readonly numbers: readonly number[];
  /** Words such as `largest`: which of several is meant. */
  readonly superlatives: readonly Superlative[];
  /** People who are meant without a name: `the client`, `everyone`. */
  readonly people: readonly string[];
  /** Kinds of addresses of which it speaks: `the link`, `her number`. */
  readonly addressKinds: ReadonlySet<AddressKind>;
  /** The words by which it leaves it to a source what is to be done. */
  readonly follows?: string;
}

export interface Superlative {
  readonly word: string;
  readonly extreme: "most" | "least";
}
