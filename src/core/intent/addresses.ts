import { readingsOf } from "./identifiers.ts";
import { type Signs, signsOf } from "./signs.ts";

export const ADDRESS_KINDS = ["url", "email", "iban", "phone", "key"] as const;
export type AddressKind = (typeof ADDRESS_KINDS)[number];

/** An address or a key that stands in a text. */
export interface Address {
  readonly kind: AddressKind;
  /** One spelling for all that name the same: in small letters, of a URL without `http://` and the last slash, of numbers the digits and letters alone. */
  readonly value: string;
  /** Of a URL alone: whoever has a host gives out its pages, while anybody may have a mailbox at it. */
  readonly host?: string;
}

interface Kind {
  readonly pattern: RegExp;
  /** Whether a text with these signs can hold a match that is one: most texts hold none, and to look costs more than all else of a decision. */
  readonly mayBeIn: (signs: Signs) => boolean;
  /** What a match is, if anything. */
  readonly read: (match: string) => Address | undefined;
}

const IBAN_DIGITS_MIN = 8;
const ACCOUNT_DIGITS_MIN = 8;
/** A letter, digit or sign that may stand in a name. */
const NAME = String.raw`\p{L}\p{M}\p{N}_\-`;
/** The rest of a URL behind its host. A line's end, as a string spells it, ends it. */
const REST = "(?:(?!\\\\[nrt])[^\\s<>\"'`)\\]])*";
const IS_HOST = new RegExp(`^[${NAME}.]+$`, "u");
/** The last part of a host. */
const TOP = String.raw`(?:xn--[a-z0-9-]{2,59}|\p{L}{2,24})(?![${NAME}@]|\.[${NAME}])`;

/** Endings of files, which look like those of hosts: `report.md` is no address unless a scheme or `www.` says so. */
const FILE_ENDINGS: ReadonlySet<string> = new Set(
  (
    "pdf doc docx xls xlsx ppt pptx odt ods odp rtf txt csv tsv md rst tex epub json jsonl yaml yml xml toml ini cfg conf env lock log html htm css js mjs cjs ts tsx " +
    "jsx py ipynb rb rs go java kt c h cc cpp cs php pl sh bat ps exe dll so bin app jar zip tar gz tgz bz xz rar iso dmg png jpg jpeg gif svg bmp webp tif tiff ico " +
    "heic mp mov avi mkv wav ogg flac webm sql db sqlite bak tmp old eml msg ics vcf pem key crt cer"
  ).split(" "),
);
/** Endings that make a host of two words with a dot between, where nothing else does; those of countries have two letters. */
const HOST_ENDINGS: ReadonlySet<string> = new Set(
  (
    "com org net edu gov mil int info biz dev xyz online site shop store club top live tech cloud email link click news blog world space website page tools systems " +
    "services agency bank finance money network support"
  ).split(" "),
);

