import { isObject } from "../core/json.ts";
import { type Effect, type Json, type JsonObject, type Reversibility, type Trust, worseEffect } from "../core/words.ts";
import { ARGUMENTS_MAX, type Argument, type ArgumentInference, argumentsOf, roleOf } from "./arguments.ts";
import { effectsInProse, strangersIn } from "./clauses.ts";
import { type EffectInference, type Hints, inferEffect } from "./effect.ts";
import { ENGLISH } from "./english.ts";
import type { EffectEvidence, Evidence, Inferred } from "./evidence.ts";
import { headingOf } from "./headings.ts";
import { deedOf, withObjects } from "./keys.ts";
import type { LanguagePack } from "./language.ts";
import { compileLexicon, foundIn, type Lexicon } from "./lexicon.ts";
import { effectsInName, endsInReading } from "./name.ts";
import { inferObjects } from "./objects.ts";
import { inferCategories, inferReversibility, inferTrust } from "./output.ts";
import { sectionsOf } from "./sections.ts";
import { hasForeignLetters, hasHiddenCharacters, nameTokens, stemOf, tokensOf } from "./tokens.ts";

/** A tool as its server lists it. */
export interface ListedTool {
  readonly name: string;
  readonly description?: string;
  /** Undefined where the server lists none. */
  readonly inputSchema?: JsonObject;
  readonly annotations?: JsonObject;
}

export interface Inference {
  readonly effect: EffectInference;
  /** What each choice of an argument does, where one argument says what a call does. */
  readonly operations?: { readonly argument: string; readonly effects: ReadonlyMap<string, Effect>; readonly words: readonly Evidence[] };
  readonly reversibility: Inferred<Reversibility>;
  readonly arguments: readonly ArgumentInference[];
  /** What its actions are done to, in nouns. */
  readonly objects: Inferred<readonly string[]>;
  readonly trust: Inferred<Trust>;
  readonly categories: readonly Inferred<string>[];
  /** Why the words of this tool may not be all there is to it. */
  readonly doubts: readonly string[];
}

/** What stands further in a description is not read, and the tool marked for review. */
export const DESCRIPTION_MAX = 16_384;
const NAME_MAX = 1_024;

/** Reads tools by the words of one language. Pure: the same tool gives the same answer, whatever was read before. */
export function createInference(pack: LanguagePack = ENGLISH): (tool: ListedTool, reviewed?: { readonly pinned: boolean }) => Inference {
  const lexicon = compileLexicon(pack);
  return (tool, reviewed) => infer(lexicon, tool, reviewed?.pinned ?? false);
}

function infer(lexicon: Lexicon, tool: ListedTool, pinned: boolean): Inference {
  const name = tool.name.slice(0, NAME_MAX);
  const sections = sectionsOf((tool.description ?? "").slice(0, DESCRIPTION_MAX), lexicon.pack);
  const stated = argumentsOf(tool.inputSchema, sections.arguments);
  const doubts = [...doubtsOf(lexicon, tool), ...strangersIn(lexicon, sections.prose).map((words) => `nobody knows what \`${words}\` does`)];
  const hints = hintsOf(tool.annotations);
  const isHandedOver = stated.some((argument) => handsOver(lexicon, argument));
  const words = settled([...effectsInName(lexicon, name), ...effectsInProse(lexicon, sections.prose)], isHandedOver);
  const canCarry = isHandedOver || stated.some((argument) => roleOf(lexicon, argument, "send").value === "destination");
  const evidence = withArguments(lexicon, canCarry ? words : withNouns(lexicon, words, { name, prose: sections.prose }), stated);
  const said = { evidence, doubts, hints, pinned };
  const addressed = stated.map((argument) => roleOf(lexicon, argument, "send")).some(({ value }) => value === "destination" || value === "free_text");
  const effect = inferEffect({ ...said, canAddress: addressed });
  const prose = tokensOf(sections.prose);
  const told = { effect: effect.value, name: nameTokens(name), prose, returns: tokensOf(sections.returns) };
  const operations = operationsOf(lexicon, stated, effect);
  const objects = inferObjects(lexicon, { name, prose: sections.prose, operations: [...(operations?.effects.keys() ?? [])] });
  const done = effect.value === "unknown" ? (effect.read ?? "unknown") : effect.value;
  const deed = deedOf(lexicon, { effect: done, objects: objects.value, name, prose: sections.prose });
  return {
    effect,
    ...(operations && { operations }),
    reversibility: inferReversibility(lexicon, effect.value, { prose, destructive: hints.destructiveHint === true && hints.readOnlyHint !== true }),
    arguments: stated.map((argument) => withObjects(lexicon, argument, { deed, found: roleOf(lexicon, argument, done) })),
    objects,
    trust:
      hints.openWorldHint === true
        ? { value: "untrusted", confidence: "high", words: [{ from: "annotation", words: "openWorldHint" }] }
        : inferTrust(lexicon, told),
    categories: inferCategories(lexicon, told),
    doubts,
  };
}

