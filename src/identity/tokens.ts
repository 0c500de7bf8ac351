import { hash, randomBytes, timingSafeEqual } from "node:crypto";
import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { type Caller, ROLES, type Role } from "../core/request.ts";

/** One line of tokens.json: what a token stands for, and its hash. The token itself is nowhere but with its holder. */
interface TokenEntry {
  readonly id: string;
  readonly tenant: string;
  readonly caller: string;
  readonly roles: readonly Role[];
  /** SHA-256 of the whole token, hexadecimal. */
  readonly sha256: string;
}

/** An entry as it is looked up, made ready once. */
interface KnownToken {
  readonly hash: Buffer;
  readonly caller: Caller;
}

const TOKENS_FILE = "tokens.json";
const REREAD_AFTER_MS = 500;
const TOKEN = /^behest\.([a-z0-9-]{1,64})\.[A-Za-z0-9_-]{43}$/;

/** The file in which the CLI finds the token for a role. */
export const tokenFileOf = (role: Role): string => `${role}.token`;

/** Makes a token for each role in a data directory that has none yet. */
export function createLocalTokens(dataDirectory: string): void {
  if (existsSync(join(dataDirectory, TOKENS_FILE))) return;
  const entries = ROLES.map((role): TokenEntry => {
    const token = `behest.${role}.${randomBytes(32).toString("base64url")}`;
    writePrivate(join(dataDirectory, tokenFileOf(role)), `${token}\n`);
    // The local approver is a person; the others are programs.
    return {
      id: role,
      tenant: "default",
      caller: role === "approver" ? "user:local" : `local-${role}`,
      roles: [role],
      sha256: hash("sha256", token),
    };
  });
  writePrivate(join(dataDirectory, TOKENS_FILE), `${JSON.stringify({ tokens: entries }, null, 2)}\n`);
}

/** Readable by its owner only, and there whole or not at all. */
function writePrivate(path: string, text: string): void {
  const draft = `${path}.new`;
  writeFileSync(draft, text, { mode: 0o600 });
  chmodSync(draft, 0o600);
  renameSync(draft, path);
}

export interface Authenticator {
  /** Whose token it is; undefined for any that is not known. */
  authenticate(token: string): Caller | undefined;
  close(): void;
}

/**
 * Knows the tokens of a data directory, and looks twice a second whether tokens.json has changed. A file that has gone knows nobody; one that
 * cannot be read leaves the last good one in force and is told to `onProblem`.
 * @throws {Error} when there is none that can be read at the start.
 */
export function watchTokens(dataDirectory: string, onProblem: (error: Error) => void): Authenticator {
  const path = join(dataDirectory, TOKENS_FILE);
  let entries = readEntries(path);
  let version = "";
  const look = async (): Promise<void> => {
    const found = await stat(path).catch(() => undefined);
    const next = found ? `${found.ino} ${found.mtimeMs} ${found.size}` : "gone";
    if (next === version) return;
    version = next;
    if (found) entries = readEntries(path);
    else {
      entries = new Map();
      onProblem(new Error(`\`${path}\` has gone: no caller is known until it is back`));
    }
  };
  const timer = setInterval(() => {
    look().catch((error: unknown) => onProblem(error instanceof Error ? error : new Error(String(error))));
  }, REREAD_AFTER_MS);
  timer.unref();
  return {
    authenticate: (token) => authenticate(entries, token),
    close: () => clearInterval(timer),
  };
}

/** Whose token the file of a role holds; undefined when the data directory does not tell. */
export function localCaller(dataDirectory: string, role: Role): Caller | undefined {
  try {
    const token = readFileSync(join(dataDirectory, tokenFileOf(role)), "utf8").trim();
    return authenticate(readEntries(join(dataDirectory, TOKENS_FILE)), token);
  } catch {
    return undefined;
  }
}

const NOBODY = Buffer.alloc(32);

/** The entry is found by the token's public part; its secret part is compared by hash, in constant time, also when there is no entry. */
function authenticate(known: ReadonlyMap<string, KnownToken>, token: string): Caller | undefined {
  const entry = known.get(TOKEN.exec(token)?.[1] ?? "");
  const same = timingSafeEqual(hash("sha256", token, "buffer"), entry?.hash ?? NOBODY);
  return same ? entry?.caller : undefined;
}

function readEntries(path: string): ReadonlyMap<string, KnownToken> {
  const complain = (why: string): never => {
    throw new Error(`\`${path}\` ${why}; mend it, or remove it together with the *.token files to have new tokens made`);
  };
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    complain(`cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  const list = parsed !== null && typeof parsed === "object" && "tokens" in parsed ? parsed.tokens : undefined;
  if (!Array.isArray(list) || !list.every(isEntry)) return complain("does not hold tokens as Behest writes them");
  const entries = new Map(list.map((entry) => [entry.id, known(entry)]));
  // The last of two would silently replace the first, whose holder would be locked out.
  return entries.size === list.length ? entries : complain("holds two tokens with one id");
}

const known = ({ tenant, caller, roles, sha256 }: TokenEntry): KnownToken => ({
  hash: Buffer.from(sha256, "hex"),
  caller: { tenant, id: caller, roles },
});

function isEntry(value: unknown): value is TokenEntry {
  if (value === null || typeof value !== "object") return false;
  const entry = value as Readonly<Record<string, unknown>>;
  const { roles } = entry;
  return (
    ["id", "tenant", "caller"].every((key) => typeof entry[key] === "string" && entry[key] !== "") &&
    typeof entry["sha256"] === "string" &&
    /^[0-9a-f]{64}$/.test(entry["sha256"]) &&
    Array.isArray(roles) &&
    roles.every((role) => ROLES.includes(role))
  );
}
