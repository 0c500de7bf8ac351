/** One setting, declared once: the flag, the variable, the key in the config file and the documentation all follow from this. */
export interface Setting<T> {
  readonly meaning: string;
  readonly default: T;
  /** Why the default is what it is, or what the limit protects. */
  readonly because?: string;
  /** What it is instead, beside the settings before it, where nobody says anything. */
  besides?(earlier: Readonly<Record<string, unknown>>): T | undefined;
  /** Served as a flag of `behest serve` as well. */
  readonly flag?: string;
  read(value: unknown): T | Problem;
}

export class Problem {
  readonly why: string;
  constructor(why: string) {
    this.why = why;
  }
}

export const text = (setting: Omit<Setting<string>, "read">): Setting<string> => ({
  ...setting,
  read: (value) => (typeof value === "string" && value !== "" ? value : new Problem("expected text")),
});

export const count = (setting: Omit<Setting<number>, "read">, min = 1, max = Number.MAX_SAFE_INTEGER): Setting<number> => ({
  ...setting,
  read: (value) => {
    const number = typeof value === "string" && /^\d{1,16}$/.test(value) ? Number(value) : value;
    if (typeof number === "number" && Number.isSafeInteger(number) && number >= min && number <= max) return number;
    return new Problem(`expected an integer from ${min}${max === Number.MAX_SAFE_INTEGER ? "" : ` to ${max}`}`);
  },
});

export const address = (setting: Omit<Setting<string>, "read">): Setting<string> => ({
  ...setting,
  read: (value) =>
    isAddress(value)
      ? value
      : new Problem(
          `expected HOST:PORT with a loopback host, such as \`${setting.default}\`; this version serves without TLS and so on loopback only`,
        ),
});

export const addressOrOff = (setting: Omit<Setting<string>, "read">): Setting<string> => ({
  ...setting,
  read: (value) =>
    value === "off" || isAddress(value)
      ? value
      : new Problem(
          `expected \`off\`, or HOST:PORT with a loopback host, such as \`${setting.default}\`; this version serves without TLS and so on loopback only`,
        ),
});

function isAddress(value: unknown): value is string {
  const match = typeof value === "string" ? /^(127(?:\.\d{1,3}){3}|localhost|\[::1\]):(\d{1,5})$/.exec(value) : null;
  return match !== null && Number(match[2]) <= 65_535;
}

export const webhookUrl = (setting: Omit<Setting<string>, "read">): Setting<string> => ({
  ...setting,
  read: (value) => {
    if (value === "") return "";
    const url = safeUrl(value);
    if (url && url.username + url.password + url.hash === "") return url.href;
    return new Problem("expected an https URL, or an http one of this machine, without a user, a password and a fragment");
  },
});

export const scorerUrl = (setting: Omit<Setting<string>, "read">): Setting<string> => ({
  ...setting,
  read: (value) => {
    if (value === "") return "";
    const url = safeUrl(value);
    if (url && url.username + url.password + url.search + url.hash === "" && url.pathname === "/") return url.origin;
    return new Problem("expected `https://HOST:PORT`, or `http://HOST:PORT` with a host of this machine, and nothing behind it");
  },
});

/** Encrypted, or of this machine. */
function safeUrl(value: unknown): URL | undefined {
  const url = typeof value === "string" ? URL.parse(value) : null;
  if (url === null) return undefined;
  const isLoopback = /^(127(?:\.\d{1,3}){3}|localhost|\[::1\])$/.test(url.hostname);
  return url.protocol === "https:" || (url.protocol === "http:" && isLoopback) ? url : undefined;
}

export const oneOf = <T extends string>(words: readonly T[], setting: Omit<Setting<T>, "read">): Setting<T> => ({
  ...setting,
  read: (value) => words.find((word) => word === value) ?? new Problem(`expected one of ${words.join(", ")}`),
});
