const EXCERPT_MAX = 120;
const EXCERPT_MIN = 20;

/** The part of a line that is shown, and how many characters of it stand before the place. */
export interface Excerpt {
  readonly source: string;
  readonly caret: number;
}

/** The part of a long line around the column, with what a terminal would obey made visible. */
export function excerpt(line: string, column: number, lengthMax = EXCERPT_MAX): Excerpt {
  const length = Math.min(EXCERPT_MAX, Math.max(EXCERPT_MIN, lengthMax));
  const from = column - 1 > length - length / 6 ? column - 1 - Math.floor(length / 2) : 0;
  const cut = line.slice(from, from + length).replaceAll("\t", " ");
  return { source: cut.replaceAll(/\p{C}/gu, "\u{fffd}"), caret: column - 1 - from };
}
