import { datesIn } from "./dates.ts";
import { ENGLISH } from "./english.ts";
import type { LanguagePack } from "./language.ts";
import { QUOTED } from "./sentences.ts";
import { ENGLISH_VALUES, type ValueWords } from "./value-words.ts";

/**
 * Kinds of what a statement names. They are for people, who want to see what was understood: a decision asks of a value whether it stands among the
 * statement's words, whatever it is, and of the kinds below it knows the quoted, the dates and the numbers, which it reads for itself. `name` is a
 * person, a place or a product: nothing in a word tells which.
 */
export const VALUE_KINDS = [
  "quoted",
  "name",
  "email",
  "url",
  "host",
  "iban",
  "phone",
  "handle",
  "path",
  "file",
  "date",
  "time",
  "amount",
  "count",
  "source",
] as const;
export type ValueKind = (typeof VALUE_KINDS)[number];

export interface NamedValue {
  readonly kind: ValueKind;
  readonly value: string;
  /** As it stands there. */
  readonly words: string;
}

/** A longer text is cut: no statement that a server takes is longer, and whoever shows one reads no more of it. */
export const TEXT_MAX = 8 * 1024;
/** What is named beyond is left out. */
const VALUES_MAX = 300;

interface Reader {
  readonly months: string;
  readonly words: { readonly [K in keyof ValueWords]: ReadonlySet<string> };
  readonly silent: ReadonlySet<string>;
  readonly amounts: RegExp;
}

/** Finds what a statement names. Nothing here is asked by a decision. */
export function createValueReader(pack: LanguagePack = ENGLISH, words: ValueWords = ENGLISH_VALUES): (text: string) => readonly NamedValue[] {
  const setOf = (list: string): ReadonlySet<string> => new Set(list.split(/\s+/));
  const reader: Reader = {
    months: pack.statement.months,
    words: {
      numbers: setOf(words.numbers),
      currencies: setOf(words.currencies),
      titles: setOf(words.titles),
      sources: setOf(words.sources),
      qualifiers: setOf(words.qualifiers),
      readFrom: setOf(words.readFrom),
      definite: setOf(words.definite),
      noNames: setOf(words.noNames),
      files: setOf(words.files),
    },
    silent: setOf(
      `${pack.determiners} ${pack.prepositions} ${pack.negations} ${pack.conditions} ${pack.modals} ${pack.predicates} ${pack.statement.silent}`,
    ),
    amounts: new RegExp(
      String.raw`(?:(?<![\p{L}\p{N}])(?:[A-Z]{3}[ \u00a0]?|\p{Sc} ?)${NUMBER})|(?:(?<![\p{L}\p{N}.,])${NUMBER} ?(?:\p{Sc}|[A-Z]{3}(?![\p{L}\p{N}])|(?:${words.currencies.split(/\s+/).join("|")})(?![\p{L}\p{N}])))`,
      "gu",
    ),
  };
  return (text) => namedValues(reader, text.slice(0, TEXT_MAX));
}

const NUMBER = String.raw`\d{1,12}(?:[.,]\d{1,4}){0,4}(?![\p{L}\p{N}])`;

/** A stretch of the text that names one thing. */
interface Span extends NamedValue {
  readonly at: number;
}

/** Bounded patterns over the whole text, surest first: what one has found none of the others looks at. */
function namedValues(reader: Reader, text: string): readonly NamedValue[] {
  const found = new Spans(text);
  for (const match of text.matchAll(QUOTED))
    found.add(
      "quoted",
      match,
      match.slice(1).find((part) => part !== undefined),
    );
  for (const match of text.matchAll(/\S+/gu))
    placeIn(reader, match[0], (kind, words, value) => found.addAt(kind, { at: match.index + match[0].indexOf(words), words, value }));
  for (const [value, words] of datesIn(found.rest(), reader.months).found) {
    const at = found.rest().indexOf(words);
    if (at !== -1) found.addAt("date", { at, words, value });
  }
  for (const [kind, pattern] of SHAPES) for (const match of found.rest().matchAll(pattern)) found.add(kind, match);
  for (const match of found.rest().matchAll(reader.amounts)) found.add("amount", match);
  const tokens = tokensAround(text, { spans: found.inOrder(), titles: reader.words.titles });
  const spoken = [
    ...countsIn(reader, tokens),
    ...namesIn(reader, tokens),
    ...[...sourcesIn(reader, tokens)].map(({ value, from, to }) => sourceAs(value, text.slice(from, to))),
  ];
  return withoutTwins([...found.inOrder(), ...spoken]).slice(0, VALUES_MAX);
}

const SHAPES: readonly (readonly [ValueKind, RegExp])[] = [
  ["iban", /(?<![\p{L}\p{N}])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![\p{L}\p{N}])/gu],
  ["phone", /(?<![\p{L}\p{N}])\+\d[\d ()/.-]{5,20}\d(?![\p{L}\p{N}])/gu],
  ["time", /(?<![\p{L}\p{N}.:])\d{1,2}(?::\d{2}){1,2}(?: ?[ap]\.?m\b)?(?![\p{N}:])|(?<![\p{L}\p{N}.:])\d{1,2} ?[ap]m\b/giu],
];

