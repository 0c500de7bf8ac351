import type { ArgumentRole } from "../core/policy.ts";
import type { Effect } from "../core/words.ts";
import { type Argument, type ArgumentInference, type Heard, heardOf } from "./arguments.ts";
import { clausesOf, mainVerb } from "./clauses.ts";
import type { Evidence } from "./evidence.ts";
import { foundIn, type Lexicon } from "./lexicon.ts";
import { objectOf } from "./object.ts";
import { nameTokens, stemOf, type Token, tokensOf } from "./tokens.ts";

/** What a tool does and what it does it to, as far as it tells what its arguments are for. */
export interface Deed {
  readonly effect: Effect;
  readonly objects: readonly Stem[];
  /** Objects that are not there yet, or that get another value: a name of theirs says which one is wanted, and not which one is meant. */
  readonly made: ReadonlySet<Stem>;
  /** What is put somewhere is there already, where an id says which: `adds an article to the cart`. */
  readonly isPlacing: boolean;
}

type Stem = string;

const stemsOf = (tokens: readonly Token[]): readonly Stem[] => tokens.map(({ word }) => stemOf(word));

export function deedOf(
  lexicon: Lexicon,
  said: { readonly effect: Effect; readonly objects: readonly string[]; readonly name: string; readonly prose: string },
): Deed {
  const tokens = tokensOf(clausesOf(said.prose)[0] ?? "");
  const main = mainVerb(lexicon, tokens, true);
  const named = nameTokens(said.name.slice(said.name.lastIndexOf("/") + 1));
  const at = main ? -1 : named.findIndex((token) => lexicon.verbOf(token)?.form === "base");
  const verb = main?.verb ?? (at === -1 ? undefined : lexicon.verbAt(named, at));
  const behind = main ? tokens.slice(main.at + main.verb.words) : at === -1 ? [] : named.slice(at + 1);
  const object = objectOf(lexicon, behind);
  const isMaking =
    verb !== undefined && lexicon.isIn("making", verb.base) && !tokensOf(said.prose).some(({ word }) => lexicon.isIn("replacing", word));
  const isSetting = verb !== undefined && lexicon.isIn("setting", verb.base);
  return {
    effect: said.effect,
    objects: said.objects.map((word) => stemOf(word.toLowerCase())),
    made: new Set(isMaking || isSetting ? stemsOf(object) : []),
    isPlacing: isSetting || (verb !== undefined && lexicon.isIn("placing", verb.base)),
  };
}

const DOING: ReadonlySet<Effect> = new Set(["create", "update", "delete", "send", "share", "pay", "credential", "execute"]);

/** What an argument is for by what the tool does it to, where its own words leave it open: which order, whose account, where a refund goes. */
export function withObjects(
  lexicon: Lexicon,
  argument: Argument,
  { deed, found }: { readonly deed: Deed; readonly found: ArgumentInference },
): ArgumentInference {
  if (!DOING.has(deed.effect) || argument.isClosed || argument.types.has("boolean") || argument.format !== undefined) return found;
  const heard = heardOf(lexicon, argument);
  const goes = isNumber(argument) || deed.effect === "delete" ? undefined : goesWhere(lexicon, heard, deed);
  if (goes && (found.value === "free_text" || found.value === "target" || found.value === undefined)) return roleBy(found, "destination", goes);
  if (found.value !== "free_text" && found.value !== undefined) return found;
  const person = isNumber(argument) ? undefined : personIn(lexicon, heard);
  if (person) return roleBy(found, deed.effect === "share" || deed.effect === "send" ? "destination" : "target", person);
  const thing = thingIn(lexicon, argument, { heard, deed });
  return thing ? roleBy(found, "target", thing) : found;
}

const isNumber = ({ types }: Argument): boolean => types.has("number") || types.has("integer");

const roleBy = (found: ArgumentInference, value: ArgumentRole, words: Evidence): ArgumentInference => ({
  name: found.name,
  value,
  confidence: "low",
  words: [words],
});

