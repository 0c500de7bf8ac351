import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { nearest } from "../core/nearest.ts";
import { FILE_KINDS, SCHEMA_NAMES, type SchemaName } from "../policy/schemas.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import { type Format, formatOption, printRows, visible } from "./output.ts";
import { schemaFile, schemaFiles, schemaText } from "./schema-files.ts";

interface SchemaOptions {
  readonly output: Format;
  readonly out?: string;
}

export function addSchema(program: Command): void {
  program
    .command("schema")
    .description("JSON Schemas of the files of a policy, for editors; without a name, which there are")
    .argument("[name]", `${SCHEMA_NAMES.join(", ")}: print it`)
    .option("--out <dir>", "write all of them into this directory")
    .addOption(formatOption())
    .addHelpText("after", "\nExamples:\n  behest schema\n  behest schema rules > rules.schema.json\n  behest schema --out rules/schema\n")
    .action((name: string | undefined, options: SchemaOptions) => schema(name, options));
}

function schema(name: string | undefined, { output, out }: SchemaOptions): void {
  if (name !== undefined && out !== undefined) {
    throw new CommandFailed(EXIT.usage, "--out writes every schema: leave the name out, or redirect what `behest schema NAME` prints");
  }
  if (name !== undefined) process.stdout.write(schemaText(schemaNamed(name)));
  else if (out !== undefined) writeAll(out);
  else printRows(SCHEMA_NAMES.map(rowOf), output);
}

function schemaNamed(name: string): SchemaName {
  const bare = name.replace(/\.schema\.json$/, "");
  const found = SCHEMA_NAMES.find((known) => known === bare);
  if (found !== undefined) return found;
  const near = nearest(name.slice(0, 200), SCHEMA_NAMES);
  const meant = near === undefined ? ":" : `; did you mean \`${near}\`?`;
  throw new CommandFailed(EXIT.usage, `no schema \`${visible(name.slice(0, 200))}\`${meant} there are ${SCHEMA_NAMES.join(", ")}`);
}

const rowOf = (name: SchemaName) => ({
  name,
  files: FILE_KINDS[name].files,
  lines: schemaText(name).split("\n").length - 1,
  about: FILE_KINDS[name].about,
});

function writeAll(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true });
    for (const [file, text] of Object.entries(schemaFiles())) writeFileSync(join(directory, file), text);
  } catch (error) {
    throw new CommandFailed(EXIT.internal, `cannot write into \`${directory}\`: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  process.stderr.write(`behest: wrote ${SCHEMA_NAMES.map((name) => join(directory, schemaFile(name))).join(", ")}\n`);
}
