import fc from "fast-check";
import type { Json, JsonObject } from "../../src/core/words.ts";

/** Conditions as their authors write them. */
export type Value = Json | undefined;
/** One key for every declared fact; an absent one is undefined. */
export type Facts = Readonly<Record<string, Value>>;
export type Reference = { readonly fact: string; readonly path?: string };
export type Leaf = Reference & { readonly operator: string; readonly value: string | number | boolean | null | readonly Json[] | Reference };
export type Condition =
  | Leaf
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition }
  | { readonly condition: string };
export type Named = Readonly<Record<string, Condition>>;

export const isList = (value: Value): value is readonly Json[] => Array.isArray(value);
export const isReference = (value: Leaf["value"]): value is Reference => typeof value === "object" && value !== null && !Array.isArray(value);

/** The longest declared name, and what follows it. */
export function locate({ fact, path }: Reference, facts: Facts): { readonly name: string; readonly parts: readonly (string | number)[] } {
  const whole = fact + (path ?? "$").slice(1);
  const names = Object.keys(facts).filter((name) => whole === name || whole.startsWith(`${name}.`) || whole.startsWith(`${name}[`));
  const name = names.reduce((longest, other) => (other.length > longest.length ? other : longest), "");
  const parts = [...whole.slice(name.length).matchAll(/\[(\d+)\]|[^.[\]]+/g)].map(([part, position]) => (position ? Number(position) : part));
  return { name, parts };
}

/** Every leaf, named conditions written out. */
export function leavesOf(condition: Condition, named: Named): readonly Leaf[] {
  if ("all" in condition) return condition.all.flatMap((part) => leavesOf(part, named));
  if ("any" in condition) return condition.any.flatMap((part) => leavesOf(part, named));
  if ("not" in condition) return leavesOf(condition.not, named);
  if ("condition" in condition) return leavesOf(named[condition.condition] ?? { all: [] }, named);
  return [condition];
}

export function depthOf(condition: Condition, named: Named): number {
  if ("all" in condition) return 1 + Math.max(...condition.all.map((part) => depthOf(part, named)));
  if ("any" in condition) return 1 + Math.max(...condition.any.map((part) => depthOf(part, named)));
  if ("not" in condition) return 1 + depthOf(condition.not, named);
  return "condition" in condition ? depthOf(named[condition.condition] ?? { all: [] }, named) : 0;
}

/** How many runs, and which: `SEED` and `RUNS` of the environment, else these. */
export const randomRuns = (runs: number): { readonly seed: number; readonly numRuns: number } => ({
  seed: Number(process.env["SEED"] ?? 20_260_105),
  numRuns: Number(process.env["RUNS"] ?? runs),
});

/** `string`, `number[]`, `string[][]`; `any` is a place that may hold anything. */
export type Kind = string;

/** One place that a condition can read. */
export interface Place {
  /** Its declared fact, and what follows. */
  readonly name: string;
  readonly rest: string;
  readonly kind: Kind;
  /** Every word it can be, where that is a closed list. */
  readonly words?: readonly string[];
}

const STRINGS = ["", "a", "b", "ab", "a b", "1", "100", "true", "\u{1f600}"];
const NUMBERS = [0, -0, 1, 2, 3, -1, 20, 100, 1.5, 0.1, 2 ** 53 - 1, 2 ** 53, 1e21, 5e-324, -1e308];

const SCALARS: Readonly<Record<Kind, fc.Arbitrary<Json>>> = {
  string: fc.constantFrom(...STRINGS),
  number: fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...NUMBERS) }, fc.integer({ min: -3, max: 3 })),
  boolean: fc.boolean(),
  null: fc.constant(null),
};
const anything: fc.Arbitrary<Json> = fc.oneof(
  ...Object.values(SCALARS),
  fc.array(fc.oneof(...Object.values(SCALARS)), { maxLength: 3 }),
  fc.constantFrom<Json>({}, { text: "a" }, { length: 1 }, [[]], [["a"], "a"]),
);

/** A fact's value of a kind; lists may be empty. */
export function valueOfKind(kind: Kind): fc.Arbitrary<Json> {
  if (kind.endsWith("[]")) return fc.array(valueOfKind(kind.slice(0, -2)), { maxLength: 3 });
  return SCALARS[kind] ?? anything;
}