/** `Where the refund goes`, the room that a message is posted to, the address of an account. */
function goesWhere({ pack: { roles } }: Lexicon, { name, sentence }: Heard, { effect, objects }: Deed): Evidence | undefined {
  const opening = roles.goesTo.find((phrase) => textOf(sentence).startsWith(` ${phrase} `));
  if (opening !== undefined) return { from: "description", words: opening };
  const [first] = sentence;
  const going = first?.word === "where" ? foundIn(roles.going, sentence) : undefined;
  if (going !== undefined) return { from: "description", words: `where … ${going}` };
  const isAbout = (list: readonly string[]): boolean => list.some((word) => objects.includes(stemOf(word)));
  const posted = effect === "send" ? foundIn(roles.postedTo, name) : undefined;
  const reached = isAbout(roles.reachedBy) && REACHED.has(effect) ? foundAlone(roles.reached, name) : undefined;
  const postal = isAbout(roles.posted) && REACHED.has(effect) ? foundAlone(roles.postal, name) : undefined;
  const words = posted ?? reached ?? postal;
  return words === undefined ? undefined : { from: "name", words };
}

const REACHED: ReadonlySet<Effect> = new Set(["create", "update", "send", "share", "pay"]);

const textOf = (tokens: readonly Token[]): string => ` ${tokens.map(({ word }) => word).join(" ")} `;
const foundAlone = (list: readonly string[], tokens: readonly Token[]): string | undefined => list.find((phrase) => textOf(tokens) === ` ${phrase} `);

/** The handle or the login of somebody, or a name of one of the people that the description names. */
function personIn(lexicon: Lexicon, { name, gist, owner }: Heard): Evidence | undefined {
  const { personKeys, titles } = lexicon.pack.roles;
  const keyed = foundIn(personKeys, name) ?? foundAlone(personKeys, name);
  if (keyed !== undefined) return { from: "name", words: keyed };
  const told = lexicon.pack.objects.told.split(/\s+/);
  const words = foundIn([...personKeys, ...titles], gist);
  return words !== undefined && foundIn(told, owner) !== undefined
    ? { from: "description", words: `${words} of ${textOf(owner).trim()}` }
    : undefined;
}

interface Within {
  readonly heard: Heard;
  readonly deed: Deed;
}

/** One of the tool's objects, alone or with a word for what tells it from others: `order_no`, `the booking code`, `name of the hotel`. */
function thingIn(lexicon: Lexicon, argument: Argument, { heard, deed }: Within): Evidence | undefined {
  const { keys, titles, content, freeText } = lexicon.pack.roles;
  const isKey = ({ word }: Token): boolean => keys.includes(word);
  const isTitle = ({ word }: Token): boolean => titles.includes(word);
  const isThing = ({ word }: Token): boolean => deed.objects.includes(stemOf(word)) || lexicon.isIn("containers", word);
  const isSmall = (token: Token): boolean =>
    (["determiners", "fillers", "prepositions"] as const).some((list) => lexicon.isIn(list, token.word)) ||
    lexicon.verbOf(token)?.form === "participle";
  const consists = (tokens: readonly Token[]): boolean =>
    tokens.length > 0 && tokens.every((token) => isKey(token) || isTitle(token) || isThing(token) || isSmall(token));
  const { name, gist, owner } = heard;
  if (foundIn(content, name) !== undefined) return undefined;
  const ofThing = consists(gist) && owner.some(isThing) ? owner : [];
  const phrases = [
    { from: "name", tokens: name, of: ofThing },
    { from: "description", tokens: gist, of: ofThing },
  ] as const;
  for (const { from, tokens, of } of phrases) {
    const all = [...tokens, ...of];
    const things = all.filter(isThing);
    if (!consists(tokens) || things.length === 0 || [...owner, ...gist].some(({ word }) => word === "new")) continue;
    const isMade = things.every(({ word }) => deed.made.has(stemOf(word)));
    const isKeyed = all.some(isKey);
    if (isMade && !(isKeyed && deed.isPlacing)) continue;
    const isAlone = !isKeyed && !all.some(isTitle);
    if (isAlone && (things.some(({ word }) => freeText.includes(word)) || deed.effect === "execute")) continue;
    // Many of a thing, as a number, are how many.
    if (isNumber(argument) && !isKeyed && things.some(({ word }) => word.endsWith("s"))) continue;
    if (isNumber(argument) && all.some(isTitle)) continue;
    return { from, words: textOf(all).trim() };
  }
  return undefined;
}
