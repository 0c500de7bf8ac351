import { createHmac, createSecretKey } from "node:crypto";
import type { DigestOf } from "../../core/intent/observed.ts";

/** HMAC-SHA-256 under a key that is not in the database. */
export interface ObservationDigests {
  /** Of the values of one tree: the same value in another tree has another digest. */
  of(root: string): DigestOf;
  /** Of what is kept of a value or a tree: rows that were edited by hand are not believed. */
  seal(what: readonly unknown[]): string;
}

/** 128 bits. */
const SEAL_LENGTH = 22;

export function createObservationDigests(key: Uint8Array): ObservationDigests {
  const secret = createSecretKey(key);
  const digest = (what: readonly unknown[]): string => createHmac("sha256", secret).update(JSON.stringify(what)).digest("base64url");
  return {
    of: (root) => (value) => digest(["value", root, value]),
    seal: (what) => digest(["seal", ...what]).slice(0, SEAL_LENGTH),
  };
}
