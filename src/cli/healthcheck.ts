import type { Command } from "commander";
import { addConnectOptions, type ConnectOptions, withClient } from "./connect.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import { asTypedTo } from "./hint.ts";

export function addHealthcheck(program: Command): void {
  addConnectOptions(program.command("healthcheck"))
    .description("exit 0 if a server answers and decides")
    .addHelpText("after", "\nExample:\n  behest healthcheck --grpc 127.0.0.1:7080\n")
    .action((options: ConnectOptions) => healthcheck(options));
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
