import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { schemaMappings, vscodeSettings } from "../../src/cli/schema-files.ts";
import { FACTS } from "../../src/core/facts.ts";
import { hover, offers, problems, sayingOf } from "./editor.ts";
import { schemaComplaints } from "./schema-validator.ts";

const deny = `{ "type": "deny", "params": { "reason": "r", "controls": [] } }`;
const rule = (conditions: string, event = deny): string => `{ "rules": [{ "name": "a", "conditions": ${conditions}, "event": ${event} }] }`;
const leaf = (inside: string): string => rule(`{ "all": [{ ${inside} }] }`);
const labels = async (file: string, marked: string): Promise<readonly string[]> => [...(await offers(file, marked)).keys()].sort();
const quoted = (words: readonly string[]): readonly string[] => words.map((word) => JSON.stringify(word)).sort();

const COMPARISONS = ["equal", "notEqual", "in", "notIn", "lessThan", "lessThanInclusive", "greaterThan", "greaterThanInclusive"];
const OF_LISTS = ["contains", "doesNotContain", "someFact:in", "someFact:notIn", "everyFact:in", "everyFact:notIn"];

describe("an editor offers", () => {
  it("every fact, with all that is declared of it", async () => {
    const found = await offers("rules/x.rules.json", leaf(`"fact": "▮"`));
    for (const [name, { meaning, influence }] of Object.entries(FACTS)) {
      const saying = sayingOf(found.get(JSON.stringify(name)));
      expect(saying, name).toContain(meaning);
      expect(saying, name).toContain(`influenced by \`${influence}\``);
    }
    expect(found.get("action.arguments.…")?.insertText).toBe(`"action.arguments.$1"`);
    expect(found.size).toBe(Object.keys(FACTS).length + 5);
  });

  it.each<{ fact: string; path?: string; operators: readonly string[] }>([
    { fact: "action.effect", operators: ["equal", "notEqual", "in", "notIn"] },
    { fact: "chain.depth", operators: COMPARISONS },
    { fact: "tool.listed", operators: ["equal", "notEqual"] },
    { fact: "data.categories", operators: OF_LISTS },
    { fact: "action.arguments.amount", operators: ["present", ...COMPARISONS, ...OF_LISTS] },
    { fact: "task", path: "$.seen.trust", operators: ["equal", "notEqual", "in", "notIn"] },
    { fact: "action.arguments", path: "$.to", operators: ["present", ...COMPARISONS, ...OF_LISTS] },
    { fact: "action.arguments", operators: ["present"] },
  ])("for $fact $path only operators that can be decided", async ({ fact, path, operators }) => {
    const apart = path === undefined ? "" : `"path": "${path}", `;
    expect(await labels("rules/x.rules.json", leaf(`"fact": "${fact}", ${apart}"operator": "▮"`))).toEqual(quoted(operators));
  });

  it.each<{ says: string; inside: string; values: readonly string[] }>([
    {
      says: "the words of a fact",
      inside: `"fact": "agent.trust", "operator": "equal", "value": "▮"`,
      values: quoted(["high", "medium", "low", "unregistered"]),
    },
    {
      says: "the words of a fact in a list",
      inside: `"fact": "tool.reversibility", "operator": "in", "value": ["reversible", "▮"]`,
      values: quoted(["irreversible", "reversible", "unknown"]),
    },
    { says: "true and false", inside: `"fact": "tool.listed", "operator": "equal", "value": ▮`, values: ["false", "true"] },
    { says: "true and false of presence", inside: `"fact": "action.arguments.a", "operator": "present", "value": ▮`, values: ["false", "true"] },
    {
      says: "the starter's classifications",
      inside: `"fact": "data.classification", "operator": "equal", "value": "▮"`,
      values: quoted(["public", "internal", "confidential", "restricted"]),
    },
  ])("as values $says", async ({ inside, values }) => {
    expect(await labels("rules/x.rules.json", leaf(inside))).toEqual(values);
  });

  it("only facts of a type that fits as another fact", async () => {
    const found = await labels("rules/x.rules.json", leaf(`"fact": "chain.depth", "operator": "equal", "value": { "fact": "▮" }`));
    const integers = Object.entries(FACTS).flatMap(([name, { type }]) => (type === "integer" ? [name] : []));
    expect(found.filter((label) => label.startsWith(`"`))).toEqual(quoted(integers));
  });

  it.each<{ where: string; file: string; text: string; keys: readonly string[] }>([
    { where: "a rule file", file: "rules/x.rules.json", text: "{ ▮ }", keys: ["$schema", "conditions", "rules"] },
    { where: "a rule", file: "rules/x.rules.json", text: `{ "rules": [{ ▮ }] }`, keys: ["conditions", "event", "name"] },
    { where: "conditions", file: "rules/x.rules.json", text: rule("{ ▮ }"), keys: ["all", "any", "condition", "not"] },
    { where: "a condition", file: "rules/x.rules.json", text: leaf("▮"), keys: ["all", "any", "condition", "fact", "not"] },
    { where: "a comparison", file: "rules/x.rules.json", text: leaf(`"fact": "agent.id", ▮`), keys: ["operator", "path", "value"] },
    { where: "a risk", file: "rules/x.rules.json", text: rule("{}", `{ "type": "risk", "params": { ▮ } }`), keys: ["controls", "points", "reason"] },
    {
      where: "a hold",
      file: "rules/x.rules.json",
      text: rule("{}", `{ "type": "require-approval", "params": { "reason": "r", ▮ } }`),
      keys: ["approvers", "controls", "lifetime", "points", "quorum"],
    },
    {
      where: "an obligation",
      file: "rules/x.rules.json",
      text: rule("{}", `{ "type": "oblige", "params": { "obligation": { "type": "redact", ▮ } } }`),
      keys: ["paths"],
    },
    {
      where: "a case",
      file: "rules/x.cases.json",
      text: `{ "cases": [{ ▮ }] }`,
      keys: ["approvals", "at", "caller", "expect", "name", "request", "scorer", "task", "tenant", "use"],
    },
    {
      where: "an action",
      file: "rules/x.cases.json",
      text: `{ "cases": [{ "request": { "action": { "tool": "t", "effect": "send", ▮ } } }] }`,
      keys: ["arguments", "arguments_digest", "arguments_json", "arguments_truncated", "operation", "resource", "tool_definition_digest"],
    },
    { where: "a label", file: "rules/catalog/x.json", text: `{ "resources": [{ ▮ }] }`, keys: ["categories", "classification", "match"] },
    {
      where: "a reach",
      file: "rules/agents.json",
      text: `{ "agents": { "a": { "reach": { ▮ } } } }`,
      keys: ["effects", "max_classification", "resources", "tools"],
    },
  ])("in $where only the keys that it can have", async ({ file, text, keys }) => {
    expect(await labels(file, text)).toEqual(keys);
  });

  it("effects with what they mean, in rules, settings, catalog and cases", async () => {
    const places: readonly (readonly [string, string])[] = [
      ["rules/x.rules.json", leaf(`"fact": "action.effect", "operator": "equal", "value": "▮"`)],
      ["rules/catalog/x.json", `{ "tools": { "t": { "effect": "▮" } } }`],
      ["rules/agents.json", `{ "agents": { "a": { "reach": { "effects": ["▮"] } } } }`],
      ["rules/x.cases.json", `{ "cases": [{ "request": { "action": { "effect": "▮" } } }] }`],
    ];
    for (const [file, text] of places) expect(sayingOf((await offers(file, text)).get(`"pay"`)), file).toBe("moves money");
    expect(sayingOf((await offers("rules/policy.json", `{ "basis": { "AVAILABLE": { ▮ } } }`)).get("pay"))).toBe("moves money");
  });
});

