import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileGlob, globCovers } from "../../src/core/globs.ts";
import { whyOutsideScope } from "../../src/core/outside-scope.ts";
import { situate } from "../../src/core/situation.ts";
import { capRank, fitScope, type Scope } from "../../src/core/tasks/scope.ts";
import { NOTHING_SEEN } from "../../src/core/tasks/seen.ts";
import { EFFECTS, type Effect, instant } from "../../src/core/words.ts";
import { policyOf } from "../policies.ts";
import { randomRuns } from "./random-rules.ts";

const CLASSIFICATIONS = ["public", "internal", "confidential", "restricted"];
const fitInto = (asked: Scope, parent: Scope) => fitScope(asked, { parent, classifications: CLASSIFICATIONS });

describe("a scope that is handed on", () => {
  it.each<{ says: string; asked: Scope; parent: Scope; scope: Scope; tooWide?: readonly string[] }>([
    { says: "has from its parent what it leaves unset", asked: {}, parent: { tools: ["a"], maxDepth: 2 }, scope: { tools: ["a"], maxDepth: 1 } },
    { says: "restricts nothing where neither does", asked: {}, parent: {}, scope: {} },
    { says: "may restrict what its parent does not", asked: { effects: ["read"] }, parent: {}, scope: { effects: ["read"] } },
    { says: "may allow nothing at all", asked: { tools: [] }, parent: { tools: ["a"] }, scope: { tools: [] } },
    {
      says: "has the tools that its parent spells out or covers",
      asked: { tools: ["mail/send", "crm/read"] },
      parent: { tools: ["mail/*", "crm/read"] },
      scope: { tools: ["mail/send", "crm/read"] },
    },
    {
      says: "has no other tool",
      asked: { tools: ["mail/send", "pay"] },
      parent: { tools: ["mail/*"] },
      scope: { tools: ["mail/send"] },
      tooWide: ["tools pay: mail/*"],
    },
    {
      says: "has of a wider pattern what its parent has of it",
      asked: { tools: ["**"] },
      parent: { tools: ["mail/*", "crm/read"] },
      scope: { tools: ["mail/*", "crm/read"] },
      tooWide: ["tools **: mail/*, crm/read"],
    },
    {
      says: "has nothing of a pattern that only crosses its parent's",
      asked: { tools: ["*/read"] },
      parent: { tools: ["crm/*"] },
      scope: { tools: [] },
      tooWide: ["tools */read: crm/*"],
    },
    {
      says: "has nothing where its parent has",
      asked: { tools: ["a"] },
      parent: { tools: [] },
      scope: { tools: [] },
      tooWide: ["tools a: nothing"],
    },
    {
      says: "has the effects that its parent has",
      asked: { effects: ["read", "pay", "unknown"] },
      parent: { effects: ["pay", "read"] },
      scope: { effects: ["read", "pay"] },
      tooWide: ["effects unknown: pay, read"],
    },
    {
      says: "has resources within its parent's",
      asked: { resources: ["file:/srv/a", "file:/etc/*"] },
      parent: { resources: ["file:/srv/**"] },
      scope: { resources: ["file:/srv/a"] },
      tooWide: ["resources file:/etc/*: file:/srv/**"],
    },
    {
      // Only `*` alone covers what names no resource.
      says: "has no more of what names no resource than its parent",
      asked: { resources: ["*"] },
      parent: { resources: ["**"] },
      scope: { resources: ["**"] },
      tooWide: ["resources *: **"],
    },
    { says: "may keep to what names a resource", asked: { resources: ["**"] }, parent: { resources: ["*"] }, scope: { resources: ["**"] } },
    {
      says: "ends at its parent's classification",
      asked: { maxClassification: "restricted" },
      parent: { maxClassification: "internal" },
      scope: { maxClassification: "internal" },
      tooWide: ["maxClassification restricted: internal"],
    },
    {
      says: "may end below it",
      asked: { maxClassification: "public" },
      parent: { maxClassification: "internal" },
      scope: { maxClassification: "public" },
    },
    {
      says: "may make as many calls as its parent",
      asked: { maxCalls: { pay: 5, send: 1 } },
      parent: { maxCalls: { pay: 2, read: 9 } },
      scope: { maxCalls: { read: 9, send: 1, pay: 2 } },
      tooWide: ["maxCalls pay: 5: pay: 2"],
    },
    {
      says: "may move as much as its parent, and no other currency",
      asked: { maxAmounts: { EUR: 500, USD: 1 } },
      parent: { maxAmounts: { EUR: 100 } },
      scope: { maxAmounts: { EUR: 100, USD: 0 } },
      tooWide: ["maxAmounts EUR: 500: EUR: 100", "maxAmounts USD: 1: USD: 0"],
    },
    {
      says: "may not move what it does not ask for",
      asked: { maxAmounts: { EUR: 5 } },
      parent: { maxAmounts: { EUR: 100, USD: 7 } },
      scope: { maxAmounts: { EUR: 5 } },
    },
    {
      says: "takes no currency for one that every object has",
      asked: { maxAmounts: { toString: 5 } },
      parent: { maxAmounts: { EUR: 100 } },
      scope: { maxAmounts: { toString: 0 } },
      tooWide: ["maxAmounts toString: 5: toString: 0"],
    },
    {
      says: "is handed on to whom its parent is",
      asked: { delegates: ["worker", "clerk"] },
      parent: { delegates: ["work*"] },
      scope: { delegates: ["worker"] },
      tooWide: ["delegates clerk: work*"],
    },
    {
      says: "is handed on one time less than its parent",
      asked: { maxDepth: 3 },
      parent: { maxDepth: 3 },
      scope: { maxDepth: 2 },
      tooWide: ["maxDepth 3: 2"],
    },
    { says: "is handed on no more than nothing", asked: {}, parent: { maxDepth: 0 }, scope: { maxDepth: 0 } },
    {
      says: "is told of every part that is too wide",
      asked: { tools: ["b"], effects: ["pay"], maxDepth: 9 },
      parent: { tools: ["a"], effects: ["read"], maxDepth: 1 },
      scope: { tools: [], effects: [], maxDepth: 0 },
      tooWide: ["tools b: a", "effects pay: read", "maxDepth 9: 0"],
    },
  ])("$says", ({ asked, parent, scope, tooWide = [] }) => {
    const fitted = fitInto(asked, parent);
    expect(fitted.scope).toEqual(scope);
    expect(fitted.tooWide.map(({ part, asked: is, allowed }) => `${part} ${is}: ${allowed}`)).toEqual(tooWide);
  });
});

