import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { status as Code } from "@grpc/grpc-js";
import Sqlite from "better-sqlite3";
import { Command, Option } from "commander";
import { addConnectOptions, type ConnectOptions, readConnectConfig, withClient } from "../src/cli/connect.ts";
import { EXIT } from "../src/cli/exit.ts";
import { failureOf } from "../src/cli/failure.ts";
import { printJson, type Row, tableOf } from "../src/cli/output.ts";
import { type BehestClient, CallFailed } from "../src/client/client.ts";
import { STARTER_RULES } from "../src/config.ts";
import { DATABASE_FILE } from "../src/data-directory.ts";
import * as wire from "../src/gen/behest/v1/decision_pb.ts";
import { loadPolicy } from "../src/policy/load.ts";
import { outcomesOf, reasonsOf, summaryOf, type VariantRun } from "./chain-report.ts";
import { policyOfReplay, replayChains, VARIANTS } from "./chains.ts";
import { readTraces, type TraceCase, type TraceStep, TracesUnreadable } from "./traces.ts";

interface ReplayOptions extends ConnectOptions {
  readonly output: "table" | "json";
  /** Hand each task on, in memory, instead of asking a server. */
  readonly chains?: true;
  readonly rules: string;
}

/** One answered step. */
interface Answered {
  /** Absent when the server refused to read the call. */
  readonly decisionId?: string;
  readonly outcome: string;
  readonly reasonCodes: readonly string[];
  readonly effect: string;
}

interface Report {
  readonly cases: number;
  readonly decisions: number;
  /** Cases of which no step was denied or held. */
  readonly casesWithoutInterruption: number;
  readonly byEffect: readonly Row[];
  readonly byOutcome: readonly Row[];
  readonly byReasonCode: readonly Row[];
}

async function replay(files: readonly string[], options: ReplayOptions): Promise<void> {
  const cases = files.flatMap(readTraces);
  if (options.chains) return replayInChains(cases, options);
  const answers = await withClient(options, "enforcer", (client) => askAll(client, cases));
  const report = reportOf(cases, withEffects(answers, readConnectConfig(options).data));
  if (options.output === "json") printJson(report);
  else process.stdout.write(tablesOf(report));
  process.stderr.write(`next: bin/behest history list${options.data === undefined ? "" : ` --data ${options.data}`}\n`);
}

/** Every variant, one after the other, each in a memory of its own. */
async function replayInChains(cases: readonly TraceCase[], { rules, output }: ReplayOptions): Promise<void> {
  const policy = policyOfReplay(loadPolicy(rules).files);
  const runs: VariantRun[] = [];
  for (const variant of VARIANTS) {
    runs.push({ name: variant.name, decided: await replayChains(policy, cases, variant) });
    tellProgress(runs.length, VARIANTS.length, "variants");
  }
  const tables = { summary: summaryOf(cases, runs), outcomes: outcomesOf(cases, runs), reasons: reasonsOf(runs) };
  if (output === "json") printJson(tables);
  else
    process.stdout.write(
      Object.values(tables)
        .map((rows) => tableOf(rows, undefined))
        .join("\n"),
    );
}

type Asked = Omit<Answered, "effect">;

/** Case after case and step after step, as the agent took them: what a step has seen counts for the next. */
async function askAll(client: BehestClient, cases: readonly TraceCase[]): Promise<readonly (readonly Asked[])[]> {
  const answers: (readonly Asked[])[] = [];
  for (const [at, one] of cases.entries()) {
    const steps: Asked[] = [];
    for (const step of one.steps) steps.push(await ask(client, requestOf(one, step)));
    answers.push(steps);
    tellProgress(at + 1, cases.length, "cases");
  }
  return answers;
}

/** What the server cannot read is an answer too: an enforcement point treats it as DENY. Anything else ends the replay. */
async function ask(client: BehestClient, request: wire.DecideRequest): Promise<Asked> {
  try {
    const { decisionId, outcome, reasonCodes } = await client.decide(request);
    return { decisionId, outcome: nameOf(outcome), reasonCodes };
  } catch (error) {
    if (error instanceof CallFailed && (error.code === Code.INVALID_ARGUMENT || error.code === Code.RESOURCE_EXHAUSTED)) {
      return { outcome: "REFUSED", reasonCodes: [Code[error.code]] };
    }
    throw error;
  }
}

