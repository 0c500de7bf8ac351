import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { ROLES } from "../core/request.ts";
import { instant } from "../core/words.ts";
import { tokenFileOf, tokenIdOf } from "../identity/tokens.ts";
import type { TokenEntry } from "../identity/tokens-file.ts";
import { orMean } from "../policy/complaints.ts";
import { addDataOption, dataDirectoryOf, editTokens, hasExpired, type TokensOptions } from "./edit-tokens.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import { visible } from "./output.ts";

export function addTokensRevoke(tokens: Command): void {
  addDataOption(tokens.command("revoke"))
    .description("take a token away, for good; a running server refuses it within 1 s")
    .argument("<id>", "id of the token, as `behest tokens list` shows it")
    .addHelpText("after", "\nExample:\n  behest tokens revoke gateway\n")
    .action((id: string, options: TokensOptions) => revoke(id, options));
}

function revoke(id: string, options: TokensOptions): void {
  const data = dataDirectoryOf(options);
  const left = editTokens(data, (before) => {
    if (!before.some((entry) => entry.id === id)) throw unknownToken(id, before);
    const tokens = before.filter((entry) => entry.id !== id);
    return { tokens, answer: tokens };
  });
  process.stderr.write(`token \`${id}\` is revoked; a running server refuses it within 1 s\n`);
  const now = instant(Date.now());
  if (!left.some((entry) => entry.roles.includes("operator") && !hasExpired(entry, now))) {
    process.stderr.write("behest: warning: no operator is left; make one with `behest tokens create --role operator`\n");
  }
  for (const role of ROLES) {
    const path = join(data, tokenFileOf(role));
    if (idInFile(path) !== id) continue;
    process.stderr.write(`behest: warning: \`${path}\` held it, and this command line asks as ${role} with that file; put another token there\n`);
  }
}

function unknownToken(id: string, known: readonly TokenEntry[]): CommandFailed {
  const shown = visible(id.slice(0, 200));
  const said = orMean(
    `there is no token \`${shown}\``,
    id,
    known.map((entry) => entry.id),
  );
  return new CommandFailed(EXIT.usage, typeof said === "string" ? `${said}; \`behest tokens list\` shows those there are` : said.message);
}

function idInFile(path: string): string | undefined {
  try {
    return tokenIdOf(readFileSync(path, "utf8").trim());
  } catch {
    // A file that is not there, or cannot be read, is nobody's to ask with.
    return undefined;
  }
}
