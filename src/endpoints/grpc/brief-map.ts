/**
 * A Map of what is soon gone, in the order of arrival, which leaves nothing of it behind. V8 makes the table of a Map anew every few deletions, and the old
 * one keeps what it held and a link to the new one. Once an old table has come to the old generation, that link keeps all that stands in any later
 * table from being collected with the young one. Here, what has been deleted points to nothing. Keys are small: see `nextKey`.
 */
export class BriefMap<V> extends Map<number, V> {
  readonly #entries: Record<number, Entry<V>> = Object.create(null);
  #size = 0;
  #set = 0;
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
    const entry: Entry<V> = { key, place: ++this.#set, value, before: this.#newest, behind: undefined };
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
    entry.value = undefined;
    delete this.#entries[key];
    this.#size--;
    return true;
  }

  override clear(): void {
    for (const key of this.keys()) this.delete(key);
  }

  /** What is deleted meanwhile is not visited, and nor is what is set. */
  override *entries(): Generator<[number, V], undefined> {
    for (const { key, value } of this.#walk()) yield [key, value as V];
  }

  override *keys(): Generator<number, undefined> {
    for (const { key } of this.#walk()) yield key;
  }

  override *values(): Generator<V, undefined> {
    for (const { value } of this.#walk()) yield value as V;
  }

  override [Symbol.iterator](): Generator<[number, V], undefined> {
    return this.entries();
  }

  override forEach(visit: (value: V, key: number, map: Map<number, V>) => void, thisArg?: unknown): void {
    for (const { key, value } of this.#walk()) visit.call(thisArg, value as V, key, this);
  }

  /** Whoever stops early has paid for no more than he saw. */
  *#walk(): Generator<Entry<V>, undefined> {
    const last = this.#set;
    for (let entry = this.#oldest; entry && entry.place <= last; ) {
      const { place, behind } = entry;
      yield entry;
      entry = behind && this.#entries[behind.key] !== behind ? this.#firstBehind(place) : behind;
    }
  }

  /** The next one was deleted too. */
  #firstBehind(place: number): Entry<V> | undefined {
    let entry = this.#oldest;
    while (entry && entry.place <= place) entry = entry.behind;
    return entry;
  }
}

interface Entry<V> {
  readonly key: number;
  /** How many were set before, and itself. */
  readonly place: number;
  value: V | undefined;
  before: Entry<V> | undefined;
  behind: Entry<V> | undefined;
}

/** From 2 ** 32 on, keys are names to V8, each of which it keeps as a text. */
const KEYS_MAX = 2 ** 30;

/** The one behind the last that none of the maps holds; they begin anew when they have run out. */
export function nextKey(last: number, held: readonly Map<number, unknown>[]): number {
  let key = last;
  do key = key >= KEYS_MAX ? 1 : key + 1;
  while (held.some((map) => map.has(key)));
  return key;
}
