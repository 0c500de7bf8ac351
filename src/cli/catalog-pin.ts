import { join } from "node:path";
import type { Command } from "commander";
import { type Complaint, complaint, PolicyInvalid } from "../policy/complaints.ts";
import { type Document, readDocument } from "../policy/document.ts";
import { look } from "../policy/files.ts";
import { comparePins, type ListedTools, PIN_STATES, type ToolPin, toolNamesIn, withPins } from "../policy/pins.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import { asTypedOf, defaultDirectory } from "./hint.ts";
import { type Format, formatOption, printRows, visible } from "./output.ts";
import { replaceText } from "./replace-text.ts";
import { rulesDirectory } from "./rules-directory.ts";
import { readToolList } from "./tool-list.ts";

interface PinOptions {
  readonly rules?: string;
  readonly catalog?: string;
  readonly server?: string;
  readonly check?: boolean;
  readonly output: Format;
}

export function addCatalogPin(catalog: Command): void {
  catalog
    .command("pin")
    .description("pin the definitions of tools as a server lists them, or check that they are what is pinned")
    .argument("<tools>", "what the server answers to `tools/list`, or one tool a line as JSON; - for stdin")
    .option("--rules <directory>", "rules directory (default: $BEHEST_RULES, else ./rules)")
    .option("--catalog <file>", "only this file of the catalog")
    .option("--server <name>", "what the catalog puts before the server's own names: NAME/tool")
    .option("--check", "write nothing, and exit 4 if a definition is another than the pinned one")
    .addOption(formatOption())
    .addHelpText("after", "\nExamples:\n  behest catalog pin tools.json --server crm\n  behest catalog pin tools.json --server crm --check\n")
    .action((tools: string, options: PinOptions) => {
      process.exitCode = run(tools, options);
    });
}

/** Answers the exit code. */
function run(file: string, options: PinOptions): number {
  const listed = readToolList(file, options.server);
  const documents = readCatalogs(options);
  const pins = comparePins(documents, listed);
  if (!pins.some(({ state }) => state !== "new")) throw nothingMatches(documents, listed);
  if (!options.check) {
    for (const document of documents) {
      const after = withPins(document, listed);
      if (after !== document.text) replaceText(document.file, { before: document.text, after });
    }
  }
  printRows(options.output === "table" ? pins.map(tableRow) : pins.map(dataRow), options.output);
  process.stderr.write(summaryOf(pins, options));
  return options.check && pins.some(({ state }) => state === "drifted") ? EXIT.testsFailed : EXIT.ok;
}

function readCatalogs({ rules, catalog }: PinOptions): readonly Document[] {
  const complaints: Complaint[] = [];
  const documents = (catalog === undefined ? catalogFiles(rulesDirectory(rules)) : [catalog]).flatMap((path) => {
    const seen = look(path);
    if (seen.kind === "file") return readDocument(path, seen.text, complaints) ?? [];
    complaints.push(complaint("unreadable-file", path, `cannot be read: ${seen.kind === "directory" ? "it is a directory" : seen.why}`));
    return [];
  });
  if (complaints.length > 0) throw new PolicyInvalid(complaints);
  return documents;
}

function catalogFiles(directory: string): readonly string[] {
  const path = join(directory, "catalog");
  const seen = look(path);
  if (seen.kind !== "directory")
    throw new CommandFailed(EXIT.usage, `no catalog in \`${visible(directory)}\`: list the tools in a \`catalog/NAME.json\` first`);
  const names = seen.names.filter((name) => name.endsWith(".json") && !name.startsWith("."));
  return names.sort().map((name) => join(path, name));
}

/** A check that looks at nothing must not pass. */
function nothingMatches(documents: readonly Document[], listed: ListedTools): CommandFailed {
  const [first = ""] = listed.keys();
  const known = documents.flatMap(toolNamesIn);
  const meant = known.find((name) => name.endsWith(`/${first.slice(first.lastIndexOf("/") + 1)}`));
  const why = meant
    ? `it has \`${visible(meant)}\`: name the server that was asked, as \`--server ${visible(meant.slice(0, meant.indexOf("/")))}\``
    : "list there what they do, and pin them then";
  return new CommandFailed(EXIT.usage, `the catalog has none of the tools listed, such as \`${first}\`; ${why}`);
}

const dataRow = ({ tool, state, file, pinned, listed }: ToolPin) => ({
  tool,
  state,
  file: file ?? null,
  pinned: pinned ?? null,
  listed: listed ?? null,
});

/** As much of a digest as a person compares. */
const DIGEST_SHOWN = "sha256:".length + 12;
const tableRow = ({ tool, state, file, pinned, listed }: ToolPin) => ({
  tool,
  state,
  pinned: pinned?.slice(0, DIGEST_SHOWN),
  listed: listed?.slice(0, DIGEST_SHOWN),
  file,
});

/** What was found and done, and what to do next. */
function summaryOf(pins: readonly ToolPin[], { check = false, rules }: PinOptions): string {
  const countOf = (...states: readonly ToolPin["state"][]): number => pins.filter(({ state }) => states.includes(state)).length;
  const [drifted, gone, strange, unpinned] = [countOf("drifted"), countOf("gone"), countOf("new"), countOf("unpinned")];
  const lines = [PIN_STATES.flatMap((state) => (countOf(state) > 0 ? [`${countOf(state)} ${state}`] : [])).join(", ")];
  if (drifted > 0)
    lines.push(
      check
        ? "drifted: an agent is shown another definition than somebody has reviewed; review it, then pin it without --check"
        : "drifted, and pinned anew: review what has changed in these definitions before you commit it",
    );
  if (gone > 0) lines.push("gone: the server lists these no more; take them out of the catalog, and out of agents' reach");
  if (strange > 0) lines.push("new: the catalog lacks these; list there what they do before an agent uses them");
  if (check && unpinned > 0) lines.push("unpinned: nothing is compared with these yet; pin them without --check");
  if (!check && drifted + unpinned > 0) {
    const files = new Set(pins.flatMap(({ state, file }) => (file !== undefined && ["drifted", "unpinned"].includes(state) ? [file] : [])));
    lines.push(
      `pinned ${drifted + unpinned} in ${[...files].map(visible).join(", ")}; next: ${asTypedOf("rules test", rules ?? defaultDirectory())}`,
    );
  }
  return lines.map((line) => `${line}\n`).join("");
}
