import { canonical } from "../canonical.ts";
import { isList, isObject } from "../core/json.ts";
import { definitionDigest } from "../core/tool-definition.ts";
import type { Json, JsonObject } from "../core/words.ts";
import { createInference, type Inference, type ListedTool } from "../inference/infer.ts";
import { TOOL_NAME } from "../policy/catalog.ts";
import { type Document, type Node, propertiesOf } from "../policy/document.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import { visible } from "./output.ts";

/** How a listed tool stands to the catalog. */
export type ImportState = "new" | "kept" | "drifted" | "elsewhere" | "unlistable" | "gone";

export interface ImportedTool {
  /** As the catalog has it. */
  readonly tool: string;
  readonly state: ImportState;
  /** Undefined for one that the server lists no more. */
  readonly inference?: Inference;
  readonly digest?: string;
  /** What the catalog would say; undefined where it cannot list the tool. */
  readonly entry?: JsonObject;
  /** What somebody wrote of it, which stays. */
  readonly written?: JsonObject;
  readonly file?: string;
  /** Where what is written is otherwise than what was inferred. */
  readonly differences: readonly string[];
}

interface Catalogs {
  readonly into?: Document;
  /** Other files of the same catalog: a tool is listed in one of them only. */
  readonly others: readonly Document[];
  /** By all words unless others are wanted. */
  readonly infer?: ReturnType<typeof createInference>;
}

/** Keys that no file of a policy may have. */
const FORBIDDEN = new Set(["__proto__", "constructor", "prototype"]);
const DESCRIPTION_WORDS_MAX = 4;
const WORDS_MAX = 60;

/** Infers every listed tool, and compares it with what is written. @throws {CommandFailed} when one of them is no tool. */
export function importTools(listed: readonly Json[], server: string | undefined, catalogs: Catalogs): readonly ImportedTool[] {
  const { infer = createInference() } = catalogs;
  const documents = [...(catalogs.into ? [catalogs.into] : []), ...catalogs.others].map((document) => ({ document, tools: toolsOf(document) }));
  const seen = new Set<string>();
  const tools = listed.map((stated, at): ImportedTool => {
    const tool = listedTool(stated, at);
    const name = server === undefined ? tool.name : `${server}/${tool.name}`;
    if (seen.has(name))
      throw new CommandFailed(EXIT.usage, `the list has the tool \`${visible(name.slice(0, 200))}\` twice, and only one of them can be listed`);
    seen.add(name);
    const { name: own, description, inputSchema } = tool;
    // Without its schema a tool would be pinned to less than what an agent is shown.
    const digest = inputSchema && definitionDigest({ name: own, ...(description !== undefined && { description }), inputSchema }, canonical);
    const place = documents.find(({ tools: known }) => known.has(name));
    const found = place?.document;
    const written = found && writtenIn(found, place.tools.get(name));
    const pinned = digest !== undefined && written?.["definition_digest"] === digest;
    const inference = infer(tool, { pinned });
    const entry = TOOL_NAME.test(name) && !FORBIDDEN.has(name) ? entryOf(inference, digest) : undefined;
    const drifted = digest !== undefined && written?.["definition_digest"] !== undefined && !pinned;
    return {
      tool: name,
      state: !entry ? "unlistable" : !written ? "new" : drifted ? "drifted" : found === catalogs.into ? "kept" : "elsewhere",
      inference,
      ...(digest !== undefined && { digest }),
      ...(entry && { entry }),
      ...(written && { written }),
      ...(found && { file: found.file }),
      differences: entry && written ? differencesOf(written, entry) : [],
    };
  });
  return [...tools, ...goneFrom(catalogs.into, seen)];
}

