export interface BreakerOptions {
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
  /** It opens after so many failures in a row. */
  readonly failuresMax: number;
  /** How long nobody is asked then, until one call tries again. */
  readonly pauseMs: number;
  /** Told once, until it has closed again. */
  readonly onOpen: (why: string) => void;
  readonly onClose: () => void;
}

/** Spares callers the wait for somebody who does not answer. */
export interface Breaker {
  /** Whether to make a call; whoever is told so says what came of it. */
  enter(): boolean;
  succeeded(): void;
  failed(why: string): void;
}

export function createBreaker({ now, failuresMax, pauseMs, onOpen, onClose }: BreakerOptions): Breaker {
  let failures = 0;
  let openedAt: number | undefined;
  let isTrying = false;
  return {
    enter() {
      if (openedAt === undefined) return true;
      if (isTrying || now() - openedAt < pauseMs) return false;
      isTrying = true;
      return true;
    },
    succeeded() {
      failures = 0;
      isTrying = false;
      if (openedAt === undefined) return;
      openedAt = undefined;
      onClose();
    },
    failed(why) {
      failures++;
      if (openedAt === undefined && failures < failuresMax) return;
      const isNew = openedAt === undefined;
      // Calls that were made before it opened fail afterwards: they leave the pause, and whoever tries, alone.
      if (isNew || isTrying) openedAt = now();
      isTrying = false;
      if (isNew) onOpen(why);
    },
  };
}
