import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Sqlite, { type Database } from "better-sqlite3";
import { decodeEvent } from "../src/core/record.ts";
import { instant } from "../src/core/words.ts";
import { type DataDirectory, holdDataDirectory } from "../src/data-directory.ts";
import { createLocalTokens } from "../src/identity/tokens.ts";
import { readTokens } from "../src/identity/tokens-file.ts";
import { openForWriting } from "../src/storage/sqlite/connection.ts";
import { openControlJournal } from "../src/storage/sqlite/control-journal.ts";
import { openSqliteStorage } from "../src/storage/sqlite/ledger.ts";
import { openCursor } from "../src/webhooks/cursor.ts";
import { readWebhookSecret } from "../src/webhooks/signing.ts";
import { examine } from "./examine.ts";
import type { RecordedRun, Told } from "./recorded-run.ts";

/** Puts what the power has left, by name, into an empty directory. */
export function placeFiles(directory: string, left: ReadonlyMap<string, Buffer>): void {
  for (const [name, bytes] of left) writeFileSync(join(directory, name), bytes, { mode: 0o600 });
}

/** A server's run as far as it had come when the power went. */
export interface Cut {
  readonly run: RecordedRun;
  /** Whatever was said before is known. */
  readonly atNs: bigint;
  /**
   * Whether the ledger is opened as a server opens it, on a thread of its own, and its state rebuilt. Else the same files are opened, mended and read by the
   * same functions on this thread, which takes a tenth of the time.
   */
  readonly starts: boolean;
}

/** Starts on a directory as a server does, and looks whether all is there that was said before the cut. Answers which promises broke. */
export async function lookAfterCut(directory: string, cut: Cut): Promise<readonly string[]> {
  const { run, atNs } = cut;
  try {
    const data = holdDataDirectory(directory);
    try {
      createLocalTokens(data.path, now());
      const standing = cut.starts ? await standingByLedger(data) : await standingByFiles(data);
      return [
        ...brokenControl(standing, cut),
        ...brokenRows(data, cut),
        ...brokenWebhooks(data, cut),
        ...brokenTokens(data, cut),
        ...examine(data.path, before(run.decisions, atNs)).broken,
      ];
    } finally {
      data.release();
    }
  } catch (error) {
    return [`a server cannot start: ${error instanceof Error ? error.message : String(error)}`];
  }
}

const before = <T>(told: readonly Told<T>[], atNs: bigint): readonly T[] => told.filter((one) => one.atNs < atNs).map(({ what }) => what);

const now = () => instant(Date.now());
const tellNobody = (): void => undefined;

/** What operators have done that holds, by its ids. */
interface Standing {
  readonly suspended: Set<string>;
  readonly revoked: Set<string>;
}

async function standingByLedger(data: DataDirectory): Promise<Standing> {
  const { databasePath: path, controlJournalPath: journalPath, sealKey, observationKey } = data;
  const limits = { cacheRowsMax: 1_000, turnsWaitingMax: 1_000, reopenAfterMs: 60_000 };
  const told = { notBefore: tellNobody, onGroupWritten: tellNobody, onFailure: tellNobody, onJournalProblem: tellNobody };
  const { ledger } = await openSqliteStorage({ path, journalPath, sealKey, observationKey, now, ...limits, ...told });
  const suspensions = ledger.suspensions().inForce(now());
  await ledger.close();
  return { suspended: new Set(suspensions.map(({ id }) => id)), revoked: withDatabase(path, revokedIn) };
}

