import { describe, expect, it } from "vitest";
import { isoOf, parseInstant } from "../../src/core/instants.ts";
import { instant } from "../../src/core/words.ts";

describe("an instant", () => {
  it.each<{ text: string; ms: number }>([
    { text: "2027-01-01T00:00:00Z", ms: Date.UTC(2027, 0, 1) },
    { text: "2027-01-01T00:00:00.000Z", ms: Date.UTC(2027, 0, 1) },
    { text: "2028-02-29T23:59:59.5Z", ms: Date.UTC(2028, 1, 29, 23, 59, 59, 500) },
  ])("is read from `$text`", ({ text, ms }) => {
    expect(parseInstant(text)).toBe(ms);
  });

  it.each([
    "",
    "2027",
    "2027-01-01",
    "2027-01-01T00:00Z",
    "2027-01-01T00:00:00",
    "2027-01-01T00:00:00+01:00",
    "2027-01-01 00:00:00Z",
    "2027-02-29T00:00:00Z",
    "2027-02-30T00:00:00Z",
    "2027-13-01T00:00:00Z",
    "2027-01-01T24:00:00Z",
    "2027-01-01T23:59:60Z",
    "02027-01-01T00:00:00Z",
    " 2027-01-01T00:00:00Z",
    "2027-01-01T00:00:00Z\n",
    "2027-01-01T00:00:00.0000Z",
    "Fri, 01 Jan 2027 00:00:00 GMT",
    "1798761600000",
  ])("is none when it is written as %j", (text) => {
    expect(parseInstant(text)).toBeUndefined();
  });

  it("is written so that it is read again", () => {
    expect(isoOf(instant(1))).toBe("1970-01-01T00:00:00.001Z");
    expect(parseInstant(isoOf(instant(1)))).toBe(1);
  });
});
