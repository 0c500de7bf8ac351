import { Option } from "commander";
import { columnsOf } from "./columns.ts";

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
  process.stdout.write(`${jsonText(value, 2)}\n`);
}

export function printLine(value: unknown): void {
  process.stdout.write(`${jsonText(value)}\n`);
}

/** The same JSON, in which what a terminal would obey or nobody would see is written as JSON can write it. */
export const jsonText = (value: unknown, indent?: number): string =>
  JSON.stringify(value, null, indent).replaceAll(/[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu, (character) =>
    character
      .split("")
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
      .join(""),
  );

export type Row = Readonly<Record<string, unknown>>;

/** Prints rows in the format asked for. */
export function printRows(rows: readonly Row[], format: Format): void {
  if (format === "json") printJson(rows);
  else if (format === "ndjson") for (const row of rows) printLine(row);
  else process.stdout.write(tableOf(rows, screenColumns()));
}

/** How wide the terminal is; undefined where the output goes to a file or another program. */
export const screenColumns = (stream: Screen = process.stdout): number | undefined => (stream.isTTY ? stream.columns || COLUMNS : undefined);

type Screen = Pick<NodeJS.WriteStream, "isTTY" | "columns">;
/** Of a terminal that does not say how wide it is. */
const COLUMNS = 80;

const CELL_MAX = 80;
/** Narrower, a column says nothing. */
const COLUMN_MIN = 12;

/** A table for people; on a terminal its widest columns are cut so that all fit, or else each row is listed key by key. */
export function tableOf(rows: readonly Row[], columns: number | undefined): string {
  const [first] = rows;
  if (!first) return "(no rows)\n";
  const names = Object.keys(first);
  const cells = rows.map((row) => names.map((name) => (columns === undefined ? textOf(row[name]) : cut(shortDigest(textOf(row[name])), CELL_MAX))));
  const natural = names.map((name, at) => Math.max(name.length, ...cells.map((line) => columnsOf(line[at] ?? ""))));
  const widths = columns === undefined ? natural : fitted(natural, columns - GAP.length * (names.length - 1));
  if (!widths) return rows.map((row) => keyValues(row, columns)).join("\n");
  const lineOf = (line: readonly string[]): string =>
    line
      .map((cell, at) => filled(cut(cell, widths[at] ?? 0), widths[at] ?? 0))
      .join(GAP)
      .trimEnd();
  return `${[paint("bold", lineOf(names)), ...cells.map(lineOf)].join("\n")}\n`;
}

const GAP = "  ";

/** The widths, of which the widest are made smaller until all have room; undefined when there is too little. */
function fitted(natural: readonly number[], room: number): readonly number[] | undefined {
  for (let most = Math.max(COLUMN_MIN, ...natural); most >= COLUMN_MIN; most--) {
    const widths = natural.map((width) => Math.min(width, most));
    const left = room - widths.reduce((sum, width) => sum + width, 0);
    if (left >= 0) return widths;
  }
  return undefined;
}

/** One row, a line for each key. */
export function keyValues(row: Row, columns: number | undefined): string {
  const indent = Math.max(...Object.keys(row).map((key) => key.length)) + GAP.length;
  const lines = Object.entries(row).map(([key, value]) => {
    const text = folded(textOf(value), columns && Math.max(1, columns - indent), 0).replaceAll("\n", `\n${" ".repeat(indent)}`);
    return `${paint("bold", key)}${" ".repeat(indent - key.length)}${text}`.trimEnd();
  });
  return `${lines.join("\n")}\n`;
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (Buffer.isBuffer(value)) return value.toString("hex");
  return visible(typeof value === "object" ? JSON.stringify(value) : String(value));
}

const filled = (text: string, columns: number): string => text + " ".repeat(Math.max(0, columns - columnsOf(text)));

function cut(text: string, columnsMax: number): string {
  if (columnsOf(text) <= columnsMax) return text;
  let kept = "";
  for (const character of text) {
    if (columnsOf(kept) + columnsOf(character) >= columnsMax) break;
    kept += character;
  }
  return `${kept}…`;
}

const shortDigest = (text: string): string => (/^sha256:[0-9a-f]{64}$/.test(text) ? `${text.slice(0, 19)}…` : text);

/** Breaks a long line for a terminal between words; it goes on indented by `hang` more than it begins. Colours take no room. */
export function folded(text: string, columns: number | undefined, hang = 4): string {
  if (columns === undefined) return text;
  const shown = withoutColours(text);
  const indent = " ".repeat(shown.length - shown.trimStart().length + hang);
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/(?<=[^ ]) /)) {
    if (line !== "" && columnsOf(withoutColours(line)) + 1 + columnsOf(withoutColours(word)) > columns) {
      lines.push(line);
      line = indent + word.trimStart();
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].join("\n");
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what `paint` writes.
const withoutColours = (text: string): string => text.replaceAll(/\u001b\[\d+m/g, "");

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
