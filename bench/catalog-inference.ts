import { readFileSync } from "node:fs";
import { Command, Option } from "commander";
import { printJson, tableOf } from "../src/cli/output.ts";
import { isObject } from "../src/core/json.ts";
import type { JsonObject } from "../src/core/words.ts";
import { ENGLISH } from "../src/inference/english.ts";
import { createInference, type Inference, type ListedTool } from "../src/inference/infer.ts";
import type { LanguagePack } from "../src/inference/language.ts";
import { englishWithoutOwnWords, textsIn } from "./own-words.ts";
import { PARAPHRASES, type Paraphrase, paraphrased } from "./paraphrases.ts";

/** One tool, and what somebody else says that it does, where somebody does. */
interface Labelled {
  readonly domain: string;
  readonly name: string;
  readonly description: string;
  /** Its arguments, unless there is a schema. */
  readonly parameters?: readonly { readonly name: string; readonly type: string }[];
  readonly inputSchema?: JsonObject;
  readonly effect?: string;
}

interface Row {
  readonly domain: string;
  readonly agree: number;
  readonly of: number;
  readonly share: string;
}

const TYPES: Readonly<Record<string, string>> = { str: "string", int: "integer", float: "number", number: "number", bool: "boolean" };
const schemaOf = ({ inputSchema, parameters = [] }: Labelled): JsonObject =>
  inputSchema ?? {
    type: "object",
    properties: Object.fromEntries(
      parameters.map((one): [string, JsonObject] => [one.name, TYPES[one.type] === undefined ? {} : { type: TYPES[one.type] ?? "string" }]),
    ),
  };

/** As its server lists it; or with names of itself and of its arguments that say nothing, in the list of them in its description as well. */
function toolOf(tool: Labelled, opaque: boolean): ListedTool {
  const { name, description } = tool;
  const inputSchema = schemaOf(tool);
  const { properties } = inputSchema;
  if (!opaque || !isObject(properties)) return { name: opaque ? "t17" : name, description, inputSchema };
  const names = new Map(Object.keys(properties).map((argument, at) => [argument, `a${at + 1}`]));
  const opaqueName = (argument: string): string => names.get(argument) ?? argument;
  return {
    name: "t17",
    description: description.replaceAll(
      /^(\s+(?:[-*]\s+)?`?)([A-Za-z_][\w.-]*)(?=`?\s*(?:\([^)]*\))?\s*:)/gm,
      (_, ...[before, argument]) => before + opaqueName(argument),
    ),
    inputSchema: { ...inputSchema, properties: Object.fromEntries(Object.entries(properties).map(([key, value]) => [opaqueName(key), value])) },
  };
}

/** `nothing` where nothing was concluded: it agrees with no label. */
const classOf = ({ effect }: Inference): string =>
  effect.value === "unknown" ? "nothing" : effect.value === "read" || effect.value === "browse" ? "READ" : "WRITE";

interface Role {
  readonly role: string;
  readonly named: number;
  /** How many of them get the same role where tool and argument have opaque names, and how many others get it then. */
  readonly opaque: number;
  readonly others: number;
}

/** Roles of arguments by their names, and by their descriptions alone. */
function rolesOf(tools: readonly Labelled[]): readonly Role[] {
  const infer = createInference();
  const counts = new Map<string, { named: number; opaque: number; others: number }>();
  const count = (role: string, key: keyof Omit<Role, "role">): void => {
    const row = counts.get(role) ?? { named: 0, opaque: 0, others: 0 };
    row[key]++;
    counts.set(role, row);
  };
  for (const tool of tools) {
    const [named, opaque] = [false, true].map((hidden) => infer(toolOf(tool, hidden)).arguments.map(({ value }) => value ?? "none"));
    for (const [at, role] of (named ?? []).entries()) {
      count(role, "named");
      if (opaque?.[at] === role) count(role, "opaque");
      else count(opaque?.[at] ?? "none", "others");
    }
  }
  return [...counts].map(([role, row]) => ({ role, ...row })).sort((a, b) => b.named - a.named);
}

interface Judged {
  readonly tool: Labelled;
  readonly inference: Inference;
  readonly agrees: boolean;
}

