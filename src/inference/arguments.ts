import { isList, isObject } from "../core/json.ts";
import type { ArgumentRole } from "../core/policy.ts";
import type { Effect, Json, JsonObject } from "../core/words.ts";
import type { Confidence, Evidence, Inferred } from "./evidence.ts";
import { foundIn, type Lexicon } from "./lexicon.ts";
import { nameTokens, type Token, tokensOf } from "./tokens.ts";

export interface ArgumentInference extends Inferred<ArgumentRole | undefined> {
  readonly name: string;
}

/** One argument of a tool, as its schema and its description have it. */
export interface Argument {
  readonly name: string;
  readonly description: string;
  readonly types: ReadonlySet<string>;
  readonly format?: string;
  /** The words that it can be, where they are listed. */
  readonly choices?: readonly string[];
  /** It can be nothing else. */
  readonly isClosed: boolean;
}

/** More are left without a role, and the tool is marked for review. */
export const ARGUMENTS_MAX = 1_000;
const DESCRIPTION_MAX = 2_000;
/** How many `$ref` one may lead to the next. */
const REFERENCES_MAX = 5;

export function argumentsOf(schema: JsonObject | undefined, described: ReadonlyMap<string, string>): readonly Argument[] {
  const properties = schema?.["properties"];
  if (!schema || !isObject(properties)) return [];
  return Object.entries(properties)
    .slice(0, ARGUMENTS_MAX)
    .map(([name, stated]) => argumentOf({ name, stated, schema, described: described.get(name) ?? "" }));
}

interface Stated {
  readonly name: string;
  readonly stated: Json;
  readonly schema: JsonObject;
  readonly described: string;
}

function argumentOf({ name, stated, schema, described }: Stated): Argument {
  const variants = variantsOf(stated, schema);
  const [types, choices]: [Set<string>, string[]] = [new Set(), []];
  let [format, description] = ["", ""];
  for (const variant of variants) {
    for (const type of isList(variant["type"]) ? variant["type"] : [variant["type"]]) if (typeof type === "string") types.add(type);
    if (isList(variant["enum"])) for (const choice of variant["enum"]) if (typeof choice === "string") choices.push(choice);
    if (typeof variant["const"] === "string") choices.push(variant["const"]);
    if (typeof variant["format"] === "string") format ||= variant["format"];
    if (typeof variant["description"] === "string") description ||= variant["description"];
  }
  const text = (description || described).slice(0, DESCRIPTION_MAX);
  const isClosed = choices.length > 0 && !variants.some(isAnyText);
  return { name, description: text, types, isClosed, ...(format !== "" && { format }), ...(choices.length > 0 && { choices }) };
}

const isAnyText = (variant: JsonObject): boolean =>
  (isList(variant["type"]) ? variant["type"] : [variant["type"]]).includes("string") &&
  variant["enum"] === undefined &&
  variant["const"] === undefined;

const VARIANTS_MAX = 32;

/** A schema with what it refers to and what it leaves open: `$ref`, `anyOf`, `oneOf`, `allOf` and the items of a list. */
function variantsOf(stated: Json, schema: JsonObject): readonly JsonObject[] {
  const [found, waiting]: [JsonObject[], { readonly value: Json; readonly depth: number }[]] = [[], [{ value: stated, depth: 0 }]];
  while (waiting.length > 0 && found.length < VARIANTS_MAX) {
    const next = waiting.shift();
    if (!next || !isObject(next.value) || next.depth > REFERENCES_MAX) continue;
    found.push(next.value);
    const within = ["anyOf", "oneOf", "allOf"].flatMap((key) => {
      const list = next.value && isObject(next.value) ? next.value[key] : undefined;
      return isList(list) ? list : [];
    });
    const reference = next.value["$ref"];
    const referred = typeof reference === "string" ? atPointer(schema, reference) : undefined;
    for (const value of [...within, referred, next.value["items"]]) if (value !== undefined) waiting.push({ value, depth: next.depth + 1 });
  }
  return found;
}

