import type { Database } from "better-sqlite3";
import type { ApprovalEvents, ApprovalEventsQuestion, NumberedApprovalEvent } from "../../core/ports.ts";
import { decodeEvent, isApprovalEvent } from "../../core/record.ts";
import { leafHash } from "../../core/tree.ts";

/** Events about approvals, as they are stored. */
export interface StoredApprovalEvents {
  readonly rows: readonly StoredApprovalEvent[];
  readonly last: number;
}

interface StoredApprovalEvent {
  readonly seq: number;
  readonly record: string;
  /** Of the event by which its approval was opened. */
  readonly opened: string;
}

interface Row extends StoredApprovalEvent {
  readonly leaf: Buffer;
  readonly opened_leaf: Buffer;
}

/** Reads them by the events alone, whatever the table `approvals` says. */
export function approvalEventsReader(db: Database): (question: ApprovalEventsQuestion) => StoredApprovalEvents {
  const read = db.prepare<ApprovalEventsQuestion, Row>(
    `SELECT e.seq, e.record, e.leaf, o.record AS opened, o.leaf AS opened_leaf
     FROM events AS e INDEXED BY events_of_approvals JOIN events AS o ON o.event_id = e.approval_id
     WHERE e.approval_id IS NOT NULL AND e.seq > @after ORDER BY e.seq LIMIT @limit`,
  );
  const last = db.prepare<[], number>("SELECT tree_size FROM _tree_edge").pluck();
  return (question) => ({
    // What its leaf does not vouch for is no event.
    rows: read
      .all(question)
      .filter((row) => leafHash(row.record).equals(row.leaf) && leafHash(row.opened).equals(row.opened_leaf))
      .map(({ seq, record, opened }) => ({ seq, record, opened })),
    last: last.get() ?? 0,
  });
}

export const approvalEventsOf = ({ rows, last }: StoredApprovalEvents): ApprovalEvents => ({ events: rows.flatMap(numbered), last });

function numbered({ seq, record, opened }: StoredApprovalEvent): readonly NumberedApprovalEvent[] {
  const [event, opening] = [decodeEvent(record), decodeEvent(opened)];
  return isApprovalEvent(event) && opening.kind === "approval_opened" ? [{ seq, event, approval: opening.approval }] : [];
}
