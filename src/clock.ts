import type { Clock, SteadyClock } from "./core/ports.ts";
import { durationMs, type Instant, instant } from "./core/words.ts";

/** As this machine has it. It can be put back. */
export const machineClock: Clock = { now: () => instant(Date.now()) };

export interface LedgerClock extends SteadyClock {
  /** Goes on from here, unless it is further already: from what was recorded before this process began. */
  notBefore(at: Instant): void;
}

export interface ClockSources {
  readonly machine: Clock;
  /** Milliseconds of a clock that only goes forward, at the pace of time. */
  readonly elapsedMs: () => number;
}

/**
 * Goes forward with the machine's clock, and stays behind neither that nor the time that passes: whatever lasts until an instant ends then at the
 * latest, also if the machine's clock is put back meanwhile. Once it is further it stays so until the machine's catches up.
 */
export function createLedgerClock({ machine, elapsedMs }: ClockSources): LedgerClock {
  let atMs: number = machine.now();
  let lookedMs = elapsedMs();
  const now = (): Instant => {
    const elapsed = elapsedMs();
    atMs = Math.max(machine.now(), atMs + elapsed - lookedMs);
    lookedMs = elapsed;
    return instant(Math.floor(atMs));
  };
  return {
    now,
    ahead: () => durationMs(Math.max(0, now() - machine.now())),
    notBefore(at) {
      atMs = Math.max(now(), at);
    },
  };
}
