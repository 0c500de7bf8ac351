import type { Command } from "commander";
import { instant } from "../core/words.ts";
import { addDataOption, dataDirectoryOf, describedToken, listTokens, type TokensOptions } from "./edit-tokens.ts";
import { type Format, formatOption, printRows } from "./output.ts";

interface ListOptions extends TokensOptions {
  readonly output: Format;
}

export function addTokensList(tokens: Command): void {
  addDataOption(tokens.command("list"))
    .description("the tokens there are, the oldest first; neither they nor their hashes are shown")
    .addOption(formatOption())
    .addHelpText("after", '\nExamples:\n  behest tokens list\n  behest tokens list -o ndjson | grep \'"state":"expired"\'\n')
    .action((options: ListOptions) => list(options));
}

function list(options: ListOptions): void {
  const now = instant(Date.now());
  const tokens = listTokens(dataDirectoryOf(options)).map((entry) => describedToken(entry, now));
  if (options.output !== "table") printRows(tokens, options.output);
  else {
    const rows = tokens.map(({ id, caller, tenant, roles, agents, created_at, expires_at, state }) => ({
      id,
      caller,
      tenant,
      roles: roles.join(" "),
      agents: agents.join(" "),
      created: created_at ?? "",
      expires: expires_at ?? "never",
      state,
    }));
    printRows(rows, "table");
  }
}
