import type { Node } from "jsonc-parser";
import { parseInstant } from "../core/instants.ts";
import { isObject, losesPrecision } from "../core/json.ts";
import { nearest } from "../core/nearest.ts";
import { type Steps, toEnd } from "../core/steps.ts";
import type { Instant, Json, JsonObject } from "../core/words.ts";
import type { ComplaintId, ErrorId, WarningId } from "./complaint-kinds.ts";
import { type Complaint, complaint, orMean, type Said, suggesting, suggestionOf } from "./complaints.ts";
import { treeOf } from "./json-tree.ts";
import { linesOf } from "./lines.ts";
import { type Schema, wordsSchema } from "./schema.ts";

export type { Node } from "jsonc-parser";

/** One JSON file of a rules directory, with the place of everything in it. */
export interface Document {
  readonly file: string;
  readonly text: string;
  readonly root: Node;
  /** `file:line:column`. */
  positionOf(node: Node): string;
  /** A complaint about a place in it, for whoever collects them. */
  complaintAt(id: ComplaintId, node: Node, said: Said): Complaint;
  /** Tells the loader. */
  error(id: ErrorId, node: Node, said: Said): void;
  warn(id: WarningId, node: Node, said: Said): void;
}

/** How deep a rules file may be nested; conditions need a few levels each. */
const NESTING_MAX = 200;
/** A hundred bytes of memory each; ten thousand rules have fewer. */
const VALUES_MAX = 1_500_000;
/** Values looked at between two pauses. */
const VALUES_PER_STEP = 1_000;
/** More errors, or more warnings, about one file help nobody: the first error refuses the policy already. */
export const COMPLAINTS_MAX = 10_000;

/** Reads a file strictly, and complains of all that JSON.parse would quietly change. Undefined when there is no tree to go on with. */
export const readDocument = (file: string, text: string, complaints: Complaint[]): Document | undefined =>
  toEnd(documentSteps(file, text, complaints));

/** The same, with pauses. */
export function* documentSteps(file: string, text: string, complaints: Complaint[]): Steps<Document | undefined> {
  const lines = linesOf(text);
  const complaintAt = (id: ComplaintId, offset: number, said: Said): Complaint => ({ ...complaint(id, file, said), at: lines.placeOf(offset) });
  const told = { error: new Set<string>(), warning: new Set<string>() };
  const complain = (id: ComplaintId, offset: number, said: Said): void => {
    const found = complaintAt(id, offset, said);
    // A named condition is read for each rule that uses it; its mistakes are told once.
    const key = `${offset} ${id} ${found.message}`;
    const known = told[found.severity];
    if (known.has(key) || known.size >= COMPLAINTS_MAX) return;
    known.add(key);
    complaints.push(found);
  };
  const root = yield* treeOf(text, { nestingMax: NESTING_MAX, valuesMax: VALUES_MAX });
  if ("why" in root) {
    complain(root.kind, root.offset, root.kind === "not-json" ? `not JSON: ${root.why}` : root.why);
    return undefined;
  }
  const document: Document = {
    file,
    text,
    root,
    positionOf({ offset }) {
      const { line, column } = lines.placeOf(offset);
      return `${file}:${line}:${column}`;
    },
    complaintAt: (id, node, said) => complaintAt(id, node.offset, said),
    error: (id, node, said) => complain(id, node.offset, said),
    warn: (id, node, said) => complain(id, node.offset, said),
  };
  yield* refuseAmbiguous(document);
  return document;
}

const DANGEROUS_KEYS = new Set(["__proto__", "constructor", "prototype"]);

function* refuseAmbiguous(document: Document): Steps<void> {
  const waiting = [document.root];
  for (let count = 1; ; count++) {
    const node = waiting.pop();
    if (!node) return;
    refuseAmbiguousNode(node, document);
    const { children = [] } = node;
    for (let at = children.length - 1; at >= 0; at--) {
      const child = children[at];
      if (child) waiting.push(child);
    }
    if (count % VALUES_PER_STEP === 0) yield;
  }
}

function refuseAmbiguousNode(node: Node, document: Document): void {
  if (node.type === "number") {
    const source = document.text.slice(node.offset, node.offset + node.length);
    if (losesPrecision(source)) document.error("loses-precision", node, `the number \`${source.slice(0, 60)}\` would lose precision`);
  }
  if (node.type === "string" && !String(node.value).isWellFormed()) document.error("lone-surrogate", node, "a string holds a lone surrogate");
  if (node.type !== "object") return;
  const keys = new Set<string>();
  for (const property of node.children ?? []) {
    const [keyNode] = property.children ?? [];
    const key = String(keyNode?.value);
    if (keyNode && keys.has(key)) document.error("duplicate-key", keyNode, `the key \`${key}\` stands twice in this object`);
    if (keyNode && DANGEROUS_KEYS.has(key)) document.error("forbidden-key", keyNode, `\`${key}\` is no key that Behest reads`);
    keys.add(key);
  }
}

