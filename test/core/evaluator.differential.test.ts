import { beforeAll, describe, expect, it } from "vitest";
import { evaluate } from "../../src/core/evaluate.ts";
import { differences } from "../../src/reference/second-opinion.ts";
import { readingOf } from "../policies.ts";
import { brokenLaws, compiled, compilePair, coverageOf, type Differential, differential, type Law } from "./differential.ts";
import { MEANING, type Meaning, type Truth, truth, truthOf } from "./kleene-model.ts";
import { BASE_OPERATORS, type Condition, DECORATORS, isList, leavesOf, type Pair, randomRuns, type Value } from "./random-rules.ts";

const runs = randomRuns(20_000);
let found: Differential = { observations: [] };
let coverage: ReadonlyMap<string, number> = new Map();
beforeAll(async () => {
  found = await differential(compiled, runs);
  coverage = coverageOf(found.observations);
}, 300_000);

describe("the compiled evaluator", () => {
  it("answers every pair as the Kleene model does, and as json-rules-engine does wherever that is an oracle", () => {
    expect(found.failure).toBeUndefined();
    expect(found.observations).toHaveLength(runs.numRuns);
  });

  it("keeps each rule's conditions written out, to the same meaning, for the second opinion", () => {
    for (const { pair, model } of found.observations.slice(0, 2_000)) {
      const [rule] = compilePair(pair).policy.rules;
      expect(truthOf(rule?.source as unknown as Condition, {}, pair.facts), JSON.stringify(pair)).toBe(model);
    }
  });

  it("has no second opinion against it, on rules that read no open map", async () => {
    const readsMap = ({ conditions, named }: Pair): boolean => /arguments|attributes/.test(JSON.stringify(leavesOf(conditions, named)));
    const comparable = found.observations.filter(({ pair, engine }) => engine !== undefined && !readsMap(pair));
    for (const { pair } of comparable) {
      const { policy, values } = compilePair(pair);
      expect(await differences(policy, values, evaluate(policy, readingOf(policy, values))), JSON.stringify(pair)).toEqual([]);
    }
    expect(comparable.length / found.observations.length).toBeGreaterThan(0.005);
  });
});

describe("the random pairs", () => {
  /** At least this part of all pairs. */
  it.each<[feature: string, share: number]>([
    ...[...BASE_OPERATORS, "present", ...DECORATORS].map((operator): [string, number] => [operator, 0.1]),
    ["decorated twice", 0.2],
    ["nested three deep", 0.3],
    ["named", 0.2],
    ["path", 0.5],
    ["list position", 0.3],
    ["other fact", 0.2],
    ["absent", 0.3],
    ["wrong type", 0.2],
    ["empty list", 0.1],
    ["null", 0.1],
    ["TRUE", 0.2],
    ["FALSE", 0.2],
    ["UNKNOWN", 0.2],
    ["engine TRUE", 0.08],
    ["engine FALSE", 0.08],
    ["TRUE although absent", 0.08],
    ["FALSE although absent", 0.08],
  ])("reach `%s` often enough", (feature, share) => {
    const count = coverage.get(feature) ?? 0;
    expect(count / found.observations.length, `${count} of ${found.observations.length}`).toBeGreaterThan(share);
  });
});

type Operator = Meaning["operators"][string];
type Decorator = Meaning["decorators"][string];
type Parts = readonly Truth[];

const OPERATORS = MEANING.operators as Readonly<Record<(typeof BASE_OPERATORS)[number] | "present", Operator>>;
const { someFact, everyFact, someValue, everyValue } = MEANING.decorators as Readonly<Record<(typeof DECORATORS)[number], Decorator>>;

const operator = (name: keyof typeof OPERATORS, twin: (right: Operator) => Operator): Meaning => {
  return { ...MEANING, operators: { ...OPERATORS, [name]: twin(OPERATORS[name]) } };
};
const decorator = (name: (typeof DECORATORS)[number], twin: Decorator): Meaning => {
  return { ...MEANING, decorators: { ...MEANING.decorators, [name]: twin } };
};
/** Answers where the right one does not know. */
const guessing =
  (guess: Truth) =>
  (right: Operator): Operator =>
  (a, b) => {
    const said = right(a, b);
    return said === "UNKNOWN" ? guess : said;
  };
