import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { createValueReader, TEXT_MAX, type ValueKind } from "../../src/inference/named-values.ts";
import { createLanguage } from "../../src/inference/statement.ts";

const valuesOf = createValueReader();
const found = (text: string) => valuesOf(text).map(({ kind, value }) => `${kind} ${value}`);

describe("what a statement names", () => {
  it.each<{ says: string; statement: string; names: readonly string[] }>([
    { says: "what is quoted, and no name inside", statement: "Read 'Minutes of May' aloud", names: ["quoted Minutes of May"] },
    { says: "names that begin no sentence", statement: "Invite Anna Weber. Then call Bob.", names: ["name Anna Weber", "name Bob"] },
    { says: "no name at a beginning", statement: "Bob is late.\n- Mail him\n2. Wait", names: [] },
    { says: "a name behind a title", statement: "Write to Dr. Okafor today", names: ["name Okafor"] },
    { says: "whose something is", statement: "Open Priya's folder", names: ["name Priya"] },
    { says: "no weekday or month as a name", statement: "Meet on Monday in June", names: [] },
    { says: "mail addresses in one spelling", statement: "Mail Ada@Example.ORG.", names: ["email ada@example.org"] },
    { says: "web addresses with their paths", statement: "Open https://example.org/a/b?c=1, please", names: ["url https://example.org/a/b?c=1"] },
    { says: "hosts", statement: "Restart db1.internal and 10.0.0.7:5432", names: ["host db1.internal", "host 10.0.0.7:5432"] },
    { says: "no host where a blank is missing", statement: "Do this first.Then rest", names: [] },
    { says: "accounts, grouped or not", statement: "Pay DE89 3704 0044 0532 0130 00", names: ["iban DE89 3704 0044 0532 0130 00"] },
    { says: "phone numbers", statement: "Text +49 170 1234567 now", names: ["phone +49 170 1234567"] },
    { says: "channels and handles", statement: "Post it in #general for @ines", names: ["handle #general", "handle @ines"] },
    { says: "paths", statement: "Move /srv/a to ~/b and src/main.go", names: ["path /srv/a", "path ~/b", "path src/main.go"] },
    { says: "files, which are no hosts", statement: "Attach plan-v2.docx", names: ["file plan-v2.docx"] },
    { says: "dates in one spelling", statement: "From 2026-05-15 to May 20th", names: ["date 2026-05-15", "date 05-20"] },
    { says: "times", statement: "Between 14:30 and 4 pm", names: ["time 14:30", "time 4 pm"] },
    {
      says: "amounts with their currency",
      statement: "Pay $1,200.50, EUR 20 or 5 euros",
      names: ["amount $1,200.50", "amount EUR 20", "amount 5 euros"],
    },
    { says: "counts with what they count", statement: "Book 3 rooms for two people", names: ["count 3", "count 2"] },
    { says: "no count where a list is numbered", statement: "1. Wait\n2) Rest", names: [] },
    { says: "no name behind the number of a line", statement: "1. Wait\n2) Rest", names: [] },
    { says: "nothing in other scripts", statement: "删除所有文件 и письма", names: [] },
    { says: "nothing in nothing", statement: "", names: [] },
  ])("$says", ({ statement, names }) => {
    expect(found(statement)).toEqual(names);
  });

  it.each([
    { statement: "Reply to the last email from Dr. Anna Weber", words: ["the last email from Dr. Anna Weber"] },
    { statement: "Do what the file 'todo.txt' says", words: ["the file 'todo.txt'"] },
    { statement: "Look in my inbox", words: ["my inbox"] },
    { statement: "Pay the bill bill.pdf", words: ["the bill bill.pdf"] },
    { statement: "Write an email to Bob", words: [] },
    { statement: "Email bob@example.org", words: [] },
    { statement: "Send messages", words: [] },
  ])("sources: $statement", ({ statement, words }) => {
    expect(
      valuesOf(statement)
        .filter(({ kind }) => kind === "source")
        .map((value) => value.words),
    ).toEqual(words);
  });

  it("tells each with words that stand in the statement", () => {
    const piece = fc.constantFrom(
      "the mail from Bob",
      "'a b'",
      "$5",
      "3 cats",
      "x@y.org",
      "/a/b",
      "May 2",
      "+49 170 1234567",
      "\n",
      ". ",
      "—",
      "é",
      "12:30",
      "a.txt",
      "Mr. X",
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string({ maxLength: 8 })), { maxLength: 30 }), (pieces) => {
        const text = pieces.join(" ");
        // Some of those that stand further apart are told with one blank between.
        const closer = (spaced: string): string => spaced.replaceAll(/[ \t]+/gu, " ");
        for (const { words } of valuesOf(text)) expect(closer(text)).toContain(closer(words));
      }),
    );
  });

  it("tells every date and every quotation that decisions read", () => {
    const { readStatement } = createLanguage();
    const text = "Move 'the review' from May 3 2026 to 2026-06-01, or 5th of July, and tell “all of them”.";
    const { dates, quoted } = readStatement(text);
    const kinds = (kind: ValueKind) => valuesOf(text).flatMap((value) => (value.kind === kind ? [value.value] : []));
    expect({ dates: [...dates].sort(), quoted }).toEqual({ dates: kinds("date").sort(), quoted: kinds("quoted") });
    expect(dates).toHaveLength(3);
  });
});

/** How often it looks words up, and takes a text apart. */
function workOn(text: string, read: (text: string) => unknown): number {
  const spies = [
    vi.spyOn(Set.prototype, "has"),
    vi.spyOn(Map.prototype, "get"),
    vi.spyOn(RegExp.prototype, "exec"),
    vi.spyOn(RegExp.prototype, "test"),
    vi.spyOn(String.prototype, "slice"),
  ];
  try {
    read(text);
    return spies.reduce((sum, spy) => sum + spy.mock.calls.length, 0);
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

describe("the work of it", () => {
  const hard = [
    "the mail from the mail from ",
    "A Bc De ",
    "a.b.",
    "1,2,3 ",
    "Mr. ",
    "'",
    "x@",
    "delete ",
    "reply ",
    "kindly delete ",
    "not ",
    "from of by ",
    "/a ",
    "((( ",
    "EUR ",
    "+4 ",
  ];

  it.each(hard)("grows with the text and not with its square: %j", (piece) => {
    const half = piece.repeat(TEXT_MAX / 8 / piece.length);
    for (const read of [valuesOf, createLanguage().readStatement]) {
      read(half);
      expect(workOn(half + half, read)).toBeLessThan(2.5 * workOn(half, read) + 200);
    }
  });

  it("would show where it grows with the square", () => {
    const words = new Set(["a"]);
    const compareAll = (text: string) => text.split(" ").map((_, __, all) => all.filter((word) => words.has(word)));
    const half = "a ".repeat(100);
    expect(workOn(half + half, compareAll)).toBeGreaterThan(2.5 * workOn(half, compareAll) + 200);
  });

  it("reads no more than a statement may have", () => {
    expect(found(`${"x ".repeat(TEXT_MAX / 2)} mail ada@example.org`)).toEqual([]);
  });
});
