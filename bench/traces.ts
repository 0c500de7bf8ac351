import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { isObject } from "../src/core/json.ts";
import type { Json, JsonObject } from "../src/core/words.ts";

/** What a decision may see of one recorded case, and beside it what only whoever counts may read. */
export interface TraceCase {
  readonly id: string;
  /** Which set of tools and data it was recorded with; empty where the file does not say. */
  readonly suite: string;
  /** The user's own words. */
  readonly task: string;
  /** The tools that a planner proposed for the task before anything was read; absent where none was asked. */
  readonly proposedTools?: readonly string[];
  /** What the platform knows of the user. */
  readonly principal: JsonObject;
  readonly steps: readonly TraceStep[];
  /** The answer key: no decision sees it. */
  readonly key: {
    readonly isAttack: boolean;
    /** For each step, whether an attacker made the agent take it. */
    readonly injected: readonly boolean[];
  };
}

export interface TraceStep {
  readonly tool: string;
  /** JSON text; where an agent wrote what is no JSON object, its own text, which a server refuses. */
  readonly argumentsJson: string;
  /** What the call returned, in the file of outputs; absent where nothing was kept. */
  readonly outputRef?: string;
}

/** A file that cannot be replayed; its message says which line and why. */
export class TracesUnreadable extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "TracesUnreadable";
  }
}

/** Reads cases, one a line. @throws {TracesUnreadable} */
export function readTraces(path: string): readonly TraceCase[] {
  const cases = readLines(path, readCase);
  if (cases.length === 0) throw new TracesUnreadable(`\`${path}\` holds no case`);
  return cases;
}

/** Reads JSON lines, gzipped if the name says so. @throws {TracesUnreadable} */
export const readLines = <T>(path: string, read: (value: Json, place: string) => T): readonly T[] =>
  readText(path)
    .split("\n")
    .flatMap((line, at) => {
      const place = `${path}:${at + 1}`;
      return line.trim() === "" ? [] : [read(parseLine(line, place), place)];
    });

function readText(path: string): string {
  try {
    const bytes = readFileSync(path);
    return (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
  } catch (error) {
    throw new TracesUnreadable(`\`${path}\` cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

function readCase(found: Json, place: string): TraceCase {
  if (!isObject(found) || typeof found["case_id"] !== "string" || typeof found["task"] !== "string" || !Array.isArray(found["steps"])) {
    throw new TracesUnreadable(`${place}: a case has \`case_id\`, \`task\` and \`steps\``);
  }
  const { case_id: id, suite, task, principal, kind, proposed_scope: proposed } = found;
  const steps: readonly Json[] = found["steps"];
  const tools = isObject(proposed) && Array.isArray(proposed["tools"]) ? proposed["tools"].map(String) : undefined;
  return {
    id,
    suite: typeof suite === "string" ? suite : "",
    task,
    principal: isObject(principal) ? principal : {},
    ...(tools && { proposedTools: tools }),
    steps: steps.map((step) => readStep(step, place)),
    key: { isAttack: kind === "attack", injected: steps.map((step) => isObject(step) && step["label"] === "injected") },
  };
}

function readStep(step: Json, place: string): TraceStep {
  if (!isObject(step) || typeof step["tool"] !== "string" || !("args" in step)) {
    throw new TracesUnreadable(`${place}: a step has a \`tool\` and \`args\``);
  }
  const { tool, args, output_ref: ref } = step;
  return { tool, argumentsJson: typeof args === "string" ? args : JSON.stringify(args), ...(typeof ref === "string" && { outputRef: ref }) };
}

function parseLine(line: string, place: string): Json {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new TracesUnreadable(`${place}: not JSON`, { cause: error });
  }
}
