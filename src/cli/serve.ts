import type { Command } from "commander";
import { SETTINGS } from "../config.ts";

export function addServe(program: Command): void {
  const command = program.command("serve").description("answer decisions over gRPC until it is told to stop");
  for (const setting of Object.values(SETTINGS)) {
    if ("flag" in setting) command.option(setting.flag, `${setting.meaning} (default: ${setting.default})`);
  }
  command
    .option("--config <file>", "JSON file of settings, see docs/configuration.md")
    .addHelpText("after", "\nExample:\n  behest serve --data ./state --grpc 127.0.0.1:7080\n")
    .action(async (options: Readonly<Record<string, unknown>>) => {
      // Loaded only here: every other command starts faster without a server.
      const { runServer } = await import("./run-server.ts");
      await runServer(options);
    });
}
