const HEEDED = ["SIGHUP", "SIGTERM", "SIGINT"] as const;
type Heed = (signal: NodeJS.Signals) => void;

// A process has one of each signal, and what listens first is loaded long before what knows what to do.
let hungUp = false;
let heed: Heed = (signal) => {
  if (signal === "SIGHUP") hungUp = true;
  // Nothing has been begun that would have to be ended.
  else process.exit(0);
};
let listening = false;

/** Listens from now on: whoever asks the process to stop is obeyed, and a hang-up waits for who will heed it. */
export function holdSignals(): void {
  if (listening) return;
  listening = true;
  for (const signal of HEEDED) process.on(signal, (came) => heed(came));
}

/** Hands over what comes from now on, and the hang-up that has been waiting. */
export function heedSignals(next: Heed): void {
  holdSignals();
  heed = next;
  if (hungUp) next("SIGHUP");
}