const hintOf = (value: Json | undefined): boolean | undefined => (typeof value === "boolean" ? value : undefined);

function hintsOf(annotations: JsonObject | undefined): Hints {
  const [readOnlyHint, destructiveHint, openWorldHint] = ["readOnlyHint", "destructiveHint", "openWorldHint"].map((key) =>
    hintOf(annotations?.[key]),
  );
  return {
    ...(readOnlyHint !== undefined && { readOnlyHint }),
    ...(destructiveHint !== undefined && { destructiveHint }),
    ...(openWorldHint !== undefined && { openWorldHint }),
  };
}

/** Who gets information for nothing fetches it; who hands over something with it may do anything. */
const settled = (evidence: readonly EffectEvidence[], isHandedOver: boolean): readonly EffectEvidence[] =>
  evidence.map((one): EffectEvidence => (one.strength === "likely" ? { ...one, strength: isHandedOver ? "weak" : "main" } : one));

/** Where nothing is handed over, what a description begins with can be what comes back, and what a name begins with what is read. */
function withNouns(lexicon: Lexicon, evidence: readonly EffectEvidence[], { name, prose }: { readonly name: string; readonly prose: string }) {
  const described = evidence.filter(({ from }) => from === "description");
  const heading = evidence.every(isHarmless) && described.length === 0 ? headingOf(lexicon, name, prose) : undefined;
  if (heading) return [...evidence, heading];
  const isReading = described.every(isHarmless) && described.some(({ strength }) => strength === "main");
  return isReading && endsInReading(lexicon, name) ? described : evidence;
}

const isHarmless = ({ effect }: EffectEvidence): boolean => effect === "read" || effect === "browse";

/** Somebody to whom something goes, an amount, or what a message or a file consists of. */
function handsOver(lexicon: Lexicon, argument: Argument): boolean {
  const { value } = roleOf(lexicon, argument, "create");
  // `Only hedges up to this price` looks for some.
  const isBound = value === "amount" && foundIn(lexicon.pack.roles.bounds, nameTokens(argument.name)) !== undefined;
  if ((value === "amount" && !isBound) || value === "secret") return true;
  const { content, destination } = lexicon.pack.roles;
  const [name, said] = [nameTokens(argument.name), tokensOf(argument.description)];
  if (foundIn(destination, [...name, ...said.slice(0, ADDRESSED_WORDS)]) !== undefined) return true;
  return value === "free_text" && foundIn(content, [...name, ...said.slice(0, HANDED_WORDS)]) !== undefined;
}

/** `The text to show` begins with what is handed over; further back stands what the argument is about. */
const HANDED_WORDS = 3;
const ADDRESSED_WORDS = 14;

/** What arguments add: an address that is read can carry data out, and what moves an amount somewhere pays. */
function withArguments(lexicon: Lexicon, evidence: readonly EffectEvidence[], stated: readonly Argument[]): readonly EffectEvidence[] {
  const mains = evidence.filter(({ strength }) => strength === "main");
  const added: EffectEvidence[] = [];
  const [first] = mains;
  const url = stated.find((argument) => roleOf(lexicon, argument, "browse").value === "destination" && isAddress(lexicon, argument));
  if (
    url &&
    evidence.length > 0 &&
    opensOnly(lexicon, evidence) &&
    stated.every((argument) => argument === url || roleOf(lexicon, argument, "create").value === undefined)
  )
    return evidence.map((one): EffectEvidence => ({ ...one, effect: "browse", strength: "main" }));
  if (!first) return evidence;
  if (url && mains.every(({ effect }) => effect === "read" || effect === "create"))
    added.push({ from: "schema", words: `argument ${url.name}`, effect: first.effect === "read" ? "browse" : "send", strength: "also" });
  const copy = stated.find(({ name }) => isLocalCopy(lexicon, name));
  if (copy && mains.every(({ effect }) => effect === "read" || effect === "browse"))
    added.push({ from: "schema", words: `argument ${copy.name}`, effect: "create", strength: "main" });
  const amount = stated.find((argument) => roleOf(lexicon, argument, "pay").value === "amount");
  if (amount && mains.some(({ effect }) => effect === "send"))
    added.push({ from: "schema", words: `argument ${amount.name}`, effect: "pay", strength: "also" });
  return [...evidence, ...added];
}

