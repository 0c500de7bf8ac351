import type { Effect } from "../core/words.ts";
import type { VerbInText } from "./lexicon.ts";
import type { StatementToken } from "./sentences.ts";
import type { Reader } from "./statement-words.ts";

/** Which verbs of a sentence ask for something, by their places. */
export interface Verdicts {
  readonly asked: ReadonlyMap<number, VerbInText>;
  /** Whether somebody does something in it, or something is so. */
  readonly tells: boolean;
}

/** An ask of this must be beyond doubt: what is done by a wrong one cannot be undone. */
const GRAVE: ReadonlySet<Effect> = new Set(["delete", "pay", "share", "credential", "execute"]);

/** More adverbs in a row say nothing more, and every verb looks back over those before it. */
const ADVERBS_MAX = 4;
/** How far behind a verb its particle stands at most. */
const PARTICLE_MAX = 7;

type Verdict = "asked" | "told" | "noun";

export function verdictsIn(reader: Reader, tokens: readonly StatementToken[], refused: ReadonlySet<number>): Verdicts {
  const { lexicon } = reader;
  const asked = new Map<number, VerbInText>();
  let [tells, told, relayed, behind] = [false, false, false, 0];
  const particles = new Set<number>();
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at];
    if (!token || token.kind === "mark") {
      told = false;
      relayed = false;
      continue;
    }
    if (token.isQuoted || refused.has(at) || at < behind || particles.has(at)) continue;
    const verb = verbAt(reader, tokens, at);
    if (!verb) continue;
    const verdict = verdictOn({ reader, tokens, at, verb, told, relayed });
    if (verdict === "noun") continue;
    told = verdict === "told";
    tells ||= told;
    if (told) continue;
    asked.set(at, verb);
    relayed = reader.words.relaying.has(verb.base);
    behind = at + verb.words;
    const particle = verb.particle === undefined ? -1 : tokens.slice(at + 1, at + PARTICLE_MAX).findIndex(({ word }) => word === verb.particle);
    if (particle !== -1) particles.add(at + 1 + particle);
  }
  return { asked, tells: tells || tokens.some(({ word }) => lexicon.isIn("predicates", word)) };
}

function verbAt(reader: Reader, tokens: readonly StatementToken[], at: number): VerbInText | undefined {
  const { lexicon, words, participles } = reader;
  const token = tokens[at];
  // In the middle of a sentence a capital makes a name: `invite Mark`.
  if (!token || (/^\p{Lu}/u.test(token.raw) && at > 0 && tokens[at - 1]?.kind !== "mark" && !(at === 1 && isNumber(tokens[0])))) return undefined;
  if (at === 0 && isSubject(reader, tokens)) return undefined;
  if (words.wishes.has(token.word) && !lexicon.isIn("nounLike", token.word)) return { ...WISHING, base: token.word };
  if (words.removing.has(token.word) && isTakenFrom(reader, tokens, at)) return { ...WISHING, base: "remove", effect: "delete", light: false };
  const base = participles.get(token.word);
  const irregular = base === undefined || base === token.word ? undefined : lexicon.verbOf({ ...token, word: base });
  return irregular ? { ...irregular, form: "participle" } : lexicon.verbAt(tokens, at);
}

/** `take him out of the room`, `throw all over 50 euros off my list`; not `take the day off`. */
function isTakenFrom({ lexicon, words }: Reader, tokens: readonly StatementToken[], at: number): boolean {
  for (let place = at + 1; place < Math.min(tokens.length - 1, at + TAKEN_MAX); place++) {
    const [token, next] = [tokens[place], tokens[place + 1]];
    if (!token || !next || token.kind === "mark") return false;
    if (token.word === "out" && next.word === "of") return true;
    if (token.word === "off" && (lexicon.isIn("determiners", next.word) || words.possessives.has(next.word))) return true;
  }
  return false;
}

const TAKEN_MAX = 9;

const WISHING: VerbInText = { base: "", form: "base", words: 1, effect: "unknown", weak: false, nounLike: false, light: true, fetching: false };

const isNumber = (token: StatementToken | undefined): boolean => token !== undefined && /^\p{N}+$/u.test(token.word);

/** A name at the beginning that is a verb as well: `Bill wants`, `Mark has`. */
function isSubject({ lexicon, words }: Reader, [first, next]: readonly StatementToken[]): boolean {
  if (!first || !next || next.isQuoted || !/^\p{Lu}/u.test(first.raw)) return false;
  const verb = lexicon.verbOf(next);
  return (
    lexicon.isIn("predicates", next.word) ||
    (verb?.form === "third" && !verb.nounLike) ||
    (next.word.endsWith("s") && words.wishes.has(next.word.slice(0, -1)))
  );
}

