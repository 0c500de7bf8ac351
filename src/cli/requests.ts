import { readFileSync } from "node:fs";
import { type Command, InvalidArgumentError } from "commander";
import { RequestUnreadable, readRequestJson } from "../client/request-json.ts";
import { OBLIGATION_TYPES } from "../core/obligations.ts";
import { EFFECTS } from "../core/words.ts";
import type * as wire from "../gen/behest/v1/decision_pb.ts";
import { addConnectOptions, type ConnectOptions } from "./connect.ts";
import { asTyped } from "./hint.ts";
import { type Format, formatOption } from "./output.ts";
import { mistakesOf } from "./request-mistakes.ts";

export interface RequestOptions extends ConnectOptions {
  readonly agent?: string;
  readonly tool?: string;
  readonly operation?: string;
  readonly effect?: string;
  readonly args?: string;
  readonly arg?: Readonly<Record<string, unknown>>;
  readonly resource?: string;
  readonly classification?: string;
  readonly category?: readonly string[];
  readonly environment?: string;
  readonly attribute?: Readonly<Record<string, unknown>>;
  readonly statement?: string;
  readonly task?: string;
  readonly session?: string;
  readonly behestOf?: string;
  readonly requestId?: string;
  readonly supports?: readonly string[];
  readonly output: Format;
}

export const REQUEST_EXAMPLE = `
  behest COMMAND --agent coding-assistant --tool filesystem/read_text_file --arg path=/srv/handbook.md
  behest COMMAND docs/examples/first-steps.json`;

/** What `decide` and `explain` ask about: a file, or flags. */
export function addRequestOptions(command: Command, argument: string): Command {
  command
    .argument("[file]", argument)
    .option("--agent <id>", "agent that wants to act")
    .option("--tool <name>", "tool it wants to call")
    .option("--operation <name>", "operation of the tool")
    .option("--effect <effect>", `effect, where it is worse than the catalog's: ${EFFECTS.join(" ")}`)
    .option("--args <json>", "arguments, as a JSON object")
    .option("--arg <key=value>", "one argument; the value is JSON, or else text; repeatable", collectArgument, {})
    .option("--resource <type:id>", "what is acted upon")
    .option("--classification <name>", "classification of the data; one that the policy does not list counts as the highest")
    .option("--category <name...>", "categories of the data")
    .option("--environment <name>", "environment")
    .option("--attribute <key=value>", "an attribute of the context; the value is JSON, or else text; repeatable", collectArgument)
    .option("--statement <text>", "what was asked for")
    .option("--task <id>", "task the action belongs to")
    .option("--session <name>", "conversation the action belongs to")
    .option("--behest-of <type:id>", "who asked the agent, such as user:alice")
    .option("--request-id <id>", "name of this attempt")
    .option("--supports <obligation...>", `obligations that can be fulfilled: ${OBLIGATION_TYPES.join(" ")}`)
    .addOption(formatOption());
  return addConnectOptions(command);
}

export function collectArgument(text: string, before: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("write KEY=VALUE.");
  return { ...before, [text.slice(0, at)]: jsonOrText(text.slice(at + 1)) };
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Flags that describe a request; a file describes it whole. */
const REQUEST_FLAGS = [
  "agent",
  "tool",
  "operation",
  "effect",
  "args",
  "resource",
  "classification",
  "category",
  "environment",
  "attribute",
  "statement",
  "task",
  "session",
  "behestOf",
  "requestId",
  "supports",
] as const;

/** Flags that would change nothing must not look as if they did. */
export function refuseFlags(what: string, options: RequestOptions): void {
  const stated = REQUEST_FLAGS.filter((flag) => options[flag] !== undefined);
  if (Object.keys(options.arg ?? {}).length > 0) stated.push("args");
  const [first] = stated;
  if (first === undefined) return;
  const flag = first === "args" ? "--arg" : `--${first.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw new RequestUnreadable(`${what}, so ${flag} would change nothing; leave out one of the two`);
}

/** `command` is who asks, for hints. */
export function readRequests(file: string | undefined, options: RequestOptions, command: string): readonly wire.DecideRequest[] {
  if (file !== undefined) refuseFlags(`\`${file}\` holds whole requests`, options);
  const values = file === undefined ? [requestOfFlags(options, command)] : parseRequests(file);
  return values.map((value, index) => {
    try {
      return readRequestJson(value);
    } catch (error) {
      if (!(error instanceof RequestUnreadable) || values.length === 1) throw error;
      throw new RequestUnreadable(`request ${index + 1}: ${mistakesOf(error)}`, { cause: error });
    }
  });
}

function requestOfFlags(options: RequestOptions, command: string): unknown {
  const { agent, tool, statement, task } = options;
  if (agent === undefined || tool === undefined) {
    throw new RequestUnreadable(`name at least --agent and --tool, or a file of requests; see \`${asTyped(`${command} --help`)}\``);
  }
  return {
    ...(options.requestId !== undefined && { request_id: options.requestId }),
    agent: { id: agent },
    task: { ...(statement !== undefined && { statement }), ...(task !== undefined && { id: task }) },
    ...(options.session !== undefined && { session: options.session }),
    ...(options.behestOf !== undefined && {
      delegation: [{ principal: typed(options.behestOf, "--behest-of") }, { principal: { type: "agent", id: agent } }],
    }),
    action: {
      tool,
      ...(options.operation !== undefined && { operation: options.operation }),
      ...(options.effect !== undefined && { effect: options.effect }),
      arguments_json: JSON.stringify({ ...argumentsOf(options.args), ...options.arg }),
      ...(options.resource !== undefined && { resource: typed(options.resource, "--resource") }),
    },
    data: { ...(options.classification !== undefined && { classification: options.classification }), categories: options.category ?? [] },
    ...(options.supports && { supported_obligations: options.supports }),
    ...contextOf(options),
  };
}

function contextOf({ environment, attribute }: RequestOptions): object {
  if (environment === undefined && attribute === undefined) return {};
  return { context: { ...(environment !== undefined && { environment }), ...(attribute && { attributes: attribute }) } };
}

function argumentsOf(text: string | undefined): object {
  if (text === undefined) return {};
  const value = jsonOrText(text);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new RequestUnreadable('--args is a JSON object, such as \'{"path": "/srv/handbook.md"}\'');
}

export function typed(text: string, flag: string): { readonly type: string; readonly id: string } {
  const at = text.indexOf(":");
  if (at < 1) throw new RequestUnreadable(`${flag} is TYPE:ID, found \`${text}\``);
  return { type: text.slice(0, at), id: text.slice(at + 1) };
}

function parseRequests(file: string): readonly unknown[] {
  let text: string;
  try {
    text = readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    throw new RequestUnreadable(`\`${file}\` cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  const whole = parsed(text);
  const values = whole instanceof SyntaxError ? parseLines(file, text, whole) : Array.isArray(whole) ? whole : [whole];
  if (values.length === 0) throw new RequestUnreadable(`\`${file}\` holds no request`);
  return values;
}

function parseLines(file: string, text: string, whole: SyntaxError): readonly unknown[] {
  const values = text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map(parsed);
  if (values.some((value) => value instanceof SyntaxError)) throw new RequestUnreadable(`\`${file}\` is not JSON: ${whole.message}`);
  return values;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    return error instanceof SyntaxError ? error : new SyntaxError(String(error));
  }
}
