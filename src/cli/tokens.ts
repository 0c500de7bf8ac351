import type { Command } from "commander";
import { addTokensCreate } from "./tokens-create.ts";
import { addTokensList } from "./tokens-list.ts";
import { addTokensRevoke } from "./tokens-revoke.ts";

/** `behest tokens …`: who may call a server. */
export function addTokens(program: Command): void {
  const tokens = program
    .command("tokens")
    .description("make, list and revoke the tokens that callers hold; a running server follows within 1 s")
    .addHelpText("after", "\nExample:\n  behest tokens create --role enforcer --name service:gateway --expires 30d > gateway.token\n");
  addTokensCreate(tokens);
  addTokensList(tokens);
  addTokensRevoke(tokens);
}
