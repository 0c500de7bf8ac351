import type { Ask } from "../core/intent/language.ts";
import { type Effect, worseEffect } from "../core/words.ts";
import type { Lexicon, VerbInText } from "./lexicon.ts";
import { effectOf, objectOf } from "./object.ts";
import type { StatementToken } from "./sentences.ts";
import { namedIn, type Reader, stemsOf } from "./statement-words.ts";
import type { Token } from "./tokens.ts";
import type { Verdicts } from "./verdicts.ts";

/** How far an object of a verb reaches. */
export const OBJECTS_MAX = 40;

export interface Sentence {
  readonly tokens: readonly StatementToken[];
  /** Which of them say what is not wanted. */
  readonly refused: ReadonlySet<number>;
  readonly implied: Set<string>;
  /** What was spoken of before, by stem. */
  readonly mentioned: ReadonlyMap<string, string>;
}

interface Placed {
  readonly at: number;
  readonly verb: VerbInText;
}

/** Verbs that ask, each with what stands behind it up to the next. */
export function asksIn(reader: Reader, sentence: Sentence, verdicts: Verdicts): readonly Ask[] {
  const { tokens } = sentence;
  const places: readonly Placed[] = [...verdicts.asked].map(([at, verb]) => ({ at, verb }));
  const verbs = new Set(places.map(({ at }) => at));
  const asks: Ask[] = [];
  let inherited: ReadonlyMap<string, string> = new Map();
  for (const [index, { at, verb }] of places.entries()) {
    const end = places[index + 1]?.at ?? tokens.length;
    const ask = askAt(reader, sentence, { at, verb, end, verbs, inherited });
    if (!ask) continue;
    asks.push(ask);
    inherited = ask.objects;
  }
  return asks;
}

interface Asking extends Placed {
  readonly end: number;
  /** Where verbs stand that ask. */
  readonly verbs: ReadonlySet<number>;
  /** What the ask before is about. */
  readonly inherited: ReadonlyMap<string, string>;
}

function askAt(reader: Reader, sentence: Sentence, asking: Asking): Ask | undefined {
  const { at, verb } = asking;
  const { tokens } = sentence;
  const span = spanOf(reader, sentence, asking);
  // `Make a payment` is one verb, and names what is made.
  const nouns = tokens.slice(at + 1, at + verb.words).filter(({ word }) => !reader.lexicon.isIn("particles", word));
  const named = verb.form === "participle" ? span : [...nouns, ...span];
  const objects = namedIn(reader, named);
  const direct = directIn(reader, named);
  const effect = effectAsked(reader, verb, span);
  // `Perform the following tasks` asks for what follows.
  if (effect === undefined || (verb.light && span.some(({ word }) => word === "following"))) return undefined;
  if (objects.size === 0 || span.some(({ word, isQuoted }) => !isQuoted && reader.words.pronouns.has(word)))
    for (const [stem, raw] of meantAt(reader, sentence, asking)) {
      direct.add(stem);
      if (objects.size < OBJECTS_MAX * 2 && !objects.has(stem)) objects.set(stem, raw);
    }
  const raw = tokens[at]?.raw ?? verb.base;
  // A verb that stands for what is done to something, such as `email`, names the something too.
  if (verb.nounLike) {
    for (const stem of stemsOf(reader, verb.base)) {
      objects.set(stem, verb.base);
      direct.add(stem);
    }
  }
  for (const stem of impliedBy(reader, verb, effect)) sentence.implied.add(stem);
  return { effect, verb: raw, objects, direct, universal: isUniversal(reader, span) };
}

/** What stands behind no preposition, or behind one that says where to: not what something is of, about or with. */
export function directIn(reader: Reader, tokens: readonly StatementToken[]): Set<string> {
  const direct = new Set<string>();
  let isAside = false;
  for (const { word, kind, isQuoted } of tokens) {
    if (!isQuoted && reader.words.asides.has(word)) isAside = true;
    else if (kind === "mark" || (!isQuoted && reader.lexicon.isIn("prepositions", word))) isAside = false;
    if (!isAside) for (const stem of stemsOf(reader, word)) direct.add(stem);
  }
  return direct;
}

/** What is meant with a verb; what is handed to somebody is a message. */
function impliedBy({ implied, words }: Reader, verb: VerbInText, effect: Effect): readonly string[] {
  if (effect === "read" || effect === "browse") return [];
  return implied.get(verb.base) ?? (effect === "send" && words.handing.has(verb.base) ? implied.get("send") : undefined) ?? [];
}

/** What a verb is about, without what is not wanted: it stands behind a verb, and before one that says what is done: `all mails must be archived`. */
function spanOf({ lexicon }: Reader, { tokens, refused }: Sentence, { at, verb, end }: Asking): readonly StatementToken[] {
  const from = verb.form === "participle" ? Math.max(0, at - OBJECTS_MAX) : at + verb.words;
  const to = verb.form === "participle" ? at : Math.min(end, from + OBJECTS_MAX);
  return tokens
    .slice(from, to)
    .filter(({ word }, index) => !refused.has(from + index) && !(word === verb.particle && lexicon.isIn("particles", word) && index <= 8));
}

