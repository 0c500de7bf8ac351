import type { Effect } from "../words.ts";

/**
 * Where a value comes from, best first (design.md §4): the words of the one who opened the task, endorsed by a person for it, an attribute of whom it
 * is for, a field of what a tool returned that its system vouches for or the task itself names, the host of an address that the task states, a text of
 * a source that the task names. The last two are weak, and never told apart in anybody's favour.
 */
export const GRADES = ["stated", "endorsed", "own", "attested", "same_host", "named_source", "free_text", "unseen"] as const;
export type Grade = (typeof GRADES)[number];

/** `none`: nothing of the kind is there. */
export const PROVENANCES = ["none", ...GRADES] as const;
export type Provenance = (typeof PROVENANCES)[number];

export const worseOf = <P extends Provenance>(a: P, b: P): P => (PROVENANCES.indexOf(a) >= PROVENANCES.indexOf(b) ? a : b);

export const isWeak = (provenance: Provenance): boolean => provenance === "free_text" || provenance === "unseen";

/** What is changed here can be changed back; what leaves, moves money, grants or destroys cannot. */
const CONTAINED: ReadonlySet<Effect> = new Set(["read", "browse", "create", "update"]);
export const isContained = (effect: Effect): boolean => CONTAINED.has(effect);
