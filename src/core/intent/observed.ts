import type { Grade } from "./grades.ts";

/** What was settled of a value when it was reported. */
export interface ObservedValue {
  /** `attested`, `named_source` or `free_text`. */
  readonly grade: Extract<Grade, "attested" | "named_source" | "free_text">;
  /** It stands in a record that the task names: by its words, as the largest, or as one of all. */
  readonly bound: boolean;
  /** It names something: a word or two, and no date, number or yes. */
  readonly naming: boolean;
  /** The tool that returned it. */
  readonly tool: string;
}

export interface ObservedEntry extends ObservedValue {
  /** In its one spelling. */
  readonly value: string;
}

/** Values of one task tree; the newest are kept. */
export const OBSERVED_VALUES_MAX = 4_096;
/** Longer values are read for the addresses in them, and not kept themselves. */
export const OBSERVED_LENGTH_MAX = 256;
/** Amounts from which others may be computed; the newest are kept. */
export const OBSERVED_AMOUNTS_MAX = 64;

/** Texts that the task says to follow; the first are kept: what comes later may have been made by what was followed. */
export const FOLLOWED_TEXTS_MAX = 4;
export const FOLLOWED_LENGTH_MAX = 8_192;

/** What one result adds. */
export interface Observation {
  readonly entries: readonly ObservedEntry[];
  readonly amounts: readonly number[];
  readonly followed: readonly string[];
}

/** What is left of a value after a restart: nobody can read it back, and whoever has it finds it. */
export interface RecalledValue extends ObservedValue {
  /** Keyed, of the value. */
  readonly digest: string;
}

/** What is left of a tree after a restart. */
export interface Recalled {
  /** The newest last. */
  readonly values: readonly RecalledValue[];
  /** Keyed digests of the texts that the task says to follow. */
  readonly followed: readonly string[];
}

const NOTHING_RECALLED: Recalled = { values: [], followed: [] };

/** The keyed digest under which a value is found again. */
export type DigestOf = (value: string) => string;

export interface ObservedView {
  readonly size: number;
  readonly amounts: readonly number[];
  /** Texts of sources that the task says to follow. */
  readonly followed: readonly string[];
  get(value: string): ObservedValue | undefined;
}

const RANK = { attested: 0, named_source: 1, free_text: 2 } as const;

/** What the tools of one task tree have returned. Changed by reports alone. */
export class Observed implements ObservedView {
  readonly #values = new Map<string, ObservedValue>();
  /** By digest, those that have not come again since: older than all others. */
  readonly #recalled: Map<string, ObservedValue>;
  readonly #digestOf: DigestOf;
  #amounts: number[] = [];
  readonly #followed: string[] = [];
  /** Digests of those that were not returned again since: they keep their places, or what was made by them could take these. */
  readonly #followedBefore: Set<string>;

  /** Begins with what was kept of an earlier process. */
  constructor({ values, followed }: Recalled = NOTHING_RECALLED, digestOf: DigestOf = (value) => value) {
    this.#recalled = new Map(values.map(({ digest, ...found }) => [digest, found]));
    this.#followedBefore = new Set(followed);
    this.#digestOf = digestOf;
  }

  get size(): number {
    return this.#values.size + this.#recalled.size;
  }

  /** With what followed texts weigh, each as much as the values that have so many characters. */
  get weight(): number {
    return this.size + this.#followed.reduce((sum, text) => sum + Math.ceil(text.length / OBSERVED_LENGTH_MAX), 0);
  }

  get amounts(): readonly number[] {
    return this.#amounts;
  }

  get followed(): readonly string[] {
    return this.#followed;
  }

  get(value: string): ObservedValue | undefined {
    return this.#values.get(value) ?? this.#recalledOf(value)?.found;
  }

  #recalledOf(value: string): { readonly digest: string; readonly found: ObservedValue } | undefined {
    if (this.#recalled.size === 0) return undefined;
    const digest = this.#digestOf(value);
    const found = this.#recalled.get(digest);
    return found && { digest, found };
  }

  add({ entries, amounts, followed }: Observation): void {
    for (const { value, ...found } of entries) {
      if (!this.#values.has(value)) this.#bringBack(value);
      keepBetter(this.#values, value, found);
    }
    for (const text of followed) this.#follow(text);
    dropOldest(this.#recalled, this.size - OBSERVED_VALUES_MAX);
    dropOldest(this.#values, this.size - OBSERVED_VALUES_MAX);
    if (amounts.length > 0) this.#amounts = [...new Set([...this.#amounts, ...amounts])].slice(-OBSERVED_AMOUNTS_MAX);
  }

  #follow(text: string): void {
    if (this.#followed.includes(text)) return;
    const isFollowedBefore = this.#followedBefore.size > 0 && this.#followedBefore.delete(this.#digestOf(text));
    if (isFollowedBefore || this.#followed.length + this.#followedBefore.size < FOLLOWED_TEXTS_MAX) this.#followed.push(copyOf(text));
  }

  /** What comes again is in clear from now on. */
  #bringBack(value: string): void {
    const before = this.#recalledOf(value);
    if (!before) return;
    this.#recalled.delete(before.digest);
    this.#values.set(value, before.found);
  }
}

/** A part of a text holds all of it in memory; what is made anew does not. */
const copyOf = (text: string): string => Array.from(text).join("");

/** A value that comes again is the newest. */
export function keepBetter(values: Map<string, ObservedValue>, key: string, found: ObservedValue): void {
  const before = values.get(key);
  values.delete(key);
  values.set(key, before ? betterOf(before, found) : found);
}

/** As many as `count`, of a map in which the newest stand last. */
function dropOldest(values: Map<string, ObservedValue>, count: number): void {
  let left = count;
  for (const key of values.keys()) {
    if (left-- <= 0) return;
    values.delete(key);
  }
}

/** A value that comes again keeps the better of its grades: the system's own record vouches for it wherever else it stands. */
export function betterOf(a: ObservedValue, b: ObservedValue): ObservedValue {
  const best = RANK[a.grade] <= RANK[b.grade] ? a : b;
  return { ...best, bound: a.bound || b.bound };
}
