import { clausesOf, isHeading, mainVerb } from "./clauses.ts";
import type { Confidence, Evidence, Inferred } from "./evidence.ts";
import type { Lexicon, VerbInText } from "./lexicon.ts";
import { nameTokens, stemOf, type Token, tokensOf } from "./tokens.ts";

/** More nouns would let a task speak of the tool by chance. */
export const OBJECTS_MAX = 12;
/** What stands further from its verb belongs to something else. */
const REACH_WORDS = 24;
/** Where the first sentence names nothing, one of the next may. */
const SENTENCES_MAX = 3;
/** A word that a statement can have as well: no name of an argument, no number, no letter by itself, nothing in another script. */
const NOUN = /^\p{Script=Latin}[\p{Script=Latin}\p{M}\d]{1,63}$/u;

interface Said {
  readonly name: string;
  readonly prose: string;
  /** What each operation is called. */
  readonly operations: readonly string[];
}

interface Noun {
  readonly word: string;
  /** It says nothing of what is done where another noun does. */
  readonly isGeneric: boolean;
}

interface Source {
  readonly from: Evidence["from"];
  readonly nouns: readonly Noun[];
  readonly confidence: Confidence;
}

/**
 * What a tool's actions are done to: the nouns of its first sentence, then those of its name and of its operations. What it does beside, says by
 * what, or answers, stands in other sentences or behind other words, and a task that speaks of that does not speak of the tool.
 */
export function inferObjects(lexicon: Lexicon, { name, prose, operations }: Said): Inferred<readonly string[]> {
  const described = describedObjects(lexicon, prose);
  const { behind, before } = nounsInName(lexicon, name);
  const sources: readonly Source[] = [
    described,
    { from: "name", nouns: behind.length > 0 || !isSilent(described) ? behind : before, confidence: "low" },
    { from: "schema", nouns: operations.flatMap((operation) => nounsInName(lexicon, operation).behind), confidence: "low" },
  ];
  const onlyGeneric = sources.every(isSilent);
  const [value, stems, words]: [string[], Set<string>, Evidence[]] = [[], new Set(), []];
  for (const source of sources) {
    const added = source.nouns.filter(({ word, isGeneric }) => {
      const isNew = !stems.has(stemOf(word)) && (onlyGeneric || !isGeneric) && stems.size < OBJECTS_MAX;
      if (isNew) stems.add(stemOf(word));
      return isNew;
    });
    value.push(...added.map(({ word }) => word));
    if (added.length > 0) words.push({ from: source.from, words: added.map(({ word }) => word).join(" ") });
  }
  const confidence = onlyGeneric || isSilent(described) ? "low" : described.confidence;
  return { value, confidence, words };
}

const isSilent = ({ nouns }: Source): boolean => nouns.every(({ isGeneric }) => isGeneric);

/** In brackets stand examples and the long forms of what is said already; `line-based` is a word, and names no line. */
const plain = (prose: string): string => prose.replaceAll(/\([^()]*\)|\[[^[\]]*\]|[\p{L}\p{N}]+-\p{L}+ed\b/gu, " ");

function describedObjects(lexicon: Lexicon, prose: string): Source {
  let found: Source = { from: "description", nouns: [], confidence: "low" };
  for (const [index, clause] of clausesOf(plain(prose)).slice(0, SENTENCES_MAX).entries()) {
    const tokens = tokensOf(clause);
    const main = mainVerb(lexicon, tokens, index === 0);
    if (index > 0 && (!main || isBeside(lexicon, tokens, main.verb))) continue;
    const region = tokens.slice(main ? main.at + main.verb.words : beginningOf(lexicon, tokens));
    const nouns = nounsAmong(lexicon, region.slice(0, REACH_WORDS), main?.verb);
    const source: Source = { ...found, nouns, confidence: main ? "high" : "low" };
    if (!isSilent(source)) return source;
    if (found.nouns.length === 0) found = source;
  }
  return found;
}

