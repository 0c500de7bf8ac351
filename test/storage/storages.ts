import { copyFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import type { DecisionCache, Ledger, SteadyClock } from "../../src/core/ports.ts";
import type { State } from "../../src/core/state.ts";
import { durationMs, instant } from "../../src/core/words.ts";
import { createMemoryDecisionCache } from "../../src/storage/memory/decision-cache.ts";
import { createMemoryLedger } from "../../src/storage/memory/ledger.ts";
import { openSqliteStorage, type SqliteStorage } from "../../src/storage/sqlite/ledger.ts";
import type { WrittenGroup } from "../../src/storage/sqlite/messages.ts";
import { temporaryDirectory } from "../running-server.ts";

export interface TestClock extends SteadyClock {
  advance(ms: number): void;
}

export function createTestClock(startMs = Date.UTC(2026, 0, 5, 9)): TestClock {
  let at = startMs;
  return {
    now: () => instant(at),
    ahead: () => durationMs(0),
    advance: (ms) => {
      at += ms;
    },
  };
}

/** A storage under test, and how to look at it from outside. */
export interface OpenedStorage {
  readonly ledger: Ledger;
  readonly cache: DecisionCache;
  readonly clock: TestClock;
  /** Path of the database; undefined when there is none. */
  readonly path?: string;
  readonly failures: readonly string[];
  close(): Promise<void>;
}

export const SEAL_KEY = Buffer.alloc(32, "seal");
export const OBSERVATION_KEY = Buffer.alloc(32, "observation");

export async function openMemory(options: { readonly clock?: TestClock; readonly state?: State } = {}): Promise<OpenedStorage> {
  const { clock = createTestClock(), state } = options;
  return { ledger: createMemoryLedger(state), cache: createMemoryDecisionCache(1_000), clock, failures: [], close: async () => undefined };
}

export interface SqliteTestOptions {
  /** An existing database; absent: a new one, gone after close. */
  readonly path?: string;
  readonly clock?: TestClock;
  readonly turnsWaitingMax?: number;
  readonly observationKey?: Buffer;
}

export interface OpenedSqlite extends OpenedStorage, Pick<SqliteStorage, "measure"> {
  readonly path: string;
  /** Groups that are on disk, as the ledger told of them. */
  readonly written: readonly WrittenGroup[];
}

export async function openSqlite(options: SqliteTestOptions = {}): Promise<OpenedSqlite> {
  const directory = options.path === undefined ? temporaryDirectory() : undefined;
  const path = options.path ?? join(directory?.path ?? "", "behest.db");
  const clock = options.clock ?? createTestClock();
  const failures: string[] = [];
  const written: WrittenGroup[] = [];
  const { ledger, cache, measure } = await openSqliteStorage({
    path,
    journalPath: `${path}.journal`,
    now: clock.now,
    notBefore: () => undefined,
    sealKey: SEAL_KEY,
    observationKey: options.observationKey ?? OBSERVATION_KEY,
    cacheRowsMax: 1_000,
    turnsWaitingMax: options.turnsWaitingMax ?? 10_000,
    reopenAfterMs: 20,
    onFailure: (error) => failures.push(error.message),
    onJournalProblem: (problem) => failures.push(`journal: ${problem}`),
    onGroupWritten: (group) => written.push(group),
  });
  return {
    ledger,
    cache,
    measure,
    clock,
    path,
    failures,
    written,
    async close() {
      await ledger.close();
      directory?.remove();
    },
  };
}

/** What a crash of the process would leave at this moment, at another path. */
export function copyAsCrashed(path: string, copy: string): string {
  for (const end of ["", "-wal", ".journal"]) if (existsSync(path + end)) copyFileSync(path + end, copy + end);
  return copy;
}

/** Keeps anybody else from writing, as a full disk does. */
export function blockWrites(path: string): { release(): void } {
  const blocker = new Sqlite(path);
  blocker.exec("BEGIN IMMEDIATE");
  return {
    release: () => {
      blocker.exec("ROLLBACK");
      blocker.close();
    },
  };
}

export const isReady = ({ ledger }: OpenedStorage): Promise<void> =>
  new Promise((resolve) => (ledger.ready ? resolve() : ledger.onReadyChange((ready) => ready && resolve())));

/** Looks at a database, or spoils it, as another program would. */
export function lookOutside<T>(path: string, use: (db: Sqlite.Database) => T): T {
  const db = new Sqlite(path);
  try {
    return use(db);
  } finally {
    db.close();
  }
}
