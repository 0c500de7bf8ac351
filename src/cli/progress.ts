/** Says how far long work has come, on a terminal only. */
export interface Progress {
  tell(done: number): void;
  /** Takes the line away again. */
  end(): void;
}

const SHOWN_AFTER_MS = 300;
const SHOWN_EVERY_MS = 100;
const WIDTH = 30;

export function createProgress(what: string, all: number): Progress {
  if (!process.stderr.isTTY) return { tell: () => undefined, end: () => undefined };
  let next = performance.now() + SHOWN_AFTER_MS;
  let shown = false;
  return {
    tell(done) {
      const now = performance.now();
      if (now < next) return;
      next = now + SHOWN_EVERY_MS;
      shown = true;
      const filled = Math.round((done / Math.max(1, all)) * WIDTH);
      process.stderr.write(`\r${"█".repeat(filled)}${"░".repeat(WIDTH - filled)} ${done} of ${all} ${what}`);
    },
    end() {
      if (shown) process.stderr.write("\r\u001b[K");
    },
  };
}
