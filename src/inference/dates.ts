const ISO_DATE = /\b(?<year>\d{4})-(?<month>\d{1,2})-(?<day>\d{1,2})\b/gu;
const TIME = /\b\d{1,2}:\d{2}(?::\d{2})?\b/gu;
const two = (text: string): string => text.padStart(2, "0");

/** Dates as `2026-05-15`, without a year `05-15`, with the words that say them; and the text without them. */
export function datesIn(text: string, months: string): { readonly found: ReadonlyMap<string, string>; readonly rest: string } {
  const names = months.split(/\s+/);
  const named = names.map((name) => `${name}|${name.slice(0, 3)}`).join("|");
  const found = new Map<string, string>();
  let rest = text;
  for (const pattern of [
    ISO_DATE,
    new RegExp(String.raw`\b(?<name>${named})\.?\s+(?<day>\d{1,2})(?:st|nd|rd|th)?\b(?:,?\s+(?<year>\d{4})\b)?`, "giu"),
    new RegExp(String.raw`\b(?<day>\d{1,2})(?:st|nd|rd|th)?\s+(?:of\s+)?(?<name>${named})\b(?:,?\s+(?<year>\d{4})\b)?`, "giu"),
  ]) {
    for (const { 0: words, groups } of rest.matchAll(pattern)) {
      const { name, month, day = "", year } = groups ?? {};
      const number = month ?? String(names.findIndex((full) => full.startsWith((name ?? "").toLowerCase().slice(0, 3))) + 1);
      found.set(`${year === undefined ? "" : `${year}-`}${two(number)}-${two(day)}`, words);
    }
    rest = rest.replaceAll(pattern, " ");
  }
  return { found, rest: rest.replaceAll(TIME, " ") };
}

/** `1,200.50` is one number, and so is `3,5`. */
const NUMBER = /(?<![\p{L}\p{N}._-]|\d,)(?:\d{1,3}(?:,\d{3}){1,4}(?:\.\d{1,4})?|\d{1,12}(?:[.,]\d{1,4})?)(?![\p{L}\p{N}_]|[.,]\d)/gu;
export const numbersIn = (text: string): readonly number[] => [...new Set([...text.matchAll(NUMBER)].map(([match]) => numberOf(match)))];
const numberOf = (text: string): number => Number(/^\d{1,3}(?:,\d{3})+(?:\.|$)/.test(text) ? text.replaceAll(",", "") : text.replace(",", "."));
