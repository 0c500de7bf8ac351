import { ADDRESS_KINDS, type AddressKind } from "../core/intent/addresses.ts";
import type { Ask, FieldKind, Language, StatementReading, Superlative } from "../core/intent/language.ts";
import { EFFECTS, type Effect, worseEffect } from "../core/words.ts";
import { ENGLISH } from "./english.ts";
import { registrableOf } from "./hosts.ts";
import type { LanguagePack } from "./language.ts";
import { compileLexicon, type Lexicon, type VerbInText } from "./lexicon.ts";
import { effectOf, objectOf } from "./object.ts";
import { nameTokens, stemOf, type Token, tokensOf } from "./tokens.ts";

/** More sentences ask for nothing more. A statement has at most 8 KiB. */
export const SENTENCES_MAX = 200;
/** How far an object of a verb reaches. */
const OBJECTS_MAX = 40;
/** More in one statement ask for nothing more: each is looked at in each decision. */
export const ASKS_MAX = 256;

/** How statements and the words of tools are read in one language. */
export function createLanguage(pack: LanguagePack = ENGLISH): Language {
  const reader = createReader(pack);
  return {
    readStatement: (text) => readStatement(reader, text),
    stemsIn: (text) => stemsIn(reader, text),
    fieldKind: fieldKindOf(pack),
    registrableOf,
  };
}

interface Reader {
  readonly lexicon: Lexicon;
  readonly silent: ReadonlySet<string>;
  /** One stem for those of one meaning; several for a word of several meanings. */
  readonly meanings: ReadonlyMap<string, readonly string[]>;
  readonly words: Readonly<
    Record<
      | "subjects"
      | "licences"
      | "possessives"
      | "pronouns"
      | "universal"
      | "people"
      | "wishes"
      | "telling"
      | "told"
      | "speaking"
      | "questions"
      | "asides",
      ReadonlySet<string>
    >
  >;
  /** The base of each. */
  readonly participles: ReadonlyMap<string, string>;
  readonly addressKinds: Readonly<Record<AddressKind, ReadonlySet<string>>>;
  readonly most: ReadonlySet<string>;
  readonly least: ReadonlySet<string>;
}

const setOf = (words: string): ReadonlySet<string> => new Set(words.split(/\s+/).filter((word) => word !== ""));

function createReader(pack: LanguagePack): Reader {
  const { statement } = pack;
  const meanings = new Map<string, string[]>();
  for (const group of statement.meanings) {
    const [first = "", ...others] = group.split(/\s+/).map(stemOf);
    for (const stem of new Set([first, ...others])) meanings.set(stem, [...(meanings.get(stem) ?? []), first]);
  }
  return {
    lexicon: compileLexicon(spokenIn(pack)),
    silent: setOf(
      [pack.determiners, pack.prepositions, pack.negations, pack.conditions, pack.modals, pack.adverbs, pack.predicates, statement.silent].join(" "),
    ),
    meanings,
    words: {
      subjects: setOf(statement.subjects),
      licences: setOf(statement.licences),
      possessives: setOf(`${pack.determiners} ${statement.possessives}`),
      pronouns: setOf(statement.pronouns),
      universal: setOf(statement.universal),
      people: setOf(statement.people),
      wishes: setOf(statement.wishes),
      telling: setOf(statement.telling),
      told: setOf(statement.told),
      speaking: setOf(statement.speaking),
      questions: setOf(statement.questions),
      asides: setOf(statement.asides),
    },
    participles: new Map(statement.participles.map((pair): [string, string] => [pair.split(" ")[1] ?? "", pair.split(" ")[0] ?? ""])),
    addressKinds: {
      url: setOf(statement.addressKinds.url),
      email: setOf(statement.addressKinds.email),
      iban: setOf(statement.addressKinds.iban),
      phone: setOf(statement.addressKinds.phone),
      key: setOf(statement.addressKinds.key),
    },
    most: setOf(statement.most),
    least: setOf(statement.least),
  };
}

/** The pack with what verbs mean that somebody asks with: who says `remind` wants a reminder, and a tool that reminds sends one. */
function spokenIn(pack: LanguagePack): LanguagePack {
  const { spoken } = pack.statement;
  const verbs: Partial<Record<Effect, string>> = {};
  const moved = setOf(Object.values(spoken.verbs).join(" "));
  for (const effect of EFFECTS) {
    const kept = (pack.verbs[effect] ?? "").split(/\s+/).filter((verb) => !moved.has(verb));
    verbs[effect] = [...kept, spoken.verbs[effect] ?? ""].join(" ");
  }
  return { ...pack, verbs, objects: { ...pack.objects, pay: `${pack.objects.pay} ${spoken.money}` } };
}

