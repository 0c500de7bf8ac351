import type { Database } from "better-sqlite3";
import type { DecisionRecord, LedgerEvent, Reported, TaskClosed, TaskEnded, TaskOpened, TaskRevoked } from "../../core/record.ts";
import type { State } from "../../core/state.ts";
import { type Charge, giveBack, NOTHING_SPENT, type Spent, spend } from "../../core/tasks/budget.ts";
import type { RegisteredTask, TaskState } from "../../core/tasks/registered.ts";
import { NOTHING_SEEN, raiseSeen, type Seen } from "../../core/tasks/seen.ts";

/** One row of the projection `tasks` about a self-asserted task, as far as it is compared with the events. */
export interface TaskRow {
  readonly task_id: string;
  readonly state: string;
  readonly tenant: string;
  readonly caller: string;
  readonly agent: string;
  readonly principal: string;
  readonly session: string;
  readonly statement: string | null;
  readonly opened_at: number;
  readonly seen: string;
}

/** One row of it about a registered task, whole. */
export interface RegisteredRow extends TaskRow {
  readonly root_task_id: string;
  readonly parent_task_id: string | null;
  readonly depth: number;
  readonly kind: string;
  readonly scope_kind: string | null;
  readonly scope: string | null;
  readonly spent: string | null;
  readonly attributes: string | null;
  readonly statement_expires_at: number | null;
  readonly expires_at: number | null;
  readonly closed_at: number | null;
  readonly closed_because: string | null;
  readonly ended_by: string | null;
}

const SELF_ASSERTED_COLUMNS = "task_id, state, tenant, caller, agent, principal, session, statement, opened_at, seen";
const REGISTERED_COLUMNS = `${SELF_ASSERTED_COLUMNS}, root_task_id, parent_task_id, depth, kind, scope_kind, scope, spent, attributes,
  statement_expires_at, expires_at, closed_at, closed_because, ended_by`;
const namesOf = (columns: string): readonly string[] => columns.split(/,\s+/);

export interface TaskStatements {
  readonly project: (event: LedgerEvent) => void;
  /** Comes after the last event of a group, in its transaction. */
  readonly finish: () => void;
}

/** Keeps the projection `tasks`, in the transaction of the events it follows from. */
export function taskStatements(db: Database): TaskStatements {
  const open =
    db.prepare(`INSERT INTO tasks (task_id, root_task_id, kind, state, tenant, caller, agent, principal, session, statement, opened_at, seen)
    VALUES (?, ?, 'self_asserted', 'open', ?, ?, ?, ?, ?, ?, ?, ?)`);
  const close = db.prepare("UPDATE tasks SET state = 'closed', closed_at = ?, closed_because = ? WHERE task_id = ?");
  const register = db.prepare<RegisteredRow>(
    `INSERT INTO tasks (${REGISTERED_COLUMNS}) VALUES (${namesOf(REGISTERED_COLUMNS)
      .map((name) => `@${name}`)
      .join(", ")})`,
  );
  // Only the first end counts, and a task that is not there is no error: it was revoked while its opening could not be written.
  const end = db.prepare(
    `UPDATE tasks SET state = @how, closed_at = iif(@how = 'expired', expires_at, @at), closed_because = @because, ended_by = @by
     WHERE task_id = @task AND state = 'open'`,
  );
  const seenOf = db.prepare<[string], string>("SELECT seen FROM tasks WHERE task_id = ?").pluck();
  const totals = totalStatements(db);

  const opened = ({ task }: TaskOpened): void => {
    const { id, tenant, caller, agent, principal, session, statement, openedAt, seen } = task;
    open.run(id, id, tenant, caller, agent, principal, session, statement ?? null, openedAt, JSON.stringify(seen));
  };
  const closed = ({ at, reason, task }: TaskClosed): void => {
    close.run(at, reason, task);
  };
  const registered = (task: RegisteredTask): void => {
    const seen = seenOf.get(task.root) ?? JSON.stringify(NOTHING_SEEN);
    register.run(rowOf({ task, ended: undefined, spent: NOTHING_SPENT }, seen));
  };
  const ended = (event: TaskEnded | TaskRevoked): void => {
    const how = event.kind === "task_revoked" ? "revoked" : event.how;
    end.run({ how, at: event.at, because: becauseOf(how, event.reason), by: event.by ?? null, task: event.task });
  };
  return {
    project(event) {
      switch (event.kind) {
        case "task_opened":
          return opened(event);
        case "task_closed":
          return closed(event);
        case "task_registered":
          return registered(event.task);
        case "task_ended":
        case "task_revoked":
          return ended(event);
        case "decision":
          return totals.decided(event);
        case "reported":
          return totals.reported(event);
      }
    },
    finish: totals.writeSums,
  };
}

