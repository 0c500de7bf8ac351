import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseInstant } from "../core/instants.ts";
import { ROLES, type Role } from "../core/request.ts";
import { writePrivate } from "../private-file.ts";

/** One entry of tokens.json: what a token stands for, and its hash. The token itself is nowhere but with its holder. */
export interface TokenEntry {
  /** The public part of the token. */
  readonly id: string;
  readonly tenant: string;
  readonly caller: string;
  readonly roles: readonly Role[];
  /** Globs of the agents that it covers; absent: all. */
  readonly agents?: readonly string[];
  /** In UTC, as `2027-01-01T00:00:00Z`. Absent from tokens of before this was kept. */
  readonly created_at?: string;
  /** From this instant on it is nobody's; absent: it never expires. */
  readonly expires_at?: string;
  /** SHA-256 of the whole token, hexadecimal. */
  readonly sha256: string;
}

/** Some ten thousand tokens. It is read whole, and on the thread that decides. */
const FILE_BYTES_MAX = 4 * 1_024 * 1_024;

/** Globs of one token: all of them stand in the record of every decision that it asks for. */
export const AGENTS_MAX = 32;
export const GLOB_BYTES_MAX = 256;

export const tokensPathOf = (dataDirectory: string): string => join(dataDirectory, "tokens.json");

/** Reads tokens.json whole or not at all. @throws {Error} that says what to do. */
export function readTokens(dataDirectory: string): readonly TokenEntry[] {
  const path = tokensPathOf(dataDirectory);
  const complain = (why: string): never => {
    throw new Error(`\`${path}\` ${why}; mend it, or remove it together with the *.token files to have new tokens made`);
  };
  let parsed: unknown;
  try {
    const { size } = statSync(path);
    if (size > FILE_BYTES_MAX) throw new RangeError(`it has ${size} bytes, at most ${FILE_BYTES_MAX} are read`);
    parsed = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    complain(`cannot be read: ${messageOf(error)}`);
  }
  const list = parsed !== null && typeof parsed === "object" && "tokens" in parsed ? parsed.tokens : undefined;
  if (!Array.isArray(list) || !list.every(isEntry)) return complain("does not hold tokens as Behest writes them");
  // The last of two would silently replace the first, whose holder would be locked out.
  return new Set(list.map(({ id }) => id)).size === list.length ? list : complain("holds two tokens with one id");
}

/**
 * Replaces tokens.json whole: whoever reads it meanwhile, and whatever ends this in the middle, finds the one or the other. Two that write at
 * once are for the caller to keep apart.
 * @throws {Error} when it cannot be written; what was there is still there.
 */
export function writeTokens(dataDirectory: string, entries: readonly TokenEntry[]): void {
  const text = `${JSON.stringify({ tokens: entries }, null, 2)}\n`;
  if (Buffer.byteLength(text) > FILE_BYTES_MAX) throw new Error(`the tokens would take more than ${FILE_BYTES_MAX} bytes; revoke some`);
  writePrivate(tokensPathOf(dataDirectory), text);
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const isWord = (value: unknown): value is string => typeof value === "string" && value !== "";
const isInstant = (value: unknown): boolean => typeof value === "string" && parseInstant(value) !== undefined;

/** By key; a key that is not here could be a restriction that is not known, or a misspelled one. */
const REQUIRED: Readonly<Record<string, (value: unknown) => boolean>> = {
  id: isWord,
  tenant: isWord,
  caller: isWord,
  roles: (value) => Array.isArray(value) && value.every((role) => ROLES.includes(role)),
  sha256: (value) => typeof value === "string" && /^[0-9a-f]{64}$/.test(value),
};
const OPTIONAL: Readonly<Record<string, (value: unknown) => boolean>> = {
  agents: (value) =>
    Array.isArray(value) && value.length <= AGENTS_MAX && value.every((glob) => isWord(glob) && Buffer.byteLength(glob) <= GLOB_BYTES_MAX),
  created_at: isInstant,
  expires_at: isInstant,
};

function isEntry(value: unknown): value is TokenEntry {
  if (value === null || typeof value !== "object") return false;
  const isGood = ([key, stated]: [string, unknown]): boolean => (own(REQUIRED, key) ?? own(OPTIONAL, key))?.(stated) === true;
  return Object.keys(REQUIRED).every((key) => Object.hasOwn(value, key)) && Object.entries(value).every(isGood);
}

const own = <T>(table: Readonly<Record<string, T>>, key: string): T | undefined => (Object.hasOwn(table, key) ? table[key] : undefined);