/** What the rows say, and after them what the control journal holds that the ledger does not know. */
async function standingByFiles(data: DataDirectory): Promise<Standing> {
  const idOf = (text: string): string => decodeEvent(text).id;
  const journal = openControlJournal({ path: data.controlJournalPath, key: data.sealKey, idOf, onFailure: tellNobody });
  await journal.close();
  const connection = openForWriting(data.databasePath, now());
  try {
    const known = connection.db.prepare("SELECT 1 FROM events WHERE event_id = ?").pluck();
    const suspended = new Set(connection.db.prepare<[], string>("SELECT suspension_id FROM suspensions WHERE ended_at IS NULL").pluck().all());
    const revoked = revokedIn(connection.db);
    for (const event of journal.found.map(decodeEvent)) {
      if (known.get(event.id) !== undefined) continue;
      if (event.kind === "suspended") suspended.add(event.suspension.id);
      if (event.kind === "resumed") suspended.delete(event.suspension);
      if (event.kind === "task_revoked") revoked.add(event.task);
    }
    return { suspended, revoked };
  } finally {
    connection.close();
  }
}

const revokedIn = (db: Database): Set<string> => new Set(db.prepare<[], string>("SELECT task_id FROM tasks WHERE state = 'revoked'").pluck().all());

function withDatabase<T>(path: string, use: (db: Database) => T): T {
  const db = new Sqlite(path, { readonly: true });
  try {
    return use(db);
  } finally {
    db.close();
  }
}

function brokenControl({ suspended, revoked }: Standing, { run, atNs }: Cut): readonly string[] {
  const mayHaveEnded = (id: string): boolean => (run.resuming.get(id) ?? atNs) < atNs;
  return [
    ...before(run.suspended, atNs)
      .filter((id) => !suspended.has(id) && !mayHaveEnded(id))
      .map((id) => `the suspension \`${id}\` was durable, and does not hold`),
    ...before(run.resumed, atNs)
      .filter((id) => suspended.has(id))
      .map((id) => `the suspension \`${id}\` was ended durably, and holds again`),
    ...before(run.revoked, atNs)
      .filter((id) => !revoked.has(id))
      .map((id) => `the task \`${id}\` was revoked durably, and is not`),
  ];
}

function brokenRows({ databasePath }: DataDirectory, { run, atNs }: Cut): readonly string[] {
  return withDatabase(databasePath, (db) => {
    const task = db.prepare("SELECT 1 FROM tasks WHERE task_id = ?").pluck();
    const answers = db.prepare<[string], number>("SELECT json_array_length(answers) FROM approvals WHERE approval_id = ?").pluck();
    return [
      ...before(run.opened, atNs)
        .filter((id) => task.get(id) === undefined)
        .map((id) => `the task \`${id}\` was opened, and is not there`),
      ...before(run.answered, atNs)
        .filter((id) => (answers.get(id) ?? 0) === 0)
        .map((id) => `the approval \`${id}\` was answered, and is not`),
    ];
  });
}

/** What was not delivered must not count as delivered; without the file that says what was, everything would. */
function brokenWebhooks(
  { databasePath, webhookSecretPath, webhookCursorPath }: DataDirectory,
  { run: { webhooks, readyAtNs }, atNs }: Cut,
): readonly string[] {
  if (!webhooks || readyAtNs >= atNs) return [];
  if (!existsSync(webhookSecretPath) || !readWebhookSecret(webhookSecretPath).equals(webhooks.secret)) {
    return ["the secret by which receivers know webhooks is another one"];
  }
  const { after } = openCursor(webhookCursorPath);
  if (after === undefined) return ["nobody knows any more up to where webhooks were delivered"];
  const delivered = new Set(before(webhooks.delivered, atNs));
  const events = withDatabase(databasePath, (db) =>
    db.prepare<[number], string>("SELECT event_id FROM events WHERE approval_id IS NOT NULL AND seq <= ?").pluck().all(after),
  );
  const skipped = events.filter((id) => !delivered.has(id));
  return skipped.length > 0 ? [`${skipped.length} events about approvals count as delivered, and were not`] : [];
}

function brokenTokens({ path }: DataDirectory, { run, atNs }: Cut): readonly string[] {
  const known = new Set(readTokens(path).map(({ id }) => id));
  const lost = before(run.tokens, atNs).filter((id) => !known.has(id));
  return lost.map((id) => `the token \`${id}\` was made, and is not there`);
}
