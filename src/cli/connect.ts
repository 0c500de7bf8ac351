import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { type BehestClient, createClient } from "../client/client.ts";
import { type Config, readConfig } from "../config.ts";
import type { Caller, Role } from "../core/request.ts";
import { callerOfToken, tokenFileOf, tokenIdOf } from "../identity/tokens.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import { asTyped } from "./hint.ts";

const TIMEOUT_MS = 10_000;

export interface ConnectOptions {
  readonly data?: string;
  readonly grpc?: string;
  readonly tokenFile?: string;
}

export const addConnectOptions = (command: Command): Command =>
  command
    .option("--data <dir>", "data directory that holds the tokens (default: $XDG_STATE_HOME/behest)")
    .option("--grpc <host:port>", "server to ask (default: 127.0.0.1:7080)")
    .option("--token-file <file>", "ask with the token in this file (default: the local one in the data directory)");

export function readConnectConfig({ data, grpc }: ConnectOptions): Config {
  return readConfig({ flags: { data, grpc }, environment: process.env });
}

/** Who asks with the token of an approver, where the data directory tells whose it is. */
export function approverOf(options: ConnectOptions): Caller | undefined {
  const { data } = readConnectConfig(options);
  return callerOfToken(data, options.tokenFile ?? join(data, tokenFileOf("approver")));
}

/** Runs `use` with a client that holds the local token of a role. */
export async function withClient<T>(options: ConnectOptions, role: Role | undefined, use: (client: BehestClient) => Promise<T>): Promise<T> {
  const config = readConnectConfig(options);
  const token = role && tokenFor({ ...options, data: config.data }, role);
  const client = createClient({ address: config.grpc, timeoutMs: TIMEOUT_MS, ...(token !== undefined && { token }) });
  try {
    return await use(client);
  } finally {
    client.close();
  }
}

/** The token of a role. @throws {CommandFailed} */
export const tokenFor = ({ data, tokenFile }: { readonly data: string; readonly tokenFile?: string }, role: Role): string =>
  tokenFile === undefined ? readLocalToken(data, role) : readTokenFile(tokenFile);

function readTokenFile(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8").trim();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandFailed(EXIT.unauthenticated, `the token file \`${path}\` cannot be read: ${why}`, { cause: error });
  }
  if (tokenIdOf(text) === undefined) {
    throw new CommandFailed(EXIT.unauthenticated, `\`${path}\` does not hold one token alone, as \`behest tokens create\` prints it`);
  }
  return text;
}

function readLocalToken(dataDirectory: string, role: Role): string {
  const path = join(dataDirectory, tokenFileOf(role));
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    throw new CommandFailed(
      EXIT.unauthenticated,
      `no token at \`${path}\`; start the server once with \`${asTyped("serve")}\`, or name its data directory with --data`,
      { cause: error },
    );
  }
}