const POLICY = policyOf({
  tools: {
    "crm/read": { effect: "read", reversibility: "reversible", arguments: { of: "target" }, output: { trust: "trusted" } },
    "mail/send": { effect: "send", reversibility: "irreversible", arguments: { of: "target" }, output: { trust: "trusted" } },
  },
});

const situationOf = (tool: string, of?: string | readonly string[]) =>
  situate(POLICY, {
    at: instant(0),
    tenant: "default",
    caller: "gateway",
    masked: 0,
    request: { agent: { id: "bot" }, action: { tool, arguments: of === undefined ? {} : { of } } },
    task: { standing: "open", id: "t", restated: false, seen: NOTHING_SEEN },
  });

describe("an action outside a scope", () => {
  it.each<{ says: string; scope: Scope; tool?: string; of?: string | readonly string[]; handedOn?: readonly string[]; why: string | undefined }>([
    { says: "is none where the scope restricts nothing", scope: {}, why: undefined },
    { says: "is of another tool", scope: { tools: ["mail/*"] }, why: "the tool `crm/read` (in scope: mail/*)" },
    { says: "is of any tool where none is listed", scope: { tools: [] }, why: "the tool `crm/read` (in scope: nothing)" },
    { says: "is of another effect", scope: { effects: ["send", "pay"] }, why: "the effect `read` (in scope: send, pay)" },
    { says: "is about another resource", scope: { resources: ["crm:*"] }, of: "file:a", why: "the resource `file:a` (in scope: crm:*)" },
    {
      says: "is about one other resource among many",
      scope: { resources: ["a", "b"] },
      of: ["a", "c", "b"],
      why: "the resource `c` (in scope: a, b)",
    },
    { says: "names no resource", scope: { resources: ["**"] }, why: "an action that names no resource (in scope: **)" },
    {
      says: "names one in an obscured spelling",
      scope: { resources: ["**"] },
      of: "/srv/../x",
      why: "a resource in an obscured spelling (in scope: **)",
    },
    { says: "is none that names no resource under `*`", scope: { resources: ["*"] }, why: undefined },
    { says: "is none in an obscured spelling under `*`", scope: { resources: ["a", "*"] }, of: "/srv/../x", why: undefined },
    {
      says: "is handed on to a stranger",
      scope: { delegates: ["work*"] },
      handedOn: ["worker", "clerk"],
      why: "handing the task on to `clerk` (in scope: work*)",
    },
    {
      says: "is handed on where it may not be",
      scope: { delegates: [] },
      handedOn: ["worker"],
      why: "handing the task on to `worker` (in scope: nothing)",
    },
    { says: "is handed on too deep", scope: { maxDepth: 1 }, handedOn: ["a", "b"], why: "handing the task on 2 times (in scope: 1)" },
    { says: "is none that is handed on as deep as it may", scope: { maxDepth: 1 }, handedOn: ["a"], why: undefined },
    {
      says: "is told of every part, a few of each list",
      scope: { tools: ["a", "b", "c", "d", "e", "f"], effects: [] },
      why: "the tool `crm/read` (in scope: a, b, c, d, e, …), the effect `read` (in scope: nothing)",
    },
  ])("$says", ({ scope, tool = "crm/read", of, handedOn = [], why }) => {
    expect(whyOutsideScope(situationOf(tool, of), scope, handedOn)).toBe(why);
  });

  it.each<{ says: string; scope: Scope; rank: number }>([
    { says: "is never by its classification without a cap", scope: {}, rank: 3 },
    { says: "is by one above the cap", scope: { maxClassification: "internal" }, rank: 1 },
    { says: "is by every one above a cap that the policy no longer lists", scope: { maxClassification: "cosmic" }, rank: -1 },
  ])("$says", ({ scope, rank }) => {
    expect(capRank(scope, CLASSIFICATIONS)).toBe(rank);
  });
});

