import { closeSync, ftruncateSync, openSync, writeFileSync, writeSync } from "node:fs";

/** What the disk is to do instead of what it is asked for. */
export interface Strike {
  readonly what: "sync" | "write" | "truncate";
  /** Of the file's name; `*` is any file. */
  readonly suffix: string;
  /** Which of them from now on, counted from 1. */
  readonly nth: number;
  /** How many of them from there on; absent: all. */
  readonly times?: number;
  readonly error?: keyof typeof ERRNOS;
  readonly delayMs?: number;
}

/** As Linux numbers them. */
export const ERRNOS = { EIO: 5, ENOSPC: 28 } as const;

export interface Strikes {
  /** These and no others, from the next call on. */
  set(strikes: readonly Strike[]): void;
}

/** As many as the shim has room for. */
const STRIKES_MAX = 8;
/** Written in one call, so that whoever reads meanwhile never finds half of it. */
const TEXT_BYTES = 1_024;

/** The file by which a running shim is told. */
export function createStrikes(path: string): Strikes {
  let generation = 0;
  writeFileSync(path, "");
  return {
    set(strikes) {
      if (strikes.length > STRIKES_MAX) throw new RangeError(`the shim strikes in ${STRIKES_MAX} ways at most`);
      generation++;
      const lines = strikes.map(({ what, suffix, nth, times = 0, error, delayMs = 0 }) =>
        [generation, what, suffix, nth, times, error === undefined ? 0 : ERRNOS[error], delayMs].join(" "),
      );
      const file = openSync(path, "r+");
      try {
        writeSync(file, lines.join("\n").padEnd(TEXT_BYTES), 0);
        ftruncateSync(file, TEXT_BYTES);
      } finally {
        closeSync(file);
      }
    },
  };
}