function atPointer(schema: JsonObject, pointer: string): Json | undefined {
  if (!pointer.startsWith("#/")) return undefined;
  return pointer
    .slice(2)
    .split("/")
    .reduce<Json | undefined>((value, key) => (isObject(value) ? value[key.replaceAll("~1", "/").replaceAll("~0", "~")] : undefined), schema);
}

export interface Heard {
  readonly name: readonly Token[];
  /** What the description says first: the thing itself, before what it is of or for. */
  readonly gist: readonly Token[];
  /** Of what, or for whom, the thing is. */
  readonly owner: readonly Token[];
  /** The whole first sentence. */
  readonly sentence: readonly Token[];
}

const GIST_WORDS = 14;
const SENDING: ReadonlySet<Effect> = new Set(["send", "share", "pay", "browse"]);

/** What an argument is for; undefined where it has no role. */
export function roleOf(lexicon: Lexicon, argument: Argument, effect: Effect): ArgumentInference {
  const heard = heardOf(lexicon, argument);
  const found = byFormat(argument, effect) ?? byMoney(lexicon, argument, { heard, effect }) ?? byWords(lexicon, argument, { heard, effect });
  return { name: argument.name, ...found };
}

export function heardOf(lexicon: Lexicon, { name, description }: Argument): Heard {
  const sentence = tokensOf(/^[^.;(]*/.exec(asWords(description))?.[0] ?? "").slice(0, GIST_WORDS);
  return { name: nameTokens(name), ...gistOf(lexicon, sentence), sentence };
}

/** `start_date` is two words, and `check-in date` has no preposition. */
const asWords = (description: string): string => description.replaceAll("_", " ").replaceAll(/(\p{L})-(in|out|up|on|off|by|to)\b/giu, "$1$2");

/** `The list with the e-mail addresses of the recipients` is about addresses, those of recipients. */
function gistOf(lexicon: Lexicon, sentence: readonly Token[]): Pick<Heard, "gist" | "owner"> {
  const isContainer = ({ word }: Token): boolean => lexicon.pack.roles.containers.includes(word);
  const says = (token: Token): boolean =>
    token.kind === "word" && !lexicon.isIn("determiners", token.word) && !lexicon.isIn("prepositions", token.word) && !isContainer(token);
  const ends = ({ word, kind }: Token): boolean => kind === "mark" || lexicon.isIn("prepositions", word);
  const phraseFrom = (from: number): readonly Token[] => {
    const end = sentence.slice(from).findIndex(ends);
    return sentence.slice(from, end === -1 ? undefined : from + end);
  };
  const first = sentence.findIndex(says);
  if (first === -1) return { gist: sentence, owner: [] };
  const before = phraseFrom(first);
  const [last, next] = [before.at(-1), sentence[first + before.length]];
  // `A non-empty array of …`
  const isHolder = last !== undefined && isContainer(last) && next?.word === "of";
  const after = isHolder ? sentence.findIndex((token, at) => at > first + before.length && says(token)) : -1;
  const from = after === -1 ? first : after;
  const gist = phraseFrom(from);
  return { gist, owner: phraseFrom(from + gist.length + 1) };
}

const role = (value: ArgumentRole | undefined, confidence: Confidence, ...words: readonly Evidence[]): Inferred<ArgumentRole | undefined> => ({
  value,
  confidence,
  words,
});

function byFormat({ format }: Argument, effect: Effect): Inferred<ArgumentRole | undefined> | undefined {
  const words: Evidence = { from: "schema", words: `format ${format}` };
  if (format === "password") return role("secret", "high", words);
  if (format !== undefined && /^(date|time|duration)/.test(format)) return role(undefined, "high", words);
  if (format === "email" && SENDING.has(effect)) return role("destination", "high", words);
  if (format === "uri" || format === "url") return role(effect === "read" ? "target" : "destination", "high", words);
  return undefined;
}

interface Around {
  readonly heard: Heard;
  readonly effect: Effect;
}

/** In the name, or else in what the description begins with. */
function heardAt(list: readonly string[], { name, gist }: Heard): Evidence | undefined {
  const inName = foundIn(list, name);
  if (inName !== undefined) return { from: "name", words: inName };
  const inGist = foundIn(list, gist);
  return inGist === undefined ? undefined : { from: "description", words: inGist };
}

/** `The quantity of the payment`, where money is moved. */
function payingAmount({ pack: { roles, objects } }: Lexicon, { gist, sentence }: Heard): Evidence | undefined {
  const words = foundIn(roles.amountOfPaying, gist) ?? foundIn(roles.amountOfPaying, sentence.slice(0, 2));
  const isOfMoney = words !== undefined && (sentence.every(({ word }) => word !== "of") || foundIn(objects.pay.split(/\s+/), sentence) !== undefined);
  return isOfMoney ? { from: "description", words } : undefined;
}

/** `Value in euros`. */
function worthIn({ pack: { roles } }: Lexicon, heard: Heard): Evidence | undefined {
  return foundIn(roles.moneyUnits, heard.sentence) === undefined ? undefined : heardAt(roles.worth, heard);
}

const isNumber = ({ types }: Argument): boolean => types.has("number") || types.has("integer");
const isFlag = ({ types }: Argument): boolean => types.size === 1 && types.has("boolean");

function byMoney(lexicon: Lexicon, argument: Argument, { heard, effect }: Around): Inferred<ArgumentRole | undefined> | undefined {
  const { roles } = lexicon.pack;
  if (isFlag(argument)) return role(undefined, "high", { from: "schema", words: "boolean" });
  const secret = heardAt(roles.secret, heard);
  if (secret && !isNumber(argument) && !foundIn(roles.notSecret, heard.name) && !foundIn(roles.notSecret, heard.gist) && isOfSecret(secret, heard))
    return role("secret", secret.from === "name" ? "high" : "low", secret);
  const paid = isNumber(argument) ? (worthIn(lexicon, heard) ?? (effect === "pay" ? payingAmount(lexicon, heard) : undefined)) : undefined;
  const amount = heardAt(roles.amount, heard) ?? paid;
  if (
    amount &&
    effect !== "read" &&
    (isNumber(argument) || argument.types.size === 0 || amount.from === "name" || isHead(amount.words, heard.gist)) &&
    !foundIn(roles.notAmount, heard.name)
  )
    return role("amount", isNumber(argument) ? "high" : "low", amount);
  if (isNumber(argument) && argument.types.size === 1) {
    const target = heardAt(roles.ids, heard);
    return target === undefined
      ? role(undefined, "high", { from: "schema", words: "number" })
      : role("target", target.from === "name" ? "high" : "low", target);
  }
  const currency = heardAt(roles.currency, heard);
  return currency && role("currency", "high", currency);
}

/** A description that only speaks of a secret is about something else; one that begins or ends with it is about it. */
const isOfSecret = ({ from, words }: Evidence, { gist }: Heard): boolean => {
  if (from === "name" || isHead(words, gist)) return true;
  const at = textOf(gist).indexOf(` ${words} `);
  return at >= 0 && at <= SECRET_WITHIN;
};
const SECRET_WITHIN = 24;

const textOf = (tokens: readonly Token[]): string => ` ${tokens.map(({ word }) => word).join(" ")} `;

/** `The amount`, and not `the amount column`. */
const isHead = (words: string, gist: readonly Token[]): boolean => textOf(gist).endsWith(` ${words} `);

/** By its name, and where that says nothing, by what its description begins with. */
function byWords(lexicon: Lexicon, argument: Argument, { heard, effect }: Around): Inferred<ArgumentRole | undefined> {
  const elsewhere = foundIn(lexicon.pack.roles.notDestination, [...heard.name, ...heard.sentence]) !== undefined;
  const byName = roleIn(lexicon, { tokens: heard.name, from: "name", effect, elsewhere });
  // Of words that the tool lists itself, none is somebody's text, and none is unknown.
  if (byName && !(argument.isClosed && (byName.value === "free_text" || byName.value === "target"))) return byName;
  if (argument.choices) return role(undefined, "high", { from: "schema", words: "enum" });
  const said = roleIn(lexicon, { tokens: heard.gist, from: "description", effect, elsewhere });
  const addressed = addresseeIn(lexicon, { heard, effect }, said?.value);
  if (addressed !== undefined && !elsewhere) return role("destination", "low", { from: "description", words: addressed });
  // `The IDs of the recipients`: of a thing, the rest of the sentence says whose.
  const isWhere = said?.words.some(({ words }) => lexicon.pack.roles.whereabouts.includes(words)) ?? false;
  const whose = SENDING.has(effect) && !elsewhere && isWhere ? foundIn(lexicon.pack.roles.destination, heard.sentence) : undefined;
  if (whose !== undefined) return role("destination", "low", { from: "description", words: whose });
  // What nobody knows may hold anything: as text, the identifiers in it are looked at. What is deleted is some thing.
  return said ?? role(effect === "delete" ? "target" : "free_text", "low");
}

/** `The IDs of the recipients`: of a thing or an address, the rest of the sentence says whose; where nothing is said of it, all of the sentence counts. */
function addresseeIn({ pack }: Lexicon, { heard, effect }: Around, said: ArgumentRole | undefined): string | undefined {
  const { destination } = pack.roles;
  if (SENDING.has(effect) && said === undefined) return foundIn(destination, heard.sentence);
  if (SENDING.has(effect) && said === "target") {
    // `… to send the money to`
    const ends = destination.filter((words) => words.endsWith(" to"));
    return foundIn(destination, heard.owner) ?? foundIn(ends, heard.sentence);
  }
  const isAddress = REACHING.has(effect) || effect === "update" ? foundIn([...ADDRESSES], heard.gist) : undefined;
  return isAddress === undefined ? undefined : foundIn(destination, heard.owner);
}

interface Place {
  readonly tokens: readonly Token[];
  readonly from: "name" | "description";
  readonly effect: Effect;
  /** The words say that it is where something comes from, or a place on a map. */
  readonly elsewhere: boolean;
}

/** Effects of a tool that an address makes a way out. */
const REACHING: ReadonlySet<Effect> = new Set([...SENDING, "create", "execute", "unknown"]);
/** Who or where, even where an id says which. */
const ADDRESSES: ReadonlySet<string> = new Set([
  "to",
  "email",
  "emails",
  "addresses",
  "iban",
  "phone",
  "phone number",
  "address",
  "channel",
  "username",
  "destination",
  "account number",
]);

function roleIn({ pack }: Lexicon, { tokens, from, effect, elsewhere }: Place): Inferred<ArgumentRole | undefined> | undefined {
  const { roles } = pack;
  const sure: Confidence = from === "name" ? "high" : "low";
  const found = (list: readonly string[]): Evidence | undefined => {
    const words = foundIn(list, tokens);
    return words === undefined ? undefined : { from, words };
  };
  const location = REACHING.has(effect) ? found(roles.location) : undefined;
  if (location) return role("destination", sure, location);
  const strong = effect === "read" || effect === "delete" ? undefined : found(roles.destination);
  if (strong) return role("destination", sure, strong);
  const mail = effect === "read" || effect === "delete" || effect === "browse" || elsewhere ? undefined : found(roles.mailAddress);
  if (mail) return role("destination", sure, mail);
  const target = found(roles.target);
  const sending = SENDING.has(effect) && effect !== "browse" && !elsewhere ? found(roles.destinationOfSending) : undefined;
  if (sending && (!target || ADDRESSES.has(sending.words))) return role("destination", sure, sending);
  const moved = SENDING.has(effect) ? undefined : found(roles.ends);
  if (moved && (effect === "create" || effect === "update" || effect === "delete")) return role("target", "low", moved);
  const named = effect === "delete" ? found(roles.names) : undefined;
  if (named) return role("target", "low", named);
  const none = found(roles.none);
  if (none && !target) return role(undefined, sure, none);
  const freeText = found(roles.freeText);
  if (freeText && !target) return role("free_text", sure, freeText);
  return target && role("target", sure, target);
}
