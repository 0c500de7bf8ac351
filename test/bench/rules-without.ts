import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { STARTER_RULES } from "../../src/config.ts";

/** The starter policy with no rule of one of its files; the conditions that others use stay. */
export function rulesWithout(file: string, into: string): string {
  const rules = join(into, "rules");
  cpSync(STARTER_RULES, rules, { recursive: true });
  const path = join(rules, file);
  const { rules: _, ...kept }: { readonly rules: unknown } = JSON.parse(readFileSync(path, "utf8"));
  writeFileSync(path, JSON.stringify({ ...kept, rules: [] }));
  return rules;
}
