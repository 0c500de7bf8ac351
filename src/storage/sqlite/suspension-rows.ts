import type { Database } from "better-sqlite3";
import type { EndedSuspensionsQuestion } from "../../core/ports.ts";
import type { Resumed, Suspended } from "../../core/record.ts";
import { type EndedSuspension, holds, type Suspension, type SuspensionKind, type Suspensions } from "../../core/suspensions.ts";
import { type Instant, instant } from "../../core/words.ts";

/** One row of the projection `suspensions`. */
export interface SuspensionRow {
  readonly suspension_id: string;
  readonly kind: string;
  readonly value: string;
  readonly tenant: string;
  readonly reason: string;
  readonly suspended_by: string;
  readonly suspended_at: number;
  readonly until: number | null;
  readonly ended_at: number | null;
  readonly ended_by: string | null;
  readonly ended_because: string | null;
}

const COLUMNS = "suspension_id, kind, value, tenant, reason, suspended_by, suspended_at, until, ended_at, ended_by, ended_because";

/** Keeps the projection, in the transaction of the events it follows from. */
export function suspensionStatements(db: Database): { project: (event: Suspended | Resumed) => void } {
  const insert = db.prepare<SuspensionRow>(
    `INSERT INTO suspensions (${COLUMNS}) VALUES (${COLUMNS.split(", ")
      .map((name) => `@${name}`)
      .join(", ")})`,
  );
  const end = db.prepare("UPDATE suspensions SET ended_at = ?, ended_by = ?, ended_because = ? WHERE suspension_id = ? AND ended_at IS NULL");
  return {
    project(event) {
      if (event.kind === "suspended") insert.run(rowOf(event.suspension));
      else end.run(event.at, event.by, event.reason ?? null, event.suspension);
    },
  };
}

const rowOf = ({ id, kind, value, tenant, reason, by, at, until }: Suspension): SuspensionRow => ({
  suspension_id: id,
  kind,
  value,
  tenant,
  reason,
  suspended_by: by,
  suspended_at: at,
  until: until ?? null,
  ended_at: null,
  ended_by: null,
  ended_because: null,
});

/** Rows that tell of a suspension that holds. */
export const readHolding = (db: Database, nowMs: number): readonly SuspensionRow[] =>
  db.prepare<[number], SuspensionRow>(`SELECT ${COLUMNS} FROM suspensions WHERE ended_at IS NULL AND (until IS NULL OR until > ?)`).all(nowMs);

/** The last made first. */
export const readEnded = (db: Database, { tenant, now, limit }: EndedSuspensionsQuestion): readonly SuspensionRow[] =>
  db
    .prepare<{ tenant: string; now: number; limit: number }, SuspensionRow>(
      `SELECT ${COLUMNS} FROM suspensions WHERE (ended_at IS NOT NULL OR until <= @now)
       AND (tenant = @tenant OR kind = 'all' OR (kind = 'tenant' AND value = @tenant)) ORDER BY suspended_at DESC, suspension_id DESC LIMIT @limit`,
    )
    .all({ tenant, now, limit });

export function endedOf(row: SuspensionRow): EndedSuspension {
  const { until, ended_at: endedAt, ended_by: endedBy, ended_because: endedBecause } = row;
  return {
    suspension: {
      id: row.suspension_id,
      tenant: row.tenant,
      kind: row.kind as SuspensionKind,
      value: row.value,
      reason: row.reason,
      by: row.suspended_by,
      at: instant(row.suspended_at),
      ...(until !== null && { until: instant(until) }),
    },
    // One of the two is why it has ended.
    endedAt: instant(endedAt ?? until ?? 0),
    ...(endedBy !== null && { endedBy }),
    ...(endedBecause !== null && { endedBecause }),
  };
}

/** The projection must say what the events say. @throws {Error} naming the row that does not. */
export function refuseSuspensionDifference(suspensions: Suspensions, rows: readonly SuspensionRow[], now: Instant): void {
  const told = new Set<string>();
  for (const row of rows) {
    const known = suspensions.get(row.suspension_id);
    if (!known || !holds(known, now) || textOf(rowOf(known)) !== textOf(row)) {
      throw new Error(`row \`${row.suspension_id}\` of table \`suspensions\` differs from the ledger's events; it was changed outside Behest`);
    }
    told.add(row.suspension_id);
  }
  const missing = suspensions.inForce(now).find(({ id }) => !told.has(id));
  if (missing) {
    throw new Error(
      `table \`suspensions\` does not show that suspension \`${missing.id}\` holds, of which the ledger's events tell; it was changed outside Behest`,
    );
  }
}

const textOf = (row: SuspensionRow): string => JSON.stringify(COLUMNS.split(", ").map((name) => row[name as keyof SuspensionRow]));
