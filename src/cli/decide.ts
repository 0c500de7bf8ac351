import type { Command } from "commander";
import * as wire from "../gen/behest/v1/decision_pb.ts";
import { printAnswers, type Result } from "./answers.ts";
import { withClient } from "./connect.ts";
import { EXIT } from "./failure.ts";
import { asTypedTo, quoted } from "./hint.ts";
import { addRequestOptions, REQUEST_EXAMPLE, type RequestOptions, readRequests } from "./requests.ts";

const BATCH_ITEMS = 256;

interface DecideOptions extends RequestOptions {
  readonly exitCode?: boolean;
}

export function addDecide(program: Command): void {
  addRequestOptions(program.command("decide"), "JSON file with a request, a list of requests, or one request a line; `-` reads stdin")
    .description("ask for one or many decisions; they are recorded")
    .option("--exit-code", "exit 20 if any is DENY, else 21 if any is REQUIRE_APPROVAL")
    .addHelpText("after", `\nExamples:${REQUEST_EXAMPLE.replaceAll("COMMAND", "decide")}\n  behest decide requests.ndjson -o ndjson --exit-code\n`)
    .action((file: string | undefined, options: DecideOptions) => decide(file, options));
}

async function decide(file: string | undefined, options: DecideOptions): Promise<void> {
  const requests = readRequests(file, options, "decide");
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
  printAnswers(requests, answers, { format: options.output, next: (decision) => nextOf(decision, options) });
  if (options.exitCode) process.exitCode = exitCodeOf(answers);
  else if (answers.some((answer) => answer.case !== "decision")) process.exitCode = EXIT.usage;
}

/** What is allowed is done, and then reported, by the caller that asked; anything else wants to be understood. */
function nextOf({ decisionId, outcome, replayed }: wire.DecideResponse, options: DecideOptions): string {
  const { data, tokenFile } = options;
  if (outcome !== wire.Outcome.ALLOW || replayed) return asTypedTo(`explain ${decisionId}`, data === undefined ? {} : { data });
  const as = tokenFile === undefined ? "" : ` --token-file ${quoted(tokenFile)}`;
  return asTypedTo(`report ${decisionId} --status executed${as}`, options);
}

const create = (value: wire.DecideResponse): Result => ({ case: "decision", value });

function exitCodeOf(answers: readonly Result[]): number {
  const outcomes = answers.map((answer) => (answer.case === "decision" ? answer.value.outcome : wire.Outcome.DENY));
  if (outcomes.includes(wire.Outcome.DENY)) return EXIT.deny;
  return outcomes.every((outcome) => outcome === wire.Outcome.ALLOW) ? EXIT.ok : EXIT.approvalRequired;
}
