import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import type { Database } from "better-sqlite3";
import type { PolicyRow, Room } from "./messages.ts";

/** What is written stands in the WAL and, once that is taken over, in the file as well; both bring a little of their own. */
const COPIES = 2.02;
/** What must be left for decisions afterwards, and for taking over what they have written. */
const LEFT_FREE_BYTES = 256 * 1_024;

/** Tells what it takes to keep a policy. One policy is larger than all that decisions write for a long time: it must not take their room. */
export function createPolicyMeasure(db: Database): (policy: PolicyRow) => Room {
  const known = db.prepare<[string]>("SELECT 1 FROM policies WHERE policy_digest = ?");
  const directory = dirname(db.name);
  return ({ digest, files }) => {
    const { bavail, bsize, blocks } = statfsSync(directory);
    // Some network file systems do not tell.
    const freeBytes = blocks === 0 ? Number.POSITIVE_INFINITY : bavail * bsize;
    if (known.get(digest) !== undefined) return { neededBytes: 0, freeBytes };
    return { neededBytes: Math.ceil(Buffer.byteLength(JSON.stringify(files)) * COPIES) + LEFT_FREE_BYTES, freeBytes };
  };
}
