import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { STARTER_RULES } from "../config.ts";
import { schemaFiles } from "./schema-files.ts";

/** Policies to start from, by name, and for whom each is. */
export const TEMPLATES = {
  "coding-agent": "agents that edit, run and push code",
  support: "agents that answer customers",
  finance: "agents that prepare payments and books",
} as const;

export type TemplateName = keyof typeof TEMPLATES;

export const isTemplateName = (name: string): name is TemplateName => Object.hasOwn(TEMPLATES, name);

const DIRECTORY = join(STARTER_RULES, "../templates");

/**
 * The files of a template, text by path inside the rules directory. What every policy needs alike is kept once: its safeguards beside the
 * templates, the places where secrets lie in the starter policy, and the schemas in the loader itself.
 */
export function templateFiles(name: TemplateName): Readonly<Record<string, string>> {
  return {
    ...filesBelow(join(DIRECTORY, "common")),
    "catalog/resources.json": readFileSync(join(STARTER_RULES, "catalog/resources.json"), "utf8"),
    ...Object.fromEntries(Object.entries(schemaFiles()).map(([file, text]) => [`schema/${file}`, text])),
    ...filesBelow(join(DIRECTORY, name)),
  };
}

function filesBelow(directory: string): Readonly<Record<string, string>> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map(({ parentPath, name }) => join(parentPath, name));
  return Object.fromEntries(paths.map((path) => [relative(directory, path).replaceAll(sep, "/"), readFileSync(path, "utf8")]));
}
