import type { Subject } from "../src/core/situation.ts";
import { NOTHING_SEEN } from "../src/core/tasks/seen.ts";
import { instant } from "../src/core/words.ts";

/** The same rules and the same questions, as each of the evaluators that are compared takes them. */
export interface BenchRule {
  readonly name: string;
  readonly tool: string;
  readonly rankMin: number;
  readonly category: string;
  /** The argument that it reads, and what that must exceed. */
  readonly argument: string;
  readonly above: number;
}

/** So many of them name the tool that is asked for, or all if there are fewer. */
export const NAMING_THE_TOOL = 30;
const TOOL = "mail/send";
const OTHER_TOOLS = 3_000;
const ARGUMENTS = 5;

export function benchRules(count: number, asked = TOOL): readonly BenchRule[] {
  return Array.from({ length: count }, (_, number) => {
    const named = number < NAMING_THE_TOOL;
    return {
      name: `rule-${number}`,
      tool: named ? asked : `tool-${number % OTHER_TOOLS}`,
      rankMin: number % 4,
      category: number % 2 === 0 ? "personal" : "financial",
      // The rules of other tools read arguments of their own.
      argument: `field_${named ? number % ARGUMENTS : number}`,
      above: 3 + (number % 7),
    };
  });
}

export interface BenchQuestion {
  readonly rank: number;
  readonly classification: string;
  readonly categories: readonly string[];
  readonly arguments: Readonly<Record<string, number>>;
}

const CLASSIFICATIONS = ["internal", "confidential", "restricted"] as const;

/** Some rules hold for each of them, others for none or a few. */
export const QUESTIONS: readonly BenchQuestion[] = Array.from({ length: 16 }, (_, number) => ({
  rank: 1 + (number % 3),
  classification: CLASSIFICATIONS[number % 3] ?? "internal",
  categories: number % 4 === 0 ? ["financial"] : ["financial", "personal"],
  arguments: Object.fromEntries(Array.from({ length: ARGUMENTS }, (_, field) => [`field_${field}`, (number * 3 + field * 5) % 13])),
}));

/** As json-rules-engine wrote it first, and as Behest reads it. */
export const conditionsOf = ({ tool, rankMin, category, argument, above }: BenchRule) => ({
  all: [
    { fact: "action.tool", operator: "equal", value: tool },
    { fact: "data.classification_rank", operator: "greaterThanInclusive", value: rankMin },
    { fact: "data.categories", operator: "contains", value: category },
    { fact: `action.arguments.${argument}`, operator: "greaterThan", value: above },
  ],
});

export const behestRuleOf = (rule: BenchRule): object => ({
  name: rule.name,
  conditions: conditionsOf(rule),
  event: { type: "risk", params: { points: 1, reason: `says ${rule.name}`, controls: ["owasp:ASI02"] } },
});

/** What holds of a permit, as a determining policy, says which rules hold. */
export const cedarPolicyOf = ({ tool, rankMin, category, argument, above }: BenchRule): string =>
  `permit(principal, action, resource) when { context.tool == "${tool}" && context.rank >= ${rankMin} && ` +
  `context.categories.contains("${category}") && context.arguments.${argument} > ${above} };`;

export const engineFactsOf = ({ rank, categories, arguments: fields }: BenchQuestion): Record<string, unknown> => ({
  "action.tool": TOOL,
  "data.classification_rank": rank,
  "data.categories": categories,
  ...Object.fromEntries(Object.entries(fields).map(([name, value]) => [`action.arguments.${name}`, value])),
});

export const cedarCallOf = ({ rank, categories, arguments: fields }: BenchQuestion, preparsedPolicySetId: string) => ({
  preparsedPolicySetId,
  principal: { type: "Agent", id: "bot" },
  action: { type: "Action", id: "call" },
  resource: { type: "Tool", id: TOOL },
  context: { tool: TOOL, rank, categories: [...categories], arguments: fields },
  entities: [],
});

export const subjectOf = ({ classification, categories, arguments: fields }: BenchQuestion): Subject => ({
  at: instant(0),
  tenant: "default",
  caller: "gateway",
  masked: 0,
  request: { agent: { id: "bot" }, action: { tool: TOOL, arguments: fields }, data: { classification, categories } },
  task: { standing: "new", id: "t", restated: false, seen: NOTHING_SEEN },
});
