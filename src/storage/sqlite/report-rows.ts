import type { Database } from "better-sqlite3";
import type { Reported } from "../../core/record.ts";
import { leafHash } from "../../core/tree.ts";

/** Keeps the table `reports`, in the transaction of the events it follows from. */
export function reportStatements(db: Database): { project: (event: Reported, text: string) => void } {
  const insert = db.prepare(
    `INSERT INTO reports (decision_id, report_id, at, tenant, caller, agent, task_id, root_task_id, status, took_effect, mutated,
       enforcement_bypassed, late, refunded, labels, result_bytes, truncated, record)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  return {
    project: (event, text) => {
      insert.run(
        event.decision,
        event.id,
        event.at,
        event.tenant,
        event.caller,
        event.agent,
        event.task ?? null,
        event.root ?? null,
        event.status,
        event.tookEffect === undefined ? null : Number(event.tookEffect),
        Number(event.mutated),
        Number(event.bypassed),
        Number(event.late),
        Number(event.refund !== undefined),
        event.labels ? JSON.stringify(event.labels) : null,
        event.resultBytes,
        Number(event.truncated),
        text,
      );
    },
  };
}

/** Finds the text of what was reported of a decision: the event's own, whatever the table `reports` says. */
export function reportReader(db: Database): (decisionId: string) => string | undefined {
  const read = db.prepare<[string], { record: string; leaf: Buffer }>(
    "SELECT record, leaf FROM events WHERE kind = 'reported' AND record ->> '$.decision' = ?",
  );
  return (decisionId) => {
    const row = read.get(decisionId);
    if (!row) return undefined;
    // One that nobody vouches for must not pass for none: a second report would be taken.
    if (!leafHash(row.record).equals(row.leaf)) {
      throw new Error(`the report of decision \`${decisionId}\` differs from its leaf in the tree; it was changed outside Behest`);
    }
    return row.record;
  };
}
