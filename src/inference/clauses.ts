import { worseEffect } from "../core/words.ts";
import type { EffectEvidence } from "./evidence.ts";
import type { Lexicon, VerbInText } from "./lexicon.ts";
import { effectOf } from "./object.ts";
import { type Token, tokensOf, type VerbForm } from "./tokens.ts";

/** More sentences tell nothing new of what a tool does. */
const CLAUSES_MAX = 400;

/** What sentences about a tool say that it does. The main verb is that of the first: where nobody knows it, what comes later says what is done beside. */
export function effectsInProse(lexicon: Lexicon, prose: string): readonly EffectEvidence[] {
  const found: EffectEvidence[] = [];
  let main: VerbForm | undefined;
  for (const [index, clause] of clausesOf(prose).entries()) {
    const tokens = tokensOf(clause);
    const start = mainVerb(lexicon, tokens, index === 0);
    const describes = start !== undefined && index > 0 && lexicon.isIn("describing", start.verb.base);
    if (start && !describes && !(main === "third" && start.verb.form === "base" && start.at === 0)) {
      const first = evidenceOf(lexicon, tokens, start);
      if (first) {
        found.push({ ...first, strength: main !== undefined || index > 0 ? beside(first) : first.strength });
        main ??= start.verb.form;
      }
      found.push(...joined(lexicon, tokens, start));
    }
    found.push(...passives(lexicon, tokens));
    if (found.some(({ effect }) => effect !== "read" && effect !== "browse")) found.push(...charges(lexicon, tokens));
  }
  return found;
}

/** What a tool costs that does something: `the card on file is charged`; of what only reads, it is told of what comes back. */
function charges(lexicon: Lexicon, tokens: readonly Token[]): readonly EffectEvidence[] {
  if (lexicon.isIn("conditions", tokens[0]?.word ?? "")) return [];
  return tokens.flatMap((token, at): readonly EffectEvidence[] => {
    const verb = lexicon.verbOf(token);
    if (verb?.form !== "participle" || !lexicon.isIn("charging", verb.base) || !IS.has(tokens[at - 1]?.word ?? "")) return [];
    const whose = tokens.slice(Math.max(0, at - CHARGED_WITHIN), at - 1);
    const isTold = lexicon.isIn("leadIns", whose.at(-1)?.word ?? "") && !lexicon.isIn("charged", whose.at(-1)?.word ?? "");
    if (isTold || !whose.some(({ word }) => lexicon.isIn("charged", word)) || isNegated(lexicon, tokens, at)) return [];
    return [{ from: "description", words: `${tokens[at - 1]?.raw} ${token.raw}`, effect: "pay", strength: "also" }];
  });
}

const IS = new Set(["is", "are", "be", "gets", "get"]);
const CHARGED_WITHIN = 8;

/** What is read in a later sentence is what comes of it: a weak word there says nothing of what the first left open. */
const beside = ({ strength, effect }: EffectEvidence): EffectEvidence["strength"] => (strength === "weak" && effect !== "read" ? "weak" : "also");

/** Sentences, items of lists and what stands in brackets. */
export const clausesOf = (prose: string): readonly string[] =>
  prose
    .replaceAll(/\b(e\.g|i\.e|etc|vs)\./gi, "$1")
    .split(/[.!?:()[\]—–]+(?=\s|$|\W)|[()[\]]|\n\s*(?:[-*•]|\d+[.)])\s+|\n\s*\n| - /u)
    .filter((clause) => clause.trim() !== "")
    .slice(0, CLAUSES_MAX);

interface Found {
  readonly at: number;
  readonly verb: VerbInText;
}

/** The verb that a sentence about the tool begins with, after words that say nothing: `this tool will also …`. */
export function mainVerb(lexicon: Lexicon, tokens: readonly Token[], isFirst: boolean): Found | undefined {
  let from = 0;
  if (lexicon.isIn("conditions", tokens[0]?.word ?? "")) {
    const comma = tokens.findIndex(({ word }) => word === ",");
    if (comma === -1) return undefined;
    from = comma + 1;
  }
  for (let at = from; at < tokens.length; at++) {
    const token = tokens[at] as Token;
    if (lexicon.isIn("negations", token.word)) return undefined;
    const verb = lexicon.verbAt(tokens, at);
    const through = verb && isPhrase(verb) ? undefined : throughTransparent(lexicon, tokens, at);
    if (through) return through;
    if (isFirst && isHeading(lexicon, tokens, at)) return undefined;
    if (verb && !isUsage(lexicon, tokens, at) && verb.form !== "participle" && !isNominal(lexicon, tokens, { at, verb }))
      return (isFirst && from === 0) || !verb.nounLike || hasSubjectOrObject(lexicon, tokens, at) ? { at, verb } : undefined;
    if (isUsage(lexicon, tokens, at) && tokens[at + 2] && !lexicon.isIn("leadIns", tokens[at + 3]?.word ?? "")) return undefined;
    const skipped = lexicon.isIn("leadIns", token.word) || lexicon.isIn("adverbs", token.word) || token.kind === "mark" || /ly$/.test(token.word);
    if (!skipped) return undefined;
  }
  return undefined;
}

