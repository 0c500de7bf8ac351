import { existsSync } from "node:fs";
import type { Command } from "commander";
import { parseInstant } from "../core/instants.ts";
import type { Instant } from "../core/words.ts";
import { whileEditing } from "../data-directory.ts";
import { readTokens, type TokenEntry, tokensPathOf, writeTokens } from "../identity/tokens-file.ts";
import { readConnectConfig } from "./connect.ts";
import { CommandFailed, EXIT } from "./exit.ts";

export interface TokensOptions {
  readonly data?: string;
}

export const addDataOption = (command: Command): Command =>
  command.option("--data <dir>", "data directory of the server (default: $XDG_STATE_HOME/behest)");

/** The data directory that a command is about; it has tokens already. @throws {CommandFailed} */
export function dataDirectoryOf(options: TokensOptions): string {
  const { data } = readConnectConfig(options);
  if (existsSync(tokensPathOf(data))) return data;
  throw new CommandFailed(
    EXIT.internal,
    `no tokens at \`${tokensPathOf(data)}\`; start the server once with \`behest serve\`, or name its data directory with --data`,
  );
}

/** The tokens there are. @throws {CommandFailed} */
export const listTokens = (dataDirectory: string): readonly TokenEntry[] => asFailure(() => readTokens(dataDirectory));

export interface Edit<A> {
  readonly tokens: readonly TokenEntry[];
  readonly answer: A;
}

/** Changes tokens.json in one step, of which nothing shows if it fails; two edits at once come one after the other. @throws {CommandFailed} */
export function editTokens<A>(dataDirectory: string, edit: (before: readonly TokenEntry[]) => Edit<A>): A {
  return whileEditing(dataDirectory, () => {
    const { tokens, answer } = edit(listTokens(dataDirectory));
    asFailure(() => writeTokens(dataDirectory, tokens));
    return answer;
  });
}

function asFailure<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new CommandFailed(EXIT.internal, error instanceof Error ? error.message : String(error), { cause: error });
  }
}

export function hasExpired({ expires_at }: TokenEntry, at: Instant): boolean {
  const expiresAt = expires_at === undefined ? undefined : parseInstant(expires_at);
  return expiresAt !== undefined && at >= expiresAt;
}

/** Globs of the agents that it may ask or open tasks for: none without a role to do so. */
export const agentsOf = ({ roles, agents }: Pick<TokenEntry, "roles" | "agents">): readonly string[] =>
  roles.includes("enforcer") || roles.includes("initiator") ? (agents ?? ["*"]) : [];

/** All that may be told of a token. */
export const describedToken = (entry: TokenEntry, at: Instant) => ({
  id: entry.id,
  caller: entry.caller,
  tenant: entry.tenant,
  roles: entry.roles,
  agents: agentsOf(entry),
  created_at: entry.created_at ?? null,
  expires_at: entry.expires_at ?? null,
  state: hasExpired(entry, at) ? "expired" : "valid",
});