/** A literal of a kind; the loader refuses a list that is empty as a whole. */
function literalOfKind(kind: Kind, words: readonly string[] | undefined): fc.Arbitrary<Json> {
  if (kind === "string" && words) return fc.constantFrom(...words);
  if (!kind.endsWith("[]")) return SCALARS[kind] ?? fc.oneof(...Object.values(SCALARS));
  const item = kind.slice(0, -2);
  const same = fc.array(words && item === "string" ? fc.constantFrom(...words) : valueOfKind(item), { minLength: 1, maxLength: 4 });
  if (words || item.endsWith("[]")) return same;
  // A list of several kinds holds something like the fact beside things unlike it.
  const mixed = fc.tuple(same, SCALARS["number"] ?? same, SCALARS["string"] ?? same).map(([list, ...others]) => [...list, ...others]);
  return fc.oneof({ weight: 4, arbitrary: same }, mixed);
}

const EQUALITIES = ["equal", "notEqual"] as const;
const MEMBERSHIPS = ["in", "notIn"] as const;
const CONTAINMENTS = ["contains", "doesNotContain"] as const;
const COMPARISONS = ["lessThan", "lessThanInclusive", "greaterThan", "greaterThanInclusive"] as const;
export const BASE_OPERATORS = [...EQUALITIES, ...MEMBERSHIPS, ...CONTAINMENTS, ...COMPARISONS] as const;
export const DECORATORS = ["someFact", "everyFact", "someValue", "everyValue", "swap", "not"] as const;
const isOneOf = (word: string, words: readonly string[]): boolean => words.includes(word);

/** What an operator needs on either side to be about scalars of this kind. */
function sidesOf(operator: string, scalar: Kind): readonly [fact: Kind, value: Kind] {
  const [head = "", ...rest] = operator.split(":");
  if (rest.length === 0) {
    if (isOneOf(head, MEMBERSHIPS)) return [scalar, `${scalar}[]`];
    return isOneOf(head, CONTAINMENTS) ? [`${scalar}[]`, scalar] : [scalar, scalar];
  }
  const [fact, value] = sidesOf(rest.join(":"), scalar);
  if (head === "swap") return [value, fact];
  if (head.endsWith("Fact")) return [`${fact}[]`, value];
  return head.endsWith("Value") ? [fact, `${value}[]`] : [fact, value];
}

const decorators = fc.oneof(
  { weight: 5, arbitrary: fc.constant<string[]>([]) },
  { weight: 5, arbitrary: fc.array(fc.constantFrom(...DECORATORS), { minLength: 1, maxLength: 3 }) },
);
const comparison = fc
  .record({
    base: fc.oneof(...[EQUALITIES, MEMBERSHIPS, CONTAINMENTS, COMPARISONS].map((group) => fc.constantFrom<string[]>(...group))),
    scalar: fc.constantFrom("string", "string", "string", "number", "number", "boolean", "null"),
    decorators,
  })
  .map(({ base, scalar, decorators: before }) => ({
    operator: [...before, base].join(":"),
    scalar: isOneOf(base, COMPARISONS) ? "number" : scalar,
  }));

/** The ways of writing one reference: dotted, split at the declared name, split at its first dot. */
function spellings({ name, rest }: Place): readonly Reference[] {
  const whole = name + rest;
  const dot = name.indexOf(".");
  const ways: Reference[] = [{ fact: whole }, { fact: name, path: `$${rest}` }];
  if (dot !== -1) ways.push({ fact: name.slice(0, dot), path: `$${name.slice(dot)}${rest}` });
  return ways;
}

