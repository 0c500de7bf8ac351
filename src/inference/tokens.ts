import { stemmer } from "stemmer";

/** One word of a text, or what stands between two. */
export interface Token {
  /** In lower case, as it is looked up. */
  readonly word: string;
  /** As it was written, for people. */
  readonly raw: string;
  readonly kind: "word" | "mark";
}

const WORDS = new Intl.Segmenter("en", { granularity: "word" });

/** Words and marks of a text; blanks and quotation marks are left out. */
export function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  for (const { segment, isWordLike } of WORDS.segment(text)) {
    const word = segment.toLowerCase().replaceAll("’", "'");
    if (isWordLike) tokens.push({ word, raw: segment, kind: "word" });
    else if (/[,;/&+]/.test(segment)) tokens.push({ word: segment.trim(), raw: segment, kind: "mark" });
  }
  return tokens;
}

/** The words of a name in camelCase, snake_case, kebab-case or any mixture of them. */
export const nameTokens = (name: string): readonly Token[] =>
  (name.match(/\p{Lu}+(?=\p{Lu}\p{Ll})|\p{Lu}?[\p{Ll}\p{Lo}\p{Lm}\p{M}]+|\p{Lu}+|\p{N}+/gu) ?? []).map((raw) => ({
    word: raw.toLowerCase(),
    raw,
    kind: "word",
  }));

/** A stem is what words of one family have in common; words of other than Latin letters are their own. */
export const stemOf = (word: string): string => (/^[a-z]+$/.test(word) ? stemmer(word) : word);

export type VerbForm = "base" | "third" | "gerund" | "participle";

/** In which form a verb stands in a text; undefined where the word is another of its family, such as `creation` of `create`. */
export function formOf(word: string, base: string): VerbForm | undefined {
  if (word === base) return "base";
  if (word === `${base}s` || word === `${base}es` || (base.endsWith("y") && word === `${base.slice(0, -1)}ies`)) return "third";
  const root = base.replace(/[ey]$/, "");
  if (!word.startsWith(root)) return undefined;
  if (word.endsWith("ing")) return "gerund";
  return word.endsWith("ed") ? "participle" : undefined;
}

/** Whether letters stand in it that are not Latin: words that nobody here can read. */
export const hasForeignLetters = (text: string): boolean =>
  /(?=\p{L})\P{Script=Latin}/u.test(text.replaceAll(/[\p{Script=Common}\p{Script=Inherited}]/gu, ""));

/** Characters that show nothing, or change what is shown. */
export const hasHiddenCharacters = (text: string): boolean => /[\p{Cf}\p{Co}\p{Cs}\p{Default_Ignorable_Code_Point}]/u.test(text);
