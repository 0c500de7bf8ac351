import { nameTokens, type Token, tokensOf } from "./tokens.ts";

/** What is quoted counts as a name, and no word in it as a verb. */
export const QUOTED =
  /(?<![\p{L}\p{N}])(?:'((?:[^'\n]|'(?=\p{L})){1,300})'|"([^"\n]{1,300})"|“([^”\n]{1,300})”|‘([^’\n]{1,300})’|`([^`\n]{1,300})`)(?![\p{L}\p{N}])/gu;

/** Addresses, names of channels and people, and words with a hyphen: `read` of `a read-only login` is no verb either. */
const NAMED =
  /[a-z]{2,10}:\/\/\S{1,2000}|[\p{L}\p{N}._+-]{1,100}@[\p{L}\p{N}.-]{1,200}|[#@][\p{L}\p{N}_-]{1,100}|\p{L}{1,40}(?:-[\p{L}\p{N}]{1,40}){1,6}/giu;

/** Where a clause ends, beside commas. */
const CLAUSE_MARK = /:(?=\s|$)|[()[\]…–—]|\s-{1,2}(?=\s)/gu;

/** `e-mail` and `re-send` are one word. */
const PREFIXED = /\b(e|re)-(?=\p{L})/giu;

export interface StatementToken extends Token {
  /** It is a name, or part of one. */
  readonly isQuoted: boolean;
}

export const sentencesOf = (text: string): readonly string[] =>
  text.split(/(?<=[.!?;])(?<!\b(?:mr|mrs|ms|dr|prof|st|vs|e\.g|i\.e|incl|approx|no)\.)\s+|\n+/iu).filter((sentence) => sentence.trim() !== "");

/** Words and marks of a sentence, in which names are told from what is said. */
export function sentenceTokens(sentence: string): readonly StatementToken[] {
  return outside(sentence.replaceAll(PREFIXED, "$1"), QUOTED, (text) =>
    outside(text, NAMED, (rest) => outside(rest, CLAUSE_MARK, (words) => tokensOf(words).map((token) => ({ ...token, isQuoted: false })))),
  );
}

/** What matches stands as a name or as a mark between the tokens of the rest. */
function outside(text: string, pattern: RegExp, tokensIn: (text: string) => readonly StatementToken[]): readonly StatementToken[] {
  const tokens: StatementToken[] = [];
  let from = 0;
  for (const { 0: found, index } of text.matchAll(pattern)) {
    for (const token of tokensIn(text.slice(from, index))) tokens.push(token);
    if (pattern === CLAUSE_MARK) tokens.push({ word: found.trim(), raw: found, kind: "mark", isQuoted: false });
    else for (const token of pattern === QUOTED ? nameTokens(found) : tokensOf(found)) tokens.push({ ...token, isQuoted: true });
    from = index + found.length;
  }
  for (const token of tokensIn(text.slice(from))) tokens.push(token);
  return tokens;
}