describe("an editor shows", () => {
  it.each<{ over: string; text: string; says: string }>([
    {
      over: "a fact",
      text: leaf(`"fact": "action.ef▮fect", "operator": "equal", "value": "send"`),
      says: "`action.effect`: what the action does: the catalog's word",
    },
    {
      over: "a path into an open map",
      text: leaf(`"fact": "action.arguments.a▮mount", "operator": "equal", "value": 1`),
      says: "in `action.arguments`: the call's arguments",
    },
    {
      over: "an operator",
      text: leaf(`"fact": "action.effect", "operator": "no▮tIn", "value": ["send"]`),
      says: "`notIn`: the value, a list, does not hold the fact",
    },
    { over: "a value", text: leaf(`"fact": "action.effect", "operator": "equal", "value": "se▮nd"`), says: "`send`: passes data to somebody" },
    { over: "a key", text: rule("{}", `{ "type": "risk", "params": { "poi▮nts": 3 } }`), says: "what the rule adds to the score" },
    { over: "an event", text: rule("{}", `{ "type": "obl▮ige" }`), says: "attaches an `obligation`" },
  ])("what $over means", async ({ text, says }) => {
    expect(await hover("rules/x.rules.json", text)).toContain(says);
  });
});

describe("an editor underlines", () => {
  it.each<{ what: string; text: string; says: string }>([
    {
      what: "a mistyped fact",
      text: leaf(`"fact": "agnet.id", "operator": "equal", "value": "x"`),
      says: '"agnet.id": there is no such fact; `behest facts` and docs/facts.md list them',
    },
    {
      what: "an operator that cannot be decided",
      text: leaf(`"fact": "action.effect", "operator": "contains", "value": "send"`),
      says: '"contains": no operator that can be decided here; there are `equal` `notEqual` `in` `notIn`',
    },
    {
      what: "a value of another type",
      text: leaf(`"fact": "action.effect", "operator": "in", "value": "send"`),
      says: `"send": Incorrect type. Expected "array".`,
    },
    {
      what: "a mistyped word",
      text: leaf(`"fact": "action.effect", "operator": "in", "value": ["sned"]`),
      says: `"sned": Value is not accepted. Valid values: "read"`,
    },
    { what: "a missing part", text: leaf(`"fact": "agent.id", "operator": "equal"`), says: `{: Missing property "value".` },
    { what: "what stands twice", text: rule(`{ "all": [], "any": [] }`), says: "`all` and `any` stand in one condition; nest one in the other" },
    {
      what: "what belongs to another event",
      text: rule(`{ "condition": "c" }`, `{ "type": "deny", "params": { "reason": "r", "controls": [], "quorum": 2 } }`),
      says: `"quorum": Property quorum is not allowed.`,
    },
    {
      what: "a duration that is none",
      text: rule(`{ "condition": "c" }`, `{ "type": "require-approval", "params": { "reason": "r", "controls": [], "lifetime": "60" } }`),
      says: `"60": expected a duration such as`,
    },
  ])("$what", async ({ text, says }) => {
    expect(await problems("rules/x.rules.json", text)).toContainEqual(expect.stringContaining(says));
  });

  it.each([
    { what: "a mistyped fact", inside: `"fact": "agnet.id", "operator": "equal", "value": "x"` },
    { what: "a mistyped operator", inside: `"fact": "action.arguments.a", "operator": "equals", "value": "x"` },
  ])("$what once, whatever the editor is", async ({ inside }) => {
    expect(await problems("rules/x.rules.json", leaf(inside))).toHaveLength(1);
    // Another validator tells the way in beside it: of `if`, and of `$ref`.
    const told = schemaComplaints("rules", JSON.parse(leaf(inside)));
    expect(told.filter((one) => /pattern|enum|anyOf/.test(one))).toHaveLength(1);
  });

  it("nothing in the starter policy", async () => {
    const root = join(import.meta.dirname, "../..");
    for (const file of ["policy.json", "agents.json", "secrets.rules.json", "secrets.cases.json", "catalog/samples.json"])
      expect(await problems(`rules/${file}`, readFileSync(join(root, "rules", file), "utf8")), file).toEqual([]);
  });
});

