import { EFFECTS, type Effect, worseEffect } from "../core/words.ts";
import type { LanguagePack } from "./language.ts";
import { formOf, stemOf, type Token, type VerbForm } from "./tokens.ts";

export interface Verb {
  readonly base: string;
  readonly effect: Effect;
  /** It reads only in some of its meanings. */
  readonly weak: boolean;
  readonly nounLike: boolean;
  readonly light: boolean;
  /** It reads where what it is done to is information, and else says nothing: `bring`. */
  readonly fetching: boolean;
}

export interface VerbInText extends Verb {
  readonly form: VerbForm;
  /** How many words it has, one after the other: two in `look up`. */
  readonly words: number;
  /** What stands behind its object: `back` of `give the book back`. */
  readonly particle?: string;
}

/** A language pack as it is looked up. */
export interface Lexicon {
  readonly pack: LanguagePack;
  /** What one word is as a verb. */
  verbOf(token: Token): VerbInText | undefined;
  /** The verb that begins at a place, with what belongs to it: `get rid of` is `delete`. */
  verbAt(tokens: readonly Token[], at: number): VerbInText | undefined;
  /** Whether a word belongs to a list of the pack. */
  isIn(list: WordList, word: string): boolean;
  /** What a light verb does to this noun. */
  lightEffect(noun: string): Effect | undefined;
  /** What the verb does that a word is made of: `reservation` of `reserve`. */
  kinEffect(word: string): Effect | undefined;
}

type WordList = {
  readonly [K in keyof LanguagePack]: LanguagePack[K] extends string ? K : never;
}[keyof LanguagePack];

const wordsOf = (list: string): readonly string[] => list.split(/\s+/).filter((word) => word !== "");

export function compileLexicon(pack: LanguagePack): Lexicon {
  const sets = new Map<string, ReadonlySet<string>>();
  for (const [key, value] of Object.entries(pack)) if (typeof value === "string") sets.set(key, new Set(wordsOf(value)));
  const isIn = (list: WordList, word: string): boolean => sets.get(list)?.has(word) ?? false;
  const [effects, lightObjects] = [new Map<string, Effect>(), new Map<string, Effect>()];
  for (const effect of EFFECTS) {
    // A verb of several meanings has the worst of them.
    for (const verb of wordsOf(pack.verbs[effect] ?? "")) effects.set(verb, worseEffect(effects.get(verb) ?? "read", effect));
    for (const noun of wordsOf(pack.lightObjects[effect] ?? "")) lightObjects.set(noun, effect);
  }
  const stems = new Map<string, string[]>();
  for (const base of new Set([...effects.keys(), ...wordsOf(pack.light), ...wordsOf(pack.transparent), ...wordsOf(pack.fetching)]))
    stems.set(stemOf(base), [...(stems.get(stemOf(base)) ?? []), base]);
  const verbCalled = (base: string): Verb => ({
    base,
    effect: effects.get(base) ?? "unknown",
    weak: isIn("weak", base),
    nounLike: isIn("nounLike", base),
    light: isIn("light", base),
    fetching: isIn("fetching", base),
  });
  const irregular = irregularForms(pack);
  const verbOf = ({ word }: Token): VerbInText | undefined => {
    const found = inflected(word, stems, irregular);
    return found && { ...verbCalled(found.base), form: found.form, words: 1 };
  };
  const phrases = phrasesOf(pack);
  const heads = new Map<string, string[]>();
  for (const head of phrases.keys()) heads.set(stemOf(head), [...(heads.get(stemOf(head)) ?? []), head]);
  const verbAt = (tokens: readonly Token[], at: number): VerbInText | undefined => {
    const [token] = tokens.slice(at, at + 1);
    if (!token) return undefined;
    const head = inflected(token.word, heads, irregular);
    for (const { meaning, rest } of (head && phrases.get(head.base)) ?? []) {
      const placed = placeOf(rest, { tokens, from: at + 1, isIn });
      // Of a phrase nothing can be a noun, whatever the verb can be that it stands for.
      if (head && placed) return { ...verbCalled(meaning), nounLike: false, form: head.form, ...placed };
    }
    return verbOf(token);
  };
  return {
    pack,
    verbOf,
    verbAt,
    isIn,
    lightEffect: (noun) => lightObjects.get(noun),
    kinEffect: (word) => {
      const [base] = stems.get(stemOf(word)) ?? [];
      return base === undefined || isIn("transparent", base) ? undefined : effects.get(base);
    },
  };
}

