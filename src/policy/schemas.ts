import { isList, isObject } from "../core/json.ts";
import type { Json } from "../core/words.ts";
import { casesSchema } from "./cases.ts";
import { agentsSchema, catalogSchema } from "./catalog.ts";
import { conditionDefinitions } from "./condition-schema.ts";
import { rulesSchema } from "./rules.ts";
import type { Schema } from "./schema.ts";
import { settingsSchema } from "./settings.ts";

/** A kind of file in a rules directory. */
interface FileKind {
  /** What such files are called, relative to the rules directory. */
  readonly files: string;
  readonly about: string;
  readonly schema: () => Schema;
  readonly definitions?: () => Schema;
}

/** Every kind of file in a rules directory, by the name of its schema. */
export const FILE_KINDS = {
  policy: { files: "policy.json", about: "what decides beside the rules", schema: settingsSchema },
  agents: { files: "agents.json", about: "the agents that are known, and their reach", schema: agentsSchema },
  rules: { files: "*.rules.json", about: "rules, and conditions that they share", schema: rulesSchema, definitions: conditionDefinitions },
  cases: { files: "*.cases.json", about: "examples of what the policy is to decide", schema: casesSchema },
  catalog: { files: "catalog/*.json", about: "what tools do, and labels of resources", schema: catalogSchema },
} as const satisfies Readonly<Record<string, FileKind>>;
export type SchemaName = keyof typeof FILE_KINDS;
export const SCHEMA_NAMES = Object.keys(FILE_KINDS) as readonly SchemaName[];

/** The schema of a kind of file. What no policy knows is defined by `more`: the `request` of a case. */
export function fileSchema(name: SchemaName, more: Schema = {}): Schema {
  const { files, about, schema, definitions }: FileKind = FILE_KINDS[name];
  const { properties, ...rest } = schema();
  const whole = {
    $schema: "http://json-schema.org/draft-07/schema#",
    $id: `urn:behest:schema:${name}`,
    title: `Behest ${files}`,
    description: about,
    $comment: "Written by `npm run generate` from what the loader reads; change that instead.",
    ...rest,
    properties: {
      $schema: { description: "where an editor finds this schema; it changes nothing" },
      ...(isObject(properties) && properties),
    },
    definitions: { ...definitions?.(), ...more },
  };
  return withMarkdown(whole) as Schema;
}

/** Editors that know Markdown get the backticks as Markdown; the others as they are. */
function withMarkdown(value: Json): Json {
  if (isList(value)) return value.map(withMarkdown);
  if (!isObject(value)) return value;
  const { description, enumDescriptions } = value;
  return {
    ...Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withMarkdown(inner)])),
    ...(typeof description === "string" && description.includes("`") && { markdownDescription: description }),
    ...(isList(enumDescriptions) && enumDescriptions.some((text) => String(text).includes("`")) && { markdownEnumDescriptions: enumDescriptions }),
  };
}
