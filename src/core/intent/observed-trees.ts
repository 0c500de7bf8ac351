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

/** Values of all trees together; beyond, the tree to which nothing came for longest is forgotten whole. */
export const OBSERVED_IN_ALL_MAX = 1_000_000;

/** What tools returned, by task tree. */
export class ObservedTrees {
  /** The one that was fed last stands last. */
  readonly #byRoot = new Map<string, Observed>();
  #size = 0;

  of(root: string): ObservedView | undefined {
    return this.#byRoot.get(root);
  }

  feed({ root, ...seen }: ObservedInTree): void {
    if (seen.entries.length + seen.amounts.length + seen.followed.length === 0) return;
    const observed = this.#byRoot.get(root) ?? new Observed();
    const before = observed.size;
    observed.add(seen);
    this.#size += observed.size - before;
    this.#byRoot.delete(root);
    this.#byRoot.set(root, observed);
    for (const [oldest] of this.#byRoot) {
      if (this.#size <= OBSERVED_IN_ALL_MAX) break;
      this.drop(oldest);
    }
  }

  /** Takes in what was kept of a tree by an earlier process; the one that was fed last comes last. */
  recall({ root, ...recalled }: RecalledTree, digestOf: DigestOf): void {
    this.drop(root);
    this.#byRoot.set(root, new Observed(recalled, digestOf));
    this.#size += recalled.values.length;
  }

  drop(root: string): void {
    this.#size -= this.#byRoot.get(root)?.size ?? 0;
    this.#byRoot.delete(root);
  }

  forget(isOpen: (root: string) => boolean): void {
    for (const root of this.#byRoot.keys()) if (!isOpen(root)) this.drop(root);
  }
}