/** Reads a value of some type at a node, or complains and answers undefined. Its schema tells an editor the same. */
export interface Read<T> {
  (node: Node, document: Document): T | undefined;
  readonly schema: Schema;
}

export const reading = <T>(schema: Schema, read: (node: Node, document: Document) => T | undefined): Read<T> =>
  Object.assign((node: Node, document: Document) => read(node, document), { schema });

/** The same reader, with what an author is told of it: in words, or with examples and a default as well. */
export function described<T>(read: Read<T>, says: string | Schema): Read<T> {
  const hints = typeof says === "string" ? { description: says } : says;
  // Draft 7 ignores what stands beside `$ref`.
  return reading("$ref" in read.schema ? { allOf: [read.schema], ...hints } : { ...read.schema, ...hints }, read);
}

/** Leaves a value to be read later, by a reader that needs to know more. */
export const later = (read: Read<unknown>): Read<Node> => reading(read.schema, (node) => node);

const kindOf = (node: Node): string =>
  node.type === "array" ? "a list" : node.type === "null" ? "null" : `${/^[aeiou]/.test(node.type) ? "an" : "a"} ${node.type}`;

const expected = (what: string, node: Node, document: Document): undefined => {
  document.error("wrong-type", node, `expected ${what}, found ${kindOf(node)}`);
  return undefined;
};

export const text: Read<string> = reading({ type: "string", minLength: 1 }, (node, document) => {
  if (node.type !== "string") return expected("a string", node, document);
  if (node.value !== "") return node.value;
  document.error("wrong-value", node, "expected text, found an empty string");
  return undefined;
});

export const flag: Read<boolean> = reading({ type: "boolean" }, (node, document) =>
  node.type === "boolean" ? node.value : expected("true or false", node, document),
);

export const integer = (min: number, max: number): Read<number> =>
  reading({ type: "integer", minimum: min, maximum: max }, (node, document) => {
    if (node.type === "number" && Number.isInteger(node.value) && node.value >= min && node.value <= max) return node.value;
    if (node.type !== "number") return expected(`an integer from ${min} to ${max}`, node, document);
    document.error("wrong-value", node, `expected an integer from ${min} to ${max}, found \`${node.value}\``);
    return undefined;
  });

export const listed = (words: readonly string[]): string => words.map((word) => `\`${word}\``).join(" ");

/** One of some words, each with what it means where that is not plain; and what others call them. */
export const oneOf = <T extends string>(
  words: readonly T[],
  meanings?: Readonly<Record<T, string>>,
  synonyms: ReadonlyMap<string, T> = new Map(),
): Read<T> =>
  reading(wordsSchema(words, meanings), (node, document) => {
    const found = words.find((word) => word === node.value);
    if (found !== undefined) return found;
    if (node.type !== "string") return expected(`one of ${listed(words)}`, node, document);
    const meant = synonyms.get(node.value) ?? nearest(node.value.slice(0, 200), words);
    document.error("wrong-value", node, suggesting(`\`${node.value}\` is none of ${listed(words)}`, meant));
    return undefined;
  });

export const matching = (pattern: RegExp, what: string): Read<string> =>
  reading({ type: "string", pattern: pattern.source, patternErrorMessage: `expected ${what}` }, (node, document) => {
    if (node.type === "string" && pattern.test(node.value)) return node.value;
    if (node.type !== "string") return expected(what, node, document);
    document.error("wrong-value", node, `\`${node.value}\` is not ${what}`);
    return undefined;
  });

export const listOf = <T>(item: Read<T>, max?: number): Read<readonly T[]> =>
  reading({ type: "array", items: item.schema, ...(max !== undefined && { maxItems: max }) }, (node, document) => {
    if (node.type !== "array") return expected("a list", node, document);
    const found = node.children?.length ?? 0;
    if (max !== undefined && found > max) document.error("wrong-value", node, `expected at most ${max} of them, found ${found}`);
    return (node.children ?? []).map((child) => item(child, document)).filter((value) => value !== undefined);
  });

/** Reads the value of a property, whose key says something too. */
export interface ReadEntry<T> {
  (node: Node, document: Document, property: Property): T | undefined;
  readonly schema: Schema;
}

/** What `later` is to one value of a map. */
export const laterEntry = (entry: ReadEntry<unknown>): ReadEntry<Property> =>
  Object.assign((...[, , property]: Parameters<ReadEntry<Property>>) => property, { schema: entry.schema });

