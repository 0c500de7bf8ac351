/** What a text in ASCII is made of: enough to know which patterns cannot match in it. */
export interface Signs {
  /** It reads the same whatever escapes are turned back, and holds nothing that is not seen. */
  readonly isPlain: boolean;
  readonly digits: number;
  readonly dots: number;
  readonly ats: number;
  readonly colons: number;
  readonly equals: number;
  /** Of either kind. */
  readonly slashes: number;
  /** The most letters, digits, hyphens and underscores in a row. */
  readonly longestWord: number;
}

const NOTHING_IN_A_ROW = 0;

/** One pass over a text; undefined if it holds anything but ASCII, where one sign can be read as another. */
export function signsOf(text: string): Signs | undefined {
  let isPlain = true;
  let [digits, dots, ats, colons, equals, slashes, word, longestWord, crosses] = [0, 0, 0, 0, 0, 0, 0, 0, 0];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0x7f) return undefined;
    const kind = KIND_OF_CODE[code];
    word = kind === WORD || kind === DIGIT || kind === CROSS ? word + 1 : NOTHING_IN_A_ROW;
    if (word > longestWord) longestWord = word;
    crosses = kind === CROSS ? crosses + 1 : NOTHING_IN_A_ROW;
    // As in `hxxp`.
    if (crosses > 1) isPlain = false;
    switch (kind) {
      case DIGIT:
        digits++;
        break;
      case DOT:
        dots++;
        break;
      case AT:
        ats++;
        break;
      case COLON:
        colons++;
        break;
      case EQUAL:
        equals++;
        break;
      case SLASH:
        slashes++;
        break;
      case BACKSLASH:
        slashes++;
        isPlain = false;
        break;
      case ESCAPE:
        isPlain = false;
        break;
    }
  }
  return { isPlain, digits, dots, ats, colons, equals, slashes, longestWord };
}

const [OTHER, WORD, DIGIT, CROSS, DOT, AT, COLON, EQUAL, SLASH, BACKSLASH, ESCAPE] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

const KIND_OF_CODE: Uint8Array = Uint8Array.from({ length: 0x80 }, (_, code) => kindOf(String.fromCharCode(code)));

/** What begins an escape, and what is not seen, counts alike: then the text is read in full. */
function kindOf(sign: string): number {
  if (/[xX]/.test(sign)) return CROSS;
  if (/\d/.test(sign)) return DIGIT;
  if (/[\w-]/.test(sign)) return WORD;
  if (/[&%[({]|(?!\s)\p{Cc}/u.test(sign)) return ESCAPE;
  return { ".": DOT, "@": AT, ":": COLON, "=": EQUAL, "/": SLASH, "\\": BACKSLASH }[sign] ?? OTHER;
}
