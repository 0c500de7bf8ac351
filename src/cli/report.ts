import { readFileSync } from "node:fs";
import { toJson } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type Command, Option } from "commander";
import { RequestUnreadable, readMessageJson } from "../client/request-json.ts";
import { ReportOutcomeRequestSchema, type ReportOutcomeResponse, ReportOutcomeResponseSchema } from "../gen/behest/v1/decision_pb.ts";
import { addConnectOptions, type ConnectOptions, withClient } from "./connect.ts";
import { asTypedTo } from "./hint.ts";
import { type Format, formatOption, paint, printJson, printLine } from "./output.ts";
import { JSON_OPTIONS } from "./task-words.ts";

interface ReportOptions extends ConnectOptions {
  readonly status: string;
  readonly tookEffect?: "true" | "false";
  readonly result?: string;
  readonly resultFile?: string;
  readonly truncated?: boolean;
  readonly argumentsDigest?: string;
  readonly classification?: string;
  readonly category?: readonly string[];
  readonly trust?: string;
  readonly output: Format;
}

export function addReport(program: Command): void {
  addConnectOptions(program.command("report"))
    .description("say what became of a decision, once: what is not reported in time counts as the worst that could come back")
    .argument("<decision-id>", "the id that `decide` answered")
    .requiredOption("--status <status>", "what happened: executed, failed, blocked or abandoned")
    .addOption(new Option("--took-effect <bool>", "whether a failed call changed or moved anything").choices(["true", "false"]))
    .option(
      "--result <text>",
      "what the tool returned; it is measured and read for values, of which only keyed digests are kept, while the task is open",
    )
    .option("--result-file <file>", "the same from a file; `-` reads stdin")
    .option("--truncated", "the result is cut")
    .option("--arguments-digest <digest>", "digest of the arguments with which it ran, as `decide` answers it")
    .option("--classification <name>", "classification of what it returned; one that the policy does not list counts as the highest")
    .option("--category <name...>", "categories of what it returned")
    .option("--trust <trust>", "how far it can be trusted: trusted or untrusted")
    .addOption(formatOption())
    .addHelpText(
      "after",
      "\nExamples:\n  behest report 01999d5c-2f10-7b7e-a6c3-1b0a4a5e9f21 --status executed --classification confidential\n  behest report 01999d5c-2f10-7b7e-a6c3-1b0a4a5e9f21 --status failed --took-effect false\n",
    )
    .action((id: string, options: ReportOptions) => report(id, options));
}

async function report(id: string, options: ReportOptions): Promise<void> {
  const request = readMessageJson(ReportOutcomeRequestSchema, { decision_id: id, ...fieldsOf(options) });
  const answer = await withClient(options, "enforcer", (client) => client.reportOutcome(request));
  if (options.output === "table") describe(id, answer, options);
  else (options.output === "json" ? printJson : printLine)(toJson(ReportOutcomeResponseSchema, answer, JSON_OPTIONS));
}

function fieldsOf({ status, tookEffect, truncated, argumentsDigest, classification, category, trust, ...from }: ReportOptions): object {
  const result = resultOf(from);
  const labels = {
    ...(classification !== undefined && { classification }),
    ...(category && { categories: category }),
    ...(trust !== undefined && { trust }),
  };
  return {
    status,
    ...(tookEffect !== undefined && { took_effect: tookEffect === "true" }),
    ...(result !== undefined && { result_text: result }),
    ...(truncated && { truncated }),
    ...(argumentsDigest !== undefined && { arguments_digest: argumentsDigest }),
    ...(Object.keys(labels).length > 0 && { labels }),
  };
}

function resultOf({ result, resultFile }: Pick<ReportOptions, "result" | "resultFile">): string | undefined {
  if (resultFile === undefined) return result;
  if (result !== undefined) throw new RequestUnreadable("--result and --result-file exclude each other: give one of them");
  try {
    return readFileSync(resultFile === "-" ? 0 : resultFile, "utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new RequestUnreadable(`\`${resultFile}\` cannot be read: ${why}`, { cause: error });
  }
}

function describe(id: string, answer: ReportOutcomeResponse, options: ReportOptions): void {
  const { reportId, reportedAt, mutated, enforcementBypassed, late, repeated, givenBack } = answer;
  const at = reportedAt ? timestampDate(reportedAt).toISOString() : "";
  const wasDone = options.status === "executed" ? "was done" : "may have been done";
  const lines = [
    `${paint("green", "✔ REPORTED")}  ${options.status}  ${paint("dim", reportId)}`,
    ...(repeated ? [`    the same was reported at ${at}; this changes nothing`] : []),
    ...(enforcementBypassed ? [`    ${paint("red", `it was not allowed, and ${wasDone}: recorded as enforcement_bypassed`)}`] : []),
    ...(mutated ? [`    ${paint("yellow", "it ran with other arguments than those decided: recorded as mutated")}`] : []),
    ...(late ? ["    it comes late: until now the call counted as the worst that could come back, and that stays seen"] : []),
    ...(givenBack ? ["    what the decision took from its task's budgets was given back"] : []),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
  const next = asTypedTo(`history show ${id}`, options.data === undefined ? {} : { data: options.data });
  process.stderr.write(`${paint("dim", `next: ${next}`)}\n`);
}
