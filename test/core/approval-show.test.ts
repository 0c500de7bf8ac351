import { describe, expect, it } from "vitest";
import { deceptionsIn, visible } from "../../src/core/approvals/deceptions.ts";
import { gradingOf, type Known } from "../../src/core/approvals/provenance.ts";
import { type Shown, shown } from "../../src/core/approvals/show.ts";
import type { DecisionRequest } from "../../src/core/request.ts";
import type { Json, JsonObject } from "../../src/core/words.ts";
import { GATEWAY, liveApprovals, PORTAL, payPolicy, person } from "./live-approvals.ts";

const KNOWN: Known = {
  graded: {},
  statement: "Pay bob@example.com 50.00 EUR for invoice 12, account DE89 3704 0044 0532 0130 00.",
  endorsed: ["carol@example.net", "see https://shop.example/terms"],
  own: ["Alice", "alice@example.org"],
};

describe("where a value is known from", () => {
  it.each<{ says: string; value: Json; grade: string }>([
    { says: "an address in the statement is stated", value: "bob@example.com", grade: "stated" },
    { says: "so it is in capitals", value: "BOB@EXAMPLE.COM", grade: "stated" },
    { says: "a number in the statement is stated", value: 12, grade: "stated" },
    { says: "part of a longer number is not", value: "50.0", grade: "unseen" },
    { says: "part of a longer address is not", value: "ob@example.com", grade: "unseen" },
    { says: "the domain of an address is not", value: "example.com", grade: "unseen" },
    { says: "an address that goes on is not", value: "bob@example.co", grade: "unseen" },
    { says: "what a person endorsed is endorsed", value: "carol@example.net", grade: "endorsed" },
    { says: "what an attribute of the person says is own", value: "alice@example.org", grade: "own" },
    { says: "of several values the worst counts", value: ["bob@example.com", "mallory@example.com"], grade: "unseen" },
    { says: "nothing is known from nowhere", value: "", grade: "unseen" },
  ])("$says", ({ value, grade }) => {
    expect(gradingOf(KNOWN).gradeOf("to", value)).toBe(grade);
  });

  it("takes the words of nobody's task for nothing", () => {
    expect(gradingOf({ graded: {}, endorsed: [], own: [] }).gradeOf("to", "bob@example.com")).toBe("unseen");
  });

  it("looks at each identifier inside free text", () => {
    expect(gradingOf(KNOWN).identifiersOf("body", "Write to bob@example.com, copy mallory@evil.example")).toEqual([
      { value: "bob@example.com", provenance: "stated" },
      { value: "mallory@evil.example", provenance: "unseen" },
    ]);
  });
});

describe("what a decision has found of its values", () => {
  const graded: Known["graded"] = {
    to: "attested",
    both: "free_text",
    iban: "attested",
    "evil.example/a": "named_source",
    "mallory@evil.example": "free_text",
  };
  const grading = gradingOf({ ...KNOWN, graded });

  it.each<{ says: string; name: string; value: Json; grade: string; identifiers: readonly string[] }>([
    { says: "counts before people's words", name: "to", value: "dan@example.com", grade: "attested", identifiers: ["attested"] },
    {
      says: "counts for each of several",
      name: "both",
      value: ["bob@example.com", "mallory@evil.example"],
      grade: "free_text",
      identifiers: ["stated", "free_text"],
    },
    {
      says: "counts in whatever spelling",
      name: "iban",
      value: "GB29 NWBK 6016 1331 9268 19",
      grade: "attested",
      identifiers: ["attested", "attested"],
    },
    {
      says: "counts for an address inside a text",
      name: "body",
      value: "see https://evil.example/a",
      grade: "unseen",
      identifiers: ["named_source", "named_source"],
    },
    { says: "leaves a text as it is", name: "body", value: "Write to eve@evil.example", grade: "unseen", identifiers: ["unseen"] },
    { says: "says nothing of what it has no name for", name: "constructor", value: "x", grade: "unseen", identifiers: [] },
  ])("$says", ({ name, value, grade, identifiers }) => {
    expect(grading.gradeOf(name, value)).toBe(grade);
    expect(grading.identifiersOf(name, value).map(({ provenance }) => provenance)).toEqual(identifiers);
  });
});

