import { readdirSync, readFileSync, type Stats, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Command } from "commander";
import type { Instant } from "../core/words.ts";
import { orMean } from "../policy/complaints.ts";
import { systemNow } from "./clock.ts";
import { mergeMappings } from "./editor-settings.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import { describeMade } from "./init-report.ts";
import { visible } from "./output.ts";
import { type Files, placeFiles, statOf } from "./place-files.ts";
import { schemaMappings, vscodeSettings } from "./schema-files.ts";
import { isTemplateName, TEMPLATES, type TemplateName, templateFiles } from "./templates.ts";

const DEFAULT_TEMPLATE = "coding-agent" satisfies TemplateName;
const SETTINGS_FILE = ".vscode/settings.json";
const SETTINGS_BYTES_MAX = 1024 * 1024;

interface InitOptions {
  readonly template?: string;
  readonly force?: boolean;
}

export function addInit(program: Command): void {
  const names = Object.entries(TEMPLATES).map(([name, audience]) => `  ${name.padEnd(14)}for ${audience}`);
  program
    .command("init")
    .description("make a policy to start from: rules, cases, catalog and agents")
    .argument("[directory]", "where to make `rules` (default: here)")
    .option("--template <name>", `what to start from: ${Object.keys(TEMPLATES).join(", ")} (default: ${DEFAULT_TEMPLATE})`)
    .option("--force", "overwrite files of these names")
    .addHelpText("after", `\nTemplates:\n${names.join("\n")}\n\nExample:\n  behest init --template support && behest rules test\n`)
    .action((directory: string | undefined, options: InitOptions) => init(directory ?? ".", options));
}

function init(directory: string, { template = DEFAULT_TEMPLATE, force = false }: InitOptions): void {
  const name = templateNamed(template);
  if (directory === "") throw new CommandFailed(EXIT.usage, "name a directory, or leave it out to use this one");
  const files = Object.fromEntries(Object.entries(reviewedInAYear(templateFiles(name), systemNow())).map(([path, text]) => [`rules/${path}`, text]));
  const paths = Object.keys(files);
  try {
    refuseDirectory(directory);
    refuseObstacles(directory, paths);
    const overwritten = paths.filter((path) => statOf(join(directory, path)));
    if (overwritten.length > 0 && !force) throw alreadyThere(directory, overwritten);
    const kept = strangersIn(directory, paths);
    const settings = settingsFor(directory);
    placeFiles(directory, { ...files, ...("text" in settings && { [SETTINGS_FILE]: settings.text }) });
    process.stdout.write(describeMade({ directory, template: name, paths, overwritten, kept, settings: settings.did }));
  } catch (error) {
    if (error instanceof CommandFailed) throw error;
    throw new CommandFailed(EXIT.internal, `no policy was made in \`${visible(directory)}\`: ${reasonOf(error)}`, { cause: error });
  }
}

const YEAR_MS = 365 * 86_400_000;

/** Who begins today has not put off a review yet: it is due in a year. */
export function reviewedInAYear({ "agents.json": agents = "", ...files }: Files, at: Instant): Files {
  const day = new Date(at + YEAR_MS).toISOString().slice(0, 10);
  return { ...files, "agents.json": agents.replaceAll(/("review_by": )"[^"]*"/g, `$1"${day}"`) };
}

function templateNamed(name: string): TemplateName {
  if (isTemplateName(name)) return name;
  const said = orMean(`unknown template \`${visible(name)}\``, name, Object.keys(TEMPLATES));
  const known = Object.keys(TEMPLATES).map((one) => `\`${one}\``);
  const asked = typeof said === "string" ? `${said}; there` : `${said.message} There`;
  throw new CommandFailed(EXIT.usage, `${asked} are ${known.join(", ")}`);
}

/** What is named may be a link to a directory; what is made inside it may not, see `refuseObstacles`. */
function refuseDirectory(directory: string): void {
  const shown = visible(directory);
  const there = statSync(directory, { throwIfNoEntry: false });
  if (there && !there.isDirectory())
    throw new CommandFailed(EXIT.usage, `\`${shown}\` is not a directory; name one, or a place where one can be made`);
  if (!there && statOf(directory))
    throw new CommandFailed(EXIT.usage, `\`${shown}\` is a symbolic link that leads nowhere; remove it, or name a directory`);
}

/** What --force does not take away either: a link would let us write where nobody looks, and a directory may hold anything. */
function refuseObstacles(directory: string, paths: readonly string[]): void {
  const directories = new Set(paths.map(dirname));
  const obstacles = [...directories, ...paths].flatMap((path) => {
    const there = statOf(join(directory, path));
    const wanted = directories.has(path) ? "directory" : "file";
    const found = there && kindOf(there);
    return found === undefined || found === wanted ? [] : [`  ${visible(join(directory, path))} is a ${found}, where a ${wanted} has to be made`];
  });
  if (obstacles.length > 0)
    throw new CommandFailed(EXIT.usage, `nothing was written:\n${obstacles.join("\n")}\nmove it away, or name another directory`);
}

function kindOf(there: Stats): string {
  if (there.isSymbolicLink()) return "symbolic link";
  if (there.isDirectory()) return "directory";
  return there.isFile() ? "file" : "special file";
}

/** What lies among the rules already: it stays, and is read with them. */
function strangersIn(directory: string, paths: readonly string[]): readonly string[] {
  const places = [...new Set(paths.map(dirname))].filter((place) => statOf(join(directory, place)));
  const there = places.flatMap((place) => readdirSync(join(directory, place)).map((name) => `${place}/${name}`));
  return there.filter((path) => !basename(path).startsWith(".") && !paths.includes(path) && !places.includes(path));
}

function alreadyThere(directory: string, paths: readonly string[]): CommandFailed {
  const list = paths
    .toSorted()
    .map((path) => `  ${visible(join(directory, path))}`)
    .join("\n");
  return new CommandFailed(
    EXIT.usage,
    `nothing was written, because something is there already:\n${list}\nname another directory, or overwrite ${paths.length === 1 ? "this file" : "these files"} with --force`,
  );
}

type Settings = { readonly did: string; readonly text: string } | { readonly did: string };

/** The editor's settings are somebody's own: they are added to or left alone, never overwritten. */
function settingsFor(directory: string): Settings {
  const path = join(directory, SETTINGS_FILE);
  const left = (problem: string): Settings => ({ did: `left as it was, because ${problem}; map the schemas by hand` });
  const folder = statOf(dirname(path));
  if (folder && !folder.isDirectory()) return left("`.vscode` is not a directory");
  const there = statOf(path);
  if (!there) return { did: "tells VS Code which schema is whose", text: vscodeSettings("rules") };
  if (!there.isFile()) return left("it is not a regular file");
  if (there.size > SETTINGS_BYTES_MAX) return left(`it has more than ${SETTINGS_BYTES_MAX} bytes`);
  try {
    const before = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(readFileSync(path));
    const merged = mergeMappings(before, schemaMappings("rules"));
    if ("problem" in merged) return left(merged.problem);
    return merged.text === before ? { did: "maps the schemas already" } : { did: "now maps the schemas too", text: merged.text };
  } catch (error) {
    return left(error instanceof TypeError ? "it is not valid UTF-8" : `it cannot be read (${reasonOf(error)})`);
  }
}

const reasonOf = (error: unknown): string => visible(error instanceof Error ? error.message : String(error));
