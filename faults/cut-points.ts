import type { Draw } from "./replayed-file.ts";
import type { Entry } from "./shim/log.ts";

/** A place in a log: everything before this entry has happened, and the entry itself is under way. */
export type CutPoint = number;

/** Where much hangs on what exactly has happened, with the share of all points that lie there; the rest may lie anywhere. */
const PLACES: readonly { readonly share: number; readonly isThere: (what: Happening) => boolean }[] = [
  // Just before and after the log is synced.
  { share: 0.4, isThere: ({ entry, name, last }) => name.endsWith("-wal") && (entry.kind === "sync ended" || last?.kind === "sync ended") },
  // While the log is taken into the file.
  { share: 0.15, isThere: ({ name, entry }) => name.endsWith(".db") && entry.kind !== "opened" },
  { share: 0.1, isThere: ({ name }) => name === "control.journal" },
  // Files that are replaced whole.
  { share: 0.1, isThere: ({ name, entry }) => entry.kind === "renamed" || name.endsWith(".draft") || name.endsWith(".new") || name === "" },
];

interface Happening {
  readonly entry: Entry;
  /** Of the file; empty for the directory and for names that change. */
  readonly name: string;
  /** What happened before it. */
  readonly last: Entry | undefined;
}

/** Draws so many points of a log, in order, none twice. */
export function drawCutPoints(entries: readonly Entry[], count: number, draw: Draw): readonly CutPoint[] {
  const chosen = new Set<CutPoint>();
  const from = (candidates: readonly CutPoint[], share: number): void => {
    for (let tries = Math.round(share * count); tries > 0 && candidates.length > 0; tries--) chosen.add(candidates[draw(candidates.length)] ?? 0);
  };
  const happenings = happeningsOf(entries);
  for (const { share, isThere } of PLACES)
    from(
      [...happenings.keys()].filter((at) => isThere(happenings[at] ?? NOTHING)),
      share,
    );
  while (chosen.size < Math.min(count, entries.length)) chosen.add(draw(entries.length));
  return [...chosen].sort((a, b) => a - b);
}

const NOTHING: Happening = { entry: { kind: "unlinked", atNs: 0n, name: "" }, name: "", last: undefined };

function happeningsOf(entries: readonly Entry[]): readonly Happening[] {
  const names = new Map<bigint, string>();
  return entries.map((entry, at) => {
    if (entry.kind === "opened") names.set(entry.handle, entry.name);
    const name = "handle" in entry ? (names.get(entry.handle) ?? "") : "";
    return { entry, name, last: entries[at - 1] };
  });
}
