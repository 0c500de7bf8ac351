import type { Tool } from "../policy.ts";
import type { Effect } from "../words.ts";
import type { Ask, Language, StatementReading } from "./language.ts";

/** How well tool and words match: an ask that does what the tool does, to what the tool does it to; one that only does the like; or none. */
export const ALIGNMENTS = ["full", "partial", "none"] as const;
export type Alignment = (typeof ALIGNMENTS)[number];

/** A statement beside a tool. */
export interface Match {
  readonly alignment: Alignment;
  /** The verb that asks for it. */
  readonly verb?: string;
  /** What is asked for by it. */
  readonly asked?: Effect;
  /** What the statement and the tool both name. */
  readonly objects: readonly string[];
  readonly universal: boolean;
}

const NO_MATCH: Match = { alignment: "none", objects: [], universal: false };

/** Everything that changes something; a statement that asks for one of them may need another, done to the same thing. */
const CHANGES: ReadonlySet<Effect> = new Set(["create", "update", "send", "share", "pay", "delete", "credential", "execute"]);
const READS: ReadonlySet<Effect> = new Set(["read", "browse"]);

/**
 * Whether somebody who asks for one thing asks for what has this effect. What destroys is only done where that is asked for; nothing that changes
 * anything is done for who only asks to see it.
 */
function answersTo(asked: Effect, effect: Effect): boolean {
  if (asked === effect) return true;
  if (READS.has(effect)) return true;
  if (effect === "delete" || effect === "unknown") return false;
  return CHANGES.has(asked) && asked !== "delete";
}

/** What a tool's actions are done to, as stems; its name says it where the catalog does not. */
export type ToolWords = (tool: Tool) => ReadonlySet<string>;

export function createToolWords(language: Language): ToolWords {
  const known = new WeakMap<Tool, ReadonlySet<string>>();
  return (tool) => {
    const before = known.get(tool);
    if (before) return before;
    const stems = language.stemsIn(tool.objects && tool.objects.length > 0 ? tool.objects.join(" ") : tool.name);
    known.set(tool, stems);
    return stems;
  };
}

/** What was found of a statement beside the words of a tool: the decisions of a task ask for the same few again and again. */
const matched = new WeakMap<StatementReading, WeakMap<ReadonlySet<string>, Map<Effect, Match>>>();

/** The best of what the statement asks for; in the order in which it does. */
export function matchOf(reading: StatementReading, effect: Effect, words: ReadonlySet<string>): Match {
  const ofReading = matched.get(reading) ?? new WeakMap<ReadonlySet<string>, Map<Effect, Match>>();
  const ofWords = ofReading.get(words) ?? new Map<Effect, Match>();
  const known = ofWords.get(effect);
  if (known) return known;
  const match = bestMatch(reading, effect, words);
  matched.set(reading, ofReading.set(words, ofWords.set(effect, match)));
  return match;
}

function bestMatch(reading: StatementReading, effect: Effect, words: ReadonlySet<string>): Match {
  let best = NO_MATCH;
  for (const ask of reading.asks) {
    if (!answersTo(ask.effect, effect)) continue;
    const found = matchOfAsk(ask, reading, { effect, words });
    if (best.alignment === "none" || (best.alignment === "partial" && found.alignment === "full")) best = found;
    if (best.alignment === "full" && best.universal) break;
  }
  return best;
}

interface Matching {
  readonly effect: Effect;
  readonly words: ReadonlySet<string>;
}

function matchOfAsk(ask: Ask, { stems }: StatementReading, { effect, words }: Matching): Match {
  const own = [...ask.objects].filter(([stem]) => words.has(stem)).map(([, raw]) => raw);
  const { verb, universal, effect: asked } = ask;
  // Who asks for another thing to be done to it means it only where it is itself that something is done to.
  const isMeant = (asked === effect && own.length > 0) || [...ask.direct].some((stem) => words.has(stem));
  if (isMeant) return { alignment: "full", verb, asked, objects: own, universal };
  return { alignment: "partial", verb, asked, objects: [...words].filter((stem) => stems.has(stem)), universal };
}

/** What words say of a tool: it lies inside; it does where a call names what they mean; or it does not. */
export const REACHES = ["inside", "inside_if_bound", "outside"] as const;
export type Reached = (typeof REACHES)[number];

/** Nobody means it who asks for something else to be done. */
const DELIBERATE: ReadonlySet<Effect> = new Set(["delete", "share", "credential", "execute"]);

/** Whoever only reads needs no words, and one who asks for the like of it means it of what is named. */
export function reachedBy({ alignment, objects, asked }: Match, tool: Tool, effect: Effect): Reached {
  if (effect === "read" || alignment === "full") return "inside";
  if (alignment === "none") return "outside";
  // Of what is visited the address says what it is, and is graded for that.
  if (effect === "browse") return "inside";
  // `Send it to Bob` asks for whatever sends; to whom is graded for itself.
  const addressed = (objects.length > 0 || asked === effect) && [...tool.roles.values()].includes("destination");
  if (DELIBERATE.has(effect)) return asked === effect ? (addressed ? "inside" : "inside_if_bound") : "outside";
  return addressed ? "inside" : "inside_if_bound";
}
