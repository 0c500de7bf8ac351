import { BUILT_IN_FINDINGS, BUILT_IN_HOLDS } from "../core/built-in.ts";
import { isObject } from "../core/json.ts";
import type { Obligation } from "../core/obligations.ts";
import { type Basis, type Instant, instant, type Json, type JsonObject, type Outcome, REASON_CODES, type ReasonCode } from "../core/words.ts";
import { type CaseApprovals, caseApprovalsShape } from "./case-approvals.ts";
import { type CaseTask, caseTaskShape, whyImpossible } from "./case-task.ts";
import { orMean } from "./complaints.ts";
import {
  type Document,
  described,
  duration,
  integer,
  later,
  listOf,
  mapOf,
  type Node,
  object,
  oneOf,
  type Property,
  plainValue,
  propertiesOf,
  type Read,
  reading,
  text,
} from "./document.ts";
import { obligationShape } from "./obligations.ts";
import { definition, type Schema } from "./schema.ts";
import { nodeAt } from "./settings.ts";

/** One example of what a policy is to decide, beside the rules it is about. */
export interface Case {
  readonly name: string;
  /** As `behest decide` reads it, fixtures merged in. */
  readonly request: JsonObject;
  readonly caller: string;
  readonly tenant: string;
  /** The clock stands still here. */
  readonly at: Instant;
  readonly task: CaseTask;
  readonly approvals: CaseApprovals;
  readonly scorer?: CaseScorer;
  readonly expect: Expectation;
  readonly source: CaseSource;
}

/** What a scorer said of the action. */
export interface CaseScorer {
  readonly risk: number;
}

/** Where a case stands. */
export interface CaseSource {
  readonly document: Document;
  readonly node: Node;
  /** Its place in the list `cases`, from 0. */
  readonly index: number;
  /** What its request was merged from, what counts most first. */
  readonly requests: readonly PlacedNode[];
}

/** A node of one of several documents. */
export interface PlacedNode {
  readonly document: Document;
  readonly node: Node;
}

/** What is left out is not looked at. */
export interface Expectation {
  readonly outcome: Outcome;
  readonly basis?: Basis;
  readonly score?: ScoreRange;
  /** Names of all holds, in any order. */
  readonly holds?: readonly string[];
  /** All reason codes, in order. */
  readonly reason_codes?: readonly ReasonCode[];
  /** All obligations, merged. */
  readonly obligations?: readonly Obligation[];
  /** Milliseconds for which an ALLOW may be acted upon. */
  readonly valid_for?: number;
  /** Rules that stand. */
  readonly fires?: readonly string[];
  /** Rules that do not. */
  readonly silent?: readonly string[];
}

export interface ScoreRange {
  readonly min: number;
  readonly max: number;
}

const range = object({ min: integer(0, 100), max: integer(0, 100) }, {});
const exactly = integer(0, 100);

const score: Read<ScoreRange> = reading({ anyOf: [exactly.schema, range.schema] }, (node, document) => {
  if (node.type === "object") return range(node, document);
  const exact = exactly(node, document);
  return exact === undefined ? undefined : { min: exact, max: exact };
});

/** `2026-01-05T09:00:00Z`. */
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/;
const INSTANT_WORDS = "expected an instant in UTC, such as `2026-01-05T09:00:00Z`";
const at: Read<Instant> = reading(
  { type: "string", pattern: INSTANT.source, patternErrorMessage: INSTANT_WORDS, examples: ["2026-01-05T09:00:00Z"] },
  (node, document) => {
    const ms = typeof node.value === "string" && INSTANT.test(node.value) ? Date.parse(node.value) : Number.NaN;
    if (Number.isFinite(ms)) return instant(ms);
    document.error("wrong-value", node, INSTANT_WORDS);
    return undefined;
  },
);

/** Its schema is the contract's, of which nothing is known here: whoever writes the whole schema defines `request`. */
const requestPart: Read<JsonObject> = reading(definition("request"), (node, document) => {
  const value = plainValue(node);
  if (isObject(value)) return value;
  document.error("wrong-type", node, "a request is an object, as `behest decide` reads it");
  return undefined;
});

