import { parse } from "jsonc-parser";
import { describe, expect, it } from "vitest";
import { mergeMappings } from "../../src/cli/editor-settings.ts";
import { schemaMappings, vscodeSettings } from "../../src/cli/schema-files.ts";

const mappings = schemaMappings("rules");

function merged(text: string): string {
  const result = mergeMappings(text, mappings);
  if ("problem" in result) throw new Error(result.problem);
  return result.text;
}

const schemasOf = (text: string): unknown => parse(text, [], { allowTrailingComma: true })["json.schemas"];

describe("VS Code's settings", () => {
  it.each<{ says: string; text: string; keeps: readonly string[] }>([
    { says: "that are empty", text: "", keeps: [] },
    { says: "that say nothing", text: "{}\n", keeps: [] },
    { says: "with comments", text: '{\n  // mine\n  "editor.tabSize": 2\n}\n', keeps: ["// mine", '"editor.tabSize": 2'] },
    { says: "with a trailing comma", text: '{\n  "editor.tabSize": 2,\n}\n', keeps: ['"editor.tabSize": 2'] },
    { says: "with tabs", text: '{\n\t"editor.tabSize": 2\n}\n', keeps: ['\n\t"editor.tabSize": 2', '\n\t"json.schemas"'] },
    { says: "with an empty list of schemas", text: '{ "json.schemas": [] }', keeps: [] },
    {
      says: "with the line ends of Windows",
      text: '{\r\n  "editor.tabSize": 2\r\n}\r\n',
      keeps: ['\r\n  "editor.tabSize": 2', '\r\n  "json.schemas"'],
    },
  ])("$says get the mappings and keep the rest", ({ text, keeps }) => {
    const after = merged(text);
    expect(schemasOf(after)).toEqual(mappings);
    for (const part of keeps) expect(after).toContain(part);
  });

  it("keep other schemas, and one of ours that somebody has mapped otherwise", () => {
    const [first, ...rest] = mappings;
    const own = [{ fileMatch: ["x.json"], url: "./x.schema.json" }, { fileMatch: ["/elsewhere.json"], url: first?.url }, "not a mapping"];
    expect(schemasOf(merged(JSON.stringify({ "json.schemas": own })))).toEqual([...own, ...rest]);
  });

  it("stay as they are when they have all mappings", () => {
    const text = vscodeSettings("rules");
    expect(merged(text)).toBe(text);
  });

  it.each<{ says: string; text: string; problem: string }>([
    { says: "are no JSON", text: "{ json.schemas", problem: "it is not JSON" },
    { says: "end too soon", text: '{ "a": 1', problem: "it is not JSON" },
    { says: "are a list", text: "[]", problem: "it is not a JSON object" },
    { says: "have something else for a list of schemas", text: '{ "json.schemas": {} }', problem: "its `json.schemas` is not a list" },
  ])("are left alone when they $says", ({ text, problem }) => {
    expect(mergeMappings(text, mappings)).toEqual({ problem });
  });
});