const judge = (tools: readonly Labelled[], pack: LanguagePack, opaque: boolean): readonly Judged[] => {
  const infer = createInference(pack);
  return tools.map((tool) => {
    const inference = infer(toolOf(tool, opaque));
    return { tool, inference, agrees: classOf(inference) === tool.effect };
  });
};

const textsOf = (tools: readonly Labelled[]): readonly string[] =>
  tools.flatMap(({ name, description, ...tool }) => [name, description, ...textsIn(schemaOf({ name, description, ...tool }))]);

/** What somebody would lack who had never seen that domain. */
const without = (tools: readonly Labelled[], domain: string): LanguagePack =>
  englishWithoutOwnWords(textsOf(tools.filter((tool) => tool.domain === domain)), textsOf(tools.filter((tool) => tool.domain !== domain)));

const rowOf = (domain: string, judged: readonly Judged[]): Row => {
  const agree = judged.filter(({ agrees }) => agrees).length;
  return { domain, agree, of: judged.length, share: judged.length === 0 ? "" : `${((100 * agree) / judged.length).toFixed(1)} %` };
};

interface ReportOptions {
  readonly output: string;
  readonly opaque?: boolean;
  readonly descriptions: "kept" | Paraphrase;
}

function report(file: string, { output, opaque = false, descriptions }: ReportOptions): void {
  const tools = readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line): Labelled => JSON.parse(line))
    .map((tool) => (descriptions === "kept" ? tool : { ...tool, description: paraphrased(tool.description, descriptions) }));
  const labelled = tools.filter(({ effect }) => effect === "READ" || effect === "WRITE");
  const judged = judge(labelled, ENGLISH, opaque);
  const domains = [...new Set(labelled.map(({ domain }) => domain))];
  const inDomain =
    (domain: string) =>
    (one: Judged): boolean =>
      one.tool.domain === domain;
  const agreement = [...domains.map((domain) => rowOf(domain, judged.filter(inDomain(domain)))), rowOf("all", judged)];
  const held = domains.flatMap((domain) => judge(labelled, without(tools, domain), opaque).filter(inDomain(domain)));
  const heldOut = [...domains.map((domain) => rowOf(domain, held.filter(inDomain(domain)))), rowOf("all", held)];
  const wordsOf = ({ inference: { effect } }: Judged): string => effect.words.map(({ from, words }) => `${from}: ${words}`).join("; ");
  const missOf = (one: Judged) => ({
    domain: one.tool.domain,
    tool: one.tool.name,
    label: one.tool.effect,
    effect: one.inference.effect.value,
    read: one.inference.effect.read ?? null,
    confidence: one.inference.effect.confidence,
    words: wordsOf(one),
  });
  const misses = judged.filter(({ agrees }) => !agrees).map(missOf);
  const heldMisses = held.filter(({ agrees }) => !agrees).map(missOf);
  const dangerous = [...judged, ...held].filter(({ tool, inference }) => tool.effect === "WRITE" && classOf(inference) === "READ").map(missOf);
  const roles = rolesOf(tools);
  if (output === "json") {
    printJson({ agreement, heldOut, misses, heldMisses, dangerous, roles });
    return;
  }
  const part = (title: string, rows: readonly (Row | Role | ReturnType<typeof missOf>)[]): string =>
    `${title}\n${tableOf(
      rows.map((row) => ({ ...row })),
      undefined,
    )}\n`;
  const labels = [
    part("Agreement on read versus write", agreement),
    part("The same without the words that only the domain itself has", heldOut),
    part("Misses", misses),
    part("Misses without those words", heldMisses),
    part("Writes taken for reads", dangerous),
  ];
  const parts = [...(labelled.length > 0 ? labels : []), part("Roles of arguments by their names, and by their descriptions alone", roles)];
  process.stdout.write(parts.join("\n"));
}

new Command("catalog-inference")
  .argument("<tools>", "tools, one a line: domain, name, description, parameters or inputSchema, and effect where it is labelled")
  .option("--opaque", "with names of the tool and of its arguments that say nothing")
  .addOption(new Option("--descriptions <descriptions>", "as they are, or in other words").choices(["kept", ...PARAPHRASES]).default("kept"))
  .option("-o, --output <format>", "table or json", "table")
  .action(report)
  .parse();
