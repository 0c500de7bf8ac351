import { describe, expect, it } from "vitest";
import { formatAmount, readAmount, withAmounts } from "../../src/cli/money.ts";

describe("an amount of money", () => {
  it.each<{ text: string; currency: string; minor: string; shown: string }>([
    { text: "EUR=100.00", currency: "EUR", minor: "10000", shown: "EUR 100.00" },
    { text: "eur=100", currency: "EUR", minor: "10000", shown: "EUR 100.00" },
    { text: "EUR=0.1", currency: "EUR", minor: "10", shown: "EUR 0.10" },
    { text: "EUR=0.070", currency: "EUR", minor: "7", shown: "EUR 0.07" },
    { text: "EUR=0", currency: "EUR", minor: "0", shown: "EUR 0.00" },
    { text: "JPY=300", currency: "JPY", minor: "300", shown: "JPY 300" },
    { text: "JPY=300.0", currency: "JPY", minor: "300", shown: "JPY 300" },
    { text: "KWD=1.005", currency: "KWD", minor: "1005", shown: "KWD 1.005" },
    { text: "EUR=90071992547409.93", currency: "EUR", minor: "9007199254740993", shown: "EUR 90071992547409.93" },
  ])("$text is $minor of $currency in its smallest unit, and back", ({ text, currency, minor, shown }) => {
    expect(readAmount(text)).toEqual({ currency, amountMinor: minor });
    expect(formatAmount(currency, BigInt(minor))).toBe(shown);
  });

  it.each([
    "EUR",
    "EUR=",
    "EUR=1.",
    "EUR=.5",
    "EUR=1,5",
    "EUR=1e3",
    "EUR=-1",
    "EUR=+1",
    "EUR= 1",
    "EURO=1",
    "=1",
    "EUR=0.001",
    "JPY=0.5",
    "KWD=0.0001",
  ])("is not `%s`", (text) => {
    expect(readAmount(text)).toEqual({ problem: expect.stringContaining(`\`${text}\` is `) });
  });

  it("is shown as people write it where the contract names the smallest unit", () => {
    expect(withAmounts("`EUR: 950` is more than it has: EUR: 5, JPY: 7; pay: 3")).toBe("`EUR 9.50` is more than it has: EUR 0.05, JPY 7; pay: 3");
  });
});
