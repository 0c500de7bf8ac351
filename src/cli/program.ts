import { Command } from "commander";
import { VERSION } from "../version.ts";
import { folded, screenColumns } from "./output.ts";

type Add = (program: Command) => void;

/** Commands as help lists them, each loaded when it is called: to load all of them takes longer than most of them run. */
const COMMANDS: Readonly<Record<string, () => Promise<Add>>> = {
  help: async () => (await import("./help.ts")).addHelp,
  init: async () => (await import("./init.ts")).addInit,
  serve: async () => (await import("./serve.ts")).addServe,
  decide: async () => (await import("./decide.ts")).addDecide,
  explain: async () => (await import("./explain.ts")).addExplain,
  report: async () => (await import("./report.ts")).addReport,
  tasks: async () => (await import("./tasks.ts")).addTasks,
  approvals: async () => (await import("./approvals.ts")).addApprovals,
  history: async () => (await import("./history.ts")).addHistory,
  metrics: async () => (await import("./metrics.ts")).addMetrics,
  suspend: async () => (await import("./suspend.ts")).addSuspend,
  resume: async () => (await import("./resume.ts")).addResume,
  suspensions: async () => (await import("./suspensions.ts")).addSuspensions,
  rules: async () => (await import("./rules.ts")).addRules,
  catalog: async () => (await import("./catalog.ts")).addCatalog,
  intent: async () => (await import("./intent.ts")).addIntent,
  tokens: async () => (await import("./tokens.ts")).addTokens,
  case: async () => (await import("./case-from.ts")).addCase,
  facts: async () => (await import("./facts.ts")).addFacts,
  schema: async () => (await import("./schema.ts")).addSchema,
  healthcheck: async () => (await import("./healthcheck.ts")).addHealthcheck,
  version: async () => addVersion,
};

const addVersion: Add = (program) => {
  program
    .command("version")
    .description("print the version")
    .addHelpText("after", "\nExample:\n  behest version\n")
    .action(() => {
      process.stdout.write(`${VERSION}\n`);
    });
};

/** With the one command that is called, or with all of them where that is none of them. */
async function createProgram([called = ""]: readonly string[]): Promise<Command> {
  const program = new Command("behest")
    .description("an intent-based policy decision point for AI agents")
    .version(VERSION)
    .showHelpAfterError("(add --help to see what there is)")
    .exitOverride()
    .helpCommand(false)
    .addHelpText(
      "after",
      "\nBegin with:\n  behest serve\n  behest decide docs/examples/first-steps.json     (in a second terminal)\n  behest history list\n",
    );
  const named = Object.hasOwn(COMMANDS, called) && called !== "help" ? COMMANDS[called] : undefined;
  const adds = await Promise.all((named ? [named] : Object.values(COMMANDS)).map((load) => load()));
  for (const add of adds) add(program);
  return program;
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
    const program = await createProgram(args);
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    const { failureOf } = await import("./failure.ts");
    const { exitCode, message } = failureOf(error);
    if (message !== "") process.stderr.write(`${forPeople(`behest: ${message}`)}\n`);
    process.exitCode = exitCode;
  }
}
