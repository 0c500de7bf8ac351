import type { Trust } from "../words.ts";

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
