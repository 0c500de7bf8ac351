import { readFileSync } from "node:fs";
import { toJson } from "@bufbuild/protobuf";
import { type Command, InvalidArgumentError } from "commander";
import { RequestUnreadable, readRequestJson } from "../client/request-json.ts";
import { EFFECTS } from "../core/words.ts";
import * as wire from "../gen/behest/v1/decision_pb.ts";
import { addConnectOptions, type ConnectOptions, withClient } from "./connect.ts";
import { EXIT } from "./failure.ts";
import { type Format, formatOption, paint, printJson, printLine, visible } from "./output.ts";

const BATCH_ITEMS = 256;

interface RequestOptions extends ConnectOptions {
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
  readonly statement?: string;
  readonly task?: string;
  readonly session?: string;
  readonly behestOf?: string;
  readonly requestId?: string;
  readonly output: Format;
}

interface DecideOptions extends RequestOptions {
  readonly exitCode?: boolean;
}

const REQUEST_EXAMPLE = `
  behest COMMAND --agent coding-assistant --tool filesystem/read_text_file --arg path=/srv/handbook.md
  behest COMMAND docs/examples/first-steps.json`;

export function addDecide(program: Command): void {
  addRequestOptions(program.command("decide"))
    .description("ask for one or many decisions; they are recorded")
    .option("--exit-code", "exit 20 if any is DENY, else 21 if any is REQUIRE_APPROVAL")
    .addHelpText("after", `\nExamples:${REQUEST_EXAMPLE.replaceAll("COMMAND", "decide")}\n  behest decide requests.ndjson -o ndjson --exit-code\n`)
    .action((file: string | undefined, options: DecideOptions) => decide(file, options));
}

export function addExplain(program: Command): void {
  addRequestOptions(program.command("explain"))
    .description("ask what the decision would be; nothing is recorded or used up")
    .option("--as <caller>", "as another caller of the tenant")
    .addHelpText("after", `\nExamples:${REQUEST_EXAMPLE.replaceAll("COMMAND", "explain")}\n`)
    .action((file: string | undefined, options: RequestOptions & { readonly as?: string }) => explain(file, options));
}

function addRequestOptions(command: Command): Command {
  command
    .argument("[file]", "JSON file with a request, a list of requests, or one request a line; `-` reads stdin")
    .option("--agent <id>", "agent that wants to act")
    .option("--tool <name>", "tool it wants to call")
    .option("--operation <name>", "operation of the tool")
    .option("--effect <effect>", `effect, where it is worse than the catalog's: ${EFFECTS.join(" ")}`)
    .option("--args <json>", "arguments, as a JSON object")
    .option("--arg <key=value>", "one argument; the value is JSON, or else text; repeatable", collectArgument, {})
    .option("--resource <type:id>", "what is acted upon")
    .option("--classification <name>", "classification of the data")
    .option("--category <name...>", "categories of the data")
    .option("--environment <name>", "environment")
    .option("--statement <text>", "what was asked for")
    .option("--task <id>", "task the action belongs to")
    .option("--session <name>", "conversation the action belongs to")
    .option("--behest-of <type:id>", "who asked the agent, such as user:alice")
    .option("--request-id <id>", "name of this attempt")
    .addOption(formatOption());
  return addConnectOptions(command);
}

function collectArgument(text: string, before: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
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

async function decide(file: string | undefined, options: DecideOptions): Promise<void> {
  const requests = readRequests(file, options);
  const answers = await withClient(options, "enforcer", async (client) => {
    const [only] = requests;
    if (requests.length === 1 && only) return [create(await client.decide(only))];
    const items: wire.DecideBatchItem["result"][] = [];
    for (let at = 0; at < requests.length; at += BATCH_ITEMS) {
      const batch = await client.decideBatch(requests.slice(at, at + BATCH_ITEMS));
      items.push(...batch.items.map(({ result }) => result));
    }
    return items;
  });
  printAnswers(requests, answers, options.output);
  if (options.exitCode) process.exitCode = exitCodeOf(answers);
  else if (answers.some((answer) => answer.case !== "decision")) process.exitCode = EXIT.usage;
}

type Result = wire.DecideBatchItem["result"];
const create = (value: wire.DecideResponse): Result => ({ case: "decision", value });

async function explain(file: string | undefined, options: RequestOptions & { readonly as?: string }): Promise<void> {
  const requests = readRequests(file, options);
  const answers = await withClient(options, "auditor", async (client) => {
    const results: Result[] = [];
    for (const request of requests) {
      const { decision } = await client.explain(request, options.as);
      if (decision) results.push(create(decision));
    }
    return results;
  });
  printAnswers(requests, answers, options.output);
}

function exitCodeOf(answers: readonly Result[]): number {
  const outcomes = answers.map((answer) => (answer.case === "decision" ? answer.value.outcome : wire.Outcome.DENY));
  if (outcomes.includes(wire.Outcome.DENY)) return EXIT.deny;
  return outcomes.every((outcome) => outcome === wire.Outcome.ALLOW) ? EXIT.ok : EXIT.approvalRequired;
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
  "statement",
  "task",
  "session",
  "behestOf",
  "requestId",
] as const;

function refuseBoth(file: string, options: RequestOptions): void {
  const stated = REQUEST_FLAGS.filter((flag) => options[flag] !== undefined);
  if (Object.keys(options.arg ?? {}).length > 0) stated.push("args");
  const [first] = stated;
  if (first === undefined) return;
  const flag = first === "args" ? "--arg" : `--${first.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw new RequestUnreadable(`\`${file}\` holds whole requests, so ${flag} would change nothing; leave out one of the two`);
}

