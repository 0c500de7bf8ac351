import { ServiceError } from "./errors.ts";
import type { Instant } from "./words.ts";

const WINDOW_MS = 60_000;

export interface RateLimiter {
  /** Counts one use. @throws {ServiceError} RATE_LIMITED */
  use(key: string, now: Instant): void;
}

/** So many uses per key and minute. When more keys are in use than are kept, new ones are refused rather than old ones forgotten. */
export function createRateLimiter(perMinute: number, keysMax: number): RateLimiter {
  const uses = new Map<string, { since: number; count: number }>();
  return {
    use(key, now) {
      for (const [old, { since }] of uses) {
        if (Math.abs(now - since) < WINDOW_MS) break;
        uses.delete(old);
      }
      const use = uses.get(key);
      if ((use?.count ?? 0) >= perMinute || (!use && uses.size >= keysMax)) {
        throw new ServiceError("RATE_LIMITED", `at most ${perMinute} explanations a minute for one caller and agent`, {
          limit: "explains_per_minute",
        });
      }
      if (use) use.count++;
      else uses.set(key, { since: now, count: 1 });
    },
  };
}
