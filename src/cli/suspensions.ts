import type { Command } from "commander";
import type { Suspension } from "../gen/behest/v1/control_pb.ts";
import { addConnectOptions, type ConnectOptions, withClient } from "./connect.ts";
import { asTyped, asTypedTo } from "./hint.ts";
import { type Format, formatOption, paint, printRows, type Row } from "./output.ts";
import { isoOf, kindWord } from "./suspension-words.ts";

interface SuspensionsOptions extends ConnectOptions {
  readonly ended?: boolean;
  readonly output: Format;
}

export function addSuspensions(program: Command): void {
  addConnectOptions(program.command("suspensions"))
    .description("what is suspended, the latest first")
    .option("--ended", "also what was suspended and no longer is")
    .addOption(formatOption())
    .addHelpText("after", "\nExample:\n  behest suspensions --ended -o json\n")
    .action((options: SuspensionsOptions) => list(options));
}

async function list(options: SuspensionsOptions): Promise<void> {
  const { ended = false, output } = options;
  const { suspensions, holdingTotal } = await withClient(options, "auditor", (client) => client.listSuspensions({ includeEnded: ended }));
  if (output === "table" && suspensions.length === 0) {
    process.stdout.write(ended ? "nothing is suspended, and nothing was\n" : "nothing is suspended\n");
    return;
  }
  printRows(
    suspensions.map((suspension) => rowOf(suspension, ended)),
    output,
  );
  if (output !== "table") return;
  const shown = suspensions.filter(({ endedAt }) => !endedAt);
  if (holdingTotal > shown.length)
    process.stderr.write(`${holdingTotal - shown.length} more hold; ${asTyped('history sql "SELECT * FROM suspensions"')} has all\n`);
  const [last] = shown;
  if (last) process.stderr.write(`${paint("dim", `next: ${asTypedTo(`resume ${last.suspensionId}`, options)}`)}\n`);
}

function rowOf(suspension: Suspension, ended: boolean): Row {
  const { suspensionId, kind, value, tenant, reason, suspendedBy, suspendedAt, until, endedAt, endedBy, endedBecause } = suspension;
  return {
    suspension_id: suspensionId,
    kind: kindWord(kind),
    value: value === "" ? null : value,
    tenant,
    by: suspendedBy,
    since: isoOf(suspendedAt),
    until: until ? isoOf(until) : null,
    ...(ended && {
      ended: endedAt ? isoOf(endedAt) : null,
      ended_by: endedBy === "" ? null : endedBy,
      because: endedBecause === "" ? null : endedBecause,
    }),
    reason,
  };
}
