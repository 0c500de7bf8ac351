import { existsSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { create } from "@bufbuild/protobuf";
import type { Command } from "commander";
import { explainJudgement } from "../core/explain.ts";
import { findFlips } from "../core/flips.ts";
import { judge } from "../core/judge.ts";
import { subjectOf } from "../core/record.ts";
import { toEnd } from "../core/steps.ts";
import { toWire } from "../endpoints/grpc/convert.ts";
import { explanationToWire } from "../endpoints/grpc/convert-explanation.ts";
import * as wire from "../gen/behest/v1/decision_pb.ts";
import { localCaller } from "../identity/tokens.ts";
import { readConnectConfig, withClient } from "./connect.ts";
import { findRecord, isDecisionId, storedPolicy } from "./database.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import { type Explained, printExplanations } from "./explanation.ts";
import { addRequestOptions, REQUEST_EXAMPLE, type RequestOptions, readRequests, refuseFlags } from "./requests.ts";

interface ExplainOptions extends RequestOptions {
  readonly as?: string;
  readonly all?: boolean;
}

export function addExplain(program: Command): void {
  addRequestOptions(
    program.command("explain"),
    "id of a recorded decision, or a JSON file with a request, a list of requests, or one request a line; `-` reads stdin",
  )
    .description("say what a decision came from, or what one would be; nothing is recorded or used up")
    .option("--all", "explain also the rules that do not stand")
    .option("--as <caller>", "as this caller of the tenant (default: the one that `behest decide` asks as; with --token-file, its own)")
    .addHelpText("after", `\nExamples:\n  behest explain 0199f5c4-7b1e${REQUEST_EXAMPLE.replaceAll("COMMAND", "explain")}\n`)
    .action((what: string | undefined, options: ExplainOptions) => explain(what, options));
}

async function explain(what: string | undefined, options: ExplainOptions): Promise<void> {
  const isRecorded = what !== undefined && isDecisionId(what) && !existsSync(what);
  if (isRecorded) refuseFlags(`\`${what}\` is a decision that was made`, options);
  const explained = isRecorded ? [explainRecorded(what, options)] : await explainRequests(what, options);
  printExplanations(explained, options.output);
}

async function explainRequests(file: string | undefined, options: ExplainOptions): Promise<readonly Explained[]> {
  const requests = readRequests(file, options, "explain");
  // What a caller's tasks have seen counts: another caller's would give another answer than `decide`.
  const caller = options.as ?? (options.tokenFile === undefined ? localCaller(readConnectConfig(options).data, "enforcer")?.id : undefined);
  return withClient(options, "auditor", async (client) => {
    const answers: Explained[] = [];
    for (const request of requests) {
      const response = await client.explain(request, { ...(caller !== undefined && { caller }), everyRule: options.all ?? false });
      answers.push({ request, response, asked: { caller } });
    }
    return answers;
  });
}

/** From the database, with the policy that the decision names: no server is needed, and none may have another policy by now. */
function explainRecorded(id: string, options: ExplainOptions): Explained {
  const record = findRecord(options, id);
  const { policy } = storedPolicy(options, record.policy);
  const { situation, judgement } = judge(policy, subjectOf(record));
  if (!isDeepStrictEqual(JSON.parse(JSON.stringify(judgement)), record.judgement)) {
    throw new CommandFailed(
      EXIT.internal,
      `decision \`${record.id}\` does not come out as recorded when it is made again; its row or this program was changed`,
    );
  }
  const explanation = toEnd(explainJudgement(situation, judgement, { everyRule: options.all ?? false }));
  const search = toEnd(findFlips(situation, judgement));
  const { agent, action, approvalId = "" } = record.subject.request;
  return {
    request: create(wire.DecideRequestSchema, { agent: { id: agent.id }, action: { tool: action.tool }, approvalId }),
    response: create(wire.ExplainResponseSchema, {
      decision: toWire({
        record,
        argumentsDigest: record.arguments,
        validUntil: judgement.validUntil,
        recorded: true,
        replayed: false,
      }),
      explanation: explanationToWire(explanation, search, "rules"),
    }),
  };
}
