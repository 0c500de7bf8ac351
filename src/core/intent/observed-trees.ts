import { type DigestOf, type Observation, Observed, type ObservedView, type Recalled } from "./observed.ts";

/** What a tool returned to one task tree. */
export interface ObservedInTree extends Observation {
  /** The task at the root; a self-asserted task is its own. */
  readonly root: string;
}

/** What is left of that after a restart. */
export interface RecalledTree extends Recalled {
  readonly root: string;
}

/** Values of all trees together, and what they follow, as so many values; beyond, the tree to which nothing came for longest is forgotten whole. */
export const OBSERVED_IN_ALL_MAX = 1_000_000;

/** What tools returned, by task tree. */
export class ObservedTrees {
  /** The one that was fed last stands last. */
  readonly #byRoot = new Map<string, Observed>();
  readonly #weightMax: number;
  #weight = 0;

  constructor(weightMax = OBSERVED_IN_ALL_MAX) {
    this.#weightMax = weightMax;
  }

  of(root: string): ObservedView | undefined {
    return this.#byRoot.get(root);
  }

  feed({ root, ...seen }: ObservedInTree): void {
    if (seen.entries.length + seen.amounts.length + seen.followed.length === 0) return;
    const observed = this.#byRoot.get(root) ?? new Observed();
    const before = observed.weight;
    observed.add(seen);
    this.#weight += observed.weight - before;
    this.#byRoot.delete(root);
    this.#byRoot.set(root, observed);
    for (const [oldest] of this.#byRoot) {
      if (this.#weight <= this.#weightMax) break;
      this.drop(oldest);
    }
  }

  /** Takes in what was kept of a tree by an earlier process; the one that was fed last comes last. */
  recall({ root, ...recalled }: RecalledTree, digestOf: DigestOf): void {
    this.drop(root);
    this.#byRoot.set(root, new Observed(recalled, digestOf));
    this.#weight += recalled.values.length;
  }

  drop(root: string): void {
    this.#weight -= this.#byRoot.get(root)?.weight ?? 0;
    this.#byRoot.delete(root);
  }

  forget(isOpen: (root: string) => boolean): void {
    for (const root of this.#byRoot.keys()) if (!isOpen(root)) this.drop(root);
  }
}
