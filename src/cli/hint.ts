import { relative, resolve } from "node:path";
import { STARTER_RULES } from "../config.ts";

/** Words for this program, as they can be typed where it was called: a clone's sources run through its `bin/behest`. */
export const asTyped = (words: string): string => `${ownSpelling()} ${words}`;

/** The words, with the rules directory they are about, unless it is the one they would find. */
export const asTypedOf = (words: string, directory: string): string =>
  asTyped(directory === defaultDirectory() ? words : `${words} ${quoted(directory)}`);

export const defaultDirectory = (): string => process.env["BEHEST_RULES"] ?? "rules";

/** The words, with the flags by which this call has found its server. */
export function asTypedTo(words: string, { data, grpc }: { readonly data?: string; readonly grpc?: string }): string {
  const flags = Object.entries({ data, grpc }).flatMap(([flag, value]) => (value === undefined ? [] : [` --${flag} ${quoted(value)}`]));
  return `${asTyped(words)}${flags.join("")}`;
}

function ownSpelling(): string {
  if (!import.meta.url.endsWith(".ts")) return process.env["npm_command"] === "exec" ? "npx behest" : "behest";
  const whole = resolve(STARTER_RULES, "../bin/behest");
  const fromHere = relative(process.cwd(), whole);
  return quoted(fromHere.length < whole.length ? fromHere : whole);
}

/** For a POSIX shell, and not to be taken for an option. */
export function quoted(text: string): string {
  const path = text.startsWith("-") ? `./${text}` : text;
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
