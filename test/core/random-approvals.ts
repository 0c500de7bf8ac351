import fc from "fast-check";
import type { Subject } from "../../src/core/situation.ts";
import { instant } from "../../src/core/words.ts";
import type { HoldModel } from "./asking-specification.ts";
import { type PolicyJson, specify } from "./specification.ts";

/** What random questions have been asked of people before, and what those said. */

const some = <T>(values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const mostly = <T>(usual: T, other: fc.Arbitrary<T>, weight: number): fc.Arbitrary<T> => fc.oneof({ weight, arbitrary: fc.constant(usual) }, other);

/** Some are agents, or ask themselves, under one name or another. */
export const GROUPS: readonly Readonly<Record<string, readonly string[]>>[] = [
  { approvers: ["user:ann", "user:bo", "user:cy"] },
  { approvers: ["user:ann", "user:bo", "user:cy"] },
  { approvers: ["user:ann", "user:bo", "user:cy"] },
  { approvers: ["user:ann", "user:bo", "user:cy"] },
  { approvers: ["user:ann", "user:bo", "user:cy"] },
  { approvers: ["user:alice", "gateway"] },
  { approvers: ["user:alice"] },
  { approvers: ["user:ann", "user:worker", "planner", "user:bo"] },
  { approvers: ["user:planner", "user:cron"] },
  { approvers: [] },
];
const PEOPLE = ["user:ann", "user:bo", "user:cy", "user:alice", "portal", "gateway", "user:planner", "worker", "user:cron"];

/** The usual people say yes to everything, or somebody says something to something. */
interface PlannedAnswer {
  readonly by: string;
  readonly verdict: "approve" | "deny";
  /** The only hold that it answers. */
  readonly only: string | undefined;
}
const yes = (by: string): PlannedAnswer => ({ by, verdict: "approve", only: undefined });

const answers: fc.Arbitrary<readonly PlannedAnswer[]> = fc.oneof(
  { weight: 2, arbitrary: fc.constant(PEOPLE.map(yes)) },
  fc.constant(Array.from({ length: 3 }, () => yes("user:ann"))),
  fc.constant(PEOPLE.map((by) => ({ ...yes(by), verdict: "deny" as const }))),
  {
    weight: 2,
    arbitrary: fc.array(
      fc.record({
        by: some(PEOPLE.slice(0, 4)),
        verdict: mostly<"approve" | "deny">("approve", fc.constant("deny" as const), 2),
        only: mostly<string | undefined>(undefined, some(["behest:basis", "behest:risk", "rule-0"]), 1),
      }),
      { minLength: 1, maxLength: 4 },
    ),
  },
);

export const approvalPlans = fc.record({
  standing: mostly<"covers" | "pending" | "not_applicable">("covers", some(["pending", "not_applicable"] as const), 5),
  isNamed: mostly(true, fc.constant(false), 4),
  change: mostly<"none" | "fewer" | "quorum" | "approvers">("none", some(["fewer", "quorum", "approvers"] as const), 4),
  above: mostly(0, some([-1, 1, 10]), 3),
  lastsMs: some([1, 30_000, 60_000, 60_001, 9_000_000]),
  answers,
});
export type ApprovalPlan = typeof approvalPlans extends fc.Arbitrary<infer T> ? T : never;

/** The same question after people were shown what it asks for, or something that is nearly it. */
export function approved(policy: PolicyJson, subject: Subject, plan: ApprovalPlan): Subject {
  const { holds, score } = specify(policy, subject, true);
  const request = plan.isNamed ? { ...subject.request, approvalId: "approval-1" } : subject.request;
  if (plan.standing !== "covers") return { ...subject, request, approval: { standing: plan.standing, id: "approval-1", why: "so it is" } };
  const names = holds.map(({ name }) => name);
  return {
    ...subject,
    request,
    approval: {
      standing: "covers",
      id: "approval-1",
      alike: !plan.isNamed,
      holds: changed(holds, plan.change) as Extract<Subject["approval"], { standing: "covers" }>["holds"],
      score: score + plan.above,
      answers: plan.answers.map(({ by, verdict, only }) => ({
        by,
        verdict,
        verified: "local_file",
        holds: only === undefined ? names : names.filter((name) => name === only),
        at: subject.at,
      })),
      until: instant(subject.at + plan.lastsMs),
    },
  };
}

function changed(holds: readonly HoldModel[], change: ApprovalPlan["change"]): readonly HoldModel[] {
  const [first, ...rest] = holds;
  if (!first || change === "none") return holds;
  if (change === "fewer") return rest;
  return [change === "quorum" ? { ...first, quorum: first.quorum + 1 } : { ...first, approvers: [...first.approvers, "user:dan"] }, ...rest];
}
