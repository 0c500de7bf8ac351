import { isList, isObject } from "../json.ts";
import type { Tool } from "../policy.ts";
import type { Json, JsonObject, Trust } from "../words.ts";
import { type Address, type AddressKind, addressesIn, isOpaque } from "./addresses.ts";
import { extremesOf } from "./extremes.ts";
import type { Language, StatementReading } from "./language.ts";
import { type Naming, strongerOf } from "./naming.ts";
import { FOLLOWED_LENGTH_MAX, OBSERVED_LENGTH_MAX, type Observation, type ObservedEntry } from "./observed.ts";
import { FIELD_NAME, holds, plainly, squeezed } from "./spelling.ts";

/** What a tool returned for a call, beside the words of the task. */
export interface Returned {
  /** The mapping or list that it is as a whole; undefined for prose, in which nothing attests. */
  readonly structure: Json | undefined;
  readonly text: string;
  readonly toolName: string;
  /** Undefined for one that the catalog does not list. */
  readonly tool: Tool | undefined;
  /** Of the call. */
  readonly arguments: JsonObject;
  /** Of the one who opened the task; undefined once its time is over. */
  readonly statement: StatementWords | undefined;
  /** Texts that the statement says to follow: they name things for it. */
  readonly followed: readonly StatementWords[];
}

/** A statement, read and in plain spelling. */
export interface StatementWords {
  readonly plain: string;
  /** The same with `#general` as `general`, and `@bob` as `bob`. */
  readonly plainWithoutSigns: string;
  /** Those that stand in it, by their one spelling. */
  readonly addresses: ReadonlyMap<string, AddressKind>;
  readonly reading: StatementReading;
  /** What is quoted in it, in plain spelling, without the shortest. */
  readonly quoted: readonly string[];
}

/** Values of one result; what stands further is not looked at. */
const ENTRIES_MAX = 4_096;
const DEPTH_MAX = 32;
/** Arguments of a call that can name what it is about. */
const ARGUMENTS_MAX = 256;
/** Characters of free text in one result, all its texts together, that are read for addresses; what stands further stays unseen. They take some 20 ms. */
const PROSE_MAX = 64 * 1024;
/** Characters of one result, and of what its tool was asked for, that are compared with the task word by word; what stands further is not named by it. */
const COMPARED_MAX = 64 * 1024;
/** A field that names something is no longer than this. */
const NAME_LENGTH_MAX = 120;

/** Everything that a later decision may need of what a tool returned, settled now: where each value stands, and whether the task names its record. */
export function observe(returned: Returned, language: Language): Observation {
  const reader = new ResultReader(returned, language);
  if (returned.structure === undefined) reader.prose(returned.text, { inSource: reader.isCallNamed, exact: reader.isCallExact });
  else reader.structure(returned.structure);
  return { entries: reader.entries, amounts: reader.allAmounts, followed: reader.followed };
}

interface Place {
  readonly field: string | undefined;
  readonly naming: Naming;
  /** The task names the record, or what it is a part of. */
  readonly named: boolean;
  /** Or only the source in which it stands. */
  readonly inSource: boolean;
  /** In so many words: what it says may be followed, if the task says to. */
  readonly exact: boolean;
  /** So it does, or it is one of all that the task means. */
  readonly bound: boolean;
  /** By what the tool was asked for alone: of several that it found, none is named by that. */
  readonly byCall: boolean;
  readonly depth: number;
}

class ResultReader {
  readonly entries: ObservedEntry[] = [];
  readonly amounts: number[] = [];
  readonly followed: string[] = [];
  readonly #totals = new Map<string, number>();
  readonly #namings = new Map<string, Naming>();
  #proseLeft = PROSE_MAX;
  #comparedLeft = COMPARED_MAX;
  readonly #returned: Returned;
  /** What the tool is about. */
  readonly #common: ReadonlySet<string>;
  readonly #language: Language;
  /** The task names what the tool was asked for. */
  readonly isCallNamed: boolean;
  readonly isCallExact: boolean;
  readonly #areAllMeant: boolean;
  /** By an argument that points at one thing, such as a file or a room: what stands in it is of a source that the task names. */
  readonly isSourceNamed: boolean;

