import { toJson } from "@bufbuild/protobuf";
import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import type { Command } from "commander";
import { type GetPolicyResponse, GetPolicyResponseSchema } from "../gen/behest/v1/policy_pb.ts";
import { addConnectOptions, type ConnectOptions, withClient } from "./connect.ts";
import { asTypedTo } from "./hint.ts";
import { type Format, formatOption, keyValues, printJson, printLine, screenColumns } from "./output.ts";
import { formatAllTold } from "./told-complaints.ts";

interface StatusOptions extends ConnectOptions {
  readonly output: Format;
}

export function addRulesStatus(rules: Command): void {
  addConnectOptions(rules.command("status"))
    .description("which policy decides, since when, and what the server refused instead")
    .addOption(formatOption())
    .addHelpText("after", "\nExample:\n  behest rules status -o json\n")
    .action(async (options: StatusOptions) => print(await withClient(options, "auditor", (client) => client.getPolicy()), options));
}

function print(answer: GetPolicyResponse, options: StatusOptions): void {
  const { output: format } = options;
  if (format !== "table") {
    const value = toJson(GetPolicyResponseSchema, answer, { useProtoFieldName: true, alwaysEmitImplicit: true });
    if (format === "json") printJson(value);
    else printLine(value);
    return;
  }
  const { policy, refusal } = answer;
  if (!policy) throw new Error("the server named no policy");
  const row = { digest: policy.digest, since: isoOf(policy.loadedAt), rules: policy.rules, agents: policy.agents, tools: policy.tools };
  process.stdout.write(keyValues({ ...row, warnings: policy.warnings.length, directory: policy.directory }, screenColumns()));
  if (!refusal) return;
  const told = formatAllTold(refusal.complaints, refusal.complaintsTotal);
  process.stdout.write(`\nrefused at ${isoOf(refusal.refusedAt)}: what the directory holds now, because\n\n${told}\n`);
  process.stderr.write(`next: mend it, then ${asTypedTo("rules reload", options)}\n`);
}

const isoOf = (at: Timestamp | undefined): string => (at ? timestampDate(at).toISOString() : "");
