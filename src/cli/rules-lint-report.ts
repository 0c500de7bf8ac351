import { excerpt } from "../core/excerpt.ts";
import { COMPLAINT_IDS, type ComplaintId, KINDS } from "../policy/complaint-kinds.ts";
import { type Complaint, formatComplaint } from "../policy/complaints.ts";
import { VERSION } from "../version.ts";
import { folded, paint, screenColumns, visible } from "./output.ts";
import { workflowCommand } from "./reports/github.ts";
import { type JunitCase, junitOf } from "./reports/junit.ts";
import { sarifOf } from "./reports/sarif.ts";
import { createSourcePaths } from "./reports/source-path.ts";
import { shownPath } from "./shown-path.ts";

/** What lint found, to be told in one of several formats. */
export interface LintFindings {
  readonly directory: string;
  readonly complaints: readonly Complaint[];
  /** What was not looked at, and why. */
  readonly notes: readonly string[];
  /** Undefined when the policy could not be loaded. */
  readonly rules: number | undefined;
}

export type LintFormat = "pretty" | "json" | "github" | "sarif" | "junit";

export const LINT_REPORTS: Readonly<Record<LintFormat, (findings: LintFindings) => string>> = { pretty, json, github, sarif, junit };

export const countOf = (complaints: readonly Complaint[], severity: Complaint["severity"]): number =>
  complaints.filter((complaint) => complaint.severity === severity).length;

/** A page of complaints is read; what is beyond it is counted. */
const PRETTY_MAX = 50;

function pretty({ complaints }: LintFindings): string {
  // Errors first: until they are gone, nothing else matters.
  const shown = [...complaints].sort((a, b) => rankOf(a) - rankOf(b)).slice(0, PRETTY_MAX);
  const rest = complaints.length - shown.length;
  const more = rest > 0 ? [`… and ${rest} more; \`--format json\` tells all, \`--id\` some of them`] : [];
  return [...shown.map(prettyComplaint), ...more].map((part) => `${part}\n\n`).join("");
}

const rankOf = ({ severity }: Complaint): number => (severity === "error" ? 0 : 1);

function prettyComplaint({ id, severity, file, at, message }: Complaint): string {
  const place = at ? `${file}:${at.line}:${at.column}` : file;
  const columns = screenColumns();
  const said = `${paint("bold", shownPath(place))}: ${paint(severity === "error" ? "red" : "yellow", severity)}: ${visible(message)} ${paint("dim", `[${id}]`)}`;
  const first = folded(said, columns);
  if (!at) return first;
  const { source, caret } = excerpt(at.source, at.column, columns && columns - 2);
  return `${first}\n  ${source}\n  ${" ".repeat(caret)}${paint(severity === "error" ? "red" : "yellow", "^")}`;
}

function json({ directory, complaints, notes, rules }: LintFindings): string {
  const told = complaints.map(({ id, severity, file, at, message, suggestion }) => ({
    id,
    severity,
    file,
    ...(at && { line: at.line, column: at.column, source: excerpt(at.source, at.column).source }),
    message,
    ...(suggestion !== undefined && { suggestion }),
    help: pageOf(id),
  }));
  const summary = { directory, rules: rules ?? null, errors: countOf(complaints, "error"), warnings: countOf(complaints, "warning"), notes };
  return `${JSON.stringify({ complaints: told, summary }, null, 2)}\n`;
}

function github({ complaints, notes }: LintFindings): string {
  const sourcePath = createSourcePaths();
  const remarks = complaints.map(({ id, severity, file, at, message }) =>
    workflowCommand({ severity, title: id, message, file: sourcePath(file), ...(at && { line: at.line, column: at.column }) }),
  );
  return [...remarks, ...notes.map((message) => workflowCommand({ severity: "notice", title: "behest rules lint", message }))].join("");
}

function sarif({ complaints }: LintFindings): string {
  const sourcePath = createSourcePaths();
  return sarifOf({
    tool: "behest",
    version: VERSION,
    rules: COMPLAINT_IDS.map((id) => ({
      id,
      title: KINDS[id].title,
      help: KINDS[id].explanation,
      level: KINDS[id].severity,
    })),
    results: complaints.map(({ id, severity, file, at, message }) => ({
      ruleId: id,
      level: severity,
      message,
      file: sourcePath(file),
      ...(at && { at }),
    })),
  });
}

/** A failing case for each complaint; a directory that nothing is said of is one case that passes. */
function junit({ directory, complaints }: LintFindings): string {
  const sourcePath = createSourcePaths();
  const byFile = Map.groupBy(complaints, ({ file }) => sourcePath(file));
  const cases: readonly JunitCase[] = [...byFile].flatMap(([file, found]) =>
    found.map((complaint) => ({
      name: `${complaint.id}${complaint.at ? ` at ${complaint.at.line}:${complaint.at.column}` : ""}`,
      classname: file,
      file,
      ...(complaint.at && { line: complaint.at.line }),
      failures: [{ type: complaint.severity, message: complaint.message, detail: formatComplaint({ ...complaint, file }) }],
    })),
  );
  const clean: JunitCase = { name: "nothing to complain of", classname: sourcePath(directory), failures: [] };
  return junitOf({ name: "behest rules lint", suites: [{ name: sourcePath(directory), cases: cases.length > 0 ? cases : [clean] }] });
}

export const pageOf = (id: ComplaintId): string => `docs/lint/${id}.md`;
