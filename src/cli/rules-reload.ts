import { toJson } from "@bufbuild/protobuf";
import { status as Code } from "@grpc/grpc-js";
import type { Command } from "commander";
import { type BehestClient, CallFailed } from "../client/client.ts";
import { type ReloadPolicyResponse, ReloadPolicyResponseSchema } from "../gen/behest/v1/policy_pb.ts";
import { addConnectOptions, type ConnectOptions, withClient } from "./connect.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import { type Format, formatOption, printJson, printLine } from "./output.ts";
import { formatAllTold, formatTold } from "./told-complaints.ts";

interface ReloadOptions extends ConnectOptions {
  readonly output: Format;
}

export function addRulesReload(rules: Command): void {
  addConnectOptions(rules.command("reload"))
    .description("have the server read its rules directory now; exit 3 if what it holds is refused")
    .addOption(formatOption())
    .addHelpText("after", "\nExample:\n  behest rules lint && behest rules test && behest rules reload\n")
    .action((options: ReloadOptions) => withClient(options, "operator", (client) => reload(client, options.output)));
}

async function reload(client: BehestClient, format: Format): Promise<void> {
  let answer: ReloadPolicyResponse;
  try {
    answer = await client.reloadPolicy();
  } catch (error) {
    if (error instanceof CallFailed && error.code === Code.FAILED_PRECONDITION) throw await refused(client, error);
    throw error;
  }
  if (format === "table") {
    process.stdout.write(`${answer.changed ? "in force" : "unchanged"}  ${answer.digest}\n`);
    for (const warning of answer.warnings) process.stderr.write(`${formatTold(warning)}\n`);
    return;
  }
  const value = toJson(ReloadPolicyResponseSchema, answer, { useProtoFieldName: true, alwaysEmitImplicit: true });
  if (format === "json") printJson(value);
  else printLine(value);
}

/** The refusal names the first complaints alone; the server tells all of them when it is asked. */
async function refused(client: BehestClient, error: CallFailed): Promise<CommandFailed> {
  const { refusal } = await client.getPolicy();
  const complaints = refusal ? `${formatAllTold(refusal.complaints, refusal.complaintsTotal)}\n\n` : "";
  return new CommandFailed(EXIT.rulesInvalid, `${complaints}${error.message}`, { cause: error });
}