  constructor(returned: Returned, language: Language) {
    this.#returned = returned;
    this.#language = language;
    this.#common = language.stemsIn((returned.tool?.objects ?? []).join(" "));
    this.#areAllMeant = this.#findsAllMeant();
    const texts = Object.entries(returned.arguments)
      .slice(0, ARGUMENTS_MAX)
      .flatMap(([name, value]) => (typeof value === "string" ? [{ name, value }] : []));
    // What points at one thing names it by one word; what is searched for finds anything that has the word.
    this.isSourceNamed = texts.some(({ name, value }) => POINTING.has(returned.tool?.roles.get(name) ?? "none") && this.#isNamed(value, false));
    this.isCallNamed = this.isSourceNamed || texts.some(({ value }) => this.#isNamed(value, true));
    this.isCallExact = texts.some(({ value }) => this.#isNamedExactly(value));
  }

  structure(value: Json): void {
    const naming = this.isCallExact ? "exact" : this.isCallNamed ? "words" : "none";
    const top: Place = {
      field: undefined,
      naming,
      named: this.isCallNamed,
      inSource: this.isCallNamed,
      exact: this.isCallExact,
      bound: this.isCallNamed,
      byCall: true,
      depth: 0,
    };
    if (isList(value)) this.#list(value, top);
    else if (isObject(value)) this.#record(value, this.#within(value, top));
  }

  prose(whole: string, { inSource, exact }: Pick<Place, "inSource" | "exact">): void {
    const text = whole.slice(0, this.#proseLeft);
    this.#proseLeft -= text.length;
    if (exact && this.#returned.statement?.reading.follows !== undefined) this.followed.push(text.slice(0, FOLLOWED_LENGTH_MAX));
    for (const { value, host } of addressesIn(text)) {
      for (const spelled of [value, ...(host === undefined ? [] : [host])])
        this.#add(spelled, { grade: inSource ? "named_source" : "free_text", bound: inSource, naming: false });
    }
    if (!inSource && this.#returned.tool?.output.trust !== "trusted") return;
    for (const line of text.split(/[\n,;|]/u)) {
      if (this.entries.length >= ENTRIES_MAX) return;
      const part = line.replace(/^\s*(?:[-*•]|\d+[.)])\s*/u, "").trim();
      const afterColon = part.slice(part.lastIndexOf(": ") + 1).trim();
      for (const value of new Set([part, afterColon]))
        if (value.length > 1 && value.length <= NAME_LENGTH_MAX)
          this.#addText(value, { grade: "named_source", bound: inSource || this.#isNamed(value, false), naming: false });
    }
  }

  #list(items: readonly Json[], place: Place): void {
    const records = items.filter(isObject);
    const extremes = extremesOf(records, this.#returned.statement?.reading.superlatives ?? []);
    const only = this.#onlyOnesOf(records);
    const universal = this.#returned.statement?.reading.asks.some((ask) => ask.universal) ?? false;
    for (const item of items) {
      if (this.entries.length >= ENTRIES_MAX) return;
      const deeper = place.depth + 1;
      if (!isObject(item)) this.#value(item, { ...place, depth: deeper });
      else {
        // What was searched for by the words of the task may be anything that holds them: each record has to be named for itself.
        // So has what people wrote one after the other, wherever it stands.
        const stands = !place.byCall && place.depth > 0 && place.field !== undefined && !this.#isWritten(item);
        const itself = this.#within(
          item,
          stands
            ? place
            : {
                ...place,
                naming: "none",
                named: false,
                inSource: place.byCall ? this.isSourceNamed : place.inSource,
                exact: false,
                bound: false,
              },
        );
        this.#record(item, { ...itself, bound: itself.named || extremes.has(item) || only.has(item) || universal, depth: deeper });
      }
    }
  }

  #record(record: JsonObject, place: Place): void {
    if (place.depth > DEPTH_MAX) return;
    for (const [key, value] of Object.entries(record)) {
      if (this.entries.length >= ENTRIES_MAX) return;
      const isName = FIELD_NAME.test(key);
      if (!isName) {
        this.#scalar(key, place);
        // A record under a name: the name is a field of it.
        const names = this.#isNamed(key, false);
        const named = place.named || names;
        this.#value(value, { ...place, named, bound: place.bound || named, byCall: place.byCall && !names, depth: place.depth + 1 });
      } else this.#value(value, { ...place, field: key, depth: place.depth + 1 });
    }
  }

  #value(value: Json, place: Place): void {
    if (place.depth > DEPTH_MAX || value === null) return;
    if (isList(value)) this.#list(value, place);
    else if (isObject(value)) this.#record(value, this.#within(value, place));
    else if (typeof value === "string") this.#scalar(value, place);
    else if (typeof value === "number") {
      const { tool } = this.#returned;
      // What the web says is nothing to compute with.
      const counts = tool !== undefined && !OPEN.has(tool.effect);
      if (counts && place.field !== undefined && this.#language.fieldKind(place.field) === "amount") this.#amount(place.field, value);
      this.#scalar(String(value), place);
    }
  }

  #amount(field: string, value: number): void {
    this.amounts.push(value);
    this.#totals.set(field, (this.#totals.get(field) ?? 0) + value);
  }

  /** Each amount, and what all under one name come to. */
  get allAmounts(): readonly number[] {
    return [...this.amounts, ...this.#totals.values()];
  }

  #scalar(text: string, place: Place): void {
    if (text.length > OBSERVED_LENGTH_MAX || text.includes("\n")) {
      this.prose(text, place);
      return;
    }
    const { inSource, bound } = place;
    const grade = this.#attests(text, place) ? "attested" : inSource ? "named_source" : "free_text";
    if (/\s/u.test(text.trim())) this.prose(text, place);
    else for (const { value } of addressesIn(text)) this.#add(value, { grade, bound, naming: false });
    const { tool } = this.#returned;
    this.#addText(text, { grade, bound, naming: tool !== undefined && !OPEN.has(tool.effect) });
  }

  /** Whether the system vouches for the field, or the task itself names record and field. */
  #attests(text: string, place: Place): boolean {
    const { field } = place;
    const { tool, statement } = this.#returned;
    if (!tool || OPEN.has(tool.effect)) return false;
    const kind = this.#language.fieldKind(field ?? "");
    const stated = field === undefined ? undefined : tool.output.fields?.get(field);
    const trust: Trust = stated ?? (BY_ANYBODY.has(kind) ? "untrusted" : tool.output.trust);
    if (trust === "trusted" && (field !== undefined || tool.output.trust === "trusted")) return true;
    if (stated === undefined && kind === "system" && isOpaque(text)) return true;
    // All of them are meant: the names in the list are those.
    if (kind !== "prose" && kind !== "author" && this.#areAllMeant && addressesIn(text).every((address) => this.#isOfThem(address, field)))
      return true;
    return statement !== undefined && kind !== "prose" && this.#isMeant(text, place, statement);
  }

  /** The task asks for something to be done to all things of the kind that the tool returns. */
  #findsAllMeant(): boolean {
    const { statement } = this.#returned;
    return (
      statement?.reading.asks.some(
        (ask) => ask.universal && ask.effect !== "read" && [...ask.objects.keys()].some((stem) => this.#common.has(stem)),
      ) ?? false
    );
  }

  /** An address in something that is meant with all the others was written by whoever made it, unless it is addresses that are meant: `all participants`. */
  #isOfThem({ kind }: Address, field: string | undefined): boolean {
    if (kind === "key" || field === undefined) return true;
    const asked = this.#returned.statement?.reading.asks.filter(({ universal }) => universal) ?? [];
    return [...this.#language.stemsIn(field)].some((stem) => asked.some(({ objects }) => objects.has(stem)));
  }

  /** The task says which field of the named record it means: by the field's name, by whom it is, or as people whom it does not name. */
  #isMeant(text: string, { field, naming }: Place, { reading }: StatementWords): boolean {
    const { stemsIn, fieldKind } = this.#language;
    // By one word anybody may have named a record: by that it is found, and no more.
    if (naming === "none" || naming === "word") return false;
    const fieldStems = field === undefined ? this.#common : stemsIn(field);
    if ([...fieldStems].some((stem) => reading.stems.has(stem))) return true;
    // Who made it is nobody that a record can vouch for, unless it is the record that the task points at.
    if (reading.people.length > 0 && (naming === "exact" || fieldKind(field ?? "") !== "author")) return true;
    return [...(this.#stemsIn(text.split("@")[0] ?? text) ?? [])].some((stem) => stem.length > 2 && reading.stems.has(stem));
  }

  /** A record as part of another is named where either is. */
  #within(record: JsonObject, place: Place): Place {
    const its = this.#namingOf(record);
    const naming = strongerOf(place.naming, its);
    const named = naming !== "none";
    return {
      ...place,
      naming,
      named,
      inSource: place.inSource || named,
      exact: naming === "exact",
      bound: place.bound || named,
      byCall: place.byCall && its === "none",
    };
  }

  /** Whether the statement holds the very text, or what is quoted in it is the text. */
  #isNamedExactly(text: string): boolean {
    const { statement } = this.#returned;
    const plain = plainly(text);
    if (!statement || plain.length < 3 || plain.length > NAME_LENGTH_MAX || BARE.test(plain) || /^\d{4}-\d{2}-\d{2}/u.test(plain)) return false;
    return /[^\p{L}]/u.test(plain) && holds(statement.plain, plain);
  }

  /** How the short fields of a record are what the task speaks of. */
  #namingOf(record: JsonObject): Naming {
    let naming: Naming = "none";
    for (const [key, value] of Object.entries(record)) {
      if (naming === "exact") break;
      const kind = this.#language.fieldKind(key);
      // Sentences that somebody wrote may speak of anything.
      if (kind === "prose") continue;
      if (typeof value === "string" && value.length <= NAME_LENGTH_MAX) naming = strongerOf(naming, this.#namingBy(value));
      else if (value === true) naming = strongerOf(naming, this.#namingBy(key) === "none" ? "none" : "word");
      else if (typeof value === "number" && kind === "amount" && this.#returned.statement?.reading.numbers.includes(value)) naming = "exact";
    }
    return naming;
  }

  #isNamed(text: string, isQuery: boolean): boolean {
    const naming = this.#namingBy(text);
    return naming !== "none" && !(isQuery && naming === "word");
  }

  /** Whether the statement holds the text, what is quoted in it, or most of its words. */
  #namingBy(text: string): Naming {
    const before = this.#namings.get(text);
    if (before !== undefined) return before;
    const naming = this.#namingByWords(text);
    this.#namings.set(text, naming);
    return naming;
  }

  #namingByWords(text: string): Naming {
    const { statement, followed } = this.#returned;
    const plain = plainly(text);
    if (!statement || plain.length < 3 || BARE.test(plain)) return "none";
    if (followed.some((words) => plain.length > 3 && holds(words.plain, plain))) return "words";
    const { reading } = statement;
    const day = /^\d{4}-(\d{2}-\d{2})/u.exec(plain);
    if (day) return reading.dates.includes(plain.slice(0, 10)) || reading.dates.includes(day[1] ?? "") ? "word" : "none";
    const stems = this.#stemsIn(text);
    if (stems === undefined) return "none";
    // What is said of everything that the tool is about tells none from another: `type: hotel`.
    if (this.#returned.tool?.objects?.some((object) => plain === object || plain === `${object}s`)) return "none";
    const isWord = /^\p{L}+$/u.test(plain);
    if (holds(statement.plain, plain)) return isWord ? "word" : "exact";
    if (statement.quoted.some((words) => holds(plain, words))) return "words";
    const shared = [...stems].filter((stem) => reading.stems.has(stem)).length;
    if (stems.size === 1) return shared === 1 && !plain.includes("@") ? "word" : "none";
    return shared >= 2 && shared / stems.size >= 0.6 ? "words" : "none";
  }

  /** Undefined once as much was read as one result may cost. */
  #stemsIn(text: string): ReadonlySet<string> | undefined {
    if (text.length > this.#comparedLeft) return undefined;
    this.#comparedLeft -= text.length;
    return this.#language.stemsIn(text);
  }

  /** Somebody wrote it: it has sentences of its own. */
  #isWritten(record: JsonObject): boolean {
    return Object.entries(record).some(([key, value]) => typeof value === "string" && this.#language.fieldKind(key) === "prose");
  }

  /** Those of several of which a word of the task speaks that none of the others has. A task that says which by its size or date does not say it by a word. */
  #onlyOnesOf(records: readonly JsonObject[]): ReadonlySet<JsonObject> {
    const { statement } = this.#returned;
    if (!statement || records.length < 2 || statement.reading.superlatives.length > 0) return new Set();
    const wanted = new Set(statement.reading.asks.flatMap(({ effect, objects }) => (effect === "read" ? [] : [...objects.keys()])));
    const found = new Map<string, JsonObject | "several">();
    for (const record of records) {
      const names = Object.entries(record).filter(
        ([key, value]) => typeof value === "string" && value.length <= NAME_LENGTH_MAX && this.#language.fieldKind(key) !== "prose",
      );
      const stems = this.#stemsIn(names.map(([, value]) => value).join(" \n "));
      // Of several of which not all were read, nobody knows what only one has.
      if (stems === undefined) return new Set();
      for (const stem of stems)
        if (wanted.has(stem) && !this.#common.has(stem)) found.set(stem, found.has(stem) && found.get(stem) !== record ? "several" : record);
    }
    return new Set([...found.values()].filter((one) => one !== "several"));
  }

  #addText(text: string, found: Pick<ObservedEntry, "grade" | "bound" | "naming">): void {
    const plain = plainly(text);
    if (plain === "") return;
    // What stands in sentences may be anybody's word for something that is not there.
    const naming = found.naming && plain.length >= 4 && /\p{L}{2}/u.test(plain) && !BARE.test(plain) && plain.length <= NAME_LENGTH_MAX;
    this.#add(plain, { ...found, naming });
    if (/\d/.test(plain)) {
      const alone = squeezed(plain);
      if (alone !== plain && alone.length >= 7 && !/^\d{4}-\d{2}/.test(plain)) this.#add(alone, { ...found, naming: false });
    }
  }

  #add(value: string, found: Omit<ObservedEntry, "value" | "tool">): void {
    if (value.length <= OBSERVED_LENGTH_MAX && this.entries.length < ENTRIES_MAX)
      this.entries.push({ value, ...found, tool: this.#returned.toolName });
  }
}

/** Roles of what points at one thing. */
const POINTING: ReadonlySet<string> = new Set(["destination", "target"]);
const BY_ANYBODY: ReadonlySet<string> = new Set(["outsider", "author", "prose"]);
/** What they return was made by anybody. */
const OPEN: ReadonlySet<string> = new Set(["browse", "execute", "unknown"]);
/** Says yes, no, nothing, or how many. */
const BARE = /^(?:true|false|yes|no|none|null|n\/a|[\d.,:%+-]+)$/u;
