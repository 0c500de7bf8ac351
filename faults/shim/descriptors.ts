import type { Entry } from "./log.ts";

/**
 * Files of which a descriptor was synced again, or written to, after a sync of it had failed, one for each time. The kernel says once that it could not write, and
 * then takes for written what it could not.
 */
export function usedAfterFailing(entries: readonly Entry[]): readonly string[] {
  const names = new Map<bigint, string>();
  const failed = new Set<bigint>();
  const used: string[] = [];
  for (const entry of entries) {
    if (!("handle" in entry)) continue;
    if (entry.kind === "opened") names.set(entry.handle, entry.name);
    else if (failed.has(entry.handle) && USES.has(entry.kind)) used.push(names.get(entry.handle) ?? "");
    if (entry.kind === "sync ended" && entry.error !== 0) failed.add(entry.handle);
  }
  return used;
}

const USES: ReadonlySet<Entry["kind"]> = new Set(["sync began", "written", "truncated"]);
