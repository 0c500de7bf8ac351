import { existsSync } from "node:fs";
import { join } from "node:path";
import { CommandFailed, EXIT } from "./exit.ts";
import { asTyped, defaultDirectory } from "./hint.ts";

/** The rules directory that a command is about: the one named, else `BEHEST_RULES`, else `rules` here. Paths in complaints begin with it. */
export function rulesDirectory(named: string | undefined): string {
  const directory = named ?? defaultDirectory();
  if (named !== undefined || existsSync(join(directory, "policy.json"))) return directory;
  throw new CommandFailed(
    EXIT.usage,
    `no policy in \`${directory}\`: name a rules directory, such as \`${asTyped("rules lint path/to/rules")}\`, or make one with \`${asTyped("init")}\``,
  );
}
