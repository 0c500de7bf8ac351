import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
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
      const holding = cut.starts ? await suspendedByLedger(data) : await suspendedByFiles(data);
      return [
        ...brokenControl(holding, cut),
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

/** Ids of the suspensions that hold. */
type Holding = ReadonlySet<string>;

async function suspendedByLedger(data: DataDirectory): Promise<Holding> {
  const { databasePath: path, controlJournalPath: journalPath, sealKey, observationKey } = data;
  const limits = { cacheRowsMax: 1_000, turnsWaitingMax: 1_000, reopenAfterMs: 60_000 };
  const told = { notBefore: tellNobody, onGroupWritten: tellNobody, onFailure: tellNobody, onJournalProblem: tellNobody };
  const { ledger } = await openSqliteStorage({ path, journalPath, sealKey, observationKey, now, ...limits, ...told });
  const suspensions = ledger.suspensions().inForce(now());
  await ledger.close();
  return new Set(suspensions.map(({ id }) => id));
}

/** What the rows say, and after them what the control journal holds that the ledger does not know. */
async function suspendedByFiles(data: DataDirectory): Promise<Holding> {
  const idOf = (text: string): string => decodeEvent(text).id;
  const journal = openControlJournal({ path: data.controlJournalPath, key: data.sealKey, idOf, onFailure: tellNobody });
  await journal.close();
  const connection = openForWriting(data.databasePath, now());
  try {
    const known = connection.db.prepare("SELECT 1 FROM events WHERE event_id = ?").pluck();
    const holding = new Set(connection.db.prepare<[], string>("SELECT suspension_id FROM suspensions WHERE ended_at IS NULL").pluck().all());
    for (const event of journal.found.map(decodeEvent)) {
      if (known.get(event.id) !== undefined) continue;
      if (event.kind === "suspended") holding.add(event.suspension.id);
      if (event.kind === "resumed") holding.delete(event.suspension);
    }
    return holding;
  } finally {
    connection.close();
  }
}

function brokenControl(holding: Holding, { run, atNs }: Cut): readonly string[] {
  const mayHaveEnded = (id: string): boolean => (run.resuming.get(id) ?? atNs) < atNs;
  return [
    ...before(run.suspended, atNs)
      .filter((id) => !holding.has(id) && !mayHaveEnded(id))
      .map((id) => `the suspension \`${id}\` was durable, and does not hold`),
    ...before(run.resumed, atNs)
      .filter((id) => holding.has(id))
      .map((id) => `the suspension \`${id}\` was ended durably, and holds again`),
  ];
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
  const db = new Sqlite(databasePath, { readonly: true });
  const events = db.prepare<[number], string>("SELECT event_id FROM events WHERE approval_id IS NOT NULL AND seq <= ?").pluck().all(after);
  db.close();
  const skipped = events.filter((id) => !delivered.has(id));
  return skipped.length > 0 ? [`${skipped.length} events about approvals count as delivered, and were not`] : [];
}

function brokenTokens({ path }: DataDirectory, { run, atNs }: Cut): readonly string[] {
  const known = new Set(readTokens(path).map(({ id }) => id));
  const lost = before(run.tokens, atNs).filter((id) => !known.has(id));
  return lost.map((id) => `the token \`${id}\` was made, and is not there`);
}
