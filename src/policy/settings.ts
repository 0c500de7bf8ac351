import { compileGlobs } from "../core/globs.ts";
import type { BasisAnswer, BasisRow, Reach, Settings } from "../core/policy.ts";
import { durationMs, EFFECTS, type Effect } from "../core/words.ts";
import { type Document, duration, integer, listOf, mapOf, matching, type Node, object, oneOf, propertiesOf, type Read, text } from "./document.ts";

const ANSWERS = ["allow", "ask", "deny"] as const;

/** `*` is every effect but `unknown`, which has to be named. */
const EFFECT_WORDS = [...EFFECTS, "*"] as const;

const basisRow: Read<BasisRow> = (node, document) => {
  const stated = mapOf((value, doc, { key, keyNode }) => {
    const effect = oneOf(EFFECT_WORDS)({ ...keyNode, value: key }, doc);
    return effect === undefined ? undefined : oneOf(ANSWERS)(value, doc);
  })(node, document);
  if (!stated) return undefined;
  const answer = (effect: Effect): BasisAnswer => stated.get(effect) ?? (effect === "unknown" ? undefined : stated.get("*")) ?? "deny";
  return Object.fromEntries(EFFECTS.map((effect) => [effect, answer(effect)])) as BasisRow;
};

/** What `reach` says before the classifications are known by their rank. */
export interface StatedReach {
  readonly tools?: readonly string[];
  readonly effects?: readonly (Effect | "*")[];
  readonly resources?: readonly string[];
  readonly max_classification?: string;
}

/** A classification must be one of policy.json's. */
export const classificationOf =
  (order: readonly string[]): Read<string> =>
  (node, document) =>
    oneOf(order)(node, document);

export const reachShape = (order: readonly string[]): Read<StatedReach> =>
  object(
    {},
    {
      tools: listOf(text),
      effects: listOf(oneOf(EFFECT_WORDS)),
      resources: listOf(text),
      max_classification: classificationOf(order),
    },
  );

export function compileReach(stated: StatedReach, order: readonly string[]): Reach {
  const effects = stated.effects ?? [];
  const resources = stated.resources ?? [];
  return {
    tools: compileGlobs(stated.tools ?? []),
    effects: new Set(EFFECTS.filter((effect) => effects.includes(effect) || (effect !== "unknown" && effects.includes("*")))),
    resources: compileGlobs(resources),
    anyResource: resources.includes("*"),
    classificationRankMax: stated.max_classification === undefined ? -1 : order.indexOf(stated.max_classification),
  };
}

/** `principal`, `issuer`, `user:…`, `group:…`. */
export const approver: Read<string> = (node, document) => {
  const name = text(node, document);
  if (name === undefined || /^(principal|issuer|user:.+|group:.+)$/.test(name)) return name;
  document.error("unknown-approver", node, `\`${name}\` is no approver: write \`principal\`, \`issuer\`, \`user:…\` or \`group:…\``);
  return undefined;
};

/** A framework whose controls rules name as `framework:…`, beside those that Behest knows. It changes no decision. */
const framework = matching(/^[a-z][a-z0-9-]*$/, "the name of a framework, such as `acme`");

const classificationShape = object({ order: listOf(text), default: text }, {});

/** Reads policy.json. Undefined after complaining. */
export function readSettings(document: Document): Settings | undefined {
  const order = orderOf(document);
  const stated = object(
    {
      classification: classificationShape,
      environment: object({ default: text }, {}),
      bands: object({ middle: integer(1, 100), top: integer(1, 100) }, {}),
      basis: object({ AUTHORIZED: basisRow, INFERRED: basisRow, AVAILABLE: basisRow }, {}),
      reach: object({ default: reachShape(order) }, {}),
      approvers: object({ default: listOf(approver), quorum: integer(1, 20) }, {}),
      groups: mapOf(listOf(text)),
      lifetimes: object({ decision: duration, self_asserted_idle: duration, approval: duration }, {}),
      windows: object({ memory: duration, report_within: duration, idempotency: duration }, {}),
    },
    { outside_issued_scope: oneOf(["deny", "ask"] as const), controls: listOf(framework) },
  )(document.root, document);
  if (!stated) return undefined;
  const { bands, lifetimes, windows } = stated;
  refuseInconsistent(document, stated);
  return {
    classification: stated.classification,
    environmentDefault: stated.environment.default,
    bands,
    basis: stated.basis,
    reachDefault: compileReach(stated.reach.default, stated.classification.order),
    approvers: stated.approvers,
    groups: Object.fromEntries(stated.groups),
    outsideIssuedScope: stated.outside_issued_scope ?? "deny",
    lifetimes: {
      decision: durationMs(lifetimes.decision),
      selfAssertedIdle: durationMs(lifetimes.self_asserted_idle),
      approval: durationMs(lifetimes.approval),
    },
    windows: {
      memory: durationMs(windows.memory),
      reportWithin: durationMs(windows.report_within),
      idempotency: durationMs(windows.idempotency),
    },
  };
}

interface Stated {
  readonly classification: { readonly order: readonly string[]; readonly default: string };
  readonly bands: { readonly middle: number; readonly top: number };
  readonly approvers: { readonly default: readonly string[] };
}

function refuseInconsistent(document: Document, { classification, bands, approvers }: Stated): void {
  const { order } = classification;
  const at = (...path: string[]): Node => nodeAt(document.root, path);
  if (order.length === 0 || new Set(order).size !== order.length) {
    document.error("inconsistent-settings", at("classification", "order"), "list each classification once, lowest first, and at least one");
  }
  if (!order.includes(classification.default)) {
    document.error("inconsistent-settings", at("classification", "default"), `\`${classification.default}\` is not in \`classification.order\``);
  }
  if (bands.middle >= bands.top)
    document.error("inconsistent-settings", at("bands", "middle"), `\`middle\` must be below \`top\`, which is ${bands.top}`);
  if (approvers.default.length === 0) document.error("inconsistent-settings", at("approvers", "default"), "name at least one approver");
}

/** The classifications, read ahead because the rest of the file refers to them. */
export function orderOf(document: Document): readonly string[] {
  const node = nodeAt(document.root, ["classification", "order"]);
  return (node.type === "array" ? (node.children ?? []) : []).flatMap((child) => (typeof child.value === "string" ? [child.value] : []));
}

/** The frameworks that `controls` declares. */
export function declaredFrameworks({ root }: Document): readonly string[] {
  const controls = propertiesOf(root).find(({ key }) => key === "controls")?.valueNode;
  return (controls?.children ?? []).flatMap((child) => (typeof child.value === "string" ? [child.value] : []));
}

export function nodeAt(root: Node, path: readonly string[]): Node {
  let node = root;
  for (const key of path) {
    const property = node.children?.find((child) => child.children?.[0]?.value === key);
    node = property?.children?.[1] ?? node;
  }
  return node;
}