interface Totals {
  readonly parent_task_id: string | null;
  readonly root_task_id: string;
  readonly seen: string;
  readonly spent: string | null;
}

/**
 * What a task has seen, which it has in common with its whole tree, and what was taken from its budgets and from those above it. Nearly every decision changes what
 * was taken, so that is summed up and written once for the group.
 */
function totalStatements(db: Database) {
  const read = db.prepare<[string], Totals>("SELECT parent_task_id, root_task_id, seen, spent FROM tasks WHERE task_id = ?");
  const setSeen = db.prepare("UPDATE tasks SET seen = ? WHERE root_task_id = ?");
  const setSpent = db.prepare("UPDATE tasks SET spent = ? WHERE task_id = ?");
  const moved = new Map<string, { readonly parent: string | null; spent: Spent }>();
  const raise = (id: string, by: Seen): void => {
    const row = read.get(id);
    if (!row) return;
    const before: Seen = JSON.parse(row.seen);
    const after = raiseSeen(before, by);
    if (after !== before) setSeen.run(JSON.stringify(after), row.root_task_id);
  };
  const sumOf = (id: string) => {
    const known = moved.get(id);
    if (known) return known;
    const row = read.get(id);
    if (!row || row.spent === null) return undefined;
    const sum = { parent: row.parent_task_id, spent: JSON.parse(row.spent) as Spent };
    moved.set(id, sum);
    return sum;
  };
  const move = (leaf: string, charge: Charge, change: (spent: Spent, charge: Charge) => Spent): void => {
    for (let id: string | null = leaf; id !== null; ) {
      const sum = sumOf(id);
      if (!sum) return;
      sum.spent = change(sum.spent, charge);
      id = sum.parent;
    }
  };
  return {
    decided({ subject, seenAfter, charge }: DecisionRecord): void {
      const { id } = subject.task;
      if (id === undefined) return;
      if (seenAfter) raise(id, seenAfter);
      if (charge) move(id, charge, spend);
    },
    reported({ task, shows, refund }: Reported): void {
      if (task === undefined) return;
      if (shows) raise(task, shows);
      if (refund) move(task, refund, giveBack);
    },
    writeSums(): void {
      for (const [id, { spent }] of moved) setSpent.run(JSON.stringify(spent), id);
      moved.clear();
    },
  };
}

const becauseOf = (how: string, reason: string | undefined): string | null => (how === "expired" ? how : (reason ?? null));

function rowOf({ task, ended, spent }: Pick<TaskState, "task" | "ended" | "spent">, seen: string): RegisteredRow {
  const { principal } = task;
  return {
    task_id: task.id,
    state: ended?.how ?? "open",
    tenant: task.tenant,
    caller: task.caller,
    agent: task.agent,
    principal: `${principal.type}:${principal.id}`,
    session: "none",
    statement: task.statement,
    opened_at: task.openedAt,
    seen,
    root_task_id: task.root,
    parent_task_id: task.parent ?? null,
    depth: task.depth,
    kind: "registered",
    scope_kind: task.scopeKind,
    scope: JSON.stringify(task.scope),
    spent: JSON.stringify(spent),
    attributes: principal.attributes ? JSON.stringify(principal.attributes) : null,
    statement_expires_at: task.statementExpiresAt ?? null,
    expires_at: task.expiresAt,
    closed_at: ended?.at ?? null,
    closed_because: ended ? becauseOf(ended.how, ended.reason) : null,
    ended_by: ended?.by ?? null,
  };
}