const PIECES = ["a", "b", "/", ":", "*", "**", "ab", "-"];
const glob = fc.oneof(
  { weight: 6, arbitrary: fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 5 }).map((parts) => parts.join("")) },
  fc.constantFrom("*", "**", "***", "a", "a/*", "a/**", "*/b", "**/b"),
);
/** Texts that a glob matches, mostly: each star is something. */
const textsOf = (of: string): fc.Arbitrary<string> =>
  fc
    .array(fc.constantFrom("", "a", "b", "ab", "a/b", "/", "b/", ":"), { minLength: 5, maxLength: 5 })
    .map((fills) => of.split(/\*+/).reduce((text, literal, index) => text + (fills[index % fills.length] ?? "") + literal));

describe("a glob that covers another", () => {
  const pair = fc.record({ wider: glob, narrower: glob }).chain((globs) => fc.record({ ...of(globs), text: textsOf(globs.narrower) }));
  const of = <T extends object>(values: T) =>
    Object.fromEntries(Object.entries(values).map(([key, value]) => [key, fc.constant(value)])) as { readonly [K in keyof T]: fc.Arbitrary<T[K]> };
  const breaks = (covers: typeof globCovers) => {
    let covering = 0;
    let matching = 0;
    const details = fc.check(
      fc.property(pair, ({ wider, narrower, text }) => {
        if (!covers(wider, narrower)) return true;
        covering++;
        if (!compileGlob(narrower)(text)) return true;
        matching++;
        return compileGlob(wider)(text);
      }),
      randomRuns(20_000),
    );
    return { failed: details.failed, covering, matching };
  };

  it("matches whatever that one matches", () => {
    const { failed, covering, matching } = breaks(globCovers);
    expect(failed).toBe(false);
    expect(covering).toBeGreaterThan(1_000);
    expect(matching).toBeGreaterThan(500);
  });

  it.each<[says: string, twin: typeof globCovers]>([
    ["takes a star for a letter like others", (wider, narrower) => compileGlob(wider)(narrower.replaceAll("*", "x"))],
    ["lets one star cover two", (wider, narrower) => globCovers(wider.replaceAll("*", "**"), narrower)],
    ["lets everything cover everything", () => true],
    ["looks at the beginning alone", (wider, narrower) => narrower.startsWith(wider.replaceAll("*", ""))],
  ])("is found unsound when it %s", (_, twin) => {
    expect(breaks(twin).failed).toBe(true);
  });

  it.each([
    ["*", "**"],
    ["**", "*"],
    ["a/**", "a/*"],
    ["a/**", "a/b/*"],
    ["*/b", "a/b"],
    ["a*", "ab*"],
    ["**b", "*/b"],
  ])("is `%s` of `%s`", (wider, narrower) => {
    expect(globCovers(wider, narrower)).toBe(true);
  });

  it.each([
    ["a/*", "a/**"],
    ["a/*", "a/b/c"],
    ["a*", "*a"],
    ["a", "*"],
    ["", "*"],
    ["*/*", "**"],
  ])("is not `%s` of `%s`", (wider, narrower) => {
    expect(globCovers(wider, narrower)).toBe(false);
  });
});

