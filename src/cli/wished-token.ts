import { isFitIdentifier, UNFIT_IDENTIFIER } from "../core/identifiers.ts";
import { isoOf } from "../core/instants.ts";
import { ROLES, type Role } from "../core/request.ts";
import type { Instant } from "../core/words.ts";
import { isTokenId } from "../identity/tokens.ts";
import { AGENTS_MAX, GLOB_BYTES_MAX, type TokenEntry } from "../identity/tokens-file.ts";
import { orMean } from "../policy/complaints.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import { readExpiry } from "./expiry.ts";
import { visible } from "./output.ts";

/** What `behest tokens create` is asked for. */
export interface TokenWish {
  readonly role?: readonly string[];
  readonly name?: string;
  readonly tenant?: string;
  readonly agents?: readonly string[];
  readonly expires?: string;
  readonly id?: string;
}

/** All of an entry but what is chosen when it is made. */
export type WishedToken = Omit<TokenEntry, "id" | "caller" | "sha256"> & { readonly id?: string; readonly caller?: string };

const IDENTIFIER_BYTES_MAX = 1_024;

/** Reads a wish, with all that is wrong with it. @throws {CommandFailed} */
export function readWish(wish: TokenWish, now: Instant): WishedToken {
  const problems: string[] = [];
  const complain = (flag: string, why: string): void => {
    problems.push(`--${flag}: ${visible(why)}`);
  };
  const roles = readRoles(wish.role ?? [], complain);
  const { name, tenant = "default", agents, id } = wish;
  if (name !== undefined) checkName(name, complain);
  if (roles.includes("approver") && !name?.startsWith("user:")) complain("name", "an approver is a person; name them, such as `user:alice`");
  checkIdentifier("tenant", tenant, complain);
  if (agents) checkAgents(agents, roles, complain);
  if (id !== undefined && !isTokenId(id)) complain("id", `\`${id}\` is no id; write 1 to 64 of \`a\` to \`z\`, \`0\` to \`9\` and \`-\``);
  const expiry = wish.expires === undefined ? undefined : readExpiry(wish.expires, now);
  if (expiry && "problem" in expiry) complain("expires", expiry.problem);
  if (problems.length > 0) throw new CommandFailed(EXIT.usage, problems.join("\n"));
  return {
    ...(id !== undefined && { id }),
    ...(name !== undefined && { caller: name }),
    tenant,
    roles,
    ...(agents && { agents: [...new Set(agents)] }),
    created_at: isoOf(now),
    ...(expiry && "at" in expiry && { expires_at: isoOf(expiry.at) }),
  };
}

type Complain = (flag: string, why: string) => void;

function readRoles(words: readonly string[], complain: Complain): readonly Role[] {
  const known = ROLES.map((role) => `\`${role}\``).join(", ");
  if (words.length === 0) complain("role", `say what the token is for: one or more of ${known}`);
  for (const word of words.filter((one) => !ROLES.some((role) => role === one))) {
    const said = orMean(`there is no role \`${word.slice(0, 200)}\``, word, ROLES);
    complain("role", typeof said === "string" ? `${said}; there are ${known}` : said.message);
  }
  return ROLES.filter((role) => words.includes(role));
}

function checkIdentifier(flag: string, text: string, complain: Complain): boolean {
  if (text === "") complain(flag, "is empty");
  else if (Buffer.byteLength(text) > IDENTIFIER_BYTES_MAX) complain(flag, `is longer than ${IDENTIFIER_BYTES_MAX} bytes`);
  else if (!isFitIdentifier(text)) complain(flag, `\`${text}\` ${UNFIT_IDENTIFIER}`);
  else return true;
  return false;
}

const CALLER_TYPES = ["user", "service"];

/** A caller is a person or a program; what stands before a colon says which. */
function checkName(name: string, complain: Complain): void {
  if (!checkIdentifier("name", name, complain)) return;
  const [type = "", ...rest] = name.split(":");
  if (rest.length === 0) return;
  if (type === "agent") complain("name", `\`${name}\` is an agent; name the program that asks for it, such as \`service:gateway\``);
  else if (!CALLER_TYPES.includes(type)) {
    const said = orMean(`\`${name}\` is neither a person, \`user:…\`, nor a program, \`service:…\``, type, CALLER_TYPES);
    complain("name", typeof said === "string" ? said : said.message);
  } else if (!isFitIdentifier(rest.join(":"))) complain("name", `\`${name}\` lacks a good name after \`${type}:\``);
}

function checkAgents(globs: readonly string[], roles: readonly Role[], complain: Complain): void {
  if (roles.length > 0 && !roles.includes("enforcer") && !roles.includes("initiator")) {
    complain("agents", "says whom a token may ask or open tasks for, which takes the role `enforcer` or `initiator`");
  }
  if (globs.length > AGENTS_MAX) complain("agents", `${globs.length} globs, at most ${AGENTS_MAX} are taken; one with a \`*\` covers many agents`);
  for (const glob of globs.slice(0, AGENTS_MAX)) {
    if (glob === "") complain("agents", "a glob is empty");
    else if (Buffer.byteLength(glob) > GLOB_BYTES_MAX) complain("agents", `a glob is longer than ${GLOB_BYTES_MAX} bytes`);
    else if (!isFitIdentifier(glob)) complain("agents", `\`${glob}\` ${UNFIT_IDENTIFIER}`);
  }
}
