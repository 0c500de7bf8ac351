import type { Judgement } from "../core/combine.ts";
import { gatherAll } from "../core/gather.ts";
import type { Intent } from "../core/intent/intent.ts";
import type { Known } from "../core/json.ts";
import { judge, type Verdict } from "../core/judge.ts";
import { createKeyedDigest, maskRequest } from "../core/masking.ts";
import type { Policy } from "../core/policy.ts";
import type { DecisionRequest } from "../core/request.ts";
import type { Situation, Subject } from "../core/situation.ts";
import { NOTHING_SEEN } from "../core/tasks/seen.ts";
import type { TaskStanding } from "../core/tasks/standing.ts";
import { approvalBy, type CaseApprovals, standingsOf } from "./case-approvals.ts";
import { withIntent } from "./case-intent.ts";
import { CASE_TASK, ownChain, registeredOf } from "./case-task.ts";
import type { Case, Expectation } from "./cases.ts";

/** One key for all cases, so that they never differ from run to run. */
const CASE_KEY = Buffer.alloc(32, "case");

/** A case, decided. */
export interface JudgedCase {
  readonly stated: Case;
  readonly judgement: Judgement;
  readonly situation: Situation;
  /** By the policy's slots. */
  readonly values: readonly Known[];
  readonly disagreements: readonly Disagreement[];
}

/** What cases are decided by. */
export interface CaseJudge {
  readonly policy: Policy;
  readonly intent: Intent;
}

/** Decides a case with the one decision there is. */
export function judgeCase(judge: CaseJudge, stated: Case, request: DecisionRequest): JudgedCase {
  const { policy } = judge;
  const { situation, judgement } = judgeApproved(policy, subjectOf(judge, stated, request), stated.approvals);
  return { stated, judgement, situation, values: gatherAll(policy, situation), disagreements: disagreementsOf(stated, judgement) };
}

/** People say yes to what they are asked: where a case names some, it is decided first what that is. */
function judgeApproved(policy: Policy, subject: Subject, { approved_by: people }: CaseApprovals): Verdict {
  if (!people) return judge(policy, subject);
  const { refused: _, ...unrefused } = subject;
  const { judgement } = judge(policy, unrefused);
  if (judgement.outcome !== "REQUIRE_APPROVAL") return judge(policy, subject);
  return judge(policy, { ...subject, approval: approvalBy(people, judgement, subject.at) });
}

function subjectOf({ policy, intent }: CaseJudge, stated: Case, asked: DecisionRequest): Subject {
  const { at, tenant, caller, task, approvals } = stated;
  const request = withOwnChain(stated, asked);
  const keyedDigest = createKeyedDigest(CASE_KEY);
  const { request: masked, masked: count } = maskRequest(request, policy, keyedDigest);
  const said = stated.scorer && { scorer: { id: "case", version: "1", risk: stated.scorer.risk, reason: "" } };
  const subject = { at, tenant, caller, request: masked, masked: count, task: standingOf(stated, request), ...standingsOf(approvals, at), ...said };
  return withIntent(subject, { policy, intent, keyedDigest, task, request });
}

/** As in a decision, whoever leaves out the chain of a registered task means it. */
function withOwnChain({ task: { registered } }: Case, request: DecisionRequest): DecisionRequest {
  return registered && !request.delegation ? { ...request, delegation: ownChain(registered, request.agent.id) } : request;
}

function standingOf({ at, task }: Case, request: DecisionRequest): TaskStanding {
  const { registered, unreported = 0, standing = registered ? "open" : "new", restated } = task;
  const asked = request.task?.statement;
  const first = task.statement ?? asked;
  const id = request.task?.id ?? CASE_TASK;
  const isKnown = registered !== undefined || (standing !== "unknown" && standing !== "mismatch");
  return {
    standing,
    ...(isKnown && { id }),
    ...(first !== undefined && !registered?.statement_expired && { statement: first }),
    restated: restated ?? (asked !== undefined && asked !== first),
    seen: { ...NOTHING_SEEN, ...task.seen },
    ...(unreported > 0 && { unreported }),
    ...(registered && { registered: registeredOf(registered, { id, at, hops: request.delegation?.length ?? 0 }) }),
  };
}

/** One way in which a judgement is not what its case expects. */
export interface Disagreement {
  readonly key: keyof Expectation;
  /** What the case could say instead; undefined where it had better say nothing. */
  readonly instead: unknown;
  readonly message: string;
}

export function disagreementsOf({ expect, at }: Pick<Case, "expect" | "at">, judgement: Judgement): readonly Disagreement[] {
  const found: Disagreement[] = [];
  const compare = (key: keyof Expectation, expected: unknown, is: unknown): void => {
    if (expected === undefined || JSON.stringify(expected) === JSON.stringify(is)) return;
    found.push({ key, instead: is, message: `${key}: expected ${wordsOf(expected)}, found ${wordsOf(is)}` });
  };
  compare("outcome", expect.outcome, judgement.outcome);
  compare("basis", expect.basis, judgement.basis);
  const { score } = judgement;
  if (expect.score && (score < expect.score.min || score > expect.score.max)) {
    const { min, max } = expect.score;
    found.push({ key: "score", instead: score, message: `score: expected ${min === max ? min : `${min} to ${max}`}, found ${score}` });
  }
  compare("holds", expect.holds && [...expect.holds].sort(), judgement.holds.map(({ name }) => name).sort());
  compare("reason_codes", expect.reason_codes, judgement.reasonCodes);
  compare("obligations", expect.obligations && sorted(expect.obligations), sorted(judgement.obligations ?? []));
  compare("valid_for", expect.valid_for, judgement.validUntil === undefined ? "nothing" : judgement.validUntil - at);
  return [...found, ...wrongRules(expect, judgement)];
}

const sorted = (values: readonly object[]): readonly object[] => [...values].sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));

const wordsOf = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

function wrongRules({ fires, silent }: Expectation, { findings }: Judgement): readonly Disagreement[] {
  const stands = new Set(findings.map(({ rule }) => rule));
  const missing = (fires ?? []).filter((rule) => !stands.has(rule));
  const surplus = (silent ?? []).filter((rule) => stands.has(rule));
  return [
    ...missing.map((rule) => ({
      key: "fires" as const,
      instead: fires?.filter((one) => stands.has(one)),
      message: `rule \`${rule}\` should stand and does not`,
    })),
    ...surplus.map((rule) => ({
      key: "silent" as const,
      instead: silent?.filter((one) => !stands.has(one)),
      message: `rule \`${rule}\` should not stand and does`,
    })),
  ];
}
