import type { Ask } from "../core/intent/language.ts";
import { directIn } from "./asks.ts";
import { effectOf } from "./object.ts";
import type { StatementToken } from "./sentences.ts";
import { namedIn, type Reader } from "./statement-words.ts";

/** A refusal reaches no further. */
const REFUSED_MAX = 24;

/** The places of what is not wanted: `but do not pay`, `not in a room`, `without telling Bo`. What only is not so is no refusal: `I don't need it`. */
export function refusedIn(reader: Reader, tokens: readonly StatementToken[]): ReadonlySet<number> {
  const refused = new Set<number>();
  for (let at = 0; at < tokens.length; at++) {
    if (!isRefusal(reader, tokens, at)) continue;
    const end = endOf(reader, tokens, at);
    for (; at < end; at++) refused.add(at);
    at--;
  }
  return refused;
}

function isRefusal({ words, lexicon }: Reader, tokens: readonly StatementToken[], at: number): boolean {
  const token = tokens[at];
  if (
    !token ||
    token.isQuoted ||
    !(words.refusing.has(token.word) || words.excluding.has(token.word)) ||
    words.unrefused.has(tokens[at + 1]?.word ?? "")
  )
    return false;
  if (words.excluding.has(token.word)) return true;
  const first = tokens[at - 1]?.word === "do" ? at - 1 : at;
  const before = tokens[first - 1];
  if (!before || before.kind === "mark" || words.licences.has(before.word) || before.word === "with") return true;
  return words.obliging.has(before.word) && (tokens[first - 2]?.word ?? "you") === "you" && lexicon.verbOf(tokens[at + 1] ?? token) !== undefined;
}

/** Up to a mark, unless verbs are listed: `do not archive, delete or share`; or to what is wanted after all: `but`, `just`. */
function endOf({ lexicon, words }: Reader, tokens: readonly StatementToken[], at: number): number {
  const last = Math.min(tokens.length, at + REFUSED_MAX);
  for (let next = at + 1; next < last; next++) {
    const token = tokens[next];
    if (!token || words.wanted.has(token.word)) return next;
    if (token.kind !== "mark") continue;
    const [before, after] = [tokens[next - 1], tokens[next + 1]];
    const isListed = token.word === "," && before && after && lexicon.verbOf(before)?.form === "base" && lexicon.verbOf(after)?.form === "base";
    if (!isListed) return next;
  }
  return last;
}

/** What is refused, as an ask that nobody makes. */
export function forbiddenIn(reader: Reader, tokens: readonly StatementToken[], refused: ReadonlySet<number>): readonly Ask[] {
  const { lexicon } = reader;
  const asks: Ask[] = [];
  for (const at of refused) {
    if (refused.has(at - 1)) continue;
    let end = at;
    while (refused.has(end)) end++;
    const span = tokens.slice(at + 1, end);
    for (const [index, token] of span.entries()) {
      const verb = token.isQuoted ? undefined : lexicon.verbAt(span, index);
      if (!verb || verb.form === "participle" || verb.form === "third") continue;
      const after = span.slice(index + verb.words);
      const { effect } = effectOf(lexicon, verb, after);
      if (effect === "unknown") continue;
      const named = after.length > 0 ? after : [token];
      asks.push({ effect, verb: token.raw, objects: namedIn(reader, named), direct: directIn(reader, named), universal: false });
      break;
    }
  }
  return asks;
}
