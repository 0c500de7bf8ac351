import { join } from "node:path";
import Sqlite, { type Database } from "better-sqlite3";
import { append, decodeEdge, EMPTY_TREE, leafHash, rootOf, type TreeEdge } from "../src/core/tree.ts";
import type { Acknowledged } from "./asking.ts";

/** What a data directory holds, seen from outside: read from its file alone, by nothing that the server decides with but the hashing. */
export interface Examined {
  readonly decisions: number;
  readonly events: number;
  /** Groups that were written, each with the root of the log up to then. */
  readonly groups: number;
  /** Which promises the file breaks, each as a sentence; at most so many of one kind. */
  readonly broken: readonly string[];
}

const SENTENCES_PER_KIND = 3;

export interface ExamineOptions {
  /** For how long a request id names one attempt; longer than any run, unless the policy says otherwise. */
  readonly idempotencyMs?: number;
}

/** Whatever was done to the server: what a ledger has to hold afterwards. */
export function examine(data: string, acknowledged: Iterable<Acknowledged> = [], { idempotencyMs = 3_600_000 }: ExamineOptions = {}): Examined {
  const db = new Sqlite(join(data, "behest.db"), { readonly: true });
  try {
    // One look: a server may go on writing meanwhile.
    return db.transaction(() => examineNow(db, acknowledged, idempotencyMs))();
  } catch (error) {
    if (!(error instanceof Sqlite.SqliteError)) throw error;
    return { decisions: 0, events: 0, groups: 0, broken: [`the file cannot be read: ${error.message} (${error.code})`] };
  } finally {
    db.close();
  }
}

function examineNow(db: Database, acknowledged: Iterable<Acknowledged>, idempotencyMs: number): Examined {
  const integrity = db.pragma("integrity_check", { simple: true });
  const count = (table: string): number => Number(db.prepare(`SELECT count(*) FROM ${table}`).pluck().get());
  const broken = [
    ...(integrity === "ok" ? [] : [`the file is corrupt: ${String(integrity)}`]),
    ...brokenTree(db),
    ...missing(db, acknowledged),
    ...usedTwice(db),
    ...ambiguousIds(db, idempotencyMs),
  ];
  return { decisions: count("decisions"), events: count("events"), groups: count("tree_heads"), broken };
}

interface LeafRow {
  readonly seq: number;
  readonly record: string;
  readonly leaf: Buffer;
}

/** Every record hashes to its leaf, the sequence has no gap, and each group's root is that of all records up to it. */
function brokenTree(db: Database): readonly string[] {
  const rows = db.prepare<[], LeafRow>("SELECT seq, record, leaf FROM decisions UNION ALL SELECT seq, record, leaf FROM events ORDER BY seq");
  const roots = new Map(
    db
      .prepare<[], { tree_size: number; root: Buffer }>("SELECT tree_size, root FROM tree_heads")
      .all()
      .map((head) => [head.tree_size, head.root]),
  );
  const [leaves, gaps, heads] = [few("a record does not hash to its leaf"), few("the sequence has a gap"), few("the root of a group is another one")];
  let edge = EMPTY_TREE;
  for (const { seq, record, leaf } of rows.iterate()) {
    if (!leafHash(record).equals(leaf)) leaves.add(`seq ${seq}`);
    if (seq !== edge.size + 1) gaps.add(`${seq} follows ${edge.size}`);
    edge = append(edge, leaf);
    const root = roots.get(edge.size);
    if (root !== undefined && !rootOf(edge).equals(root)) heads.add(`tree size ${edge.size}`);
    roots.delete(edge.size);
  }
  for (const size of roots.keys()) heads.add(`tree size ${size} of a log of ${edge.size}`);
  return [...leaves.sentences(), ...gaps.sentences(), ...heads.sentences(), ...brokenEdge(db, edge)];
}

function brokenEdge(db: Database, edge: TreeEdge): readonly string[] {
  const row = db.prepare<[], { tree_size: number; edge: Buffer }>("SELECT tree_size, edge FROM _tree_edge").get();
  if (!row) return ["the edge of the tree is missing"];
  const last = db.prepare("SELECT max(tree_size) FROM tree_heads").pluck().get();
  if (edge.size > 0 && last !== edge.size) return [`the log has ${edge.size} records, and the last root is that of ${String(last)}`];
  const kept = decodeEdge(row.tree_size, row.edge);
  return kept.size === edge.size && rootOf(kept).equals(rootOf(edge))
    ? []
    : [`the edge of the tree is that of another log of ${row.tree_size} records`];
}

