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

/** `to you`, `to summarize`: nobody else gets anything. */
const isDone = (lexicon: Lexicon, next: Token | undefined): boolean => {
  const verb = next && lexicon.verbOf(next);
  return (
    next === undefined || lexicon.isIn("leadIns", next.word) !== lexicon.isIn("determiners", next.word) || (verb?.form === "base" && !verb.nounLike)
  );
};

interface Done {
  readonly effect: Effect;
  readonly strength: "main" | "weak" | "likely";
}

/** What a verb does to its object, which often says more than the verb. */
export function effectOf(lexicon: Lexicon, verb: VerbInText, behind: readonly Token[]): Done {
  const { objects } = lexicon.pack;
  const after = behind.filter(({ word }, at) => word !== verb.particle || at > OBJECT_WORDS_MAX);
  const object = objectOf(lexicon, after);
  const head = headOf(object);
  const has = (list: string, word: string): boolean => list.split(/\s+/).includes(word);
  const fetches = verb.fetching && isFetched(lexicon, verb, { object, after });
  let effect = fetches ? "read" : verb.effect;
  if (verb.light && !fetches) {
    const done = object
      .map(({ word }) => lexicon.lightEffect(word))
      .reduce<Effect | undefined>((a, b) => (a && b ? worseEffect(a, b) : (a ?? b)), undefined);
    effect = done ?? (verb.effect === "read" ? "unknown" : verb.effect);
    if (done === "read") return { effect, strength: "main" };
  }
  // Of what is given to somebody nobody knows more than that they get it.
  if (effect === "unknown" && verb.light && verb.fetching && isGiven(lexicon, { object, after })) effect = "send";
  const isPaid = head !== undefined && (has(objects.pay, head) || (has(objects.paid, head) && object.some(({ word }) => has(objects.pay, word))));
  if (has(objects.payVerbs, verb.base) && isPaid) effect = worseEffect(effect, "pay");
  if (has(objects.orderVerbs, verb.base) && head !== undefined && has(objects.order, head)) effect = worseEffect(effect, "pay");
  if (has(objects.messageVerbs, verb.base) && head !== undefined && has(objects.message, head)) effect = worseEffect(effect, "send");
  if (has(objects.accessVerbs, verb.base) && foundIn(objects.access, object)) effect = worseEffect(effect, "share");
  if (has(objects.memberVerbs, verb.base) && object.some(({ word }) => has(objects.member, word))) effect = worseEffect(effect, "share");
  if (letsIn(lexicon, verb, { object, after })) effect = worseEffect(effect, "share");
  // `Returns the orders` tells what comes back; `return the orders` and `gives back the orders` hand over goods.
  if ((verb.form === "base" || verb.fetching) && has(objects.goodsVerbs, verb.base) && head !== undefined) {
    const isGoods = verb.fetching ? has(objects.goods, head) : object.some(({ word }) => has(objects.goods, word));
    if (isGoods) effect = effect === "unknown" ? "update" : worseEffect(effect, "update");
    if (has(objects.money, head)) effect = worseEffect(effect, "pay");
  }
  if (has(objects.buyingVerbs, verb.base) && head !== undefined && has(objects.goods, head)) effect = worseEffect(effect, "pay");
  if (has(objects.tellingVerbs, verb.base) && object.some(({ word }) => has(objects.told, word))) effect = worseEffect(effect, "send");
  if (effect === "read" && foundIn(objects.web, after.slice(0, OBJECT_WORDS_MAX * 2))) effect = "browse";
  if (effect !== "delete" && secretHead(objects.secret, object)) effect = worseEffect(effect, "credential");
  // Of `acquire` and `pull` alone nobody knows; a name that begins with `get` says it.
  if (effect === "unknown" && verb.fetching && !verb.light) return { effect: "read", strength: "weak" };
  return { effect, strength: fetches && effect === "read" ? "likely" : verb.weak ? "weak" : "main" };
}

/** People who are put where they can see what others do: `adds a person to a room`, `puts them into it`. */
function letsIn(lexicon: Lexicon, verb: VerbInText, { object, after }: Behind): boolean {
  const { objects, people } = lexicon.pack;
  const isPerson = foundIn([...objects.member.split(/\s+/), ...people.split(/\s+/), ...objects.told.split(/\s+/)], object) !== undefined;
  if (!isPerson || !(lexicon.isIn("placing", verb.base) || objects.memberVerbs.split(/\s+/).includes(verb.base))) return false;
  const rest = after.slice(object.length, object.length + GIVEN_WORDS);
  return rest.some(({ word }, at) => {
    if (!lexicon.isIn("inwards", word)) return false;
    const place = rest.slice(at + 1, at + 1 + PLACE_WORDS);
    const end = place.findIndex(({ kind }) => kind === "mark");
    return place[0]?.word === "it" || place.slice(0, end === -1 ? undefined : end).some((token) => lexicon.isIn("containers", token.word));
  });
}

interface Behind {
  readonly object: readonly Token[];
  readonly after: readonly Token[];
}

/** `one of the rooms` is a place as well. */
const PLACE_WORDS = 5;

/** How far behind an object stands to whom it is given. */
const GIVEN_WORDS = 12;

/** Information that is given to whoever asks; `gives the report to a colleague` and `gives a colleague the report` hand it over. */
function isFetched(lexicon: Lexicon, { light }: VerbInText, { object, after }: Behind): boolean {
  if (!object.some(({ word }) => lexicon.isIn("information", word)) && !lexicon.isIn("questions", after[0]?.word ?? "")) return false;
  const first = object.find(({ word }) => !lexicon.isIn("determiners", word))?.word ?? "";
  return !isGiven(lexicon, { object, after }) && !(light && lexicon.pack.objects.told.split(/\s+/).includes(first));
}

function isGiven(lexicon: Lexicon, { object, after }: Behind): boolean {
  const rest = after.slice(object.length, object.length + GIVEN_WORDS);
  return rest.some(({ word }, at) => word === "to" && !isDone(lexicon, rest[at + 1]));
}

const headOf = (object: readonly Token[]): string | undefined => object.filter(({ word }) => !/^\d+$/.test(word)).at(-1)?.word;

/** A secret is the object only where it ends it: of `password policy`, the policy is. */
function secretHead(secrets: readonly string[], object: readonly Token[]): boolean {
  const text = ` ${object
    .map(({ word }) => word)
    .filter((word) => !/^\d+$/.test(word))
    .join(" ")}`;
  return secrets.some((secret) => text.endsWith(` ${secret}`));
}
