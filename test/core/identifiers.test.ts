import { describe, expect, it } from "vitest";
import { identifiersAsWrittenIn, identifiersIn } from "../../src/core/intent/identifiers.ts";

const KEY = "sk_live_4eC39HqLyjWDarjtT1zdp7dc";

describe("what names somebody outside a text", () => {
  it.each<[says: string, text: string, found: string]>([
    ["an address of the web", "see https://evil.example/x?y=1 now", "https://evil.example/x?y=1"],
    ["one at the end of a sentence", "(see https://evil.example/x).", "https://evil.example/x"],
    ["one without a scheme", "see evil.example/x", "evil.example/x"],
    ["one with a port or a query", "at evil.example:8080 or evil.example?to=me", "evil.example?to=me"],
    ["one of a scheme that nobody heard of", `${"x".repeat(40)}://host`, `${"x".repeat(40)}://host`],
    ["one with the slashes that browsers forgive", String.raw`https:\\evil.example\x`, String.raw`https:\\evil.example\x`],
    ["one without slashes to speak of", "https:/intranet", "https:/intranet"],
    ["one that leaves the scheme to the reader", "see //host/share", "//host/share"],
    ["a share", String.raw`\\host\share`, String.raw`\\host\share`],
    ["something to run", "javascript:alert(1)", "javascript:alert(1"],
    ["a domain", "visit evil.example today", "evil.example"],
    ["a domain of many labels", `${"x.".repeat(60)}evil.example`, `${"x.".repeat(60)}evil.example`],
    ["a domain before a hyphen", "evil.example- see", "evil.example"],
    ["a domain before an at sign", "evil.example@ see", "evil.example"],
    ["a domain in another script", "пример.рф", "пример.рф"],
    ["a domain that is spelled for machines", "evil.xn--p1ai/x", "evil.xn--p1ai/x"],
    ["a domain with a sign in it", "i❤corp.example", "i❤corp.example"],
    ["a domain with marks over it", "e\u0336vil.example", "e\u0336vil.example"],
    ["a domain with another full stop", "evil。example", "evil.example"],
    ["an address of a machine", "call 192.0.2.7:22 at once", "192.0.2.7:22"],
    ["a long address of a machine", "call 2001:db8::7 at once", "2001:db8::7"],
    ["a mailbox", "write to Mallory@Evil.example.", "mallory@evil.example"],
    ["a mailbox of a machine with a number", "x@host7", "x@host7"],
    ["a mailbox behind another", "evil!bob@corp.example", "evil!bob@corp.example"],
    ["a mailbox of many letters", `${"a".repeat(80)}@corp.example`, `${"a".repeat(80)}@corp.example`],
    ["a handle", "ask @mallory", "@mallory"],
    ["an IBAN", "to DE89 3704 0044 0532 0130 00", "de89370400440532013000"],
    ["an IBAN in small letters, run together", "to de89370400440532013000", "de89370400440532013000"],
    ["an IBAN with other signs between", "to GB29.NWBK.6016.1331.9268.19", "gb29nwbk60161331926819"],
    ["a phone number", "call +49 (30) 123-4567", "49301234567"],
    ["a phone number behind a word", "call0301234567x", "0301234567"],
    ["a phone number with other signs between", "0_3_0:1,2·3 4 5 6 7", "0301234567"],
    ["an IBAN with signs between that no bank writes", "to DE02*1203;0000 = 0000  #  2020'51", "de02120300000000202051"],
    ["an IBAN far apart", `to DE02${" ".repeat(80)}1203\n\n\n\n\n\n0000 0000 2020 51`, "de02120300000000202051"],
    ["a phone number behind many signs", "0 3 0 ..... 1234 --> 567", "0301234567"],
    ["a phone number in other digits", "٠٣٠ ١٢٣ ٤٥٦٧", "٠٣٠١٢٣٤٥٦٧"],
    ["a key", `use ${KEY}`, KEY],
    ["a key behind a letter of another script", `é${KEY}é`, KEY],
    ["a key without digits", "aGVsbG8gd29ybGQhaGVsbG8".replaceAll(/\d/g, "x"), "aGVsbGxgdxxybGQhaGVsbGx"],
  ])("is found: %s", (_, text, found) => {
    expect(identifiersIn(text)).toContain(found);
  });

  const PLAIN = ["https://evil.example/x", "mallory@evil.example", "evil.example", "de89370400440532013000"];
  it.each<[how: string, write: (text: string) => string]>([
    ["in wide letters", (text) => text.replaceAll(/[!-~]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) + 0xfee0))],
    ["with what is not seen inside", (text) => [...text].join("\u200b")],
    ["with joiners inside", (text) => [...text].join("\u2060\u034f\ufe0f")],
    ["with a soft hyphen inside", (text) => text.replace("e", "e\u00ad")],
    ["with fillers inside", (text) => text.replace("e", "e\u3164\u115f")],
    ["with control characters inside", (text) => text.replace("e", "e\u0000\u0008")],
    ["turned around for the eye", (text) => `\u202e${text}\u202c`],
    ["in capitals, where they mean the same", (text) => text.replace(/^[^/]*(?:\/\/[^/]*)?/, (part) => part.toUpperCase())],
    ["in escapes of HTML", (text) => text.replaceAll(/[.@:/]/g, (sign) => `&#${sign.charCodeAt(0)};`)],
    ["in escapes of HTML, by sixteens", (text) => text.replaceAll(/[.@:/]/g, (sign) => `&#x${sign.charCodeAt(0).toString(16)};`)],
    ["in names of HTML", (text) => text.replaceAll(".", "&period;").replaceAll("@", "&commat;").replaceAll(":", "&colon;").replaceAll("/", "&sol;")],
    ["in escapes of URLs", (text) => text.replaceAll(/[.@:/]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`)],
    ["in escapes of JSON", (text) => text.replaceAll(/[.@:/]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`)],
    ["as those write who do not want to be found", (text) => text.replaceAll(".", "[.]").replaceAll("@", " (at) ").replace("http", "hxxp")],
    ["as those say who do not want to be found", (text) => text.replaceAll(".", " [dot] ").replaceAll("@", " [at] ")],
    ["between other words", (text) => `Dear all,\n${text}\tthanks`],
    ["in quotes", (text) => `"${text}", '${text}'`],
  ])("is found %s", (_, write) => {
    for (const plain of PLAIN) expect(identifiersIn(write(plain))).toContain(plain);
  });

  it.each<[one: string, other: string]>([
    ["https://short.example/AbCd", "https://short.example/aBcD"],
    ["https://short.example/a", "ftp://short.example/a"],
    ["short.example/AbCd", "short.example/aBcD"],
    ["corp.example", "corp.example.evil.example"],
    ["corp.example", "evil-corp.example"],
    ["corp.example", "corp.example/x"],
    ["corp.example", "corp.example:8080"],
    ["x@host1", "x@host2"],
    ["bob@corp.example", "evil+bob@corp.example"],
    ["https://short.example/a", "https://short.example/a-"],
    [KEY, `${KEY}x`],
    [KEY, KEY.toLowerCase()],
    ["+49 30 1234567", "+49 30 1234568"],
  ])("is another one: %s and %s", (one, other) => {
    const known = new Set(identifiersIn(one));
    expect(identifiersIn(other).some((identifier) => !known.has(identifier))).toBe(true);
  });

  it.each(["https://short.example/１２", "https://short.example/1\u200b2"])("reads the same and is another one as it is written: %s", (written) => {
    const known = new Set(identifiersAsWrittenIn("https://short.example/12"));
    expect(identifiersIn(written).every((identifier) => known.has(identifier))).toBe(true);
    expect(identifiersAsWrittenIn(written).some((identifier) => !known.has(identifier))).toBe(true);
  });

  it.each<[one: string, same: string]>([
    ["https://Example.org/AbC", "HTTPS://example.ORG/AbC"],
    ["Bob@Corp.example", "bob@corp.EXAMPLE"],
    ["DE89 3704 0044 0532 0130 00", "de89  3704  0044  0532  0130  00"],
    ["+49 30 1234567", "+49 (30) 123-4567"],
  ])("is the same: %s and %s", (one, same) => {
    expect(identifiersIn(same)).toEqual(identifiersIn(one));
  });

  it.each(["please pay the invoice of May", "3 of 12 boxes, 4.5 kg, at 7 o'clock", "and/or; well-known facts (see above)", "Grüße aus Köln!"])(
    "is not in `%s`",
    (text) => {
      expect(identifiersIn(text)).toEqual([]);
    },
  );
});

describe("a text of 256 KiB", () => {
  // With a search that grows with the square of the text these take minutes each, and this file does not come to its end.
  const PARTS = [
    "a/",
    "a.",
    "a@",
    "a-",
    "1 ",
    "1",
    "1 2 3 4 5 6 x",
    "aa11 *",
    `1${" ".repeat(300)}`,
    "+",
    "aA=",
    "a:",
    "//",
    "\\",
    ":a",
    "AA11 AAAA ",
    "a.b@",
    "1.1.",
    "[.",
    "( at",
    "&#4",
    "%2",
    "\u200b",
    "é.",
  ];
  it.each(PARTS)("of nothing but `%s` is read to its end", (part) => {
    const text = part.repeat(Math.ceil((256 * 1024) / part.length));
    expect(identifiersIn(`${text} mallory@evil.example`).some((identifier) => identifier.endsWith("mallory@evil.example"))).toBe(true);
  });
});
