import { readFileSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import { writePrivate } from "../private-file.ts";

/** Up to which event of the ledger everything has been delivered. It outlasts the process. */
export interface Cursor {
  /** Undefined: nothing was ever delivered from here. */
  readonly after: number | undefined;
  /** Answers when it is on disk. */
  moveTo(seq: number): Promise<void>;
}

/** @throws {Error} for a file that holds something else: to begin anew would lose what was not delivered. */
export function openCursor(path: string): Cursor {
  let after = read(path);
  return {
    get after() {
      return after;
    },
    async moveTo(seq) {
      // Where it cannot be written it holds as long as the process, so that nothing is delivered over and over meanwhile.
      const isFirst = after === undefined;
      after = seq;
      const text = `${JSON.stringify({ after: seq })}\n`;
      if (isFirst) {
        // Also under its name: if a power cut took that, what was not delivered would be skipped.
        writePrivate(path, text);
        return;
      }
      const draft = `${path}.draft`;
      const file = await open(draft, "w", 0o600);
      try {
        await file.writeFile(text);
        // An old one delivers twice; an empty one would deliver nothing.
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(draft, path);
    },
  };
}

function read(path: string): number | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  const after = /^\{"after":(\d{1,15})\}\n$/.exec(text)?.[1];
  if (after !== undefined) return Number(after);
  throw new Error(
    `\`${path}\` does not hold the number of an event; remove it to deliver from the next event on, without what was not delivered yet`,
  );
}
