import { EFFECTS } from "../core/words.ts";
import type { Evidence, Inferred } from "../inference/evidence.ts";
import type { ImportedTool } from "./imported-tools.ts";
import { type Row, visible } from "./output.ts";

/** How many tools are named of which somebody should look at first. */
const REVIEW_SHOWN = 12;

/** What somebody should look at before the tool is used, worst first. */
export function reviewOf({ state, inference, digest, differences }: ImportedTool): readonly string[] {
  const reasons: string[] = [];
  if (state === "unlistable")
    reasons.push("no catalog can list its name: it has at most 128 of `A-Z a-z 0-9 _ . - /`, and is no word that JSON readers trip over");
  if (state === "drifted") reasons.push("its definition is another than the pinned one");
  if (state === "gone") reasons.push("the server lists it no more");
  if (!inference) return reasons;
  reasons.push(...inference.doubts);
  const { value, read, confidence, words } = inference.effect;
  if (state === "new" || state === "unlistable") {
    if (value === "unknown")
      reasons.push(
        read === undefined ? "nothing says what it does" : `it seems to ${read}, which is too uncertain to be taken for it: unknown until you say so`,
      );
    else if (confidence === "low") reasons.push(`${value} is the worst of what is said of it`);
    if (words.some(({ from }) => from === "annotation")) reasons.push("what its server says of it beside the definition does not fit");
    if (inference.operations)
      reasons.push(`\`${visible(inference.operations.argument)}\` chooses the operation: the gateway must send it as \`action.operation\``);
    if (digest === undefined) reasons.push("it has no input schema: nothing is pinned, and it may have arguments that nobody sees");
  }
  return [...reasons, ...differences];
}

const wordsOf = (words: readonly Evidence[]): string => words.map(({ from, words: said }) => `${from}: ${said}`).join("; ");

export function tableRow(tool: ImportedTool): Row {
  const { inference, state } = tool;
  const operations = inference?.operations && [...inference.operations.effects.values()].sort((a, b) => EFFECTS.indexOf(b) - EFFECTS.indexOf(a));
  return {
    tool: tool.tool,
    effect: operations ? `${operations[0]} by operation` : inference?.effect.value,
    confidence: inference?.effect.confidence,
    why: inference && wordsOf(inference.effect.words),
    arguments: inference?.arguments
      .flatMap(({ name, value, confidence }) => (value ? [`${name}=${value}${confidence === "low" ? "?" : ""}`] : []))
      .join(" "),
    state,
  };
}

const told = <T>({ value, confidence, words }: Inferred<T>) => ({ value: value ?? null, confidence, words });

/** Everything, for another program. */
export function dataRow(tool: ImportedTool): Row {
  const { inference } = tool;
  return {
    tool: tool.tool,
    state: tool.state,
    file: tool.file ?? null,
    effect: inference ? { ...told(inference.effect), read: inference.effect.read ?? null } : null,
    operations: inference?.operations
      ? { argument: inference.operations.argument, effects: Object.fromEntries(inference.operations.effects), words: inference.operations.words }
      : null,
    reversibility: inference ? told(inference.reversibility) : null,
    objects: inference ? told(inference.objects) : null,
    arguments: (inference?.arguments ?? []).map((argument) => ({ name: argument.name, ...told(argument) })),
    output: inference ? { trust: told(inference.trust), categories: inference.categories.map(told) } : null,
    definition_digest: tool.digest ?? null,
    review: reviewOf(tool),
    entry: tool.entry ?? null,
    written: tool.written ?? null,
  };
}

/** Those that need a look come first, and of them those that could do the worst. */
export function inOrderOfReview(tools: readonly ImportedTool[]): readonly ImportedTool[] {
  const weightOf = (tool: ImportedTool): number => {
    const effect = EFFECTS.indexOf(tool.inference?.effect.value ?? "read");
    return (tool.inference?.doubts.length ? 400 : 0) + (tool.state === "drifted" ? 300 : 0) + (reviewOf(tool).length > 0 ? 100 : 0) + effect;
  };
  return tools
    .map((tool) => ({ tool, weight: weightOf(tool) }))
    .sort((a, b) => b.weight - a.weight || (a.tool.tool < b.tool.tool ? -1 : 1))
    .map(({ tool }) => tool);
}

/** What was found, and what to review first. */
export function summaryOf(tools: readonly ImportedTool[]): readonly string[] {
  const states = ["new", "kept", "drifted", "elsewhere", "unlistable", "gone"] as const;
  const counts = states.flatMap((state) => {
    const count = tools.filter((tool) => tool.state === state).length;
    return count > 0 ? [`${count} ${state}`] : [];
  });
  const toReview = inOrderOfReview(tools).filter((tool) => reviewOf(tool).length > 0);
  const lines = toReview.slice(0, REVIEW_SHOWN).map((tool) => `  ${visible(tool.tool)}: ${reviewOf(tool).map(visible).join("; ")}`);
  const more = toReview.length > REVIEW_SHOWN ? [`  and ${toReview.length - REVIEW_SHOWN} more; -o json has them all`] : [];
  return [counts.join(", "), ...(lines.length > 0 ? ["review first:", ...lines, ...more] : [])];
}
