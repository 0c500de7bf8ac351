import { join } from "node:path";
import type { ComplaintId } from "../policy/complaint-kinds.ts";
import { PolicyInvalid } from "../policy/complaints.ts";
import { FIXABLE, type Fixable, fixDocument } from "../policy/lint/fix.ts";
import { type LoadedPolicy, loadPolicy } from "../policy/load.ts";
import { replaceText } from "./replace-text.ts";

/** Mends the rule files of a directory, and says on stderr what was done. A policy that is refused is left as it is. */
export function fixRules(directory: string, wanted: ReadonlySet<ComplaintId> | undefined): void {
  const loaded = load(directory);
  if (!loaded) return;
  const ids = new Set<Fixable>(FIXABLE.filter((id) => !wanted || wanted.has(id)));
  for (const [name, document] of loaded.documents) {
    if (!name.endsWith(".rules.json")) continue;
    const { text, fixes } = fixDocument(document, loaded.warnings, ids);
    if (fixes.length === 0) continue;
    replaceText(join(directory, name), { before: document.text, after: text });
    for (const { position, done, id } of fixes) process.stderr.write(`${position}: ${done} [${id}]\n`);
  }
}

function load(directory: string): LoadedPolicy | undefined {
  try {
    return loadPolicy(directory);
  } catch (error) {
    if (error instanceof PolicyInvalid) return undefined;
    throw error;
  }
}