describe("256 KiB of arguments", () => {
  // Each looked for by itself, in a statement that is read anew for it, these take the decisions' time for minutes.
  const words = "a b ".repeat(1_000);
  const grading = gradingOf({
    graded: {},
    statement: `${words}bob@example.com`,
    endorsed: Array.from({ length: 64 }, (_, at) => `e${at}@example.com `.repeat(20)),
    own: [],
  });
  it.each<[says: string, value: Json, grade: string]>([
    ["of one letter each", Array.from({ length: 65_000 }, () => "a"), "stated"],
    ["of numbers", Array.from({ length: 50_000 }, (_, at) => at), "unseen"],
    ["of what was endorsed", Array.from({ length: 20_000 }, (_, at) => `e${at % 64}@example.com`), "endorsed"],
  ])("%s are graded to their end", (_, value, grade) => {
    for (let times = 0; times < 20; times++) expect(grading.gradeOf("to", value)).toBe(grade);
  });
});

describe("what is meant to deceive a reader", () => {
  it.each<{ says: string; value: Json; warns: readonly string[] }>([
    { says: "says nothing of plain text", value: { to: "bob@example.com", body: "Hello,\n\tBob – naïve Ω, мир" }, warns: [] },
    {
      says: "names marks that turn text round",
      value: { to: "gnp\u202e.exe" },
      warns: ["`arguments.to` holds marks that turn the direction of text (U+202E): it may not read as it is"],
    },
    { says: "names what a terminal would obey", value: { to: "\u001b[2J" }, warns: ["`arguments.to` holds control characters (U+001B)"] },
    { says: "names what nobody sees", value: { to: "bo\u200bb" }, warns: ["`arguments.to` holds invisible characters (U+200B)"] },
    {
      says: "names words of two alphabets",
      value: { to: ["ok", "p\u0430ypal"] },
      warns: ["`arguments.to[1]` mixes alphabets that look alike in `p\u0430ypal`"],
    },
    { says: "looks at keys too", value: { "k\u0007": 1 }, warns: ["a key in `arguments` holds control characters (U+0007)"] },
    { says: "says that text is long", value: { to: "x".repeat(2_001) }, warns: ["`arguments.to` is 2,001 characters long: read it to its end"] },
  ])("$says", ({ value, warns }) => {
    expect(deceptionsIn(value, "arguments")).toEqual(warns);
  });

  it("gives a bounded number of warnings", () => {
    expect(
      deceptionsIn(
        Array.from({ length: 1_000 }, () => "\u0007"),
        "arguments",
      ).length,
    ).toBeLessThanOrEqual(51);
  });

  it("says that there are more, so that nobody hides one behind many", () => {
    const many = Array.from({ length: 60 }, () => "\u0007");
    expect(deceptionsIn([...many, "gnp\u202e.exe"], "arguments").at(-1)).toBe(
      "there may be more of the kind, of which this list is too full to tell",
    );
  });

  it("writes what is not seen as its code point", () => {
    expect(visible("a\u202eb\u001b[31m\nc\u{e0041}")).toBe("a⟨U+202E⟩b⟨U+001B⟩[31m⟨U+000A⟩c⟨U+E0041⟩");
  });
});

describe("what differs from what was approved last", () => {
  const policy = payPolicy();
  async function shownOf(before: JsonObject, now: JsonObject): Promise<Shown> {
    const live = liveApprovals({ policy });
    const { task } = await live.tasks.open(PORTAL, {
      statement: "pay",
      principal: { type: "user", id: "alice" },
      agent: "payer",
      scopeKind: "issued",
      scope: {},
    });
    const idOf = async (args: JsonObject): Promise<string> => {
      const request: DecisionRequest = { agent: { id: "payer" }, task: { id: task.id }, action: { tool: "bank/pay", arguments: args } };
      return (await live.decider.decide({ caller: GATEWAY, request })).record.approval?.id ?? "none";
    };
    await live.approvals.resolve(person("ann"), { id: await idOf(before), verdict: "approve" });
    return shown(await live.approvals.show(person("ann"), await idOf(now)), policy);
  }

  it("is told field by field, also where one is called like the way to another", async () => {
    const { differences } = await shownOf({ to: { iban: "a" }, "to.iban": "b" }, { to: { iban: "c" }, "to.iban": "b" });
    expect(differences).toEqual([{ field: "action.arguments.to.iban", before: "a", now: "c" }]);
  });

  it("is said to be more than is told, so that nobody hides one behind many", async () => {
    const filler = Object.fromEntries(Array.from({ length: 250 }, (_, at) => [`a${at}`, at]));
    const { differences, warnings } = await shownOf({ to: "a" }, { ...filler, to: "b" });
    expect(differences).toHaveLength(200);
    expect(warnings).toEqual(["51 more differences from what was approved last are not listed: read every argument"]);
  });
});