interface Case {
  readonly reader: Reader;
  readonly tokens: readonly StatementToken[];
  readonly at: number;
  readonly verb: VerbInText;
  /** Whether the verb before it in its clause only tells of something. */
  readonly told: boolean;
  /** Whether the verb before it in its clause tells somebody else what to do: `ask Bo to …`. */
  readonly relayed: boolean;
}

/** The place of the word before, without adverbs. */
function placeBefore({ lexicon }: Reader, tokens: readonly StatementToken[], at: number): number {
  let before = at - 1;
  const isAdverb = (token: StatementToken | undefined): boolean =>
    token !== undefined && (lexicon.isIn("adverbs", token.word) || (token.word.endsWith("ly") && !lexicon.verbOf(token)));
  while (before >= Math.max(0, at - ADVERBS_MAX) && isAdverb(tokens[before])) before--;
  return before;
}

function verdictOn(found: Case): Verdict {
  const { reader, tokens, at, verb } = found;
  const { lexicon, words } = reader;
  const place = placeBefore(reader, tokens, at);
  const previous = tokens[place]?.kind === "mark" ? "" : (tokens[place]?.word ?? "");
  if (verb.form === "participle") return isToBeDone(found, place) ? "asked" : "noun";
  if (verb.form === "gerund") return words.minding.has(previous) ? "asked" : "noun";
  if (verb.form === "third") return verb.nounLike || place < 0 || lexicon.isIn("prepositions", previous) ? "noun" : "told";
  if (words.wishes.has(verb.base)) return verb.base === "like" && !words.modals.has(previous) ? "noun" : "asked";
  if (lexicon.isIn("negations", previous) || (verb.light && lexicon.isIn("negations", tokens[at + 1]?.word ?? ""))) return "told";
  if (words.subjects.has(previous)) return "told";
  if (words.possessives.has(previous)) return "noun";
  // `Give Ada read access`: a right, and nothing to be done.
  if (lexicon.pack.objects.access.includes(tokens[at + 1]?.word ?? "") && previous !== "" && !words.licences.has(previous)) return "noun";
  if (found.told && /^(and|or|nor)$/.test(previous)) return "told";
  const licensed = licenceOf(found, place);
  if (licensed !== "asked") {
    const next = tokens[at + verb.words];
    return licensed === "noun" || (verb.nounLike && !(next && isObjectStart(reader, next))) ? "noun" : licensed;
  }
  return verb.nounLike && isNounHere(found, place) ? "noun" : "asked";
}

/** Whether what stands before a verb lets it ask: `pay …`, `please pay`, `to pay`, `could you pay`; not `who pays`, `when you pay`, `how to pay`. */
function licenceOf(found: Case, place: number): Verdict {
  const { reader, tokens, verb } = found;
  const { lexicon, words } = reader;
  const token = tokens[place];
  if (!token || token.kind === "mark" || (place === 0 && isNumber(token))) return "asked";
  const isBeginning = (at: number): boolean => at < 0 || tokens[at]?.kind === "mark" || words.licences.has(tokens[at]?.word ?? "");
  const before = tokens[place - 1]?.word ?? "";
  if (token.word === "to") return infinitive(found, place);
  if (words.asked.has(token.word)) {
    if (isBeginning(place - 1) || words.modals.has(before) || verb.effect === "read") return "asked";
    return "told";
  }
  if (words.modals.has(token.word)) {
    if (isBeginning(place - 1)) return "asked";
    if (words.asked.has(before)) return isBeginning(place - 2) || verb.effect === "read" ? "asked" : "told";
    return words.obliging.has(token.word) && words.asking.has(before) ? "asked" : "told";
  }
  if (words.told.has(token.word)) return words.helping.has(before) ? "asked" : "noun";
  if (words.licences.has(token.word) || words.helping.has(token.word)) return "asked";
  if (lexicon.isIn("prepositions", token.word)) return "noun";
  return isUnmarked(found, place) ? "asked" : "told";
}

/** `I want to pay`, `don't forget to pay`; not `how to pay`, `which to pay`, `the way to pay`, `Bob wants to pay`. */
function infinitive({ reader, tokens, verb, relayed }: Case, place: number): Verdict {
  const { words } = reader;
  if (verb.effect === "read" || verb.effect === "browse") return "asked";
  const before = tokens[place - 1];
  if (relayed) return "told";
  if (before && (words.noPlans.has(before.word) || words.ways.has(before.word))) return "told";
  for (let at = place - 1; at >= Math.max(0, place - 3); at--) {
    const token = tokens[at];
    if (!token || token.kind === "mark") break;
    if (words.interrogatives.has(token.word)) return "told";
  }
  return isUnwished(words, tokens, place) ? "told" : "asked";
}

