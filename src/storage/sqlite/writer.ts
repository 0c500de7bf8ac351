import { parentPort, workerData } from "node:worker_threads";
import type { Database, Statement } from "better-sqlite3";
import { type DecisionRecord, decodeEvent, isApprovalEvent, type LedgerEvent } from "../../core/record.ts";
import { append, decodeEdge, encodeEdge, leafHash, rootOf, type TreeEdge } from "../../core/tree.ts";
import { approvalEventsReader } from "./approval-events.ts";
import { approvalStatements } from "./approval-rows.ts";
import { openForWriting, type WritingConnection } from "./connection.ts";
import type { CacheRow } from "./decision-cache.ts";
import type { FromWriter, Group, ToWriter, WriterOptions, WrittenGroup } from "./messages.ts";
import { createObservationDigests, type ObservationDigests } from "./observation-digests.ts";
import { observationStatements } from "./observation-rows.ts";
import { policyRows } from "./policy-rows.ts";
import { readRebuild } from "./rebuild.ts";
import { reportReader, reportStatements } from "./report-rows.ts";
import { readEnded, suspensionStatements } from "./suspension-rows.ts";
import { taskStatements } from "./task-rows.ts";

/**
 * The one writer of a database, on a thread of its own. It takes a group, writes it in one transaction, and says so when COMMIT has returned,
 * that is when the WAL has been synced. The first thing that fails ends it: what is queued behind a failed group must not be written, and a
 * descriptor whose fsync has failed must not be used again.
 */
function runWriter(options: WriterOptions): void {
  const port = parentPort;
  if (!port) throw new Error("the writer runs on a worker thread");
  const say = (message: FromWriter): void => port.postMessage(message);
  let connection: WritingConnection | undefined;
  const fail = (error: unknown): void => {
    connection?.abandon();
    say({ kind: "failed", why: error instanceof Error ? describe(error) : String(error) });
    port.close();
  };
  try {
    const opened = openForWriting(options.path, options.nowMs);
    connection = opened;
    const { db } = opened;
    const digests = createObservationDigests(options.observationKey);
    const write = createGroupWriter(db, digests);
    takeControls(db, options.controls, write);
    const atMs = Math.max(options.nowMs, lastInstantMs(db));
    readRebuild(db, { ...options, nowMs: atMs, digests }, say);
    const read = db.prepare<[string], { record: string; leaf: Buffer }>("SELECT record, leaf FROM decisions WHERE decision_id = ?");
    const readReport = reportReader(db);
    const readApprovalEvents = approvalEventsReader(db);
    const policies = policyRows(db);
    port.on("message", (message: ToWriter) => {
      try {
        switch (message.kind) {
          case "group":
            say({ kind: "written", ...write(message) });
            opened.checkpoint();
            break;
          case "read": {
            const row = read.get(message.decisionId);
            // A record that its leaf does not vouch for is no record.
            const whole = row && leafHash(row.record).equals(row.leaf);
            say({ kind: "found", ticket: message.ticket, ...(whole && { record: row.record }) });
            break;
          }
          case "read report": {
            const record = readReport(message.decisionId);
            say({ kind: "found report", ticket: message.ticket, ...(record !== undefined && { record }) });
            break;
          }
          case "read policy": {
            const row = policies.read(message.digest);
            say({ kind: "found policy", ticket: message.ticket, ...(row && { row }) });
            break;
          }
          case "measure policy":
            say({ kind: "measured policy", ticket: message.ticket, ...policies.measure(message.policy) });
            break;
          case "read approval events":
            say({ kind: "found approval events", ticket: message.ticket, ...readApprovalEvents(message.question) });
            break;
          case "read ended suspensions":
            say({ kind: "found ended suspensions", ticket: message.ticket, rows: readEnded(db, message.question) });
            break;
          case "close":
            opened.close();
            say({ kind: "closed" });
            port.close();
            break;
        }
      } catch (error) {
        fail(error);
      }
    });
    say({ kind: "opened", atMs });
  } catch (error) {
    fail(error);
  }
}

const describe = (error: Error & { code?: unknown }): string => (typeof error.code === "string" ? `${error.message} (${error.code})` : error.message);

/** That of the last event, of which none is later than those behind it. */
const lastInstantMs = (db: Database): number => Number(db.prepare("SELECT max(at) FROM tree_heads").pluck().get());

/** What was kept elsewhere while the ledger could not be written becomes part of it, each event once. */
function takeControls(db: Database, controls: readonly string[], write: (group: Group) => unknown): void {
  const known = db.prepare<[string], unknown>("SELECT 1 FROM events WHERE event_id = ?").pluck();
  const events = controls.filter((text) => known.get(decodeEvent(text).id) === undefined);
  if (events.length > 0) write({ kind: "group", events, policies: [], observed: [], cacheRows: [] });
}

