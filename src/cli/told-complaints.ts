import { excerpt } from "../core/excerpt.ts";
import { ComplaintSeverity, type PolicyComplaint } from "../gen/behest/v1/policy_pb.ts";
import { underlined } from "../policy/complaints.ts";
import { folded, screenColumns, visible } from "./output.ts";

/** A complaint that came over the wire, as the loader writes it. */
export function formatTold({ severity, file, line, column, source, caret, message }: PolicyComplaint): string {
  const said = `${severity === ComplaintSeverity.WARNING ? "warning: " : ""}${visible(message)}`;
  const columns = screenColumns();
  const place = line === 0 ? visible(file) : `${visible(file)}:${line}:${column}`;
  const first = folded(`${place}: ${said}`, columns);
  return line === 0 ? first : `${first}\n${underlined(excerpt(visible(source), caret + 1, columns && columns - 2))}`;
}

/** All that were told, and how many were not. */
export function formatAllTold(complaints: readonly PolicyComplaint[], total: number): string {
  const rest = total > complaints.length ? [`and ${total - complaints.length} more`] : [];
  return [...complaints.map(formatTold), ...rest].join("\n\n");
}
