import { LRUCache } from "lru-cache";
import type { CachedEvaluation, DecisionCache } from "../../core/ports.ts";

/** Keeps the `rowsMax` answers used last. */
export function createMemoryDecisionCache(rowsMax: number): DecisionCache {
  const cache = new LRUCache<string, CachedEvaluation>({ max: rowsMax });
  return {
    get: (key) => cache.get(key),
    peek: (key) => cache.peek(key),
    put: (key, cached) => {
      cache.set(key, cached);
    },
  };
}
