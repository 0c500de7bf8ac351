import pino from "pino";

/** A write costs the deciding thread as much as a tenth of a decision does, and a line comes with each. */
const BLOCK_CHARACTERS = 65_536;
const HANDED_ON_EVERY_MS = 200;
/** What nobody reads is dropped beyond that: the ledger is the record, and the log must not take the memory. */
const UNREAD_BYTES_MAX = 16 * 1024 * 1024;

/** What pino writes its lines to. */
export interface LogBlocks {
  write(line: string): void;
  flush(done: () => void): void;
}

/**
 * Lines for a descriptor, which leave in blocks, so that a decision does not wait for whoever reads them. They are gathered here because pino's own
 * destination measures all that has gathered anew with every line.
 */
export function openLogBlocks(descriptor: number): LogBlocks {
  const destination = pino.destination({ dest: descriptor, sync: false, maxLength: UNREAD_BYTES_MAX });
  let lines: string[] = [];
  let characters = 0;
  const handOn = (): void => {
    if (lines.length === 0) return;
    destination.write(lines.join(""));
    lines = [];
    characters = 0;
  };
  setInterval(handOn, HANDED_ON_EVERY_MS).unref();
  process.once("exit", () => {
    handOn();
    destination.flushSync();
  });
  return {
    write(line) {
      lines.push(line);
      characters += line.length;
      if (characters >= BLOCK_CHARACTERS) handOn();
    },
    flush(done) {
      handOn();
      destination.flush(done);
    },
  };
}
