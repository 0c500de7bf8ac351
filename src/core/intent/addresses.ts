/** An address or a key that stands in a text. */
export interface Address {
  readonly kind: "url" | "email" | "iban" | "phone" | "key";
  readonly value: string;
  readonly host?: string;
}

const PATTERNS: readonly (readonly [Address["kind"], RegExp])[] = [
  ["url", /(?:https?:\/\/|www\.)[^\s<>"'`)\]]+/giu],
  ["email", /[\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+/giu],
  ["iban", /\b[A-Z]{2}\d{2}[A-Z0-9]{10,30}\b/gu],
];

export function addressesIn(text: string): readonly Address[] {
  const found = new Map<string, Address>();
  for (const [kind, pattern] of PATTERNS) {
    for (const [match] of text.matchAll(pattern)) {
      const value = match.replace(/[.,;:!?]+$/u, "").toLowerCase();
      const host = kind === "url" ? hostOf(value) : undefined;
      found.set(value, { kind, value, ...(host !== undefined && { host }) });
    }
  }
  return [...found.values()];
}

const hostOf = (url: string): string | undefined => /^(?:[a-z]+:\/\/)?([^/:?#]+)/u.exec(url)?.[1];