/** What is quoted counts as a name, and no word in it as a verb. */
export const QUOTED =
  /(?<![\p{L}\p{N}])(?:'((?:[^'\n]|'(?=\p{L})){1,300})'|"([^"\n]{1,300})"|“([^”\n]{1,300})”|‘([^’\n]{1,300})’|`([^`\n]{1,300})`)(?![\p{L}\p{N}])/gu;

function readStatement(reader: Reader, text: string): StatementReading {
  const quoted = [...text.matchAll(QUOTED)].map((match) => match.slice(1).find((part) => part !== undefined) ?? "");
  const asks: Ask[] = [];
  const [superlatives, people, addressKinds] = [new Map<string, Superlative>(), new Set<string>(), new Set<AddressKind>()];
  let follows: string | undefined;
  for (const sentence of sentencesOf(text).slice(0, SENTENCES_MAX)) {
    if (asks.length >= ASKS_MAX) break;
    const tokens = sentenceTokens(sentence);
    const found = asksIn(reader, tokens, asks.at(-1));
    asks.push(...(found.length === 0 && isQuestion(reader, sentence, tokens) ? [questionOf(reader, tokens)] : found));
    follows ??= followsIn(reader.lexicon.pack, tokens);
    for (const { word } of tokens) {
      if (reader.most.has(word)) superlatives.set(word, { word, extreme: "most" });
      if (reader.least.has(word)) superlatives.set(word, { word, extreme: "least" });
      if (reader.words.people.has(word)) people.add(word);
      for (const kind of ADDRESS_KINDS) if (reader.addressKinds[kind].has(word)) addressKinds.add(kind);
    }
  }
  const dates = datesIn(text, reader.lexicon.pack.statement.months);
  return {
    asks: asks.slice(0, ASKS_MAX),
    stems: stemsIn(reader, text),
    quoted,
    dates: [...dates.found.keys()],
    numbers: numbersIn(dates.rest),
    superlatives: [...superlatives.values()],
    people: [...people],
    addressKinds,
    ...(follows !== undefined && { follows }),
  };
}

