import { type Row, screenColumns, tableOf } from "../src/cli/output.ts";
import type { Hardware } from "./hardware.ts";
import type { Must, Scale, SectionReport } from "./section.ts";

/** Everything that was measured, and on what. */
export interface Report {
  readonly hardware: Hardware;
  readonly scale: Scale;
  readonly seconds: number;
  readonly sections: Readonly<Record<string, SectionReport>>;
}

/** For a terminal, or for a page of the documentation. */
export type TextFormat = "table" | "markdown";

export function textOf({ hardware, sections, scale, seconds }: Report, format: TextFormat): string {
  const { cpu, cores, memoryGib, system, node, loadAverage } = hardware;
  const reports = Object.values(sections);
  const musts = reports.flatMap((report) => report.musts.map((stated) => mustRow(stated, report)));
  const part = (title: string, rows: readonly Row[]): string =>
    format === "markdown" ? `${title}\n\n${rowsOf(rows, format)}` : `${title}\n${rowsOf(rows, format)}`;
  return [
    `${cpu}, ${cores} cores, ${memoryGib} GiB, ${system}, Node ${node}; load average before the run ${loadAverage}; ${scale}, ${seconds} s\n`,
    ...reports.flatMap(({ tables }) => tables.map(({ title, rows }) => part(title, rows))),
    part("What must be so. Others: what other work took of the machine meanwhile.", musts),
  ].join("\n");
}

export const rowsOf = (rows: readonly Row[], format: TextFormat): string =>
  format === "markdown" ? markdownOf(rows) : tableOf(rows, screenColumns());

function markdownOf(rows: readonly Row[]): string {
  const [first] = rows;
  if (!first) return "(no rows)\n";
  const names = Object.keys(first);
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |\n`;
  return line(names) + line(names.map(() => "---")) + rows.map((row) => line(names.map((name) => String(row[name] ?? "")))).join("");
}

const mustRow = ({ what, must, goal, reached, holds }: Must, { othersPercent }: SectionReport): Row => ({
  what,
  must,
  goal: goal ?? "",
  reached,
  holds: holds ? "yes" : "NO",
  "others %": othersPercent ?? "",
});
