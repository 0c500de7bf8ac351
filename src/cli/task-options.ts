import { readFileSync } from "node:fs";
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { Command } from "commander";
import { RequestUnreadable, readMessageJson } from "../client/request-json.ts";
import { isoOf } from "../core/instants.ts";
import { EFFECTS } from "../core/words.ts";
import { systemNow } from "./clock.ts";
import { addConnectOptions, type ConnectOptions } from "./connect.ts";
import { readExpiry } from "./expiry.ts";
import { readAmount } from "./money.ts";
import { type Format, formatOption } from "./output.ts";

/** What `tasks open` and `tasks delegate` have in common. */
export interface TaskOptions extends ConnectOptions {
  readonly file?: string;
  readonly agent?: string;
  readonly statement?: string;
  readonly tool?: readonly string[];
  readonly effect?: readonly string[];
  readonly resource?: readonly string[];
  readonly maxClassification?: string;
  readonly maxCalls?: readonly string[];
  readonly maxAmount?: readonly string[];
  readonly delegate?: readonly string[];
  readonly maxDepth?: string;
  readonly expires?: string;
  readonly quiet?: boolean;
  readonly output: Format;
}

export const collect = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

/** What holds where a flag is left out. */
interface Unstated {
  readonly statement: string;
  readonly list: string;
  readonly expires: string;
}

/** What the task is to be. */
export const addTaskOptions = (command: Command, { statement, list, expires }: Unstated): Command =>
  command
    .option("--agent <id>", "who is to do it")
    .option("--statement <text>", statement)
    .option("--tool <pattern>", `a tool it may use, such as mail/*; repeatable (default: ${list})`, collect)
    .option("--effect <effect>", `what it may do: ${EFFECTS.join(" ")}; repeatable (default: ${list})`, collect)
    .option("--resource <pattern>", `a resource it may touch, such as file:/srv/**; repeatable (default: ${list})`, collect)
    .option("--max-classification <name>", "highest classification of data it may touch")
    .option("--max-calls <effect=n>", "how many calls with this effect, such as pay=3; repeatable", collect)
    .option("--max-amount <cur=amount>", "how much money, such as EUR=100.00, for tools that name their currency; repeatable", collect)
    .option("--delegate <pattern>", `an agent it may be handed on to; repeatable (default: ${list})`, collect)
    .option("--max-depth <n>", "how many times it may be handed on, one below the other; 0: not at all")
    .option("--expires <time>", `when it ends by itself: 90s, 30m, 8h, 7d, or an instant such as 2027-01-01T00:00:00Z (default: ${expires})`);

/** How to ask for it, and what to print. */
export function addAskingOptions(command: Command): Command {
  command
    .option("--file <file>", "JSON file with the whole request; `-` reads stdin")
    .option("-q, --quiet", "print the new task's id and nothing else, for scripts")
    .addOption(formatOption());
  return addConnectOptions(command);
}

const COMMON_FLAGS = [
  "agent",
  "statement",
  "tool",
  "effect",
  "resource",
  "maxClassification",
  "maxCalls",
  "maxAmount",
  "delegate",
  "maxDepth",
  "expires",
] as const satisfies readonly (keyof TaskOptions)[];

interface Building<T extends DescMessage, O extends TaskOptions> {
  readonly schema: T;
  readonly options: O;
  /** What else a flag can say: a file says it all. */
  readonly flags: readonly (keyof O & string)[];
  readonly fromFlags: () => object;
}

/** The request of a file, or that of the flags. @throws {RequestUnreadable} */
export function requestOf<T extends DescMessage, O extends TaskOptions>({ schema, options, flags, fromFlags }: Building<T, O>): MessageShape<T> {
  const { file } = options;
  if (file === undefined) return readMessageJson(schema, fromFlags());
  const stated = [...COMMON_FLAGS, ...flags].find((flag) => options[flag] !== undefined);
  if (stated !== undefined) {
    const flag = `--${stated.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new RequestUnreadable(`\`${file}\` holds the whole request, so ${flag} would change nothing; leave out one of the two`);
  }
  return readMessageJson(schema, parse(file));
}

function parse(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file === "-" ? 0 : file, "utf8"));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new RequestUnreadable(error instanceof SyntaxError ? `\`${file}\` is not JSON: ${why}` : `\`${file}\` cannot be read: ${why}`, {
      cause: error,
    });
  }
}

/** What the flags of both commands say, with the names of the contract. @throws {RequestUnreadable} */
export function commonFields(options: TaskOptions): object {
  const { agent, statement, expires } = options;
  return {
    ...(agent !== undefined && { agent_id: agent }),
    ...(statement !== undefined && { statement }),
    ...(expires !== undefined && { expires_at: instantOf("--expires", expires) }),
    scope: scopeFields(options),
  };
}

export function instantOf(flag: string, text: string): string {
  const read = readExpiry(text, systemNow());
  if ("problem" in read) throw new RequestUnreadable(`${flag}: ${read.problem}`);
  return isoOf(read.at);
}

function scopeFields({ tool, effect, resource, maxClassification, maxCalls, maxAmount, delegate, maxDepth }: TaskOptions): object {
  return {
    ...(tool && { tools: tool }),
    ...(effect && { effects: effect }),
    ...(resource && { resources: resource }),
    ...(maxClassification !== undefined && { max_classification: maxClassification }),
    ...(maxCalls && { max_calls: maxCalls.map(callsOf) }),
    ...(maxAmount && { max_amounts: maxAmount.map(amountOf) }),
    ...(delegate && { delegates: delegate }),
    ...(maxDepth !== undefined && { max_depth: countOf("--max-depth", maxDepth) }),
  };
}

function countOf(flag: string, text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new RequestUnreadable(`${flag}: \`${text}\` is no count; write digits, such as \`3\``);
}

function callsOf(text: string): object {
  const at = text.indexOf("=");
  if (at < 1) throw new RequestUnreadable(`--max-calls: \`${text}\` names no count; write EFFECT=COUNT, such as \`pay=3\``);
  return { effect: text.slice(0, at), calls: countOf("--max-calls", text.slice(at + 1)) };
}

function amountOf(text: string): object {
  const read = readAmount(text);
  if ("problem" in read) throw new RequestUnreadable(`--max-amount: ${read.problem}`);
  return { currency: read.currency, amount_minor: read.amountMinor };
}
