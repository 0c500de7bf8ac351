import { Ajv, type ValidateFunction } from "ajv";
import { schemaText } from "../../src/cli/schema-files.ts";
import { SCHEMA_NAMES, type SchemaName } from "../../src/policy/schemas.ts";

/** What editors add to JSON Schema; anything else that draft 7 does not know is an error. */
const EDITOR_WORDS = [
  "markdownDescription",
  "enumDescriptions",
  "markdownEnumDescriptions",
  "patternErrorMessage",
  "errorMessage",
  "defaultSnippets",
  "doNotSuggest",
];

type Validators = Readonly<Record<SchemaName, ValidateFunction>>;

/** Checks of all schemas, or of what somebody made of their texts. */
export function createValidators(change: (text: string) => string = (text) => text): Validators {
  const ajv = new Ajv({ strict: true, strictTypes: false, strictRequired: false, allErrors: true });
  ajv.addVocabulary(EDITOR_WORDS);
  return Object.fromEntries(SCHEMA_NAMES.map((name) => [name, ajv.compile(JSON.parse(change(schemaText(name))))])) as Validators;
}

const asTheyAre = createValidators();

/** What a schema says against a file; nothing when it is as it should be. */
export function schemaComplaints(name: SchemaName, file: unknown, validators: Validators = asTheyAre): readonly string[] {
  const validate = validators[name];
  if (validate(file)) return [];
  return (validate.errors ?? []).map(({ instancePath, message, params }) => `${instancePath}: ${message} ${JSON.stringify(params)}`);
}

/** Which schema a file of a rules directory has. */
export function schemaOf(file: string): SchemaName {
  if (file.startsWith("catalog/")) return "catalog";
  const name = /(?:^|\.)(policy|agents|rules|cases)\.json$/.exec(file)?.[1];
  if (name === undefined) throw new RangeError(`no schema for ${file}`);
  return name as SchemaName;
}
