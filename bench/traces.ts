import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

/** What a decision may see of one recorded case, and beside it what only whoever counts may read. */
export interface TraceCase {
  readonly id: string;
  /** The user's own words. */
  readonly task: string;
  /** The tools that a planner proposed for the task before anything was read; absent where none was asked. */
  readonly proposedTools?: readonly string[];
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
}

/** A file that cannot be replayed; its message says which line and why. */
export class TracesUnreadable extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "TracesUnreadable";
  }
}

/** Reads JSON lines, gzipped if the name says so. @throws {TracesUnreadable} */
export function readTraces(path: string): readonly TraceCase[] {
  const cases = readText(path)
    .split("\n")
    .flatMap((line, at) => (line.trim() === "" ? [] : [readCase(line, `${path}:${at + 1}`)]));
  if (cases.length === 0) throw new TracesUnreadable(`\`${path}\` holds no case`);
  return cases;
}

function readText(path: string): string {
  try {
    const bytes = readFileSync(path);
    return (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
  } catch (error) {
    throw new TracesUnreadable(`\`${path}\` cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

function readCase(line: string, place: string): TraceCase {
  const found = parseLine(line, place);
  if (!isObject(found) || typeof found["case_id"] !== "string" || typeof found["task"] !== "string" || !Array.isArray(found["steps"])) {
    throw new TracesUnreadable(`${place}: a case has \`case_id\`, \`task\` and \`steps\``);
  }
  const { case_id: id, task, kind, proposed_scope: proposed } = found;
  const steps: readonly unknown[] = found["steps"];
  const tools = isObject(proposed) && Array.isArray(proposed["tools"]) ? proposed["tools"].map(String) : undefined;
  return {
    id,
    task,
    ...(tools && { proposedTools: tools }),
    steps: steps.map((step) => readStep(step, place)),
    key: { isAttack: kind === "attack", injected: steps.map((step) => isObject(step) && step["label"] === "injected") },
  };
}

function readStep(step: unknown, place: string): TraceStep {
  if (!isObject(step) || typeof step["tool"] !== "string" || !("args" in step)) {
    throw new TracesUnreadable(`${place}: a step has a \`tool\` and \`args\``);
  }
  const { tool, args } = step;
  return { tool, argumentsJson: typeof args === "string" ? args : JSON.stringify(args) };
}

function parseLine(line: string, place: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new TracesUnreadable(`${place}: not JSON`, { cause: error });
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === "object" && value !== null && !Array.isArray(value);
