import { readFileSync } from "node:fs";
import { canonical } from "../canonical.ts";
import { isList, isObject, type JsonProblem, parseStrict } from "../core/json.ts";
import { definitionDigest, type ToolDefinition } from "../core/tool-definition.ts";
import type { Json } from "../core/words.ts";
import { TOOL_NAME } from "../policy/catalog.ts";
import type { ListedTools } from "../policy/pins.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import { visible } from "./output.ts";

/** A server lists some dozen tools of some KiB each; what is far beyond is another file. */
const BYTES_MAX = 16 * 1024 * 1024;
export const TOOLS_MAX = 10_000;
const LIMITS = { nestingMax: 100, keysMax: 1_000_000 };

/** Digests of the tools that a file lists, by the names that the catalog has for them. @throws {CommandFailed} when it is no such list. */
export function readToolList(file: string, server: string | undefined): ListedTools {
  const refuse = refuser(file);
  const tools = readTools(file);
  if (tools.length === 0) refuse("lists no tool; nothing can be pinned by it");
  const digests = new Map<string, string>();
  for (const [index, tool] of tools.entries()) {
    const definition = definitionIn(tool, (why) => refuse(`is no list of tools: tool ${index + 1} ${why}`));
    const name = server === undefined ? definition.name : `${server}/${definition.name}`;
    if (!TOOL_NAME.test(name))
      refuse(`lists \`${visible(name.slice(0, 200))}\`, which no catalog can list: a tool name has at most 128 of \`A-Z a-z 0-9 _ . - /\``);
    if (digests.has(name)) refuse(`lists the tool \`${name}\` twice, and only one of them can be pinned`);
    digests.set(name, definitionDigest(definition, canonical));
  }
  return digests;
}

/** The tools that a file lists, as it lists them. @throws {CommandFailed} when it is no such list. */
export function readTools(file: string): readonly Json[] {
  const refuse = refuser(file);
  const tools = toolsIn(textOf(file, refuse), refuse);
  if (tools.length > TOOLS_MAX) refuse(`lists ${tools.length} tools; at most ${TOOLS_MAX} are read`);
  return tools;
}

const refuser =
  (file: string) =>
  (why: string): never => {
    throw new CommandFailed(EXIT.usage, `\`${visible(file)}\` ${why}`);
  };

type Refuse = (why: string) => never;

function textOf(file: string, refuse: Refuse): string {
  try {
    const bytes = readFileSync(file === "-" ? 0 : file);
    if (bytes.length > BYTES_MAX) return refuse(`has more than ${BYTES_MAX} bytes`);
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof CommandFailed) throw error;
    return refuse(error instanceof TypeError ? "is not valid UTF-8" : `cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Of a `tools/list` result, of the message that carries one, of a list, or of one tool a line. */
function toolsIn(text: string, refuse: Refuse): readonly Json[] {
  const whole = parseStrict(text, LIMITS);
  if ("value" in whole) return toolsOf(whole.value, refuse);
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  if (lines.length < 2) return refuse(wordsOf(whole.problem));
  const parsed = lines.map((line) => parseStrict(line, LIMITS));
  // What is spread over lines is one text with a mistake; what begins anew with each line is a text a line.
  if (!parsed[0] || !("value" in parsed[0])) return refuse(wordsOf(whole.problem));
  return parsed.map((line, at) => ("value" in line ? line.value : refuse(`${wordsOf(line.problem)} of line ${at + 1}`)));
}

const wordsOf = (problem: JsonProblem): string =>
  problem.kind === "too-big"
    ? `has more than ${problem.max} ${problem.limit === "keys" ? "keys" : "levels"}`
    : `cannot be read as JSON: ${problem.why}`;

function toolsOf(value: Json, refuse: Refuse): readonly Json[] {
  if (isList(value)) return value;
  if (!isObject(value)) return refuse("is no list of tools: give it the result of `tools/list`");
  if (isObject(value["result"])) return toolsOf(value["result"], refuse);
  if (value["nextCursor"] !== undefined && value["nextCursor"] !== null)
    return refuse("is one page of several: it has a `nextCursor`; ask for the others, and put the tools of all pages into one list");
  if (isList(value["tools"])) return value["tools"];
  if ("inputSchema" in value) return [value];
  return refuse("is no list of tools: it has no `tools`; give it the result of `tools/list`");
}

function definitionIn(tool: Json, refuse: Refuse): ToolDefinition {
  if (!isObject(tool)) return refuse("is no object");
  const { name, description, inputSchema } = tool;
  if (typeof name !== "string") return refuse("has no `name`");
  if (description !== undefined && typeof description !== "string")
    return refuse(`\`${visible(name.slice(0, 200))}\` has a \`description\` that is no text`);
  // Without its schema a tool would be pinned to less than what an agent is shown.
  if (!isObject(inputSchema)) return refuse(`\`${visible(name.slice(0, 200))}\` has no \`inputSchema\``);
  return { name, ...(description !== undefined && { description }), inputSchema };
}
