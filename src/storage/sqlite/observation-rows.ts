import type { Database } from "better-sqlite3";
import {
  dropOldest,
  keepBetter,
  OBSERVED_VALUES_MAX,
  type ObservedEntry,
  type ObservedValue,
  type RecalledValue,
} from "../../core/intent/observed.ts";
import { OBSERVED_IN_ALL_MAX, type RecalledTree } from "../../core/intent/observed-trees.ts";
import type { LedgerEvent } from "../../core/record.ts";
import type { ObservationDigests } from "./observation-digests.ts";

/** One row of `_observations`. */
interface ObservationRow {
  readonly digest: string;
  /** The greatest of a tree came last. */
  readonly came: number;
  readonly grade: ObservedValue["grade"];
  readonly bound: number;
  readonly naming: number;
  readonly tool: string;
}

/** One row of `_observed_trees`. */
interface TreeRow {
  readonly root_task_id: string;
  readonly seal: string;
}

const COLUMNS = "digest, came, grade, bound, naming, tool";

export interface ObservationStatements {
  /** Deletes what is kept of a tree that ends. */
  project(event: LedgerEvent): void;
  /** Keeps what tools returned to trees that are open, and deletes what is kept of those whose time is over. */
  write(texts: readonly string[], atMs: number): void;
}

/** Keeps of each value that tools returned its digest and its grade, in the transaction of the report. */
export function observationStatements(db: Database, digests: ObservationDigests): ObservationStatements {
  const trees = treeStatements(db);
  const read = treeReader(db, digests);
  const put = db.prepare<ObservationRow & { root: string }>(
    `INSERT OR REPLACE INTO _observations (root_task_id, ${COLUMNS}) VALUES (@root, @digest, @came, @grade, @bound, @naming, @tool)`,
  );
  const remove = db.prepare<[string, string]>("DELETE FROM _observations WHERE root_task_id = ? AND digest = ?");

  const feed = (root: string, entries: readonly ObservedEntry[], expiresAt: number | null): void => {
    const seal = trees.sealOf(root);
    const before = seal === undefined ? undefined : read(root, seal);
    // What cannot be believed must not be sealed anew.
    if (!before) trees.drop(root);
    const after = addTo(before ?? [], entries, digests.of(root));
    const kept = new Set(after.map((row) => row.digest));
    for (const { digest } of before ?? []) if (!kept.has(digest)) remove.run(root, digest);
    const lastCame = before?.at(-1)?.came ?? 0;
    for (const row of after) if (row.came > lastCame) put.run({ root, ...row });
    trees.put({ root, kept: after.length, expires_at: expiresAt, seal: digests.seal(root, after) });
  };

  return {
    project(event) {
      const isEnd = event.kind === "task_closed" || ((event.kind === "task_ended" || event.kind === "task_revoked") && event.task === event.root);
      if (isEnd) trees.drop(event.task);
    },
    write(texts, atMs) {
      trees.dropPast(atMs);
      for (const text of texts) {
        const { root, entries }: { readonly root: string; readonly entries: readonly ObservedEntry[] } = JSON.parse(text);
        const task = trees.openTask(root, atMs);
        if (task && entries.length > 0) feed(root, entries, task.expires_at);
      }
      trees.dropBeyond();
    },
  };
}

/** The rows of a tree after more has come to it, in their order. Those that are new or came again have greater numbers than all that were there. */
function addTo(rows: readonly ObservationRow[], entries: readonly ObservedEntry[], digestOf: (value: string) => string): readonly ObservationRow[] {
  const values = new Map<string, ObservedValue>(rows.map((row) => [row.digest, valueIn(row)]));
  const came = new Map(rows.map((row) => [row.digest, row.came]));
  for (const { value, ...found } of entries) {
    const digest = digestOf(value);
    keepBetter(values, digest, found);
    came.delete(digest);
  }
  dropOldest(values, values.size - OBSERVED_VALUES_MAX);
  let last = rows.at(-1)?.came ?? 0;
  return [...values].map(([digest, { grade, bound, naming, tool }]) => ({
    digest,
    came: came.get(digest) ?? ++last,
    grade,
    bound: Number(bound),
    naming: Number(naming),
    tool,
  }));
}

