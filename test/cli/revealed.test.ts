import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { broken, columnsOf } from "../../src/cli/columns.ts";
import { lengthWords, revealed, shortened } from "../../src/cli/revealed.ts";

describe("another's words for a person who decides by them", () => {
  it.each<{ says: string; text: string; shown: string }>([
    { says: "turn no text around", text: "pay \u202e001 RUE", shown: "pay ⟨U+202E⟩001 RUE" },
    { says: "isolate no text", text: "a\u2066b\u2069", shown: "a⟨U+2066⟩b⟨U+2069⟩" },
    { says: "move no cursor", text: "\u001b[2Jhi\r", shown: "⟨U+001B⟩[2Jhi⟨U+000D⟩" },
    { says: "begin no line", text: "a\nholds: none", shown: "a⟨U+000A⟩holds: none" },
    { says: "begin no line in another way", text: "a\u2028b\u2029c\u0085d\u000be", shown: "a⟨U+2028⟩b⟨U+2029⟩c⟨U+0085⟩d⟨U+000B⟩e" },
    { says: "send no command in eight bits", text: "\u009b31mred", shown: "⟨U+009B⟩31mred" },
    { says: "hide nothing between letters", text: "pay\u200bpal\u00ad\ufeff", shown: "pay⟨U+200B⟩pal⟨U+00AD⟩⟨U+FEFF⟩" },
    { says: "hide nothing in letters that are drawn as nothing", text: "a\u3164\u115f\u2800b", shown: "a⟨U+3164⟩⟨U+115F⟩⟨U+2800⟩b" },
    { says: "say nothing to machines alone", text: "hi\u{e0061}\u{e0062}", shown: "hi⟨U+E0061⟩⟨U+E0062⟩" },
    { says: "have no spaces that are none", text: "a\u00a0b\u2003c\u3000d", shown: "a⟨U+00A0⟩b⟨U+2003⟩c⟨U+3000⟩d" },
    { says: "draw over nobody's lines", text: `a${"\u0301".repeat(5)}`, shown: "a\u0301\u0301\u0301⟨U+0301⟩⟨U+0301⟩" },
    { says: "draw over nobody's quotes", text: "\u0338a", shown: "⟨U+0338⟩a" },
    { says: "do not pass for Latin among Latin letters", text: "p\u0430ypal.com", shown: "p⟨U+0430⟩ypal.com" },
    { says: "do not pass for Latin as a whole", text: "\u0440\u0430\u0443\u0440\u0430", shown: "⟨U+0440⟩⟨U+0430⟩⟨U+0443⟩⟨U+0440⟩⟨U+0430⟩" },
    { says: "do not pass for ASCII in another width or face", text: "ｐay／𝐱", shown: "⟨U+FF50⟩ay⟨U+FF0F⟩⟨U+1D431⟩" },
    { says: "do not turn the words beside them around", text: "admin\u05d0", shown: "admin⟨U+05D0⟩" },
    { says: "cannot write such a mark", text: "⟨U+202E⟩", shown: "⟨U+27E8⟩U+202E⟨U+27E9⟩" },
    { says: "have no half characters", text: "a\ud800b", shown: "a⟨U+D800⟩b" },
  ])("$says", ({ text, shown }) => {
    expect(revealed(text)).toBe(shown);
  });

  it.each([
    "Überweise 40 € an Müller & Søn — “heute”…",
    "Оплатить счета за октябрь",
    "Πληρωμή τιμολογίων",
    "תשלום חשבוניות",
    "十月の請求書を支払う：Tシャツ、３枚".replace("３", "3"),
    "किसान को भुगतान",
    "отчёт.pdf 100 % ✔ 🎉",
  ])("leave what is honest as it is: %s", (text) => {
    expect(revealed(text)).toBe(text);
  });

  it("never reach the terminal as anything that it obeys or that is not seen", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => {
        expect(revealed(text)).not.toMatch(/[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?! )\p{Zs}/u);
      }),
      { numRuns: 300 },
    );
  });
});

describe("a broken line", () => {
  const pieces = fc.array(fc.constantFrom("a", "bcd", " ", "   ", "漢", "efghijklmnopqrstuvwxyz"), { maxLength: 40 }).map((all) => all.join(""));

  it("is nowhere wider than the columns there are, also in the middle of a word, and loses nothing but spaces", () => {
    fc.assert(
      fc.property(pieces, fc.integer({ min: 16, max: 60 }), (text, columns) => {
        const lines = broken(text, columns);
        for (const line of lines) expect(columnsOf(line)).toBeLessThanOrEqual(columns);
        expect(lines.join("").replaceAll(" ", "")).toBe(text.replaceAll(" ", ""));
      }),
      { numRuns: 500 },
    );
  });

  it("breaks between words where it can", () => {
    expect(broken("read the handbook and send Bob a summary", 20)).toEqual(["read the handbook", "and send Bob a", "summary"]);
    expect(broken("x".repeat(40), 16)).toEqual(["x".repeat(16), "x".repeat(16), "x".repeat(8)]);
    expect(broken("as long as it likes", undefined)).toEqual(["as long as it likes"]);
  });
});

describe("a text in a line of a list", () => {
  it("is cut, and says how long it is", () => {
    expect(shortened("short", 20)).toBe("short");
    expect(shortened("x".repeat(1_234), 40)).toBe(`${"x".repeat(20)}… (1,234 characters)`);
    expect(lengthWords("🎉🎉")).toBe("2 characters");
  });
});
