import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import type { Json, JsonObject } from "../core/words.ts";
import { catalogOf, withEntries } from "../policy/catalog-entries.ts";
import { type Complaint, complaint, PolicyInvalid } from "../policy/complaints.ts";
import { type Document, readDocument } from "../policy/document.ts";
import { look } from "../policy/files.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import { asTypedOf } from "./hint.ts";
import { dataRow, inOrderOfReview, summaryOf, tableRow } from "./import-report.ts";
import { type ImportedTool, importTools } from "./imported-tools.ts";
import { type Format, formatOption, printRows, visible } from "./output.ts";
import { replaceText, writeNew } from "./replace-text.ts";
import { readTools } from "./tool-list.ts";

interface ImportOptions {
  readonly mcp?: string;
  readonly timeout: number;
  readonly server?: string;
  readonly into?: string;
  readonly output: Format;
}

const TIMEOUT_S = { default: 60, max: 600 };

export function addCatalogImport(catalog: Command): void {
  catalog
    .command("import")
    .description("infer from names, descriptions and schemas what tools do, for somebody to review")
    .argument("[tools]", "what the server answers to `tools/list`, or one tool a line as JSON; - for stdin")
    .option("--mcp <command>", "start this MCP server instead, and ask it")
    .option("--timeout <seconds>", "how long to wait for the server", seconds, TIMEOUT_S.default)
    .option("--server <name>", "what the catalog puts before the server's own names: NAME/tool")
    .option("--into <file>", "add what is new to this file of the catalog; what it says already stays as it is")
    .addOption(formatOption())
    .addHelpText(
      "after",
      '\nExamples:\n  behest catalog import tools.json --server crm\n  behest catalog import --mcp "npx -y some-mcp-server" --server crm --into rules/catalog/crm.json\n',
    )
    .action(async (tools: string | undefined, options: ImportOptions) => {
      process.exitCode = await run(tools, options);
    });
}

function seconds(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= TIMEOUT_S.max) return value;
  throw new InvalidArgumentError(`give whole seconds from 1 to ${TIMEOUT_S.max}`);
}

/** Answers the exit code. */
async function run(file: string | undefined, options: ImportOptions): Promise<number> {
  const into = options.into === undefined ? undefined : targetOf(options.into);
  const listed = await listedTools(file, options);
  if (listed.length === 0) throw new CommandFailed(EXIT.usage, "the list has no tool; nothing can be imported from it");
  const tools = importTools(listed, options.server, { ...(into?.document && { into: into.document }), others: into?.others ?? [] });
  const fresh = new Map<string, JsonObject>(tools.flatMap(({ tool, state, entry }) => (state === "new" && entry ? [[tool, entry]] : [])));
  if (options.into !== undefined && into && fresh.size > 0) {
    if (into.document) replaceText(options.into, { before: into.document.text, after: withEntries(into.document, fresh) });
    else writeNew(options.into, catalogOf(fresh));
  }
  const ordered = inOrderOfReview(tools);
  printRows(options.output === "table" ? ordered.map(tableRow) : ordered.map(dataRow), options.output);
  process.stderr.write([...summaryOf(tools), outcomeOf(tools, fresh.size, options)].map((line) => `${line}\n`).join(""));
  return EXIT.ok;
}

async function listedTools(file: string | undefined, { mcp, timeout }: ImportOptions): Promise<readonly Json[]> {
  if ((file === undefined) === (mcp === undefined))
    throw new CommandFailed(EXIT.usage, "name one of a file that lists tools and, with --mcp, the command that starts a server");
  if (mcp === undefined) return readTools(file ?? "-");
  // Loaded only here: no other command should wait for it.
  const { toolsOfServer } = await import("./mcp-tools.ts");
  return toolsOfServer(mcp, timeout * 1000);
}

interface Target {
  /** Undefined where there is no such file yet. */
  readonly document?: Document;
  readonly others: readonly Document[];
}

/** The file that tools are added to, and the files beside it, in which none of them may be listed as well. */
function targetOf(path: string): Target {
  const complaints: Complaint[] = [];
  const read = (file: string): Document | undefined => {
    const seen = look(file);
    if (seen.kind === "file") return readDocument(file, seen.text, complaints);
    complaints.push(complaint("unreadable-file", file, `cannot be read: ${seen.kind === "directory" ? "it is a directory" : seen.why}`));
    return undefined;
  };
  const beside = look(dirname(path));
  if (beside.kind !== "directory")
    throw new CommandFailed(EXIT.usage, `there is no directory \`${visible(dirname(path))}\` to put \`${visible(basename(path))}\` into`);
  const document = existsSync(path) ? read(path) : undefined;
  const others = beside.names
    .filter((name) => name.endsWith(".json") && !name.startsWith(".") && name !== basename(path))
    .sort()
    .flatMap((name) => read(join(dirname(path), name)) ?? []);
  if (complaints.some(({ severity }) => severity === "error")) throw new PolicyInvalid(complaints);
  return { ...(document && { document }), others };
}

function outcomeOf(tools: readonly ImportedTool[], added: number, { into }: ImportOptions): string {
  if (into === undefined) return "nothing is written; with --into rules/catalog/NAME.json the new ones are added to a file of the catalog";
  if (added === 0) return `nothing new for ${visible(into)}; what it says stays as it is`;
  const kept = tools.some(({ state }) => state === "kept" || state === "drifted") ? ", and kept what it said" : "";
  return `added ${added} to ${visible(into)}${kept}; next: review them, name their owners, then ${asTypedOf("rules lint", dirname(dirname(into)))}`;
}
