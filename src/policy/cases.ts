import { isObject } from "../core/json.ts";
import type { Obligation } from "../core/obligations.ts";
import type { Seen } from "../core/tasks/seen.ts";
import type { TaskStanding } from "../core/tasks/self-asserted.ts";
import { type Basis, type Instant, instant, type Json, type JsonObject, type Outcome, TRUST_LEVELS } from "../core/words.ts";
import { orMean } from "./complaints.ts";
import {
  type Document,
  duration,
  flag,
  integer,
  listOf,
  mapOf,
  type Node,
  object,
  oneOf,
  plainValue,
  propertiesOf,
  type Read,
  text,
} from "./document.ts";
import { obligationShape } from "./obligations.ts";

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
  readonly expect: Expectation;
  readonly source: CaseSource;
}

/** Where a case stands. */
export interface CaseSource {
  readonly document: Document;
  readonly node: Node;
  /** Its place in the list `cases`, from 0. */
  readonly index: number;
}

/** How the task of the request stands before it; what is left out is what a new task has. */
export interface CaseTask {
  readonly standing?: TaskStanding["standing"];
  /** The task's first statement, where it is another one than the request's. */
  readonly statement?: string;
  readonly restated?: boolean;
  readonly seen?: Partial<Seen>;
}

/** What is left out is not looked at. */
export interface Expectation {
  readonly outcome: Outcome;
  readonly basis?: Basis;
  readonly score?: ScoreRange;
  /** Names of all holds, in any order. */
  readonly holds?: readonly string[];
  /** All reason codes, in order. */
  readonly reason_codes?: readonly string[];
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

const score: Read<ScoreRange> = (node, document) => {
  if (node.type === "object") return object({ min: integer(0, 100), max: integer(0, 100) }, {})(node, document);
  const exact = integer(0, 100)(node, document);
  return exact === undefined ? undefined : { min: exact, max: exact };
};

/** `2026-01-05T09:00:00Z`. */
const at: Read<Instant> = (node, document) => {
  const ms = typeof node.value === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/.test(node.value) ? Date.parse(node.value) : Number.NaN;
  if (Number.isFinite(ms)) return instant(ms);
  document.error("wrong-value", node, "expected an instant in UTC, such as `2026-01-05T09:00:00Z`");
  return undefined;
};

const requestPart: Read<JsonObject> = (node, document) => {
  const value = plainValue(node);
  if (isObject(value)) return value;
  document.error("wrong-type", node, "a request is an object, as `behest decide` reads it");
  return undefined;
};

const STANDINGS = ["new", "open", "unknown", "closed", "mismatch"] as const satisfies readonly TaskStanding["standing"][];

const parts = {
  request: requestPart,
  caller: text,
  tenant: text,
  at,
  task: object(
    {},
    {
      standing: oneOf(STANDINGS),
      statement: text,
      restated: flag,
      seen: object({}, { classifications: listOf(text), categories: listOf(text), trust: oneOf(TRUST_LEVELS), systems: listOf(text) }),
    },
  ),
};

/** Parts of a case that several share. */
interface Fixture {
  readonly request?: JsonObject;
  readonly caller?: string;
  readonly tenant?: string;
  readonly at?: Instant;
  readonly task?: CaseTask;
}

const fixtureShape: Read<Fixture> = object({}, parts);

const expectShape: Read<Expectation> = object(
  { outcome: oneOf(["ALLOW", "DENY", "REQUIRE_APPROVAL"] as const) },
  {
    basis: oneOf(["AUTHORIZED", "INFERRED", "AVAILABLE", "NONE"] as const),
    score,
    holds: listOf(text),
    reason_codes: listOf(text),
    obligations: listOf(obligationShape),
    valid_for: duration,
    fires: listOf(text),
    silent: listOf(text),
  },
);

const caseShape = object({ name: text, expect: expectShape }, { ...parts, use: listOf(text) });

/** One `*.cases.json`. */
const fileShape = object({}, { fixtures: mapOf(fixtureShape), cases: listOf((node) => node) });

const CASE_AT = instant(Date.UTC(2026, 0, 5, 9));

/** Reads all `*.cases.json` of a directory: a fixture of one can be used in each. Complains into the documents. */
export function readCases(documents: readonly Document[]): readonly Case[] {
  const fixtures = new Map<string, Fixture>();
  const files = documents.map((document) => ({ document, file: fileShape(document.root, document) }));
  for (const { document, file } of files) {
    for (const [name, fixture] of file?.fixtures ?? []) {
      if (fixtures.has(name)) document.error("duplicate-name", fixtureNode(document, name), `the fixture \`${name}\` is named twice`);
      fixtures.set(name, fixture);
    }
  }
  return files.flatMap(({ document, file }) => {
    const names = new Set<string>();
    return (file?.cases ?? []).flatMap((node, index) => {
      const stated = readCase({ document, node, index }, fixtures);
      if (stated && names.has(stated.name)) document.error("duplicate-name", node, `the case \`${stated.name}\` stands twice in this file`);
      if (stated) names.add(stated.name);
      return stated ? [stated] : [];
    });
  });
}

function fixtureNode({ root }: Document, name: string): Node {
  const fixtures = propertiesOf(root).find(({ key }) => key === "fixtures");
  return (fixtures && propertiesOf(fixtures.valueNode).find(({ key }) => key === name)?.keyNode) ?? root;
}

function readCase(source: CaseSource, fixtures: ReadonlyMap<string, Fixture>): Case | undefined {
  const { document, node } = source;
  const stated = caseShape(node, document);
  if (!stated) return undefined;
  const { name, expect, use = [], ...own } = stated;
  const used: Fixture[] = [];
  for (const word of use) {
    const fixture = fixtures.get(word);
    if (fixture) used.push(fixture);
    else document.error("unknown-fixture", node, orMean(`unknown fixture \`${word}\``, word, fixtures.keys()));
  }
  const { request, caller = "local", tenant = "default", at: instantOf = CASE_AT, task = {} } = [...used, own].reduce(merged, {});
  if (request) return { name, request, caller, tenant, at: instantOf, task, expect, source };
  document.error("missing-key", node, "the key `request` is missing, and no fixture that the case uses has it");
  return undefined;
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
