import { describe, expect, it } from "vitest";
import { PolicyInvalid } from "../../src/policy/complaints.ts";
import { lintPolicy } from "../../src/policy/lint/lint.ts";
import { compilePolicy } from "../../src/policy/load.ts";
import { filesOf } from "../policies.ts";

const leaf = `{"fact":"session","operator":"equal","value":"x"}`;
const event = `"event":{"type":"deny","params":{"reason":"r","controls":[]}}`;
const rule = (conditions: string, name = "a"): string => `{"name":"${name}","conditions":${conditions},${event}}`;
const rules = (all: readonly string[]): string => `{"rules":[${all.join(",")}]}`;
const nots = (count: number): string => `${`{"not":`.repeat(count)}${leaf}${"}".repeat(count)}`;
const many = (count: number, from = 0): string => rules(Array.from({ length: count }, (_, at) => rule(`{"all":[${leaf}]}`, `r-${from + at}`)));

interface Told {
  readonly count: number;
  readonly first: string;
  readonly ms: number;
}

function told(files: Readonly<Record<string, string>>): Told {
  const began = performance.now();
  try {
    compilePolicy({ ...filesOf({}), ...files });
  } catch (error) {
    if (!(error instanceof PolicyInvalid)) throw error;
    const [first] = error.complaints;
    return {
      count: error.complaints.length,
      first: `${first?.id} ${first?.at?.line}:${first?.at?.column} ${first?.message}`,
      ms: performance.now() - began,
    };
  }
  return { count: 0, first: "", ms: performance.now() - began };
}

describe("a hostile rule file is refused with a clear complaint, soon:", () => {
  it.each([
    {
      says: "10,000 levels of lists",
      files: { "test.rules.json": `{"rules":${"[".repeat(10_000)}${"]".repeat(10_000)}}` },
      first: expect.stringMatching(/^too-big 1:\d+ more than 200 levels of nesting$/),
    },
    {
      says: "10,000 levels, and never closed",
      files: { "test.rules.json": `{"rules":${`[{"a":`.repeat(10_000)}` },
      first: expect.stringMatching(/^too-big 1:\d+ more than 200 levels of nesting$/),
    },
    {
      says: "5,000 `not`s in one another",
      files: { "test.rules.json": rules([rule(nots(5_000))]) },
      first: expect.stringMatching(/^too-big 1:\d+ more than 200 levels of nesting$/),
    },
    {
      says: "100 `not`s in one another",
      files: { "test.rules.json": rules([rule(nots(100))]) },
      first: expect.stringMatching(/^too-big 1:\d+ conditions nest at most 32 deep$/),
    },
    {
      says: "5,000 `not`s side by side",
      files: { "test.rules.json": rules([rule(`{"all":[${Array.from({ length: 5_000 }, () => nots(1)).join(",")}]}`)]) },
      first: expect.stringMatching(/^too-big 1:\d+ more than 200 conditions in one rule$/),
    },
    {
      says: "200,000 rules in many files",
      files: Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`f${at}.rules.json`, many(10_000, at * 10_000)])),
      first: expect.stringMatching(/^too-big 1:\d+ 200000 rules; at most 10000 are served$/),
    },
    {
      says: "200,000 rules in one",
      files: { "test.rules.json": many(200_000) },
      first: expect.stringMatching(/^too-big 1:\d+ more than 1500000 keys and values$/),
    },
    {
      says: "1,100,000 keys",
      files: { "test.rules.json": `{${Array.from({ length: 1_100_000 }, (_, at) => `"k${at}":1`).join(",")}}` },
      first: expect.stringMatching(/^too-big 1:\d+ more than 1500000 keys and values$/),
    },
    {
      says: "half a character",
      files: { "test.rules.json": rules([rule(`{"all":[${leaf.replace("x", "\ud800")}]}`)]) },
      first: expect.stringMatching(/^lone-surrogate 1:\d+ a string holds a lone surrogate$/),
    },
    { says: "only opening quotes", files: { "test.rules.json": `"`.repeat(100_001) }, first: expect.stringMatching(/^not-json 1:\d+ not JSON: /) },
    { says: "a file of zeros", files: { "test.rules.json": "\0".repeat(100_000) }, first: expect.stringMatching(/^not-json 1:1 not JSON: /) },
    {
      says: "the same mistake in a condition that 2,000 rules use",
      files: {
        "test.rules.json": `{"conditions":{"c":{"all":[${Array.from({ length: 150 }, () => `{"fact":"nothing","operator":"equal","value":1}`).join(",")}]}},${rules(Array.from({ length: 2_000 }, (_, at) => rule(`{"condition":"c"}`, `r-${at}`))).slice(1)}`,
      },
      first: expect.stringMatching(/^unknown-fact 1:\d+ unknown fact `nothing`; `behest facts` lists them all$/),
    },
    {
      says: "300,000 unknown keys",
      files: { "test.rules.json": `{"rules":[],${Array.from({ length: 300_000 }, (_, at) => `"k${at}":1`).join(",")}}` },
      first: expect.stringMatching(/^unknown-key 1:\d+ unknown key `k0`/),
    },
  ])(
    "$says",
    ({ files, first }) => {
      const { first: found, count, ms } = told(files);
      expect(found).toEqual(first);
      expect(count).toBeLessThanOrEqual(10_000);
      expect(ms).toBeLessThan(20_000);
    },
    60_000,
  );

  it("a list of 200,000 words, and 200,000 labels, are read and linted", () => {
    const words = JSON.stringify(Array.from({ length: 200_000 }, (_, at) => `w${at}`));
    const labels = JSON.stringify({ resources: Array.from({ length: 200_000 }, (_, at) => ({ match: `f${at}`, categories: [] })) });
    const risk = event.replace("deny", "risk").replace(`"reason"`, `"points":90,"reason"`);
    const text = rules([rule(`{"all":[{"fact":"action.tool","operator":"in","value":${words}}]}`).replace(event, risk)]);
    const loaded = compilePolicy({ ...filesOf({}), "test.rules.json": text, "catalog/labels.json": labels });
    expect(lintPolicy(loaded).complaints).toEqual([]);
  }, 60_000);

  it("conditions that refer to each other in a doubling way are not written out", () => {
    const doubling = Object.fromEntries(
      Array.from({ length: 12 }, (_, at) => [
        `c${at}`,
        at === 11 ? JSON.parse(leaf) : { all: [{ condition: `c${at + 1}` }, { condition: `c${at + 1}` }] },
      ]),
    );
    const text = JSON.stringify({ conditions: doubling, rules: [JSON.parse(rule(`{"condition":"c0"}`))] });
    expect(told({ "test.rules.json": text }).first).toMatch(/^too-big 1:\d+ more than 200 conditions in one rule$/);
  });
});

describe("a large policy", () => {
  it("of 10,000 rules is linted in seconds", () => {
    const text = rules(
      Array.from({ length: 10_000 }, (_, at) =>
        rule(
          `{"all":[{"fact":"action.tool","operator":"equal","value":"t${at % 500}"},{"fact":"action.arguments.amount","operator":"greaterThan","value":${at}},{"fact":"data.categories","operator":"contains","value":"c${at % 7}"}]}`,
          `r-${at}`,
        ),
      ),
    );
    const loaded = compilePolicy({ ...filesOf({}), "test.rules.json": text });
    const progress: number[] = [];
    const began = performance.now();
    const { complaints, notes } = lintPolicy(loaded, { onProgress: (done) => progress.push(done) });
    expect(performance.now() - began).toBeLessThan(15_000);
    expect(progress.length).toBeGreaterThan(20);
    expect(notes).toEqual([]);
    expect(complaints.filter(({ id }) => id !== "shadowed-by-deny")).toEqual([]);
  });
});
