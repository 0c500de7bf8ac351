import { type DecidingComparison, explainJudgement } from "../core/explain.ts";
import { toEnd } from "../core/steps.ts";
import type { Finding } from "../core/words.ts";
import type { JudgedCase } from "../policy/case-judge.ts";
import type { PolicyInvalid } from "../policy/complaints.ts";
import { type Coverage, percentOf, type Share, type Unreached } from "../policy/coverage.ts";
import { folded, paint, screenColumns, visible } from "./output.ts";
import { workflowCommand } from "./reports/github.ts";
import { junitOf } from "./reports/junit.ts";
import { createSourcePaths } from "./reports/source-path.ts";
import { shownPath } from "./shown-path.ts";

export interface CaseReport {
  readonly judged: readonly JudgedCase[];
  readonly coverage: Coverage;
  readonly verbose: boolean;
  /** Only cases that hold this were decided: coverage says nothing of the others. */
  readonly filter?: string;
  /** Part of a hundred that must be reached. */
  readonly threshold?: number;
  readonly missed: boolean;
}

export const CASE_REPORTS = { pretty, json, junit, github } as const satisfies Readonly<Record<string, (report: CaseReport) => string>>;
export type ReportFormat = keyof typeof CASE_REPORTS;

/** What there is to report when nothing could be decided. */
export const REFUSED_REPORTS = {
  json: ({ complaints }: PolicyInvalid) => `${JSON.stringify({ error: "nothing was tested", complaints }, null, 2)}\n`,
  junit: ({ complaints }: PolicyInvalid) =>
    junitOf({
      name: "behest rules test",
      suites: [...Map.groupBy(complaints, ({ file }) => file)].map(([file, told]) => ({
        name: file,
        cases: told.map(({ id, message, at }) => ({
          name: message,
          classname: file,
          file,
          ...(at && { line: at.line }),
          failures: [{ type: id, message }],
        })),
      })),
    }),
  github: ({ complaints }: PolicyInvalid) =>
    complaints
      .map(({ id, message, file, at }) =>
        workflowCommand({ severity: "error", title: id, message, file, ...(at && { line: at.line, column: at.column }) }),
      )
      .join(""),
} as const satisfies Readonly<Record<Exclude<ReportFormat, "pretty">, (error: PolicyInvalid) => string>>;

const UNREACHED_SHOWN_MAX = 20;

const isFailed = ({ disagreements }: JudgedCase): boolean => disagreements.length > 0;
const placeOf = ({ stated: { source } }: JudgedCase): string => source.document.positionOf(source.node);
const fileOf = ({ stated }: JudgedCase): string => stated.source.document.file;
const shareOf = (share: Share): string => `${share.reached} of ${share.all} (${percentOf(share)} %)`;

/** Pass, fail and coverage in one report. */
function pretty({ judged, coverage, verbose, filter, threshold, missed }: CaseReport): string {
  const failed = judged.filter(isFailed);
  const lines: string[] = [];
  for (const [file, cases] of Map.groupBy(judged, fileOf)) {
    const bad = cases.filter(isFailed);
    const mark = bad.length === 0 ? paint("green", "✔") : paint("red", "✖");
    lines.push(`${mark} ${shownPath(file)}  ${cases.length - bad.length} of ${cases.length}`);
    for (const one of cases) {
      if (isFailed(one)) lines.push(...failure(one));
      else if (verbose) lines.push(`    ${paint("green", "✔")} ${visible(one.stated.name)}`);
    }
  }
  lines.push(
    "",
    `${judged.length} ${judged.length === 1 ? "case" : "cases"}: ${judged.length - failed.length} decided as they say, ${failed.length} otherwise`,
  );
  const share = `coverage: rules ${shareOf(coverage.rules)}, branches ${shareOf(coverage.branches)}`;
  if (filter === undefined) lines.push(missed ? paint("red", `${share}, below ${threshold} %`) : share, ...unreachedLines(coverage.unreached));
  const columns = screenColumns();
  return `${lines.map((line) => folded(line, columns)).join("\n")}\n`;
}

function failure(one: JudgedCase): readonly string[] {
  const { outcome, score, reasonCodes, findings } = one.judgement;
  const because = reasonCodes.length > 0 ? ` because of ${reasonCodes.join(", ")}` : "";
  return [
    `    ${paint("red", "✖")} ${paint("bold", visible(one.stated.name))}  ${paint("dim", shownPath(placeOf(one)))}`,
    ...one.disagreements.map(({ message }) => `        ${visible(message)}`),
    `        ${paint("dim", `decided ${outcome} at risk ${score}${because}; stands:`)} ${findings.map((finding) => visible(standing(finding, one))).join(", ") || "nothing"}`,
  ];
}

