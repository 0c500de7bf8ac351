import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FACTS } from "../../src/core/facts.ts";
import { isList } from "../../src/core/json.ts";
import type { Json } from "../../src/core/words.ts";
import { compilePolicy } from "../../src/policy/load.ts";
import { questions } from "../core/random-policies.ts";
import { DECORATORS, randomRuns } from "../core/random-rules.ts";
import { complaintsOf, filesOf } from "../policies.ts";
import { createValidators, schemaComplaints, schemaOf } from "./schema-validator.ts";

const event = { type: "deny", params: { reason: "r", controls: [] } };
const rulesOf = (condition: object) => [{ name: "x", conditions: { all: [condition] }, event }];

type Leaf = { readonly fact: string; readonly path?: string; readonly operator: string; readonly value: Json };

/** Comparisons of all kinds, most of which no loader should accept. */
const leaves: fc.Arbitrary<Leaf> = (() => {
  const bases = ["equal", "notEqual", "in", "notIn", "contains", "doesNotContain", "lessThan", "greaterThanInclusive", "present", "equals"];
  const operator = fc
    .tuple(fc.array(fc.constantFrom(...DECORATORS), { maxLength: 2 }), fc.constantFrom(...bases))
    .map(([decorators, base]) => [...decorators, base].join(":"));
  const scalar = fc.constantFrom<Json>("send", "trusted", "restricted", "a", "", 1, 2.5, true, false, null);
  const names = Object.keys(FACTS).filter((name) => FACTS[name]?.worsening?.by !== "classification");
  const reference = fc.record(
    {
      fact: fc.constantFrom(...names, "action.arguments.a", "agent.attributes.x[0]", "nowhere", "task", "task.seen", "action.arguments"),
      path: fc.constantFrom("$", "$.a", "$.seen.trust", "$.trust", "$.arguments.b", "$[0].b", "a", "$..a"),
    },
    { requiredKeys: ["fact"], noNullPrototype: true },
  );
  const value = fc.oneof<fc.WeightedArbitrary<Json>[]>(
    { weight: 4, arbitrary: scalar },
    { weight: 4, arbitrary: fc.array(scalar, { maxLength: 3 }) },
    { weight: 2, arbitrary: reference },
    { weight: 1, arbitrary: fc.constantFrom<Json>({}, { value: 1 }) },
  );
  return fc.tuple(reference, operator, value).map(([stated, name, against]) => ({ ...stated, operator: name, value: against }));
})();

const loaderAccepts = (leaf: Leaf): boolean => complaintsOf(() => compilePolicy(filesOf({ rules: rulesOf(leaf) }))).length === 0;

describe("over any comparison", () => {
  const agreement = (validators?: ReturnType<typeof createValidators>) =>
    fc.property(leaves, (leaf) => loaderAccepts(leaf) === (schemaComplaints("rules", { rules: rulesOf(leaf) }, validators).length === 0));

  it("schema and loader agree", () => fc.assert(agreement(), randomRuns(5_000)));

  it("which would not hold for a schema that does not look into lists", () => {
    const broken = createValidators((text) => text.replaceAll(/"contains": \{[^}]*\}/g, '"contains": {}'));
    expect(fc.check(agreement(broken), randomRuns(5_000)).failed).toBe(true);
  });
});

/** One change to a whole file. */
interface Change {
  readonly file: string;
  /** Chooses the place: a step at each level. */
  readonly steps: readonly number[];
  readonly how: "remove" | "rename" | "replace" | "repeat";
  readonly value: Json;
}

const JUNK: readonly Json[] = [null, 0, -1, 1.5, 1_000, true, "", "a", "send", "60s", "*", [], {}, ["a"], [1], { a: 1 }];

const changes: fc.Arbitrary<Change> = fc.record({
  file: fc.constantFrom("policy.json", "test.rules.json", "catalog/test.json", "agents.json"),
  steps: fc.array(fc.nat(), { minLength: 1, maxLength: 9 }),
  how: fc.constantFrom("remove", "rename", "replace", "repeat"),
  value: fc.constantFrom(...JUNK),
});

/** Changes a file somewhere. Named conditions are left alone: the loader reads only those that a rule uses. */
function changed(value: Json, [step = 0, ...rest]: readonly number[], change: Change): Json {
  if (typeof value !== "object" || value === null) return change.value;
  const entries = Object.entries(value).filter(([key]) => key !== "conditions" || isList(value) || !("rules" in value));
  const [key, inner] = entries[step % Math.max(1, entries.length)] ?? [];
  if (key === undefined || inner === undefined) return change.value;
  const put = (made: readonly (readonly [string, Json])[]): Json =>
    isList(value)
      ? entries.flatMap(([at, item]) => (at === key ? made.map(([, one]) => one) : [item]))
      : Object.fromEntries(Object.entries(value).flatMap(([at, item]) => (at === key ? made : [[at, item]])));
  if (rest.length > 0 && typeof inner === "object" && inner !== null && Object.keys(inner).length > 0)
    return put([[key, changed(inner, rest, change)]]);
  switch (change.how) {
    case "remove":
      return put([]);
    case "rename":
      return put([[`${key}x`, inner]]);
    case "repeat":
      return put([
        [key, inner],
        [key, inner],
      ]);
    case "replace":
      return put([[key, change.value]]);
  }
}

/** What only the loader can know; each stands in GAPS of schema.test.ts with an example. */
const ONLY_THE_LOADER_KNOWS =
  /`(public|internal|confidential|restricted)`|is not in `classification.order`|must be below `top`|stands twice|is not among `groups`|may not read|unknown condition/;
const MANY_DECORATORS = /"(\w+:){3,}\w+"/;
const UNDECIDABLE = /cannot compare|needs a list|needs numbers/;

describe("over any change of a random policy", () => {
  const seen = { accepted: 0, refused: 0 };
  const agreement = (validators?: ReturnType<typeof createValidators>) =>
    fc.property(questions, changes, ({ policy }, change) => {
      const files = filesOf(policy);
      const text = JSON.stringify(changed(JSON.parse(files[change.file] ?? ""), change.steps, change));
      const said = complaintsOf(() => compilePolicy({ ...files, [change.file]: text }));
      const schema = schemaComplaints(schemaOf(change.file), JSON.parse(text), validators);
      seen[said.length === 0 ? "accepted" : "refused"]++;
      if (said.length === 0) expect(schema, text).toEqual([]);
      else if (schema.length === 0) {
        const isKnown = (why: string): boolean => ONLY_THE_LOADER_KNOWS.test(why) || (MANY_DECORATORS.test(text) && UNDECIDABLE.test(why));
        expect(said.some(isKnown), `${said} in ${text}`).toBe(true);
      }
    });

  it("a schema accepts what the loader accepts, and refuses what it refuses but for what only the loader knows", () => {
    fc.assert(agreement(), randomRuns(1_000));
    expect(Math.min(seen.accepted, seen.refused)).toBeGreaterThan(50);
  });

  it.each([
    { broken: "allows any key", from: '"additionalProperties": false', to: '"additionalProperties": true' },
    { broken: "refuses what nobody mentions", from: '"doNotSuggest": true', to: '"doNotSuggest": true, "const": "nobody"' },
    { broken: "demands nothing", from: '"required":', to: '"examples":' },
  ])("which would not hold for a schema that $broken", ({ from, to }) => {
    expect(fc.check(agreement(createValidators((text) => text.replaceAll(from, to))), randomRuns(1_000)).failed).toBe(true);
  });
});
