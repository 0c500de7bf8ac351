import { FILE_BYTES_MAX, NAMES_MAX, type Seen, TOO_MANY_NAMES } from "./walk.ts";

/** What both ways of reading a rules directory, at once and with waiting, hold to. */
export class Unreadable extends Error {
  constructor(why: string, options?: ErrorOptions) {
    super(why, options);
    this.name = "Unreadable";
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "it does not exist, or is a symbolic link to nothing",
  ELOOP: "its symbolic links lead in a circle",
  EACCES: "this process may not read it",
  EPERM: "this process may not read it",
};

/** In words that say what to mend. Throws what no file system said. */
export function whyUnreadable(error: unknown): string {
  if (error instanceof Unreadable) return error.message;
  if (!(error instanceof Error && "code" in error && "syscall" in error)) throw error;
  return REASONS[String(error.code)] ?? error.message;
}

/** @throws {Unreadable} */
export function refuseTooMany(names: number): void {
  if (names > NAMES_MAX) throw new Unreadable(TOO_MANY_NAMES);
}

interface FileState {
  readonly size: number;
  isFile(): boolean;
}

/** Room for an open file and one byte more, so that one that grows shows. @throws {Unreadable} */
export function bufferFor(state: FileState): Buffer {
  if (!state.isFile()) throw new Unreadable("it is no regular file");
  if (state.size > FILE_BYTES_MAX) throw new Unreadable(`it has ${state.size} bytes, at most ${FILE_BYTES_MAX} are read`);
  return Buffer.allocUnsafe(state.size + 1);
}

const BYTE_ORDER_MARK = "\u{feff}";

/** The text of a file that was read into the buffer it was given. @throws {Unreadable} */
export function decoded(buffer: Buffer, length: number): Seen {
  if (length !== buffer.length - 1) throw new Unreadable("it changed while it was read");
  const text = utf8(buffer.subarray(0, length));
  if (text.startsWith(BYTE_ORDER_MARK)) throw new Unreadable("it begins with a byte order mark; save it as UTF-8 without one");
  return { kind: "file", text, bytes: length };
}

function utf8(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new Unreadable("it is not valid UTF-8", { cause: error });
  }
}
