import { Option } from "commander";

export const FORMATS = ["table", "json", "ndjson"] as const;
export type Format = (typeof FORMATS)[number];

export const formatOption = (): Option => new Option("-o, --output <format>", "how to print").choices(FORMATS).default("table");

type Style = "bold" | "dim" | "red" | "green" | "yellow";
const CODES: Readonly<Record<Style, readonly [number, number]>> = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39] };

/** Colour on a terminal only. */
export function paint(style: Style, text: string): string {
  if (!process.stdout.isTTY || process.env["NO_COLOR"]) return text;
  const [on, off] = CODES[style];
  return `\u001b[${on}m${text}\u001b[${off}m`;
}

/** What a terminal would obey instead of show is shown as a mark. */
export const visible = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, "�");

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

export function printLine(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

export type Row = Readonly<Record<string, unknown>>;

/** Prints rows in the format asked for. */
export function printRows(rows: readonly Row[], format: Format): void {
  if (format === "json") printJson(rows);
  else if (format === "ndjson") for (const row of rows) printLine(row);
  else process.stdout.write(tableOf(rows, process.stdout.isTTY ? process.stdout.columns : undefined));
}

const CELL_MAX = 80;

/** A table for people; on a terminal its last column is cut to the width there is. */
export function tableOf(rows: readonly Row[], columns: number | undefined): string {
  const [first] = rows;
  if (!first) return "(no rows)\n";
  const names = Object.keys(first);
  const cells = rows.map((row) => names.map((name) => cellOf(row[name], columns === undefined ? Number.POSITIVE_INFINITY : CELL_MAX)));
  const widths = names.map((name, at) => Math.max(name.length, ...cells.map((line) => line[at]?.length ?? 0)));
  const lineOf = (line: readonly string[]): string => {
    const whole = line
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join("  ")
      .trimEnd();
    return columns !== undefined && whole.length > columns ? `${whole.slice(0, columns - 1)}…` : whole;
  };
  const header = lineOf(names);
  return `${[paint("bold", header), ...cells.map(lineOf)].join("\n")}\n`;
}

function cellOf(value: unknown, lengthMax: number): string {
  if (value === null || value === undefined) return "";
  if (Buffer.isBuffer(value)) return value.toString("hex");
  const text = visible(typeof value === "object" ? JSON.stringify(value) : String(value));
  return text.length > lengthMax ? `${text.slice(0, lengthMax - 1)}…` : text;
}

/** Breaks a text between words, so that each line begins with the indent and none is longer than the columns there are. */
export function wrap(text: string, { columns, indent }: { readonly columns: number; readonly indent: number }): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent + line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].map((one) => " ".repeat(indent) + one).join("\n");
}
