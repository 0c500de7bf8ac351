import { APPROVAL_KINDS, type ApprovalKind } from "../core/approvals/approval.ts";
import type { ApprovalStandings, CoveringApproval } from "../core/approvals/standing.ts";
import type { Judgement } from "../core/combine.ts";
import { type Instant, instant } from "../core/words.ts";
import { described, integer, listOf, object, oneOf, type Read, text } from "./document.ts";

/** What people were asked and have said before the request; what is left out is nothing. */
export interface CaseApprovals {
  readonly asked?: { readonly agent?: number; readonly task?: number };
  readonly endorsed?: { readonly values?: readonly string[]; readonly sources?: readonly string[] };
  readonly refused?: ApprovalKind;
  /** Who said yes to this very request, as it stands. */
  readonly approved_by?: readonly string[];
}

const COUNT_MAX = Number.MAX_SAFE_INTEGER;

export const caseApprovalsShape: Read<CaseApprovals> = object(
  {},
  {
    asked: described(
      object(
        {},
        {
          agent: described(integer(0, COUNT_MAX), "for the agent, beyond what they can be asked counted"),
          task: described(integer(0, COUNT_MAX), "for the task"),
        },
      ),
      "how often people were asked in the last hour",
    ),
    endorsed: described(
      object(
        {},
        {
          values: described(listOf(text), "values that may be used in the task"),
          sources: described(listOf(text), "tools and servers whose answers may be followed in it"),
        },
      ),
      "what people endorsed for the task, or for one above it",
    ),
    refused: described(
      oneOf(APPROVAL_KINDS, { action: "somebody said no to this very request", flood: "somebody said no to more questions of the agent" }),
      "that a person said no",
    ),
    approved_by: described(
      listOf(described(text, { examples: ["user:alice"] })),
      "who said yes to this very request, as it stands; it counts only where they may answer, and enough of them",
    ),
  },
);

/** As a decision reads it, but for an approval. */
export function standingsOf({ asked, endorsed, refused }: CaseApprovals, at: Instant): ApprovalStandings {
  return {
    ...(asked && { asked: { byAgent: asked.agent ?? 0, forTask: asked.task ?? 0 } }),
    ...(endorsed && { endorsed: { values: endorsed.values ?? [], sources: endorsed.sources ?? [] } }),
    ...(refused && { refused: { id: CASE_APPROVAL, kind: refused, at } }),
  };
}

/** What the approvals of cases are called. */
const CASE_APPROVAL = "case";
const DAY_MS = 86_400_000;

/** The approval of all that a judgement asks, with the answers of these people. */
export function approvalBy(people: readonly string[], { holds, score }: Judgement, at: Instant): CoveringApproval {
  const names = holds.map(({ name }) => name);
  return {
    standing: "covers",
    id: CASE_APPROVAL,
    alike: false,
    holds,
    score,
    answers: people.map((by) => ({ by, verified: "local_file", verdict: "approve", holds: names, at })),
    // Later than any decision lasts: a case does not say when people answered.
    until: instant(at + 366 * DAY_MS),
  };
}
