import type { Database } from "better-sqlite3";
import {
  betterOf,
  type DigestOf,
  FOLLOWED_TEXTS_MAX,
  keepBetter,
  OBSERVED_VALUES_MAX,
  type ObservedEntry,
  type ObservedValue,
  type RecalledValue,
} from "../../core/intent/observed.ts";
import { OBSERVED_IN_ALL_MAX, type ObservedInTree, type RecalledTree } from "../../core/intent/observed-trees.ts";
import type { LedgerEvent } from "../../core/record.ts";
import type { ObservationDigests } from "./observation-digests.ts";

/** One row of `_observations`. */
interface ObservationRow {
  readonly root_task_id: string;
  readonly digest: string;
  /** The greatest of a tree came last. */
  readonly came: number;
  readonly grade: ObservedValue["grade"];
  readonly bound: number;
  readonly naming: number;
  readonly tool: string;
  readonly seal: string;
}

/** One row of `_observed_trees`. */
interface TreeRow {
  readonly root_task_id: string;
  /** How many rows it has. */
  readonly kept: number;
  /** The number of the one that came last. */
  readonly came: number;
  /** Digests of the texts that the task says to follow, a JSON list. */
  readonly followed: string;
  readonly expires_at: number | null;
  readonly seal: string;
}

const COLUMNS = "root_task_id, digest, came, grade, bound, naming, tool, seal";
const TREE_COLUMNS = "root_task_id, kept, came, followed, expires_at, seal";

const sealOf = (digests: ObservationDigests, row: Omit<ObservationRow, "seal">): string =>
  digests.seal(["value", row.root_task_id, row.digest, row.came, row.grade, row.bound, row.naming, row.tool]);

/** Over how many rows there are as well: none may be taken away. */
const treeSealOf = (digests: ObservationDigests, tree: Omit<TreeRow, "expires_at" | "seal">): string =>
  digests.seal(["tree", tree.root_task_id, tree.kept, tree.came, tree.followed]);

const valueIn = ({ grade, bound, naming, tool }: ObservationRow): ObservedValue => ({ grade, bound: bound === 1, naming: naming === 1, tool });

export interface ObservationStatements {
  /** Deletes what is kept of a tree that ends. */
  project(event: LedgerEvent): void;
  /** Keeps what tools returned to trees that are open, and deletes what is kept of those whose time is over. */
  write(texts: readonly string[], atMs: number): void;
}

type Told = Omit<ObservedInTree, "amounts">;

/** Keeps of each value that tools returned its digest and its grade, in the transaction of the report. */
export function observationStatements(db: Database, digests: ObservationDigests): ObservationStatements {
  const trees = treeStatements(db);
  const values = valueStatements(db, digests);
  const feed = ({ root, entries, followed }: Told, expiresAt: number | null): void => {
    const tree = trees.read(root);
    const believed = tree && treeSealOf(digests, tree) === tree.seal ? tree : undefined;
    // What is not believed must not be sealed anew.
    if (!believed) trees.drop(root);
    const before = believed ?? { kept: 0, came: 0, followed: "[]" };
    const digestOf = digests.of(root);
    const found = digested(entries, digestOf);
    const kept = before.kept + values.put({ root, found, came: before.came });
    if (kept > OBSERVED_VALUES_MAX) values.dropOldest(root, kept - OBSERVED_VALUES_MAX);
    const texts: readonly string[] = JSON.parse(before.followed);
    const now = {
      root_task_id: root,
      kept: Math.min(kept, OBSERVED_VALUES_MAX),
      came: before.came + found.size,
      followed: JSON.stringify([...new Set([...texts, ...followed.map(digestOf)])].slice(0, FOLLOWED_TEXTS_MAX)),
    };
    trees.put({ ...now, expires_at: expiresAt, seal: treeSealOf(digests, now) });
  };
  return {
    project(event) {
      const isEnd = event.kind === "task_closed" || ((event.kind === "task_ended" || event.kind === "task_revoked") && event.task === event.root);
      if (isEnd) trees.drop(event.task);
    },
    write(texts, atMs) {
      trees.dropPast(atMs);
      for (const text of texts) {
        const told: Told = JSON.parse(text);
        const task = trees.openTask(told.root, atMs);
        if (task && told.entries.length + told.followed.length > 0) feed(told, task.expires_at);
      }
      trees.dropBeyond();
    },
  };
}

