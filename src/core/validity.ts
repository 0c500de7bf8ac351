import type { SteadyClock } from "./ports.ts";
import type { DecisionRecord } from "./record.ts";
import { type Instant, instant } from "./words.ts";

export interface Validity {
  /** Until when an ALLOW may be acted upon, by the machine's clock: the record has the ledger's, which is not put back with it. */
  readonly validUntil: Instant | undefined;
}

/** Whoever acts on an answer looks at a clock like the machine's. */
export const validityOf = ({ judgement: { validUntil } }: DecisionRecord, clock: SteadyClock): Validity => ({
  validUntil: validUntil === undefined ? undefined : instant(validUntil - clock.ahead()),
});