/** An object with any keys, or with those that `key` reads. */
export const mapOf = <T>(item: ReadEntry<T>, key?: Read<string>): Read<ReadonlyMap<string, T>> =>
  reading({ type: "object", additionalProperties: item.schema, ...(key && { propertyNames: key.schema }) }, (node, document) => {
    if (node.type !== "object") return expected("an object", node, document);
    const values = new Map<string, T>();
    for (const property of propertiesOf(node)) {
      const name = key ? key({ ...property.keyNode, value: property.key }, document) : property.key;
      const value = item(property.valueNode, document, property);
      if (name !== undefined && value !== undefined) values.set(name, value);
    }
    return values;
  });

export interface Property {
  readonly key: string;
  readonly keyNode: Node;
  readonly valueNode: Node;
}

export function propertiesOf(node: Node): readonly Property[] {
  const properties: Property[] = [];
  for (const property of node.children ?? []) {
    const [keyNode, valueNode] = property.children ?? [];
    if (keyNode && valueNode) properties.push({ key: String(keyNode.value), keyNode, valueNode });
  }
  return properties;
}

type Fields<R, O> = { readonly [K in keyof R]: R[K] } & { readonly [K in keyof O]?: O[K] };
type Readers<T> = { readonly [K in keyof T]: Read<T[K]> };

/** An object with these keys and no others. Undefined if a required one is absent or wrong. */
export function object<R extends object, O extends object>(required: Readers<R>, optional: Readers<O>): Read<Fields<R, O>> {
  const readers: Readonly<Record<string, Read<unknown>>> = { ...required, ...optional };
  const needed = Object.keys(required);
  const properties = Object.fromEntries(Object.entries(readers).map(([key, { schema }]) => [key, schema]));
  const schema = { type: "object", properties, ...(needed.length > 0 && { required: needed }), additionalProperties: false };
  return reading(schema, (node, document) => {
    if (node.type !== "object") return expected("an object", node, document);
    const values: Record<string, unknown> = {};
    const misspelt = new Set<string | undefined>();
    for (const { key, keyNode, valueNode } of propertiesOf(node)) {
      const read = Object.hasOwn(readers, key) ? readers[key] : undefined;
      // An editor's pointer to the schema; it changes nothing.
      if (!read && key === "$schema" && node === document.root) continue;
      if (!read) {
        const said = orMean(`unknown key \`${key}\``, key, Object.keys(readers));
        document.error("unknown-key", keyNode, said);
        misspelt.add(suggestionOf(said));
      }
      const value = read?.(valueNode, document);
      if (value !== undefined) values[key] = value;
    }
    for (const key of needed) {
      if (!misspelt.has(key) && !propertiesOf(node).some((property) => property.key === key))
        document.error("missing-key", node, `the key \`${key}\` is missing`);
    }
    return needed.every((key) => values[key] !== undefined) ? (values as Fields<R, O>) : undefined;
  });
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DURATION = "a duration such as `60s`, `10m` or `24h`, at most `365d`";

/** `60s`, `10m`, `24h`; in milliseconds. */
export const duration: Read<number> = reading(
  { type: "string", pattern: "^(?!0+[a-z])\\d{1,9}(ms|s|m|h|d)$", patternErrorMessage: `expected ${DURATION}`, examples: ["60s", "10m", "24h"] },
  (node, document) => {
    const match = typeof node.value === "string" ? /^(\d{1,9})(ms|s|m|h|d)$/.exec(node.value) : null;
    const ms = Number(match?.[1]) * (UNIT_MS[match?.[2] ?? ""] ?? Number.NaN);
    if (ms > 0 && ms <= 365 * 86_400_000) return ms;
    document.error("wrong-value", node, `expected ${DURATION}${node.type === "string" ? `, found \`${node.value}\`` : ""}`);
    return undefined;
  },
);

const DAY = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/;
const DAY_WORDS = "a day such as `2026-12-31`";

/** A day of the calendar; its first instant, UTC. */
export const day: Read<Instant> = reading(
  { type: "string", pattern: DAY.source, patternErrorMessage: `expected ${DAY_WORDS}`, examples: ["2026-12-31"] },
  (node, document) => {
    if (node.type !== "string") return expected(DAY_WORDS, node, document);
    const text = String(node.value);
    const begins = DAY.test(text) ? parseInstant(`${text}T00:00:00Z`) : undefined;
    if (begins !== undefined) return begins;
    document.error("wrong-value", node, `\`${text}\` is not ${DAY_WORDS}`);
    return undefined;
  },
);

/** The plain value of a node. Ambiguous ones have been complained of already. */
export function plainValue(node: Node): Json {
  if (node.type === "array") return (node.children ?? []).map(plainValue);
  if (node.type !== "object") return node.value as Json;
  return Object.fromEntries(propertiesOf(node).map(({ key, valueNode }) => [key, plainValue(valueNode)]));
}

/** Any object, as plain data. */
export const jsonObject: Read<JsonObject> = reading({ type: "object" }, (node, document) => {
  const value = plainValue(node);
  return isObject(value) ? value : expected("an object", node, document);
});