const parts = {
  request: described(requestPart, "what is asked, as `behest decide` reads it"),
  caller: described(text, { description: "who asks", default: "local" }),
  tenant: described(text, { description: "of which tenant the caller is", default: "default" }),
  at: described(at, "when it is asked: the clock stands still here"),
  task: described(caseTaskShape, "how the task stood before; what is left out is what a new task has"),
  approvals: described(caseApprovalsShape, "what people were asked and have said before; what is left out is nothing"),
  scorer: described(
    object({ risk: described(integer(0, 100), "how far the action lies from its task") }, {}),
    "what the scorer said; left out: nothing",
  ),
};

/** Parts of a case that several share. */
interface Fixture {
  readonly request?: JsonObject;
  readonly caller?: string;
  readonly tenant?: string;
  readonly at?: Instant;
  readonly task?: CaseTask;
  readonly approvals?: CaseApprovals;
  readonly scorer?: CaseScorer;
}

const fixtureShape: Read<Fixture> = object({}, parts);

const expectShape = object(
  { outcome: described(oneOf(["ALLOW", "DENY", "REQUIRE_APPROVAL"] as const), "what is answered") },
  {
    basis: described(oneOf(["AUTHORIZED", "INFERRED", "AVAILABLE", "NONE"] as const), "why it could be allowed; `NONE` when denied"),
    score: described(score, "the risk score, or `{min, max}`"),
    holds: described(listOf(text), "the names of all holds, in any order: rules', `behest:risk`, `behest:basis`, `behest:outside-scope`"),
    reason_codes: described(listOf(oneOf(REASON_CODES)), "all reason codes, the strongest first"),
    obligations: described(listOf(obligationShape), "all obligations, merged"),
    valid_for: described(duration, "how long an ALLOW may be acted upon"),
    fires: described(listOf(text), "rules that stand"),
    silent: described(listOf(text), "rules that do not"),
  },
);

const caseShape = object(
  { name: described(text, "what the case shows, in words"), expect: described(expectShape, "what is decided; what is left out is not looked at") },
  { ...parts, use: described(listOf(text), "fixtures to begin with, of any file; a later one adds to those before and replaces what they say") },
);

/** A case without a fixture states its whole request. */
const caseSchema: Schema = { ...caseShape.schema, anyOf: [{ required: ["request"] }, { required: ["use"] }] };

/** One `*.cases.json`. */
const fileShape = object(
  {},
  {
    fixtures: described(mapOf(fixtureShape), "parts of cases that several share, by names to which `use` refers"),
    cases: described(listOf(later(reading(caseSchema, caseShape))), "examples of what the policy is to decide"),
  },
);

/** The same file, of which only the names matter. */
const outlineShape = object({}, { fixtures: later(fileShape), cases: listOf(later(caseShape)) });

/** The name of each case of a file, in their order; undefined where it has none. Whether they hold together with other files is not asked. */
export function caseNames(document: Document): readonly (string | undefined)[] {
  const { cases = [] } = outlineShape(document.root, document) ?? {};
  return cases.map((node) => {
    const name: unknown = propertiesOf(node).find(({ key }) => key === "name")?.valueNode.value;
    return typeof name === "string" ? name : undefined;
  });
}

/** What a file of cases may say, but for `request`. */
export const casesSchema = (): Schema => fileShape.schema;

const CASE_AT = instant(Date.UTC(2026, 0, 5, 9));

/**
 * Reads all `*.cases.json` of a directory: a fixture of one can be used in each. Complains into the documents, also of rules that are not among
 * `rules`; undefined when nobody knows which there are.
 */
export function readCases(documents: readonly Document[], rules?: ReadonlySet<string>): readonly Case[] {
  const fixtures = new Map<string, StatedFixture>();
  const places = new Map<string, string>();
  const files = documents.map((document) => ({ document, file: fileShape(document.root, document) }));
  for (const { document, file } of files) {
    for (const [name, fixture] of file?.fixtures ?? []) {
      const at = fixtureAt(document, name);
      const keyNode = at?.keyNode ?? document.root;
      const first = places.get(name);
      if (first !== undefined) document.error("duplicate-name", keyNode, `the fixture \`${name}\` is named twice; the first stands at ${first}`);
      else places.set(name, document.positionOf(keyNode));
      fixtures.set(name, { fixture, document, node: at?.valueNode ?? document.root });
    }
  }
  return files.flatMap(({ document, file }) => {
    const names = new Map<string, string>();
    return (file?.cases ?? []).flatMap((node, index) => {
      const stated = readCase({ document, node, index }, fixtures);
      const first = stated && names.get(stated.name);
      if (first !== undefined)
        document.error("duplicate-name", node, `the case \`${stated?.name}\` stands twice in this file; the first stands at ${first}`);
      else if (stated) names.set(stated.name, document.positionOf(node));
      if (stated && rules) refuseUnknownRules(stated, rules);
      return stated ? [stated] : [];
    });
  });
}

