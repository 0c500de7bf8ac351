/**
 * Preloaded with `node --expose-gc --import`, in a server's main thread and in every other: collects garbage every second. What a process holds then is
 * what it keeps; else it is mostly what V8 has not got round to.
 */
export const COLLECTED: readonly string[] = ["--expose-gc", "--import", import.meta.url];

const EVERY_MS = 1_000;

if (globalThis.gc) setInterval(() => void globalThis.gc?.(), EVERY_MS).unref();
