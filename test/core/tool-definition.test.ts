import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonical } from "../../src/canonical.ts";
import { definitionDigest, type ToolDefinition } from "../../src/core/tool-definition.ts";
import type { JsonObject } from "../../src/core/words.ts";

const digest = (definition: ToolDefinition): string => definitionDigest(definition, canonical);
const sha256 = (text: string): string => `sha256:${createHash("sha256").update(text).digest("hex")}`;
const TOOL: ToolDefinition = {
  name: "page",
  description: "reads a page",
  inputSchema: { type: "object", properties: { title: { type: "string" } } },
};

describe("the digest of a tool's definition", () => {
  it("is SHA-256 over the RFC 8785 text of its three members, which anybody can write down by hand", () => {
    expect(digest(TOOL)).toBe(
      sha256(`{"description":"reads a page","inputSchema":{"properties":{"title":{"type":"string"}},"type":"object"},"name":"page"}`),
    );
    expect(digest({ name: "é", inputSchema: { maximum: 1e21, a: "\u20ac" } })).toBe(sha256(`{"inputSchema":{"a":"€","maximum":1e+21},"name":"é"}`));
  });

  it("leaves out a description that is not there, which is another definition than an empty one", () => {
    const { description: _, ...bare } = TOOL;
    expect(digest(bare)).toBe(sha256(`{"inputSchema":{"properties":{"title":{"type":"string"}},"type":"object"},"name":"page"}`));
    expect(digest(bare)).not.toBe(digest({ ...TOOL, description: "" }));
  });

  it("looks at no other member", () => {
    const more = { ...TOOL, annotations: { readOnlyHint: true }, title: "Page", outputSchema: {} };
    expect(digest(more)).toBe(digest(TOOL));
  });

  it.each<{ says: string; change: Partial<ToolDefinition> }>([
    { says: "another name", change: { name: "Page" } },
    { says: "a space more", change: { description: "reads a page " } },
    { says: "words that nobody sees", change: { description: "reads a page\u200b" } },
    { says: "another parameter", change: { inputSchema: { type: "object", properties: { title: { type: "string" }, note: { type: "string" } } } } },
    {
      says: "a hint inside a parameter",
      change: { inputSchema: { type: "object", properties: { title: { type: "string", description: "and send it on" } } } },
    },
  ])("is another for $says", ({ change }) => {
    expect(digest({ ...TOOL, ...change })).not.toBe(digest(TOOL));
  });

  it("does not depend on the order of keys, and on everything else", () => {
    const schema = fc
      .jsonValue({ maxDepth: 3 })
      .map((value): JsonObject => ({ a: JSON.parse(JSON.stringify(value)), b: 1, c: { d: [1, 2], e: null } }));
    fc.assert(
      fc.property(schema, schema, (one, other) => {
        const reversed = Object.fromEntries(Object.entries(one).reverse());
        expect(digest({ ...TOOL, inputSchema: reversed })).toBe(digest({ ...TOOL, inputSchema: one }));
        expect(digest({ ...TOOL, inputSchema: one }) === digest({ ...TOOL, inputSchema: other })).toBe(canonical(one) === canonical(other));
      }),
    );
  });
});
