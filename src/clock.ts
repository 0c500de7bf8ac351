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

/** Two clocks that nobody touches lie so far apart, because each shows whole milliseconds at moments of its own. An instant that is answered twice has to be the same. */
const OUT_OF_STEP_MS = 5;

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
    ahead() {
      const ms = now() - machine.now();
      return durationMs(ms > OUT_OF_STEP_MS ? ms : 0);
    },
    notBefore(at) {
      atMs = Math.max(now(), at);
    },
  };
}
