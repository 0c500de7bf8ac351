/** How many columns it takes on a terminal, rather one too many: what is counted short would be broken by the terminal, at its own margin. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += character < FIRST_WIDE || NARROW.test(character) ? 1 : 2;
  return columns;
}
/** Hangul; what is wide comes after it. */
const FIRST_WIDE = "\u1100";
/** Punctuation, arrows, lines and signs, of which only those that are drawn as pictures are wide. */
const NARROW = /^(?!\p{Emoji_Presentation})[\u2000-\u2328\u232b-\u2aff\ufffd]$/u;

/** Broken between words, or within one that has no room, so that no line is wider. `columns` is undefined where nothing is to be broken. */
export function broken(text: string, columns: number | undefined): readonly string[] {
  if (columns === undefined) return [text];
  const room = Math.max(ROOM_MIN, columns);
  const lines: string[] = [];
  let line = "";
  for (const part of text.split(/(?<= )(?=[^ ])/)) {
    if (line !== "" && columnsOf(line) + columnsOf(part.trimEnd()) > room) {
      lines.push(line.trimEnd());
      line = "";
    }
    for (const character of part) {
      if (columnsOf(line) + columnsOf(character) > room) {
        if (character === " ") continue;
        lines.push(line);
        line = "";
      }
      line += character;
    }
  }
  return [...lines, line.trimEnd()];
}
const ROOM_MIN = 16;