/** A question asks to be told; `do not …` is none. */
const isQuestion = ({ words, lexicon }: Reader, sentence: string, tokens: readonly StatementToken[]): boolean =>
  /\?["'”’)]*\s*$/u.test(sentence) || (words.questions.has(tokens[0]?.word ?? "") && !lexicon.isIn("negations", tokens[1]?.word ?? ""));

function questionOf(reader: Reader, tokens: readonly StatementToken[]): Ask {
  return { effect: "read", verb: tokens[0]?.raw ?? "?", objects: namedIn(reader, tokens.slice(0, OBJECTS_MAX)), direct: new Set(), universal: false };
}

/** What words name, by stem, as it was written first. */
function namedIn(reader: Reader, tokens: readonly StatementToken[]): Map<string, string> {
  const named = new Map<string, string>();
  for (const { word, raw } of tokens) for (const stem of stemsOf(reader, word)) if (!named.has(stem)) named.set(stem, raw);
  return named;
}

export const sentencesOf = (text: string): readonly string[] =>
  text.split(/(?<=[.!?;])(?<!\b(?:mr|mrs|ms|dr|prof|st|vs|e\.g|i\.e)\.)\s+|\n+/iu).filter((sentence) => sentence.trim() !== "");

interface StatementToken extends Token {
  readonly isQuoted: boolean;
}

function sentenceTokens(sentence: string): readonly StatementToken[] {
  const tokens: StatementToken[] = [];
  let from = 0;
  for (const match of sentence.matchAll(QUOTED)) {
    for (const token of tokensOf(sentence.slice(from, match.index))) tokens.push({ ...token, isQuoted: false });
    for (const token of nameTokens(match[0])) tokens.push({ ...token, isQuoted: true });
    from = match.index + match[0].length;
  }
  for (const token of tokensOf(sentence.slice(from))) tokens.push({ ...token, isQuoted: false });
  return tokens;
}

function stemsIn(reader: Reader, text: string): ReadonlySet<string> {
  const stems = new Set<string>();
  for (const { raw, kind } of tokensOf(text)) {
    if (kind !== "word") continue;
    for (const { word } of nameTokens(raw)) {
      for (const stem of stemsOf(reader, word)) stems.add(stem);
    }
  }
  return stems;
}

/** None for a word that says nothing of what something is. */
function stemsOf({ silent, meanings }: Reader, word: string): readonly string[] {
  if (silent.has(word) || /^\p{N}*$/u.test(word) || (word.length < 2 && /^[a-z]$/.test(word))) return [];
  const stem = stemOf(word);
  return meanings.get(stem) ?? [stem];
}

interface Placed {
  readonly at: number;
  readonly verb: VerbInText;
}

/** Verbs that ask, each with what stands behind it up to the next. */
function asksIn(reader: Reader, tokens: readonly StatementToken[], before: Ask | undefined): readonly Ask[] {
  const places = tokens.flatMap((token, at): Placed[] => {
    const verb = token.isQuoted || token.kind !== "word" ? undefined : askingVerb(reader, tokens, at);
    return verb ? [{ at, verb }] : [];
  });
  const asks: Ask[] = [];
  for (const [index, place] of places.entries()) {
    const end = Math.min(places[index + 1]?.at ?? tokens.length, negationAfter(reader.lexicon, tokens, place.at));
    const ask = askAt(reader, tokens, { ...place, end, before: asks.at(-1) ?? before });
    if (ask) asks.push(ask);
  }
  return asks;
}

/** What is not to be done is no object of what is: `book the flight, but do not pay`. */
function negationAfter(lexicon: Lexicon, tokens: readonly StatementToken[], at: number): number {
  const last = Math.min(tokens.length, at + 1 + OBJECTS_MAX);
  for (let next = at + 1; next < last; next++) {
    const [token, after] = [tokens[next], tokens[next + 1]];
    if (token && !token.isQuoted && lexicon.isIn("negations", token.word) && after && lexicon.verbOf(after)) return next;
  }
  return tokens.length;
}

/** The verb at a place where somebody asks for something: `pay …`, `please pay`, `to pay`, `you pay`; not `I paid`, `my pay`. */
function askingVerb(reader: Reader, tokens: readonly StatementToken[], at: number): VerbInText | undefined {
  const { lexicon, words } = reader;
  const token = tokens[at];
  // In the middle of a sentence a capital makes a name: `invite Mark`.
  if (!token || (/^\p{Lu}/u.test(token.raw) && at > 0 && !/^\p{N}+$/u.test(tokens[at - 1]?.word ?? ""))) return undefined;
  if (at === 0 && isSubject(reader, tokens)) return undefined;
  const previous = previousTo(lexicon, tokens, at);
  const known =
    (isParticle(lexicon, tokens, at) ? undefined : lexicon.verbAt(tokens, at)) ?? (previous === "be" ? participleOf(reader, token) : undefined);
  const wish = words.wishes.has(token.word);
  const verb: VerbInText | undefined = wish ? wishing(token.word) : known;
  if (!verb) return undefined;
  // `Do not …` asks for nothing, and neither does what stands behind it.
  if (lexicon.isIn("negations", previous) || (verb.light && lexicon.isIn("negations", tokens[at + 1]?.word ?? ""))) return undefined;
  if (verb.form === "participle") return previous === "be" ? verb : undefined;
  if (wish) return verb;
  if (verb.form !== "base") return undefined;
  if (words.subjects.has(previous) || words.possessives.has(previous)) return undefined;
  // `Give Ada read access`: a right, and nothing to be done.
  if (lexicon.pack.objects.access.includes(tokens[at + 1]?.word ?? "") && previous !== "" && !words.licences.has(previous)) return undefined;
  const isLicensed = previous === "" || words.licences.has(previous);
  if (verb.nounLike && !isLicensed) return undefined;
  const isPrepositional = lexicon.isIn("prepositions", previous) && !words.licences.has(previous);
  return isPrepositional ? undefined : verb;
}

/** A name at the beginning that is a verb as well: `Bill wants`, `Mark has`. */
function isSubject({ lexicon, words }: Reader, tokens: readonly StatementToken[]): boolean {
  const next = tokens[1];
  if (!next || next.isQuoted || !/^\p{Lu}/u.test(tokens[0]?.raw ?? "")) return false;
  const verb = lexicon.verbOf(next);
  return (
    lexicon.isIn("predicates", next.word) ||
    (verb?.form === "third" && !verb.nounLike) ||
    (next.word.endsWith("s") && words.wishes.has(next.word.slice(0, -1)))
  );
}

/** `roll back`: no verb of its own, whatever it is elsewhere. */
const isParticle = (lexicon: Lexicon, tokens: readonly StatementToken[], at: number): boolean =>
  at > 0 && (lexicon.verbAt(tokens, at - 1)?.words ?? 1) > 1;

/** `sent`, `paid`: those that no rule makes of their verb. */
function participleOf({ lexicon, participles }: Reader, token: Token): VerbInText | undefined {
  const base = participles.get(token.word);
  const verb = base === undefined ? undefined : lexicon.verbOf({ ...token, word: base });
  return verb && { ...verb, form: "participle" };
}

const wishing = (base: string): VerbInText => ({
  base,
  form: "base",
  words: 1,
  effect: "unknown",
  weak: false,
  nounLike: false,
  light: true,
  fetching: false,
});

/** The word before, without adverbs; the beginning of a clause is the empty word. */
function previousTo(lexicon: Lexicon, tokens: readonly StatementToken[], at: number): string {
  let before = at - 1;
  while (before >= Math.max(0, at - ADVERBS_MAX) && isAdverb(lexicon, tokens[before])) before--;
  const token = tokens[before];
  if (!token || token.kind === "mark" || /^\p{N}+$/u.test(token.word)) return "";
  return token.word;
}

/** More in a row say nothing more, and every verb looks back over those before it. */
const ADVERBS_MAX = 4;

/** `quickly` is one; `reply` is not. */
const isAdverb = (lexicon: Lexicon, token: Token | undefined): boolean =>
  token !== undefined && (lexicon.isIn("adverbs", token.word) || (token.word.endsWith("ly") && !lexicon.verbOf(token)));

/** What stands behind no preposition, or behind one that says where to: not what it is of, about or with. */
function directIn(reader: Reader, tokens: readonly StatementToken[]): Set<string> {
  const direct = new Set<string>();
  let isAside = false;
  for (const { word, kind, isQuoted } of tokens) {
    if (reader.words.asides.has(word) && !isQuoted) isAside = true;
    else if (kind === "mark" || (!isQuoted && reader.lexicon.isIn("prepositions", word))) isAside = false;
    if (!isAside) for (const stem of stemsOf(reader, word)) direct.add(stem);
  }
  return direct;
}

interface Asking extends Placed {
  readonly end: number;
  readonly before: Ask | undefined;
}

function askAt(reader: Reader, tokens: readonly StatementToken[], { at, verb, end, before }: Asking): Ask | undefined {
  const { words } = reader;
  const span =
    verb.form === "participle"
      ? tokens.slice(Math.max(0, at - OBJECTS_MAX), at)
      : tokens.slice(at + verb.words, Math.min(end, at + verb.words + OBJECTS_MAX));
  // `Make a payment` is one verb, and names what is made.
  const nouns = tokens.slice(at + 1, at + verb.words).filter(({ word }) => !reader.lexicon.isIn("particles", word));
  const objects = namedIn(reader, verb.form === "participle" ? span : [...nouns, ...span]);
  const refersBack = objects.size === 0 || span.some(({ word, isQuoted }) => !isQuoted && words.pronouns.has(word));
  // What is meant by `it` is what was spoken of, and not the verb that spoke of it: `email the report and delete it`.
  const itself: readonly string[] = before ? stemsOf(reader, before.verb.toLowerCase()) : [];
  if (refersBack && before) for (const [stem, raw] of before.objects) if (!itself.includes(stem) && !objects.has(stem)) objects.set(stem, raw);
  const effect = effectAsked(reader, verb, span);
  // `Perform the following tasks` asks for what follows.
  if (effect === undefined || (verb.light && span.some(({ word }) => word === "following"))) return undefined;
  // A verb that stands for what is done to something, such as `email`, names the something too.
  if (verb.nounLike) for (const stem of stemsOf(reader, verb.base)) objects.set(stem, verb.base);
  const direct = directIn(reader, verb.form === "participle" ? span : [...nouns, ...span]);
  if (verb.nounLike) for (const stem of stemsOf(reader, verb.base)) direct.add(stem);
  if (refersBack && before) for (const stem of before.direct) if (!itself.includes(stem)) direct.add(stem);
  return {
    effect,
    verb: tokens[at]?.raw ?? verb.base,
    objects,
    direct,
    universal: span.some(({ word, isQuoted }) => !isQuoted && words.universal.has(word)),
  };
}

/** `tell Ada …`, `ask my landlord …`; not `tell who …`. */
const isSomebody = ({ people, questions }: Reader["words"], tokens: readonly StatementToken[]): boolean =>
  !questions.has(tokens[0]?.word ?? "") && tokens.slice(0, 3).some(({ word, raw }) => people.has(word) || /^\p{Lu}\p{Ll}/u.test(raw));

/** Undefined where nothing is asked for: `I would like to know`. */
function effectAsked({ lexicon, words, silent }: Reader, verb: VerbInText, span: readonly StatementToken[]): Effect | undefined {
  const plain = span.filter(({ isQuoted }) => !isQuoted);
  if (words.telling.has(verb.base) && words.told.has(plain[0]?.word ?? "")) return "read";
  if (words.speaking.has(verb.base) && isSomebody(words, plain)) return "send";
  const { effect } = effectOf(lexicon, verb, plain);
  if (effect !== "unknown" && !verb.light) return effect;
  let found: Effect | undefined;
  for (const { word } of objectOf(lexicon, plain)) {
    const kin = lexicon.lightEffect(word) ?? lexicon.kinEffect(word);
    if (kin !== undefined) found = found === undefined ? kin : worseEffect(found, kin);
  }
  // `Make a folder` makes one; `make sure` makes nothing.
  const makes = effect === "create" && objectOf(lexicon, plain).some(({ word }) => !silent.has(word) && !lexicon.isIn("adverbs", word));
  return found ?? (makes ? effect : undefined);
}

/** `do what the mail says`: what has to be done stands elsewhere. `Do the following` says it here. */
function followsIn({ statement }: LanguagePack, tokens: readonly StatementToken[]): string | undefined {
  const verbs = setOf(statement.followVerbs);
  const nouns = setOf(statement.followNouns);
  for (const [at, { word }] of tokens.entries()) {
    if (!verbs.has(word)) continue;
    const after = tokens.slice(at + 1, at + 6);
    const noun = after.findIndex((token) => nouns.has(token.word));
    if (noun === -1 || after.slice(0, noun).some((token) => token.word === "following" || token.word === "below")) continue;
    return tokens
      .slice(at, at + 2 + noun)
      .map(({ raw }) => raw)
      .join(" ");
  }
  return undefined;
}

const ISO_DATE = /\b(?<year>\d{4})-(?<month>\d{1,2})-(?<day>\d{1,2})\b/gu;
const TIME = /\b\d{1,2}:\d{2}(?::\d{2})?\b/gu;
const two = (text: string): string => text.padStart(2, "0");

/** Dates as `2026-05-15`, without a year `05-15`, with the words that say them; and the text without them. */
export function datesIn(text: string, months: string): { readonly found: ReadonlyMap<string, string>; readonly rest: string } {
  const names = months.split(/\s+/);
  const named = names.map((name) => `${name}|${name.slice(0, 3)}`).join("|");
  const found = new Map<string, string>();
  let rest = text;
  for (const pattern of [
    ISO_DATE,
    new RegExp(String.raw`\b(?<name>${named})\.?\s+(?<day>\d{1,2})(?:st|nd|rd|th)?\b(?:,?\s+(?<year>\d{4})\b)?`, "giu"),
    new RegExp(String.raw`\b(?<day>\d{1,2})(?:st|nd|rd|th)?\s+(?:of\s+)?(?<name>${named})\b(?:,?\s+(?<year>\d{4})\b)?`, "giu"),
  ]) {
    for (const { 0: words, groups } of rest.matchAll(pattern)) {
      const { name, month, day = "", year } = groups ?? {};
      const number = month ?? String(names.findIndex((full) => full.startsWith((name ?? "").toLowerCase().slice(0, 3))) + 1);
      found.set(`${year === undefined ? "" : `${year}-`}${two(number)}-${two(day)}`, words);
    }
    rest = rest.replaceAll(pattern, " ");
  }
  return { found, rest: rest.replaceAll(TIME, " ") };
}

/** `1,200.50` is one number, and so is `3,5`. */
const NUMBER = /(?<![\p{L}\p{N}._-]|\d,)(?:\d{1,3}(?:,\d{3}){1,4}(?:\.\d{1,4})?|\d{1,12}(?:[.,]\d{1,4})?)(?![\p{L}\p{N}_]|[.,]\d)/gu;
const numbersIn = (text: string): readonly number[] => [...new Set([...text.matchAll(NUMBER)].map(([match]) => numberOf(match)))];
const numberOf = (text: string): number => Number(/^\d{1,3}(?:,\d{3})+(?:\.|$)/.test(text) ? text.replaceAll(",", "") : text.replace(",", "."));

function fieldKindOf({ fields }: LanguagePack): (name: string) => FieldKind {
  // Of a name of several words the one that says most of who fills it counts.
  const kinds = (["prose", "author", "outsider", "amount", "system"] as const).map((kind) => [kind, setOf(fields[kind])] as const);
  const known = new Map<string, FieldKind>();
  return (name) => {
    const before = known.get(name);
    if (before !== undefined) return before;
    const words = nameTokens(name.slice(0, 64)).map(({ word }) => word);
    const kind = kinds.find(([, set]) => words.some((word) => set.has(word)))?.[0] ?? "other";
    if (known.size > 10_000) known.clear();
    known.set(name, kind);
    return kind;
  };
}