interface Inflected {
  readonly base: string;
  readonly form: VerbForm;
}

/** The verb that a word is a form of, among those of its stem. */
function inflected(word: string, stems: ReadonlyMap<string, readonly string[]>, irregular: ReadonlyMap<string, string>): Inflected | undefined {
  const unlike = irregular.get(word);
  if (unlike !== undefined && stems.get(stemOf(unlike))?.includes(unlike)) return { base: unlike, form: "participle" };
  // A stem loses the second `d` of `adding`.
  const bases = stems.get(stemOf(word)) ?? stems.get(word.replace(/(ing|ed|es)$/, ""));
  const known = bases?.flatMap((base) => {
    const form = formOf(word, base);
    return form ? [{ base, form }] : [];
  });
  return known?.find(({ base }) => base === word) ?? known?.[0];
}

const irregularForms = ({ irregular }: LanguagePack): ReadonlyMap<string, string> =>
  new Map(
    irregular.flatMap((line) => {
      const [base = "", ...forms] = wordsOf(line);
      return forms.map((form): [string, string] => [form, base]);
    }),
  );

interface Phrase {
  /** The verb that it stands for. */
  readonly meaning: string;
  readonly rest: readonly string[];
}

/** By the verb that each begins with, the longest first. */
function phrasesOf(pack: LanguagePack): ReadonlyMap<string, readonly Phrase[]> {
  const phrases = new Map<string, Phrase[]>();
  for (const [meaning, list] of Object.entries(pack.phrases))
    for (const phrase of list) {
      const [head = "", ...rest] = wordsOf(phrase);
      phrases.set(head, [...(phrases.get(head) ?? []), { meaning, rest }]);
    }
  for (const list of phrases.values()) list.sort((a, b) => b.rest.length - a.rest.length);
  return phrases;
}

interface Within {
  readonly tokens: readonly Token[];
  readonly from: number;
  readonly isIn: (list: WordList, word: string) => boolean;
}

/** How many words of an object may stand between a verb and its particle: `give the report of the day back` is too far. */
const SPLIT_WORDS_MAX = 5;

/** Whether what belongs to a verb stands behind it, at once or after its object: `give back the book`, `give the book back`. */
function placeOf(rest: readonly string[], { tokens, from, isIn }: Within): Pick<VerbInText, "words" | "particle"> | undefined {
  const standsAt = (at: number): boolean => rest.every((word, index) => tokens[at + index]?.word === word);
  if (standsAt(from)) return { words: 1 + rest.length };
  const [particle = ""] = rest;
  if (!isIn("particles", particle)) return undefined;
  for (let at = from + 1; at <= Math.min(from + SPLIT_WORDS_MAX, tokens.length - 1); at++) {
    const [before, token] = [tokens[at - 1], tokens[at]];
    if (!before || !token || before.kind === "mark" || isIn("prepositions", before.word)) return undefined;
    if (!standsAt(at)) continue;
    const next = tokens[at + rest.length];
    const isOutside =
      !next || next.kind === "mark" || isIn("prepositions", next.word) || isIn("conjunctions", next.word) || isIn("adverbs", next.word);
    return isOutside && !(at === from + 1 && isIn("leadIns", before.word) && !isIn("determiners", before.word)) ? { words: 1, particle } : undefined;
  }
  return undefined;
}

/** Whether a list of words and phrases has one that stands in the text, and which. Longest first, so that a phrase beats its words. */
export function foundIn(list: readonly string[], tokens: readonly Token[]): string | undefined {
  const text = ` ${tokens.map(({ word }) => word).join(" ")} `;
  return [...list].sort((a, b) => b.length - a.length).find((phrase) => text.includes(` ${phrase} `));
}
