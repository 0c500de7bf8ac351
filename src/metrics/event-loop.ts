import type { Histogram } from "./histogram.ts";

const EVERY_MS = 50;

/**
 * Measures how late a timer fires that should fire twenty times a second: as late does a decision begin. `monitorEventLoopDelay` would say the same more
 * finely, and forget it whenever somebody looks.
 */
export function watchEventLoop(lagSeconds: Histogram): { close(): void } {
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    lagSeconds.observe(Math.max(0, now - last - EVERY_MS) / 1_000);
    last = now;
  }, EVERY_MS);
  timer.unref();
  return { close: () => clearInterval(timer) };
}

/** How long this thread has worked since the process began; the rest it has waited. */
export const busySeconds = (): number => performance.eventLoopUtilization().active / 1_000;