/** `Bills that came by mail`, `orders of a customer`: things, and nothing that is done; `records that a bill came` is. */
export function isHeading(lexicon: Lexicon, tokens: readonly Token[], at: number): boolean {
  const [verb, next, after] = [lexicon.verbAt(tokens, at), tokens[at + 1]?.word ?? "", tokens[at + 2]];
  if (!verb?.nounLike || verb.form !== "third") return false;
  return lexicon.isIn("relatives", next) || (next === "that" && after !== undefined && !lexicon.isIn("determiners", after.word));
}

const isPhrase = ({ words, particle }: VerbInText): boolean => words > 1 || particle !== undefined;

/** After `a` or `the` comes a noun, and after `be` what something is, whatever verb it looks like: `the order may be empty`. */
const isNominal = (lexicon: Lexicon, tokens: readonly Token[], { at, verb }: Found): boolean =>
  at > 0 &&
  verb.form !== "gerund" &&
  ((verb.nounLike && lexicon.isIn("determiners", tokens[at - 1]?.word ?? "")) || /^(be|is|are|was|were)$/.test(tokens[at - 1]?.word ?? ""));

/** Later, what may be a noun is a verb after `it will`, or before `the message`. */
const hasSubjectOrObject = (lexicon: Lexicon, tokens: readonly Token[], at: number): boolean =>
  lexicon.isIn("determiners", tokens[at + 1]?.word ?? "") || lexicon.isIn("leadIns", tokens[at - 1]?.word ?? "");

/** What is told to the agent, not said of the tool: `call this tool once …`. */
const isUsage = (lexicon: Lexicon, tokens: readonly Token[], at: number): boolean =>
  lexicon.isIn("usage", tokens[at]?.word ?? "") &&
  (tokens[at]?.word === "use" || (lexicon.isIn("determiners", tokens[at + 1]?.word ?? "") && lexicon.isIn("self", tokens[at + 2]?.word ?? "")));

const TRANSPARENT_REACH = 5;

/** The verb that `allows you to …` or `simulates …ing` is about. */
function throughTransparent(lexicon: Lexicon, tokens: readonly Token[], at: number): Found | undefined {
  const verb = lexicon.verbOf(tokens[at] as Token);
  if (!verb || !lexicon.isIn("transparent", verb.base)) return undefined;
  for (let next = at + 1; next < Math.min(tokens.length, at + TRANSPARENT_REACH); next++) {
    const token = tokens[next] as Token;
    const inner = lexicon.verbAt(tokens, next);
    if (
      inner &&
      (inner.form === "gerund" || (inner.form === "base" && (tokens[next - 1]?.word === "to" || next > at + 1))) &&
      !isNominal(lexicon, tokens, { at: next, verb: inner })
    )
      return { at: next, verb: inner };
    if (!lexicon.isIn("leadIns", token.word)) return undefined;
  }
  return undefined;
}

/** Verbs that are joined to the first: `…, update and delete`, and what is done by doing so: `by sending …`. */
function joined(lexicon: Lexicon, tokens: readonly Token[], { at: start, verb: main }: Found): readonly EffectEvidence[] {
  const found: EffectEvidence[] = [];
  let modal = false;
  // `List, create, update and delete …`: verbs among themselves, before any object.
  const isList = lexicon.isIn("conjunctions", tokens[start + 1]?.word ?? "");
  for (let at = start + 1; at < tokens.length; at++) {
    const token = tokens[at] as Token;
    modal ||= lexicon.isIn("modals", token.word);
    if (token.word === ",") modal = false;
    const verb = lexicon.verbAt(tokens, at);
    if (!verb || lexicon.isIn("describing", verb.base) || isNegated(lexicon, tokens, at) || isUsage(lexicon, tokens, at)) continue;
    const before = previousWord(lexicon, tokens, at);
    const isJoined =
      lexicon.isIn("conjunctions", before) &&
      verb.form === main.form &&
      !(modal && verb.form === "base") &&
      hasObject(lexicon, tokens, { at, verb, isList });
    // `…, deleting the plan`; of `items, shipping, payments` each is a thing.
    const isMeans = verb.form === "gerund" && (before === "by" || (before === "," && isFollowed(lexicon, tokens[at + 1])));
    const isThird = verb.form === "third" && lexicon.isIn("conjunctions", before) && !verb.nounLike && tokens[at + 1]?.kind === "word";
    if (!isJoined && !isMeans && !isThird) continue;
    const evidence = evidenceOf(lexicon, tokens, { at, verb });
    if (evidence && evidence.effect !== "read") found.push({ ...evidence, strength: beside(evidence) });
  }
  return found;
}

const isFollowed = (lexicon: Lexicon, next: Token | undefined): boolean =>
  next?.kind === "word" &&
  !lexicon.isIn("conjunctions", next.word) &&
  (!lexicon.isIn("prepositions", next.word) || lexicon.isIn("determiners", next.word));