/** Each value once, by its digest, in the order in which they came last. */
function digested(entries: readonly ObservedEntry[], digestOf: DigestOf): ReadonlyMap<string, ObservedValue> {
  const once = new Map<string, ObservedValue>();
  for (const { value, ...found } of entries) keepBetter(once, value, found);
  return new Map([...once].map(([value, found]) => [digestOf(value), found]));
}

interface Putting {
  readonly root: string;
  readonly found: ReadonlyMap<string, ObservedValue>;
  /** The number that came last before. */
  readonly came: number;
}

function valueStatements(db: Database, digests: ObservationDigests) {
  const readThose = db.prepare<[string, string], ObservationRow>(
    `SELECT ${COLUMNS} FROM _observations WHERE root_task_id = ? AND digest IN (SELECT value FROM json_each(?))`,
  );
  const put = db.prepare(`INSERT OR REPLACE INTO _observations (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
  const dropOldest = db.prepare<{ root: string; count: number }>(
    `DELETE FROM _observations WHERE root_task_id = @root
     AND digest IN (SELECT digest FROM _observations WHERE root_task_id = @root ORDER BY came LIMIT @count)`,
  );
  return {
    /** Answers how many of them are new. */
    put({ root, found, came }: Putting): number {
      const there = new Map(readThose.all(root, JSON.stringify([...found.keys()])).map((row) => [row.digest, row]));
      let last = came;
      const rows = [...found].map(([digest, value]) => {
        const before = there.get(digest);
        const { grade, bound, naming, tool } = before && sealOf(digests, before) === before.seal ? betterOf(valueIn(before), value) : value;
        return { root_task_id: root, digest, came: ++last, grade, bound: Number(bound), naming: Number(naming), tool };
      });
      // In the order of the table each page is touched once.
      rows.sort((a, b) => (a.digest < b.digest ? -1 : 1));
      for (const row of rows) put.run(...Object.values(row), sealOf(digests, row));
      return rows.length - there.size;
    },
    dropOldest: (root: string, count: number) => dropOldest.run({ root, count }),
  };
}

function treeStatements(db: Database) {
  const read = db.prepare<[string], TreeRow>(`SELECT ${TREE_COLUMNS} FROM _observed_trees WHERE root_task_id = ?`);
  const put = db.prepare<TreeRow>(
    `INSERT OR REPLACE INTO _observed_trees (${TREE_COLUMNS}, fed)
     VALUES (@root_task_id, @kept, @came, @followed, @expires_at, @seal, (SELECT ifnull(max(fed), 0) + 1 FROM _observed_trees))`,
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
    read: (root: string) => read.get(root),
    put: (tree: TreeRow) => put.run(tree),
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

export interface ReadObservedOptions {
  readonly nowMs: number;
  readonly digests: ObservationDigests;
}

/** What is kept of the trees that are open, the one that was fed last coming last. What is kept of others, and what is not believed, is deleted. */
export function* readObserved(db: Database, { nowMs, digests }: ReadObservedOptions): Generator<RecalledTree> {
  const trees = treeStatements(db);
  const drop = db.transaction((roots: readonly string[]) => {
    for (const root of roots) trees.drop(root);
  });
  const read = db.prepare<[string], ObservationRow>(`SELECT ${COLUMNS} FROM _observations WHERE root_task_id = ? ORDER BY came`);
  const refused: string[] = [];
  for (const tree of db.prepare<[], TreeRow>(`SELECT ${TREE_COLUMNS} FROM _observed_trees ORDER BY fed`).all()) {
    const root = tree.root_task_id;
    const rows = trees.openTask(root, nowMs) ? read.all(root) : [];
    if (isWhole(digests, tree, rows))
      yield { root, followed: JSON.parse(tree.followed), values: rows.map((row): RecalledValue => ({ digest: row.digest, ...valueIn(row) })) };
    else refused.push(root);
  }
  drop.immediate(refused);
}

const isWhole = (digests: ObservationDigests, tree: TreeRow, rows: readonly ObservationRow[]): boolean =>
  treeSealOf(digests, tree) === tree.seal &&
  rows.length === tree.kept &&
  (rows.at(-1)?.came ?? 0) === tree.came &&
  rows.every((row) => sealOf(digests, row) === row.seal);