/** Of an address alone nothing can be made: who opens it reads what is there. */
const opensOnly = (lexicon: Lexicon, evidence: readonly EffectEvidence[]): boolean =>
  evidence.every(({ effect, words }) => {
    const verb = lexicon.verbOf({ word: words.split(" ")[0]?.toLowerCase() ?? "", raw: words, kind: "word" });
    return effect === "read" || (verb !== undefined && lexicon.isIn("opening", verb.base));
  });

/** Where what is fetched is put: then the tool makes a file as well. */
function isLocalCopy({ pack }: Lexicon, name: string): boolean {
  const tokens = nameTokens(name);
  return foundIn(pack.roles.copy, tokens) !== undefined && foundIn(pack.roles.place, tokens) !== undefined;
}

function isAddress({ pack }: Lexicon, { name, description, format }: Argument): boolean {
  if (format === "uri" || format === "url") return true;
  const words = ["url", "urls", "uri", "web address", "webpage", "website"];
  return (
    foundIn(words, nameTokens(name)) !== undefined ||
    (foundIn(words, tokensOf(description)) !== undefined && foundIn(pack.roles.location, tokensOf(description)) !== undefined)
  );
}

/** One argument that lists what a call can do, each by a verb. */
function operationsOf(lexicon: Lexicon, stated: readonly Argument[], tool: EffectInference): Inference["operations"] {
  for (const { name, description, choices } of stated) {
    if (!choices || choices.length < 2) continue;
    const words = foundIn(lexicon.pack.roles.operation, nameTokens(name)) ?? foundIn(lexicon.pack.roles.operation, tokensOf(description));
    if (words === undefined) continue;
    const effects = new Map(
      choices.map((choice): [string, Effect] => {
        const inference = effectsInName(lexicon, choice).filter(({ strength }) => strength !== "weak");
        return [choice, inference.map(({ effect }) => effect).at(-1) ?? "unknown"];
      }),
    );
    if ([...effects.values()].filter((effect) => effect !== "unknown").length * 2 <= choices.length) continue;
    if (isManner(effects, tool)) continue;
    return { argument: name, effects, words: [{ from: "schema", words: `enum of ${name}` }] };
  }
  return undefined;
}

/** `Merges a branch`, by merging, squashing or rebasing it: how it is done and not what, where no choice that is known does anything worse. */
function isManner(effects: ReadonlyMap<string, Effect>, { value, confidence, words }: EffectInference): boolean {
  if (confidence === "low" || value === "read" || value === "browse") return false;
  const [said] = words.filter(({ from }) => from === "description").map((one) => stemOf(one.words.split(" ")[0]?.toLowerCase() ?? ""));
  const isAmong = [...effects.keys()].some((choice) => nameTokens(choice).length === 1 && stemOf(choice.toLowerCase()) === said);
  return isAmong && [...effects.values()].every((effect) => effect === "unknown" || worseEffect(effect, value) === value);
}

function doubtsOf(lexicon: Lexicon, { name, description = "", inputSchema }: ListedTool): readonly string[] {
  const doubts: string[] = [];
  const text = description.slice(0, DESCRIPTION_MAX);
  if (description.length > DESCRIPTION_MAX) doubts.push(`only the first ${DESCRIPTION_MAX} characters of its description were read`);
  if (hasForeignLetters(name) || hasForeignLetters(text)) doubts.push("it has words in a script that is not read");
  if (hasHiddenCharacters(name) || hasHiddenCharacters(text)) doubts.push("it has characters that nobody sees");
  const told = foundIn(
    lexicon.pack.instructions,
    tokensOf(text).filter(({ kind }) => kind === "word"),
  );
  if (told !== undefined) doubts.push(`its description speaks to whoever reads it: \`${told}\``);
  const properties = inputSchema?.["properties"];
  if (isObject(properties) && Object.keys(properties).length > ARGUMENTS_MAX) doubts.push(`only its first ${ARGUMENTS_MAX} arguments were read`);
  return doubts;
}
