import { columnsOf } from "./columns.ts";

/**
 * Text that somebody else wrote, for a person who decides by it: what a terminal would obey, what nobody sees, and what looks like something else
 * is written as `⟨U+202E⟩`. The brackets themselves too, so that nobody can write such a mark.
 */
export const revealed = (text: string): string =>
  withoutLookalikes(text)
    .replaceAll(HIDDEN, (found) => marksOf(found))
    .replaceAll(STACKED, (_, kept: string, more: string) => kept + marksOf(more));

/** The same of a text with several lines, line by line. */
export const revealedLines = (text: string): readonly string[] => text.split(/\r?\n/).map(revealed);

const mark = (character: string): string => `⟨U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}⟩`;
/** Marks that are there already stay. */
const marksOf = (text: string): string => [...text].map(mark).join("");

/**
 * Controls, formats (those that turn the direction of text among them), unassigned and private characters, spaces that are no space, what is drawn as nothing,
 * and accents on nothing, which would sit on what this program wrote.
 */
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}|(?<![\p{L}\p{M}\p{N}\p{S}])\p{M}/gu;
/** More accents on one letter than any language has: they are drawn over the lines above and below. */
const STACKED = /(\p{M}{3})(\p{M}+)/gu;

/** Scripts with letters that look like Latin ones, or that turn the direction of the words beside them. */
const MIXED_UP =
  /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}\p{Script=Coptic}\p{Script=Lisu}\p{Script=Hebrew}\p{Script=Arabic}]/gu;
const LATIN = /\p{Script=Latin}/u;
const WORD = /[\p{L}\p{M}\p{N}_-]+/gu;
/** A word of these alone reads as a Latin one. */
const ALL_ALIKE = /^[аеорсухіјѕһԁԛԝӏАВЕКМНОРСТУХІЈЅԌԚԜοανυρικΑΒΕΖΗΙΚΜΝΟΡΤΥΧ\d_-]{2,}$/u;
/** Letters, digits and separators of addresses that only pretend to be those of ASCII, and the brackets of the marks. */
const PRETENDERS = /[⟨⟩∕⁄⧸∶꞉․ɑɡ]|[^\p{ASCII}]/gu;

function withoutLookalikes(text: string): string {
  const plain = text.replaceAll(PRETENDERS, (character) => (pretends(character) ? mark(character) : character));
  return plain.replaceAll(WORD, (word) => {
    const isMixed = LATIN.test(word) || ALL_ALIKE.test(word);
    return isMixed ? word.replaceAll(MIXED_UP, mark) : word;
  });
}

function pretends(character: string): boolean {
  if ("⟨⟩∕⁄⧸∶꞉․ɑɡ".includes(character)) return true;
  const plain = character.normalize("NFKC");
  return /^[\p{Lu}\p{Ll}\p{Nd}]$/u.test(character) ? /^[\w]$/.test(plain) : /^[./@]$/.test(plain);
}

/** A text in a line of a list: cut, with how long it is in all. */
export function shortened(text: string, columns: number): string {
  const shown = revealed(text);
  if (columnsOf(shown) <= columns) return shown;
  const more = lengthWords(text);
  let kept = "";
  for (const character of shown) {
    if (columnsOf(kept) + columnsOf(character) > columns - more.length - 4) break;
    kept += character;
  }
  return `${kept}… (${more})`;
}

/** `1,234 characters`. */
export const lengthWords = (text: string): string => `${[...text].length.toLocaleString("en-US")} characters`;
