import { ADDRESS_KINDS, type AddressKind } from "../core/intent/addresses.ts";
import type { Ask, FieldKind, Language, StatementReading, Superlative } from "../core/intent/language.ts";
import { asksIn, OBJECTS_MAX, type Sentence } from "./asks.ts";
import { datesIn, numbersIn } from "./dates.ts";
import { ENGLISH } from "./english.ts";
import { registrableOf } from "./hosts.ts";
import type { LanguagePack } from "./language.ts";
import { forbiddenIn, refusedIn } from "./refusals.ts";
import { QUOTED, type StatementToken, sentencesOf, sentenceTokens } from "./sentences.ts";
import { createReader, namedIn, type Reader, setOf, stemsOf } from "./statement-words.ts";
import { nameTokens, tokensOf } from "./tokens.ts";
import { verdictsIn } from "./verdicts.ts";
import { wishIn } from "./wishes.ts";

/** More sentences ask for nothing more. A statement has at most 8 KiB. */
export const SENTENCES_MAX = 200;
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

function readStatement(reader: Reader, text: string): StatementReading {
  const quoted = [...text.matchAll(QUOTED)].map((match) => match.slice(1).find((part) => part !== undefined) ?? "");
  const [asks, forbids]: [Ask[], Ask[]] = [[], []];
  const [superlatives, people, stems] = [new Map<string, Superlative>(), new Set<string>(), new Set<string>()];
  const addressKinds = new Set<AddressKind>();
  let follows: string | undefined;
  let mentioned: ReadonlyMap<string, string> = new Map();
  for (const [index, words] of sentencesOf(text).entries()) {
    const tokens = sentenceTokens(words);
    const sentence: Sentence = { tokens, refused: refusedIn(reader, tokens), mentioned, implied: stems };
    for (const stem of wantedStems(reader, sentence)) stems.add(stem);
    if (index >= SENTENCES_MAX || asks.length >= ASKS_MAX) continue;
    asks.push(...askedIn(reader, words, sentence));
    forbids.push(...forbiddenIn(reader, tokens, sentence.refused));
    mentioned = mentionedAfter(reader, sentence);
    follows ??= followsIn(reader.lexicon.pack, tokens);
    for (const { word } of tokens) {
      if (reader.words.most.has(word)) superlatives.set(word, { word, extreme: "most" });
      if (reader.words.least.has(word)) superlatives.set(word, { word, extreme: "least" });
      if (reader.words.people.has(word)) people.add(word);
      for (const kind of ADDRESS_KINDS) if (reader.addressKinds[kind].has(word)) addressKinds.add(kind);
    }
  }
  const dates = datesIn(text, reader.lexicon.pack.statement.months);
  return {
    asks: asks.slice(0, ASKS_MAX),
    ...(forbids.length > 0 && { forbids: forbids.slice(0, ASKS_MAX) }),
    stems,
    quoted,
    dates: [...dates.found.keys()],
    numbers: numbersIn(dates.rest),
    superlatives: [...superlatives.values()],
    people: [...people],
    addressKinds,
    ...(follows !== undefined && { follows }),
  };
}

function askedIn(reader: Reader, words: string, sentence: Sentence): readonly Ask[] {
  const { tokens, refused } = sentence;
  const verdicts = verdictsIn(reader, tokens, refused);
  const asks = asksIn(reader, sentence, verdicts);
  if (asks.length > 0) return asks;
  if (isQuestion(reader, words, tokens)) return [questionOf(reader, tokens)];
  const wish = verdicts.asked.size > 0 ? undefined : wishIn(reader, sentence);
  return wish ? [wish] : [];
}

/** What `it` may be in the next sentence: what this one names, with what it takes up itself; what names nothing, such as a greeting, changes nothing. */
function mentionedAfter(reader: Reader, { tokens, mentioned }: Sentence): ReadonlyMap<string, string> {
  const here = namedIn(reader, tokens.slice(-OBJECTS_MAX * 2));
  if (here.size === 0) return mentioned;
  const takesUp = tokens.some(({ word, isQuoted }) => !isQuoted && reader.words.pronouns.has(word));
  return takesUp ? new Map([...here, ...mentioned].slice(0, OBJECTS_MAX)) : new Map([...here].slice(0, OBJECTS_MAX));
}

/** A question asks to be told; `do not …` is none. */
const isQuestion = ({ words, lexicon }: Reader, sentence: string, tokens: readonly StatementToken[]): boolean =>
  /\?["'”’)]*\s*$/u.test(sentence) || (words.questions.has(tokens[0]?.word ?? "") && !lexicon.isIn("negations", tokens[1]?.word ?? ""));

function questionOf(reader: Reader, tokens: readonly StatementToken[]): Ask {
  return { effect: "read", verb: tokens[0]?.raw ?? "?", objects: namedIn(reader, tokens.slice(0, OBJECTS_MAX)), direct: new Set(), universal: false };
}

/** What is not wanted says nothing of what is. */
const wantedStems = (reader: Reader, { tokens, refused }: Sentence): readonly string[] =>
  tokens.flatMap(({ raw, kind }, at) => (kind === "word" && !refused.has(at) ? nameTokens(raw).flatMap(({ word }) => stemsOf(reader, word)) : []));

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