function standing({ rule, points, result }: Finding, { situation, judgement }: JudgedCase): string {
  const explained =
    result === "unknown" ? toEnd(explainJudgement(situation, judgement, { everyRule: false })).rules.find((one) => one.rule === rule) : undefined;
  const facts = [...new Set(explained?.decided.filter((one) => one.result === "unknown").map(whyUnknown))];
  return `${rule}${signed(points)}${facts.length > 0 ? ` (unknown: ${facts.join(", ")})` : ""}`;
}

const FOUND_MAX = 60;

function whyUnknown({ fact, found }: DecidingComparison): string {
  if (found === undefined) return `${fact} is absent`;
  const text = JSON.stringify(found);
  return `${fact} is ${text.length > FOUND_MAX ? `${text.slice(0, FOUND_MAX)}…` : text}`;
}

const signed = (points: number): string => (points === 0 ? "" : ` ${points > 0 ? "+" : ""}${points}`);

function unreachedLines(unreached: readonly Unreached[]): readonly string[] {
  const shown = unreached
    .slice(0, UNREACHED_SHOWN_MAX)
    .map(({ position, what, rule }) => `  ${shownPath(position)}  ${visible(rule)}: ${visible(what)}`);
  const more = unreached.length - shown.length;
  return more > 0 ? [...shown, `  and ${more} more; --format json lists all`] : shown;
}

function json({ judged, coverage, threshold, missed }: CaseReport): string {
  const failed = judged.filter(isFailed).length;
  const withPercent = (share: Share) => ({ ...share, percent: percentOf(share) });
  return `${JSON.stringify(
    {
      cases: judged.map((one) => ({
        name: one.stated.name,
        position: placeOf(one),
        passed: !isFailed(one),
        disagreements: one.disagreements.map(({ key, message }) => ({ key, message })),
        outcome: one.judgement.outcome,
        score: one.judgement.score,
        stands: one.judgement.findings.map(({ rule }) => rule),
      })),
      summary: { cases: judged.length, passed: judged.length - failed, failed },
      coverage: { rules: withPercent(coverage.rules), branches: withPercent(coverage.branches), unreached: coverage.unreached },
      ...(threshold !== undefined && { threshold, threshold_missed: missed }),
    },
    null,
    2,
  )}\n`;
}

function junit({ judged, coverage, threshold, missed }: CaseReport): string {
  const sourcePath = createSourcePaths();
  const suites = [...Map.groupBy(judged, (one) => sourcePath(fileOf(one)))].map(([file, cases]) => ({
    name: file,
    cases: cases.map((one) => ({
      name: one.stated.name,
      classname: file,
      file,
      line: lineOf(placeOf(one)),
      failures: one.disagreements.map(({ key, message }) => ({ type: key, message })),
    })),
  }));
  // JUnit has no place for coverage: what is not reached is told where a reader looks, and fails only below the threshold.
  const shares = `rules ${shareOf(coverage.rules)}, branches ${shareOf(coverage.branches)}`;
  const detail = coverage.unreached
    .map(({ position, what }) => `${sourcePath(fileAt(position))}:${lineOf(position)}:${columnOf(position)} ${what}`)
    .join("\n");
  const message = `${shares}; wanted ${threshold} %`;
  const covering = { name: `coverage: ${shares}`, classname: "coverage", failures: missed ? [{ type: "coverage", message, detail }] : [] };
  return junitOf({ name: "behest rules test", suites: [...suites, { name: "coverage", cases: [covering] }] });
}

const lineOf = (position: string): number => Number(position.split(":").at(-2));
const columnOf = (position: string): number => Number(position.split(":").at(-1));
const fileAt = (position: string): string => position.split(":").slice(0, -2).join(":");

function github({ judged, coverage, filter, threshold, missed }: CaseReport): string {
  const sourcePath = createSourcePaths();
  const at = (position: string) => ({ file: sourcePath(fileAt(position)), line: lineOf(position), column: columnOf(position) });
  const failures = judged.filter(isFailed).map((one) =>
    workflowCommand({
      severity: "error",
      title: `case: ${one.stated.name}`,
      message: one.disagreements.map(({ message }) => message).join("\n"),
      ...at(placeOf(one)),
    }),
  );
  // Coverage by some of the cases says nothing of the others.
  if (filter !== undefined) return failures.join("");
  const unreached = coverage.unreached.map(({ position, what, rule }) =>
    workflowCommand({ severity: "notice", title: "no case reaches this", message: `${rule}: ${what}`, ...at(position) }),
  );
  const shares = `rules ${shareOf(coverage.rules)}, branches ${shareOf(coverage.branches)}`;
  const severity = missed ? "error" : "notice";
  const summary = workflowCommand({ severity, title: "coverage of the rules", message: missed ? `${shares}; wanted ${threshold} %` : shares });
  return [...failures, ...unreached, summary].join("");
}
