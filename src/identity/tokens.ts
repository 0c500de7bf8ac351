import { hash, randomBytes, timingSafeEqual } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { ServiceError } from "../core/errors.ts";
import { isoOf, parseInstant } from "../core/instants.ts";
import { type Caller, ROLES, type Role } from "../core/request.ts";
import type { Instant } from "../core/words.ts";
import { writePrivate } from "../private-file.ts";
import { readTokens, type TokenEntry, tokensPathOf, writeTokens } from "./tokens-file.ts";

/** An entry as it is looked up, made ready once. */
interface KnownToken {
  readonly id: string;
  readonly hash: Buffer;
  readonly caller: Caller;
  readonly expiresAt?: Instant;
}

const REREAD_AFTER_MS = 500;
const TOKEN = /^behest\.([a-z0-9-]{1,64})\.[A-Za-z0-9_-]{43}$/;

/** The file in which the CLI finds the token for a role. */
export const tokenFileOf = (role: Role): string => `${role}.token`;

/** The public part of a token; undefined for what is none. */
export const tokenIdOf = (token: string): string | undefined => TOKEN.exec(token)?.[1];

export const isTokenId = (text: string): boolean => /^[a-z0-9-]{1,64}$/.test(text);

/** A token that nobody can guess, and what may be kept of it. */
export function mintToken(id: string): { readonly token: string; readonly sha256: string } {
  const token = `behest.${id}.${randomBytes(32).toString("base64url")}`;
  return { token, sha256: hash("sha256", token) };
}

/** Makes a token for each role in a data directory that has none yet. */
export function createLocalTokens(dataDirectory: string, at: Instant): void {
  if (existsSync(tokensPathOf(dataDirectory))) return;
  const entries = ROLES.map((role): TokenEntry => {
    const { token, sha256 } = mintToken(role);
    writePrivate(join(dataDirectory, tokenFileOf(role)), `${token}\n`);
    // The local approver is a person; the others are programs.
    const caller = role === "approver" ? "user:local" : `local-${role}`;
    return { id: role, tenant: "default", caller, roles: [role], created_at: isoOf(at), sha256 };
  });
  writeTokens(dataDirectory, entries);
}

export interface Authenticator {
  /**
   * Whose token it is; undefined for any that is not known.
   * @throws {ServiceError} CALLER_UNAUTHENTICATED for one that has expired, which only its holder gets to hear.
   */
  authenticate(token: string): Caller | undefined;
  /** The agents that a caller may ask decisions for, by all its tokens together: globs, or undefined for all of them, and for a caller without tokens. */
  agentsOf(tenant: string, caller: string): Caller["agents"];
  close(): void;
}

export interface WatchPorts {
  readonly now: () => Instant;
  /** Told once of each content of tokens.json that cannot be used. */
  readonly onProblem: (error: Error) => void;
}

/**
 * Knows the tokens of a data directory, and looks twice a second whether tokens.json has changed. A file that has gone knows nobody; one that
 * cannot be read leaves the last good one in force and is told to `onProblem`. A token expires at its very instant, whenever the file was read.
 * @throws {Error} when there is none that can be read at the start.
 */
export function watchTokens(dataDirectory: string, { now, onProblem }: WatchPorts): Authenticator {
  const path = tokensPathOf(dataDirectory);
  let entries = readKnown(dataDirectory);
  let version = "";
  let complainedOf = "";
  const look = async (): Promise<void> => {
    const found = await stat(path).catch(() => undefined);
    const next = found ? `${found.ino} ${found.mtimeMs} ${found.size}` : "gone";
    if (next === version) return;
    try {
      entries = found ? readKnown(dataDirectory) : new Map();
      version = next;
      if (!found) throw new Error(`\`${path}\` has gone: no caller is known until it is back`);
      complainedOf = "";
    } catch (error) {
      // What cannot be read is tried again at every look, since it may take a token away; it is told of once.
      if (complainedOf !== next) onProblem(error instanceof Error ? error : new Error(String(error)));
      complainedOf = next;
    }
  };
  const timer = setInterval(() => void look(), REREAD_AFTER_MS);
  timer.unref();
  return {
    authenticate: (token) => authenticate(entries, token, now()),
    agentsOf: (tenant, caller) => agentsOf([...entries.values()], { tenant, id: caller }, now()),
    close: () => clearInterval(timer),
  };
}

/** Whose token the file of a role holds; undefined when the data directory does not tell. */
export const localCaller = (dataDirectory: string, role: Role): Caller | undefined =>
  callerOfToken(dataDirectory, join(dataDirectory, tokenFileOf(role)));

/** Whose token a file holds; undefined when the data directory does not tell. */
export function callerOfToken(dataDirectory: string, path: string): Caller | undefined {
  try {
    const token = readFileSync(path, "utf8").trim();
    return find(readKnown(dataDirectory), token)?.caller;
  } catch {
    return undefined;
  }
}

const NOBODY = Buffer.alloc(32);

/** The entry is found by the token's public part; its secret part is compared by hash, in constant time, also when there is no entry. */
function find(known: ReadonlyMap<string, KnownToken>, token: string): KnownToken | undefined {
  const entry = known.get(tokenIdOf(token) ?? "");
  return timingSafeEqual(hash("sha256", token, "buffer"), entry?.hash ?? NOBODY) ? entry : undefined;
}

function authenticate(known: ReadonlyMap<string, KnownToken>, token: string, at: Instant): Caller | undefined {
  const entry = find(known, token);
  if (!entry) return undefined;
  if (entry.expiresAt !== undefined && at >= entry.expiresAt) {
    throw new ServiceError(
      "CALLER_UNAUTHENTICATED",
      `the token \`${entry.id}\` expired at ${isoOf(entry.expiresAt)}; have another made with \`behest tokens create\``,
    );
  }
  return entry.caller;
}

function agentsOf(known: readonly KnownToken[], { tenant, id }: Pick<Caller, "tenant" | "id">, at: Instant): Caller["agents"] {
  const own = known
    .filter(({ caller, expiresAt = Number.POSITIVE_INFINITY }) => caller.tenant === tenant && caller.id === id && at < expiresAt)
    .filter(({ caller }) => caller.roles.includes("enforcer"));
  if (own.length === 0 || own.some(({ caller }) => !caller.agents)) return undefined;
  return [...new Set(own.flatMap(({ caller }) => caller.agents ?? []))];
}

const readKnown = (dataDirectory: string): ReadonlyMap<string, KnownToken> =>
  new Map(readTokens(dataDirectory).map((entry) => [entry.id, known(entry)]));

function known({ id, tenant, caller, roles, agents, expires_at, sha256 }: TokenEntry): KnownToken {
  const expiresAt = expires_at === undefined ? undefined : parseInstant(expires_at);
  return {
    id,
    hash: Buffer.from(sha256, "hex"),
    caller: { tenant, id: caller, roles, ...(agents && { agents }) },
    ...(expiresAt !== undefined && { expiresAt }),
  };
}
