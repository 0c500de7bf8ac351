import { writeSync } from "node:fs";
import type { Command } from "commander";
import { ROLES } from "../core/request.ts";
import { instant } from "../core/words.ts";
import { mintToken } from "../identity/tokens.ts";
import type { TokenEntry } from "../identity/tokens-file.ts";
import { addDataOption, agentsOf, dataDirectoryOf, describedToken, editTokens, type TokensOptions } from "./edit-tokens.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import { type Format, formatOption } from "./output.ts";
import { readWish, type TokenWish, type WishedToken } from "./wished-token.ts";

interface CreateOptions extends TokensOptions, TokenWish {
  readonly output: Format;
}

export function addTokensCreate(tokens: Command): void {
  addDataOption(tokens.command("create"))
    .description("make a token and print it, once: only its hash is kept")
    .option("--role <role...>", `what it is for: ${ROLES.join(" ")}`)
    .option("--name <caller>", "whose it is, as records name them: user:alice, or service:gateway (default: service: and the id)")
    .option("--tenant <tenant>", "tenant of the caller (default: default)")
    .option("--agents <glob...>", "agents that it may ask for as enforcer, or open tasks for as initiator (default: all)")
    .option("--expires <when>", "after how long, such as 30d, or when, such as 2027-01-01T00:00:00Z (default: never)")
    .option("--id <id>", "name of the token, to revoke it by (default: from the caller's name)")
    .addOption(formatOption())
    .addHelpText(
      "after",
      "\nExamples:\n  behest tokens create --role enforcer --name service:gateway --agents 'support-*' --expires 30d > gateway.token\n  behest tokens create --role approver auditor --name user:alice -o json\n",
    )
    .action((options: CreateOptions) => create(options));
}

function create(options: CreateOptions): void {
  const now = instant(Date.now());
  const wished = readWish(options, now);
  const data = dataDirectoryOf(options);
  const { entry, token } = editTokens(data, (before) => {
    const made = tokenFor(wished, before);
    return { tokens: [...before, made.entry], answer: made };
  });
  const whole = { ...describedToken(entry, now), token };
  hand(data, entry, options.output === "table" ? token : JSON.stringify(whole, null, options.output === "json" ? 2 : undefined));
  process.stderr.write(`${told(entry)}\nit is not shown again: only its hash is kept. A running server knows it within 1 s\n`);
}

interface Made {
  readonly entry: TokenEntry;
  readonly token: string;
}

function tokenFor(wished: WishedToken, before: readonly TokenEntry[]): Made {
  const id = wished.id ?? freeId(wished, before);
  if (before.some((entry) => entry.id === id)) {
    throw new CommandFailed(
      EXIT.usage,
      `--id: there is a token \`${id}\` already; choose another, or revoke that one with \`behest tokens revoke ${id}\``,
    );
  }
  const { caller = `service:${id}`, ...rest } = wished;
  const { token, sha256 } = mintToken(id);
  return { token, entry: { ...rest, id, caller, sha256 } };
}

const ID_STEM_MAX = 48;

/** From the caller's name, or what it is for; with a number if that is taken. */
function freeId({ caller, roles }: WishedToken, before: readonly TokenEntry[]): string {
  const plain = (text: string): string =>
    text
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, "-")
      .slice(0, ID_STEM_MAX)
      .replaceAll(/^-|-$/g, "");
  const stem = plain(caller?.replace(/^(user|service):/, "") ?? "") || plain(roles.join("-"));
  const taken = new Set(before.map(({ id }) => id));
  let id = stem;
  for (let number = 2; taken.has(id); number++) id = `${stem}-${number}`;
  return id;
}

/** Gives the token to whoever reads the output. One that reached nobody is taken back: nobody could use it, and nobody would know of it. */
function hand(data: string, { id }: TokenEntry, text: string): void {
  try {
    let rest = Buffer.from(`${text}\n`);
    while (rest.length > 0) rest = rest.subarray(writeSync(process.stdout.fd, rest));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    editTokens(data, (before) => ({ tokens: before.filter((entry) => entry.id !== id), answer: undefined }));
    throw new CommandFailed(EXIT.internal, `the token could not be printed (${why}), so it was taken back: there is no token \`${id}\``, {
      cause: error,
    });
  }
}

function told(entry: TokenEntry): string {
  const { id, caller, tenant, roles, expires_at } = entry;
  const agents = agentsOf(entry);
  const covers =
    agents.length === 0 ? "" : agents.includes("*") ? ", for every agent" : `, for agents ${agents.map((glob) => `\`${glob}\``).join(", ")}`;
  const ends = expires_at === undefined ? "never expires" : `expires at ${expires_at}`;
  return `token \`${id}\`: ${roles.join(" and ")} \`${caller}\` of tenant \`${tenant}\`${covers}; ${ends}`;
}
