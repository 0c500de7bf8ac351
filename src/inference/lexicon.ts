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
}

export interface VerbInText extends Verb {
  readonly form: VerbForm;
}

/** A language pack as it is looked up. */
export interface Lexicon {
  readonly pack: LanguagePack;
  verbOf(token: Token): VerbInText | undefined;
  /** Whether a word belongs to a list of the pack. */
  isIn(list: WordList, word: string): boolean;
  /** What a light verb does to this noun. */
  lightEffect(noun: string): Effect | undefined;
  /** What the verb does that a word is made of: `reservation` of `reserve`. */
  kinEffect(word: string): Effect | undefined;
  phraseEffect(verb: string, particle: string): Effect | undefined;
}

type WordList = {
  readonly [K in keyof LanguagePack]: LanguagePack[K] extends string ? K : never;
}[keyof LanguagePack];

const wordsOf = (list: string): readonly string[] => list.split(/\s+/).filter((word) => word !== "");

export function compileLexicon(pack: LanguagePack): Lexicon {
  const sets = new Map<string, ReadonlySet<string>>();
  for (const [key, value] of Object.entries(pack)) if (typeof value === "string") sets.set(key, new Set(wordsOf(value)));
  const isIn = (list: WordList, word: string): boolean => sets.get(list)?.has(word) ?? false;
  const [effects, lightObjects, phrases] = [new Map<string, Effect>(), new Map<string, Effect>(), new Map<string, Effect>()];
  for (const effect of EFFECTS) {
    // A verb of several meanings has the worst of them.
    for (const verb of wordsOf(pack.verbs[effect] ?? "")) effects.set(verb, worseEffect(effects.get(verb) ?? "read", effect));
    for (const noun of wordsOf(pack.lightObjects[effect] ?? "")) lightObjects.set(noun, effect);
    for (const phrase of pack.phrases[effect] ?? []) phrases.set(phrase, effect);
  }
  const stems = new Map<string, string[]>();
  for (const base of new Set([...effects.keys(), ...wordsOf(pack.light), ...wordsOf(pack.transparent)]))
    stems.set(stemOf(base), [...(stems.get(stemOf(base)) ?? []), base]);
  const verbOf = ({ word }: Token): VerbInText | undefined => {
    // A stem loses the second `d` of `adding`.
    const bases = stems.get(stemOf(word)) ?? stems.get(word.replace(/(ing|ed)$/, ""));
    const known = bases?.flatMap((base) => {
      const form = formOf(word, base);
      return form ? [{ base, form }] : [];
    });
    const found = known?.find(({ base }) => base === word) ?? known?.[0];
    if (!found) return undefined;
    const { base, form } = found;
    return {
      base,
      form,
      effect: effects.get(base) ?? "unknown",
      weak: isIn("weak", base),
      nounLike: isIn("nounLike", base),
      light: isIn("light", base),
    };
  };
  return {
    pack,
    verbOf,
    isIn,
    lightEffect: (noun) => lightObjects.get(noun),
    kinEffect: (word) => {
      const [base] = stems.get(stemOf(word)) ?? [];
      return base === undefined || isIn("transparent", base) ? undefined : effects.get(base);
    },
    phraseEffect: (verb, particle) => phrases.get(`${verb} ${particle}`),
  };
}

/** Whether a list of words and phrases has one that stands in the text, and which. Longest first, so that a phrase beats its words. */
export function foundIn(list: readonly string[], tokens: readonly Token[]): string | undefined {
  const text = ` ${tokens.map(({ word }) => word).join(" ")} `;
  return [...list].sort((a, b) => b.length - a.length).find((phrase) => text.includes(` ${phrase} `));
}
