import { isoOf } from "../core/instants.ts";
import type { NumberedApprovalEvent } from "../core/ports.ts";
import type { ApprovalEvent } from "../core/record.ts";

/** One event as a receiver gets it. */
export interface WebhookMessage {
  /** That of the event: the same however often it is delivered. */
  readonly id: string;
  /** JSON text. */
  readonly body: string;
}

/**
 * What leaves Behest of an approval: which it is, who asks for what, of whom, and how it stands by this event. No argument, no statement and nothing that people
 * wrote: those can hold secrets, and whoever is told may see them by asking Behest.
 */
export function webhookMessage({ event, approval }: NumberedApprovalEvent): WebhookMessage {
  const { type, state, ...more } = toldOf(event);
  const body = {
    type,
    timestamp: isoOf(event.at),
    data: {
      approval_id: approval.id,
      kind: approval.kind,
      state,
      ...more,
      tenant: approval.tenant,
      caller: approval.parties.caller,
      agent: approval.agent,
      ...(approval.parties.principal !== undefined && { principal: approval.parties.principal }),
      task_id: approval.task,
      root_task_id: approval.root,
      tool: approval.tool,
      effect: approval.effect,
      decision_id: approval.decision,
      score: approval.score,
      holds: approval.holds.map(({ name, approvers, quorum }) => ({ name, approvers, quorum })),
      asked_at: isoOf(approval.askedAt),
      expires_at: isoOf(approval.expiresAt),
      ...(approval.replaces !== undefined && { replaces: approval.replaces }),
    },
  };
  return { id: event.id, body: JSON.stringify(body) };
}

type Told = { readonly type: string; readonly state: string } & Readonly<Record<string, string>>;

function toldOf(event: ApprovalEvent): Told {
  switch (event.kind) {
    case "approval_opened":
      return { type: "approval.requested", state: "pending" };
    case "approval_answered":
      return { type: "approval.answered", state: event.standing, answered_by: event.answer.by, verdict: event.answer.verdict };
    case "approval_used":
      return { type: "approval.used", state: event.standing, used_by: event.decision };
    case "approval_ended":
      return { type: "approval.ended", state: event.how, ...(event.by !== undefined && { ended_by: event.by }) };
  }
}
