import type { Command } from "commander";
import type { Policy } from "../gen/behest/v1/policy_pb.ts";
import { orMean } from "../policy/complaints.ts";
import { addConnectOptions, type ConnectOptions, withClient } from "./connect.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import { asTyped } from "./hint.ts";
import { type Format, formatOption, printJson, printLine, printRows, visible } from "./output.ts";

interface ShowOptions extends ConnectOptions {
  readonly digest?: string;
  readonly output: Format;
}

export function addRulesShow(rules: Command): void {
  addConnectOptions(rules.command("show"))
    .description("the files of the policy in force, or of any that was once loaded")
    .argument("[path]", "one file, such as `policy.json`; without it, which files there are")
    .option("--digest <digest>", "of this policy, as decisions name it (default: the one in force)")
    .addOption(formatOption())
    .addHelpText("after", "\nExamples:\n  behest rules show\n  behest rules show data.rules.json --digest sha256:… > then.json\n")
    .action(async (path: string | undefined, options: ShowOptions) => {
      const { digest } = options;
      const { policy } = await withClient(options, "auditor", (client) =>
        client.getPolicy({ withFiles: true, ...(digest !== undefined && { digest }) }),
      );
      if (!policy) throw new Error("the server named no policy");
      if (path === undefined) list(policy, options.output);
      else show(policy, path, options.output);
    });
}

function list({ files }: Policy, format: Format): void {
  const rows = Object.entries(files).map(([path, text]) => ({ path, bytes: Buffer.byteLength(text) }));
  if (format === "table") printRows(rows, format);
  else printWhole(files, format);
}

function show({ digest, files }: Policy, path: string, format: Format): void {
  const text = Object.hasOwn(files, path) ? files[path] : undefined;
  if (text === undefined) {
    const said = orMean(`no file \`${path}\` in policy \`${digest}\``, path, Object.keys(files));
    throw new CommandFailed(EXIT.usage, typeof said === "string" ? `${said}; see \`${asTyped("rules show")}\`` : said.message);
  }
  if (format !== "table") printWhole({ [path]: text }, format);
  // What goes to a file is the file, to the byte; what goes to a terminal must not command it.
  else process.stdout.write(process.stdout.isTTY ? text.split("\n").map(visible).join("\n") : text);
}

/** Text by path. */
function printWhole(files: Readonly<Record<string, string>>, format: Format): void {
  if (format === "json") printJson(files);
  else for (const [path, text] of Object.entries(files)) printLine({ path, text });
}
