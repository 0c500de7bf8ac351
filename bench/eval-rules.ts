import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { importTools } from "../src/cli/imported-tools.ts";
import type { JsonObject } from "../src/core/words.ts";
import { createInference } from "../src/inference/infer.ts";
import type { LanguagePack } from "../src/inference/language.ts";
import { catalogOf } from "../src/policy/catalog-entries.ts";
import { loadPolicy } from "../src/policy/load.ts";

/** What a tool's catalog entry came with: which argument says what a call does, and what it may say. */
export interface Chooser {
  readonly argument: string;
  readonly choices: ReadonlySet<string>;
}

export interface RulesOfRun {
  readonly directory: string;
  /** By tool, of those whose operations are told apart. */
  readonly choosers: ReadonlyMap<string, Chooser>;
}

interface Made {
  /** The policy whose catalog and agents are replaced. */
  readonly from: string;
  readonly into: string;
  readonly tools: readonly JsonObject[];
  readonly agents: readonly string[];
  /** The words that tools are inferred by. */
  readonly pack?: LanguagePack;
}

/** Makes a rules directory: the policy with the catalog that an import of the tools writes, and agents that it grants everything. */
export function makeRules({ from, into, tools, agents, pack }: Made): RulesOfRun {
  const imported = importTools(tools, undefined, { others: [], infer: createInference(pack) });
  const entries = new Map(imported.flatMap(({ tool, entry }) => (entry ? [[tool, entry] as const] : [])));
  const kept = Object.entries(loadPolicy(from).files).filter(([name]) => !name.startsWith("catalog/") && name !== "agents.json");
  const files = new Map(kept);
  files.set("catalog/imported.json", catalogOf(entries));
  files.set("agents.json", agentsOf(agents, files.get("policy.json") ?? "{}"));
  for (const [name, text] of files) {
    const path = join(into, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  const choosers = imported.flatMap(({ tool, inference }): [string, Chooser][] =>
    inference?.operations ? [[tool, { argument: inference.operations.argument, choices: new Set(inference.operations.effects.keys()) }]] : [],
  );
  return { directory: into, choosers: new Map(choosers) };
}

/** What an agent may reach is not the question here, so all of it. */
function agentsOf(names: readonly string[], settings: string): string {
  const { classification }: { readonly classification: { readonly order: readonly string[] } } = JSON.parse(settings);
  const reach = { tools: ["*"], effects: ["*", "unknown"], resources: ["*"], max_classification: classification.order.at(-1) };
  const agent = { owner: "team:evaluation", trust: "medium", reach };
  return JSON.stringify({ agents: Object.fromEntries(names.map((name) => [name, agent])) }, null, 2);
}
