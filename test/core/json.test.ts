import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileGlob, createGlobIndex } from "../../src/core/globs.ts";
import { encodeStable, parseStrict } from "../../src/core/json.ts";
import { looksSecret } from "../../src/core/masking.ts";
import type { Json } from "../../src/core/words.ts";

const LIMITS = { nestingMax: 4, keysMax: 5 };

describe("strict JSON", () => {
  it.each([
    { says: "a key twice", text: '{"a":1,"a":2}', why: "a key stands twice in one object" },
    { says: "a key twice by an escape", text: '{"a":1,"\\u0061":2}', why: "a key stands twice in one object" },
    { says: "a key twice, deep inside", text: '{"b":[{"a":1,"a":2}]}', why: "a key stands twice in one object" },
    { says: "an integer beyond 2^53", text: "9007199254740993", why: "a number would lose precision (at character 1)" },
    { says: "a long integer that happens to be even", text: "18014398509481984", why: "an integer beyond 2^53 would lose precision" },
    { says: "a fraction with too many digits", text: "0.12345678901234567890", why: "a number would lose precision (at character 1)" },
    { says: "an infinite number", text: "1e400", why: "a number would lose precision (at character 1)" },
    { says: "a lone surrogate", text: '"\\ud800"', why: "a string holds a lone surrogate" },
    { says: "a lone surrogate in a key", text: '{"\\udc00":1}', why: "a key holds a lone surrogate" },
    { says: "`__proto__`", text: '{"__proto__":{}}', why: "`__proto__` is no key" },
  ])("refuses $says", ({ text, why }) => {
    expect(parseStrict(text, LIMITS)).toEqual({ problem: { kind: "malformed", why } });
  });

  it.each(["", "{", "[1,]", "{'a':1}", "01", "1 2", '{"a":1}x', "// no", "NaN", '"\t"'])("refuses what is no JSON: %s", (text) => {
    expect(parseStrict(text, LIMITS)).toMatchObject({ problem: { kind: "malformed" } });
  });

  it.each([
    { says: "deeper than may be", text: "[[[[[1]]]]]", limit: "nesting", max: 4 },
    { says: "100,000 levels deep", text: "[".repeat(100_000), limit: "nesting", max: 4 },
    { says: "wider than may be", text: '{"a":1,"b":2,"c":3,"d":{"e":4,"f":5}}', limit: "keys", max: 5 },
  ])("refuses what is $says", ({ text, limit, max }) => {
    expect(parseStrict(text, LIMITS)).toEqual({ problem: { kind: "too-big", limit, max } });
  });

  it("reads everything else as JSON.parse does", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        const text = JSON.stringify(value);
        if (text.includes('"__proto__"')) return;
        const read = parseStrict(text, { nestingMax: 50, keysMax: 10_000 });
        if ("problem" in read) expect(read.problem).toMatchObject({ why: expect.stringMatching(/precision|surrogate/) });
        else expect(read.value).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each(["0.1", "-0.0", "1.5e3", "1E+2", "123456789012345680", "0.1000000000000000000000", "5e-324"])("takes %s for the number it is", (text) => {
    const read = parseStrict(text, LIMITS);
    if (Number.isInteger(Number(text)) && !Number.isSafeInteger(Number(text))) expect(read).toHaveProperty("problem");
    else expect(read).toEqual({ value: Number(text) });
  });
});

describe("the stable encoding", () => {
  const value = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>;

  it("is the same for the same value, whatever the order of keys", () => {
    fc.assert(
      fc.property(value, (json) => {
        expect(encodeStable(reversed(json))).toBe(encodeStable(json));
      }),
    );
  });

  it("differs for different values", () => {
    fc.assert(
      fc.property(value, value, (a, b) => {
        if (canonical(a) !== canonical(b)) expect(encodeStable(a)).not.toBe(encodeStable(b));
      }),
    );
  });

  it.each<readonly [Json | undefined, Json | undefined]>([
    [null, undefined],
    ["", null],
    ["1", 1],
    [1, true],
    [[], {}],
    [
      ["a", "b"],
      ["ab", ""],
    ],
    [["a"], "a"],
    [{ a: 1, b: 2 }, { ab: 12 }],
    ["s1:a", ["a"]],
    [{ a: [] }, { a: {} }],
  ])("tells %j from %j", (a, b) => {
    expect(encodeStable(a)).not.toBe(encodeStable(b));
  });
});

function reversed(value: Json): Json {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, reversed(item)]),
  );
}

