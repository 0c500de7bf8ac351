import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { checkJson } from "../core/json.ts";
import type { Json } from "../core/words.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import { visible } from "./output.ts";
import { TOOLS_MAX } from "./tool-list.ts";

/** A message of a server, and how many pages its list may have. */
const MESSAGE_BYTES_MAX = 8 * 1024 * 1024;
const PAGES_MAX = 100;
const LIMITS = { nestingMax: 100, keysMax: 1_000_000 };
/** As much of what a server says on stderr as helps whoever reads why it failed. */
const SAID_MAX = 2_000;

/**
 * Starts an MCP server, asks it for its tools and ends it again, whatever comes of it. The server gets the usual variables of a shell and no others:
 * what it needs besides stands in the command, as `env NAME=VALUE …`.
 * @throws {CommandFailed} when it does not start, does not answer in time, or answers what is no list of tools.
 */
export async function toolsOfServer(command: string, timeoutMs: number): Promise<readonly Json[]> {
  const [program, ...args] = commandWords(command);
  if (program === undefined) throw new CommandFailed(EXIT.usage, "--mcp names no command; give it the one that starts the server");
  const transport = new ServerProcess({ command: program, args, stderr: "pipe", maxBufferSize: MESSAGE_BYTES_MAX });
  let said = "";
  transport.stderr?.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString("utf8")).slice(-SAID_MAX);
  });
  const client = new Client({ name: "behest", version: "0" }, { listMaxPages: PAGES_MAX });
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(new Error(`it did not answer within ${timeoutMs / 1000} s`)), timeoutMs);
  try {
    return await Promise.race([listedBy(client, transport, { signal: deadline.signal, timeout: timeoutMs }), aborted(deadline.signal)]);
  } catch (error) {
    if (error instanceof CommandFailed) throw error;
    const why = visible((error instanceof Error ? error.message : String(error)).slice(0, SAID_MAX));
    const last = said.trim() === "" ? "" : `; it said: ${visible(said.trim().split("\n").slice(-3).join(" | "))}`;
    throw new CommandFailed(EXIT.unreachable, `no tools from \`${visible(command)}\`: ${why}${last}`, { cause: error });
  } finally {
    clearTimeout(timer);
    await client.close().catch(() => undefined);
    await transport.close();
    await gone(transport.id);
  }
}

/** Remembers which process it started: the library forgets it as soon as it begins to close. */
class ServerProcess extends StdioClientTransport {
  id: number | undefined;

  override async start(): Promise<void> {
    await super.start();
    this.id = this.pid ?? undefined;
  }
}

const LOOKS = { every: 10, max: 200 };

/** The library asks a server to end, and goes before it has. @throws {CommandFailed} when not even the system can end it. */
async function gone(id: number | undefined): Promise<void> {
  if (id === undefined) return;
  for (let look = 0; look < LOOKS.max; look++) {
    try {
      process.kill(id, "SIGKILL");
    } catch {
      return;
    }
    await sleep(LOOKS.every);
  }
  throw new CommandFailed(EXIT.internal, `the server, process ${id}, does not end`);
}

interface Patience {
  readonly signal: AbortSignal;
  readonly timeout: number;
}

async function listedBy(client: Client, transport: ServerProcess, patience: Patience): Promise<readonly Json[]> {
  await client.connect(transport, patience);
  if (!client.getServerCapabilities()?.tools) throw new Error("the server says that it has no tools");
  const { tools } = await client.listTools(undefined, patience);
  if (tools.length > TOOLS_MAX) throw new Error(`it lists ${tools.length} tools; at most ${TOOLS_MAX} are read`);
  const listed: readonly Json[] = JSON.parse(JSON.stringify(tools));
  const problem = checkJson(listed, LIMITS);
  if (problem)
    throw new Error(
      problem.kind === "malformed" ? problem.why : `its list has more than ${problem.max} ${problem.limit === "keys" ? "keys" : "levels"}`,
    );
  return listed;
}

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });

/** A command as a shell would take it apart, with quotes and backslashes; nothing is expanded, and no shell runs. @throws {CommandFailed} on an open quote. */
export function commandWords(command: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let at = 0; at < command.length; at++) {
    const character = command[at] ?? "";
    const escapes = character === "\\" && quote !== "'" && at + 1 < command.length;
    if (escapes) word = (word ?? "") + (command[++at] ?? "");
    else if (quote !== "" && character === quote) quote = "";
    else if (quote === "" && (character === '"' || character === "'")) {
      quote = character;
      word ??= "";
    } else if (quote === "" && /\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + character;
  }
  if (quote !== "") throw new CommandFailed(EXIT.usage, `the command of --mcp has a ${quote} that nothing closes`);
  return word === undefined ? words : [...words, word];
}
