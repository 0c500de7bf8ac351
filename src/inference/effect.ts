import { type Effect, worseEffect } from "../core/words.ts";
import type { Confidence, EffectEvidence, Evidence, Inferred } from "./evidence.ts";

export interface EffectInference extends Inferred<Effect> {
  /** What the words alone say, before doubt makes it worse; undefined where they say nothing. */
  readonly read?: Effect;
}

/** What a server says of its own tool beside the definition. */
export interface Hints {
  readonly readOnlyHint?: boolean;
  readonly destructiveHint?: boolean;
  readonly openWorldHint?: boolean;
}

interface Said {
  readonly evidence: readonly EffectEvidence[];
  /** Why the words may not be all there is, or not what they seem. */
  readonly doubts: readonly string[];
  readonly hints: Hints;
  /** Somebody has reviewed just this definition: then a hint may settle what the words leave open. */
  readonly pinned: boolean;
  /** A notice to people that the caller neither names nor has words for carries nothing out. */
  readonly canAddress: boolean;
}

const harmless = (effect: Effect): boolean => effect === "read" || effect === "browse";

/** The worst that anything says; a reading only where the description says so and nothing speaks against it. */
export function inferEffect({ evidence, doubts, hints, pinned, canAddress }: Said): EffectInference {
  const counted = canAddress ? evidence : withoutNotices(evidence);
  const words = counted.map(({ from, words: said }): Evidence => ({ from, words: said }));
  const read = counted.map(({ effect }) => effect).reduce<Effect | undefined>((a, b) => (a === undefined ? b : worseEffect(a, b)), undefined);
  if (read === undefined) {
    const settled = pinned && hints.readOnlyHint === true && doubts.length === 0;
    return { value: settled ? "read" : "unknown", confidence: "low", words: settled ? [hintWords("readOnlyHint")] : words };
  }
  const confidence: Confidence = doubts.length === 0 && isSure(counted, read) ? "high" : "low";
  const hinted = withHints({ value: read, confidence, words }, hints);
  return { ...(harmless(hinted.value) && hinted.confidence === "low" ? { ...hinted, value: "unknown" } : hinted), read };
}

/** A notice counts where it is all that a tool does beside reading. */
function withoutNotices(evidence: readonly EffectEvidence[]): readonly EffectEvidence[] {
  const rest = evidence.filter(({ effect, strength, from }) => !(effect === "send" && strength === "also" && from === "description"));
  return rest.some(({ effect }) => !harmless(effect)) ? rest : evidence;
}

/** Reading is sure when the description says so first of all; anything worse, when the name or the description does and neither begins with reading. */
function isSure(evidence: readonly EffectEvidence[], read: Effect): boolean {
  const mains = evidence.filter(({ strength }) => strength === "main");
  const described = evidence.filter(({ from }) => from === "description");
  if (!harmless(read)) return mains.length > 0 && !mains.some(({ effect }) => harmless(effect));
  return mains.some(({ from }) => from === "description") || (mains.length > 0 && described[0]?.strength === "weak");
}

/** A hint may make an effect worse, and never better: whoever hides a deletion would say as well that it only reads. */
function withHints(found: Inferred<Effect>, { readOnlyHint, destructiveHint }: Hints): Inferred<Effect> {
  if (readOnlyHint === true && !harmless(found.value)) return { ...found, confidence: "low", words: [...found.words, hintWords("readOnlyHint")] };
  if (destructiveHint === true && readOnlyHint !== true && harmless(found.value))
    return { value: "delete", confidence: "low", words: [...found.words, hintWords("destructiveHint")] };
  if (readOnlyHint === false && harmless(found.value)) return { ...found, confidence: "low", words: [...found.words, hintWords("readOnlyHint")] };
  return found;
}

const hintWords = (words: string): Evidence => ({ from: "annotation", words });