/** Each match is taken out before the next kind is looked for, so what stands in a URL is not found a second time. */
const KINDS: readonly Kind[] = [
  {
    pattern: new RegExp(String.raw`(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{1,30}:[/\\]{2,}[^\s/\\]${REST}`, "giu"),
    mayBeIn: ({ colons, slashes }) => colons > 0 && slashes > 1,
    read: urlOf,
  },
  {
    pattern: new RegExp(String.raw`(?<![${NAME}.%+])[${NAME}.%+]+@(?:[${NAME}]+\.)+${TOP}`, "giu"),
    mayBeIn: ({ ats, dots }) => ats > 0 && dots > 0,
    read: (match) => ({ kind: "email", value: match.toLowerCase() }),
  },
  {
    pattern: new RegExp(String.raw`(?<![@${NAME}./\\])(?:[${NAME}]+\.)+${TOP}(?::\d{1,5}(?!\d))?(?:[/?#\\]${REST})?`, "giu"),
    mayBeIn: ({ dots }) => dots > 0,
    read: bareUrlOf,
  },
  {
    pattern: new RegExp(String.raw`(?<![${NAME}.])(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5}(?:/${REST})?|/${REST})`, "gu"),
    mayBeIn: ({ dots, digits }) => dots > 2 && digits > 3,
    read: urlOf,
  },
  {
    pattern: /(?<![\p{L}\p{N}])[a-z]{2}\d{2}(?:[a-z0-9]{10,30}|(?:[ -][a-z0-9]{4}){2,7}(?:[ -][a-z0-9]{1,3})?)(?![\p{L}\p{N}])/giu,
    mayBeIn: ({ digits }) => digits >= IBAN_DIGITS_MIN,
    read: ibanOf,
  },
  // Phone numbers: from abroad, with an area in brackets, or three groups.
  {
    pattern: /(?<![\p{L}\p{N}+.,:/-])(?:\+\d|00[1-9])(?:[ ()./-]{0,3}\d){6,14}(?!\p{N})/gu,
    mayBeIn: hasDigits(7),
    read: squeezedAs("phone"),
  },
  { pattern: /(?<![\p{L}\p{N}])\(\d{2,5}\)(?:[ ./-]{0,2}\d){5,10}(?!\p{N})/gu, mayBeIn: hasDigits(7), read: squeezedAs("phone") },
  { pattern: /(?<![\p{L}\p{N}.,/-])\d{3}-\d{3}-\d{4}(?![\p{L}\p{N}-])/gu, mayBeIn: hasDigits(10), read: squeezedAs("phone") },
  // Numbers of accounts, and keys.
  { pattern: /(?<![\p{L}\p{N}.,/-])\d{2,8}(?:-\d{2,8}){2,7}(?![\p{L}\p{N}-])/gu, mayBeIn: hasDigits(ACCOUNT_DIGITS_MIN), read: accountOf },
  { pattern: /(?<![\p{L}\p{N}.,/-])\d{9,34}(?![\p{L}\p{N}-]|[.,]\d)/gu, mayBeIn: hasDigits(9), read: accountOf },
  // What is called a secret, as files of settings write it down.
  {
    pattern: /(?:pass(?:word|wd|phrase|code)|pwd|secret|token|(?:api|private|access)[_ -]?key)["']?\s{0,2}[:=]\s{0,2}["']?[^\s"',;]{4,64}/giu,
    mayBeIn: ({ colons, equals }) => colons + equals > 0,
    read: secretOf,
  },
  { pattern: /(?<![a-z0-9_-])(?:sk-|pk-|gh[opsu]_|github_pat_|akia|xox[a-z]-)[a-z0-9_-]{8,}/giu, mayBeIn: hasWord(11), read: keyOf },
  { pattern: /(?<![a-z0-9_-])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![a-z0-9_-])/giu, mayBeIn: hasWord(36), read: keyOf },
  {
    pattern: /(?<![\p{L}\p{N}])[a-z0-9]{16,}/giu,
    mayBeIn: ({ digits, longestWord }) => digits > 0 && longestWord >= 16,
    read: (match) => (/\d/u.test(match) && /[a-z]/iu.test(match) ? keyOf(match) : undefined),
  },
];

function hasDigits(most: number): Kind["mayBeIn"] {
  return ({ digits }) => digits >= most;
}

function hasWord(length: number): Kind["mayBeIn"] {
  return ({ longestWord }) => longestWord >= length;
}

/**
 * Finds in a text the addresses of the web and of mail, IBANs, phone numbers, numbers of accounts and keys, each once. It rather misses one than take a
 * date, an amount, a version or the name of a file for one. The time that it takes grows with the text and not with its square: each pattern begins
 * where nothing of its own first part stands before it, and no part of it can be read in two ways.
 */
export function addressesIn(text: string): readonly Address[] {
  const signs = signsOf(text);
  if (signs?.isPlain) return addressesOf(text, signs);
  const [plain, decoded] = readingsOf(text.replaceAll(LONG_SIGNS, " "));
  const found = addressesOf(plain, undefined);
  if (decoded === plain) return found;
  // An escape inside a path only spells it otherwise; a host or a mailbox that shows behind escapes alone was to be hidden.
  const names = new Set(found.map(nameOf));
  const hidden = addressesOf(decoded, undefined).filter((address) => !names.has(nameOf(address)));
  return [...new Map([...found, ...hidden].map((address) => [address.value, address])).values()];
}

/** An id, a date or a state: too short for a sentence, and neither an account of a bank nor an address, which would be one wherever it stands. */
export const isOpaque = (text: string): boolean => /^[A-Za-z0-9_:. -]{1,40}$/.test(text) && addressesIn(text).every(({ kind }) => kind === "key");
/** Signs of which each is up to 18 letters in plain: none stands in an address, and a text of them would become many times as long as it may be. */
const LONG_SIGNS = /[\uFDFA\uFDFB]/gu;