class Spans {
  readonly #spans: Span[] = [];
  #rest: string;

  constructor(text: string) {
    this.#rest = text;
  }

  add(kind: ValueKind, match: RegExpMatchArray, value?: string): void {
    this.addAt(kind, { at: match.index ?? 0, words: match[0], value });
  }

  addAt(kind: ValueKind, { at, words, value = words }: { readonly at: number; readonly words: string; readonly value: string | undefined }): void {
    // Two cannot stand at one place; the surer kind was there first.
    if (this.#spans.length >= VALUES_MAX || this.#rest.slice(at, at + words.length) !== words) return;
    this.#spans.push({ kind, at, words, value });
    this.#rest = `${this.#rest.slice(0, at)}${"\u0000".repeat(words.length)}${this.#rest.slice(at + words.length)}`;
  }

  /** The text with a mark that belongs to no word for each character that is taken. */
  rest(): string {
    return this.#rest;
  }

  inOrder(): readonly Span[] {
    return [...this.#spans].sort((a, b) => a.at - b.at);
  }
}

const WRAPPING = /^[("'“‘<[{]+|[)"'”’>\]},.;:!?]+$/gu;
const NAME_LENGTH_MAX = 1_000;

type Tell = (kind: ValueKind, words: string, value: string) => void;

/** Addresses, paths and files have no blanks in them. */
function placeIn({ words: { files } }: Reader, chunk: string, tell: Tell): void {
  const words = chunk.slice(0, NAME_LENGTH_MAX).replaceAll(WRAPPING, "");
  if (words.length < 2) return;
  const scheme = /^(?:https?:\/\/|www\.)/iu.test(words);
  if (scheme) tell("url", words, words);
  else if (/^[\p{L}\p{N}._%+-]{1,64}@[\p{L}\p{N}.-]{1,253}\.\p{L}{2,24}$/u.test(words)) tell("email", words, words.toLowerCase());
  else if (/^[@#][\p{L}\p{N}][\p{L}\p{N}._-]{0,80}$/u.test(words)) tell("handle", words, words);
  else if (/^(?:~?\/|\.{1,2}\/|\\\\|[A-Za-z]:\\)[^\s]*[\p{L}\p{N}]/u.test(words)) tell("path", words, words);
  else if (/^[\p{L}\p{N}_-]{1,63}(?:\.[\p{L}\p{N}_-]{1,63}){0,8}$/u.test(words) && files.has(endOf(words))) tell("file", words, words);
  else if (/^[^/\s]{1,100}(?:\/[^/\s]{1,100}){1,20}$/u.test(words) && files.has(endOf(words))) tell("path", words, words);
  else if (/^(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?$/u.test(words)) tell("host", words, words);
  // A full stop with no blank behind it makes no host: the end of one is no word that begins a sentence.
  else if (/^(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,62})\.){1,8}[a-z]{2,24}(?::\d{1,5})?$/u.test(words)) tell("host", words, words.toLowerCase());
}

const endOf = (words: string): string => (words.includes(".") ? words.slice(words.lastIndexOf(".") + 1).toLowerCase() : "");

/** A word, what stands between two, or a span that was found before. */
interface Placed {
  readonly word: string;
  readonly raw: string;
  readonly at: number;
  readonly kind: "word" | "mark" | "stop" | "span";
  readonly span?: Span;
}

const WORDS = new Intl.Segmenter("en", { granularity: "word" });

interface Around {
  readonly spans: readonly Span[];
  readonly titles: ReadonlySet<string>;
}

function tokensAround(text: string, { spans, titles }: Around): readonly Placed[] {
  const tokens: Placed[] = [];
  let from = 0;
  const read = (end: number): void => {
    for (const { segment, index, isWordLike } of WORDS.segment(text.slice(from, end))) {
      if (segment === "." && titles.has(tokens.at(-1)?.word ?? "")) continue;
      const isStop = /[.!?;:\n•*]|^-$/u.test(segment) || (segment === ")" && isNumberFirst(tokens));
      const kind = isWordLike ? "word" : isStop ? "stop" : /\S/u.test(segment) ? "mark" : undefined;
      if (kind) tokens.push({ word: segment.toLowerCase().replaceAll("’", "'"), raw: segment, at: from + index, kind });
    }
  };
  for (const span of spans) {
    read(span.at);
    tokens.push({ word: "", raw: span.words, at: span.at, kind: "span", span });
    from = span.at + span.words.length;
  }
  read(text.length);
  return tokens;
}

/** `2)` at the beginning of a line or sentence. */
const isNumberFirst = (tokens: readonly Placed[]): boolean =>
  /^\p{N}+$/u.test(tokens.at(-1)?.word ?? "") && (tokens.length === 1 || tokens.at(-2)?.kind === "stop");

/** A number with the noun that it counts. */
function* countsIn({ words, silent }: Reader, tokens: readonly Placed[]): Generator<NamedValue> {
  const values = [...words.numbers];
  for (const [at, { word, raw, kind }] of tokens.entries()) {
    const spelled = values.indexOf(word) + 1;
    if (kind !== "word" || (spelled === 0 && !/^\d{1,12}(?:[.,]\d{1,4})*$/u.test(word))) continue;
    const next = tokens[at + 1];
    const noun = next?.kind === "word" && !silent.has(next.word) && !/^\p{N}/u.test(next.word) ? next.raw : undefined;
    // A number alone says something in digits; `one` alone rather stands for something.
    if (noun === undefined && (spelled > 0 || next?.raw === "." || isListMark(tokens, at))) continue;
    yield { kind: "count", value: spelled > 0 ? String(spelled) : word, words: noun === undefined ? raw : `${raw} ${noun}` };
  }
}

/** `1.` or `2)` at the beginning of a line or sentence. */
const isListMark = (tokens: readonly Placed[], at: number): boolean =>
  (at === 0 || tokens[at - 1]?.kind === "stop") && /^[.):]$/u.test(tokens[at + 1]?.raw ?? "");

const NAME_WORDS_MAX = 5;

/** Words in capitals that begin no sentence, those in a row as one. */
function* namesIn({ words, silent }: Reader, tokens: readonly Placed[]): Generator<NamedValue> {
  let name: string[] = [];
  const isName = ({ word, raw, kind }: Placed, at: number): boolean => {
    if (kind !== "word" || !/^\p{Lu}[\p{L}\p{M}'’]+$/u.test(raw)) return false;
    const beginsSentence = at === 0 || tokens[at - 1]?.kind === "stop";
    return !beginsSentence && !silent.has(word) && !words.noNames.has(word) && !words.titles.has(word);
  };
  for (const [at, token] of tokens.entries()) {
    if (isName(token, at) && name.length < NAME_WORDS_MAX) {
      name.push(token.raw.replace(/['’]s$/u, ""));
      if (!/['’]s$/u.test(token.raw)) continue;
    }
    if (name.length > 0) yield { kind: "name", value: name.join(" "), words: name.join(" ") };
    name = [];
  }
  if (name.length > 0) yield { kind: "name", value: name.join(" "), words: name.join(" ") };
}

const QUALIFIER_WORDS_MAX = 6;

/** Something that is there to be read, with the words that tell which one: `the email from Bob`, `in my calendar`, `the file 'x.txt'`. */
function* sourcesIn(reader: Reader, tokens: readonly Placed[]): Generator<{ readonly value: string; readonly from: number; readonly to: number }> {
  const { words } = reader;
  for (const [at, { word, kind }] of tokens.entries()) {
    if (kind !== "word" || !words.sources.has(word)) continue;
    const first = startOf(words, tokens, at);
    const [before, determiner] = [tokens[first - 1], tokens[first]];
    const isThere = words.definite.has(determiner?.word ?? "");
    const end = endOfQualifier(reader, tokens, at);
    const isRead = words.readFrom.has(before?.word ?? "");
    // `Email bob@…` and `an email from …` are no sources: one is a verb, the other is not there yet.
    const tellsWhich = tokens[end]?.kind === "span" && end === at + 1;
    if (end === at ? !(isThere && isRead) : !isThere && (first !== at || (tellsWhich && !isRead))) continue;
    const last = tokens[end];
    yield { value: word, from: tokens[first]?.at ?? 0, to: (last?.at ?? 0) + (last?.raw.length ?? 0) };
  }
}

/** Where the words before a source begin that belong to it: `the last unread email`. */
function startOf({ definite }: Reader["words"], tokens: readonly Placed[], at: number): number {
  for (let first = at - 1; first >= Math.max(0, at - 4); first--) {
    const token = tokens[first];
    if (token?.kind !== "word") break;
    if (token.word === "a" || token.word === "an") return first;
    if (!definite.has(token.word)) continue;
    return definite.has(tokens[first - 1]?.word ?? "") ? first - 1 : first;
  }
  return at;
}

/** The last word of what tells which source is meant; the source itself where nothing does. */
function endOfQualifier({ words, silent }: Reader, tokens: readonly Placed[], at: number): number {
  if (tokens[at + 1]?.kind === "span") return at + 1;
  if (!words.qualifiers.has(tokens[at + 1]?.word ?? "")) return at;
  let end = at;
  for (let next = at + 2; next <= at + 1 + QUALIFIER_WORDS_MAX; next++) {
    const token = tokens[next];
    if (!token || token.kind === "mark" || token.kind === "stop") break;
    if (token.kind === "span") return next;
    const isInner = words.definite.has(token.word) || token.word === "a";
    if (silent.has(token.word) && !isInner) break;
    if (!isInner) end = next;
  }
  return end;
}

const sourceAs = (value: string, words: string): NamedValue => ({ kind: "source", value, words });

function withoutTwins(values: readonly NamedValue[]): readonly NamedValue[] {
  const seen = new Map(values.map((one) => [`${one.kind} ${one.value} ${one.words}`, one]));
  return [...seen.values()].sort((a, b) => VALUE_KINDS.indexOf(a.kind) - VALUE_KINDS.indexOf(b.kind));
}
