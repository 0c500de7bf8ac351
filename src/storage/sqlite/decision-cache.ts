import { createHmac, timingSafeEqual } from "node:crypto";
import { LRUCache } from "lru-cache";
import { encodeStable } from "../../core/json.ts";
import type { CachedEvaluation, DecisionCache } from "../../core/ports.ts";
import type { Instant } from "../../core/words.ts";

/** One row of `decision_cache`. */
export interface CacheRow {
  readonly key: string;
  readonly policy_digest: string;
  readonly decision_id: string;
  readonly score: number;
  /** JSON list of what stands, see `Evaluation`. */
  readonly stands: string;
  readonly at: number;
  /** HMAC-SHA-256 over all other columns, under a key outside the database: a row edited by hand is not believed. */
  readonly mac: string;
}

export interface SqliteDecisionCache extends DecisionCache {
  /** Answers that are kept in memory. */
  readonly size: number;
  /** Takes in rows from disk, the newest first; what is not ours or of another policy is dropped. */
  load(rows: readonly CacheRow[]): void;
  /** Forgets everything: the decisions that answers name may not have reached the disk. */
  clear(): void;
}

export interface SqliteDecisionCacheOptions {
  readonly rowsMax: number;
  readonly key: Buffer;
  readonly now: () => Instant;
  /** Sends a row to disk, with whatever group goes next. */
  readonly write: (row: CacheRow) => void;
}

/** An LRU in front of the table. A key is written when it is met the second time, so that distinct traffic writes nothing. */
export function createSqliteDecisionCache(options: SqliteDecisionCacheOptions): SqliteDecisionCache {
  const entries = new LRUCache<string, { readonly cached: CachedEvaluation; onDisk: boolean }>({ max: options.rowsMax });
  return {
    get size() {
      return entries.size;
    },
    get(key) {
      const entry = entries.get(key);
      if (!entry) return undefined;
      if (!entry.onDisk) {
        entry.onDisk = true;
        options.write(sealedRow(options, key, entry.cached));
      }
      return entry.cached;
    },
    peek: (key) => entries.peek(key)?.cached,
    put(key, cached) {
      entries.set(key, { cached, onDisk: false });
    },
    load(rows) {
      for (const row of [...rows].reverse()) {
        const cached = openRow(options.key, row);
        if (cached) entries.set(row.key, { cached, onDisk: true });
      }
    },
    clear: () => entries.clear(),
  };
}

function sealedRow({ key, now }: SqliteDecisionCacheOptions, cacheKey: string, cached: CachedEvaluation): CacheRow {
  const row = {
    key: cacheKey,
    policy_digest: cached.policy,
    decision_id: cached.decisionId,
    score: cached.evaluation.score,
    stands: JSON.stringify(cached.evaluation.stands),
    at: now(),
  };
  return { ...row, mac: macOf(key, row) };
}

function openRow(key: Buffer, { mac, ...row }: CacheRow): CachedEvaluation | undefined {
  const expected = Buffer.from(macOf(key, row), "hex");
  const given = Buffer.from(mac, "hex");
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
  const stands: readonly number[] = JSON.parse(row.stands);
  return { policy: row.policy_digest, decisionId: row.decision_id, evaluation: { score: row.score, stands } };
}

const macOf = (key: Buffer, row: Omit<CacheRow, "mac">): string =>
  createHmac("sha256", key)
    .update(encodeStable([row.key, row.policy_digest, row.decision_id, row.score, row.stands, row.at]))
    .digest("hex");
