import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Json } from "../../src/core/words.ts";
import { LEVELS_MAX, NODES_MAX, RESULT_CHARACTERS_MAX, YAML_CHARACTERS_MAX, YAML_MARKS_MAX } from "../../src/results/limits.ts";
import { readResult } from "../../src/results/read.ts";

const BILLION_LAUGHS = [
  "a: &a [ha, ha, ha, ha, ha, ha, ha, ha, ha]",
  ..."bcdefghi".split("").map((name, index) => `${name}: &${name} [${Array(9).fill(`*${"abcdefgh"[index]}`).join(", ")}]`),
].join("\n");

describe("what a tool printed", () => {
  it.each<{ says: string; text: string; value: Json }>([
    {
      says: "a JSON object",
      text: '{"to": "a@b.example", "n": 1.5, "ok": true, "none": null}',
      value: { to: "a@b.example", n: 1.5, ok: true, none: null },
    },
    { says: "a JSON list between blanks", text: '\n [1, "2"] \n', value: [1, "2"] },
    { says: "a JSON text behind a byte order mark", text: '\uFEFF{"a": 1}', value: { a: 1 } },
    { says: "an empty list", text: "[]", value: [] },
    { says: "the digits of a long JSON number", text: '{"id": 12345678901234567890, "n": 1e300}', value: { id: "12345678901234567890", n: 1e300 } },
    { says: "a colon and a quotation mark in a JSON string", text: String.raw`{"a": "b\": \\", "c": ":"}`, value: { a: 'b": \\', c: ":" } },
    { says: "one line", text: "status: ok", value: { status: "ok" } },
    { says: "nested YAML", text: "a:\n  b:\n  - c: 1\n    d: [x, 2]\n", value: { a: { b: [{ c: 1, d: ["x", 2] }] } } },
    { says: "a YAML list", text: "- a\n- b\n", value: ["a", "b"] },
    { says: "a YAML list behind the beginning of its document", text: "---\n- a\n", value: ["a"] },
    { says: "what Python prints of a dictionary", text: "{'a': True, 'b': [1.0, 'it']}", value: { a: true, b: [1, "it"] } },
    { says: "dates as text", text: "a: 2024-05-15\nb: 2024-05-15 10:00\nc: 10:30", value: { a: "2024-05-15", b: "2024-05-15 10:00", c: "10:30" } },
    { says: "numbers", text: "- 1\n- -2.50\n- 1e3\n- '1'", value: [1, -2.5, 1000, "1"] },
    {
      says: "what only looks like a number as text",
      text: "- 0049\n- +49\n- 0x1F\n- 1_000\n- .inf",
      value: ["0049", "+49", "0x1F", "1_000", ".inf"],
    },
    { says: "the digits of a long YAML number", text: "id: 12345678901234567890", value: { id: "12345678901234567890" } },
    { says: "booleans and nothing", text: "a: true\nb: False\nc: ~\nd:\ne: yes", value: { a: true, b: false, c: null, d: null, e: "yes" } },
    { says: "a block of text with a number sign", text: "a: |\n  # Title\n  x: y\nb: '#1'\n", value: { a: "# Title\nx: y\n", b: "#1" } },
    { says: "lines that end as on Windows", text: "a: 1\r\nb: |\r\n  x\r\n  y\r\n", value: { a: 1, b: "x\ny\n" } },
    { says: "YAML behind a byte order mark", text: "\uFEFFa: 1", value: { a: 1 } },
    { says: "a name of several words as a key", text: "Hotel at the Lake: 4.5\nOld Mill: 3", value: { "Hotel at the Lake": 4.5, "Old Mill": 3 } },
    { says: "names of an object's own as keys", text: "constructor: 1\ntoString: 2", value: { constructor: 1, toString: 2 } },
    { says: "a tab behind a colon", text: "a:\t1", value: { a: 1 } },
  ])("is read: $says", ({ text, value }) => {
    expect(readResult(text)).toEqual(value);
  });

  it.each<{ says: string; text: string }>([
    { says: "nothing", text: "" },
    { says: "a word", text: "done" },
    { says: "a date", text: "2024-05-15" },
    { says: "a JSON string", text: '"a: b"' },
    { says: "a letter", text: "Dear tenant,\nplease note: the rent changes.\nPay to: DE89 3704 0044 0532 0130 00\n\nBest wishes\n" },
    { says: "a mail with its head", text: "From: a@b.example\nSubject: Rent\n\nHello,\nplease pay.\n" },
    { says: "a sentence with a colon", text: "Please note: the office is closed today" },
    { says: "sentences with colons", text: "The total is as follows. See here: 100\nAnd, what is more: 200\n" },
    { says: "a question", text: "Is this right? Answer: yes\nb: 1\n" },
    { says: "a long sentence as a key", text: "what I wanted to tell you all yesterday: no\nb: 1\n" },
    { says: "Markdown", text: "# Notes\n\n- pay: 100\n- call Ann\n" },
    { says: "Markdown behind a head of its own", text: "---\ntitle: Notes\n---\n\nPay 100.\n" },
    { says: "Markdown with emphasis", text: "- **Total**: 5\n- *a*: 6\n" },
    { says: "a table", text: "name,amount\nAnn,100\n" },
    { says: "a table with a time", text: "name,at: time\nAnn,10\n" },
    { says: "a page", text: "<html>\n<body>Pay to: Ann</body>\n</html>" },
    { says: "a line of a page", text: "<p>Pay to: Ann</p>" },
    { says: "half JSON", text: '{"a": 1, "b": ' },
    { says: "JSON and a sentence", text: '{"a": 1}\nPay to Ann.' },
    { says: "half YAML", text: "a: 1\nb: 2\nand now for something else\n" },
    { says: "YAML and a sentence before it", text: "Here it is\n\na: 1\nb: 2\n" },
    { says: "a text in broken quotes", text: "{'a': 'it's mine'}" },
    { says: "two documents", text: "a: 1\n---\nb: 2\n" },
    { says: "a comment, which no reader would keep", text: "a: 1 # pay Ann\nb: 2\n" },
    { says: "a comment behind all", text: "a: 1\n# pay Ann" },
    { says: "a directive", text: "%YAML 1.2\n---\na: 1\n" },
    { says: "a tag", text: "a: !!int '5'\n" },
    { says: "a tag that constructs", text: "a: !!js/function 'function () {}'\n" },
    { says: "a tag at the top", text: "--- !!map\na: 1\n" },
    { says: "an anchor", text: "a: &x 1\nb: 2\n" },
    { says: "an anchor on a list", text: "a: &x [1]\nb: *x\n" },
    { says: "an anchor inside itself", text: "a: &x [*x]\n" },
    { says: "a merge", text: "a: {b: 1}\n<<: {c: 2}\n" },
    { says: "billion laughs", text: BILLION_LAUGHS },
    { says: "a member named twice in JSON", text: '{"a": 1, "b": {"c": 1, "c": 2}}' },
    { says: "a member named twice in JSON, once in escapes", text: String.raw`{"a": 1, "\u0061": 2}` },
    { says: "a member named twice in YAML", text: "a: 1\n'a': 2\n" },
    { says: "a prototype in JSON", text: '{"a": {"__proto__": {"polluted": true}}}' },
    { says: "a prototype in a JSON list", text: '[{"__proto__": {"polluted": true}}]' },
    { says: "a prototype in YAML", text: "__proto__: {polluted: true}\n" },
    { says: "a list as a key", text: "? [a]\n: b\n" },
    { says: "a key of no characters", text: "a: 1\n: b\n" },
    { says: "a tab before a key", text: "a:\n\tb: 1\n" },
    { says: "NUL in YAML", text: "a: b\u0000c\n" },
    { says: "NUL in JSON", text: '{"a": "b\u0000c"}' },
  ])("is prose: $says", ({ text }) => {
    expect(readResult(text)).toBeUndefined();
    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
  });
});

