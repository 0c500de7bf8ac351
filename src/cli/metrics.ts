import type { Command } from "commander";
import { readConfig } from "../config.ts";
import { tokenFor } from "./connect.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import { asTyped } from "./hint.ts";

interface MetricsOptions {
  readonly data?: string;
  readonly http?: string;
  readonly tokenFile?: string;
}

const TIMEOUT_MS = 10_000;

export function addMetrics(program: Command): void {
  program
    .command("metrics")
    .description("what a server counts and measures, as Prometheus reads it")
    .option("--data <dir>", "data directory that holds the tokens (default: $XDG_STATE_HOME/behest)")
    .option("--http <host:port>", "server to ask (default: 127.0.0.1:7081)")
    .option("--token-file <file>", "ask with the token in this file (default: the auditor's in the data directory)")
    .addHelpText("after", "\nExample:\n  behest metrics | grep '^behest_decisions_total'\n")
    .action(async (options: MetricsOptions) => {
      process.stdout.write(await readMetrics(options));
    });
}

async function readMetrics({ data, http, tokenFile }: MetricsOptions): Promise<string> {
  const config = readConfig({ flags: { data, http }, environment: process.env });
  if (config.http === "off") throw new CommandFailed(EXIT.usage, "HTTP is `off`; name the server with --http HOST:PORT");
  const answer = await ask(config.http, tokenFor({ data: config.data, ...(tokenFile !== undefined && { tokenFile }) }, "auditor"));
  const text = await answer.text();
  if (answer.ok) return text;
  const isRefused = answer.status === 401 || answer.status === 403;
  throw new CommandFailed(isRefused ? EXIT.unauthenticated : EXIT.unreachable, messageOf(text) ?? `\`${config.http}\` answers with ${answer.status}`);
}

async function ask(address: string, token: string): Promise<Response> {
  try {
    return await fetch(`http://${address}/metrics`, {
      headers: { authorization: `Bearer ${token}` },
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new CommandFailed(
      EXIT.unreachable,
      `no server answers over HTTP (${cause}); start one with \`${asTyped("serve")}\`, or name another with --http`,
      { cause: error },
    );
  }
}

/** What a Behest says of an error; whatever else listens there says something else. */
function messageOf(text: string): string | undefined {
  try {
    const said: { readonly error?: { readonly message?: unknown } } | null = JSON.parse(text);
    return typeof said?.error?.message === "string" ? said.error.message : undefined;
  } catch {
    return undefined;
  }
}
