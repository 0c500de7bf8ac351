import type { EffectEvidence } from "./evidence.ts";
import type { Lexicon } from "./lexicon.ts";
import { effectOf } from "./object.ts";
import { nameTokens, type Token } from "./tokens.ts";

/**
 * What a tool's name says that it does. Its first verb counts; later ones as well where they can be nothing but verbs, or follow an `and`:
 * whoever hides a deletion in a name hides it there.
 */
export function effectsInName(lexicon: Lexicon, name: string): readonly EffectEvidence[] {
  const tokens = nameTokens(name.slice(name.lastIndexOf("/") + 1));
  const found: EffectEvidence[] = [];
  for (const [at, token] of tokens.entries()) {
    const verb = lexicon.verbAt(tokens, at);
    if (at === 0 && lexicon.isIn("predicates", token.word) && lexicon.verbOf(tokens[1] ?? token)) return [evidenceOf(token, "read", "main")];
    if (!verb || (verb.form !== "base" && verb.form !== "third")) continue;
    const joined = lexicon.isIn("conjunctions", tokens[at - 1]?.word ?? "");
    // Before the first verb there may be the name of a product or of the thing that is acted upon.
    if (found.length > 0 && !joined && (verb.nounLike || verb.light || verb.form === "third")) continue;
    if (at > 0 && at === tokens.length - 1 && verb.nounLike && !joined) continue;
    if (found.length === 0 && verb.nounLike && verb.form === "third" && isNoun(lexicon, tokens, at)) continue;
    if (found.length === 0 && verb.nounLike && verbLater(lexicon, tokens.slice(at + 1), at)) continue;
    const { effect, strength } = effectOf(lexicon, verb, tokens.slice(at + verb.words));
    if (effect === "unknown" || (found.length > 0 && effect === "read")) continue;
    found.push(evidenceOf(token, effect, strength === "weak" || found.length === 0 ? strength : "also"));
  }
  return found;
}

/** In a name verbs have one form: before one in its base form, what ends in `s` is a noun, as in `orders_list`. */
const isNoun = (lexicon: Lexicon, tokens: readonly Token[], at: number): boolean =>
  tokens.some((token, index) => index > at && !lexicon.isIn("conjunctions", tokens[index - 1]?.word ?? "") && lexicon.verbOf(token)?.form === "base");

/** Whether a verb of reading ends a name, and what stands before can be nouns: `mail_search`, where the description says as well that it searches. */
export function endsInReading(lexicon: Lexicon, name: string): boolean {
  const tokens = nameTokens(name.slice(name.lastIndexOf("/") + 1));
  const last = tokens.at(-1);
  const verb = last && lexicon.verbOf(last);
  if (verb?.form !== "base" || verb.effect !== "read" || verb.weak || tokens.length < 2) return false;
  return tokens.slice(0, -1).every((token) => !lexicon.isIn("conjunctions", token.word) && lexicon.verbOf(token)?.nounLike !== false);
}

/** Whether a word that may be a noun is one: another verb ends the name, as in `file_read`, or stands behind a name that comes first, with an object. */
function verbLater(lexicon: Lexicon, tokens: readonly Token[], at: number): boolean {
  const isVerb = (token: Token, orReading: boolean): boolean => {
    const verb = lexicon.verbOf(token);
    return verb?.form === "base" && (!verb.nounLike || (orReading && verb.effect === "read"));
  };
  return tokens.some((token, index) => isVerb(token, index < tokens.length - 1) && (at > 0 || index === tokens.length - 1));
}

const evidenceOf = ({ raw }: Token, effect: EffectEvidence["effect"], strength: EffectEvidence["strength"]): EffectEvidence => ({
  from: "name",
  words: raw,
  effect,
  strength,
});