/** Conditions over some places, every one of which the loader accepts. */
export function conditionsOver(places: readonly Place[], options: { readonly names: readonly string[]; readonly depthMax: number }) {
  const open = places.filter(({ rest }) => rest !== "");
  /** Mostly a place of that kind, sometimes one inside a map that may hold anything. */
  const placeOf = (kind: Kind): fc.Arbitrary<Place> => {
    const fitting = places.filter((place) => place.kind === kind);
    if (fitting.length === 0) return fc.constantFrom(...open);
    return open.length === 0
      ? fc.constantFrom(...fitting)
      : fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...fitting) }, fc.constantFrom(...open));
  };
  const spelled = (place: Place): fc.Arbitrary<Reference> => fc.constantFrom(...spellings(place));
  const hasPlace = (kind: Kind): boolean => open.length > 0 || places.some((place) => place.kind === kind);
  const comparing: fc.Arbitrary<Condition> = comparison
    .filter(({ operator, scalar }) => hasPlace(sidesOf(operator, scalar)[0]))
    .chain(({ operator, scalar }) => {
      const [fact, value] = sidesOf(operator, scalar);
      return placeOf(fact).chain((place) => {
        const literal = literalOfKind(value, place.words);
        const other = hasPlace(value) && !place.words ? placeOf(value).chain(spelled) : literal;
        return fc
          .tuple(spelled(place), fc.oneof({ weight: 4, arbitrary: literal }, other))
          .map(([reference, against]) => ({ ...reference, operator, value: against as Leaf["value"] }));
      });
    });
  const presence: fc.Arbitrary<Condition> = fc
    .tuple(fc.constantFrom(...places).chain(spelled), fc.boolean())
    .map(([reference, value]) => ({ ...reference, operator: "present", value }));
  const leaf: fc.Arbitrary<Condition> = fc.oneof({ weight: 12, arbitrary: comparing }, presence);
  const { names, depthMax } = options;
  const reference = names.length === 0 ? [] : [fc.constantFrom(...names).map((condition) => ({ condition }))];
  let tree: fc.Arbitrary<Condition> = fc.oneof({ weight: 6, arbitrary: leaf }, ...reference);
  for (let depth = 1; depth < depthMax; depth++) tree = fc.oneof({ weight: 2, arbitrary: tree }, composite(tree));
  return { leaf, whole: composite(tree) };
}

function composite(part: fc.Arbitrary<Condition>): fc.Arbitrary<Condition> {
  const parts = fc.array(part, { minLength: 1, maxLength: 3 });
  return fc.oneof(
    { weight: 3, arbitrary: parts.map((all) => ({ all })) },
    { weight: 3, arbitrary: parts.map((any) => ({ any })) },
    part.map((not) => ({ not })),
  );
}

/** Facts of the real catalogue, of every type, that a subject can be given directly. */
export const TOTALS: readonly Place[] = [
  { name: "caller.id", rest: "", kind: "string" },
  { name: "session", rest: "", kind: "string" },
  { name: "action.operation", rest: "", kind: "string" },
  { name: "context.environment", rest: "", kind: "string" },
  { name: "task.seen.trust", rest: "", kind: "string", words: ["trusted", "untrusted"] },
  { name: "action.secret_count", rest: "", kind: "number" },
  { name: "task.restated", rest: "", kind: "boolean" },
  { name: "action.arguments_truncated", rest: "", kind: "boolean" },
  { name: "task.seen.categories", rest: "", kind: "string[]" },
  { name: "task.seen.systems", rest: "", kind: "string[]" },
];
const MAPS = ["action.arguments", "context.attributes"];

/** What the maps hold when nobody errs. */
const ENTRIES: Readonly<Record<string, Kind>> = {
  text: "string",
  note: "string",
  count: "number",
  amount: "number",
  flag: "boolean",
  nothing: "null",
  texts: "string[]",
  counts: "number[]",
  flags: "boolean[]",
  grid: "string[][]",
  table: "number[][]",
};
const PATHS: Readonly<Record<string, Kind>> = {
  ...Object.fromEntries(Object.entries(ENTRIES).map(([key, kind]) => [`.${key}`, kind])),
  ".nested.text": "string",
  ".nested.a-b": "number",
  ".nested.inner.texts": "string[]",
  ".items[0].text": "string",
  ".items[1].count": "number",
  ".texts[0]": "string",
  ".counts[1]": "number",
  ".grid[0]": "string[]",
  ".grid[1][0]": "string",
};
/** Places where JavaScript has something that JSON has not. */
const TRAPS = [".length", ".texts.length", ".text.length", ".text[0]", ".constructor", ".nested.constructor.name", ".items.0", ".nested[0]"];

