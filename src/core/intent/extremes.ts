import type { Json, JsonObject } from "../words.ts";
import type { Superlative } from "./language.ts";

/** The largest, latest or cheapest of several, if the task speaks of one: at either end of any field that can be compared. */
export function extremesOf(records: readonly JsonObject[], superlatives: readonly Superlative[]): ReadonlySet<JsonObject> {
  const ends = new Set(superlatives.map(({ extreme }) => extreme));
  const extremes = new Set<JsonObject>();
  if (records.length < 2 || ends.size === 0) return extremes;
  for (const key of Object.keys(records[0] ?? {})) {
    const compared = records.map((record) => comparable(record[key]));
    if (compared.some((value) => value === undefined)) continue;
    const values = compared.filter((value) => value !== undefined);
    for (const extreme of ends) {
      const end = extreme === "most" ? Math.max(...values) : Math.min(...values);
      const [record, another] = records.filter((_, at) => compared[at] === end);
      if (record && !another) extremes.add(record);
    }
  }
  return extremes;
}

/** Numbers, and dates that sort as they are written. */
function comparable(value: Json | undefined): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value !== "string") return undefined;
  if (/^\d{4}-\d{2}-\d{2}/.test(value)) {
    const at = Date.parse(value.replace(" ", "T"));
    return Number.isNaN(at) ? undefined : at;
  }
  return /^\d+(?:\.\d+)?$/.test(value) ? Number(value) : undefined;
}
