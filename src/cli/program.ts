import { Command } from "commander";
import { VERSION } from "../version.ts";
import { addApprovals } from "./approvals.ts";
import { addCase } from "./case-from.ts";
import { addCatalog } from "./catalog.ts";
import { addConnectOptions, type ConnectOptions, withClient } from "./connect.ts";
import { addDecide } from "./decide.ts";
import { addExplain } from "./explain.ts";
import { addFacts } from "./facts.ts";
import { CommandFailed, EXIT, failureOf } from "./failure.ts";
import { addHelp } from "./help.ts";
import { asTypedTo } from "./hint.ts";
import { addHistory } from "./history.ts";
import { addInit } from "./init.ts";
import { addIntent } from "./intent.ts";
import { addMetrics } from "./metrics.ts";
import { folded, screenColumns } from "./output.ts";
import { addReport } from "./report.ts";
import { addResume } from "./resume.ts";
import { addRules } from "./rules.ts";
import { addSchema } from "./schema.ts";
import { addServe } from "./serve.ts";
import { addSuspend } from "./suspend.ts";
import { addSuspensions } from "./suspensions.ts";
import { addTasks } from "./tasks.ts";
import { addTokens } from "./tokens.ts";

function createProgram(): Command {
  const program = new Command("behest")
    .description("an intent-based policy decision point for AI agents")
    .version(VERSION)
    .showHelpAfterError("(add --help to see what there is)")
    .exitOverride()
    .addHelpText(
      "after",
      "\nBegin with:\n  behest serve\n  behest decide docs/examples/first-steps.json     (in a second terminal)\n  behest history list\n",
    );
  addHelp(program);
  addInit(program);
  addServe(program);
  addDecide(program);
  addExplain(program);
  addReport(program);
  addTasks(program);
  addApprovals(program);
  addHistory(program);
  addMetrics(program);
  addSuspend(program);
  addResume(program);
  addSuspensions(program);
  addRules(program);
  addCatalog(program);
  addIntent(program);
  addTokens(program);
  addCase(program);
  addFacts(program);
  addSchema(program);
  addConnectOptions(program.command("healthcheck"))
    .description("exit 0 if a server answers and decides")
    .addHelpText("after", "\nExample:\n  behest healthcheck --grpc 127.0.0.1:7080\n")
    .action((options: ConnectOptions) => healthcheck(options));
  program
    .command("version")
    .description("print the version")
    .addHelpText("after", "\nExample:\n  behest version\n")
    .action(() => {
      process.stdout.write(`${VERSION}\n`);
    });
  return program;
}

async function healthcheck(options: ConnectOptions): Promise<void> {
  const serving = await withClient(options, undefined, (client) => client.isServing());
  if (!serving) throw new CommandFailed(EXIT.unreachable, "the server answers, and does not decide at present: its log says why");
  process.stdout.write("serving\n");
  if (await withClient(options, undefined, (client) => client.isServing("policy"))) return;
  process.stderr.write(
    `behest: warning: what the rules directory holds was refused, and the last good policy decides; next: ${asTypedTo("rules status", options)}\n`,
  );
}

/** On a terminal long lines are broken between words; those of a file, which stand indented below a complaint, stay whole. */
function forPeople(text: string): string {
  const columns = screenColumns(process.stderr);
  return text
    .split("\n")
    .map((line) => (line.startsWith("  ") ? line : folded(line, columns)))
    .join("\n");
}

/** Runs a command to its end. How it went stands in the process's exit code. */
export async function runProgram(args: readonly string[]): Promise<void> {
  try {
    await createProgram().parseAsync(args, { from: "user" });
  } catch (error) {
    const { exitCode, message } = failureOf(error);
    if (message !== "") process.stderr.write(`${forPeople(`behest: ${message}`)}\n`);
    process.exitCode = exitCode;
  }
}
