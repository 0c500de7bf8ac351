import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { judge } from "../../../src/core/judge.ts";
import type { PolicyFiles } from "../../../src/policy/files.ts";
import { FIXABLE, type Fixable, fixDocument } from "../../../src/policy/lint/fix.ts";
import { compilePolicy, type LoadedPolicy } from "../../../src/policy/load.ts";
import { type Question, questions } from "../../core/random-policies.ts";
import { randomRuns } from "../../core/random-rules.ts";
import { filesOf } from "../../policies.ts";

const ALL: ReadonlySet<Fixable> = new Set(FIXABLE);

function fixed(loaded: LoadedPolicy, ids = ALL): PolicyFiles {
  const files = Object.entries(loaded.files).map(([name, text]) => {
    const document = loaded.documents.get(name);
    return [name, document && name.endsWith(".rules.json") ? fixDocument(document, loaded.warnings, ids).text : text];
  });
  return Object.fromEntries(files);
}

const fixText = (text: string, ids = ALL): string => fixed(compilePolicy({ ...filesOf({}), "test.rules.json": text }), ids)["test.rules.json"] ?? "";

const HEAD = `{"rules":[{"name":"a","event":{"type":"deny","params":{"reason":"r","controls":[]}},"conditions":{"all":[`;
const TAIL = `]}}]}\n`;

describe("a rule file is mended", () => {
  it.each([
    {
      says: "`path` last",
      from: `{ "fact": "action.arguments",  "operator": "equal", "value": 1, "path": "$.a[0]" }`,
      to: `{ "fact": "action.arguments.a[0]",  "operator": "equal", "value": 1 }`,
    },
    {
      says: "`path` first",
      from: `{ "path":"$.a", "fact" : "action.arguments",\r\n\t"operator": "equal", "value": 1 }`,
      to: `{ "fact" : "action.arguments.a",\r\n\t"operator": "equal", "value": 1 }`,
    },
    {
      says: "`path` between, on a line of its own",
      from: `{\n  "fact": "action.arguments",\n  "path": "$.a",\n  "operator": "equal",\n  "value": 1\n}`,
      to: `{\n  "fact": "action.arguments.a",\n  "operator": "equal",\n  "value": 1\n}`,
    },
    {
      says: "`path` beside `priority`",
      from: `{ "priority": 1, "path": "$.a", "fact": "action.arguments", "operator": "equal", "value": 1 }`,
      to: `{ "fact": "action.arguments.a", "operator": "equal", "value": 1 }`,
    },
    {
      says: "a value that is a fact",
      from: `{ "fact": "chain.depth", "operator": "equal", "value": { "path": "$.target_count", "fact": "action" } }`,
      to: `{ "fact": "chain.depth", "operator": "equal", "value": { "fact": "action.target_count" } }`,
    },
    {
      says: "a name that JSON escapes",
      from: `{ "fact": "action\\u002earguments", "path": "$.a", "operator": "equal", "value": "\\u00e9" }`,
      to: `{ "fact": "action.arguments.a", "operator": "equal", "value": "\\u00e9" }`,
    },
    {
      says: "the priority of a group",
      from: `{ "any": [ { "fact": "session", "operator": "equal", "value": "x" } ], "priority": 7 }`,
      to: `{ "any": [ { "fact": "session", "operator": "equal", "value": "x" } ] }`,
    },
    {
      says: "nothing",
      from: `{ "fact": "session",\t"operator":   "equal", "value": "x" }`,
      to: `{ "fact": "session",\t"operator":   "equal", "value": "x" }`,
    },
  ])("to the byte: $says", ({ from, to }) => {
    expect(fixText(HEAD + from + TAIL)).toBe(HEAD + to + TAIL);
    expect(fixText(HEAD + to + TAIL)).toBe(HEAD + to + TAIL);
  });

  const leaf = `{ "fact": "session", "operator": "equal", "value": "x" }`;
  const using = (conditions: string): string => `{ "conditions": ${conditions}, ${HEAD.slice(1)}{ "condition": "used" }${TAIL}`;
  it.each([
    { says: "the first", from: `{ "spare": ${leaf}, "used": ${leaf} }`, to: `{ "used": ${leaf} }` },
    { says: "the last two", from: `{ "used": ${leaf},\n "spare": ${leaf},\n "other": ${leaf} }`, to: `{ "used": ${leaf} }` },
    { says: "all around", from: `{ "a": ${leaf}, "used": ${leaf}, "b": ${leaf}, "c": ${leaf} }`, to: `{ "used": ${leaf} }` },
    {
      says: "one that only another unused one uses",
      from: `{ "a": { "condition": "b" }, "b": ${leaf}, "used": ${leaf} }`,
      to: `{ "used": ${leaf} }`,
    },
    {
      says: "one that had itself to be mended",
      from: `{ "a": { "all": [{ "fact": "action.arguments", "path": "$.x", "priority": 1 }] }, "used": ${leaf} }`,
      to: `{ "used": ${leaf} }`,
    },
  ])("of conditions that no rule uses: $says", ({ from, to }) => {
    expect(fixText(using(from))).toBe(using(to));
  });

  it("until none is left", () => {
    expect(fixText(`{ "conditions": { "a": ${leaf}, "b": ${leaf} } }`)).toBe(`{ "conditions": {  } }`);
  });

  it("only as far as it is asked", () => {
    const text = using(`{ "spare": ${leaf}, "used": { "priority": 1, "fact": "session", "operator": "equal", "value": "x" } }`);
    expect(fixText(text, new Set(["priority-of-condition"]))).toBe(using(`{ "spare": ${leaf}, "used": ${leaf} }`));
  });
});

/** Splits names, and adds what no decision depends on, wherever it can. */
function spoiled({ policy }: Question, indent: number): PolicyFiles {
  const spoil = (value: unknown, path: readonly string[]): unknown => {
    if (Array.isArray(value)) return value.map((item) => spoil(item, path));
    if (typeof value !== "object" || value === null) return value;
    const whole = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, spoil(item, [...path, key])]));
    const isCondition = path.includes("conditions") && ("fact" in whole || "all" in whole || "any" in whole) && path.at(-1) !== "value";
    return { ...(isCondition && { priority: 3 }), ...whole };
  };
  const files = filesOf({ ...policy, conditions: { ...policy.conditions, spare: policy.conditions["shared"] } });
  return { ...files, "test.rules.json": JSON.stringify(spoil(JSON.parse(files["test.rules.json"] ?? ""), []), null, indent) };
}

describe("no decision changes when random policies are mended", () => {
  it("and mending them again changes nothing", () => {
    let [changed, split] = [0, 0];
    fc.assert(
      fc.property(questions, fc.array(questions, { maxLength: 4 }), fc.nat({ max: 4 }), (question, others, indent) => {
        const before = compilePolicy(spoiled(question, indent));
        const after = compilePolicy(fixed(before));
        if (after.policy.digest !== before.policy.digest) changed++;
        if (before.files["test.rules.json"]?.includes(`"path"`)) split++;
        expect(after.warnings.filter(({ id }) => (FIXABLE as readonly string[]).includes(id))).toEqual([]);
        expect(after.files["test.rules.json"]).not.toContain(`"path"`);
        expect(fixed(after)).toEqual(after.files);
        for (const { subject } of [question, ...others]) {
          expect(judge(after.policy, subject).judgement).toEqual(judge(before.policy, subject).judgement);
        }
      }),
      { ...randomRuns(500), includeErrorInReport: true },
    );
    expect(changed).toBeGreaterThan(400);
    expect(split).toBeGreaterThan(200);
  });
});
