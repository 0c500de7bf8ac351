import { homedir } from "node:os";
import { join, relative, resolve, sep } from "node:path";
import { visible } from "./output.ts";

interface Places {
  readonly cwd: string;
  readonly home: string;
}

/** A path, or a place in a file, as short as it can be typed on this terminal; elsewhere whole, because nobody knows where it is read. */
export const shownPath = (path: string): string => visible(process.stdout.isTTY ? shortest(path, { cwd: process.cwd(), home: homedir() }) : path);

/** The path itself, the same from here, or the same from home: whichever is shortest. */
export function shortest(path: string, { cwd, home }: Places): string {
  const whole = resolve(cwd, path);
  const fromHere = relative(cwd, whole);
  const fromHome = home !== "" && whole.startsWith(home + sep) ? [join("~", relative(home, whole))] : [];
  return [fromHere === "" ? path : fromHere, ...fromHome].reduce((best, other) => (other.length < best.length ? other : best), path);
}
