import { type FSWatcher, watch } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";

export interface WatchOptions {
  readonly directory: string;
  /** How often it is looked at, whatever the watcher says. */
  readonly pollMs: number;
  /** Looks whether something has changed. Never throws. */
  readonly look: () => Promise<void>;
  /** Told once if changes cannot be watched for: they are noticed with the next poll all the same. */
  readonly onUnwatchable: (error: unknown) => void;
}

/** A change is seldom alone; the looking itself waits until all is still. */
const LOOK_AFTER_MS = 20;

/** Looks every so often, and soon after the file system says that something has changed: the poll is what can be relied on. */
export function watchRules({ directory, pollMs, look, onUnwatchable }: WatchOptions): { close(): void } {
  let timer: NodeJS.Timeout | undefined;
  let state: "waiting" | "due" | "looking" | "closed" = "waiting";
  let changed = false;
  const wait = (ms: number): void => {
    clearTimeout(timer);
    timer = setTimeout(() => void lookNow(), ms);
    timer.unref();
  };
  const onEvent = (): void => {
    changed = true;
    // What is due stays due: changes without end must not put it off for ever.
    if (state !== "waiting") return;
    state = "due";
    wait(Math.min(LOOK_AFTER_MS, pollMs));
  };
  const watches = [directory, join(directory, "catalog")].map((path) => createWatch(path, onEvent, once(onUnwatchable)));
  async function lookNow(): Promise<void> {
    state = "looking";
    changed = false;
    // Armed before it looks: what changes in between is seen by one of the two.
    for (const one of watches) await one.arm();
    if (!isClosed()) await look();
    if (isClosed()) return;
    state = changed ? "due" : "waiting";
    wait(changed ? Math.min(LOOK_AFTER_MS, pollMs) : pollMs);
  }
  const isClosed = (): boolean => state === "closed";
  void lookNow();
  return {
    close() {
      state = "closed";
      clearTimeout(timer);
      for (const one of watches) one.close();
    },
  };
}

function once(tell: (error: unknown) => void): (error: unknown) => void {
  let told = false;
  return (error) => {
    if (!told) tell(error);
    told = true;
  };
}

/** A watch of whatever stands at a path now: one that stays with a directory that has gone sees nothing more. */
function createWatch(path: string, onEvent: () => void, onUnwatchable: (error: unknown) => void) {
  let watcher: FSWatcher | undefined;
  let armedFor = "";
  let closed = false;
  const disarm = (): void => {
    watcher?.close();
    watcher = undefined;
    armedFor = "";
  };
  return {
    close() {
      closed = true;
      disarm();
    },
    async arm(): Promise<void> {
      const found = await stat(path).catch(() => undefined);
      const identity = found?.isDirectory() ? `${found.dev} ${found.ino}` : "";
      if (closed || identity === armedFor) return;
      disarm();
      if (identity === "") return;
      try {
        watcher = watch(path, { persistent: false }, onEvent).on("error", disarm);
        armedFor = identity;
      } catch (error) {
        onUnwatchable(error);
      }
    },
  };
}
