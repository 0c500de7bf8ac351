/** Writes what editors are told: rules/schema/ from what the loader reads, .vscode/settings.json from where it is. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { schemaFiles, vscodeSettings } from "../src/cli/schema-files.ts";

const root = resolve(process.argv[2] ?? join(import.meta.dirname, ".."));
mkdirSync(join(root, "rules/schema"), { recursive: true });
for (const [name, text] of Object.entries(schemaFiles())) writeFileSync(join(root, "rules/schema", name), text);
mkdirSync(join(root, ".vscode"), { recursive: true });
writeFileSync(join(root, ".vscode/settings.json"), vscodeSettings("rules"));
