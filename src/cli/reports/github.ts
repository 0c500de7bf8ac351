import { visible } from "../output.ts";

/** One remark that GitHub shows beside the line it is about. */
export interface Annotation {
  readonly severity: "error" | "warning" | "notice";
  readonly title: string;
  readonly message: string;
  /** Relative to the repository; absent when the remark is about no file. */
  readonly file?: string;
  /** From 1. */
  readonly line?: number;
  readonly column?: number;
}

/**
 * A workflow command of GitHub Actions, one line:
 * https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands#setting-an-error-message
 */
export function workflowCommand({ severity, title, message, file, line, column }: Annotation): string {
  const stated = Object.entries({ file, line, col: column, title }).filter((entry): entry is [string, string | number] => entry[1] !== undefined);
  const properties = stated.map(([key, value]) => `${key}=${escapedProperty(String(value))}`).join(",");
  return `::${severity} ${properties}::${escapedData(message)}\n`;
}

/** A line break would end the command, and what follows could be another one; what a terminal would obey is shown as a mark. */
const escapedData = (text: string): string =>
  text
    .split(/(\r|\n)/)
    .map((part) => (part === "\r" ? "%0D" : part === "\n" ? "%0A" : visible(part).replaceAll("%", "%25")))
    .join("");

const escapedProperty = (text: string): string => escapedData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
