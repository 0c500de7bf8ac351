import type { Database } from "better-sqlite3";
import type { ApprovalState, GivenAnswer } from "../../core/approvals/approval.ts";
import type { Approvals } from "../../core/approvals/register.ts";
import type { ApprovalAnswered, ApprovalEnded, ApprovalEvent, ApprovalUsed, DecisionRecord } from "../../core/record.ts";

/** One row of the projection `approvals`, as far as it is compared with the events. */
export interface ApprovalRow {
  readonly approval_id: string;
  readonly kind: string;
  readonly state: string;
  readonly tenant: string;
  readonly caller: string;
  readonly agent: string;
  readonly principal: string | null;
  readonly issuer: string | null;
  readonly task_id: string;
  readonly root_task_id: string;
  readonly tool: string;
  readonly effect: string;
  readonly decision_id: string;
  readonly binding: string;
  readonly holds: string;
  readonly score: number;
  readonly asked: number;
  readonly answers: string;
  readonly granted: string | null;
  readonly used: number;
  readonly replaces: string | null;
  readonly asked_at: number;
  readonly expires_at: number;
  readonly ended_at: number | null;
  readonly ended_by: string | null;
  readonly reason: string | null;
}

const COLUMNS = `approval_id, kind, state, tenant, caller, agent, principal, issuer, task_id, root_task_id, tool, effect, decision_id, binding, holds, score,
  asked, answers, granted, used, replaces, asked_at, expires_at, ended_at, ended_by, reason`;
const NAMES: readonly string[] = COLUMNS.split(/,\s+/);

/** Keeps the projection, in the transaction of the events it follows from. */
export function approvalStatements(db: Database): {
  project: (event: ApprovalEvent) => void;
  /** A decision that waits for it. */
  asked: (event: DecisionRecord) => void;
} {
  const insert = db.prepare<ApprovalRow>(`INSERT INTO approvals (${COLUMNS}) VALUES (${NAMES.map((name) => `@${name}`).join(", ")})`);
  const answersOf = db.prepare<[string], string>("SELECT answers FROM approvals WHERE approval_id = ?").pluck();
  const answer = db.prepare("UPDATE approvals SET state = @state, answers = @answers, granted = @granted WHERE approval_id = @id");
  const use = db.prepare("UPDATE approvals SET state = @state, used = used + 1, used_by = @decision WHERE approval_id = @id");
  const setEnd = db.prepare("UPDATE approvals SET ended_at = @at, ended_by = @by, reason = @reason WHERE approval_id = @id");
  // What was used up stays so. A wider yes has a time of its own, and ends before that only if somebody or its task ends it.
  const end = db.prepare(
    `UPDATE approvals SET state = iif(state IN ('pending', 'approved'), @how, state), granted = iif(@how = 'expired', granted, NULL)
     WHERE approval_id = @id`,
  );
  const ask = db.prepare("UPDATE approvals SET asked = asked + 1 WHERE approval_id = ?");

  const answered = ({ approval: id, answer: given, standing: state, granted }: ApprovalAnswered): void => {
    const before: readonly GivenAnswer[] = JSON.parse(answersOf.get(id) ?? "[]");
    answer.run({ id, state, answers: JSON.stringify([...before, given]), granted: granted ? JSON.stringify(granted) : null });
    if (state === "denied") setEnd.run({ id, at: given.at, by: given.by, reason: given.comment ?? null });
  };
  const used = ({ approval: id, at, decision, standing: state }: ApprovalUsed): void => {
    use.run({ id, state, decision });
    if (state === "consumed") setEnd.run({ id, at, by: null, reason: null });
  };
  const ended = ({ approval: id, at, how, by, reason }: ApprovalEnded): void => {
    end.run({ id, how });
    setEnd.run({ id, at, by: by ?? null, reason: reason ?? null });
  };
  return {
    project(event) {
      switch (event.kind) {
        case "approval_opened":
          insert.run(rowOf({ approval: event.approval, standing: "pending", answers: [], asked: 0, lastAskedAt: event.at, used: 0 }));
          break;
        case "approval_answered":
          return answered(event);
        case "approval_used":
          return used(event);
        case "approval_ended":
          return ended(event);
      }
    },
    asked({ approval, judgement }) {
      if (approval && judgement.outcome === "REQUIRE_APPROVAL") ask.run(approval.id);
    },
  };
}

function rowOf({ approval, standing, answers, asked, granted, used, ended }: ApprovalState): ApprovalRow {
  const { parties } = approval;
  return {
    approval_id: approval.id,
    kind: approval.kind,
    state: standing,
    tenant: approval.tenant,
    caller: parties.caller,
    agent: approval.agent,
    principal: parties.principal ?? null,
    issuer: parties.issuer ?? null,
    task_id: approval.task,
    root_task_id: approval.root,
    tool: approval.tool,
    effect: approval.effect,
    decision_id: approval.decision,
    binding: approval.binding,
    holds: JSON.stringify(approval.holds),
    score: approval.score,
    asked,
    answers: JSON.stringify(answers),
    granted: granted ? JSON.stringify(granted) : null,
    used,
    replaces: approval.replaces ?? null,
    asked_at: approval.askedAt,
    expires_at: approval.expiresAt,
    ended_at: ended?.at ?? null,
    ended_by: ended?.by ?? null,
    reason: ended?.reason ?? null,
  };
}

/** Rows of the approvals that are read anew, and of all that say that they are open. */
export const readApprovals = (db: Database, ids: readonly string[]): readonly ApprovalRow[] =>
  db
    .prepare<[string], ApprovalRow>(
      `SELECT ${COLUMNS} FROM approvals WHERE state IN ('pending', 'approved') OR approval_id IN (SELECT value FROM json_each(?))`,
    )
    .all(JSON.stringify(ids));

const isOpen = ({ state }: ApprovalRow): boolean => state === "pending" || state === "approved";

/** The projection must say what the events say. @throws {Error} naming the row that does not. */
export function refuseApprovalDifference(approvals: Approvals, rows: readonly ApprovalRow[]): void {
  const told = new Set<string>();
  for (const row of rows) {
    const known = approvals.get(row.approval_id);
    // One that is forgotten was over long ago.
    if (known ? textOf(rowOf(known)) !== textOf(row) : isOpen(row)) {
      throw new Error(`row \`${row.approval_id}\` of table \`approvals\` differs from the ledger's events; it was changed outside Behest`);
    }
    told.add(row.approval_id);
  }
  for (const { approval } of approvals.all()) {
    if (told.has(approval.id)) continue;
    throw new Error(`table \`approvals\` lacks \`${approval.id}\`, of which the ledger's events tell; it was changed outside Behest`);
  }
}

const textOf = (row: ApprovalRow): string => JSON.stringify(NAMES.map((name) => row[name as keyof ApprovalRow]));
