import { toJson } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { status as Code } from "@grpc/grpc-js";
import { Argument, type Command, InvalidArgumentError } from "commander";
import { CallFailed } from "../client/client.ts";
import { type SuspendResponse, SuspendResponseSchema, SuspensionKind } from "../gen/behest/v1/control_pb.ts";
import { addConnectOptions, type ConnectOptions, withClient } from "./connect.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import { failureOf } from "./failure.ts";
import { asTyped, asTypedTo } from "./hint.ts";
import { type Format, formatOption, paint, printJson, printLine, visible } from "./output.ts";
import { isoOf, KINDS, type KindWord, stopsOf, targetOf } from "./suspension-words.ts";

interface SuspendOptions extends ConnectOptions {
  readonly reason: string;
  readonly until?: Timestamp;
  readonly output: Format;
}

export function addSuspend(program: Command): void {
  addConnectOptions(program.command("suspend"))
    .description("the kill switch: have everything, or all that a name covers, denied from now on")
    .addArgument(new Argument("<kind>", "what to suspend").choices(Object.keys(KINDS)))
    .argument("[value]", "its name: a tenant, an agent, `user:ID`, a tool or `server/**`, an effect, a task's id; nothing for `all`")
    .requiredOption("--reason <text>", "why; whoever is stopped reads it")
    .option("--until <time>", "when it ends by itself: `90s`, `30m`, `2h`, `7d`, or an instant such as `2026-12-01T08:00:00Z`", untilOf)
    .addOption(formatOption())
    .addHelpText(
      "after",
      `\nExamples:\n  behest suspend agent billing-bot --reason "sends invoices to strangers" --until 2h\n  behest suspend tool 'mail/**' --reason "INC-4711"\n  behest suspend all --reason "INC-4711"\n`,
    )
    .action((kind: KindWord, value: string | undefined, options: SuspendOptions) => suspend(kind, value, options));
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** With its offset: what a time means must not depend on where it is typed. */
const INSTANT = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/i;

function untilOf(text: string): Timestamp {
  const [, count, unit] = /^([1-9]\d{0,5})([smhd])$/.exec(text) ?? [];
  const ms = unit === undefined ? (INSTANT.test(text) ? Date.parse(text) : Number.NaN) : Date.now() + Number(count) * (UNIT_MS[unit] ?? 0);
  if (!Number.isFinite(ms))
    throw new InvalidArgumentError("Write a duration such as 90s, 30m, 2h or 7d, or an instant such as 2026-12-01T08:00:00Z.");
  return timestampFromMs(ms);
}

async function suspend(kind: KindWord, value = "", options: SuspendOptions): Promise<void> {
  const { reason, until, output } = options;
  if (kind !== "all" && value === "")
    throw new CommandFailed(EXIT.usage, `name the ${kind} to suspend: ${asTyped(`suspend ${kind} NAME --reason "…"`)}`);
  const answer = await withClient(options, "operator", async (client) => {
    try {
      return await client.suspend({ kind: KINDS[kind].kind, value, reason, ...(until && { until }) });
    } catch (error) {
      if (!(error instanceof CallFailed) || error.code !== Code.DEADLINE_EXCEEDED) throw error;
      const { exitCode, message } = failureOf(error);
      throw new CommandFailed(exitCode, `${message}; it may be suspended all the same: look with ${asTypedTo("suspensions", options)}`);
    }
  });
  print(answer, options);
  if (answer.suspension?.value.includes("*") && kind !== "tool") {
    process.stderr.write(`behest: warning: only tools are named by patterns: this suspends the ${kind} whose name has a \`*\` in it\n`);
  }
  if (answer.durable || output !== "table") return;
  process.stderr.write(
    "behest: warning: neither the ledger nor the control journal can be written: this holds until the server ends; make room, and keep it running\n",
  );
}

function print({ suspension, durable }: SuspendResponse, options: SuspendOptions): void {
  if (!suspension) throw new Error("the server named no suspension");
  if (options.output !== "table") {
    const value = toJson(SuspendResponseSchema, { $typeName: SuspendResponseSchema.typeName, suspension, durable }, JSON_OPTIONS);
    if (options.output === "json") printJson(value);
    else printLine(value);
    return;
  }
  const until = suspension.until ? `until ${isoOf(suspension.until)}` : "until it is resumed";
  const others =
    suspension.kind === SuspensionKind.ALL || suspension.kind === SuspensionKind.TENANT ? "" : ` in tenant ${visible(suspension.tenant)}`;
  process.stdout.write(
    `${paint("red", "■ SUSPENDED")}  ${paint("bold", targetOf(suspension))}  ${until}\n    from now on ${stopsOf(suspension.kind)}${others} is DENY, SUSPENDED\n    ${visible(suspension.reason)}\n`,
  );
  process.stderr.write(`${paint("dim", `next: ${asTypedTo(`resume ${suspension.suspensionId}`, options)}`)}\n`);
}

const JSON_OPTIONS = { useProtoFieldName: true, alwaysEmitImplicit: true };