function readRequests(file: string | undefined, options: RequestOptions): readonly wire.DecideRequest[] {
  if (file !== undefined) refuseBoth(file, options);
  const values = file === undefined ? [requestOfFlags(options)] : parseRequests(file);
  return values.map((value, index) => {
    try {
      return readRequestJson(value);
    } catch (error) {
      if (!(error instanceof RequestUnreadable) || values.length === 1) throw error;
      throw new RequestUnreadable(`request ${index + 1}: ${error.message}`, { cause: error });
    }
  });
}

function requestOfFlags(options: RequestOptions): unknown {
  const { agent, tool, statement, task } = options;
  if (agent === undefined || tool === undefined) {
    throw new RequestUnreadable("name at least --agent and --tool, or a file of requests; see `behest decide --help`");
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
    ...(options.environment !== undefined && { context: { environment: options.environment } }),
  };
}

function argumentsOf(text: string | undefined): object {
  if (text === undefined) return {};
  const value = jsonOrText(text);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new RequestUnreadable('--args is a JSON object, such as \'{"path": "/srv/handbook.md"}\'');
}

function typed(text: string, flag: string): { readonly type: string; readonly id: string } {
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

function printAnswers(requests: readonly wire.DecideRequest[], answers: readonly Result[], format: Format): void {
  if (format === "table") {
    for (const [index, answer] of answers.entries()) process.stdout.write(`${describe(requests[index], answer)}\n`);
    const last = answers.findLast((answer) => answer.case === "decision" && answer.value.recorded);
    if (last?.case === "decision") process.stderr.write(`${paint("dim", `next: behest history show ${last.value.decisionId}`)}\n`);
    return;
  }
  const values = answers.map(answerToJson);
  if (format === "ndjson") for (const value of values) printLine(value);
  else printJson(values.length === 1 ? values[0] : values);
}

const answerToJson = (answer: Result): unknown => {
  const options = { useProtoFieldName: true, alwaysEmitImplicit: true };
  if (answer.case === "decision") return toJson(wire.DecideResponseSchema, answer.value, options);
  return answer.case === "error" ? { error: { code: answer.value.code, message: answer.value.message } } : { error: { message: "no answer" } };
};

const MARKS: Readonly<Partial<Record<wire.Outcome, string>>> = {
  [wire.Outcome.ALLOW]: paint("green", "✔ ALLOW"),
  [wire.Outcome.DENY]: paint("red", "✖ DENY"),
  [wire.Outcome.REQUIRE_APPROVAL]: paint("yellow", "? REQUIRE_APPROVAL"),
};

/** The name of an enum's value, as the proto has it after its prefix. */
const nameOf = (names: Readonly<Record<string, number>>, value: number): string =>
  Object.keys(names).find((name) => names[name] === value) ?? String(value);

/** One decision for people: what, why, and who is to be asked. */
function describe(request: wire.DecideRequest | undefined, answer: Result): string {
  const asked = request ? `${visible(request.agent?.id ?? "")} → ${visible(request.action?.tool ?? "")}` : "";
  if (answer.case !== "decision")
    return `${paint("red", "✖ ERROR")}  ${asked}\n    ${answer.case === "error" ? visible(answer.value.message) : "no answer"}`;
  const { outcome, basis, risk, findings, holds, reasonCodes, replayed } = answer.value;
  const marks = [
    MARKS[outcome] ?? "✖ UNKNOWN",
    paint("bold", asked),
    `risk ${risk?.score ?? "?"} (${nameOf(wire.RiskLevel, risk?.level ?? 0).toLowerCase()})`,
    `basis ${nameOf(wire.Basis, basis)}`,
    ...(replayed ? ["replayed"] : []),
  ];
  const lines = [marks.join("  ")];
  if (reasonCodes.length > 0) lines.push(`    ${reasonCodes.join(", ")}`);
  if (outcome === wire.Outcome.ALLOW) lines.push("    within reach; policy allows the effect, and no rule asks or denies");
  for (const finding of findings) {
    const points = finding.points === 0 ? "" : ` ${finding.points > 0 ? "+" : ""}${finding.points}`;
    const unknown = finding.result === wire.FindingResult.UNKNOWN ? " (unknown)" : "";
    lines.push(`    ${visible(finding.rule)}${points}${unknown}: ${visible(finding.reason)}`);
  }
  for (const hold of holds)
    lines.push(
      `    asks ${hold.approvers.map(visible).join(" or ")}${hold.quorum > 1 ? ` (${hold.quorum} of them)` : ""} about ${visible(hold.name)}`,
    );
  return lines.join("\n");
}
