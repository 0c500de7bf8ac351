import { isList, isObject } from "../json.ts";
import type { Json } from "../words.ts";

/** Longer text is shown, and said to be long: what matters may stand at its end. */
const LONG_TEXT = 2_000;
const WARNINGS_MAX = 50;

/** What in a request may be meant to deceive whoever reads it, each with its place: `arguments.to holds …`. */
export function deceptionsIn(value: Json, place: string): readonly string[] {
  const warnings: string[] = [];
  collect(value, place, warnings);
  return warnings.length < WARNINGS_MAX ? warnings : [...warnings, "there may be more of the kind, of which this list is too full to tell"];
}

function collect(value: Json, place: string, into: string[]): void {
  if (into.length >= WARNINGS_MAX) return;
  if (typeof value === "string") into.push(...deceptionsOf(value).map((what) => `\`${place}\` ${what}`));
  else if (isList(value)) for (const [at, item] of value.entries()) collect(item, `${place}[${at}]`, into);
  else if (isObject(value)) {
    for (const [key, item] of Object.entries(value)) {
      into.push(...deceptionsOf(key).map((what) => `a key in \`${place}\` ${what}`));
      collect(item, `${place}.${visible(key)}`, into);
    }
  }
}

function deceptionsOf(text: string): readonly string[] {
  const found: string[] = [];
  const bidirectional = namesOf(text, /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu);
  if (bidirectional) found.push(`holds marks that turn the direction of text (${bidirectional}): it may not read as it is`);
  const control = namesOf(text, /(?![\t\n\r])\p{Cc}/gu);
  if (control) found.push(`holds control characters (${control})`);
  const invisible = namesOf(text, /(?![\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069])[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu);
  if (invisible) found.push(`holds invisible characters (${invisible})`);
  const mixed = text.match(/[\p{L}\p{N}._-]+/gu)?.find(mixesScripts);
  if (mixed !== undefined) found.push(`mixes alphabets that look alike in \`${visible(mixed).slice(0, 60)}\``);
  if (text.length > LONG_TEXT) found.push(`is ${text.length.toLocaleString("en-US")} characters long: read it to its end`);
  return found;
}

const NAMED_MAX = 4;

function namesOf(text: string, pattern: RegExp): string | undefined {
  const found = [...new Set(text.match(pattern) ?? [])].map(codePoint);
  if (found.length === 0) return undefined;
  return found.length > NAMED_MAX ? `${found.slice(0, NAMED_MAX).join(", ")} and ${found.length - NAMED_MAX} more` : found.join(", ");
}

const codePoint = (character: string): string => `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;

/** Latin with Cyrillic or Greek in one word is how addresses are forged. */
const mixesScripts = (word: string): boolean => /\p{Script=Latin}/u.test(word) && /[\p{Script=Cyrillic}\p{Script=Greek}]/u.test(word);

/** A text in which everything that is not seen, or moves what is seen, stands as its code point. */
export const visible = (text: string): string =>
  text.replaceAll(/[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/gu, (character) => `⟨${codePoint(character)}⟩`);
