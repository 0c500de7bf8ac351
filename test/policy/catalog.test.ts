import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/core/words.ts";
import { compilePolicy } from "../../src/policy/load.ts";
import { complaintsOf, filesOf } from "../policies.ts";

const toolOf = (says: JsonObject) =>
  compilePolicy(filesOf({ tools: { t: { effect: "read", reversibility: "reversible", output: { trust: "untrusted" }, ...says } } })).policy.tools.get(
    "t",
  );

describe("a catalog says of a tool", () => {
  it("what its actions are done to", () => {
    expect(toolOf({ objects: ["invoice", "e-mail", "бұйрық"] })?.objects).toEqual(["invoice", "e-mail", "бұйрық"]);
    expect(toolOf({})).not.toHaveProperty("objects");
  });

  it("who may write a field of what it returns", () => {
    const output = { trust: "untrusted", fields: { id: "trusted", body: "untrusted" } };
    expect([...(toolOf({ output })?.output.fields ?? [])]).toEqual([
      ["id", "trusted"],
      ["body", "untrusted"],
    ]);
    expect(toolOf({})?.output).not.toHaveProperty("fields");
  });

  it("no more than there is a limit for", () => {
    const objects = Array.from({ length: 64 }, (_, at) => `${"o".repeat(62)}${at % 10}${Math.floor(at / 10)}`);
    expect(toolOf({ objects })?.objects).toHaveLength(64);
    expect(complaintsOf(() => toolOf({ objects: [...objects, "one"] }))).toEqual(["expected at most 64 of them, found 65"]);
    expect(complaintsOf(() => toolOf({ objects: ["o".repeat(65)] }))).toEqual([expect.stringContaining("is not one noun in lower case")]);
  });
});
