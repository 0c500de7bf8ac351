import { stat, statfs } from "node:fs/promises";

export interface LedgerFiles {
  readonly databaseBytes: number;
  readonly walBytes: number;
  /** What the file system has left for this user. */
  readonly freeBytes: number;
}

/** Looks at the ledger's files, without holding anybody up: a disk that hangs delays nothing but the answer. */
export async function lookAtFiles(databasePath: string): Promise<LedgerFiles> {
  const [databaseBytes, walBytes, disk] = await Promise.all([bytesOf(databasePath), bytesOf(`${databasePath}-wal`), statfs(databasePath)]);
  return { databaseBytes, walBytes, freeBytes: disk.bavail * disk.bsize };
}

/** The WAL is not there before the first write. */
const bytesOf = (path: string): Promise<number> => stat(path).then(({ size }) => size, orNothing);

function orNothing(error: unknown): number {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return 0;
  throw error;
}
