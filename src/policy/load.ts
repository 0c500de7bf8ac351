import { join } from "node:path";
import { createGlobIndex } from "../core/globs.ts";
import type { Policy, RegisteredAgent } from "../core/policy.ts";
import { type Steps, toEnd } from "../core/steps.ts";
import { type Catalog, readAgents, readCatalogFile } from "./catalog.ts";
import { createSlotTable } from "./compile.ts";
import { type Complaint, complaint, PolicyInvalid } from "./complaints.ts";
import { type Document, documentSteps, type Node } from "./document.ts";
import { digestOf, type PolicyFiles, readPolicyFiles } from "./files.ts";
import { refuseUnknownGroups } from "./groups.ts";
import { indexRules } from "./rule-index.ts";
import { collectNamed, compileRules, inOrder, RULES_MAX, readRules, ruleNodesOf, type StatedRule } from "./rules.ts";
import { orderOf, readSettings } from "./settings.ts";

export interface LoadedPolicy {
  readonly policy: Policy;
  readonly files: PolicyFiles;
  readonly warnings: readonly Complaint[];
  /** What the policy was compiled from, for who looks closer: each file's tree, and the rules in the policy's order. */
  readonly documents: ReadonlyMap<string, Document>;
  readonly stated: readonly StatedRule[];
}

/** Reads a rules directory whole. @throws {PolicyInvalid} with every complaint. */
export function loadPolicy(directory: string): LoadedPolicy {
  const complaints: Complaint[] = [];
  const files = readPolicyFiles(directory, complaints);
  if (complaints.some(({ severity }) => severity === "error")) throw new PolicyInvalid(complaints);
  return compilePolicy(files, directory);
}

/** Compiles the files of a rules directory, or of a policy stored by its digest. @throws {PolicyInvalid} with every complaint. */
export const compilePolicy = (files: PolicyFiles, directory = "rules"): LoadedPolicy => toEnd(compileSteps(files, directory));

/** The same, with pauses: ten thousand rules take most of a second. */
export function* compileSteps(files: PolicyFiles, directory: string): Steps<LoadedPolicy> {
  const complaints: Complaint[] = [];
  const documents = new Map<string, Document>();
  const assembled = yield* upToTooMany(policySteps({ files, documents, directory, complaints }), directory, complaints);
  const errors = complaints.filter(({ severity }) => severity === "error");
  if (!assembled || errors.length > 0) throw new PolicyInvalid(errors);
  return { ...assembled, files, documents, warnings: complaints };
}

/** Errors that one policy is told of; what has more is another kind of file, and all of them would fill the memory. */
const ERRORS_MAX = 1_000;

function* upToTooMany<T>(steps: Steps<T>, directory: string, complaints: readonly Complaint[]): Steps<T> {
  let lookAt = ERRORS_MAX;
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    if (complaints.length > lookAt) {
      const errors = complaints.filter(({ severity }) => severity === "error");
      if (errors.length > ERRORS_MAX) {
        const rest = complaint("too-big", directory, `more than ${ERRORS_MAX} errors; mend these first, the rest was not looked at`);
        throw new PolicyInvalid([...errors.slice(0, ERRORS_MAX), rest]);
      }
      lookAt = complaints.length * 2;
    }
    yield;
  }
}

interface Parts {
  readonly documents: Map<string, Document>;
  readonly files: PolicyFiles;
  readonly directory: string;
  readonly complaints: Complaint[];
}

function* policySteps({ files, documents, directory, complaints }: Parts): Steps<Pick<LoadedPolicy, "policy" | "stated"> | undefined> {
  for (const [name, text] of Object.entries(files)) {
    const document = yield* documentSteps(join(directory, name), text, complaints);
    if (document) documents.set(name, document);
  }
  const settingsDocument = documents.get("policy.json");
  if (!settingsDocument) {
    // Everything else refers to it: without it, complaints about the rest would be noise.
    if (!Object.hasOwn(files, "policy.json")) {
      complaints.push(
        complaint("missing-file", join(directory, "policy.json"), "is missing; without it nothing can be decided; `behest init` makes one"),
      );
    }
    return undefined;
  }
  const settings = readSettings(settingsDocument);
  const order = orderOf(settingsDocument);
  const catalog: Catalog = { tools: new Map(), places: new Map(), labels: [] };
  let agents: ReadonlyMap<string, RegisteredAgent> = new Map();
  for (const [name, document] of documents) {
    if (name.startsWith("catalog/")) yield* readCatalogFile(document, order, catalog);
    if (name === "agents.json") agents = yield* readAgents(document, order);
  }
  const stated = yield* readRuleFiles(
    [...documents].filter(([name]) => name.endsWith(".rules.json")).map(([, document]) => document),
    order,
  );
  yield* refuseUnknownGroups(settingsDocument, stated);
  if (!settings) return undefined;
  const ordered = inOrder(stated);
  const slots = createSlotTable();
  const rules = yield* compileRules(ordered, slots);
  const policy = {
    digest: yield* digestOf(files),
    settings,
    tools: catalog.tools,
    resourceLabels: createGlobIndex(catalog.labels),
    agents,
    rules,
    slots: slots.slots,
    index: yield* indexRules(rules, slots.slots),
  };
  return { policy, stated: ordered };
}

function* readRuleFiles(documents: readonly Document[], classifications: readonly string[]): Steps<readonly StatedRule[]> {
  if (refuseTooMany(documents)) return [];
  const named = collectNamed(documents);
  const names = new Map<string, string>();
  const rules: StatedRule[] = [];
  for (const document of documents) for (const rule of yield* readRules(document, { named, classifications, names })) rules.push(rule);
  for (const [name, { node, document }] of named.nodes) {
    if (!named.used.has(name)) document.warn("unused-condition", node, `no rule uses the condition \`${name}\``);
  }
  return rules;
}

/** Counted before any is read: reading costs what there are. */
function refuseTooMany(documents: readonly Document[]): boolean {
  let count = 0;
  let first: { readonly node: Node; readonly document: Document } | undefined;
  for (const document of documents) {
    for (const node of ruleNodesOf(document)) if (++count === RULES_MAX + 1) first = { node, document };
  }
  first?.document.error("too-big", first.node, `${count} rules; at most ${RULES_MAX} are served`);
  return first !== undefined;
}
