import { type Instant, instant } from "../core/words.ts";

/** What the clock of this machine says. */
export const systemNow = (): Instant => instant(Date.now());