describe("the mapping of files to schemas", () => {
  it.each([
    { directory: "rules", fileMatch: "/rules/*.rules.json", url: "./rules/schema/rules.schema.json" },
    { directory: "./policies/prod/", fileMatch: "/policies/prod/*.rules.json", url: "./policies/prod/schema/rules.schema.json" },
    { directory: "policies\\prod", fileMatch: "/policies/prod/*.rules.json", url: "./policies/prod/schema/rules.schema.json" },
    { directory: ".", fileMatch: "/*.rules.json", url: "./schema/rules.schema.json" },
    { directory: "", fileMatch: "/*.rules.json", url: "./schema/rules.schema.json" },
    { directory: 'a "b"', fileMatch: '/a "b"/*.rules.json', url: './a "b"/schema/rules.schema.json' },
  ])("is relative to the folder that is opened: $directory", ({ directory, fileMatch, url }) => {
    expect(schemaMappings(directory)).toContainEqual({ fileMatch: [fileMatch], url });
    expect(JSON.parse(vscodeSettings(directory))).toEqual({ "json.schemas": schemaMappings(directory) });
  });

  it.each(["/etc/rules", "../rules", "a/../../rules", "C:\\rules"])("is not made for %s, which no pattern reaches", (directory) => {
    expect(() => vscodeSettings(directory)).toThrow("is not inside the folder that an editor opens");
  });
});