/** `I do not want you to pay`, `no need to pay`: nobody wishes it. `Don't forget to pay` is a wish. */
function isUnwished({ wishes, refusing }: Reader["words"], tokens: readonly StatementToken[], place: number): boolean {
  const isWish = (at: number): boolean => wishes.has(tokens[at]?.word ?? "");
  const wish = isWish(place - 1) ? place - 1 : place - 2;
  return isWish(wish) && refusing.has(tokens[wish - 1]?.word ?? "");
}

/** Without a comma, as people write in haste: `if he named a price tell Farida the total`. It has its object behind it, and no subject before. */
function isUnmarked({ reader, tokens, at, verb }: Case, place: number): boolean {
  const { words } = reader;
  const [token, next] = [tokens[place], tokens[at + verb.words]];
  if (verb.nounLike || !token || /^\p{Lu}/u.test(token.raw) || token.isQuoted || words.people.has(token.word) || words.roles.has(token.word))
    return false;
  if (/[^s']s$/.test(token.word)) return false;
  if (verb.effect === "read") return true;
  return (
    next !== undefined && isObjectStart(reader, next) && (!GRAVE.has(verb.effect) || words.pronouns.has(next.word) || verb.particle !== undefined)
  );
}

const isObjectStart = ({ lexicon, words }: Reader, token: StatementToken): boolean =>
  lexicon.isIn("determiners", token.word) ||
  words.possessives.has(token.word) ||
  words.pronouns.has(token.word) ||
  words.told.has(token.word) ||
  words.people.has(token.word) ||
  words.universal.has(token.word) ||
  words.questions.has(token.word) ||
  token.isQuoted ||
  /^[\p{Lu}\p{N}]/u.test(token.raw);

/** How far a noun reaches to what is said of it: `order 7 of May is late`. */
const SAID_MAX = 6;

/** What may be a noun is one where something is said of it: `order 7 is late`, and among nouns: `name, order and share`. */
function isNounHere({ reader, tokens, at, verb }: Case, place: number): boolean {
  const { lexicon, words } = reader;
  const next = tokens[at + verb.words];
  if (!next || next.kind === "mark") return GRAVE.has(verb.effect) && place >= 0 && tokens[place]?.word !== "to";
  if (isObjectStart(reader, next) && !isNumber(next)) return false;
  const isListed = place >= 0 && (tokens[place]?.kind === "mark" || /^(and|or)$/.test(tokens[place]?.word ?? ""));
  if (isListed && GRAVE.has(verb.effect) && !isNumber(next)) return true;
  if (GRAVE.has(verb.effect) && tokens[at + 2]?.word === "of") return true;
  for (let after = at + 1; after < Math.min(tokens.length, at + SAID_MAX); after++) {
    const token = tokens[after];
    if (!token || token.kind === "mark" || lexicon.isIn("determiners", token.word) || words.interrogatives.has(token.word)) return false;
    if (lexicon.isIn("predicates", token.word)) return true;
    const said = lexicon.verbOf(token);
    if (!said && /[^e]ed$/.test(token.word) && (after === at + 1 || isNumber(tokens[after - 1]))) return true;
    if (said && !said.nounLike && (said.form === "third" || (said.form === "participle" && after === at + 1))) return true;
  }
  return false;
}

/** `must be paid`, `I want it cancelled`; not `is paid`, `the bill paid`, `can be paid`. */
function isToBeDone({ reader, tokens, at, verb }: Case, place: number): boolean {
  const { words } = reader;
  if (tokens[place]?.word === "be") {
    const before = tokens[placeBefore(reader, tokens, place)]?.word ?? "";
    return before === "to"
      ? !words.noPlans.has(tokens[place - 2]?.word ?? "") || /s$/.test(tokens[place - 2]?.word ?? "")
      : words.obliging.has(before);
  }
  const next = tokens[at + 1];
  if (
    (next && next.kind !== "mark" && !words.polite.has(next.word) && !(next.word === "to" && !GRAVE.has(verb.effect))) ||
    words.questions.has(tokens[0]?.word ?? "")
  )
    return false;
  if (reader.lexicon.isIn("predicates", tokens[place]?.word ?? "")) return false;
  for (let before = place; before >= Math.max(0, at - 5); before--) {
    const token = tokens[before];
    if (!token || token.kind === "mark" || reader.lexicon.isIn("prepositions", token.word)) return false;
    if (words.wishes.has(token.word)) return before < at - 1;
    const isAsked = before === 0 || tokens[before - 1]?.kind === "mark" || words.licences.has(tokens[before - 1]?.word ?? "");
    if (words.having.has(token.word)) return before < at - 1 && isAsked;
  }
  return false;
}
