import { createHmac, createSecretKey } from "node:crypto";
import type { DigestOf } from "../../core/intent/observed.ts";

/** HMAC-SHA-256 under a key that is not in the database. */
export interface ObservationDigests {
  /** Of the values of one tree: the same value in another tree has another digest. */
  of(root: string): DigestOf;
  /** Of all that is kept of a tree together: rows that were edited, added or taken away by hand are not believed. */
  seal(root: string, rows: readonly unknown[]): string;
}

export function createObservationDigests(key: Uint8Array): ObservationDigests {
  const secret = createSecretKey(key);
  const digest = (what: readonly unknown[]): string => createHmac("sha256", secret).update(JSON.stringify(what)).digest("base64url");
  return {
    of: (root) => (value) => digest(["value", root, value]),
    seal: (root, rows) => digest(["tree", root, rows]),
  };
}
