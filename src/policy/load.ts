import { join } from "node:path";
import { createGlobIndex } from "../core/globs.ts";
import type { Policy, RegisteredAgent } from "../core/policy.ts";
import { type Catalog, readAgents, readCatalogFile } from "./catalog.ts";
import { createSlotTable } from "./compile.ts";
import { type Complaint, complaint, formatComplaint, PolicyInvalid } from "./complaints.ts";
import { type Document, readDocument } from "./document.ts";
import { digestOf, type PolicyFiles, readPolicyFiles } from "./files.ts";
import { indexRules } from "./rule-index.ts";
import { collectNamed, compileRules, RULES_MAX, readRules, type StatedRule } from "./rules.ts";
import { orderOf, readSettings } from "./settings.ts";

export interface LoadedPolicy {
  readonly policy: Policy;
  readonly files: PolicyFiles;
  readonly warnings: readonly Complaint[];
}

/** Reads a rules directory whole. @throws {PolicyInvalid} with every complaint. */
export function loadPolicy(directory: string): LoadedPolicy {
  const complaints: Complaint[] = [];
  const files = readPolicyFiles(directory, complaints);
  if (complaints.some(({ severity }) => severity === "error")) throw new PolicyInvalid(complaints);
  return compilePolicy(files, directory);
}

/** Compiles the files of a rules directory, or of a policy stored by its digest. @throws {PolicyInvalid} with every complaint. */
export function compilePolicy(files: PolicyFiles, directory = "rules"): LoadedPolicy {
  const complaints: Complaint[] = [];
  const documents = new Map<string, Document>();
  for (const [name, text] of Object.entries(files)) {
    const document = readDocument(join(directory, name), text, complaints);
    if (document) documents.set(name, document);
  }
  const policy = assemble({ files, documents, directory, complaints });
  // A named condition is read for each rule that uses it; its mistakes are told once.
  const told = [...new Map(complaints.map((complaint) => [formatComplaint(complaint), complaint])).values()];
  const errors = told.filter(({ severity }) => severity === "error");
  if (!policy || errors.length > 0) throw new PolicyInvalid(errors);
  return { policy, files, warnings: told };
}

interface Parts {
  readonly files: PolicyFiles;
  readonly documents: ReadonlyMap<string, Document>;
  readonly directory: string;
  readonly complaints: Complaint[];
}

function assemble({ files, documents, directory, complaints }: Parts): Policy | undefined {
  const settingsDocument = documents.get("policy.json");
  if (!settingsDocument) {
    // Everything else refers to it: without it, complaints about the rest would be noise.
    if (!Object.hasOwn(files, "policy.json")) {
      complaints.push(complaint("missing-file", join(directory, "policy.json"), "is missing; without it nothing can be decided"));
    }
    return undefined;
  }
  const settings = readSettings(settingsDocument);
  const order = orderOf(settingsDocument);
  const catalog: Catalog = { tools: new Map(), labels: [] };
  let agents: ReadonlyMap<string, RegisteredAgent> = new Map();
  for (const [name, document] of documents) {
    if (name.startsWith("catalog/")) readCatalogFile(document, order, catalog);
    if (name === "agents.json") agents = readAgents(document, order);
  }
  const stated = readRuleFiles(
    [...documents].filter(([name]) => name.endsWith(".rules.json")).map(([, document]) => document),
    order,
  );
  if (!settings) return undefined;
  const slots = createSlotTable();
  const rules = compileRules(stated, slots);
  return {
    digest: digestOf(files),
    settings,
    tools: catalog.tools,
    resourceLabels: createGlobIndex(catalog.labels),
    agents,
    rules,
    slots: slots.slots,
    index: indexRules(rules, slots.slots),
  };
}

function readRuleFiles(documents: readonly Document[], classifications: readonly string[]): readonly StatedRule[] {
  const named = collectNamed(documents);
  const names = new Set<string>();
  const rules = documents.flatMap((document) => readRules(document, { named, classifications, names }));
  const [first] = documents;
  if (rules.length > RULES_MAX && first) first.error("too-big", first.root, `${rules.length} rules; at most ${RULES_MAX} are served`);
  for (const [name, { node, document }] of named.nodes) {
    if (!named.used.has(name)) document.warn("unused-condition", node, `no rule uses the condition \`${name}\``);
  }
  return rules;
}
