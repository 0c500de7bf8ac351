import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { folded, jsonText, keyValues, screenColumns, tableOf } from "../../src/cli/output.ts";
import { shortest } from "../../src/cli/shown-path.ts";
import { excerpt } from "../../src/core/excerpt.ts";

const DIGEST = `sha256:${"e815ee35ea0c".padEnd(64, "f")}`;
const ROW = { at: "2026-01-05T09:00:00.000Z", outcome: "DENY", agent: "coding-assistant", resource: "/srv/handbook/onboarding.md", digest: DIGEST };

describe("the width of a terminal", () => {
  it.each([
    { is: "what it says", screen: { isTTY: true, columns: 100 }, columns: 100 },
    { is: "80 where it says none", screen: { isTTY: true, columns: 0 }, columns: 80 },
    { is: "no matter for a file", screen: { isTTY: false, columns: 100 }, columns: undefined },
  ])("is $is", ({ screen, columns }) => {
    expect(screenColumns(screen)).toBe(columns);
  });
});

describe("a table", () => {
  it.each<{ says: string; columns: number | undefined; text: string }>([
    {
      says: "is whole in a file",
      columns: undefined,
      text: `at                        outcome  agent             resource                     digest
2026-01-05T09:00:00.000Z  DENY     coding-assistant  /srv/handbook/onboarding.md  ${DIGEST}
`,
    },
    {
      says: "shortens digests on a terminal, and nothing else where there is room",
      columns: 105,
      text: `at                        outcome  agent             resource                     digest
2026-01-05T09:00:00.000Z  DENY     coding-assistant  /srv/handbook/onboarding.md  sha256:e815ee35ea0c…
`,
    },
    {
      says: "shortens the widest columns first, so that every column is there",
      columns: 80,
      text: `at                outcome  agent             resource          digest
2026-01-05T09:0…  DENY     coding-assistant  /srv/handbook/o…  sha256:e815ee35…
`,
    },
    {
      says: "is listed key by key where columns would say nothing, with digests whole",
      columns: 50,
      text: `at        2026-01-05T09:00:00.000Z
outcome   DENY
agent     coding-assistant
resource  /srv/handbook/onboarding.md
digest    ${DIGEST}
`,
    },
  ])("$says", ({ columns, text }) => {
    expect(tableOf([ROW], columns)).toBe(text);
  });

  it("puts an empty line between rows that are listed key by key, and says when there are none", () => {
    expect(tableOf([ROW, ROW], 20)).toMatch(/f\n\nat {8}2026/);
    expect(tableOf([], 20)).toBe("(no rows)\n");
  });

  it("is never wider than the terminal while it has columns, and shows each of them", () => {
    const rows = fc.array(fc.record({ a: fc.string(), b: fc.string({ maxLength: 90 }), c: fc.integer() }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(rows, fc.integer({ min: 40, max: 200 }), (some, columns) => {
        const [header = "", ...lines] = tableOf(some, columns).trimEnd().split("\n");
        expect(header.split(/ +/)).toEqual(["a", "b", "c"]);
        for (const line of [header, ...lines]) expect(line.length).toBeLessThanOrEqual(columns);
      }),
      { numRuns: 200 },
    );
  });
});

it("key and value stand in two columns, and a long value goes on below itself", () => {
  expect(keyValues({ name: "x", about: "several words that go on" }, 20)).toBe(`name   x
about  several words
       that go on
`);
});

describe("a long line", () => {
  it.each<{ says: string; text: string; columns: number | undefined; is: string }>([
    { says: "stays whole in a file", text: "    one two three", columns: undefined, is: "    one two three" },
    { says: "is broken between words, and goes on indented", text: "  one two three", columns: 10, is: "  one two\n      three" },
    { says: "keeps its own spaces", text: "✖ a  b", columns: 10, is: "✖ a  b" },
    { says: "keeps a word whole that has no room", text: "one /a/very/long/path two", columns: 10, is: "one\n    /a/very/long/path\n    two" },
    { says: "counts no colours", text: "\u001b[31mone\u001b[39m two", columns: 7, is: "\u001b[31mone\u001b[39m two" },
  ])("$says", ({ text, columns, is }) => {
    expect(folded(text, columns, 4)).toBe(is);
  });
});

it.each([
  { says: "from here", path: "/home/me/work/rules/a.json:1:2", is: "rules/a.json:1:2" },
  { says: "from home", path: "/home/me/other/rules/a.json", is: "~/other/rules/a.json" },
  { says: "from the root", path: "/etc/rules", is: "/etc/rules" },
  { says: "as it was named", path: "rules/a.json", is: "rules/a.json" },
  { says: "as it was named, when it is here", path: ".", is: "." },
  { says: "not from another's home", path: "/home/mentor/somewhere/far/away/rules", is: "/home/mentor/somewhere/far/away/rules" },
])("a path is told $says where that is shortest: $path", ({ path, is }) => {
  expect(shortest(path, { cwd: "/home/me/work", home: "/home/me" })).toBe(is);
});

it("an excerpt is no longer than it may be, and its caret stays below the place", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 20, max: 160 }), (column, lengthMax) => {
      const line = `${"-".repeat(column - 1)}X${"-".repeat(400 - column)}`;
      const { source, caret } = excerpt(line, column, lengthMax);
      expect(source.length).toBeLessThanOrEqual(lengthMax);
      expect(source[caret]).toBe("X");
    }),
  );
});

describe("JSON for programs", () => {
  it("says the same as JSON does, and nothing that a terminal would obey or nobody would see", () => {
    expect(jsonText({ to: "x\u202ey\u009b31m\u{e0061}" })).toBe('{"to":"x\\u202ey\\u009b31m\\udb40\\udc61"}');
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: "binary" }), fc.constantFrom(undefined, 2), (value, indent) => {
        const text = jsonText(value, indent);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      }),
      { numRuns: 300 },
    );
  });
});
