import { createHash } from "node:crypto";
import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import type { Database } from "better-sqlite3";
import type { PolicyRow, Room } from "./messages.ts";

/** What is written stands in the WAL and, once that is taken over, in the file as well; both bring a little of their own. */
const COPIES = 2.02;
/** What must be left for decisions afterwards, and for taking over what they have written. */
const LEFT_FREE_BYTES = 256 * 1_024;

export interface PolicyRows {
  write(policy: PolicyRow): void;
  read(digest: string): Omit<PolicyRow, "digest"> | undefined;
  /** What it takes to keep a policy, and what there is. One policy is more than many decisions: it must not take their room. */
  measure(policy: PolicyRow): Room;
}

/** Policies, of which each text is kept once: most changes are of one file among many. */
export function policyRows(db: Database): PolicyRows {
  const insertPolicy = db.prepare("INSERT OR IGNORE INTO _policies (policy_digest, first_loaded_at) VALUES (?, ?)");
  const insertText = db.prepare("INSERT OR IGNORE INTO _policy_texts (text_digest, text) VALUES (?, ?)");
  const insertFile = db.prepare("INSERT INTO _policy_files (policy_digest, path, text_digest) VALUES (?, ?, ?)");
  const knownPolicy = db.prepare<[string]>("SELECT 1 FROM _policies WHERE policy_digest = ?");
  const knownText = db.prepare<[string]>("SELECT 1 FROM _policy_texts WHERE text_digest = ?");
  const select = db.prepare<[string], { first_loaded_at: number; files: string }>(
    "SELECT first_loaded_at, files FROM policies WHERE policy_digest = ?",
  );
  return {
    write({ digest, atMs, files }) {
      if (insertPolicy.run(digest, atMs).changes === 0) return;
      for (const [path, text] of Object.entries(files)) {
        const textDigest = digestOf(text);
        insertText.run(textDigest, text);
        insertFile.run(digest, path, textDigest);
      }
    },
    read(digest) {
      const row = select.get(digest);
      return row && { atMs: row.first_loaded_at, files: JSON.parse(row.files) };
    },
    measure({ digest, files }) {
      const freeBytes = freeBytesBeside(db.name);
      if (knownPolicy.get(digest) !== undefined) return { neededBytes: 0, freeBytes };
      const texts = Object.values(files).filter((text) => knownText.get(digestOf(text)) === undefined);
      const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
      return { neededBytes: Math.ceil(bytes * COPIES) + LEFT_FREE_BYTES, freeBytes };
    },
  };
}

const digestOf = (text: string): string => createHash("sha256").update(text).digest("hex");

function freeBytesBeside(path: string): number {
  const { bavail, bsize, blocks } = statfsSync(dirname(path));
  // Some network file systems do not tell.
  return blocks === 0 ? Number.POSITIVE_INFINITY : bavail * bsize;
}
