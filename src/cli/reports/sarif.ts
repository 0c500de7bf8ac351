import { createHash } from "node:crypto";
import { isAbsolute, sep } from "node:path";
import { pathToFileURL } from "node:url";

/** What a tool found in files, as SARIF 2.1.0 tells it: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html */
export interface SarifReport {
  readonly tool: string;
  readonly version: string;
  /** Kinds of results; those that nothing was found of may be left out. */
  readonly rules: readonly SarifRule[];
  readonly results: readonly SarifResult[];
}

export interface SarifRule {
  readonly id: string;
  /** One line. */
  readonly title: string;
  /** Markdown. */
  readonly help: string;
  readonly level: SarifLevel;
}

export type SarifLevel = "error" | "warning" | "note";

export interface SarifResult {
  readonly ruleId: string;
  readonly level: SarifLevel;
  readonly message: string;
  /** As it was opened: relative to where the tool runs, or absolute. */
  readonly file: string;
  /** From 1; the line's text tells the result again when lines above it change. */
  readonly at?: { readonly line: number; readonly column: number; readonly source: string };
}

export function sarifOf({ tool, version, rules, results }: SarifReport): string {
  const seen = new Map<string, number>();
  const log = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: tool, semanticVersion: version, rules: rules.map(ruleOf) } },
        columnKind: "utf16CodeUnits",
        results: results.map((result) => resultOf(result, { rules, seen })),
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

const ruleOf = ({ id, title, help, level }: SarifRule) => ({
  id,
  shortDescription: { text: title },
  help: { text: help, markdown: help },
  defaultConfiguration: { level },
});

interface Before {
  readonly rules: readonly SarifRule[];
  /** How often each fingerprint was given. */
  readonly seen: Map<string, number>;
}

function resultOf({ ruleId, level, message, file, at }: SarifResult, { rules, seen }: Before) {
  const ruleIndex = rules.findIndex(({ id }) => id === ruleId);
  return {
    ruleId,
    ...(ruleIndex !== -1 && { ruleIndex }),
    level,
    message: { text: message },
    locations: [
      {
        physicalLocation: {
          artifactLocation: artifactOf(file),
          ...(at && { region: { startLine: at.line, startColumn: at.column } }),
        },
      },
    ],
    partialFingerprints: { "placeAndKind/v1": fingerprintOf([ruleId, file, at?.source.trim() ?? ""], seen) },
  };
}

/** The same for one result from run to run, wherever its line has moved to; two alike are told apart by their order. */
function fingerprintOf(parts: readonly string[], seen: Map<string, number>): string {
  const digest = createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
  const count = (seen.get(digest) ?? 0) + 1;
  seen.set(digest, count);
  return `${digest}:${count}`;
}

/** A relative file is relative to the root of the sources, which whoever reads the report knows. */
function artifactOf(file: string): { readonly uri: string; readonly uriBaseId?: string } {
  if (isAbsolute(file)) return { uri: pathToFileURL(file).href };
  return { uri: file.split(sep).map(encodeURIComponent).join("/"), uriBaseId: "%SRCROOT%" };
}