/**
 * What `it` is: what stands before the verb in its sentence, and where nothing does, what was spoken of before. It is not the verb that spoke of it:
 * `email the report and delete it`.
 */
function meantAt(reader: Reader, { tokens, mentioned, refused }: Sentence, { at, verbs, inherited }: Asking): ReadonlyMap<string, string> {
  const from = Math.max(0, at - OBJECTS_MAX);
  const here = namedIn(
    reader,
    tokens.slice(from, at).filter((_, index) => !verbs.has(from + index) && !refused.has(from + index)),
  );
  if (here.size === 0) return inherited.size > 0 ? inherited : mentioned;
  const isReferring = tokens.slice(from, at).some(({ word }) => reader.words.pronouns.has(word));
  return isReferring ? new Map([...mentioned, ...here]) : here;
}

/** `every mail`; not `all day`. */
function isUniversal({ words, lexicon }: Reader, span: readonly StatementToken[]): boolean {
  return span.some(({ word, isQuoted }, at) => {
    if (isQuoted || !words.universal.has(word)) return false;
    const next = span.slice(at + 1, at + 4).find((token) => !lexicon.isIn("determiners", token.word));
    return !next || !words.notUniversal.has(next.word);
  });
}

/** `tell Ada …`, `ask my landlord …`; not `tell who …`. */
function isSomebody({ words, lexicon }: Reader, tokens: readonly StatementToken[]): boolean {
  const [first] = tokens;
  if (!first || words.questions.has(first.word) || lexicon.isIn("prepositions", first.word)) return false;
  return tokens.slice(0, 3).some(({ word, raw }) => words.people.has(word) || words.roles.has(word) || /^\p{Lu}\p{Ll}/u.test(raw));
}

/** `drop Ada the answer`; not `drop Ada from the list`. */
function isHanded({ words, lexicon }: Reader, [first, next]: readonly StatementToken[]): boolean {
  if (!first || !next || next.kind === "mark") return false;
  const isPerson = words.people.has(first.word) || /^\p{Lu}\p{Ll}/u.test(first.raw);
  return isPerson && !lexicon.isIn("conjunctions", next.word) && (lexicon.isIn("determiners", next.word) || !lexicon.isIn("prepositions", next.word));
}

/** `get me two lamps`; not `get the last five mails`. */
function isCounted({ words, lexicon }: Reader, tokens: readonly StatementToken[]): boolean {
  const object = objectOf(lexicon, words.told.has(tokens[0]?.word ?? "") ? tokens.slice(1) : tokens);
  const first = object[0]?.word ?? "";
  return (words.numbers.has(first) || /^\p{N}+$/u.test(first)) && !tokens.slice(0, 8).some(({ word }) => lexicon.isIn("information", word));
}

/** Undefined where nothing is asked for: `I would like to know`. */
function effectAsked(reader: Reader, verb: VerbInText, span: readonly StatementToken[]): Effect | undefined {
  const { lexicon, words, silent } = reader;
  // Of a name it only counts that it is an address of the web.
  const plain = span.filter(({ isQuoted, word }) => !isQuoted || lexicon.pack.objects.web.includes(word));
  if (words.telling.has(verb.base) && words.told.has(plain[0]?.word ?? "")) return "read";
  if (words.speaking.has(verb.base) && isSomebody(reader, span)) return "send";
  const { effect } = effectOf(lexicon, verb, plain);
  if (words.getting.has(verb.base) && isCounted(reader, plain)) return "create";
  const isSent = words.handing.has(verb.base) && isHanded(reader, span);
  if (isSent && (effect === "delete" || verb.light || verb.fetching))
    return effect === "unknown" || effect === "delete" ? "send" : worseEffect(effect, "send");
  if (effect !== "unknown" && !verb.light) return effect;
  const object = objectOf(lexicon, plain);
  let found: Effect | undefined;
  for (const token of object) {
    const kin = lexicon.lightEffect(token.word) ?? kinOf(lexicon, token);
    if (kin !== undefined) found = found === undefined ? kin : worseEffect(found, kin);
  }
  // `Make a folder` makes one; `make sure` makes nothing.
  const makes = effect === "create" && object.some(({ word }) => !silent.has(word) && !lexicon.isIn("adverbs", word));
  return found ?? (makes ? effect : undefined);
}

/** What a noun is made of: `reservation`, `a call`; what was `deleted` is not asked to be. */
export function kinOf(lexicon: Lexicon, token: Token): Effect | undefined {
  const form = lexicon.verbOf(token)?.form;
  return form === "participle" || form === "third" ? undefined : lexicon.kinEffect(token.word);
}
