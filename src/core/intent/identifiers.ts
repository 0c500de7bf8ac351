/** A letter, digit or sign that may stand in a name: addresses with emoji and accents resolve as well. */
const NAME = String.raw`\p{L}\p{M}\p{N}\p{So}_\-`;
/** The rest of an address behind its name: a port, a path, a query, a fragment. */
const REST = "[^\\s<>\"'`]*";
/** What may stand between the digits of one number: whoever reads them passes over any sign, and over more than one. */
const BETWEEN = String.raw`[^\p{L}\p{N}]*`;

const keepsCase = (text: string): string => text;
const isOneInAnyCase = (text: string): string => text.toLowerCase();
const isOneHowever = (text: string): string => text.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, "");
/** Where a path begins, case begins to matter: two short links may differ in nothing else. */
const isOneUpToItsPath = (text: string): string => text.replace(/^(?:[^/\\]*:)?[/\\]*[^/\\?#]*/u, isOneInAnyCase);

interface Kind {
  readonly pattern: RegExp;
  /** One spelling for all that name the same. */
  readonly spell: (text: string) => string;
}

/**
 * Each pattern begins where nothing of its own first part stands before it, and no part of it can be read in two ways: the time that it takes grows
 * with the text and not with its square.
 */
const KINDS: readonly Kind[] = [
  // Addresses with a scheme, and those that leave it to whoever reads: browsers take backslashes for slashes.
  { pattern: new RegExp(String.raw`(?:(?<![a-z0-9+.-])[a-z][a-z0-9+.-]*)?:[/\\]+${REST}`, "giu"), spell: isOneUpToItsPath },
  { pattern: new RegExp(String.raw`(?<![/\\:])[/\\]{2}[^\s/\\]${REST}`, "gu"), spell: isOneUpToItsPath },
  { pattern: /(?<![a-z0-9+.-])(?:javascript|data|mailto|tel|sms|file|urn|magnet|bitcoin|ethereum):[^\s<>"]+/giu, spell: keepsCase },
  // Mail, and handles.
  {
    pattern: new RegExp(String.raw`(?<![${NAME}.%+!#$&=?^|~/])[${NAME}.%+!#$&=?^|~/]*@[${NAME}.[\]:]+(?:[/?#]${REST})?`, "gu"),
    spell: isOneUpToItsPath,
  },
  // Domains, and names of files, which look the same.
  {
    pattern: new RegExp(String.raw`(?<![@${NAME}.])(?:[${NAME}]+\.)+(?:xn--[a-z0-9-]+|\p{L}[\p{L}\p{M}]+)(?:[:/?#\\]${REST})?`, "giu"),
    spell: isOneUpToItsPath,
  },
  // Addresses of machines.
  { pattern: new RegExp(String.raw`(?<!\p{N})(?:\p{Nd}{1,3}\.){3}\p{Nd}{1,3}(?:[:/]${REST})?`, "gu"), spell: keepsCase },
  { pattern: /(?<![\p{L}\p{N}:])(?=[0-9a-f:]*::|(?:[0-9a-f]{1,4}:){7})[0-9a-f:]*[0-9a-f][0-9a-f:.]*/giu, spell: isOneInAnyCase },
  // IBANs, phone numbers, and other long numbers.
  { pattern: new RegExp(String.raw`[a-z]{2}\p{Nd}{2}(?:${BETWEEN}[a-z\p{Nd}]{4}){2,7}(?:${BETWEEN}[a-z\p{Nd}]{1,4})?`, "giu"), spell: isOneHowever },
  { pattern: new RegExp(String.raw`(?<!\p{Nd})\p{Nd}(?:${BETWEEN}\p{Nd}){6,}`, "gu"), spell: isOneHowever },
  // Keys: long, with a digit or with capitals inside.
  { pattern: /(?<![A-Za-z0-9_+/=-])(?=[A-Za-z_+/=-]*(?:\d|[a-z][A-Z]))[A-Za-z0-9_+/=-]{16,}/gu, spell: keepsCase },
  { pattern: /(?<![A-Za-z0-9_+/=-])[A-Za-z0-9_+/=-]{32,}/gu, spell: keepsCase },
];

/**
 * Finds in free text what names somebody or something outside it: addresses of the web, of mail and of machines, domains, IBANs, phone numbers, long
 * keys. It rather finds one too many: what is found has to be accounted for. Each once, in one spelling.
 */
export const identifiersIn = (text: string): readonly string[] => found(readingsOf(text));

/** A text without what is not seen, and the same as whoever reads it may turn escapes back. */
export function readingsOf(text: string): readonly [plain: string, decoded: string] {
  const plain = plainly(text);
  return [plain, plainly(decoded(plain))];
}

/** The same, and each as it is written: what is made plain reads the same, and leads elsewhere where it is a path. */
export const identifiersAsWrittenIn = (text: string): readonly string[] => [...new Set([...found([text]), ...identifiersIn(text)])];

function found(readings: readonly string[]): readonly string[] {
  const identifiers = new Set<string>();
  for (const reading of new Set(readings)) {
    for (const { pattern, spell } of KINDS) for (const [match] of reading.matchAll(pattern)) identifiers.add(spell(trimmed(match)));
  }
  return [...identifiers];
}

/** Without what is not seen, and with one sign for those that are read as one. */
const plainly = (text: string): string =>
  text
    .normalize("NFKC")
    .replaceAll(/[\p{Cf}\p{Default_Ignorable_Code_Point}]|(?!\s)\p{Cc}/gu, "")
    .replaceAll(/[^\P{Pd}-]/gu, "-")
    .replaceAll(/[。．｡]/gu, ".");

const WORDS: Readonly<Record<string, string>> = { dot: ".", period: ".", at: "@", commat: "@", colon: ":", sol: "/", bsol: "\\", amp: "&" };

/** As whoever reads it may turn it back: escapes of HTML, of URLs and of JSON, and the `[.]` and `(at)` of those who do not want to be found. */
function decoded(text: string): string {
  return text
    .replaceAll(/&#(?:x([0-9a-f]{1,6})|(\d{1,7}));?/giu, (whole, hex?: string, decimal?: string) =>
      characterOf(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16), whole),
    )
    .replaceAll(/%([2-7][0-9a-f])|\\u00([2-7][0-9a-f])/giu, (_, url?: string, json?: string) =>
      String.fromCharCode(Number.parseInt(url ?? json ?? "", 16)),
    )
    .replaceAll(/&([a-z]{2,6});|\s?[[({]\s?(\.|@|:|[a-z]{2,3})\s?[\])}]\s?/giu, (whole, entity?: string, shown?: string) => {
      const word = (entity ?? shown ?? "").toLowerCase();
      return WORDS[word] ?? (/^[.@:]$/u.test(word) ? word : whole);
    })
    .replaceAll(/\bhxxp/giu, "http");
}

const characterOf = (code: number, otherwise: string): string => (code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : otherwise);

/** Without what ends a sentence. A hyphen ends none: two short links may differ in nothing else. */
function trimmed(match: string): string {
  let end = match.length;
  while (end > 0 && ".,;:!?)]}".includes(match.charAt(end - 1))) end--;
  return match.slice(0, end);
}
