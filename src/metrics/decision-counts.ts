import type { DecisionRecord } from "../core/record.ts";
import type { Basis, Outcome } from "../core/words.ts";

const OUTCOMES: Readonly<Record<Outcome, number>> = { ALLOW: 0, DENY: 1, REQUIRE_APPROVAL: 2 };
const BASES: Readonly<Record<Basis, number>> = { AUTHORIZED: 0, INFERRED: 1, AVAILABLE: 2, NONE: 3 };
const BASES_COUNT = Object.keys(BASES).length;
const CACHE = ["miss", "hit"] as const;

/** The labels of one counter, as few as they are. */
export interface DecisionLabels {
  readonly outcome: string;
  readonly basis: string;
  readonly cache: string;
}

export interface DecisionCounts {
  add(record: DecisionRecord): void;
  all(): readonly { readonly labels: DecisionLabels; readonly count: number }[];
}

/** Decisions by outcome, basis and cache: an array, because to find a counter by its labels takes prom-client 250 ns. */
export function createDecisionCounts(): DecisionCounts {
  const counts = new Float64Array(Object.keys(OUTCOMES).length * BASES_COUNT * CACHE.length);
  const placeOf = (outcome: number, basis: number, cache: number): number => (outcome * BASES_COUNT + basis) * CACHE.length + cache;
  const labelled = Object.entries(OUTCOMES).flatMap(([outcome, first]) =>
    Object.entries(BASES).flatMap(([basis, second]) =>
      CACHE.map((cache, third) => ({
        labels: { outcome: outcome.toLowerCase(), basis: basis.toLowerCase(), cache },
        place: placeOf(first, second, third),
      })),
    ),
  );
  return {
    add({ judgement, cache }) {
      const place = placeOf(OUTCOMES[judgement.outcome], BASES[judgement.basis], cache.hit ? 1 : 0);
      counts[place] = (counts[place] ?? 0) + 1;
    },
    all: () => labelled.map(({ labels, place }) => ({ labels, count: counts[place] ?? 0 })),
  };
}
