import type { Database } from "better-sqlite3";
import { ASKING_WINDOW_MS } from "../../core/approvals/register.ts";
import { decodeEvent } from "../../core/record.ts";
import { createState } from "../../core/state.ts";
import { leafHash } from "../../core/tree.ts";
import { readApprovals } from "./approval-rows.ts";
import type { CacheRow } from "./decision-cache.ts";
import type { FromWriter, WriterOptions } from "./messages.ts";
import type { ObservationDigests } from "./observation-digests.ts";
import { readObserved } from "./observation-rows.ts";
import { readHolding } from "./suspension-rows.ts";
import { readRegistered, readSelfAsserted, TREES_THAT_MATTER } from "./task-rows.ts";

const EVENTS_PER_MESSAGE = 500;

export interface RebuildOptions extends Pick<WriterOptions, "nowMs" | "cacheRowsMax"> {
  readonly digests: ObservationDigests;
}

interface StoredEvent {
  readonly seq: number;
  readonly record: string;
  readonly leaf: Buffer;
}

/**
 * Sends what the state is rebuilt from: every event that can still matter, in order, then the rows to check it against. An event matters if
 * it lies within the longest window of the last policy, if it belongs to a self-asserted task that is open or to a tree of registered tasks that is
 * remembered, if it is about an approval of which anything else matters, or about a suspension whose time is not over: which trees, approvals and
 * suspensions these are is not left to the rows that are checked against them.
 */
export function readRebuild(db: Database, options: RebuildOptions, say: (message: FromWriter) => void): void {
  refuseGap(db);
  const last = db.prepare<[], { record: string }>("SELECT record FROM events WHERE kind = 'policy_loaded' ORDER BY seq DESC LIMIT 1").get();
  const lastPolicy = last && decodeEvent(last.record);
  const { windows } = lastPolicy?.kind === "policy_loaded" ? lastPolicy : createState();
  const { nowMs } = options;
  // What was not reported in time counts from then on, as long as anything is remembered.
  // Questions are counted over an hour, whatever the windows are.
  const horizonMs = nowMs - Math.max(windows.memory + windows.reportWithin, windows.idempotency, ASKING_WINDOW_MS);
  const endedMs = nowMs - windows.memory;
  // The windows in force come first, so that nothing is forgotten early while the rest is applied.
  const first = firstSeqSince(db, horizonMs);
  // Then those that were in force when what follows began: what came to be overdue under them stays so.
  const before = db
    .prepare<[number], { record: string }>("SELECT record FROM events WHERE kind = 'policy_loaded' AND seq < ? ORDER BY seq DESC LIMIT 1")
    .get(first);
  const head = [last, before].flatMap((row) => row?.record ?? []);
  const approvals = approvalsThatMatter(db, { first, endedMs });
  sendEvents(head, eventsSince(db, { first, nowMs, endedMs, approvals: JSON.stringify(approvals) }), say);
  say({ kind: "tasks", selfAsserted: readSelfAsserted(db, horizonMs), registered: readRegistered(db, endedMs) });
  say({ kind: "approvals", rows: readApprovals(db, approvals) });
  say({ kind: "suspensions", rows: readHolding(db, nowMs) });
  for (const tree of readObserved(db, options)) say({ kind: "observed", ...tree });
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
  readonly first: number;
  readonly nowMs: number;
  /** Trees that were over before this are forgotten. */
  readonly endedMs: number;
  /** A JSON list of ids. */
  readonly approvals: string;
}

const TASKS_THAT_MATTER = `open AS (SELECT task_id FROM tasks WHERE kind <> 'registered' AND state = 'open'), trees AS MATERIALIZED (${TREES_THAT_MATTER}),
  members AS (SELECT task_id FROM events WHERE kind = 'task_registered' AND root_task_id IN (SELECT event_id FROM trees))`;

/**
 * Approvals of tasks that matter, those that anything has happened to since, and those whose rows say that they are open, although their tasks are over: nobody
 * has written down yet that they are, too.
 */
const approvalsThatMatter = (db: Database, since: Pick<Since, "first" | "endedMs">): readonly string[] =>
  db
    .prepare<Pick<Since, "first" | "endedMs">, string>(
      `WITH ${TASKS_THAT_MATTER}
       SELECT approval_id FROM events NOT INDEXED WHERE seq >= @first AND approval_id IS NOT NULL
       UNION SELECT approval_id FROM decisions NOT INDEXED WHERE seq >= @first AND approval_id IS NOT NULL
       UNION SELECT approval_id FROM events WHERE task_id IN (SELECT task_id FROM open) AND approval_id IS NOT NULL
       UNION SELECT approval_id FROM events WHERE root_task_id IN (SELECT event_id FROM trees) AND approval_id IS NOT NULL
       UNION SELECT approval_id FROM approvals WHERE state IN ('pending', 'approved')`,
    )
    .pluck()
    .all(since);

/** Those that are of one are read already. */
const OF_NO_SUCH_TASK = "task_id NOT IN (SELECT task_id FROM open) AND root_task_id NOT IN (SELECT event_id FROM trees)";

function eventsSince(db: Database, since: Since): IterableIterator<StoredEvent> {
  const statement = db.prepare<Since, StoredEvent>(
    `WITH ${TASKS_THAT_MATTER}, asked AS MATERIALIZED (SELECT value FROM json_each(@approvals))
     SELECT seq, record, leaf FROM decisions WHERE seq >= @first
     UNION ALL SELECT seq, record, leaf FROM events WHERE seq >= @first
     UNION ALL SELECT seq, record, leaf FROM decisions WHERE task_id IN (SELECT task_id FROM open) AND seq < @first
     UNION ALL SELECT seq, record, leaf FROM events WHERE task_id IN (SELECT task_id FROM open) AND seq < @first
     UNION ALL SELECT seq, record, leaf FROM decisions WHERE task_id IN (SELECT task_id FROM members) AND seq < @first
     UNION ALL SELECT seq, record, leaf FROM events WHERE root_task_id IN (SELECT event_id FROM trees) AND seq < @first
     UNION ALL SELECT seq, record, leaf FROM events WHERE kind = 'suspended' AND seq < @first
               AND ifnull(record ->> '$.suspension.until', @nowMs + 1) > @nowMs
     UNION ALL SELECT seq, record, leaf FROM events WHERE kind = 'resumed' AND seq < @first
     UNION ALL SELECT seq, record, leaf FROM events WHERE approval_id IN (SELECT value FROM asked) AND seq < @first AND ${OF_NO_SUCH_TASK}
     UNION ALL SELECT seq, record, leaf FROM decisions WHERE approval_id IN (SELECT value FROM asked) AND seq < @first AND ${OF_NO_SUCH_TASK}
               AND outcome = 'REQUIRE_APPROVAL'
     ORDER BY seq`,
  );
  return statement.iterate(since);
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