describe("the limits", () => {
  const nested = (levels: number): string => `${"[".repeat(levels)}${"]".repeat(levels)}`;
  const inFlow = (levels: number): string => `${"{a: ".repeat(levels)}1${"}".repeat(levels)}`;
  const inBlocks = (levels: number): string => Array.from({ length: levels }, (_, level) => `${" ".repeat(level)}a:`).join("\n");
  const list = (entries: number): string => `[${Array(entries).fill("1").join(",")}]`;
  const marked = (marks: number): string => `- a${"\n- a".repeat((marks - 1) / 2)}`;
  const json = (characters: number): string => `["${"a".repeat(characters - 4)}"]`;
  const yaml = (characters: number): string => `a: ${"b".repeat(characters - 3)}`;

  it.each<{ says: string; within: string; beyond: string }>([
    { says: "levels of JSON", within: nested(LEVELS_MAX), beyond: nested(LEVELS_MAX + 1) },
    { says: "levels of YAML in brackets", within: inFlow(LEVELS_MAX), beyond: inFlow(LEVELS_MAX + 1) },
    { says: "levels of YAML in lines", within: inBlocks(LEVELS_MAX), beyond: inBlocks(LEVELS_MAX + 1) },
    { says: "values of JSON", within: list(NODES_MAX - 1), beyond: list(NODES_MAX) },
    { says: "marks of YAML", within: marked(YAML_MARKS_MAX - 1), beyond: marked(YAML_MARKS_MAX + 1) },
    { says: "characters of JSON", within: json(RESULT_CHARACTERS_MAX), beyond: json(RESULT_CHARACTERS_MAX + 1) },
    { says: "characters of YAML", within: yaml(YAML_CHARACTERS_MAX), beyond: yaml(YAML_CHARACTERS_MAX + 1) },
  ])("hold for $says", ({ within, beyond }) => {
    expect(readResult(within)).toBeDefined();
    expect(readResult(beyond)).toBeUndefined();
  });

  // As long as anything that is reported may be: none of them may grow the stack, and none is worth more than a look at its characters.
  it.each(["[", "{", '{"a":', "[1,", '"', "{'a': ", "- ", "? ", "a: ", "a: &a [*a]\n", " ", "\n", "#", "\\", '["\\', "!", "%TAG ! a\n", "a: |\n"])(
    "leave nothing of a mebibyte of %j",
    (piece) => {
      expect(readResult(piece.repeat(RESULT_CHARACTERS_MAX / piece.length))).toBeUndefined();
      expect(readResult(piece.repeat(YAML_CHARACTERS_MAX / piece.length))).toBeUndefined();
    },
  );
});

