import type { AddressKind } from "../core/intent/addresses.ts";
import { EFFECTS, type Effect } from "../core/words.ts";
import type { LanguagePack, StatementWords } from "./language.ts";
import { compileLexicon, type Lexicon } from "./lexicon.ts";
import type { StatementToken } from "./sentences.ts";
import { stemOf } from "./tokens.ts";

type WordList = { readonly [K in keyof StatementWords]: StatementWords[K] extends string ? K : never }[keyof StatementWords];

/** How statements are said in one language, as it is looked up. */
export interface Reader {
  readonly lexicon: Lexicon;
  readonly silent: ReadonlySet<string>;
  /** One stem for those of one meaning; several for a word of several meanings. */
  readonly meanings: ReadonlyMap<string, readonly string[]>;
  readonly words: Readonly<Record<WordList, ReadonlySet<string>>>;
  readonly addressKinds: Readonly<Record<AddressKind, ReadonlySet<string>>>;
  /** The base of each. */
  readonly participles: ReadonlyMap<string, string>;
  /** What is meant with a verb or a noun though nobody says it, by stem. */
  readonly implied: ReadonlyMap<string, readonly string[]>;
}

export const setOf = (words: string): ReadonlySet<string> => new Set(words.split(/\s+/).filter((word) => word !== ""));

export function createReader(pack: LanguagePack): Reader {
  const { statement } = pack;
  const meanings = new Map<string, string[]>();
  for (const group of statement.meanings) {
    const [first = "", ...others] = group.split(/\s+/).map(stemOf);
    for (const stem of new Set([first, ...others])) meanings.set(stem, [...(meanings.get(stem) ?? []), first]);
  }
  const words = { ...WORD_LISTS };
  for (const name of WORD_LIST_NAMES) words[name] = setOf(statement[name]);
  const implied = new Map<string, readonly string[]>();
  for (const [said, nouns] of Object.entries(statement.implied))
    for (const word of setOf(said))
      implied.set(
        word,
        [...setOf(nouns)].flatMap((noun) => meanings.get(stemOf(noun)) ?? [stemOf(noun)]),
      );
  return {
    lexicon: compileLexicon(spokenIn(pack)),
    silent: setOf(
      [pack.determiners, pack.prepositions, pack.negations, pack.conditions, pack.modals, pack.adverbs, pack.predicates, statement.silent].join(" "),
    ),
    meanings,
    addressKinds: {
      url: setOf(statement.addressKinds.url),
      email: setOf(statement.addressKinds.email),
      iban: setOf(statement.addressKinds.iban),
      phone: setOf(statement.addressKinds.phone),
      key: setOf(statement.addressKinds.key),
    },
    words: { ...words, possessives: setOf(`${pack.determiners} ${statement.possessives}`) },
    participles: new Map(statement.participles.map((pair): [string, string] => [pair.split(" ")[1] ?? "", pair.split(" ")[0] ?? ""])),
    implied,
  };
}

const NONE: ReadonlySet<string> = new Set();
const WORD_LISTS: Record<WordList, ReadonlySet<string>> = {
  silent: NONE,
  subjects: NONE,
  licences: NONE,
  possessives: NONE,
  pronouns: NONE,
  asides: NONE,
  universal: NONE,
  notUniversal: NONE,
  people: NONE,
  roles: NONE,
  wishes: NONE,
  polite: NONE,
  most: NONE,
  least: NONE,
  telling: NONE,
  told: NONE,
  speaking: NONE,
  handing: NONE,
  refusing: NONE,
  excluding: NONE,
  wanted: NONE,
  modals: NONE,
  removing: NONE,
  relaying: NONE,
  getting: NONE,
  interrogatives: NONE,
  asked: NONE,
  asking: NONE,
  helping: NONE,
  having: NONE,
  minding: NONE,
  numbers: NONE,
  unrefused: NONE,
  obliging: NONE,
  noPlans: NONE,
  ways: NONE,
  questions: NONE,
  followVerbs: NONE,
  followNouns: NONE,
  months: NONE,
};
const WORD_LIST_NAMES = Object.keys(WORD_LISTS).filter((name): name is WordList => name in WORD_LISTS);

/** The pack with what verbs mean that somebody asks with: who says `remind` wants a reminder, and a tool that reminds sends one. */
function spokenIn(pack: LanguagePack): LanguagePack {
  const { spoken } = pack.statement;
  const moved = setOf([...Object.values(spoken.verbs), spoken.none].join(" "));
  const verbs: Partial<Record<Effect, string>> = {};
  for (const effect of EFFECTS) {
    const kept = (pack.verbs[effect] ?? "").split(/\s+/).filter((verb) => !moved.has(verb));
    verbs[effect] = [...kept, spoken.verbs[effect] ?? ""].join(" ");
  }
  const movedPhrases = new Set([...Object.values(spoken.phrases).flat(), ...spoken.noPhrases]);
  const phrases: Record<string, readonly string[]> = {};
  for (const [meaning, said] of Object.entries(pack.phrases)) phrases[meaning] = said.filter((phrase) => !movedPhrases.has(phrase));
  for (const [meaning, said] of Object.entries(spoken.phrases)) phrases[meaning] = [...(phrases[meaning] ?? []), ...said];
  return {
    ...pack,
    verbs,
    phrases,
    fetching: `${pack.fetching
      .split(/\s+/)
      .filter((verb) => !moved.has(verb))
      .join(" ")} ${spoken.fetching}`,
    nounLike: `${pack.nounLike} ${spoken.nounLike}`,
    particles: `${pack.particles} ${spoken.particles}`,
    objects: { ...pack.objects, pay: `${pack.objects.pay} ${spoken.money}` },
  };
}

/** None for a word that says nothing of what something is. */
export function stemsOf({ silent, meanings }: Reader, word: string): readonly string[] {
  if (silent.has(word) || /^\p{N}*$/u.test(word) || (word.length < 2 && /^[a-z]$/.test(word))) return [];
  const stem = stemOf(word);
  return meanings.get(stem) ?? [stem];
}

/** What words name, by stem, as it was written first. */
export function namedIn(reader: Reader, tokens: readonly StatementToken[]): Map<string, string> {
  const named = new Map<string, string>();
  for (const { word, raw, kind } of tokens) {
    if (kind === "mark") continue;
    for (const stem of stemsOf(reader, word)) if (!named.has(stem)) named.set(stem, raw);
  }
  return named;
}
