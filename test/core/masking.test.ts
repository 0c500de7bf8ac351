import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createKeyedDigest, maskRequest } from "../../src/core/masking.ts";
import type { DecisionRequest } from "../../src/core/request.ts";
import { policyOf } from "../policies.ts";

const digest = createKeyedDigest(Buffer.alloc(32, "key"));
const policy = policyOf({
  tools: { vault: { effect: "read", reversibility: "reversible", arguments: { word: "secret" }, output: { trust: "trusted" } } },
});

const mask = (args: DecisionRequest["action"]["arguments"], tool = "vault") =>
  maskRequest({ agent: { id: "bot" }, action: { tool, arguments: args } }, policy, digest);

describe("a keyed digest", () => {
  it("is HMAC-SHA-256 for every key and text", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), fc.string({ unit: "binary" }), (key, text) => {
        const expected = createHmac("sha256", key).update(text).digest("hex");
        expect(createKeyedDigest(Buffer.from(key))(text)).toBe(`hmac-sha256:${expected}`);
      }),
    );
  });
});

describe("masking", () => {
  it("replaces what the catalog calls a secret, and what a key calls one, however deep", () => {
    const { request, masked } = mask({ word: "one", apiKey: "two", list: [{ password: "three" }], plain: "four", nothing: { token: null } });
    expect(masked).toBe(3);
    expect(request.action.arguments).toEqual({
      word: { kind: "string", length: 3, digest: digest("one") },
      apiKey: { kind: "string", length: 3, digest: digest("two") },
      list: [{ password: { kind: "string", length: 5, digest: digest("three") } }],
      plain: "four",
      nothing: { token: null },
    });
  });

  it("leaves nothing of a secret that is no string", () => {
    const { request } = mask({ word: ["alpha", { beta: 7 }] });
    expect(request.action.arguments["word"]).toMatchObject({ kind: "list" });
    expect(JSON.stringify(request)).not.toMatch(/alpha|beta/);
  });

  it("masks attributes of agent, resource and context too", () => {
    const { request, masked } = maskRequest(
      {
        agent: { id: "bot", attributes: { token: "alpha" } },
        action: { tool: "x", arguments: {}, resource: { type: "t", id: "i", attributes: { secret: "beta" } } },
        context: { attributes: { cookie: "gamma" } },
      },
      policy,
      digest,
    );
    expect(masked).toBe(3);
    expect(JSON.stringify(request)).not.toMatch(/alpha|beta|gamma/);
  });

  it("leaves what the catalog calls a target as it is, so that reach and labels see it", () => {
    const places = policyOf({
      tools: { vault: { effect: "read", reversibility: "reversible", arguments: { secret: "target" }, output: { trust: "trusted" } } },
    });
    const request = { agent: { id: "bot" }, action: { tool: "vault", arguments: { secret: { token: "prod/db" } } } };
    expect(maskRequest(request, places, digest)).toEqual({ request, masked: 0 });
  });

  it("knows a role by the tool: the same name in another tool is plain", () => {
    expect(mask({ word: "one" }, "other").masked).toBe(0);
  });

  it("gives equal secrets equal digests, and different ones different digests", () => {
    const of = (word: string): unknown => mask({ word }).request.action.arguments["word"];
    expect(of("same")).toEqual(of("same"));
    expect(of("same")).not.toEqual(of("sama"));
  });
});
