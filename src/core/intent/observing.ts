import { isList, isObject } from "../json.ts";
import type { Tool } from "../policy.ts";
import type { Json, JsonObject, Trust } from "../words.ts";
import { addressesIn } from "./addresses.ts";
import type { Language, StatementReading } from "./language.ts";
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
  readonly reading: StatementReading;
}

/** Values of one result; what stands further is not looked at. */
const ENTRIES_MAX = 4_096;
const DEPTH_MAX = 32;
/** Characters of free text that are read for addresses; what stands further stays unseen. */
const PROSE_MAX = 256 * 1024;
/** A field that names something is no longer than this. */
const NAME_LENGTH_MAX = 120;

/** Everything that a later decision may need of what a tool returned, settled now: where each value stands, and whether the task names its record. */
export function observe(returned: Returned, language: Language): Observation {
  const reader = new ResultReader(returned, language);
  if (returned.structure === undefined) reader.prose(returned.text.slice(0, PROSE_MAX), { named: reader.isCallNamed, exact: reader.isCallExact });
  else reader.structure(returned.structure);
  return { entries: reader.entries, amounts: reader.amounts, followed: reader.followed };
}

interface Place {
  readonly field: string | undefined;
  /** The task names the record. */
  readonly named: boolean;
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
  readonly #returned: Returned;
  readonly #language: Language;
  /** The task names what the tool was asked for. */
  readonly isCallNamed: boolean;
  readonly isCallExact: boolean;

