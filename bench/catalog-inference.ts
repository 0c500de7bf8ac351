import { readFileSync } from "node:fs";
import { Command, Option } from "commander";
import { printJson, tableOf } from "../src/cli/output.ts";
import type { JsonObject } from "../src/core/words.ts";
import { ENGLISH } from "../src/inference/english.ts";
import { createInference, type Inference, type ListedTool } from "../src/inference/infer.ts";
import type { LanguagePack } from "../src/inference/language.ts";
import { compileLexicon } from "../src/inference/lexicon.ts";
import { nameTokens, tokensOf } from "../src/inference/tokens.ts";
import { PARAPHRASES, type Paraphrase, paraphrased } from "./paraphrases.ts";

/** One tool with what somebody else says that it does. */
interface Labelled {
  readonly domain: string;
  readonly name: string;
  readonly description: string;
  readonly parameters: readonly { readonly name: string; readonly type: string }[];
  readonly effect: string;
}

interface Row {
  readonly domain: string;
  readonly agree: number;
  readonly of: number;
  readonly share: string;
}

const TYPES: Readonly<Record<string, string>> = { str: "string", int: "integer", float: "number", number: "number", bool: "boolean" };
const toolOf = ({ name, description, parameters }: Labelled, opaque: boolean): ListedTool => ({
  name: opaque ? "t17" : name,
  description,
  inputSchema: {
    type: "object",
    properties: Object.fromEntries(
      parameters.map((one): [string, JsonObject] => [one.name, TYPES[one.type] === undefined ? {} : { type: TYPES[one.type] ?? "string" }]),
    ),
  },
});

/** `nothing` where nothing was concluded: it agrees with no label. */
const classOf = ({ effect }: Inference): string =>
  effect.value === "unknown" ? "nothing" : effect.value === "read" || effect.value === "browse" ? "READ" : "WRITE";

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

/** The pack without the verbs that stand in one domain's tools and in no other's: what somebody would lack who had never seen that domain. */
function without(pack: LanguagePack, tools: readonly Labelled[], domain: string): LanguagePack {
  const lexicon = compileLexicon(pack);
  const verbsOf = (some: readonly Labelled[]): Set<string> =>
    new Set(
      some.flatMap(({ name, description }) => [...nameTokens(name), ...tokensOf(description)].flatMap((token) => lexicon.verbOf(token)?.base ?? [])),
    );
  const [here, elsewhere] = [verbsOf(tools.filter((tool) => tool.domain === domain)), verbsOf(tools.filter((tool) => tool.domain !== domain))];
  const verbs = Object.entries(pack.verbs).map(([effect, words]) => [
    effect,
    words
      .split(/\s+/)
      .filter((word) => !here.has(word) || elsewhere.has(word))
      .join(" "),
  ]);
  return { ...pack, verbs: Object.fromEntries(verbs) };
}

const rowOf = (domain: string, judged: readonly Judged[]): Row => {
  const agree = judged.filter(({ agrees }) => agrees).length;
  return { domain, agree, of: judged.length, share: `${((100 * agree) / judged.length).toFixed(1)} %` };
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
  const held = domains.flatMap((domain) => judge(labelled, without(ENGLISH, tools, domain), opaque).filter(inDomain(domain)));
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
  if (output === "json") {
    printJson({ agreement, heldOut, misses, heldMisses, dangerous });
    return;
  }
  const part = (title: string, rows: readonly (Row | ReturnType<typeof missOf>)[]): string =>
    `${title}\n${tableOf(
      rows.map((row) => ({ ...row })),
      undefined,
    )}\n`;
  process.stdout.write(
    [
      part("Agreement on read versus write", agreement),
      part("The same without the verbs that only the domain itself has", heldOut),
      part("Misses", misses),
      part("Misses without those verbs", heldMisses),
      part("Writes taken for reads", dangerous),
    ].join("\n"),
  );
}

new Command("catalog-inference")
  .argument("<tools>", "labelled tools, one a line: domain, name, description, parameters, effect")
  .option("--opaque", "with a name that says nothing")
  .addOption(new Option("--descriptions <descriptions>", "as they are, or in other words").choices(["kept", ...PARAPHRASES]).default("kept"))
  .option("-o, --output <format>", "table or json", "table")
  .action(report)
  .parse();
