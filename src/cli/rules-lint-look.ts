import { type Complaint, PolicyInvalid } from "../policy/complaints.ts";
import { COMPLAINTS_MAX } from "../policy/document.ts";
import { lintPolicy } from "../policy/lint/lint.ts";
import { type LoadedPolicy, loadPolicy } from "../policy/load.ts";
import { judgeCases, readCaseFiles } from "./cases.ts";
import { createProgress } from "./progress.ts";
import type { LintFindings } from "./rules-lint-report.ts";

/** All that is wrong with a rules directory: of its cases even where its policy is refused. */
export function lookAt(directory: string): LintFindings {
  const found = look(directory);
  const isFull = [...Map.groupBy(found.complaints, ({ file, severity }) => `${severity} ${file}`).values()].some(
    (told) => told.length >= COMPLAINTS_MAX,
  );
  const note = `of one file at most ${COMPLAINTS_MAX} errors and ${COMPLAINTS_MAX} warnings are told`;
  return isFull ? { ...found, notes: [...found.notes, note] } : found;
}

function look(directory: string): LintFindings {
  const loaded = attempt(() => loadPolicy(directory));
  if ("complaints" in loaded) {
    const isListed = loaded.complaints.every(({ file }) => file !== directory);
    const cases = isListed ? attempt(() => readCaseFiles(directory)) : loaded;
    return {
      directory,
      complaints: [...loaded.complaints, ...("complaints" in cases ? cases.complaints.filter(isAboutCases) : [])],
      notes: [],
      rules: undefined,
    };
  }
  const cases = standingRules(directory, loaded.value);
  const progress = createProgress("rules", loaded.value.policy.rules.length);
  const { complaints, notes } = lintPolicy(loaded.value, { standing: cases.standing, onProgress: (done) => progress.tell(done) });
  progress.end();
  return { directory, complaints: [...cases.complaints, ...complaints], notes: [...cases.notes, ...notes], rules: loaded.value.policy.rules.length };
}

const isAboutCases = ({ file }: Complaint): boolean => file.endsWith(".cases.json");

function attempt<T>(read: () => T): { readonly value: T } | { readonly complaints: readonly Complaint[] } {
  try {
    return { value: read() };
  } catch (error) {
    if (error instanceof PolicyInvalid) return { complaints: error.complaints };
    throw error;
  }
}

interface Standing {
  readonly standing: ReadonlySet<string> | undefined;
  readonly complaints: readonly Complaint[];
  readonly notes: readonly string[];
}

/** Names of the rules that some case makes stand. */
function standingRules(directory: string, { policy }: LoadedPolicy): Standing {
  const cases = attempt(() => readCaseFiles(directory, policy));
  if ("complaints" in cases) return { standing: undefined, complaints: cases.complaints, notes: [] };
  if (cases.value.length === 0) {
    return {
      standing: undefined,
      complaints: [],
      notes: ["there are no cases, so nothing shows what the rules do; write some into a `NAME.cases.json`"],
    };
  }
  const judged = judgeCases(policy, cases.value);
  return { standing: new Set(judged.flatMap(({ judgement }) => judgement.findings.map(({ rule }) => rule))), complaints: [], notes: [] };
}