/** A fixture, and where it stands. */
interface StatedFixture extends PlacedNode {
  readonly fixture: Fixture;
}

function fixtureAt({ root }: Document, name: string): Property | undefined {
  const fixtures = valueAt(root, "fixtures");
  return fixtures && propertiesOf(fixtures).find(({ key }) => key === name);
}

const valueAt = (node: Node, wanted: string): Node | undefined => propertiesOf(node).find(({ key }) => key === wanted)?.valueNode;

function readCase(source: Omit<CaseSource, "requests">, fixtures: ReadonlyMap<string, StatedFixture>): Case | undefined {
  const { document, node } = source;
  const stated = caseShape(node, document);
  if (!stated) return undefined;
  const { name, expect, use = [], ...own } = stated;
  const used: StatedFixture[] = [];
  for (const [position, word] of use.entries()) {
    const fixture = fixtures.get(word);
    if (fixture) used.push(fixture);
    else document.error("unknown-fixture", useNode(node, position), orMean(`unknown fixture \`${word}\``, word, fixtures.keys()));
  }
  // Without a part of it, its request would only be complained of for what is in that part.
  if (used.length < use.length) return undefined;
  const {
    request,
    caller = "local",
    tenant = "default",
    at: instantOf = CASE_AT,
    task = {},
    approvals = {},
    scorer,
  } = [...used.map(({ fixture }) => fixture), own].reduce(merged, {});
  const impossible = whyImpossible(task);
  if (impossible !== undefined) {
    document.error("wrong-value", valueAt(node, "task") ?? node, impossible);
    return undefined;
  }
  if (request) {
    const from = { ...source, requests: requestNodes(source, used) };
    return { name, request, caller, tenant, at: instantOf, task, approvals, ...(scorer && { scorer }), expect, source: from };
  }
  document.error("missing-key", node, "the key `request` is missing, and no fixture that the case uses has it");
  return undefined;
}

const useNode = (node: Node, position: number): Node => valueAt(node, "use")?.children?.[position] ?? node;

const requestNodes = (own: PlacedNode, used: readonly PlacedNode[]): readonly PlacedNode[] =>
  [own, ...used.toReversed()].flatMap(({ document, node }) => {
    const request = valueAt(node, "request");
    return request ? [{ document, node: request }] : [];
  });

/** A name that nothing has never stands: what stays silent under it could never fail. */
function refuseUnknownRules({ source: { document, node } }: Case, rules: ReadonlySet<string>): void {
  const builtIn = { fires: BUILT_IN_FINDINGS, silent: BUILT_IN_FINDINGS, holds: BUILT_IN_HOLDS } as const;
  for (const [key, own] of Object.entries(builtIn)) {
    const known = new Set([...rules, ...own]);
    const expected = propertiesOf(nodeAt(node, ["expect"])).find((property) => property.key === key);
    for (const child of expected?.valueNode.children ?? []) {
      const name = String(child.value);
      if (!known.has(name)) document.error("unknown-rule", child, orMean(`no rule is named \`${name}\``, name, known));
    }
  }
}

const merged = (before: Fixture, after: Fixture): Fixture => deepMerged(before as JsonObject, after as JsonObject);

/** Objects are merged key by key; anything else replaces what was there. */
function deepMerged(before: JsonObject, after: JsonObject): JsonObject {
  const whole: Record<string, Json> = { ...before };
  for (const [key, value] of Object.entries(after)) {
    const there = Object.hasOwn(whole, key) ? whole[key] : undefined;
    whole[key] = isObject(there) && isObject(value) ? deepMerged(there, value) : value;
  }
  return whole;
}
