import { Command, Option } from "commander";
import { printJson, type Row, tableOf } from "../src/cli/output.ts";
import { type DecisionReport, measureDecisions, type Plan, type ServerFigures } from "./decisions.ts";
import { type EvaluationFigures, type EvaluationPlan, measureEvaluation } from "./evaluation.ts";
import { type Hardware, readHardware } from "./hardware.ts";
import { withStage } from "./processes.ts";
import { measureRuleCounts, type RuleCountFigures, type RuleCountPlan } from "./rule-count.ts";

interface BenchOptions {
  readonly output: "table" | "json";
  readonly quick?: boolean;
}

interface Report {
  readonly hardware: Hardware;
  readonly evaluation: readonly EvaluationFigures[];
  readonly ruleCounts: readonly RuleCountFigures[];
  readonly decisions: DecisionReport;
}

const PLAN: Plan & { readonly evaluation: EvaluationPlan; readonly ruleCounts: RuleCountPlan } = {
  warmUpMs: 10_000,
  runMs: 4_000,
  repetitions: 3,
  concurrencies: [1, 32, 128],
  evaluation: { sizes: [10, 30, 100, 1_000], repetitions: 5, repetitionMs: 300 },
  ruleCounts: { sizes: [100, 1_000, 10_000], repetitions: 7, repetitionMs: 200 },
};
const QUICK: typeof PLAN = {
  warmUpMs: 2_500,
  runMs: 1_200,
  repetitions: 2,
  concurrencies: [1, 32, 128],
  evaluation: { sizes: [10, 30, 100, 1_000], repetitions: 3, repetitionMs: 100 },
  ruleCounts: { sizes: [100, 1_000, 10_000], repetitions: 5, repetitionMs: 100 },
};

async function bench({ output, quick }: BenchOptions): Promise<void> {
  const plan = quick ? QUICK : PLAN;
  const hardware = readHardware();
  tell("evaluation, compiled and by json-rules-engine");
  const evaluation = await measureEvaluation(plan.evaluation);
  tell("decisions among 100 and more rules");
  const ruleCounts = measureRuleCounts(plan.ruleCounts);
  const report: Report = { hardware, evaluation, ruleCounts, decisions: await withStage((stage) => measureDecisions(stage, plan, tell)) };
  if (output === "json") printJson(report);
  else process.stdout.write(tablesOf(report));
}

function tell(what: string): void {
  if (process.stderr.isTTY) process.stderr.write(`bench: ${what}\n`);
}

function tablesOf({ hardware, evaluation, ruleCounts, decisions }: Report): string {
  const { cpu, cores, memoryGib, system, node, loadAverage } = hardware;
  const { byConcurrency, variants } = decisions;
  return [
    `${cpu}, ${cores} cores, ${memoryGib} GiB, ${system}, Node ${node}; load average before the run ${loadAverage}\n`,
    "Rules that all apply: µs per evaluation, median. json-rules-engine: one engine with all rules, built once, one run after the other.\n" +
      table(evaluation.map(evaluationRow)),
    "Rules of which 30 name the request's tool: µs of reading facts, cache key and rules, median; the ratio over the first row.\n" +
      table(ruleCounts.map(ruleCountRow)),
    "Decide, recorded durably, no answer from the cache; beside it a bare grpc-js echo. 4 connections; the load runs on the same\nmachine. Others: what other work took of the machine meanwhile; above 5 the figures are of a disturbed machine.\n" +
      table(byConcurrency.flatMap((at) => [serverRow("Decide", at.concurrency, at.decide), serverRow("echo", at.concurrency, at.echo)])) +
      `main thread, Decide over echo: ${byConcurrency.map(({ concurrency, ratio }) => `${ratio} at ${concurrency}`).join(", ")}\n`,
    `Decide, ${variants.concurrency} at a time.\n${table(variants.rows.map(({ says, figures }) => serverRow(says, variants.concurrency, figures)))}`,
  ].join("\n");
}

const table = (rows: readonly Row[]): string => tableOf(rows, process.stdout.isTTY ? process.stdout.columns : undefined);

const evaluationRow = ({ rules, compiledUs, engineUs, ratio }: EvaluationFigures): Row => ({
  rules,
  "compiled µs": compiledUs,
  "json-rules-engine µs": engineUs,
  ratio: `${ratio} ×`,
});

const ruleCountRow = ({ rules, facts, decisionUs, longestStepMs, ratio }: RuleCountFigures): Row => ({
  rules,
  facts,
  "decision µs": decisionUs,
  ratio: `${ratio} ×`,
  "longest step of a load ms": longestStepMs,
});

const serverRow = (what: string, concurrency: number, figures: ServerFigures): Row => ({
  what,
  "at a time": concurrency,
  "per second": figures.perSecond,
  "main thread µs": figures.mainThreadUs,
  "process µs": figures.processUs,
  "p50 ms": figures.p50Ms,
  "p99 ms": figures.p99Ms,
  "main thread µs, each": figures.repetitions.join(" "),
  "others %": figures.othersPercent,
});

await new Command("bench")
  .description("measure the evaluator, and the durable Decide beside a bare gRPC echo")
  .option("--quick", "about half a minute, with more noise")
  .addOption(new Option("-o, --output <format>", "how to print").choices(["table", "json"]).default("table"))
  .action(bench)
  .parseAsync();