interface DecisionRow {
  readonly outcome: string;
  readonly task_id: string | null;
  readonly attempt: string | null;
}

/** Whatever was answered has its record, and that says the same. */
function missing(db: Database, acknowledged: Iterable<Acknowledged>): readonly string[] {
  const [absent, other] = [few("an acknowledged decision has no record"), few("an acknowledged decision is recorded otherwise")];
  const find = db.prepare<[string], DecisionRow>(
    "SELECT outcome, task_id, record ->> '$.attempt.id' AS attempt FROM decisions WHERE decision_id = ?",
  );
  for (const { decisionId, outcome, requestId, taskId } of acknowledged) {
    const row = find.get(decisionId);
    if (!row) absent.add(`${outcome} ${decisionId}`);
    else if (row.outcome !== outcome || (row.task_id ?? "") !== taskId || (row.attempt ?? "") !== requestId) {
      other.add(`${outcome} ${decisionId} of request \`${requestId}\` is ${row.outcome} of request \`${row.attempt ?? ""}\``);
    }
  }
  return [...absent.sentences(), ...other.sentences()];
}

interface UseRow {
  readonly approval_id: string;
  readonly allowed: number;
  readonly uses: number;
  readonly row_uses: number | null;
  readonly may: number;
}

/** Each ALLOW that needed an approval used it up, and none was used more often than people said. */
function usedTwice(db: Database): readonly string[] {
  const rows = db
    .prepare<[], UseRow>(
      `WITH allowed AS (SELECT approval_id, count(*) AS n FROM decisions WHERE outcome = 'ALLOW' AND approval_id IS NOT NULL GROUP BY approval_id),
            used AS (SELECT approval_id, count(*) AS n FROM events WHERE kind = 'approval_used' GROUP BY approval_id)
       SELECT a.approval_id, coalesce(allowed.n, 0) AS allowed, coalesce(used.n, 0) AS uses, a.used AS row_uses,
              coalesce(a.granted ->> '$.uses', 1) AS may
       FROM approvals AS a LEFT JOIN allowed USING (approval_id) LEFT JOIN used USING (approval_id)`,
    )
    .all();
  const [often, otherwise] = [few("an approval was used more often than people said"), few("the uses of an approval are not its ALLOWs")];
  for (const { approval_id: id, allowed, uses, row_uses: inRow, may } of rows) {
    if (Math.max(allowed, uses) > may) often.add(`${id}: ${allowed} ALLOW, ${may} said`);
    if (allowed !== uses || uses !== inRow) otherwise.add(`${id}: ${allowed} ALLOW, ${uses} events, ${String(inRow)} in its row`);
  }
  return [...often.sentences(), ...otherwise.sentences()];
}

/** One attempt is decided once. An ALLOW that no longer stands is denied under the same id, and one that waited for people decided again. */
function ambiguousIds(db: Database, idempotencyMs: number): readonly string[] {
  const again = few("a request id was decided twice");
  const rows = db
    .prepare<[number], { attempt: string; n: number }>(
      `WITH attempts AS (
         SELECT record ->> '$.attempt.id' AS attempt, tenant, caller,
                at - lag(at) OVER (PARTITION BY tenant, caller, record ->> '$.attempt.id' ORDER BY seq) AS since
         FROM decisions
         WHERE record ->> '$.attempt.id' IS NOT NULL AND record ->> '$.continues' IS NULL AND record ->> '$.subject.lapsed' IS NULL)
       SELECT attempt, count(*) + 1 AS n FROM attempts WHERE since < ? GROUP BY tenant, caller, attempt`,
    )
    .all(idempotencyMs);
  for (const { attempt, n } of rows) again.add(`\`${attempt}\`, ${n} times`);
  return again.sentences();
}

/** Sentences of one kind: the first few, and how many there are. */
function few(what: string): { add(which: string): void; sentences(): readonly string[] } {
  const found: string[] = [];
  let count = 0;
  return {
    add(which) {
      if (count++ < SENTENCES_PER_KIND) found.push(which);
    },
    sentences: () => (count === 0 ? [] : [`${what}: ${found.join("; ")}${count > found.length ? `; and ${count - found.length} more` : ""}`]),
  };
}