function createGroupWriter(db: Database, digests: ObservationDigests): (group: Group) => WrittenGroup {
  const insertDecision = db.prepare(INSERT_DECISION);
  const insertEvent = db.prepare(
    "INSERT INTO events (seq, event_id, at, kind, tenant, task_id, root_task_id, approval_id, record, leaf) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
  );
  const tasks = taskStatements(db);
  const reports = reportStatements(db);
  const suspensions = suspensionStatements(db);
  const approvals = approvalStatements(db);
  const observations = observationStatements(db, digests);
  const insertHead = db.prepare("INSERT INTO tree_heads (tree_size, at, root) VALUES (?, ?, ?)");
  const updateEdge = db.prepare("UPDATE _tree_edge SET tree_size = ?, edge = ?");
  const policies = policyRows(db);
  const cache = cacheStatements(db);
  let edge = readEdge(db);
  let commitBeganMs = 0;

  const writeEvents = (group: Group, before: TreeEdge): TreeEdge => {
    let next = before;
    let lastAt = 0;
    for (const text of group.events) {
      const event = decodeEvent(text);
      const leaf = leafHash(text);
      next = append(next, leaf);
      lastAt = Math.max(lastAt, event.at);
      if (event.kind === "decision") insertDecision.run(...decisionColumns(event, { seq: next.size, text, leaf }));
      else {
        const { tenant, task, root, approval = null } = concernsOf(event);
        insertEvent.run(next.size, event.id, event.at, event.kind, tenant, task, root, approval, text, leaf);
      }
      tasks.project(event);
      if (event.kind === "reported") reports.project(event, text);
      if (event.kind === "suspended" || event.kind === "resumed") suspensions.project(event);
      if (event.kind === "decision" && event.approval) approvals.asked(event);
      if (isApprovalEvent(event)) approvals.project(event);
      observations.project(event);
    }
    tasks.finish();
    // After the events: of a task that ended in this group nothing is kept.
    if (group.observed.length > 0) observations.write(group.observed, lastAt);
    insertHead.run(next.size, lastAt, rootOf(next));
    updateEdge.run(next.size, encodeEdge(next));
    return next;
  };

  const transaction = db.transaction((group: Group): TreeEdge => {
    for (const policy of group.policies) policies.write(policy);
    cache.write(group);
    const next = group.events.length === 0 ? edge : writeEvents(group, edge);
    commitBeganMs = performance.now();
    return next;
  });
  return (group) => {
    edge = transaction.immediate(group);
    return { events: group.events.length, commitMs: performance.now() - commitBeganMs };
  };
}

const INSERT_DECISION = `INSERT INTO decisions (seq, decision_id, at, tenant, caller, agent, principal, task_id, root_task_id, statement, tool, operation,
  effect, resource, classification, environment, outcome, basis, score, reason_codes, policy_digest, approval_id, cache_repeats, record, leaf)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

interface Stored {
  readonly seq: number;
  readonly text: string;
  readonly leaf: Buffer;
}

function decisionColumns(record: DecisionRecord, { seq, text, leaf }: Stored): unknown[] {
  const { subject, resolved, judgement } = record;
  const { request, task } = subject;
  return [
    seq,
    record.id,
    record.at,
    record.tenant,
    record.caller,
    request.agent.id,
    resolved.principal,
    task.id ?? null,
    task.registered?.root ?? task.id ?? null,
    (task.registered ? task.statement : (request.task?.statement ?? task.statement)) ?? null,
    request.action.tool,
    request.action.operation ?? null,
    resolved.effect,
    resolved.resource ?? null,
    resolved.classification,
    resolved.environment,
    judgement.outcome,
    judgement.basis,
    judgement.score,
    JSON.stringify(judgement.reasonCodes),
    record.policy,
    record.approval?.id ?? null,
    record.cache.repeats ?? null,
    text,
    leaf,
  ];
}

interface Concerns {
  readonly tenant: string | null;
  readonly task: string | null;
  readonly root: string | null;
  readonly approval?: string;
}

/** Whose an event is, and which task it is about, for the columns. */
function concernsOf(event: Exclude<LedgerEvent, DecisionRecord>): Concerns {
  switch (event.kind) {
    case "policy_loaded":
      return { tenant: null, task: null, root: null };
    case "suspended":
      return { tenant: event.suspension.tenant, task: null, root: null };
    case "resumed":
      return { tenant: event.tenant, task: null, root: null };
    case "task_opened":
      return { tenant: event.task.tenant, task: event.task.id, root: event.task.id };
    case "task_closed":
      return { tenant: event.tenant, task: event.task, root: event.task };
    case "task_registered":
      return { tenant: event.task.tenant, task: event.task.id, root: event.task.root };
    case "task_ended":
    case "task_revoked":
      return { tenant: event.tenant, task: event.task, root: event.root };
    case "approval_opened":
      return { tenant: event.approval.tenant, task: event.approval.task, root: event.approval.root, approval: event.approval.id };
    case "approval_answered":
    case "approval_used":
    case "approval_ended":
      return { tenant: event.tenant, task: event.task, root: event.root, approval: event.approval };
    case "reported":
      return { tenant: event.tenant, task: event.task ?? null, root: event.root ?? null };
  }
}

function cacheStatements(db: Database): { write: (group: Group) => void } {
  const put: Statement<[CacheRow]> = db.prepare(`INSERT OR REPLACE INTO decision_cache (key, policy_digest, decision_id, score, stands, at, mac)
    VALUES (@key, @policy_digest, @decision_id, @score, @stands, @at, @mac)`);
  const dropOthers = db.prepare("DELETE FROM decision_cache WHERE policy_digest <> ?");
  return {
    write(group) {
      if (group.cacheDropOtherThan !== undefined) dropOthers.run(group.cacheDropOtherThan);
      for (const row of group.cacheRows) put.run(row);
    },
  };
}

function readEdge(db: Database): TreeEdge {
  const row = db.prepare<[], { tree_size: number; edge: Buffer }>("SELECT tree_size, edge FROM _tree_edge").get();
  if (!row) throw new Error("the ledger lacks its tree edge; restore it from a backup");
  return decodeEdge(row.tree_size, row.edge);
}

runWriter(workerData as WriterOptions);
