import type { Database } from "better-sqlite3";
import { decodeEvent } from "../../core/record.ts";
import { createState } from "../../core/state.ts";
import { leafHash } from "../../core/tree.ts";
import type { CacheRow } from "./decision-cache.ts";
import type { FromWriter, TaskRow, WriterOptions } from "./messages.ts";
import { readHolding } from "./suspension-rows.ts";

const EVENTS_PER_MESSAGE = 500;

interface StoredEvent {
  readonly seq: number;
  readonly record: string;
  readonly leaf: Buffer;
}

/**
 * Sends what the state is rebuilt from: every event that can still matter, in order, then the rows to check it against. An event matters if
 * it lies within the longest window of the last policy, if it belongs to a task that is open, or if it is about a suspension whose time is not over:
 * which ones these are is not left to the rows that are checked against them.
 */
export function readRebuild(db: Database, options: WriterOptions, say: (message: FromWriter) => void): void {
  refuseGap(db);
  const last = db.prepare<[], { record: string }>("SELECT record FROM events WHERE kind = 'policy_loaded' ORDER BY seq DESC LIMIT 1").get();
  const lastPolicy = last && decodeEvent(last.record);
  const { windows } = lastPolicy?.kind === "policy_loaded" ? lastPolicy : createState();
  const horizonMs = options.nowMs - Math.max(windows.memory, windows.idempotency, windows.reportWithin);
  // The windows in force come first, so that nothing is forgotten early while the rest is applied.
  const head = last ? [last.record] : [];
  sendEvents(head, eventsSince(db, { firstSeq: firstSeqSince(db, horizonMs), nowMs: options.nowMs }), say);
  const tasks = db.prepare<[], TaskRow>(
    `SELECT task_id, state, tenant, caller, agent, principal, session, statement, opened_at, seen FROM tasks
     WHERE state = 'open' OR opened_at >= ${horizonMs}`,
  );
  say({ kind: "tasks", rows: tasks.all() });
  say({ kind: "suspensions", rows: readHolding(db, options.nowMs) });
  const cache = db.prepare<[number], CacheRow>("SELECT * FROM decision_cache ORDER BY at DESC LIMIT ?");
  say({ kind: "cache", rows: cache.all(options.cacheRowsMax) });
}

/** Both tables and the tree must tell of the same number of events. */
function refuseGap(db: Database): void {
  const row = db
    .prepare<[], { events: number; last: number; size: number }>(
      `SELECT (SELECT count(*) FROM decisions) + (SELECT count(*) FROM events) AS events,
              max(ifnull((SELECT max(seq) FROM decisions), 0), ifnull((SELECT max(seq) FROM events), 0)) AS last,
              (SELECT tree_size FROM _tree_edge) AS size`,
    )
    .get();
  if (row && (row.last !== row.size || row.events !== row.size)) {
    throw new Error(
      `the ledger holds ${row.events} events up to number ${row.last}, and its tree has ${row.size} leaves; rows were removed or added outside Behest`,
    );
  }
}

function firstSeqSince(db: Database, horizonMs: number): number {
  const row = db
    .prepare<[number], { size: number | null }>(
      "SELECT max(tree_size) AS size FROM tree_heads WHERE tree_size < (SELECT min(tree_size) FROM tree_heads WHERE at >= ?)",
    )
    .get(horizonMs);
  const recent = db.prepare<[number], { n: number }>("SELECT count(*) AS n FROM (SELECT 1 FROM tree_heads WHERE at >= ? LIMIT 1)").get(horizonMs);
  return recent?.n === 0 ? Number.MAX_SAFE_INTEGER : (row?.size ?? 0) + 1;
}

interface Since {
  readonly firstSeq: number;
  readonly nowMs: number;
}

function eventsSince(db: Database, { firstSeq, nowMs }: Since): IterableIterator<StoredEvent> {
  const statement = db.prepare<{ first: number; now: number }, StoredEvent>(
    `WITH open AS (SELECT task_id FROM tasks WHERE state = 'open')
     SELECT seq, record, leaf FROM decisions WHERE seq >= @first
     UNION ALL SELECT seq, record, leaf FROM events WHERE seq >= @first
     UNION ALL SELECT seq, record, leaf FROM decisions WHERE task_id IN (SELECT task_id FROM open) AND seq < @first
     UNION ALL SELECT seq, record, leaf FROM events WHERE task_id IN (SELECT task_id FROM open) AND seq < @first
     UNION ALL SELECT seq, record, leaf FROM events WHERE kind = 'suspended' AND seq < @first
               AND ifnull(record ->> '$.suspension.until', @now + 1) > @now
     UNION ALL SELECT seq, record, leaf FROM events WHERE kind = 'resumed' AND seq < @first
     ORDER BY seq`,
  );
  return statement.iterate({ first: firstSeq, now: nowMs });
}

function sendEvents(head: readonly string[], rows: Iterable<StoredEvent>, say: (message: FromWriter) => void): void {
  let chunk = [...head];
  for (const { seq, record, leaf } of rows) {
    if (!leafHash(record).equals(leaf)) throw new Error(`event number ${seq} differs from its leaf in the tree; it was changed outside Behest`);
    chunk.push(record);
    if (chunk.length < EVENTS_PER_MESSAGE) continue;
    say({ kind: "events", events: chunk });
    chunk = [];
  }
  say({ kind: "events", events: chunk });
}
