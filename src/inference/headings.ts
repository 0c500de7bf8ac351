import { clausesOf, isHeading, mainVerb } from "./clauses.ts";
import type { EffectEvidence } from "./evidence.ts";
import { foundIn, type Lexicon } from "./lexicon.ts";
import { objectOf } from "./object.ts";
import { nameTokens, stemOf, type Token, tokensOf } from "./tokens.ts";

/** More words before a noun say more than which one it is. */
const PHRASE_WORDS_MAX = 5;

/**
 * What a description says that begins with what comes back instead of what is done: `What guests wrote about hotels`, `The inbox, newest first`,
 * `Orders of a customer`. Only where the name has nothing in it that could be a verb which nobody knows: `zonk_orders`.
 */
export function headingOf(lexicon: Lexicon, name: string, prose: string): EffectEvidence | undefined {
  const tokens = tokensOf(clausesOf(prose)[0] ?? "");
  if (mainVerb(lexicon, tokens, true) || foundIn(lexicon.pack.objects.secret, tokens) !== undefined) return undefined;
  if (!isAnswer(lexicon, tokens) || hasAction(lexicon, tokens) || !isPlain(lexicon, name, tokensOf(prose))) return undefined;
  const effect = foundIn(lexicon.pack.objects.web, tokens) === undefined ? "read" : "browse";
  const words = tokens.slice(0, PHRASE_WORDS_MAX).map(({ raw }) => raw);
  return { from: "description", words: words.join(" "), effect, strength: "main" };
}

function isAnswer(lexicon: Lexicon, tokens: readonly Token[]): boolean {
  const [first] = tokens;
  if (!first || lexicon.isIn("conditions", first.word) || lexicon.isIn("negations", first.word)) return false;
  if (lexicon.isIn("questions", first.word) || lexicon.isIn("wholes", first.word)) return true;
  const from = tokens.findIndex(({ word }) => !lexicon.isIn("determiners", word));
  const phrase = objectOf(lexicon, tokens.slice(from));
  const head = phrase.at(-1);
  if (from === -1 || !head || phrase.length > PHRASE_WORDS_MAX || lexicon.isIn("self", head.word) || lexicon.isIn("leadIns", head.word)) return false;
  const isKnown = phrase.slice(0, -1).every((token) => isKnownModifier(lexicon, token));
  // `The gizmo.` says nothing; `the inbox, newest first` does.
  return isThing(lexicon, head, from > 0) && (from > 0 ? tokens.length > from + phrase.length : isKnown);
}

/** `The transfer of money` is something that is done; the transfers of a month are things, and a search only reads. */
function isThing(lexicon: Lexicon, head: Token, isDetermined: boolean): boolean {
  const isPaying = !head.word.endsWith("s") && foundIn(lexicon.pack.objects.pay.split(/\s+/), [head]) !== undefined;
  const kin = isPaying ? "pay" : lexicon.kinEffect(head.word);
  const isKnown = lexicon.isIn("information", head.word) || lexicon.isIn("genericNouns", head.word);
  if (kin === undefined || kin === "read") return isDetermined || isKnown || kin === "read";
  return lexicon.verbOf(head)?.form === "third" && lexicon.verbOf(head)?.nounLike === true;
}

const isKnownModifier = (lexicon: Lexicon, token: Token): boolean =>
  lexicon.isIn("fillers", token.word) ||
  lexicon.isIn("information", token.word) ||
  lexicon.isIn("genericNouns", token.word) ||
  lexicon.verbOf(token)?.form === "participle";

/** `The orders of a customer, and deletes them`. */
const hasAction = (lexicon: Lexicon, tokens: readonly Token[]): boolean =>
  [...tokens.keys()].some((at) => {
    const [before, next] = [tokens[at - 1]?.word ?? "", tokens[at + 1]];
    const verb = lexicon.verbAt(tokens, at);
    if (!verb || verb.effect === "read" || !next || !(lexicon.isIn("conjunctions", before) || lexicon.isIn("adverbs", before))) return false;
    return verb.form !== "participle" && lexicon.isIn("determiners", next.word) && !isHeading(lexicon, tokens, at);
  });

/** It begins with reading and goes on with nothing else, or each word of it is one of the description, a verb of reading, a noun that is known, or, at the end, the plural of one. */
function isPlain(lexicon: Lexicon, name: string, prose: readonly Token[]): boolean {
  const said = new Set(prose.map(({ word }) => stemOf(word)));
  const tokens = nameTokens(name.slice(name.lastIndexOf("/") + 1));
  const [first] = tokens;
  const verb = first && lexicon.verbOf(first);
  if (verb?.effect === "read" && !verb.weak && !tokens.some(({ word }) => lexicon.isIn("conjunctions", word))) return true;
  return tokens.every((token, at) => {
    const { word } = token;
    if (word.length === 1 || /^\d+$/.test(word) || said.has(stemOf(word)) || lexicon.verbOf(token)?.effect === "read") return true;
    const isSmall = (["information", "genericNouns", "fillers", "prepositions", "determiners"] as const).some((list) => lexicon.isIn(list, word));
    return isSmall || (at > 0 && at === tokens.length - 1 && /[^s]s$/.test(word));
  });
}