export const PLACES: readonly Place[] = [
  ...TOTALS,
  ...MAPS.flatMap((name) => [
    ...Object.entries(PATHS).map(([rest, kind]) => ({ name, rest, kind })),
    ...TRAPS.map((rest) => ({ name, rest, kind: "any" })),
  ]),
];

type Dirt = "clean" | "dirty";

/** In clean facts everything is there and of its kind; in dirty ones some are absent and some of another kind. */
const perhaps = (right: fc.Arbitrary<Json>, dirt: Dirt): fc.Arbitrary<Value> =>
  dirt === "clean" ? right : fc.oneof({ weight: 7, arbitrary: right }, { weight: 2, arbitrary: fc.constant(undefined) }, anything);

const withoutAbsent = (map: Readonly<Record<string, Value>>): JsonObject =>
  Object.fromEntries(Object.entries(map).filter((entry): entry is [string, Json] => entry[1] !== undefined));

const mapOf = (entries: Readonly<Record<string, fc.Arbitrary<Value>>>): fc.Arbitrary<JsonObject> =>
  fc.record(entries, { noNullPrototype: true }).map(withoutAbsent);

function openMap(dirt: Dirt): fc.Arbitrary<JsonObject> {
  const put = (right: fc.Arbitrary<Json>): fc.Arbitrary<Value> => perhaps(right, dirt);
  const of = (kind: Kind): fc.Arbitrary<Value> => put(valueOfKind(kind));
  const inner = mapOf({ texts: of("string[]") });
  return mapOf({
    ...Object.fromEntries(Object.entries(ENTRIES).map(([key, kind]) => [key, of(kind)])),
    nested: put(mapOf({ text: of("string"), "a-b": of("number"), inner: put(inner) })),
    items: put(fc.tuple(mapOf({ text: of("string") }), mapOf({ count: of("number") })).map((items) => [...items])),
    length: fc.option(SCALARS["number"] ?? anything, { nil: undefined, freq: 3 }),
  });
}

export function factsArbitrary(dirt: Dirt): fc.Arbitrary<Facts> {
  const totals = TOTALS.map(({ name, kind, words }) => [name, perhaps(words ? fc.constantFrom(...words) : valueOfKind(kind), dirt)]);
  const map = openMap(dirt);
  const maps = MAPS.map((name) => [
    name,
    dirt === "clean" || name === "action.arguments" ? map : fc.oneof({ weight: 9, arbitrary: map }, fc.constant(undefined)),
  ]);
  return fc.record(Object.fromEntries([...totals, ...maps]), { noNullPrototype: true });
}

/** One rule's conditions and the facts to ask them of. */
export interface Pair {
  readonly conditions: Condition;
  readonly named: Named;
  readonly facts: Facts;
  /** Values for what is absent, by the kind that belongs there. */
  readonly draws: readonly Readonly<Record<Kind, Value>>[];
}

export function pairs(): fc.Arbitrary<Pair> {
  const plain = conditionsOver(PLACES, { names: [], depthMax: 2 });
  const first = fc.oneof(plain.leaf, plain.whole);
  const second = conditionsOver(PLACES, { names: ["first"], depthMax: 2 }).whole;
  const { whole: conditions } = conditionsOver(PLACES, { names: ["first", "second"], depthMax: 4 });
  const kinds = [...new Set(PLACES.map(({ kind }) => kind))];
  const draw = fc.record(Object.fromEntries(kinds.map((kind) => [kind, valueOfKind(kind)])), { noNullPrototype: true });
  const pair: fc.Arbitrary<Pair> = fc.record({
    conditions,
    named: fc.record({ first, second }, { noNullPrototype: true }),
    facts: fc.oneof(factsArbitrary("clean"), factsArbitrary("dirty")),
    draws: fc.array(draw, { minLength: 3, maxLength: 3 }),
  });
  return pair.map((whole) => ({ ...whole, named: usedBy(whole.conditions, whole.named) }));
}

/** The named conditions that a condition refers to, directly or through another. */
function usedBy(condition: Condition, named: Named): Named {
  const text = JSON.stringify(condition);
  const direct = Object.entries(named).filter(([name]) => text.includes(`{"condition":"${name}"}`));
  return Object.assign({}, ...direct.map(([, used]) => usedBy(used, named)), Object.fromEntries(direct));
}