/** What a later sentence says of certain cases, or of what comes back. */
const isBeside = (lexicon: Lexicon, tokens: readonly Token[], { base }: VerbInText): boolean =>
  lexicon.isIn("conditions", tokens[0]?.word ?? "") || lexicon.isIn("answers", base);

/**
 * Where no known verb begins the sentence: after `the tool for …`, or after a verb that nobody knows, which stands before `a`, `the` or `with`, or
 * ends in `s` before another word.
 */
function beginningOf(lexicon: Lexicon, tokens: readonly Token[]): number {
  const first = tokens.findIndex(({ word, kind }) => kind === "word" && !lexicon.isIn("leadIns", word) && !lexicon.isIn("determiners", word));
  if (first === -1) return tokens.length;
  const next = tokens[first + 1];
  if (!next || lexicon.isIn("conjunctions", next.word) || isHeading(lexicon, tokens, first)) return first;
  const isVerb = lexicon.isIn("determiners", next.word) || lexicon.isIn("prepositions", next.word) || /[^s]s$/.test(tokens[first]?.word ?? "");
  return isVerb ? first + 1 : first;
}

/** The nouns of the object of `main`, and of what it is done in, to or for, up to how it is done. */
function nounsAmong(lexicon: Lexicon, tokens: readonly Token[], main?: VerbInText): readonly Noun[] {
  const nouns: Noun[] = [];
  const isLetting = main !== undefined && lexicon.isIn("transparent", main.base);
  let isDirect = true;
  for (const [at, token] of tokens.entries()) {
    if (token.kind === "mark" ? token.word === ";" : isEnd(lexicon, tokens, at)) break;
    isDirect &&= at === 0 || !lexicon.isIn("prepositions", token.word) || lexicon.isIn("conjunctions", token.word);
    if (token.kind === "mark" || isSmall(lexicon, token)) continue;
    const verb = lexicon.verbAt(tokens, at);
    // `let the robot find …`
    if (isLetting && verb?.form === "base" && !isObject(lexicon, tokens[at - 1])) continue;
    if (
      verb &&
      verb.form === main?.form &&
      isJoined(lexicon, tokens, at) &&
      (nouns.length === 0 || !verb.nounLike || isObject(lexicon, tokens[at + 1]))
    ) {
      // What is read afterwards is what comes of it.
      if (nouns.length > 0 && isReading(verb)) break;
      continue;
    }
    if (verb?.form === "third" && !verb.nounLike) continue;
    // `… and returns the text`
    if (nouns.length > 0 && isAnswer(lexicon, tokens, at)) break;
    const word = token.word.replace(/'s?$/, "");
    if (!NOUN.test(word) || isModifier(lexicon, tokens, at)) continue;
    // `Remove a user from a team` is about users, `set the name of a user` and `send the user's plan` are not.
    const isActedOn = isDirect && word === token.word && !isNounBehind(lexicon, tokens, at);
    nouns.push({ word, isGeneric: lexicon.isIn("genericNouns", word) || (lexicon.isIn("people", word) && !isActedOn) });
  }
  return nouns;
}

const isAnswer = (lexicon: Lexicon, tokens: readonly Token[], at: number): boolean => {
  const next = tokens[at + 1];
  return (
    lexicon.isIn("answers", tokens[at]?.word ?? "") &&
    isJoined(lexicon, tokens, at) &&
    next?.kind === "word" &&
    !lexicon.isIn("objectGoesOn", next.word)
  );
};

const isReading = ({ effect }: VerbInText): boolean => effect === "read" || effect === "browse";

function isJoined(lexicon: Lexicon, tokens: readonly Token[], at: number): boolean {
  const before = isAdverb(lexicon, tokens[at - 1]?.word ?? "") ? at - 2 : at - 1;
  return lexicon.isIn("conjunctions", tokens[before]?.word ?? "");
}

const isAdverb = (lexicon: Lexicon, word: string): boolean => lexicon.isIn("adverbs", word) || (/ly$/.test(word) && !lexicon.isIn("nounsInLy", word));

const isObject = (lexicon: Lexicon, token: Token | undefined): boolean => token !== undefined && lexicon.isIn("determiners", token.word);

/** Where the object of a verb, with what belongs to it, ends: `with …`, `by …`, `that …`, `is …`, `to do …`. */
function isEnd(lexicon: Lexicon, tokens: readonly Token[], at: number): boolean {
  const [before, token, next, after] = [tokens[at - 1], tokens[at] as Token, tokens[at + 1], tokens[at + 2]];
  if (!before) return false;
  const form = lexicon.verbOf(token)?.form;
  if (ENDS.some((list) => lexicon.isIn(list, token.word)) && form !== "participle") return true;
  if (form === "gerund" && before.kind === "mark") return true;
  if (form === "third" && !lexicon.verbOf(token)?.nounLike && !isSmall(lexicon, before)) return true;
  if (token.word === "to" && next && isInfinitive(lexicon, next, after)) return true;
  return isOutside(lexicon, token);
}

/** `to send …`, `to review before …`, `to zonk the …`. */
function isInfinitive(lexicon: Lexicon, token: Token, after: Token | undefined): boolean {
  const verb = lexicon.verbOf(token);
  if (verb?.form === "base" && !verb.nounLike) return true;
  if (lexicon.isIn("predicates", token.word)) return true;
  const isBeforeObject = isObject(lexicon, after) && !isSmall(lexicon, token);
  return isBeforeObject || (verb?.form === "base" && after !== undefined && isOutside(lexicon, after));
}

const isOutside = (lexicon: Lexicon, { word }: Token): boolean => lexicon.isIn("prepositions", word) && !lexicon.isIn("objectGoesOn", word);

const ENDS = ["conditions", "predicates", "modals", "negations"] as const;

/** Words that name nothing. */
const isSmall = (lexicon: Lexicon, { word }: Token): boolean =>
  (["determiners", "prepositions", "conjunctions", "fillers"] as const).some((list) => lexicon.isIn(list, word)) || isAdverb(lexicon, word);

function isNounBehind(lexicon: Lexicon, tokens: readonly Token[], at: number): boolean {
  const next = tokens[at + 1];
  return next?.kind === "word" && !isSmall(lexicon, next) && !isEnd(lexicon, tokens, at + 1);
}

/** `new`, `scheduled`, `shipping` of `shipping address`, and what is done to an object of its own: `for shipping a parcel`. */
function isModifier(lexicon: Lexicon, tokens: readonly Token[], at: number): boolean {
  const [token, next] = [tokens[at] as Token, tokens[at + 1]];
  const { word } = token;
  const isBeforeNoun = isNounBehind(lexicon, tokens, at);
  const form = lexicon.verbOf(token)?.form;
  if (form === "participle" || /..[^e]ed$/.test(word)) return true;
  if (/(able|ible|ful|less|ous)$/.test(word) && isBeforeNoun) return true;
  const saysMore = isBeforeNoun && !lexicon.isIn("genericNouns", next?.word ?? "");
  return (form === "gerund" || word.endsWith("ing")) && (isObject(lexicon, next) || (form === "gerund" && saysMore));
}

interface NameNouns {
  /** After its verb. */
  readonly behind: readonly Noun[];
  /** Whose tool it is, or what is acted upon where the verb comes last; all of a name in which nobody knows a verb. */
  readonly before: readonly Noun[];
}

function nounsInName(lexicon: Lexicon, name: string): NameNouns {
  const tokens = nameTokens(name.slice(name.lastIndexOf("/") + 1));
  const verbs = tokens.map((token) => lexicon.verbOf(token));
  const isVerb = (at: number): boolean => verbs[at]?.form === "base" || verbs[at]?.form === "third";
  const sure = tokens.findIndex((_, at) => isVerb(at) && !verbs[at]?.nounLike);
  const at = sure === -1 ? tokens.findIndex((_, index) => isVerb(index) && index < tokens.length - 1) : sure;
  return {
    behind: at === -1 ? [] : nounsAmong(lexicon, tokens.slice(at + 1), verbs[at]),
    before: nounsAmong(lexicon, at === -1 ? tokens : tokens.slice(0, at)),
  };
}
