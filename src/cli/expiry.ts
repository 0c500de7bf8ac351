import { parseInstant } from "../core/instants.ts";
import { type Instant, instant } from "../core/words.ts";

const DAY_MS = 86_400_000;
const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: DAY_MS };
const DAYS_MAX = 3_650;

export type Expiry = { readonly at: Instant } | { readonly problem: string };

/** When something ends that is said to end after `30d`, or at `2027-01-01T00:00:00Z`. */
export function readExpiry(text: string, now: Instant): Expiry {
  const [, count, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const at = unit === undefined ? parseInstant(text) : instant(now + Number(count) * (UNIT_MS[unit] ?? Number.NaN));
  if (at === undefined)
    return { problem: `\`${text}\` is no time; write how long, such as \`12h\` or \`30d\`, or when in UTC, such as \`2027-01-01T00:00:00Z\`` };
  if (at <= now) return { problem: `\`${text}\` is not in the future` };
  if (at - now > DAYS_MAX * DAY_MS) return { problem: `\`${text}\` is more than ${DAYS_MAX} days away` };
  return { at };
}
