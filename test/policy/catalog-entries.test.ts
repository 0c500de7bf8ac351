import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/core/words.ts";
import { catalogOf, withEntries } from "../../src/policy/catalog-entries.ts";
import type { Complaint } from "../../src/policy/complaints.ts";
import { readDocument } from "../../src/policy/document.ts";

const ENTRY: JsonObject = { effect: "read", reversibility: "reversible", output: { trust: "trusted", categories: ["a"] } };
const entries = new Map<string, JsonObject>([["crm/new", ENTRY]]);

function added(text: string): string {
  const complaints: Complaint[] = [];
  const document = readDocument("catalog/crm.json", text, complaints);
  if (!document) throw new Error(JSON.stringify(complaints));
  return withEntries(document, entries);
}

const WRITTEN = `    "crm/new": {
      "effect": "read",
      "reversibility": "reversible",
      "output": { "trust": "trusted", "categories": ["a"] }
    }
`;

describe("entries of a catalog", () => {
  it("make a file as an author writes it", () => {
    expect(catalogOf(entries)).toBe(`{\n  "$schema": "../schema/catalog.schema.json",\n  "tools": {\n${WRITTEN}  }\n}\n`);
  });

  it.each([
    {
      says: "tools",
      before: '{\n  "tools": {\n    "old": { "effect":   "pay" }\n  },\n  "resources": [ ]\n}\n',
      kept: ['"old": { "effect":   "pay" }', '"resources": [ ]'],
    },
    { says: "no tools", before: '{ "resources": [ ] }', kept: ['"resources": [ ]'] },
    { says: "an empty list of tools", before: '{ "tools": {} }\n', kept: [] },
    { says: "nothing", before: "{}", kept: [] },
    { says: "everything on one line", before: '{"tools":{"old":{"effect":"pay"}}}', kept: ['{"tools":{"old":{"effect":"pay"}'] },
  ])("are added to a file that has $says, which stays as it is", ({ before, kept }) => {
    const after = added(before);
    const value = JSON.parse(after);
    const old = JSON.parse(before);
    expect(value).toEqual({ ...old, tools: { ...old.tools, "crm/new": ENTRY } });
    for (const text of kept) expect(after).toContain(text);
    expect(after).toContain(WRITTEN);
  });

  it("change nothing where there are none", () => {
    const document = readDocument("x.json", '{ "tools": {} }', []);
    expect(document && withEntries(document, new Map())).toBe('{ "tools": {} }');
  });
});
