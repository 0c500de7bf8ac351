import { type Effect, worseEffect } from "../core/words.ts";
import { foundIn, type Lexicon, type VerbInText } from "./lexicon.ts";
import type { Token } from "./tokens.ts";

/** How far an object reaches: what stands further belongs to something else. */
const OBJECT_WORDS_MAX = 7;

/** The object of a verb: up to the next preposition or mark. */
export function objectOf(lexicon: Lexicon, tokens: readonly Token[]): readonly Token[] {
  const end = tokens.findIndex(({ word, kind }) => kind === "mark" || lexicon.isIn("prepositions", word));
  return tokens.slice(0, Math.min(end === -1 ? tokens.length : end, OBJECT_WORDS_MAX));
}

interface Done {
  readonly effect: Effect;
  readonly weak: boolean;
}

/** What a verb does to its object, which often says more than the verb. */
export function effectOf(lexicon: Lexicon, verb: VerbInText, after: readonly Token[]): Done {
  const { objects } = lexicon.pack;
  const particle = after[0] && lexicon.phraseEffect(verb.base, after[0].word);
  if (particle) return { effect: particle, weak: false };
  const object = objectOf(lexicon, after);
  const head = headOf(object);
  const has = (list: string, word: string): boolean => list.split(/\s+/).includes(word);
  let effect = verb.effect;
  if (verb.light) {
    const done = object
      .map(({ word }) => lexicon.lightEffect(word))
      .reduce<Effect | undefined>((a, b) => (a && b ? worseEffect(a, b) : (a ?? b)), undefined);
    effect = done ?? (verb.effect === "read" ? "unknown" : verb.effect);
    if (done === "read") return { effect, weak: false };
  }
  if (has(objects.payVerbs, verb.base) && head !== undefined && has(objects.pay, head)) effect = worseEffect(effect, "pay");
  if (has(objects.orderVerbs, verb.base) && head !== undefined && has(objects.order, head)) effect = worseEffect(effect, "pay");
  if (has(objects.messageVerbs, verb.base) && head !== undefined && has(objects.message, head)) effect = worseEffect(effect, "send");
  if (has(objects.accessVerbs, verb.base) && foundIn(objects.access, object)) effect = worseEffect(effect, "share");
  if (has(objects.memberVerbs, verb.base) && object.some(({ word }) => has(objects.member, word))) effect = worseEffect(effect, "share");
  if (verb.form === "base" && has(objects.goodsVerbs, verb.base) && object.some(({ word }) => has(objects.goods, word)))
    effect = worseEffect(effect, "update");
  if (effect === "read" && foundIn(objects.web, after.slice(0, OBJECT_WORDS_MAX * 2))) effect = "browse";
  if (effect !== "delete" && secretHead(objects.secret, object)) effect = worseEffect(effect, "credential");
  return { effect, weak: verb.weak };
}

const headOf = (object: readonly Token[]): string | undefined => object.filter(({ word }) => !/^\d+$/.test(word)).at(-1)?.word;

/** A secret is the object only where it ends it, but for how it is done: of `password policy`, the policy is. */
function secretHead(secrets: readonly string[], object: readonly Token[]): boolean {
  const text = ` ${object
    .map(({ word }) => word)
    .filter((word) => !/^\d+$|.ly$/.test(word))
    .join(" ")}`;
  return secrets.some((secret) => text.endsWith(` ${secret}`));
}
