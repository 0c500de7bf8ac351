import { type Instant, instant } from "./words.ts";

const UTC = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?Z$/;

/** An instant as people write it, in UTC, such as `2027-01-01T00:00:00Z`; undefined for anything else, and for days that there are not. */
export function parseInstant(text: string): Instant | undefined {
  const ms = UTC.test(text) ? Date.parse(text) : Number.NaN;
  // Some days that no month has are taken for days of the next one.
  return Number.isFinite(ms) && new Date(ms).toISOString().startsWith(text.slice(0, 19)) ? instant(ms) : undefined;
}

export const isoOf = (at: Instant): string => new Date(at).toISOString();
