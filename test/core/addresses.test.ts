import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ADDRESS_KINDS, addressesIn } from "../../src/core/intent/addresses.ts";

const found = (text: string): readonly string[] => addressesIn(text).map(({ kind, value }) => `${kind} ${value}`);

describe("addresses in free text", () => {
  it.each<{ text: string; are: readonly string[] }>([
    { text: "See https://www.Example.com/Path?q=1.", are: ["url www.example.com/path?q=1"] },
    { text: "http://example.com/ and https://example.com", are: ["url example.com"] },
    { text: "go to www.example.zip, now", are: ["url www.example.zip"] },
    { text: "(bit.ly/abc)", are: ["url bit.ly/abc"] },
    { text: "[here](https://a.example/x) or <a href='https://b.example/y'>", are: ["url a.example/x", "url b.example/y"] },
    { text: "pay at secure-login.com today", are: ["url secure-login.com"] },
    { text: "10.0.0.1:8080 and 10.0.0.1/x and 10.0.0.1", are: ["url 10.0.0.1:8080", "url 10.0.0.1/x"] },
    { text: "ftp://files.example/a", are: ["url ftp://files.example/a"] },
    { text: "https:\\\\example.com\\a", are: ["url example.com/a"] },
    { text: String.raw`"see https://example.com/a\n\nThanks"`, are: ["url example.com/a"] },
    { text: "hxxps://evil[.]example/a", are: ["url evil.example/a"] },
    { text: "mail Ann <Ann.Lee@Example.com> or mailto:bob@example.org.", are: ["email ann.lee@example.com", "email bob@example.org"] },
    { text: "ann (at) example (dot) com", are: ["email ann@example.com"] },
    { text: "ann@\u200Bexample.com and ann@example.com", are: ["email ann@example.com"] },
    { text: "https://example.com/?to=ann@example.com", are: ["url example.com/?to=ann@example.com"] },
    { text: "to DE89 3704 0044 0532 0130 00 from Ann", are: ["iban de89370400440532013000"] },
    { text: "to DE89370400440532013000, and GB29NWBK60161331926819", are: ["iban de89370400440532013000", "iban gb29nwbk60161331926819"] },
    { text: "gb29 nwbk 6016 1331 9268 19 with that", are: ["iban gb29nwbk60161331926819"] },
    { text: "call +49 (30) 1234-567 or 0049301234567", are: ["phone 49301234567", "phone 0049301234567"] },
    { text: "call (555) 123-4567 or 555-123-4567", are: ["phone 5551234567"] },
    { text: "account 123-1234-1234, 9876543210", are: ["key 12312341234", "key 9876543210"] },
    { text: "sk-abcdefgh12 ghp_abcdefgh AKIAABCDEFGH1234", are: ["key sk-abcdefgh12", "key ghp_abcdefgh", "key akiaabcdefgh1234"] },
    { text: "550e8400-e29b-41d4-a716-446655440000", are: ["key 550e8400-e29b-41d4-a716-446655440000"] },
    { text: "token 3f2a9c81b7d64e50", are: ["key 3f2a9c81b7d64e50"] },
    { text: "ann@example.com, ANN@example.com", are: ["email ann@example.com"] },
  ])("are found once each: $text", ({ text, are }) => {
    expect([...found(text)].sort()).toEqual([...are].sort());
  });

  it.each([
    "",
    "on 2024-05-20, 2024-05-20 10:00, 2024-05-20T10:00:00Z, 20/05/2024, 20-05-2024, 1800-01-01 and 20240520",
    "20240520100000 at 10:30 or 10.30 or 23:59:59",
    "10:00 2024-05-20, 100.00 2024-05-20 100",
    "100.00, 1,000,000.00, $2000, 12.345,67 EUR, 1 000 000",
    "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 and 1000 2000 3000 4000",
    "order 123456, pages 10-20-30, years 2020-2024",
    "version 1.2.3, v10.0.0.1 and 1.2.3.4",
    "report.docx, notes-2024.md, a.tar.gz, src/main.ts, ./docs/read.me.txt and C:\\data\\list.csv",
    "the end.Then the beginning. It is so,i.e. done... e.g. here",
    "self.name, user.address and and/or",
    "@ann said to #general: a@b",
    "a1b2c3 room-12b internationalisation",
    "100% at 3 p.m., (2024) 12 items",
  ])("are none: %s", (text) => {
    expect(found(text)).toEqual([]);
  });

  it.each<{ text: string; host: string | undefined }>([
    { text: "https://good.example@evil.example:8080/a", host: "evil.example" },
    { text: "https://good.example\\@evil.example/a", host: "good.example" },
    { text: "www.example.com/a", host: "www.example.com" },
    { text: "example.com:443?q", host: "example.com" },
    { text: "http://10.0.0.1/x", host: "10.0.0.1" },
    { text: "ann@example.com", host: undefined },
  ])("have a host where they are URLs: $text", ({ text, host }) => {
    expect(addressesIn(text).map((address) => address.host)).toEqual([host]);
  });

  it("are not found a second time where an escape in a path is turned back", () => {
    expect(found("https://a.example/b%20c")).toEqual(["url a.example/b%20c"]);
    expect(found("https://a.example/b%20c https://b%2eexample/")).toContain("url b.example");
  });

  it("are the same whether a text's signs say what can stand in it or every kind is looked for", () => {
    const piece = fc.constantFrom(
      ..."a b k x X 0 1 7 12 345 . @ : = / \\ - _ + ( ) % & # ? , ; ' \" < \n \t \u0001".split(" "),
      " ",
      ..."com example.org ann@ http:// hxxp www. token= sk- akia GB33 00447 1234-5678 0f8fad5b-d9cb- abcdefgh9 192.168.0.1:80".split(" "),
    );
    const kinds = new Set<string>();
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 24 }), (pieces) => {
        const text = pieces.join("");
        // What is not seen changes nothing, and has every kind looked for.
        expect(addressesIn(text)).toEqual(addressesIn(`${text}\u200b`));
        for (const { kind } of addressesIn(text)) kinds.add(kind);
      }),
      { numRuns: 20_000 },
    );
    expect(kinds).toEqual(new Set(ADDRESS_KINDS));
  });

  // With a pattern that begins again at each character of these, each would take 2^40 steps and no test would end.
  it.each([
    "a",
    "a.",
    "a@",
    "a@a.",
    "1",
    "1-",
    "1.",
    "+1",
    "(12)",
    "A1",
    "aa11 ",
    "aa11-",
    "-",
    ".",
    "/",
    ":/",
    "http://",
    "www.",
    "sk-",
    "%",
    "&#",
    "é",
    "xn--",
    "12345678-",
    "a:",
    "a\\",
  ])("are looked for in a mebibyte of %j", (piece) => {
    expect(addressesIn(`${piece.repeat(1_048_576 / piece.length)} mail ann@example.com`).at(-1)).toBeDefined();
  });
});
