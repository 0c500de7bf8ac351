import type { Effect } from "../core/words.ts";

export type Confidence = "high" | "low";

/** Words by which something was concluded, and where they stand. */
export interface Evidence {
  readonly from: "name" | "description" | "schema" | "annotation";
  readonly words: string;
}

export interface EffectEvidence extends Evidence {
  readonly effect: Effect;
  /**
   * `main`: what the tool is said to do; `also`: what it does beside; `weak`: words that can mean something else;
   * `likely`: words that can, but hardly do where nothing is handed over with them.
   */
  readonly strength: "main" | "also" | "weak" | "likely";
}

/** What was concluded, how surely, and from which words. */
export interface Inferred<T> {
  readonly value: T;
  readonly confidence: Confidence;
  readonly words: readonly Evidence[];
}
