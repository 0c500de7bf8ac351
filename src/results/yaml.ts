import { COLLECTION_STYLE, EVENT_ID, type Event, getScalarValue, parseEvents, SCALAR_STYLE } from "js-yaml";
import type { Json } from "../core/words.ts";
import { LEVELS_MAX, YAML_CHARACTERS_MAX, YAML_MARKS_MAX } from "./limits.ts";
import { isForbiddenKey, isNumberAsWritten } from "./values.ts";

type ScalarEvent = Extract<Event, { type: typeof EVENT_ID.SCALAR }>;
type NodeEvent = Extract<Event, { tagStart: number }>;

/** A list or mapping that is still being read. */
interface Open {
  readonly value: Json[] | Record<string, Json>;
  /** Whether its plain keys stand at the beginnings of lines, as words of prose do. */
  readonly isBlock: boolean;
  /** Of the member whose value comes next. */
  key?: string;
}

/**
 * The mapping or list that a text is as one YAML document without tags, anchors, merges, comments and directives: what a tool prints has none, and each of
 * them would say something else to us than to whoever wrote the text. Undefined for all else, and for what reads like sentences.
 */
export function readYaml(text: string): Json | undefined {
  if (text.length > YAML_CHARACTERS_MAX || !beginsLikeYaml(text) || marksIn(text) > YAML_MARKS_MAX) return undefined;
  const events = eventsOf(text);
  return events === undefined || hasComment(text, events) ? undefined : builtFrom(text, events);
}

/** Whether its first line opens a list or mapping: most prose is told apart by this alone. */
function beginsLikeYaml(text: string): boolean {
  const line = /^(?:---[ \t]*\r?\n)?\s*([^\r\n]*)/u.exec(text)?.[1] ?? "";
  return /^(?:-(?:\s|$)|[[{])/u.test(line) || (/:(?:\s|$)/u.test(line) && !/^[#%!&*|>@`]/u.test(line));
}

const marksIn = (text: string): number => text.match(/[\n\r,:[\]{}?&*!"']|-\s/gu)?.length ?? 0;

/** The library counts a value, and in brackets its key as well, as a level of its own: which levels are too many is settled below. */
function eventsOf(text: string): readonly Event[] | undefined {
  try {
    return parseEvents(text, { maxDepth: LEVELS_MAX + 2 });
  } catch {
    return undefined;
  }
}

/** Whether something of it is read by nobody: a comment, which begins with `#` and is part of no value. */
function hasComment(text: string, events: readonly Event[]): boolean {
  let read = 0;
  for (const event of events) {
    if (event.type !== EVENT_ID.SCALAR || event.valueStart < read) continue;
    if (text.slice(read, event.valueStart).includes("#")) return true;
    read = event.valueEnd;
  }
  return text.slice(read).includes("#");
}

function builtFrom(text: string, events: readonly Event[]): Json | undefined {
  const [document, first, ...rest] = events;
  if (document?.type !== EVENT_ID.DOCUMENT || document.directives.length > 0 || first === undefined) return undefined;
  const top = opened(first);
  if (top === undefined) return undefined;
  const stack: Open[] = [top];
  for (const event of rest) {
    const open = stack.at(-1);
    if (event.type === EVENT_ID.POP) stack.pop();
    else if (open === undefined || !take(text, { event, open, stack })) return undefined;
  }
  return isOneSentence(top) ? undefined : top.value;
}

/** Whether an entry was taken up into the innermost list or mapping. */
function take(text: string, { event, open, stack }: { readonly event: Event; readonly open: Open; readonly stack: Open[] }): boolean {
  if (event.type === EVENT_ID.SCALAR) {
    if (!isBare(event)) return false;
    return isKeyNext(open) ? takeKey(text, event, open) : add(open, scalarOf(text, event));
  }
  const inner = opened(event);
  if (inner === undefined || isKeyNext(open) || stack.length >= LEVELS_MAX) return false;
  stack.push(inner);
  return add(open, inner.value);
}

function opened(event: Event): Open | undefined {
  if ((event.type !== EVENT_ID.MAPPING && event.type !== EVENT_ID.SEQUENCE) || !isBare(event)) return undefined;
  return { value: event.type === EVENT_ID.MAPPING ? {} : [], isBlock: event.style === COLLECTION_STYLE.BLOCK };
}

const isBare = (event: NodeEvent): boolean => event.tagStart < 0 && event.anchorStart < 0;

const isKeyNext = (open: Open): boolean => !Array.isArray(open.value) && open.key === undefined;

function takeKey(text: string, event: ScalarEvent, open: Open): boolean {
  const key = getScalarValue(text, event);
  const isPlain = event.style === SCALAR_STYLE.PLAIN;
  if (isForbiddenKey(key) || Object.hasOwn(open.value, key) || (isPlain && (key === "" || key === "<<"))) return false;
  if (isPlain && open.isBlock && !isName(key)) return false;
  open.key = key;
  return true;
}

/** Words of a key that is written without quotes: a name of something has few, and no sign of a sentence. */
const KEY_WORDS_MAX = 6;
const isName = (key: string): boolean => !/[,;!?<>"`|\r\n]|\.\s/u.test(key) && key.split(/\s+/u).length <= KEY_WORDS_MAX;

/** `Please note: the office is closed` is a mapping only by accident; `status: ok` is one. */
function isOneSentence({ value, isBlock }: Open): boolean {
  const keys = Object.keys(value);
  return isBlock && !Array.isArray(value) && keys.length === 1 && keys.some((key) => /\s/u.test(key));
}

function add(open: Open, value: Json): boolean {
  if (Array.isArray(open.value)) open.value.push(value);
  else if (open.key !== undefined) open.value[open.key] = value;
  delete open.key;
  return true;
}

/** Plain words of YAML 1.2's core schema, and numbers as JSON writes them: dates, `0049`, `+49` and `0x1F` stay text. */
function scalarOf(text: string, event: ScalarEvent): Json {
  const value = getScalarValue(text, event);
  if (event.style !== SCALAR_STYLE.PLAIN) return value;
  if (/^(?:null|Null|NULL|~|)$/u.test(value)) return null;
  if (/^(?:true|True|TRUE|false|False|FALSE)$/u.test(value)) return value.toLowerCase() === "true";
  if (!/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/u.test(value)) return value;
  const number = Number(value);
  return Number.isFinite(number) && isNumberAsWritten(value) ? number : value;
}
