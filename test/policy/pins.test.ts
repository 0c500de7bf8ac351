import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Complaint } from "../../src/policy/complaints.ts";
import { type Document, plainValue, readDocument } from "../../src/policy/document.ts";
import { compilePolicy } from "../../src/policy/load.ts";
import { comparePins, type ListedTools, withPins } from "../../src/policy/pins.ts";
import { filesOf } from "../policies.ts";

const [A, B] = ["a", "b"].map((digit) => `sha256:${digit.repeat(64)}`) as [string, string];

function documentOf(text: string, file = "catalog/x.json"): Document {
  const complaints: Complaint[] = [];
  const document = readDocument(file, text, complaints);
  if (!document) throw new Error(complaints.map(({ message }) => message).join());
  return document;
}

const catalog = (tools: Readonly<Record<string, string | undefined>>, file?: string): Document =>
  documentOf(
    JSON.stringify({ tools: Object.fromEntries(Object.entries(tools).map(([name, pinned]) => [name, { owner: "o", definition_digest: pinned }])) }),
    file,
  );

const listing = (tools: Readonly<Record<string, string>>): ListedTools => new Map(Object.entries(tools));
const statesOf = (documents: readonly Document[], listed: ListedTools) => comparePins(documents, listed).map(({ tool, state }) => `${tool} ${state}`);

describe("a catalog and what a server lists", () => {
  it.each<{ says: string; has: Readonly<Record<string, string | undefined>>; lists: Readonly<Record<string, string>>; states: readonly string[] }>([
    { says: "the pinned definition is the same", has: { "crm/read": A }, lists: { "crm/read": A }, states: ["crm/read same"] },
    { says: "another one has drifted", has: { "crm/read": A }, lists: { "crm/read": B }, states: ["crm/read drifted"] },
    { says: "one that is not pinned can be", has: { "crm/read": undefined }, lists: { "crm/read": B }, states: ["crm/read unpinned"] },
    { says: "what the catalog lacks is new", has: { "crm/read": A }, lists: { "crm/read": A, "crm/x": B }, states: ["crm/x new", "crm/read same"] },
    {
      says: "what the server lists no more is gone",
      has: { "crm/read": A, "crm/x": A },
      lists: { "crm/read": A },
      states: ["crm/x gone", "crm/read same"],
    },
    { says: "gone is gone though it was never pinned", has: { a: A, b: undefined }, lists: { a: A }, states: ["b gone", "a same"] },
    { says: "of another server the list says nothing", has: { "crm/read": A, "mail/send": A }, lists: { "crm/read": A }, states: ["crm/read same"] },
    { says: "a digest in capitals is another", has: { a: A.toUpperCase() }, lists: { a: A }, states: ["a drifted"] },
    {
      says: "the worst come first",
      has: { d: A, g: A, s: A, u: undefined },
      lists: { d: B, n: B, s: A, u: A },
      states: ["d drifted", "g gone", "n new", "u unpinned", "s same"],
    },
    { says: "a tool may be called like what every object has", has: { a: A }, lists: { toString: B, a: A }, states: ["toString new", "a same"] },
  ])("$says", ({ has, lists, states }) => {
    expect(statesOf([catalog(has)], listing(lists))).toEqual(states);
  });

  it("are compared over all files, and nothing is gone from a file that the server's tools are not in", () => {
    const files = [catalog({ pay: A }, "bank.json"), catalog({ send: A, receive: A }, "mail.json")];
    expect(comparePins(files, listing({ send: A }))).toEqual([
      { tool: "receive", state: "gone", file: "mail.json", pinned: A },
      { tool: "send", state: "same", file: "mail.json", pinned: A, listed: A },
    ]);
  });

  it("say nothing of a catalog without tools", () => {
    expect(statesOf([documentOf(`{ "resources": [] }`)], listing({ a: A }))).toEqual(["a new"]);
  });
});

describe("definitions are pinned", () => {
  it.each([
    {
      says: "on a line of its own where members have one",
      from: `{\n  "tools": {\n    "a": {\r\n      "effect": "read",\r\n      "owner": "o"\r\n    }\n  }\n}\n`,
      to: `{\n  "tools": {\n    "a": {\r\n      "effect": "read",\r\n      "owner": "o",\r\n      "definition_digest": "${A}"\r\n    }\n  }\n}\n`,
    },
    {
      says: "on the same line where they share one",
      from: `{"tools":{"a":{ "effect": "read", "owner": "o" },"b":{}}}`,
      to: `{"tools":{"a":{ "effect": "read", "owner": "o", "definition_digest": "${A}" },"b":{}}}`,
    },
    {
      says: "after a member that is alone",
      from: `{ "tools": { "a": {\n\t"effect": "read"\n} } }`,
      to: `{ "tools": { "a": {\n\t"effect": "read",\n\t"definition_digest": "${A}"\n} } }`,
    },
    { says: "in a tool that says nothing", from: `{ "tools": { "a": {} } }`, to: `{ "tools": { "a": {"definition_digest": "${A}"} } }` },
    {
      says: "in place of another one",
      from: `{ "tools": { "a": { "definition_digest" :  "${B}" , "owner": "o" } } }`,
      to: `{ "tools": { "a": { "definition_digest" :  "${A}" , "owner": "o" } } }`,
    },
    {
      says: "in place of what is no digest",
      from: `{ "tools": { "a": { "definition_digest": null } } }`,
      to: `{ "tools": { "a": { "definition_digest": "${A}" } } }`,
    },
    {
      says: "after a member that ends in a list",
      from: `{ "tools": { "a": { "x": 1,   "categories": ["c,d"] } } }`,
      to: `{ "tools": { "a": { "x": 1,   "categories": ["c,d"],   "definition_digest": "${A}" } } }`,
    },
  ])("to the byte: $says", ({ from, to }) => {
    expect(withPins(documentOf(from), listing({ a: A }))).toBe(to);
    expect(withPins(documentOf(to), listing({ a: A, c: B }))).toBe(to);
  });

  it("and any catalog then says just that more, however it is spaced", () => {
    const name = fc.constantFrom("crm/read", "mail/send", "pay", 'é"\\');
    const tool = fc.record(
      { owner: fc.constant("o"), definition_digest: fc.constantFrom(A, B), categories: fc.constant([",", "}"]) },
      { requiredKeys: [], noNullPrototype: true },
    );
    const tools = fc.dictionary(name, tool, { noNullPrototype: true });
    const listed = fc.dictionary(name, fc.constantFrom(A, B), { noNullPrototype: true });
    fc.assert(
      fc.property(tools, listed, fc.constantFrom(undefined, 1, 2, "\t"), (stated, lists, indent) => {
        const after = documentOf(withPins(documentOf(JSON.stringify({ tools: stated }, null, indent)), listing(lists)));
        const expected = Object.fromEntries(
          Object.entries(stated).map(([key, value]) => [key, Object.hasOwn(lists, key) ? { ...value, definition_digest: lists[key] } : value]),
        );
        expect(plainValue(after.root)).toEqual({ tools: expected });
        expect(comparePins([after], listing(lists)).filter(({ state }) => state === "drifted" || state === "unpinned")).toEqual([]);
      }),
    );
  });

  it("and the loader reads them", () => {
    const files = filesOf({ tools: { a: { effect: "read", reversibility: "reversible", output: { trust: "trusted" } } } });
    const text = withPins(documentOf(files["catalog/test.json"] ?? ""), listing({ a: A }));
    expect(compilePolicy({ ...files, "catalog/test.json": text }).policy.tools.get("a")?.definitionDigest).toBe(A);
  });
});