/** Rows of self-asserted tasks that are open, or that were opened since. */
export const readSelfAsserted = (db: Database, sinceMs: number): readonly TaskRow[] =>
  db
    .prepare<[number], TaskRow>(`SELECT ${SELF_ASSERTED_COLUMNS} FROM tasks WHERE kind <> 'registered' AND (state = 'open' OR opened_at >= ?)`)
    .all(sinceMs);

/**
 * The roots of the trees that have not been over since: what `isPast` says of them, as the events tell it. They are not taken from `tasks`, because
 * its rows are checked against what is read of them.
 */
export const TREES_THAT_MATTER = `SELECT r.event_id FROM events AS r INDEXED BY events_by_tree_expiry
  WHERE r.kind = 'task_registered' AND r.record ->> '$.task.treeExpiresAt' > @endedMs AND r.event_id = r.root_task_id
    AND ifnull((SELECT e.at FROM events AS e WHERE e.task_id = r.event_id AND e.kind IN ('task_ended', 'task_revoked') ORDER BY e.seq LIMIT 1),
               @endedMs + 1) > @endedMs`;

/** Rows of registered tasks whose trees matter, and those that say that they do. */
export const readRegistered = (db: Database, endedMs: number): readonly RegisteredRow[] =>
  db
    .prepare<{ endedMs: number }, RegisteredRow>(
      `SELECT ${REGISTERED_COLUMNS} FROM tasks WHERE root_task_id IN (${TREES_THAT_MATTER})
       UNION SELECT ${REGISTERED_COLUMNS} FROM tasks AS t INDEXED BY tasks_by_expiry WHERE kind = 'registered' AND expires_at > @endedMs
         AND NOT EXISTS (SELECT 1 FROM tasks AS r WHERE r.task_id = t.root_task_id AND r.closed_at <= @endedMs)`,
    )
    .all({ endedMs });

/** The projection must say what the events say. @throws {Error} naming the row that does not. */
export function refuseTaskDifference(state: State, selfAsserted: readonly TaskRow[], registered: readonly RegisteredRow[]): void {
  refuseSelfAssertedDifference(state, selfAsserted);
  const told = new Set<string>();
  for (const row of registered) {
    const known = state.registered.get(row.task_id);
    if (!known || textOf(rowOf(known, JSON.stringify(known.tree.seen))) !== textOf(row)) throw differs(row);
    told.add(row.task_id);
  }
  for (const { task } of state.registered.all()) if (!told.has(task.id)) throw lacks("registered", task.id);
}

function refuseSelfAssertedDifference({ tasks }: State, rows: readonly TaskRow[]): void {
  const open = new Set(rows.filter((row) => row.state === "open").map((row) => row.task_id));
  for (const row of rows) {
    const task = tasks.get(row.task_id);
    const same =
      (row.state === "open") === (task !== undefined) &&
      (!task ||
        (task.tenant === row.tenant &&
          task.caller === row.caller &&
          task.agent === row.agent &&
          task.principal === row.principal &&
          task.session === row.session &&
          (task.statement ?? null) === row.statement &&
          task.openedAt === row.opened_at &&
          JSON.stringify(task.seen) === row.seen));
    if (!same) throw differs(row);
  }
  for (const id of tasks.ids()) if (!open.has(id)) throw lacks("open", id);
}

const differs = ({ task_id }: TaskRow): Error =>
  new Error(`row \`${task_id}\` of table \`tasks\` differs from the ledger's events; it was changed outside Behest`);

const lacks = (what: string, id: string): Error =>
  new Error(`table \`tasks\` lacks the ${what} task \`${id}\` that the ledger's events tell of; it was changed outside Behest`);

const textOf = (row: RegisteredRow): string => JSON.stringify(namesOf(REGISTERED_COLUMNS).map((name) => row[name as keyof RegisteredRow]));