const all = (twin: Meaning["all"]): Meaning => ({ ...MEANING, all: twin });
const any = (twin: Meaning["any"]): Meaning => ({ ...MEANING, any: twin });
const not = (twin: Meaning["not"]): Meaning => ({ ...MEANING, not: twin });
const step = (twin: Meaning["step"]): Meaning => ({ ...MEANING, step: twin });

const { step: right } = MEANING;
const text = (value: Value): string => (typeof value === "string" ? value : JSON.stringify(value ?? null));
const items = (value: Value): readonly Value[] => (isList(value) ? value : []);
const shortened = (parts: Parts): Parts => (parts.length > 1 ? parts.slice(0, -1) : parts);
const isEmpty = (value: Value): boolean => isList(value) && value.length === 0;

describe("a broken twin of the evaluator is caught, by the law named:", () => {
  it.each<[says: string, by: string, twin: Meaning]>([
    ["`all` stops at an unknown part", "model", all((parts) => parts.find((part) => part !== "TRUE") ?? "TRUE")],
    ["`all` takes unknown for true", "model, tie", all((parts) => truth(!parts.includes("FALSE")))],
    ["`all` takes unknown for false", "model, tie", all((parts) => truth(parts.every((part) => part === "TRUE")))],
    ["`all` forgets its last part", "engine, model, tie", all((parts) => MEANING.all(shortened(parts)))],
    ["`any` stops at an unknown part", "model", any((parts) => parts.find((part) => part !== "FALSE") ?? "FALSE")],
    ["`any` takes unknown for true", "model, tie", any((parts) => truth(parts.some((part) => part !== "FALSE")))],
    ["`any` takes unknown for false", "model, tie", any((parts) => truth(parts.includes("TRUE")))],
    ["`any` forgets its last part", "engine, model, tie", any((parts) => MEANING.any(shortened(parts)))],
    ["`not` makes unknown true", "model, tie", not((part) => truth(part !== "TRUE"))],
    ["`not` makes unknown false", "model, tie", not((part) => truth(part === "FALSE"))],
    ["`not` changes nothing", "engine, model, tie", not((part) => part)],
    ["a path skips list positions", "engine, model", step((value, part) => (typeof part === "number" ? value : right(value, part)))],
    ["a path counts from 1", "engine, model", step((value, part) => right(value, typeof part === "number" ? part - 1 : part))],
    ["a path stays at a scalar", "model, tie", step((value, part) => (typeof value === "object" ? right(value, part) : value))],
    ["a path sees a list's `length`", "model, tie", step((value, part) => (part === "length" && isList(value) ? value.length : right(value, part)))],
    ["a path takes a name for a position", "model, tie", step((value, part) => right(value, part === "0" && isList(value) ? 0 : part))],
    ["absent equals absent", "model, tie", operator("equal", (next) => (a, b) => (a === undefined && b === undefined ? "TRUE" : next(a, b)))],
    ["`equal` takes a string for a number", "model", operator("equal", (next) => (a, b) => (text(a) === text(b) ? "TRUE" : next(a, b)))],
    ["`equal` is false across types", "model, tie", operator("equal", guessing("FALSE"))],
    ["`equal` tells -0 from 0", "engine, model", operator("equal", (next) => (a, b) => (a === 0 && b === 0 ? truth(Object.is(a, b)) : next(a, b)))],
    ["`equal` does not know null", "engine, model", operator("equal", (next) => (a, b) => (a === null ? "UNKNOWN" : next(a, b)))],
    ["`equal` takes an empty string for absent", "engine, model", operator("equal", (next) => (a, b) => next(a === "" ? undefined : a, b))],
    ["`notEqual` is true across types", "model, tie", operator("notEqual", guessing("TRUE"))],
    ["`in` finds parts of words", "engine, model", operator("in", () => (a, b) => truth(items(b).some((item) => text(item).includes(text(a)))))],
    ["`in` looks into a string", "model", operator("in", (next) => (a, b) => (typeof b === "string" ? truth(b.includes(text(a))) : next(a, b)))],
    ["`in` is false of what is absent", "model, tie", operator("in", (next) => (a, b) => (a === undefined ? "FALSE" : next(a, b)))],
    ["`notIn` is true of what is absent", "model, tie", operator("notIn", (next) => (a, b) => (a === undefined ? "TRUE" : next(a, b)))],
    [
      "`contains` looks into a string",
      "model",
      operator("contains", (next) => (a, b) => (typeof a === "string" ? truth(a.includes(text(b))) : next(a, b))),
    ],
    ["`contains` does not know an empty list", "engine, model", operator("contains", (next) => (a, b) => (isEmpty(a) ? "UNKNOWN" : next(a, b)))],
    ["`contains` is false across types", "model, tie", operator("contains", guessing("FALSE"))],
    ["`doesNotContain` is `contains`", "engine, model", operator("doesNotContain", () => OPERATORS["contains"])],
    ["`doesNotContain` is true across types", "model, tie", operator("doesNotContain", guessing("TRUE"))],
    ["`lessThan` compares texts", "engine, model", operator("lessThan", () => (a, b) => truth(text(a) < text(b)))],
    ["`lessThan` includes its bound", "engine, model", operator("lessThan", () => OPERATORS["lessThanInclusive"])],
    ["`lessThanInclusive` leaves out its bound", "engine, model", operator("lessThanInclusive", () => OPERATORS["lessThan"])],
    [
      "`greaterThan` reads numbers from strings",
      "model",
      operator("greaterThan", (next) => (a, b) => next(typeof a === "string" ? Number(a) : a, b)),
    ],
    ["`greaterThanInclusive` takes absent for 0", "model, tie", operator("greaterThanInclusive", (next) => (a, b) => next(a ?? 0, b))],
    ["`present` is false of null", "engine, model", operator("present", (next) => (a, b) => next(a ?? undefined, b))],
    ["`present` does not know what is absent", "model", operator("present", (next) => (a, b) => (a === undefined ? "UNKNOWN" : next(a, b)))],
    ["`everyFact` is false of no items", "engine, model", decorator("everyFact", (next) => (a, b) => (isEmpty(a) ? "FALSE" : everyFact(next)(a, b)))],
    ["`everyFact` takes a scalar for a list", "model", decorator("everyFact", (next) => (a, b) => (isList(a) ? everyFact(next)(a, b) : next(a, b)))],
    [
      "`someFact` looks at the first item",
      "engine, model",
      decorator("someFact", (next) => (a, b) => someFact(next)(isList(a) ? a.slice(0, 1) : a, b)),
    ],
    ["`someFact` is `everyFact`", "engine, model", decorator("someFact", everyFact)],
    ["`someValue` is `everyValue`", "engine, model", decorator("someValue", everyValue)],
    ["`everyValue` is true of what is no list", "model", decorator("everyValue", (next) => (a, b) => (isList(b) ? everyValue(next)(a, b) : "TRUE"))],
    ["`everyValue` looks over the fact", "engine, model", decorator("everyValue", (next) => (a, b) => someValue(next)(b, a))],
    ["`swap` does not swap", "engine, model", decorator("swap", (next) => next)],
    ["the decorator `not` makes unknown true", "model, tie", decorator("not", (next) => (a, b) => truth(next(a, b) !== "TRUE"))],
    ["the decorator `not` changes nothing", "engine, model", decorator("not", (next) => next)],
  ])("%s: %s", (_, by, twin) => {
    const caught = new Set<Law>();
    for (const observation of found.observations) {
      for (const law of brokenLaws(({ conditions, named, facts }) => truthOf(conditions, named, facts, twin), observation)) caught.add(law);
      if (by.split(", ").every((law) => caught.has(law as Law))) break;
    }
    expect([...caught].sort()).toEqual(expect.arrayContaining(by.split(", ")));
  });

  it("the model itself breaks none", () => {
    const model = ({ conditions, named, facts }: Pair): Truth => truthOf(conditions, named, facts);
    expect(found.observations.flatMap((observation) => brokenLaws(model, observation))).toEqual([]);
  });
});
