import { readFileSync } from "node:fs";

const NANOSECONDS_PER_MS = 1_000_000;

/**
 * For how many milliseconds so far the main thread of a process was ready to run and had no processor: on a machine that others use as well, what
 * they take is in every time that is measured, and the kernel alone can tell it apart (`/proc/PID/schedstat`, its second number).
 */
export function starvedMs(pid: number): number {
  const [, waitedNs] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, "utf8").split(" ");
  return Number(waitedNs) / NANOSECONDS_PER_MS;
}

/** Tells the milliseconds since it was made, less those in which one of these processes, ourselves among them, had no processor. */
export function stopwatch(pid: number): () => number {
  const [theirs, ours, began] = [starvedMs(pid), starvedMs(process.pid), performance.now()];
  return () => {
    const tookMs = performance.now() - began;
    return Math.max(0, tookMs - (starvedMs(pid) - theirs) - (starvedMs(process.pid) - ours));
  };
}
