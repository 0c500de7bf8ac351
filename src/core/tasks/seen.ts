import type { DurationMs, Instant, Trust } from "../words.ts";

/** What a task has seen. It only ever rises. Lists are sorted and hold each value once. */
export interface Seen {
  /** By name, because a later policy may order them otherwise. */
  readonly classifications: readonly string[];
  readonly categories: readonly string[];
  /** The least trust of anything seen. */
  readonly trust: Trust;
  /** Servers of catalogued tools that were called; `unlisted` for any other tool. */
  readonly systems: readonly string[];
}

export const NOTHING_SEEN: Seen = { classifications: [], categories: [], trust: "trusted", systems: [] };

/** The same object when nothing rises, so that a caller sees at once whether there is something to record. */
export function raiseSeen(seen: Seen, by: Seen): Seen {
  const classifications = union(seen.classifications, by.classifications);
  const categories = union(seen.categories, by.categories);
  const systems = union(seen.systems, by.systems);
  const trust = seen.trust === "untrusted" ? seen.trust : by.trust;
  if (classifications === seen.classifications && categories === seen.categories && systems === seen.systems && trust === seen.trust) {
    return seen;
  }
  return { classifications, categories, trust, systems };
}

function union(a: readonly string[], b: readonly string[]): readonly string[] {
  const fresh = b.filter((value) => !a.includes(value));
  return fresh.length === 0 ? a : [...new Set([...a, ...fresh])].sort();
}

/**
 * When an agent last had each thing in sight; a new self-asserted task of the agent starts with what lies within the window. Changed in place,
 * by `apply` alone.
 */
export interface AgentMemory {
  lastAt: Instant;
  readonly classifications: Map<string, Instant>;
  readonly categories: Map<string, Instant>;
  readonly systems: Map<string, Instant>;
  untrustedAt: Instant | undefined;
}

export const createMemory = (at: Instant): AgentMemory => ({
  lastAt: at,
  classifications: new Map(),
  categories: new Map(),
  systems: new Map(),
  untrustedAt: undefined,
});

export function recall(memory: AgentMemory | undefined, now: Instant, window: DurationMs): Seen {
  if (!memory) return NOTHING_SEEN;
  const recent = (times: ReadonlyMap<string, Instant>): string[] => {
    const values: string[] = [];
    for (const [value, at] of times) if (now - at < window) values.push(value);
    return values.sort();
  };
  return {
    classifications: recent(memory.classifications),
    categories: recent(memory.categories),
    trust: memory.untrustedAt !== undefined && now - memory.untrustedAt < window ? "untrusted" : "trusted",
    systems: recent(memory.systems),
  };
}

export interface Moment {
  readonly at: Instant;
  readonly window: DurationMs;
}

export function remember(memory: AgentMemory, seen: Seen, moment: Moment): void {
  memory.lastAt = moment.at;
  note(memory.classifications, seen.classifications, moment);
  note(memory.categories, seen.categories, moment);
  note(memory.systems, seen.systems, moment);
  if (seen.trust === "untrusted") memory.untrustedAt = moment.at;
}

/** A memory is swept once it holds more than a task usually sees. */
const SWEEP_ABOVE = 64;

function note(times: Map<string, Instant>, values: readonly string[], { at, window }: Moment): void {
  for (const value of values) times.set(value, at);
  if (times.size <= SWEEP_ABOVE) return;
  for (const [value, seenAt] of times) if (at - seenAt >= window) times.delete(value);
}
