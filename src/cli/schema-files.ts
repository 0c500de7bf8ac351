import { requestSchema } from "../client/request-schema.ts";
import { EFFECT_MEANINGS } from "../policy/meanings.ts";
import { FILE_KINDS, fileSchema, SCHEMA_NAMES, type SchemaName } from "../policy/schemas.ts";

/** The file that a schema is kept in, beside the rules. */
export const schemaFile = (name: SchemaName): string => `${name}.schema.json`;

/** A schema as it stands in its file. */
export function schemaText(name: SchemaName): string {
  const more = name === "cases" ? { request: requestSchema({ Effect: EFFECT_MEANINGS }) } : {};
  return `${JSON.stringify(fileSchema(name, more), null, 2)}\n`;
}

/** Every schema of `rules/schema/`, text by file name. */
export const schemaFiles = (): Readonly<Record<string, string>> =>
  Object.fromEntries(SCHEMA_NAMES.map((name) => [schemaFile(name), schemaText(name)]));

/** One entry of VS Code's `json.schemas`: which files, relative to the workspace, and where their schema is. */
export interface SchemaMapping {
  readonly fileMatch: readonly string[];
  readonly url: string;
}

/**
 * What tells VS Code which schema a file of a rules directory has. The directory is relative to the folder that is opened.
 * @throws {RangeError} when it lies outside that folder, where no pattern can reach it.
 */
export function schemaMappings(rulesDirectory: string): readonly SchemaMapping[] {
  const segments = rulesDirectory.split(/[\\/]+/).filter((segment) => segment !== "" && segment !== ".");
  if (/^([\\/]|[A-Za-z]:)/.test(rulesDirectory) || segments.includes("..")) {
    throw new RangeError(`\`${rulesDirectory}\` is not inside the folder that an editor opens: name it relative to that folder`);
  }
  const place = segments.map((segment) => `${segment}/`).join("");
  return SCHEMA_NAMES.map((name) => ({ fileMatch: [`/${place}${FILE_KINDS[name].files}`], url: `./${place}schema/${schemaFile(name)}` }));
}

/** The text of `.vscode/settings.json` for a rules directory, relative to the folder that is opened. @throws {RangeError} as `schemaMappings`. */
export function vscodeSettings(rulesDirectory: string): string {
  const entries = schemaMappings(rulesDirectory).map(
    ({ fileMatch, url }) => `    { "fileMatch": [${fileMatch.map((glob) => JSON.stringify(glob)).join(", ")}], "url": ${JSON.stringify(url)} }`,
  );
  return `{\n  "json.schemas": [\n${entries.join(",\n")}\n  ]\n}\n`;
}
