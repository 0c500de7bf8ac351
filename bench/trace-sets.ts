import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { isObject } from "../src/core/json.ts";
import type { Json, JsonObject } from "../src/core/words.ts";
import { readLines, readTraces, type TraceCase, TracesUnreadable } from "./traces.ts";

/** Cases of one suite, with the tools that their agents had: one catalog is made of them. */
export interface TraceSet {
  readonly suite: string;
  readonly cases: readonly TraceCase[];
  /** As a server lists them, the first of every name. */
  readonly tools: readonly JsonObject[];
}

/** Everything that was recorded. */
export interface Recording {
  readonly sets: readonly TraceSet[];
  /** What each call returned, by its reference. */
  readonly outputs: ReadonlyMap<string, string>;
}

export interface Selection {
  readonly suite?: string;
  /** The first so many cases of each suite of each file. */
  readonly limit?: number;
}

const TOOLS_FILE = "tools.jsonl";
/** The first that is there is read. */
const OUTPUTS_FILES = ["outputs.jsonl.gz", "outputs.jsonl"];

interface SuiteTool {
  readonly suite: string;
  readonly tool: JsonObject;
}

/** Reads case files, and the tools and outputs that lie beside each. @throws {TracesUnreadable} */
export function readRecording(files: readonly string[], { suite, limit }: Selection = {}): Recording {
  const sets: TraceSet[] = [];
  const outputs = new Map<string, string>();
  for (const [directory, paths] of Map.groupBy(files, (file) => dirname(file))) {
    const read = paths.map((path) => readTraces(path));
    const tools = readLines(beside(directory, [TOOLS_FILE]), readTool);
    for (const [ref, text] of readLines(beside(directory, OUTPUTS_FILES), readOutput)) outputs.set(ref, text);
    const bySuite = Map.groupBy(
      read.flatMap((cases) => [...Map.groupBy(cases, (one) => one.suite).values()].flatMap((some) => some.slice(0, limit))),
      (one) => one.suite,
    );
    for (const [name, cases] of bySuite) {
      if (suite === undefined || name === suite) sets.push({ suite: name, cases, tools: toolsOf(name, cases, tools) });
    }
  }
  if (sets.length === 0) throw new TracesUnreadable(`no case of the suite \`${suite ?? ""}\` is in these files`);
  for (const { cases } of sets) refuseUnkept(cases, outputs);
  return { sets, outputs };
}

function beside(directory: string, names: readonly string[]): string {
  const paths = names.map((name) => join(directory, name));
  const found = paths.find((path) => existsSync(path));
  if (found === undefined) throw new TracesUnreadable(`\`${paths.join("` or `")}\` is missing; the tools and outputs of cases lie beside them`);
  return found;
}

function readTool(found: Json, place: string): SuiteTool {
  if (!isObject(found) || typeof found["name"] !== "string" || typeof found["suite"] !== "string") {
    throw new TracesUnreadable(`${place}: a tool has \`suite\` and \`name\``);
  }
  const { suite, ...tool } = found;
  return { suite: String(suite), tool };
}

function readOutput(found: Json, place: string): readonly [ref: string, text: string] {
  if (!isObject(found) || typeof found["ref"] !== "string" || typeof found["text"] !== "string") {
    throw new TracesUnreadable(`${place}: an output has \`ref\` and \`text\``);
  }
  return [found["ref"], found["text"]];
}

/** Without what a call returned, a replay would be of something else. */
function refuseUnkept(cases: readonly TraceCase[], outputs: ReadonlyMap<string, string>): void {
  for (const { id, steps } of cases) {
    for (const [at, { outputRef }] of steps.entries()) {
      if (outputRef !== undefined && !outputs.has(outputRef)) {
        throw new TracesUnreadable(`step ${at + 1} of \`${id}\` returned \`${outputRef}\`, which the outputs do not hold`);
      }
    }
  }
}

/**
 * The tools that are listed for the suite itself; where none are, those of as few suites as have the tools that its cases use, the suite with most of
 * them first. A tool that nobody lists is called without being in the catalog, as it would be.
 */
function toolsOf(suite: string, cases: readonly TraceCase[], listed: readonly SuiteTool[]): readonly JsonObject[] {
  const bySuite = new Map([...Map.groupBy(listed, (one) => one.suite)].map(([name, some]) => [name, some.map(({ tool }) => tool)]));
  const own = bySuite.get(suite);
  if (own) return distinct(own);
  const missing = new Set(cases.flatMap(({ steps, proposedTools = [] }) => [...steps.map(({ tool }) => tool), ...proposedTools]));
  const chosen: JsonObject[] = [];
  for (;;) {
    const [best] = [...bySuite.values()].map((tools) => ({ tools, covers: covered(tools, missing) })).sort((a, b) => b.covers - a.covers);
    if (!best || best.covers === 0) break;
    chosen.push(...best.tools);
    for (const { name } of best.tools) missing.delete(String(name));
  }
  if (chosen.length === 0) throw new TracesUnreadable(`\`${TOOLS_FILE}\` has no tool of the suite \`${suite}\`, and none that its cases use`);
  return distinct(chosen);
}

const covered = (tools: readonly JsonObject[], names: ReadonlySet<string>): number => tools.filter(({ name }) => names.has(String(name))).length;

const distinct = (tools: readonly JsonObject[]): readonly JsonObject[] =>
  [...new Map(tools.toReversed().map((tool) => [tool["name"], tool])).values()].toReversed();
