import { isObject } from "../src/core/json.ts";
import type { Json } from "../src/core/words.ts";
import { ENGLISH } from "../src/inference/english.ts";
import type { LanguagePack } from "../src/inference/language.ts";
import { nameTokens, stemOf, tokensOf } from "../src/inference/tokens.ts";
import type { TraceSet } from "./trace-sets.ts";

/**
 * English without every word that stands in some texts and in none of others, in whatever form: what Behest would know had nobody ever read those texts.
 * A phrase goes with its first such word; of words of one meaning the others stay.
 */
export function englishWithoutOwnWords(own: readonly string[], others: readonly string[]): LanguagePack {
  const elsewhere = stemsOf(others);
  const left = new Set([...stemsOf(own)].filter((stem) => !elsewhere.has(stem)));
  const isLeftOut = (word: string): boolean => left.has(stemOf(word));
  const withoutWords = (list: string): string =>
    list
      .split(/\s+/)
      .filter((word) => !isLeftOut(word))
      .join(" ");
  const shrink = <T>(value: T): T => shrunk(value, { withoutWords, isLeftOut });
  const pack = shrink(ENGLISH);
  return { ...pack, statement: { ...pack.statement, meanings: ENGLISH.statement.meanings.map(withoutWords).filter((group) => group !== "") } };
}

interface Shrinking {
  readonly withoutWords: (list: string) => string;
  readonly isLeftOut: (word: string) => boolean;
}

/** The same shape with fewer words: a text is a list of words, and an entry of a list is a phrase. */
function shrunk<T>(value: T, shrinking: Shrinking): T;
function shrunk(value: unknown, shrinking: Shrinking): unknown {
  if (typeof value === "string") return shrinking.withoutWords(value);
  if (Array.isArray(value)) return value.filter((phrase: string) => !phrase.split(/\s+/).some(shrinking.isLeftOut));
  return Object.fromEntries(Object.entries(value ?? {}).map(([key, one]) => [key, shrunk(one, shrinking)]));
}

const stemsOf = (texts: readonly string[]): Set<string> =>
  new Set(texts.flatMap((text) => [...tokensOf(text), ...nameTokens(text)].map(({ word }) => stemOf(word))));

/** For each suite what is left without the words that its tools and statements have, and those of no other suite. */
export function packsWithoutOwnWords(sets: readonly TraceSet[]): ReadonlyMap<string, LanguagePack> {
  const bySuite = [...Map.groupBy(sets, ({ suite }) => suite)].map(([suite, some]) => {
    const texts = some.flatMap(({ tools, cases }) => [...tools.flatMap(textsIn), ...cases.map(({ task }) => task)]);
    return { suite, texts: [...new Set(texts)] };
  });
  const othersOf = (suite: string): readonly string[] => bySuite.flatMap((other) => (other.suite === suite ? [] : other.texts));
  return new Map(bySuite.map(({ suite, texts }) => [suite, englishWithoutOwnWords(texts, othersOf(suite))]));
}

/** Every text of a tool as a server lists it, names of arguments among them. */
export function textsIn(value: Json): readonly string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  return isObject(value) ? Object.entries(value).flatMap(([key, one]) => [key, ...textsIn(one)]) : [];
}
