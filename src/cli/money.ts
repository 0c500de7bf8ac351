import { digitsOf } from "../core/tasks/budget.ts";

const AMOUNT = /^([A-Za-z]{3})=(\d{1,15})(?:\.(\d{1,15}))?$/;

export type Amount = { readonly currency: string; readonly amountMinor: string } | { readonly problem: string };

/** `EUR=100.00`, exactly: nothing is rounded. */
export function readAmount(text: string): Amount {
  const [, word, whole, fraction = ""] = AMOUNT.exec(text) ?? [];
  if (word === undefined || whole === undefined) return { problem: `\`${text}\` is no amount; write CURRENCY=AMOUNT, such as \`EUR=100.00\`` };
  const currency = word.toUpperCase();
  const digits = digitsOf(currency);
  const finest = fraction.replace(/0+$/, "");
  if (finest.length > digits) {
    const unit = digits === 0 ? "has no digits after the point" : `has ${digits} digits after the point`;
    return { problem: `\`${text}\` is finer than the smallest unit of ${currency}, which ${unit}` };
  }
  return { currency, amountMinor: String(BigInt(whole + finest.padEnd(digits, "0"))) };
}

/** `EUR 100.00`. */
export const formatAmount = (currency: string, minor: bigint): string => `${currency} ${decimalOf(currency, minor)}`;

/** What the contract says of money, such as `EUR: 10000`, as people write it. */
export const withAmounts = (text: string): string =>
  text.replaceAll(/\b([A-Z]{3}): (\d{1,16})\b/g, (_, currency: string, minor: string) => formatAmount(currency, BigInt(minor)));

export function decimalOf(currency: string, minor: bigint): string {
  const digits = digitsOf(currency);
  const text = String(minor).padStart(digits + 1, "0");
  return digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`;
}