/** An independent opinion on whether two values are the same. */
function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value === 0 ? 0 : value);
  return `{${Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`)
    .join()}}`;
}

describe("a glob", () => {
  it.each([
    { glob: "*", text: "anything/at/all", matches: true },
    { glob: "a/*", text: "a/b", matches: true },
    { glob: "a/*", text: "a/b/c", matches: false },
    { glob: "a/**", text: "a/b/c", matches: true },
    { glob: "**/.ssh/**", text: "/home/u/.ssh/id", matches: true },
    { glob: "**/.ssh/**", text: "/home/u/ssh/id", matches: false },
    { glob: "*.md", text: "x.md", matches: true },
    { glob: "*.md", text: "a/x.md", matches: false },
    { glob: "a*b*c", text: "aXbYc", matches: true },
    { glob: "a*b*c", text: "aXbY", matches: false },
    { glob: "a", text: "A", matches: false },
    { glob: "a.c", text: "abc", matches: false },
  ])("$glob on $text: $matches", ({ glob, text, matches }) => {
    expect(compileGlob(glob)(text)).toBe(matches);
  });

  it("says what a regular expression says", () => {
    const part = fc.constantFrom("a", "b", "/", "*", "**", ".");
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), fc.array(fc.constantFrom("a", "b", "/", "."), { maxLength: 8 }), (globParts, textParts) => {
        const glob = globParts.join("").replaceAll(/\*{2,}/g, "**");
        const text = textParts.join("");
        const source = glob.replaceAll(".", "\\.").replaceAll("**", "\u0000").replaceAll("*", "[^/]*").replaceAll("\u0000", ".*");
        expect(compileGlob(glob)(text)).toBe(glob === "*" || new RegExp(`^${source}$`, "s").test(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it("does not slow down on many stars", () => {
    expect(compileGlob(`${"*a".repeat(30)}b`)("a".repeat(2_000))).toBe(false);
  });

  it("is found among others by an index as by itself", () => {
    const globs = ["**/.ssh/**", "*.pem", "/etc/*", "a+b(c)"];
    const index = createGlobIndex(globs.map((glob) => ({ glob, value: glob })));
    for (const text of ["/x/.ssh/y", "k.pem", "/etc/passwd", "a+b(c)", "nothing", "aab(c)", ""]) {
      expect(index.find(text)).toEqual(globs.filter((glob) => compileGlob(glob)(text)));
    }
  });
});

describe("a key that looks secret", () => {
  it.each([
    "password",
    "userPassword",
    "api_key",
    "apiKey",
    "X-Auth-Token",
    "access_token",
    "clientSecret",
    "private-key",
    "PIN",
    "passphrase",
    "credentials",
    "Authorization",
    "cvv",
    "secret_key",
    "DBPassword",
    "dbpassword",
    "AWSSecretKey",
    "cookies",
    "passwords",
    "newPassword2",
    "password_hash",
    "user:password",
    "ssh_key",
  ])("%s does", (key) => {
    expect(looksSecret(key)).toBe(true);
  });
  it.each([
    "path",
    "to",
    "keyboard",
    "tokens_used",
    "max_tokens",
    "promptTokens",
    "next_page_token",
    "pageToken",
    "max_token",
    "spinner",
    "passenger",
    "secretary",
    "author",
    "key",
  ])("%s does not", (key) => {
    expect(looksSecret(key)).toBe(false);
  });
});