  constructor(returned: Returned, language: Language) {
    this.#returned = returned;
    this.#language = language;
    const texts = Object.values(returned.arguments).filter((value) => typeof value === "string");
    this.isCallNamed = texts.some((value) => this.#isNamed(value, true));
    this.isCallExact = texts.some((value) => this.#isNamedExactly(value));
  }

  structure(value: Json): void {
    const top: Place = { field: undefined, named: this.isCallNamed, exact: this.isCallExact, bound: this.isCallNamed, byCall: true, depth: 0 };
    if (isList(value)) this.#list(value, top);
    else if (isObject(value)) this.#record(value, this.#within(value, top));
  }

  prose(text: string, { named, exact }: Pick<Place, "named" | "exact">): void {
    if (exact && this.#returned.statement?.reading.follows !== undefined) this.followed.push(text.slice(0, FOLLOWED_LENGTH_MAX));
    for (const { value, host } of addressesIn(text)) {
      for (const spelled of [value, ...(host === undefined ? [] : [host])])
        this.#add(spelled, { grade: named ? "named_source" : "free_text", bound: named, naming: false });
    }
    if (!named && this.#returned.tool?.output.trust !== "trusted") return;
    for (const line of text.split(/[\n,;|]/u)) {
      const part = line.replace(/^\s*(?:[-*•]|\d+[.)])\s*/u, "").trim();
      const afterColon = part.slice(part.lastIndexOf(": ") + 1).trim();
      for (const value of new Set([part, afterColon]))
        if (value.length > 1 && value.length <= NAME_LENGTH_MAX)
          this.#addText(value, { grade: "named_source", bound: named || this.#isNamed(value, false) });
    }
  }

  #list(items: readonly Json[], place: Place): void {
    const records = items.filter(isObject);
    const extremes = this.#extremesOf(records);
    const universal = this.#returned.statement?.reading.asks.some((ask) => ask.universal) ?? false;
    for (const item of items) {
      if (this.entries.length >= ENTRIES_MAX) return;
      const deeper = place.depth + 1;
      if (!isObject(item)) this.#value(item, { ...place, depth: deeper });
      else {
        // What was searched for by the words of the task may be anything that holds them: each record has to be named for itself.
        const above = place.byCall ? { ...place, named: false, exact: false, bound: false } : place;
        const itself = this.#within(item, above);
        this.#record(item, { ...itself, bound: itself.named || extremes.has(item) || universal, depth: deeper });
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
      const text = String(value);
      // What anybody may have written is nothing to compute with.
      if (place.field !== undefined && this.#language.fieldKind(place.field) === "amount" && this.#attests(text, place)) this.amounts.push(value);
      this.#scalar(text, place);
    }
  }

  #scalar(text: string, place: Place): void {
    if (text.length > OBSERVED_LENGTH_MAX || text.includes("\n")) {
      this.prose(text, place);
      return;
    }
    const { named, bound } = place;
    if (/\s/u.test(text.trim())) this.prose(text, place);
    const grade = this.#attests(text, place) ? "attested" : named ? "named_source" : "free_text";
    this.#addText(text, { grade, bound });
  }

  /** Whether the system vouches for the field, or the task itself names record and field. */
  #attests(text: string, { field, named }: Place): boolean {
    const { tool, statement } = this.#returned;
    if (!tool || OPEN.has(tool.effect)) return false;
    const kind = this.#language.fieldKind(field ?? "");
    const stated = field === undefined ? undefined : tool.output.fields?.get(field);
    const trust: Trust = stated ?? (kind === "outsider" ? "untrusted" : tool.output.trust);
    if (trust === "trusted" && (field !== undefined || tool.output.trust === "trusted")) return true;
    if (stated === undefined && kind === "system" && OPAQUE.test(text)) return true;
    return named && statement !== undefined && this.#isMeant(text, field, statement);
  }

  /** The task says which field of the named record it means: by the field's name, by whom it is, or as people whom it does not name. */
  #isMeant(text: string, field: string | undefined, { reading }: StatementWords): boolean {
    const { stemsIn } = this.#language;
    const fieldStems = stemsIn(field ?? (this.#returned.tool?.objects ?? []).join(" "));
    if ([...fieldStems].some((stem) => reading.stems.has(stem))) return true;
    if (reading.people.length > 0) return true;
    return [...stemsIn(text.split("@")[0] ?? text)].some((stem) => stem.length > 2 && reading.stems.has(stem));
  }

  /** A record as part of another is named where either is. */
  #within(record: JsonObject, place: Place): Place {
    const itself = this.#namesItself(record);
    const named = place.named || itself;
    const exact = place.exact || (named && Object.values(record).some((value) => typeof value === "string" && this.#isNamedExactly(value)));
    return { ...place, named, exact, bound: place.bound || named, byCall: place.byCall && !itself };
  }

  /** Whether the statement holds the very text, or what is quoted in it is the text. */
  #isNamedExactly(text: string): boolean {
    const { statement } = this.#returned;
    const plain = plainly(text);
    if (!statement || plain.length < 3 || plain.length > NAME_LENGTH_MAX || BARE.test(plain) || /^\d{4}-\d{2}-\d{2}/u.test(plain)) return false;
    return /[^\p{L}]/u.test(plain) && holds(statement.plain, plain);
  }

  /** Whether one of the short fields of a record is what the task speaks of. */
  #namesItself(record: JsonObject): boolean {
    return Object.entries(record).some(([key, value]) => {
      if (typeof value === "string") return value.length <= NAME_LENGTH_MAX && this.#isNamed(value, false);
      return (
        typeof value === "number" &&
        this.#language.fieldKind(key) === "amount" &&
        (this.#returned.statement?.reading.numbers.includes(value) ?? false)
      );
    });
  }

  /** Whether the statement holds the text, what is quoted in it, or most of its words. */
  #isNamed(text: string, isQuery: boolean): boolean {
    const { statement } = this.#returned;
    const plain = plainly(text);
    if (!statement || plain.length < 3 || BARE.test(plain)) return false;
    if (this.#returned.followed.some((words) => plain.length > 3 && holds(words.plain, plain))) return true;
    const { reading } = statement;
    const day = /^\d{4}-(\d{2}-\d{2})/u.exec(plain);
    if (day) return reading.dates.includes(plain.slice(0, 10)) || reading.dates.includes(day[1] ?? "");
    if (holds(statement.plain, plain)) return true;
    const stems = this.#language.stemsIn(text);
    const quoted = reading.quoted.some((words) => plainly(words).length > 3 && holds(plain, plainly(words)));
    if (quoted) return true;
    const shared = [...stems].filter((stem) => reading.stems.has(stem)).length;
    if (stems.size === 1) return shared === 1 && !isQuery && !plain.includes("@");
    return shared >= 2 && shared / stems.size >= 0.6;
  }

  /** The largest, latest or cheapest of several, if the task speaks of one: at either end of any field that can be compared. */
  #extremesOf(records: readonly JsonObject[]): ReadonlySet<JsonObject> {
    const superlatives = this.#returned.statement?.reading.superlatives ?? [];
    const extremes = new Set<JsonObject>();
    if (records.length < 2 || superlatives.length === 0) return extremes;
    for (const key of Object.keys(records[0] ?? {})) {
      const compared = records.map((record) => comparable(record[key]));
      if (compared.some((value) => value === undefined)) continue;
      const values = compared.filter((value) => value !== undefined);
      for (const { extreme } of superlatives) {
        const end = extreme === "most" ? Math.max(...values) : Math.min(...values);
        for (const [at, record] of records.entries())
          if (compared[at] === end && values.filter((value) => value === end).length === 1) extremes.add(record);
      }
    }
    return extremes;
  }

  #addText(text: string, found: Pick<ObservedEntry, "grade" | "bound">): void {
    const plain = plainly(text);
    if (plain === "") return;
    const naming = plain.length >= 4 && /\p{L}{2}/u.test(plain) && !BARE.test(plain) && plain.length <= NAME_LENGTH_MAX;
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

/** What they return was made by anybody. */
const OPEN: ReadonlySet<string> = new Set(["browse", "execute", "unknown"]);
/** An id, a date or a state: too short to be an address, a sentence or an account. */
const OPAQUE = /^[A-Za-z0-9_:. -]{1,40}$/;
/** Says yes, no, nothing, or how many. */
const BARE = /^(?:true|false|yes|no|none|null|n\/a|[\d.,:%+-]+)$/u;

/** Numbers, and dates that sort as they are written. */
function comparable(value: Json | undefined): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value !== "string") return undefined;
  if (/^\d{4}-\d{2}-\d{2}/.test(value)) {
    const at = Date.parse(value.replace(" ", "T"));
    return Number.isNaN(at) ? undefined : at;
  }
  return /^\d+(?:\.\d+)?$/.test(value) ? Number(value) : undefined;
}
