import { toJson } from "@bufbuild/protobuf";
import type { Command } from "commander";
import type { BehestClient } from "../client/client.ts";
import { ResumeResponseSchema } from "../gen/behest/v1/control_pb.ts";
import { addConnectOptions, type ConnectOptions, withClient } from "./connect.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import { asTypedTo } from "./hint.ts";
import { type Format, formatOption, paint, printJson, printLine } from "./output.ts";
import { targetOf } from "./suspension-words.ts";

interface ResumeOptions extends ConnectOptions {
  readonly reason?: string;
  readonly output: Format;
}

export function addResume(program: Command): void {
  addConnectOptions(program.command("resume"))
    .description("end a suspension")
    .argument("<suspension-id>", "its id, or enough of its beginning or end; `behest suspensions` lists them")
    .option("--reason <text>", "why, for the record")
    .addOption(formatOption())
    .addHelpText("after", `\nExample:\n  behest resume 01999d5c-2f10-7b7e-a6c3-1b0a4a5e9f21 --reason "INC-4711 is over"\n`)
    .action((id: string, options: ResumeOptions) => withClient(options, "operator", (client) => resume(client, id, options)));
}

async function resume(client: BehestClient, id: string, options: ResumeOptions): Promise<void> {
  const answer = await client.resume(await wholeId(client, id, options), options.reason);
  const { suspension, durable } = answer;
  if (!suspension) throw new Error("the server named no suspension");
  if (options.output !== "table") {
    const value = toJson(ResumeResponseSchema, answer, { useProtoFieldName: true, alwaysEmitImplicit: true });
    if (options.output === "json") printJson(value);
    else printLine(value);
    return;
  }
  const { holdingTotal } = await client.listSuspensions();
  const rest = holdingTotal === 0 ? "nothing is suspended any more" : `${holdingTotal} other suspension${holdingTotal === 1 ? " holds" : "s hold"}`;
  process.stdout.write(`${paint("green", "▶ RESUMED")}  ${paint("bold", targetOf(suspension))}\n    ${rest}\n`);
  if (holdingTotal > 0) process.stderr.write(`${paint("dim", `next: ${asTypedTo("suspensions", options)}`)}\n`);
  if (durable) return;
  process.stderr.write(
    "behest: warning: neither the ledger nor the control journal can be written: if the server ends before they can, this is suspended again\n",
  );
}

const WHOLE_ID_LENGTH = 36;

async function wholeId(client: BehestClient, id: string, options: ResumeOptions): Promise<string> {
  if (id.length >= WHOLE_ID_LENGTH) return id;
  const { suspensions } = await client.listSuspensions();
  const ids = suspensions.map(({ suspensionId }) => suspensionId).filter((whole) => whole.startsWith(id) || whole.endsWith(id));
  const [only] = ids;
  if (only !== undefined && ids.length === 1) return only;
  const why = only === undefined ? `no suspension that holds has an id like \`${id}\`` : `${ids.length} suspensions have an id like \`${id}\``;
  throw new CommandFailed(EXIT.usage, `${why}; look with ${asTypedTo("suspensions", options)}`);
}
