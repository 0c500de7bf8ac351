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
  return { name, description: text, types, ...(format !== "" && { format }), ...(choices.length > 0 && { choices }) };
}

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

interface Heard {
  readonly name: readonly Token[];
  /** The first words of the description: what follows speaks of other things. */
  readonly gist: readonly Token[];
  readonly all: readonly Token[];
}

const GIST_WORDS = 14;
const SENDING: ReadonlySet<Effect> = new Set(["send", "share", "pay", "browse"]);

/** What an argument is for; undefined where it has no role. */
export function roleOf(lexicon: Lexicon, argument: Argument, effect: Effect): ArgumentInference {
  const sentence = /^[^.;]*/.exec(argument.description)?.[0] ?? "";
  const all = tokensOf(argument.description);
  const heard: Heard = { name: nameTokens(argument.name), gist: tokensOf(sentence).slice(0, GIST_WORDS), all };
  const found = byFormat(argument, effect) ?? byMoney(lexicon, argument, { heard, effect }) ?? byWords(lexicon, argument, { heard, effect });
  return { name: argument.name, ...found };
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

const isNumber = ({ types }: Argument): boolean => types.has("number") || types.has("integer");
const isFlag = ({ types }: Argument): boolean => types.size === 1 && types.has("boolean");

function byMoney({ pack }: Lexicon, argument: Argument, { heard, effect }: Around): Inferred<ArgumentRole | undefined> | undefined {
  const { roles } = pack;
  if (isFlag(argument)) return role(undefined, "high", { from: "schema", words: "boolean" });
  const secret = heardAt(roles.secret, heard);
  if (secret && !isNumber(argument) && !foundIn(roles.notSecret, heard.name) && !foundIn(roles.notSecret, heard.gist) && isOfSecret(secret, heard))
    return role("secret", secret.from === "name" ? "high" : "low", secret);
  const amount = heardAt(roles.amount, heard);
  if (
    amount &&
    effect !== "read" &&
    (isNumber(argument) || argument.types.size === 0 || amount.from === "name") &&
    !foundIn(roles.notAmount, heard.name)
  )
    return role("amount", isNumber(argument) ? "high" : "low", amount);
  if (isNumber(argument) && argument.types.size === 1) {
    const target = foundIn(["id"], heard.name);
    return target === undefined
      ? role(undefined, "high", { from: "schema", words: "number" })
      : role("target", "high", { from: "name", words: target });
  }
  const currency = heardAt(roles.currency, heard);
  return currency && role("currency", "high", currency);
}

/** A description that only speaks of a secret is about something else; one that ends with it is about it. */
const isOfSecret = ({ from, words }: Evidence, { gist }: Heard): boolean => {
  if (from === "name") return true;
  const at = ` ${gist.map(({ word }) => word).join(" ")} `.indexOf(` ${words} `);
  return at >= 0 && at <= SECRET_WITHIN;
};
const SECRET_WITHIN = 24;

function byWords({ pack }: Lexicon, argument: Argument, { heard, effect }: Around): Inferred<ArgumentRole | undefined> {
  const { roles } = pack;
  const outgoing = effect !== "read";
  const none = foundIn(roles.none, heard.name.length > 0 ? heard.name : heard.gist);
  const elsewhere = foundIn(roles.notDestination, [...heard.name, ...heard.gist]);
  const location = heardAt(roles.location, heard);
  if (location && outgoing) return role("destination", location.from === "name" ? "high" : "low", location);
  const strong = heardAt(roles.destination, heard);
  if (strong && outgoing && !(elsewhere && strong.from === "description"))
    return role("destination", strong.from === "name" ? "high" : "low", strong);
  const sending = SENDING.has(effect) && effect !== "browse" ? heardAt(roles.destinationOfSending, heard) : undefined;
  const target = heardAt(roles.target, heard);
  if (sending && !elsewhere && !(target?.from === "name" && sending.from === "description")) {
    const isThing = target && !/^(to|email|iban|phone|phone number|address|channel|user|username|destination)$/.test(sending.words);
    if (!isThing) return role("destination", sending.from === "name" ? "high" : "low", sending);
  }
  if (argument.choices) return role(undefined, "high", { from: "schema", words: "enum" });
  if (none !== undefined && target?.from !== "name") return role(undefined, "high", { from: "name", words: none });
  const freeText = heardAt(roles.freeText, heard);
  if (freeText?.from === "name" && target?.from !== "name") return role("free_text", "high", freeText);
  if (target) return role("target", target.from === "name" ? "high" : "low", target);
  if (freeText) return role("free_text", "low", freeText);
  const dated = foundIn(roles.none, heard.gist);
  if (dated !== undefined) return role(undefined, "low", { from: "description", words: dated });
  // What nobody knows may hold anything: as text, the identifiers in it are looked at.
  return role("free_text", "low");
}
