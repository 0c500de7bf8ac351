const EXCERPT_MAX = 120;

/** The part of a line that is shown, and how many characters of it stand before the place. */
export interface Excerpt {
  readonly source: string;
  readonly caret: number;
}

/** The part of a long line around the column, with what a terminal would obey made visible. */
export function excerpt(line: string, column: number): Excerpt {
  const from = column - 1 > EXCERPT_MAX - 20 ? column - 1 - EXCERPT_MAX / 2 : 0;
  const cut = line.slice(from, from + EXCERPT_MAX).replaceAll("\t", " ");
  return { source: cut.replaceAll(/\p{C}/gu, "\u{fffd}"), caret: column - 1 - from };
}
