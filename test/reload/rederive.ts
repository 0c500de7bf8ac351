import { judge } from "../../src/core/judge.ts";
import type { Policy } from "../../src/core/policy.ts";
import { decodeEvent } from "../../src/core/record.ts";
import { compilePolicy } from "../../src/policy/load.ts";
import { lookOutside } from "../storage/storages.ts";

interface DecisionRow {
  readonly seq: number;
  readonly decision_id: string;
  readonly policy_digest: string;
  readonly record: string;
}

/** Everything in a database that contradicts the promise that each decision was made by exactly the policy it names. */
export function contradictionsIn(path: string): readonly string[] {
  return lookOutside(path, (db) => {
    const found: string[] = [];
    const policies = new Map<string, Policy>();
    for (const { digest, files } of db.prepare<[], { digest: string; files: string }>("SELECT policy_digest AS digest, files FROM policies").all()) {
      const { policy } = compilePolicy(JSON.parse(files));
      if (policy.digest !== digest) found.push(`policy ${digest} is stored with the files of ${policy.digest}`);
      policies.set(digest, policy);
    }
    const loadings = db
      .prepare<[], { seq: number; record: string }>("SELECT seq, record FROM events WHERE kind = 'policy_loaded' ORDER BY seq")
      .all();
    const loadedAt = new Map(loadings.reverse().map(({ seq, record }) => [JSON.parse(record).policy as string, seq]));
    for (const row of db.prepare<[], DecisionRow>("SELECT seq, decision_id, policy_digest, record FROM decisions ORDER BY seq").all()) {
      const policy = policies.get(row.policy_digest);
      const why = policy ? contradictionOf(row, policy, loadedAt.get(row.policy_digest)) : "names a policy that is not stored";
      if (why !== undefined) found.push(`decision ${row.decision_id} ${why}`);
    }
    return found;
  });
}

function contradictionOf(
  { seq, record: text, policy_digest: digest }: DecisionRow,
  policy: Policy,
  loadedAt: number | undefined,
): string | undefined {
  const record = decodeEvent(text);
  if (record.kind !== "decision") return "is no decision";
  if (record.policy !== digest) return "names one policy in its column and another in its record";
  if (loadedAt === undefined || loadedAt > seq) return "names a policy that was not loaded before it";
  const { judgement } = judge(policy, { ...record.subject, at: record.at, tenant: record.tenant, caller: record.caller });
  return JSON.stringify(judgement) === JSON.stringify(record.judgement) ? undefined : "comes out otherwise under the policy it names";
}
