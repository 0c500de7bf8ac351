import { ComplaintSeverity, type PolicyComplaint } from "../gen/behest/v1/policy_pb.ts";
import { underlined } from "../policy/complaints.ts";
import { visible } from "./output.ts";

/** A complaint that came over the wire, as the loader writes it. */
export function formatTold({ severity, file, line, column, source, caret, message }: PolicyComplaint): string {
  const said = `${severity === ComplaintSeverity.WARNING ? "warning: " : ""}${visible(message)}`;
  return line === 0 ? `${visible(file)}: ${said}` : `${visible(file)}:${line}:${column}: ${said}\n${underlined({ source: visible(source), caret })}`;
}

/** All that were told, and how many were not. */
export function formatAllTold(complaints: readonly PolicyComplaint[], total: number): string {
  const rest = total > complaints.length ? [`and ${total - complaints.length} more`] : [];
  return [...complaints.map(formatTold), ...rest].join("\n\n");
}