function listedTool(stated: Json, at: number): ListedTool {
  const refuse = (why: string): never => {
    throw new CommandFailed(EXIT.usage, `tool ${at + 1} of the list ${why}`);
  };
  if (!isObject(stated)) return refuse("is no object");
  const { name, description, inputSchema, annotations } = stated;
  if (typeof name !== "string" || name === "") return refuse("has no `name`");
  if (description !== undefined && description !== null && typeof description !== "string")
    return refuse(`(\`${visible(name.slice(0, 200))}\`) has a \`description\` that is no text`);
  return {
    name,
    ...(typeof description === "string" && { description }),
    ...(isObject(inputSchema) && { inputSchema }),
    ...(isObject(annotations) && { annotations }),
  };
}

function entryOf(inference: Inference, digest: string | undefined): JsonObject {
  const { effect, operations, reversibility, objects, trust, categories } = inference;
  const roles = inference.arguments.flatMap(({ name, value }): [string, Json][] =>
    value === undefined || FORBIDDEN.has(name) ? [] : [[name, value]],
  );
  return {
    description: descriptionOf(inference),
    ...(operations
      ? { operations: Object.fromEntries([...operations.effects].filter(([choice]) => !FORBIDDEN.has(choice))) }
      : { effect: effect.value }),
    reversibility: reversibility.value,
    ...(roles.length > 0 && { arguments: Object.fromEntries(roles) }),
    ...(objects.value.length > 0 && { objects: objects.value }),
    output: { trust: trust.value, ...(categories.length > 0 && { categories: categories.map(({ value }) => value) }) },
    ...(digest !== undefined && { definition_digest: digest }),
  };
}

/** Says in the catalog itself how an entry came about. */
function descriptionOf({ effect, doubts }: Inference): string {
  const words = effect.words.slice(0, DESCRIPTION_WORDS_MAX).map(({ from, words: said }) => `\`${visible(said.slice(0, WORDS_MAX))}\` (${from})`);
  const why = words.length > 0 ? `from ${words.join(", ")}` : "no word says what it does";
  return `inferred, not reviewed: ${effect.confidence} confidence, ${why}${doubts.length > 0 ? "; see what the import doubts" : ""}`;
}

function writtenIn(document: Document, node: Node | undefined): JsonObject {
  const value: Json = node ? JSON.parse(document.text.slice(node.offset, node.offset + node.length)) : {};
  return isObject(value) ? value : {};
}

function toolsOf({ root }: Document): ReadonlyMap<string, Node> {
  const tools = propertiesOf(root).find(({ key }) => key === "tools");
  return new Map(tools ? propertiesOf(tools.valueNode).map(({ key, valueNode }) => [key, valueNode]) : []);
}

const COMPARED = ["effect", "operations", "reversibility", "arguments", "objects", "output"] as const;

/** What is written counts; where the words of the tool say otherwise, a reviewer should know. */
function differencesOf(written: JsonObject, entry: JsonObject): readonly string[] {
  return COMPARED.flatMap((key) => {
    const [before, after] = [written, entry].map((tool) => comparedOf(tool, key));
    if (before === after) return [];
    return [`${key === "output" ? "output.trust" : key}: ${before ?? "nothing"} is written, ${after ?? "nothing"} inferred`];
  });
}

/** As text; of nouns in any order. */
function comparedOf(tool: JsonObject, key: (typeof COMPARED)[number]): string | undefined {
  const stated = key === "output" ? partOf(tool, "output", "trust") : tool[key];
  const value = key === "objects" && isList(stated) ? [...stated].sort() : stated;
  return value === undefined ? undefined : canonical({ value }).slice('{"value":'.length, -1);
}

const partOf = (object: JsonObject, key: string, part: string): Json | undefined => {
  const value = object[key];
  return isObject(value) ? value[part] : undefined;
};

/** Tools of the same servers that the file has and the list has not. */
function goneFrom(into: Document | undefined, listed: ReadonlySet<string>): readonly ImportedTool[] {
  if (!into) return [];
  const serverOf = (name: string): string => name.slice(0, Math.max(0, name.indexOf("/")));
  const servers = new Set([...listed].map(serverOf));
  return [...toolsOf(into).keys()].flatMap((key): ImportedTool[] =>
    listed.has(key) || !servers.has(serverOf(key)) ? [] : [{ tool: key, state: "gone", file: into.file, differences: [] }],
  );
}
