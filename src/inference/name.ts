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
    if (found.length === 0 && verb.nounLike && verbLater(lexicon, tokens.slice(at + 1), at)) continue;
    const { effect, strength } = effectOf(lexicon, verb, tokens.slice(at + verb.words));
    if (effect === "unknown" || (found.length > 0 && effect === "read")) continue;
    found.push(evidenceOf(token, effect, strength === "weak" || found.length === 0 ? strength : "also"));
  }
  return found;
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
