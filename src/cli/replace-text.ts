import { chmodSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { CommandFailed, EXIT } from "./exit.ts";

const BYTE_ORDER_MARK = "\ufeff";

export interface Texts {
  /** As it was read; a file that holds something else by now is left as it is. */
  readonly before: string;
  readonly after: string;
}

/** All of the new text is there, or all of the old one, whenever the power fails. A link stays one, and so does the mode. */
export function replaceText(path: string, { before, after }: Texts): void {
  const target = realpathSync(path);
  const found = readFileSync(target, "utf8");
  const mark = found.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : "";
  if (found !== mark + before) throw new CommandFailed(EXIT.internal, `\`${path}\` has changed meanwhile; nothing was written to it`);
  const draft = draftOf(target);
  try {
    writeFileSync(draft, mark + after, { flag: "wx", flush: true });
    chmodSync(draft, statSync(target).mode);
    renameSync(draft, target);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/** Hidden, so that nobody takes half a file for one of the rules. */
const draftOf = (path: string): string => join(dirname(path), `.${basename(path)}.${process.pid}`);

/** A file that was not there before, whole or not at all. */
export function writeNew(path: string, text: string): void {
  const draft = draftOf(path);
  try {
    writeFileSync(draft, text, { flag: "wx", flush: true });
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}
