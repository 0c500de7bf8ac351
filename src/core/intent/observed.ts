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
  #amounts: number[] = [];
  #followed: readonly string[] = [];

  get size(): number {
    return this.#values.size;
  }

  get amounts(): readonly number[] {
    return this.#amounts;
  }

  get followed(): readonly string[] {
    return this.#followed;
  }

  get(value: string): ObservedValue | undefined {
    return this.#values.get(value);
  }

  /** A value that comes again keeps the better of its grades: the system's own record vouches for it wherever else it stands. */
  add({ entries, amounts, followed }: Observation): void {
    for (const { value, ...found } of entries) {
      const before = this.#values.get(value);
      this.#values.delete(value);
      this.#values.set(value, before ? better(before, found) : found);
    }
    for (const value of this.#values.keys()) {
      if (this.#values.size <= OBSERVED_VALUES_MAX) break;
      this.#values.delete(value);
    }
    this.#followed = [...new Set([...this.#followed, ...followed])].slice(0, FOLLOWED_TEXTS_MAX);
    if (amounts.length > 0) this.#amounts = [...new Set([...this.#amounts, ...amounts])].slice(-OBSERVED_AMOUNTS_MAX);
  }
}

function better(a: ObservedValue, b: ObservedValue): ObservedValue {
  const best = RANK[a.grade] <= RANK[b.grade] ? a : b;
  return { ...best, bound: a.bound || b.bound };
}
