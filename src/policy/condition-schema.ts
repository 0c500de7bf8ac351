import { FACT_TYPES } from "../core/fact.ts";
import { comparisonSchema, factGroups, otherFacts } from "./comparison-schema.ts";
import { FACT_NAME, FACT_PATH, factDefinitions, factNames } from "./fact-schema.ts";
import { definition, type Schema, when } from "./schema.ts";

/** The conditions of a rule, and any condition inside them, as they are called in the definitions. */
export const CONDITIONS: Schema = definition("conditions");
export const CONDITION: Schema = definition("condition");

const parts = (description: string): Schema => ({ type: "array", minItems: 1, items: CONDITION, description });

const COMPOSITES: Readonly<Record<string, Schema>> = {
  all: parts("true if every part is; false if any is false, else unknown if any is"),
  any: parts("true if any part is; else unknown if any is, else false"),
  not: { allOf: [CONDITION], description: "true if the part is false; an unknown part leaves it unknown" },
  condition: { type: "string", minLength: 1, description: "a named condition, of any file" },
};

/** They change nothing and are read for those who come from json-rules-engine. */
const IDLE: Schema = { name: { doNotSuggest: true }, priority: { doNotSuggest: true } };

const LEAF_KEYS = ["fact", "path", "operator", "value"];

const FACT: Schema = factNames(FACT_TYPES);

const VALUE: Schema = {
  description: 'a string, a number, true, false, null, a list of those, or another fact: `{ "fact": "action.target_count" }`',
};

const composite = (offered: Schema): Schema => ({
  type: "object",
  properties: { ...COMPOSITES, ...IDLE, ...offered },
  additionalProperties: false,
  anyOf: Object.keys(COMPOSITES).map((key) => ({ required: [key] })),
  allOf: Object.keys(COMPOSITES).flatMap((key, at, keys) =>
    keys.slice(at + 1).map((other) => ({
      not: { required: [key, other] },
      errorMessage: `\`${key}\` and \`${other}\` stand in one condition; nest one in the other`,
    })),
  ),
});

/** Each group of facts with the comparisons that can be decided of it; a fact that is in no group is none. */
function comparisons(): Schema {
  const unknown: Schema = {
    properties: { fact: { type: "string", ...FACT_NAME }, path: { pattern: "^\\$$", patternErrorMessage: "this fact has no such part" } },
  };
  return factGroups().reduceRight<Schema>(
    // biome-ignore lint/suspicious/noThenProperty: it is JSON Schema's word, and nobody awaits a schema
    (rest, group, at) => ({ if: group.reads, then: definition(`comparison-${at + 1}`), else: rest }),
    unknown,
  );
}

const leaf = (): Schema => ({
  type: "object",
  properties: {
    fact: FACT,
    operator: {
      type: "string",
      description: "how fact and value are compared; `not:`, `someFact:`, `everyFact:`, `someValue:`, `everyValue:` and `swap:` may stand before it",
    },
    value: VALUE,
    path: FACT_PATH,
    ...IDLE,
  },
  required: ["fact", "operator", "value"],
  additionalProperties: false,
  allOf: [comparisons()],
});

/** What conditions are made of. */
export const conditionDefinitions = (): Schema => ({
  conditions: composite({}),
  condition: {
    description: "`all`, `any`, `not` or `condition`, or a comparison: `fact`, `operator` and `value`",
    ...when(
      { type: "object", anyOf: LEAF_KEYS.map((key) => ({ required: [key] })) },
      definition("comparison"),
      // Nothing compares here yet; an editor offers the beginning of a comparison all the same.
      composite({ fact: FACT }),
    ),
  },
  comparison: leaf(),
  ...Object.fromEntries(factGroups().map((group, at) => [`comparison-${at + 1}`, comparisonSchema(group)])),
  ...otherFacts(),
  ...factDefinitions(),
});