const valueIn = ({ grade, bound, naming, tool }: ObservationRow): ObservedValue => ({ grade, bound: bound === 1, naming: naming === 1, tool });

function treeStatements(db: Database) {
  const sealOf = db.prepare<[string], string>("SELECT seal FROM _observed_trees WHERE root_task_id = ?").pluck();
  const put = db.prepare(
    `INSERT OR REPLACE INTO _observed_trees (root_task_id, fed, kept, expires_at, seal)
     VALUES (@root, (SELECT ifnull(max(fed), 0) + 1 FROM _observed_trees), @kept, @expires_at, @seal)`,
  );
  const openTask = db.prepare<[string, number], { expires_at: number | null }>(
    "SELECT expires_at FROM tasks WHERE task_id = ? AND state = 'open' AND (expires_at IS NULL OR expires_at > ?)",
  );
  const past = db.prepare<[number], string>("SELECT root_task_id FROM _observed_trees WHERE expires_at <= ?").pluck();
  const total = db.prepare<[], number>("SELECT ifnull(sum(kept), 0) FROM _observed_trees").pluck();
  const oldest = db.prepare<[], { root_task_id: string; kept: number }>("SELECT root_task_id, kept FROM _observed_trees ORDER BY fed LIMIT 1");
  const dropTree = db.prepare<[string]>("DELETE FROM _observed_trees WHERE root_task_id = ?");
  const dropRows = db.prepare<[string]>("DELETE FROM _observations WHERE root_task_id = ?");
  const drop = (root: string): void => {
    dropTree.run(root);
    dropRows.run(root);
  };
  return {
    drop,
    put: (tree: { root: string; kept: number; expires_at: number | null; seal: string }) => put.run(tree),
    sealOf: (root: string) => sealOf.get(root),
    openTask: (root: string, atMs: number) => openTask.get(root, atMs),
    dropPast(atMs: number): void {
      for (const root of past.all(atMs)) drop(root);
    },
    /** As in memory: the trees to which nothing came for longest go whole. */
    dropBeyond(): void {
      let kept = total.get() ?? 0;
      while (kept > OBSERVED_IN_ALL_MAX) {
        const tree = oldest.get();
        if (!tree) return;
        drop(tree.root_task_id);
        kept -= tree.kept;
      }
    },
  };
}

/** Reads the rows of a tree, the newest last; undefined if the seal is not theirs. */
function treeReader(db: Database, digests: ObservationDigests): (root: string, seal: string) => readonly ObservationRow[] | undefined {
  const rowsOf = db.prepare<[string], ObservationRow>(`SELECT ${COLUMNS} FROM _observations WHERE root_task_id = ? ORDER BY came`);
  return (root, seal) => {
    const rows = rowsOf.all(root);
    return digests.seal(root, rows) === seal ? rows : undefined;
  };
}

export interface ReadObservedOptions {
  readonly nowMs: number;
  readonly digests: ObservationDigests;
}

/** What is kept of the trees that are open, the one that was fed last coming last. What is kept of others is deleted. */
export function* readObserved(db: Database, { nowMs, digests }: ReadObservedOptions): Generator<RecalledTree> {
  const { drop } = treeStatements(db);
  const over = db
    .prepare<[number], string>(
      `SELECT root_task_id FROM _observed_trees AS o WHERE NOT EXISTS (
         SELECT 1 FROM tasks AS t WHERE t.task_id = o.root_task_id AND t.state = 'open' AND (t.expires_at IS NULL OR t.expires_at > ?))`,
    )
    .pluck();
  db.transaction(() => {
    for (const root of over.all(nowMs)) drop(root);
  }).immediate();
  const read = treeReader(db, digests);
  for (const { root_task_id: root, seal } of db.prepare<[], TreeRow>("SELECT root_task_id, seal FROM _observed_trees ORDER BY fed").all()) {
    const rows = read(root, seal);
    if (rows) yield { root, values: rows.map((row): RecalledValue => ({ digest: row.digest, ...valueIn(row) })) };
  }
}