const list = fc.uniqueArray(glob, { maxLength: 3 });
const caps = (names: readonly string[]) => fc.dictionary(fc.constantFrom(...names), fc.integer({ min: 0, max: 3 }), { noNullPrototype: true });
const scopes: fc.Arbitrary<Scope> = fc.record(
  {
    tools: list,
    effects: fc.uniqueArray(fc.constantFrom(...EFFECTS), { maxLength: 4 }),
    resources: list,
    maxClassification: fc.constantFrom(...CLASSIFICATIONS),
    maxCalls: caps(["read", "pay", "unknown"]),
    maxAmounts: caps(["EUR", "USD"]),
    delegates: list,
    maxDepth: fc.integer({ min: 0, max: 3 }),
  },
  { requiredKeys: [], noNullPrototype: true },
);

/** One use of a task: an action, and to whom the task was handed on for it. */
interface Use {
  readonly tool: string;
  readonly effect: Effect;
  readonly resources: readonly string[];
  readonly obscured: boolean;
  readonly handedOn: readonly string[];
}

function isInside(scope: Scope, { tool, effect, resources, obscured, handedOn }: Use): boolean {
  const situation = { ...situationOf(tool), effect, resources, resourceObscured: obscured };
  return whyOutsideScope(situation, scope, handedOn) === undefined;
}