const previousWord = (lexicon: Lexicon, tokens: readonly Token[], at: number): string => {
  let before = at - 1;
  while (
    before > 0 &&
    (lexicon.isIn("adverbs", tokens[before]?.word ?? "") || tokens[before]?.word === "to" || /ly$/.test(tokens[before]?.word ?? ""))
  )
    before--;
  return tokens[before]?.word ?? "";
};

/** What may be a noun is a verb where something is done to something: `and transfer the money`, not `balance and transfer history`. */
function hasObject(lexicon: Lexicon, tokens: readonly Token[], { at, verb, isList }: Found & { readonly isList: boolean }): boolean {
  if (!verb.nounLike) return true;
  const next = tokens[at + 1];
  return next !== undefined && (lexicon.isIn("determiners", next.word) || (next.kind === "mark" && isList));
}

const isNegated = (lexicon: Lexicon, tokens: readonly Token[], at: number): boolean =>
  tokens.slice(Math.max(0, at - 3), at).some(({ word }) => lexicon.isIn("negations", word));

const PRONOUNS = new Set(["it", "them", "him", "her"]);

/** Words that do something to what was named before, and that nobody knows: `gets the plan and zaps it`. */
export function strangersIn(lexicon: Lexicon, prose: string): readonly string[] {
  const tokens = tokensOf(prose);
  return tokens.flatMap((token, at) => {
    const [before, next] = [previousWord(lexicon, tokens, at), tokens[at + 1]];
    if (token.kind !== "word" || !next || !PRONOUNS.has(next.word) || !["and", "then", ",", "&"].includes(before)) return [];
    const isKnown = lexicon.verbAt(tokens, at) !== undefined || [...LISTS].some((list) => lexicon.isIn(list, token.word));
    return isKnown || /ly$/.test(token.word) ? [] : [`${token.raw} ${next.raw}`];
  });
}

const LISTS = ["leadIns", "adverbs", "conjunctions", "determiners", "prepositions", "conditions", "modals", "negations", "transparent"] as const;

const BE = new Set(["be", "get", "gets", "automatically"]);
const SEEN = new Set(["read", "seen", "viewed", "opened"]);

const isSeen = (lexicon: Lexicon, tokens: readonly Token[], at: number): boolean =>
  [at, at + 1].some((next) => SEEN.has(tokens[next]?.word ?? "") || lexicon.isIn("seeing", lexicon.verbAt(tokens, next)?.base ?? ""));

/** What becomes of something when the tool is called: `the old one will be cancelled`. */
function passives(lexicon: Lexicon, tokens: readonly Token[]): readonly EffectEvidence[] {
  const found: EffectEvidence[] = [];
  const called = tokens.some(({ word }, at) => lexicon.isIn("self", word) && tokens[at + 1]?.word === "is");
  if (lexicon.isIn("conditions", tokens[0]?.word ?? "")) return found;
  for (const at of tokens.keys()) {
    const verb = lexicon.verbAt(tokens, at);
    if (verb?.form !== "participle" || lexicon.isIn("usage", verb.base) || isNegated(lexicon, tokens, at)) continue;
    const before = previousWord(lexicon, tokens, at);
    const happens =
      BE.has(tokens[at - 1]?.word ?? "") || (BE.has(before) && tokens.some(({ word }) => word === "will")) || (called && /^(are|is)$/.test(before));
    if (!happens || !(called || tokens.some(({ word }) => word === "will" || word === "automatically"))) continue;
    // Of what is fetched that it counts as read by then, is part of reading it.
    if (lexicon.isIn("marking", tokens[at]?.word ?? "") && isSeen(lexicon, tokens, at + 1)) continue;
    const evidence = evidenceOf(lexicon, tokens, { at, verb });
    if (evidence && evidence.effect !== "read" && evidence.effect !== "browse") found.push({ ...evidence, strength: "also" });
  }
  return found;
}

function evidenceOf(lexicon: Lexicon, tokens: readonly Token[], { at, verb }: Found): EffectEvidence | undefined {
  const { effect, strength } = effectOf(lexicon, verb, tokens.slice(at + verb.words));
  if (effect === "unknown") return undefined;
  return { from: "description", words: wordsAt(lexicon, tokens, { at, verb }), effect: worseEffect(effect, "read"), strength };
}

/** The verb and its object, as it was written. */
const WORDS_SHOWN = 4;
const wordsAt = (lexicon: Lexicon, tokens: readonly Token[], { at, verb }: Found): string => {
  const after = tokens.slice(at + verb.words, at + verb.words + WORDS_SHOWN - 1);
  const end = after.findIndex(({ kind, word }) => kind === "mark" || lexicon.isIn("prepositions", word));
  return [...tokens.slice(at, at + verb.words), ...(end === -1 ? after : after.slice(0, end))].map((token) => token?.raw ?? "").join(" ");
};