/** An agent of its own for each case, so that no case inherits what another has seen. */
function requestOf({ id, task }: TraceCase, { tool, argumentsJson }: TraceStep): wire.DecideRequest {
  return create(wire.DecideRequestSchema, {
    agent: { id: agentOf(id) },
    task: { statement: task },
    action: { tool, argumentsForm: { case: "argumentsJson", value: argumentsJson } },
  });
}

const agentOf = (caseId: string): string => `trace/${caseId.replaceAll(/[^A-Za-z0-9_.\-/]/g, "-")}`;

const nameOf = (outcome: wire.Outcome): string => Object.entries(wire.Outcome).find(([, value]) => value === outcome)?.[0] ?? String(outcome);

function tellProgress(done: number, all: number, what: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${all} ${what}${done === all ? "\n" : ""}`);
}

/** The answer does not say the effect that the catalog gave the action; the ledger does. */
function withEffects(answers: readonly (readonly Asked[])[], dataDirectory: string): readonly (readonly Answered[])[] {
  const db = new Sqlite(join(dataDirectory, DATABASE_FILE), { readonly: true });
  try {
    const effectOf = db.prepare<[string], { readonly effect: string }>("SELECT effect FROM decisions WHERE decision_id = ?");
    return answers.map((steps) => steps.map((step) => ({ ...step, effect: effectOf.get(step.decisionId ?? "")?.effect ?? "unrecorded" })));
  } finally {
    db.close();
  }
}

function reportOf(cases: readonly TraceCase[], answers: readonly (readonly Answered[])[]): Report {
  const all = answers.flat();
  return {
    cases: cases.length,
    decisions: all.length,
    casesWithoutInterruption: answers.filter((steps) => steps.every(({ outcome }) => outcome === "ALLOW")).length,
    byEffect: countByEffect(all),
    byOutcome: counted(
      all.map(({ outcome }) => outcome),
      "outcome",
    ),
    byReasonCode: counted(
      all.flatMap(({ reasonCodes }) => reasonCodes),
      "reason_code",
    ),
  };
}

const OUTCOMES = ["ALLOW", "REQUIRE_APPROVAL", "DENY", "REFUSED"];

function countByEffect(answers: readonly Answered[]): readonly Row[] {
  return counted(
    answers.map(({ effect }) => effect),
    "effect",
  ).map(({ effect, decisions }) => {
    const same = answers.filter((answer) => answer.effect === effect);
    return { effect, decisions, ...Object.fromEntries(OUTCOMES.map((name) => [name, same.filter(({ outcome }) => outcome === name).length])) };
  });
}

/** How often each word stands, the most frequent first. */
function counted(words: readonly string[], column: string): readonly Row[] {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a).map(([word, decisions]) => ({ [column]: word, decisions }));
}

function tablesOf({ cases, decisions, casesWithoutInterruption, byEffect, byOutcome, byReasonCode }: Report): string {
  const columns = process.stdout.isTTY ? process.stdout.columns : undefined;
  return [
    ...[byEffect, byOutcome, byReasonCode].map((rows) => tableOf(rows, columns)),
    `${cases} cases, ${decisions} decisions; ${casesWithoutInterruption} cases without a denied or held step\n`,
  ].join("\n");
}

async function main(): Promise<void> {
  const command = new Command("replay-traces")
    .description("send every step of recorded agent traces through a running server, in order, and count the outcomes")
    .argument("<file...>", "agent traces, JSON lines, gzipped or not")
    .addOption(new Option("-o, --output <format>", "how to print").choices(["table", "json"]).default("table"))
    .option(
      "--chains",
      "instead of asking a server, hand each task on from a person to a planner to a worker, in memory, and compare the ways to do that",
    )
    .option("--rules <dir>", "directory of the policy, with --chains", STARTER_RULES)
    .exitOverride()
    .addHelpText("after", "\nA replay adds to the history; for outcomes that owe nothing to an earlier one, serve an empty data directory.\n")
    .action(replay);
  try {
    await addConnectOptions(command).parseAsync();
  } catch (error) {
    const { exitCode, message } = error instanceof TracesUnreadable ? { exitCode: EXIT.usage, message: error.message } : failureOf(error);
    if (message !== "") process.stderr.write(`replay-traces: ${message}\n`);
    process.exitCode = exitCode;
  }
}

await main();
