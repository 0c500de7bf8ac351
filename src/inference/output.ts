import type { Effect, Reversibility, Trust } from "../core/words.ts";
import type { Evidence, Inferred } from "./evidence.ts";
import { foundIn, type Lexicon } from "./lexicon.ts";
import type { Token } from "./tokens.ts";

interface Told {
  readonly effect: Effect;
  readonly name: readonly Token[];
  readonly prose: readonly Token[];
  readonly returns: readonly Token[];
}

const FOREIGN: ReadonlySet<Effect> = new Set(["browse", "execute", "unknown"]);
const RETURNING: ReadonlySet<Effect> = new Set(["read", "browse", "execute", "credential", "unknown"]);
/** How much of a description says what a tool answers; the rest is about its use. */
const GIST_WORDS = 40;
const ANSWER_WORDS = 12;

/** Trusted only where what comes back is the system's own: a record that it keeps, or the confirmation of what was done. */
export function inferTrust(lexicon: Lexicon, { effect, name, prose, returns }: Told): Inferred<Trust> {
  const { pack } = lexicon;
  if (FOREIGN.has(effect)) return { value: "untrusted", confidence: "high", words: [] };
  const texts = [
    { from: "name", tokens: withoutAddresses(name) },
    { from: "description", tokens: withoutAddresses(prose.slice(0, GIST_WORDS)) },
    { from: "description", tokens: withoutAddresses(returns.slice(0, GIST_WORDS)) },
  ] as const;
  const wordsIn = (list: readonly string[]): readonly Evidence[] =>
    texts.flatMap(({ from, tokens }) => {
      const words = foundIn(list, tokens);
      return words === undefined ? [] : [{ from, words }];
    });
  const isTravel = texts.some(({ tokens }) => foundIn(pack.output.travels, tokens) !== undefined);
  const foreign = wordsIn(pack.output.openWorld.filter((word) => !isTravel || !pack.output.fares.includes(word)));
  if (RETURNING.has(effect)) {
    if (foreign.length > 0) return { value: "untrusted", confidence: "high", words: foreign };
    const own = wordsIn(pack.output.ownRecords);
    return own.length > 0 ? { value: "trusted", confidence: "high", words: own } : { value: "untrusted", confidence: "low", words: [] };
  }
  // `Registers a return` returns nothing.
  const answers = prose.findIndex(
    ({ word }, at) => pack.answers.split(" ").includes(word) && !lexicon.isIn("determiners", prose[at - 1]?.word ?? ""),
  );
  const answered = answers === -1 ? [] : prose.slice(answers, answers + ANSWER_WORDS);
  const echoed = foundIn(pack.output.openWorld, [...answered, ...returns.slice(0, GIST_WORDS)]);
  return echoed === undefined
    ? { value: "trusted", confidence: "high", words: [] }
    : { value: "untrusted", confidence: "low", words: [{ from: "description", words: echoed }] };
}

/** Of an address for mail nobody reads the mail. */
const withoutAddresses = (tokens: readonly Token[]): readonly Token[] =>
  tokens.filter(({ word }, at) => !(MAIL.has(word) && ADDRESS.has(tokens[at + (word === "e" ? 2 : 1)]?.word ?? "")));
const MAIL = new Set(["e", "mail", "email"]);
const ADDRESS = new Set(["address", "addresses"]);

/** Kinds of data that come back; a tool that only changes something answers that it did. */
export function inferCategories({ pack }: Lexicon, { effect, name, prose, returns }: Told): readonly Inferred<string>[] {
  if (!RETURNING.has(effect)) return [];
  return Object.entries(pack.output.categories).flatMap(([category, list]): Inferred<string>[] => {
    const inName = foundIn(list, name);
    if (inName !== undefined) return [{ value: category, confidence: "high", words: [{ from: "name", words: inName }] }];
    const said = foundIn(list, [...prose.slice(0, GIST_WORDS), ...returns.slice(0, GIST_WORDS)]);
    return said === undefined ? [] : [{ value: category, confidence: "low", words: [{ from: "description", words: said }] }];
  });
}

const FOR_GOOD: ReadonlySet<Effect> = new Set(["browse", "delete", "send", "share", "pay", "credential", "execute"]);

/** What has left the house cannot be called back; what was changed can where the text says so. */
export function inferReversibility(
  lexicon: Lexicon,
  effect: Effect,
  told: { readonly prose: readonly Token[]; readonly destructive: boolean },
): Inferred<Reversibility> {
  if (effect === "read") return { value: "reversible", confidence: "high", words: [] };
  if (effect === "unknown") return { value: "unknown", confidence: "low", words: [] };
  const { irreversible, reversible } = lexicon.pack.reversibility;
  const lost = foundIn(irreversible, told.prose);
  if (lost !== undefined) return { value: "irreversible", confidence: "high", words: [{ from: "description", words: lost }] };
  if (told.destructive) return { value: "irreversible", confidence: "high", words: [{ from: "annotation", words: "destructiveHint" }] };
  if (effect === "delete" && isTakenOut(lexicon, told.prose)) return { value: "reversible", confidence: "low", words: [] };
  if (FOR_GOOD.has(effect)) return { value: "irreversible", confidence: effect === "delete" ? "low" : "high", words: [] };
  const kept = foundIn(reversible, told.prose);
  if (kept !== undefined) return { value: "reversible", confidence: "high", words: [{ from: "description", words: kept }] };
  return { value: effect === "create" ? "reversible" : "unknown", confidence: "low", words: [] };
}

const OUT_WITHIN = 8;

/** `Takes an article out of the cart`: it can be put back, as nothing is lost but its place. */
function isTakenOut(lexicon: Lexicon, prose: readonly Token[]): boolean {
  const at = prose.findIndex((_, index) => lexicon.verbAt(prose, index) !== undefined);
  const verb = at === -1 ? undefined : lexicon.verbAt(prose, at);
  // `Deletes a plan from the list` may be the end of it; `removes`, `takes out`, `crosses off` says where it was.
  const isTaking = verb?.base === "remove" || (verb?.base === "delete" && (verb.particle !== undefined || verb.words > 1));
  if (!isTaking) return false;
  const rest = prose.slice(at + 1, at + 1 + OUT_WITHIN);
  const out = rest.findIndex(({ word }) => lexicon.isIn("outwards", word));
  return out !== -1 && rest.slice(out + 1).some(({ word }) => lexicon.isIn("baskets", word));
}
