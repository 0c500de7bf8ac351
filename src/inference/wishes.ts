import type { Ask } from "../core/intent/language.ts";
import type { Effect } from "../core/words.ts";
import { directIn, kinOf, type Sentence } from "./asks.ts";
import { objectOf } from "./object.ts";
import type { StatementToken } from "./sentences.ts";
import { namedIn, type Reader, stemsOf } from "./statement-words.ts";

/** More words before the first mark are no name of a thing. */
const WISHED_MAX = 40;
const GRAVE: ReadonlySet<Effect> = new Set(["delete", "pay", "share", "credential", "execute"]);

/**
 * What is wished for without a verb: `two headlamps please`, `a table for four`, `cheapest hotel in Ghent`. Who wants a thing wants it made, ordered or
 * booked, or only to see it; what a noun is made of says more: `a refund, please`.
 */
export function wishIn(reader: Reader, { tokens, refused, implied }: Sentence): Ask | undefined {
  const { words, lexicon, silent } = reader;
  const said = tokens.filter((token, at) => !refused.has(at) && !(token.kind === "mark" && at === 0)).slice(0, WISHED_MAX);
  const mark = said.findIndex(({ kind }) => kind === "mark");
  const first = mark === -1 ? said : said.slice(0, mark);
  const isPolite = said.some(({ word, isQuoted }) => !isQuoted && words.polite.has(word));
  const named = first.filter(({ word }) => !words.polite.has(word));
  const head = objectOf(lexicon, named)
    .filter(({ word }) => !silent.has(word) && !/^\p{N}+$/u.test(word))
    .at(-1);
  if (!head || named.some((token) => isSaying(reader, token))) return undefined;
  if (!isPolite && !isCounted(reader, named)) return undefined;
  const kin = lexicon.lightEffect(head.word) ?? kinOf(lexicon, head);
  const effect = kin === undefined || kin === "read" || (GRAVE.has(kin) && !isPolite) ? "create" : kin;
  const objects = namedIn(reader, said);
  for (const stem of reader.implied.get(head.word) ?? reader.implied.get("buy") ?? []) implied.add(stem);
  return stemsOf(reader, head.word).length === 0 ? undefined : { effect, verb: head.raw, objects, direct: directIn(reader, said), universal: false };
}

/** Somebody does something, or something is so. */
function isSaying({ lexicon, words }: Reader, token: StatementToken): boolean {
  if (token.isQuoted) return false;
  const verb = lexicon.verbOf(token);
  return (
    lexicon.isIn("predicates", token.word) ||
    words.subjects.has(token.word) ||
    (!verb && /[^e]ed$/.test(token.word)) ||
    (verb?.form === "third" && !verb.nounLike)
  );
}

/** `2 headlamps`, `cheapest hotel`, `table for four`. */
function isCounted({ words }: Reader, tokens: readonly StatementToken[]): boolean {
  const [first, ...others] = tokens.filter(({ word }) => !/^(the|a|an)$/.test(word));
  if (!first) return false;
  const isNumber = ({ word }: StatementToken): boolean => /^\p{N}+$/u.test(word) || words.numbers.has(word);
  const isPlural = others.slice(0, 4).some(({ word }) => /[^s]s$/.test(word));
  if ((isNumber(first) && (isPlural || /^(1|one|another)$/.test(first.word))) || words.most.has(first.word) || words.least.has(first.word))
    return true;
  const to = tokens.findIndex(({ word }) => word === "for");
  const whom = tokens[to + 1];
  return to > 0 && whom !== undefined && (isNumber(whom) || words.told.has(whom.word));
}
