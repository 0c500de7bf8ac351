/**
 * A Map of what is soon gone, in the order of arrival, which leaves nothing of it behind. V8 makes the table of a Map anew every few deletions, and the old
 * one keeps what it held and a link to the new one. Once an old table has come to the old generation, that link keeps all that stands in any later
 * table from being collected with the young one. Here, what has been deleted points to nothing.
 */
export class BriefMap<V> extends Map<number, V> {
  readonly #entries: Record<number, Entry<V>> = Object.create(null);
  #size = 0;
  #oldest: Entry<V> | undefined;
  #newest: Entry<V> | undefined;

  override get size(): number {
    return this.#size;
  }

  /** The value that was set before all others. */
  get oldest(): V | undefined {
    return this.#oldest?.value;
  }

  override has(key: number): boolean {
    return this.#entries[key] !== undefined;
  }

  override get(key: number): V | undefined {
    return this.#entries[key]?.value;
  }

  override set(key: number, value: V): this {
    const known = this.#entries[key];
    if (known) {
      known.value = value;
      return this;
    }
    const entry: Entry<V> = { key, value, before: this.#newest, behind: undefined };
    if (this.#newest) this.#newest.behind = entry;
    else this.#oldest = entry;
    this.#newest = entry;
    this.#entries[key] = entry;
    this.#size++;
    return this;
  }

  override delete(key: number): boolean {
    const entry = this.#entries[key];
    if (!entry) return false;
    const { before, behind } = entry;
    if (before) before.behind = behind;
    else this.#oldest = behind;
    if (behind) behind.before = before;
    else this.#newest = before;
    entry.before = undefined;
    entry.behind = undefined;
    delete this.#entries[key];
    this.#size--;
    return true;
  }

  override clear(): void {
    for (const key of [...this.keys()]) this.delete(key);
  }

  /** What is deleted meanwhile is not visited, and nor is what is set. */
  override *entries(): Generator<[number, V], undefined> {
    for (const entry of this.#inOrder()) if (this.#holds(entry)) yield [entry.key, entry.value];
  }

  override *keys(): Generator<number, undefined> {
    for (const entry of this.#inOrder()) if (this.#holds(entry)) yield entry.key;
  }

  override *values(): Generator<V, undefined> {
    for (const entry of this.#inOrder()) if (this.#holds(entry)) yield entry.value;
  }

  override [Symbol.iterator](): Generator<[number, V], undefined> {
    return this.entries();
  }

  override forEach(visit: (value: V, key: number, map: Map<number, V>) => void): void {
    for (const [key, value] of this.entries()) visit(value, key, this);
  }

  #inOrder(): readonly Entry<V>[] {
    const found: Entry<V>[] = [];
    for (let entry = this.#oldest; entry; entry = entry.behind) found.push(entry);
    return found;
  }

  #holds(entry: Entry<V>): boolean {
    return this.#entries[entry.key] === entry;
  }
}

interface Entry<V> {
  readonly key: number;
  value: V;
  before: Entry<V> | undefined;
  behind: Entry<V> | undefined;
}
