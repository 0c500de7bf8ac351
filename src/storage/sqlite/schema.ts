import type { Database } from "better-sqlite3";

/** `PRAGMA application_id`: "BHST". */
export const APPLICATION_ID = 0x42485354;

const ISO = (column: string): string => `strftime('%Y-%m-%dT%H:%M:%fZ', ${column} / 1000.0, 'unixepoch')`;

/**
 * Each migration runs once, in order, in one transaction with the version it leads to. Never change one that has been released: add another.
 * Tables and views without a leading underscore are a public interface; docs/history.md describes them.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE decisions (
    seq INTEGER PRIMARY KEY,
    decision_id TEXT NOT NULL UNIQUE,
    at INTEGER NOT NULL,
    at_iso TEXT GENERATED ALWAYS AS (${ISO("at")}) VIRTUAL,
    tenant TEXT NOT NULL,
    caller TEXT NOT NULL,
    agent TEXT NOT NULL,
    principal TEXT NOT NULL,
    task_id TEXT,
    root_task_id TEXT,
    statement TEXT,
    tool TEXT NOT NULL,
    operation TEXT,
    effect TEXT NOT NULL,
    resource TEXT,
    classification TEXT NOT NULL,
    environment TEXT NOT NULL,
    outcome TEXT NOT NULL,
    basis TEXT NOT NULL,
    score INTEGER NOT NULL,
    reason_codes TEXT NOT NULL,
    policy_digest TEXT NOT NULL,
    approval_id TEXT,
    cache_repeats TEXT,
    record TEXT NOT NULL,
    leaf BLOB NOT NULL
  ) STRICT;
  CREATE INDEX decisions_by_agent ON decisions (agent, at);
  CREATE INDEX decisions_by_task ON decisions (task_id, at);

  CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    event_id TEXT NOT NULL UNIQUE,
    at INTEGER NOT NULL,
    at_iso TEXT GENERATED ALWAYS AS (${ISO("at")}) VIRTUAL,
    kind TEXT NOT NULL,
    tenant TEXT,
    task_id TEXT,
    record TEXT NOT NULL,
    leaf BLOB NOT NULL
  ) STRICT;
  CREATE INDEX events_by_kind ON events (kind, at);
  CREATE INDEX events_by_task ON events (task_id, at) WHERE task_id IS NOT NULL;

  CREATE TABLE tree_heads (
    tree_size INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    root BLOB NOT NULL
  ) STRICT;
  CREATE INDEX tree_heads_by_time ON tree_heads (at);
  CREATE TABLE _tree_edge (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    tree_size INTEGER NOT NULL,
    edge BLOB NOT NULL,
    reopened_at INTEGER
  ) STRICT;
  INSERT INTO _tree_edge (id, tree_size, edge) VALUES (1, 0, x'');

  CREATE TABLE tasks (
    task_id TEXT PRIMARY KEY,
    root_task_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    tenant TEXT NOT NULL,
    caller TEXT NOT NULL,
    agent TEXT NOT NULL,
    principal TEXT NOT NULL,
    session TEXT NOT NULL,
    statement TEXT,
    opened_at INTEGER NOT NULL,
    opened_at_iso TEXT GENERATED ALWAYS AS (${ISO("opened_at")}) VIRTUAL,
    closed_at INTEGER,
    closed_at_iso TEXT GENERATED ALWAYS AS (${ISO("closed_at")}) VIRTUAL,
    closed_because TEXT,
    seen TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX tasks_by_state ON tasks (state, opened_at);

  CREATE TABLE suspensions (
    suspension_id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    tenant TEXT NOT NULL,
    reason TEXT NOT NULL,
    suspended_by TEXT NOT NULL,
    suspended_at INTEGER NOT NULL,
    suspended_at_iso TEXT GENERATED ALWAYS AS (${ISO("suspended_at")}) VIRTUAL,
    until INTEGER,
    until_iso TEXT GENERATED ALWAYS AS (${ISO("until")}) VIRTUAL,
    ended_at INTEGER,
    ended_at_iso TEXT GENERATED ALWAYS AS (${ISO("ended_at")}) VIRTUAL,
    ended_by TEXT,
    ended_because TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX suspensions_by_tenant ON suspensions (tenant, suspended_at);

  CREATE TABLE _policies (
    policy_digest TEXT PRIMARY KEY,
    first_loaded_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE _policy_texts (
    text_digest TEXT PRIMARY KEY,
    text TEXT NOT NULL
  ) STRICT;
  CREATE TABLE _policy_files (
    policy_digest TEXT NOT NULL REFERENCES _policies (policy_digest),
    path TEXT NOT NULL,
    text_digest TEXT NOT NULL REFERENCES _policy_texts (text_digest),
    PRIMARY KEY (policy_digest, path)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE decision_cache (
    key TEXT PRIMARY KEY,
    policy_digest TEXT NOT NULL,
    decision_id TEXT NOT NULL,
    score INTEGER NOT NULL,
    stands TEXT NOT NULL,
    at INTEGER NOT NULL,
    mac TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX decision_cache_by_time ON decision_cache (at);

  CREATE VIEW policies AS
    SELECT policy_digest, first_loaded_at, ${ISO("first_loaded_at")} AS first_loaded_at_iso,
           (SELECT json_group_object(f.path, t.text) FROM _policy_files AS f JOIN _policy_texts AS t USING (text_digest)
            WHERE f.policy_digest = p.policy_digest) AS files
    FROM _policies AS p;

  CREATE VIEW findings AS
    SELECT d.seq, d.decision_id, d.at, d.at_iso, d.agent, d.tool, d.outcome,
           f.key AS position,
           f.value ->> '$.rule' AS rule,
           f.value ->> '$.event' AS event,
           f.value ->> '$.result' AS result,
           f.value ->> '$.points' AS points,
           f.value ->> '$.reason' AS reason,
           f.value -> '$.controls' AS controls
    FROM decisions AS d, json_each(d.record, '$.judgement.findings') AS f;

  CREATE VIEW delegations AS
    SELECT d.seq, d.decision_id, d.at, d.at_iso, d.agent, d.outcome,
           h.key AS position,
           h.value ->> '$.type' AS principal_type,
           h.value ->> '$.id' AS principal_id,
           h.value ->> '$.taskId' AS task_id
    FROM decisions AS d, json_each(d.record, '$.subject.request.delegation') AS h;
  `,
  `
  ALTER TABLE events ADD COLUMN root_task_id TEXT;
  -- Until now every task was its own root.
  UPDATE events SET root_task_id = task_id WHERE task_id IS NOT NULL;
  CREATE INDEX events_by_root ON events (root_task_id, at) WHERE root_task_id IS NOT NULL;
  CREATE INDEX events_by_tree_expiry ON events (record ->> '$.task.treeExpiresAt') WHERE kind = 'task_registered';
  CREATE UNIQUE INDEX events_by_reported_decision ON events (record ->> '$.decision') WHERE kind = 'reported';
  CREATE INDEX decisions_by_root ON decisions (root_task_id, at);

  ALTER TABLE tasks ADD COLUMN parent_task_id TEXT;
  ALTER TABLE tasks ADD COLUMN depth INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE tasks ADD COLUMN scope_kind TEXT;
  ALTER TABLE tasks ADD COLUMN scope TEXT;
  ALTER TABLE tasks ADD COLUMN spent TEXT;
  ALTER TABLE tasks ADD COLUMN attributes TEXT;
  ALTER TABLE tasks ADD COLUMN statement_expires_at INTEGER;
  ALTER TABLE tasks ADD COLUMN statement_expires_at_iso TEXT GENERATED ALWAYS AS (${ISO("statement_expires_at")}) VIRTUAL;
  ALTER TABLE tasks ADD COLUMN expires_at INTEGER;
  ALTER TABLE tasks ADD COLUMN expires_at_iso TEXT GENERATED ALWAYS AS (${ISO("expires_at")}) VIRTUAL;
  ALTER TABLE tasks ADD COLUMN ended_by TEXT;
  CREATE INDEX tasks_by_root ON tasks (root_task_id, opened_at);
  CREATE INDEX tasks_by_expiry ON tasks (expires_at) WHERE expires_at IS NOT NULL;

  CREATE TABLE reports (
    decision_id TEXT PRIMARY KEY,
    report_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    at_iso TEXT GENERATED ALWAYS AS (${ISO("at")}) VIRTUAL,
    tenant TEXT NOT NULL,
    caller TEXT NOT NULL,
    agent TEXT NOT NULL,
    task_id TEXT,
    root_task_id TEXT,
    status TEXT NOT NULL,
    took_effect INTEGER,
    mutated INTEGER NOT NULL,
    enforcement_bypassed INTEGER NOT NULL,
    late INTEGER NOT NULL,
    refunded INTEGER NOT NULL,
    labels TEXT,
    result_bytes INTEGER NOT NULL,
    truncated INTEGER NOT NULL,
    record TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX reports_by_agent ON reports (agent, at);
  CREATE INDEX reports_by_root ON reports (root_task_id, at);
  `,
  `
  CREATE INDEX decisions_by_approval ON decisions (approval_id, at) WHERE approval_id IS NOT NULL;
  ALTER TABLE events ADD COLUMN approval_id TEXT;
  CREATE INDEX events_by_approval ON events (approval_id, at) WHERE approval_id IS NOT NULL;
  -- Whoever is told of approvals reads on from the last event that they were told of.
  CREATE INDEX events_of_approvals ON events (seq) WHERE approval_id IS NOT NULL;

  CREATE TABLE approvals (
    approval_id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    tenant TEXT NOT NULL,
    caller TEXT NOT NULL,
    agent TEXT NOT NULL,
    principal TEXT,
    issuer TEXT,
    task_id TEXT NOT NULL,
    root_task_id TEXT NOT NULL,
    tool TEXT NOT NULL,
    effect TEXT NOT NULL,
    decision_id TEXT NOT NULL,
    binding TEXT NOT NULL,
    holds TEXT NOT NULL,
    score INTEGER NOT NULL,
    asked INTEGER NOT NULL,
    answers TEXT NOT NULL,
    granted TEXT,
    used INTEGER NOT NULL,
    used_by TEXT,
    replaces TEXT,
    asked_at INTEGER NOT NULL,
    asked_at_iso TEXT GENERATED ALWAYS AS (${ISO("asked_at")}) VIRTUAL,
    expires_at INTEGER NOT NULL,
    expires_at_iso TEXT GENERATED ALWAYS AS (${ISO("expires_at")}) VIRTUAL,
    ended_at INTEGER,
    ended_at_iso TEXT GENERATED ALWAYS AS (${ISO("ended_at")}) VIRTUAL,
    ended_by TEXT,
    reason TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX approvals_by_state ON approvals (state, asked_at);
  CREATE INDEX approvals_by_agent ON approvals (agent, asked_at);
  CREATE INDEX approvals_by_root ON approvals (root_task_id, asked_at);

  CREATE VIEW approval_answers AS
    SELECT a.approval_id, a.kind, a.tenant, a.agent, a.tool,
           g.key AS position,
           g.value ->> '$.by' AS approver,
           g.value ->> '$.verified' AS verified,
           g.value ->> '$.verdict' AS verdict,
           g.value ->> '$.at' AS at,
           ${ISO("(g.value ->> '$.at')")} AS at_iso,
           (g.value ->> '$.at') - a.asked_at AS ms_to_answer,
           g.value ->> '$.comment' AS comment,
           g.value -> '$.holds' AS holds,
           g.value -> '$.endorsement' AS endorsement
    FROM approvals AS a, json_each(a.answers) AS g;

  CREATE VIEW approvers AS
    WITH ranked AS (
      SELECT tenant, approver, verdict, ms_to_answer,
             row_number() OVER (PARTITION BY tenant, approver ORDER BY ms_to_answer) AS place,
             count(*) OVER (PARTITION BY tenant, approver) AS answers
      FROM approval_answers)
    SELECT tenant, approver, count(*) AS answers,
           sum(verdict = 'approve') AS approved,
           sum(verdict = 'deny') AS denied,
           avg(verdict = 'approve') AS approve_share,
           -- The one in the middle, or what lies between the two there.
           avg(iif(place IN ((answers + 1) / 2, answers / 2 + 1), ms_to_answer, NULL)) AS median_ms_to_answer
    FROM ranked GROUP BY tenant, approver;
  `,
  `
  -- What tools returned to the tasks that are open: no value, but under which keyed digest it is found again. The greatest number came last.
  CREATE TABLE _observed_trees (
    root_task_id TEXT PRIMARY KEY,
    fed INTEGER NOT NULL,
    kept INTEGER NOT NULL,
    came INTEGER NOT NULL,
    followed TEXT NOT NULL,
    expires_at INTEGER,
    seal TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX _observed_trees_by_feeding ON _observed_trees (fed, kept);
  CREATE INDEX _observed_trees_by_expiry ON _observed_trees (expires_at) WHERE expires_at IS NOT NULL;
  CREATE TABLE _observations (
    root_task_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    came INTEGER NOT NULL,
    grade TEXT NOT NULL,
    bound INTEGER NOT NULL,
    naming INTEGER NOT NULL,
    tool TEXT NOT NULL,
    seal TEXT NOT NULL,
    PRIMARY KEY (root_task_id, digest)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Each index of \`decisions\` is a page or more to write for each decision. A tree's are found by its tasks.
  DROP INDEX decisions_by_root;
  `,
];

/** @throws {Error} when the file belongs to another program or a newer Behest. */
export function migrate(db: Database): void {
  const version = pragmaNumber(db, "user_version");
  const owner = pragmaNumber(db, "application_id");
  if (owner !== APPLICATION_ID && !(owner === 0 && version === 0)) {
    throw new Error("the database file belongs to another program; choose another data directory");
  }
  if (version > MIGRATIONS.length) {
    throw new Error(`the database has schema version ${version}, this program knows ${MIGRATIONS.length}; start the newer Behest that wrote it`);
  }
  for (const [index, sql] of MIGRATIONS.entries()) {
    if (index < version) continue;
    db.transaction(() => {
      db.exec(sql);
      db.pragma(`application_id = ${APPLICATION_ID}`);
      db.pragma(`user_version = ${index + 1}`);
    }).immediate();
  }
}

function pragmaNumber(db: Database, name: string): number {
  const value: unknown = db.pragma(name, { simple: true });
  if (typeof value !== "number") throw new TypeError(`PRAGMA ${name} answered no number`);
  return value;
}