/** Every part in which a child has more than its parent; of lists, as far as one use shows it. */
function widerParts(child: Scope, parent: Scope, use: Use): readonly string[] {
  const only = (scope: Scope, part: keyof Scope): Scope => (scope[part] === undefined ? {} : { [part]: scope[part] });
  const wider: string[] = (["tools", "effects", "resources", "delegates"] as const).filter(
    (part) => isInside(only(child, part), use) && !isInside(only(parent, part), use),
  );
  // What is handed on from the child has been handed on once more from its parent; where nothing may be there is no child.
  const [deep, deepest] = [child.maxDepth ?? Number.POSITIVE_INFINITY, parent.maxDepth ?? Number.POSITIVE_INFINITY];
  if (deepest > 0 && deep + 1 > deepest) wider.push("maxDepth");
  if (capRank(child, CLASSIFICATIONS) > capRank(parent, CLASSIFICATIONS)) wider.push("maxClassification");
  const callsOf = ({ maxCalls }: Scope, effect: Effect): number => maxCalls?.[effect] ?? Number.POSITIVE_INFINITY;
  if (EFFECTS.some((effect) => callsOf(child, effect) > callsOf(parent, effect))) wider.push("maxCalls");
  const amountOf = ({ maxAmounts }: Scope, currency: string): number => (maxAmounts ? (maxAmounts[currency] ?? 0) : Number.POSITIVE_INFINITY);
  if (["EUR", "USD", "JPY"].some((currency) => amountOf(child, currency) > amountOf(parent, currency))) wider.push("maxAmounts");
  return wider;
}

const PARTS = ["tools", "effects", "resources", "delegates", "maxDepth", "maxClassification", "maxCalls", "maxAmounts"] as const;

const handing = fc.record({ asked: scopes, parent: scopes }, { noNullPrototype: true }).chain(({ asked, parent }) => {
  const textOf = (globs: readonly string[] | undefined): fc.Arbitrary<string> => fc.constantFrom(...(globs?.length ? globs : ["a"])).chain(textsOf);
  return fc.record(
    {
      asked: fc.constant(asked),
      parent: fc.constant(parent),
      use: fc.record(
        {
          tool: textOf(asked.tools),
          effect: fc.constantFrom(...EFFECTS),
          resources: fc.array(textOf(asked.resources), { maxLength: 2 }),
          obscured: fc.boolean(),
          handedOn: fc.array(textOf(asked.delegates), { minLength: 1, maxLength: 1 }),
        },
        { noNullPrototype: true },
      ),
    },
    { noNullPrototype: true },
  );
});

describe("what is handed on", () => {
  const widened = (fitting: (asked: Scope, parent: Scope) => Scope) =>
    fc.check(
      fc.property(handing, ({ asked, parent, use }) => {
        expect(widerParts(fitting(asked, parent), parent, use)).toEqual([]);
      }),
      { ...randomRuns(20_000), includeErrorInReport: true },
    );

  it("lies within what it was handed on from, in every part", () => {
    expect(widened((asked, parent) => fitInto(asked, parent).scope).errorInstance).toBeNull();
  });

  it.each(PARTS)("would be found wider if its part %s were what it asks for", (part) => {
    const details = widened((asked, parent) => ({ ...fitInto(asked, parent).scope, ...(asked[part] !== undefined && { [part]: asked[part] }) }));
    expect(String(details.errorInstance)).toContain(part);
  });

  it.each(PARTS)("would be found wider if its part %s were open where it asks for nothing", (part) => {
    const details = widened((asked, parent) => {
      const { [part]: fitted, ...rest } = fitInto(asked, parent).scope;
      return asked[part] === undefined || fitted === undefined ? rest : { ...rest, [part]: fitted };
    });
    expect(String(details.errorInstance)).toContain(part);
  });

  it("is all that it asks for where nothing is told to be too wide", () => {
    let whole = 0;
    fc.assert(
      fc.property(handing, ({ asked, parent }) => {
        const { scope, tooWide } = fitInto(asked, parent);
        const trimmed = new Set<string>(tooWide.map(({ part }) => part));
        for (const part of PARTS) {
          if (asked[part] === undefined || trimmed.has(part)) continue;
          // A cap of the parent's that is not asked for is kept beside those that are.
          expect(scope[part]).toEqual(part === "maxCalls" ? { ...parent.maxCalls, ...asked.maxCalls } : asked[part]);
          whole++;
        }
      }),
      randomRuns(20_000),
    );
    expect(whole).toBeGreaterThan(10_000);
  });
});
