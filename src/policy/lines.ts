import type { Complaint } from "./complaints.ts";

/** Where in a text something stands. Every condition is placed, so it must not walk over the text. */
export interface Lines {
  placeOf(offset: number): NonNullable<Complaint["at"]>;
}

export function linesOf(text: string): Lines {
  const starts = lineStartsOf(text);
  return {
    placeOf(offset) {
      const line = lineAt(starts, offset);
      const start = starts[line] ?? 0;
      return { line: line + 1, column: offset - start + 1, source: text.slice(start, (starts[line + 1] ?? text.length + 1) - 1).trimEnd() };
    },
  };
}

function lineStartsOf(text: string): readonly number[] {
  const starts = [0];
  for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", end + 1)) starts.push(end + 1);
  return starts;
}

/** The last line that begins at or before an offset, from 0. */
function lineAt(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}
