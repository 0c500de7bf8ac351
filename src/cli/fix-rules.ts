import { chmodSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { ComplaintId } from "../policy/complaint-kinds.ts";
import { PolicyInvalid } from "../policy/complaints.ts";
import { FIXABLE, type Fixable, fixDocument } from "../policy/lint/fix.ts";
import { type LoadedPolicy, loadPolicy } from "../policy/load.ts";
import { CommandFailed, EXIT } from "./failure.ts";

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

const BYTE_ORDER_MARK = "\ufeff";

interface Texts {
  readonly before: string;
  readonly after: string;
}

/** All of the new text is there, or all of the old one, whenever the power fails. A link stays one. */
function replaceText(path: string, { before, after }: Texts): void {
  const target = realpathSync(path);
  const found = readFileSync(target, "utf8");
  const mark = found.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : "";
  if (found !== mark + before) throw new CommandFailed(EXIT.internal, `\`${path}\` has changed meanwhile; nothing was written to it`);
  const draft = join(dirname(target), `.${basename(target)}.${process.pid}`);
  try {
    writeFileSync(draft, mark + after, { flag: "wx", flush: true });
    chmodSync(draft, statSync(target).mode);
    renameSync(draft, target);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}