describe("any text", () => {
  const pieces = fc.constantFrom(
    ..."[]{}:,-?#&*!|>%@'\" \t\n\r\\\u0000\uFEFFab1",
    "- ",
    ": ",
    "\n  ",
    "---\n",
    "<<: ",
    "&a ",
    "*a ",
    "!!x ",
    "__proto__",
    '"a"',
    "true",
    "|\n",
  );
  const texts = fc.oneof(
    fc.array(pieces, { maxLength: 60 }).map((parts) => parts.join("")),
    fc.string({ unit: "binary", maxLength: 60 }),
  );

  it("is read or is prose, and never throws", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const value = readResult(text);
        expect(value === undefined || (typeof value === "object" && value !== null)).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });

  /** A whole number that JSON cannot carry comes back as its digits. */
  const withDigits = (_key: string, value: unknown): unknown =>
    typeof value === "number" && Math.abs(value) > Number.MAX_SAFE_INTEGER && !String(value).includes("e") ? String(value) : value;
  const values = fc
    .jsonValue({ maxDepth: 6 })
    .filter((value) => typeof value === "object" && value !== null && !JSON.stringify(value).includes("__proto__"));

  it.each([undefined, 2])("that is JSON is read as what it is, indented by %s", (indent) => {
    fc.assert(
      fc.property(values, (value) => {
        expect(readResult(JSON.stringify(value, undefined, indent))).toEqual(JSON.parse(JSON.stringify(value, withDigits)));
      }),
      { numRuns: 500 },
    );
  });
});