const nameOf = ({ host, value }: Address): string => host ?? value;

/** Without signs every kind is looked for. */
function addressesOf(text: string, signs: Signs | undefined): readonly Address[] {
  let found: Map<string, Address> | undefined;
  let rest = text;
  for (const { pattern, mayBeIn, read } of KINDS) {
    if (signs && !mayBeIn(signs)) continue;
    rest = rest.replaceAll(pattern, (match) => {
      const address = read(match);
      if (address === undefined) return match;
      found ??= new Map();
      if (!found.has(address.value)) found.set(address.value, address);
      return "\n";
    });
  }
  return found ? [...found.values()] : NO_ADDRESSES;
}

const NO_ADDRESSES: readonly Address[] = [];

/** A word behind the name of a secret is as often one of a sentence. */
function secretOf(match: string): Address | undefined {
  const value = match.slice(match.search(/[:=]/u) + 1).replace(/^[\s"']+/u, "");
  return /\d|\p{Ll}\p{Lu}/u.test(value) ? keyOf(value) : undefined;
}

function urlOf(match: string): Address | undefined {
  const whole = match.replaceAll("\\", "/").replace(/^hxxp/iu, "http").toLowerCase();
  // What ends a sentence, and the slash behind a host, are no part of it; the last sign that is one can stand far before.
  let end = whole.length;
  while (end > 0 && ".,;:!?}*/".includes(whole.charAt(end - 1))) end--;
  const value = whole.slice(0, end).replace(/^https?:\/+/u, "");
  const authority = /^(?:[a-z][a-z0-9+.-]*:\/+)?([^/?#]*)/u.exec(value)?.[1] ?? "";
  const host = authority.slice(authority.lastIndexOf("@") + 1).replace(/:\d*$/u, "");
  return IS_HOST.test(host) ? { kind: "url", value, host } : undefined;
}

/** A host without a scheme, which a file's name and two sentences without a blank between look like. */
function bareUrlOf(match: string): Address | undefined {
  const address = urlOf(match);
  if (address?.host === undefined) return undefined;
  const written = /^[^:/?#\\]*/u.exec(match)?.[0] ?? "";
  const ending = written.slice(written.lastIndexOf(".") + 1);
  const top = ending.toLowerCase();
  if (/^www\./iu.test(written)) return address;
  if (FILE_ENDINGS.has(top) || isBeginningOfSentence(ending)) return undefined;
  const hasMore = written.length < match.length;
  return hasMore || top.length === 2 || top.startsWith("xn--") || HOST_ENDINGS.has(top) ? address : undefined;
}

const isBeginningOfSentence = (ending: string): boolean => /^\p{Lu}\p{Ll}/u.test(ending);

/** In small letters it has a digit in each group behind the bank's: four letters are a word of the sentence around it. */
function ibanOf(match: string): Address | undefined {
  const groups = match.split(/[ -]/u);
  let kept = groups.length;
  for (let at = 2; at < groups.length; at++) {
    if (/\d|^[A-Z]+$/u.test(groups[at] ?? "")) continue;
    kept = at;
    break;
  }
  const value = squeezed(groups.slice(0, kept).join(""));
  return value.length < 14 || (value.match(/\d/gu)?.length ?? 0) < IBAN_DIGITS_MIN ? undefined : { kind: "iban", value };
}

function squeezedAs(kind: Address["kind"]): (match: string) => Address {
  return (match) => ({ kind, value: squeezed(match) });
}

function accountOf(match: string): Address | undefined {
  const value = squeezed(match);
  return value.length < ACCOUNT_DIGITS_MIN || isDate(match) ? undefined : { kind: "key", value };
}

/** With a time behind it, or without. */
const isDate = (match: string): boolean =>
  /^(?:1[6-9]|2[01])\d\d-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01])(?:-?\d{2}){0,3}$|^\d{1,2}-\d{1,2}-(?:1[6-9]|2[01])\d\d$/u.test(match);

function keyOf(match: string): Address {
  return { kind: "key", value: match.toLowerCase() };
}

const squeezed = (match: string): string => match.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, "");
