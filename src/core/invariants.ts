import { coversAgent } from "./access.ts";
import { findingNameOf, type InvariantCode, STATEMENT_DIFFERS } from "./built-in.ts";
import { whyOverBudget } from "./charges.ts";
import { whyOutsideReach } from "./outside-reach.ts";
import { whyOutsideScope } from "./outside-scope.ts";
import type { Situation } from "./situation.ts";
import { targetInWords } from "./suspensions.ts";
import { capRank } from "./tasks/scope.ts";
import type { Finding } from "./words.ts";

/** What no rule file can remove: each denies by itself. */
export interface Violation {
  readonly code: InvariantCode;
  readonly finding: Finding;
}

/** Every invariant that the action breaks, the strongest first. */
export function brokenInvariants(situation: Situation): readonly Violation[] {
  const violations: Violation[] = [];
  const deny = (code: InvariantCode, reason: string): void => {
    violations.push({ code, finding: builtIn(code, reason) });
  };
  const { subject, agent, policy } = situation;
  const { request } = subject;
  if (subject.lapsed !== undefined) {
    const why = subject.suspended ? "is stopped by a suspension" : "has lapsed";
    deny("NO_LONGER_STANDS", `the decision \`${subject.lapsed}\` on this attempt allowed it, and ${why}; ask again under a new request id`);
  }
  const foreign = [...situation.reaches.keys()].find((id) => (policy.agents.get(id)?.tenant ?? subject.tenant) !== subject.tenant);
  if (foreign !== undefined) {
    deny("CALLER_NOT_ENTITLED", `agent \`${foreign}\` belongs to another tenant`);
  } else if (agent?.callers && !agent.callers.has(subject.caller)) {
    deny("CALLER_NOT_ENTITLED", `caller \`${subject.caller}\` may not ask for agent \`${agent.id}\``);
  }
  if (!coversAgent(subject.callerAgents, request.agent.id)) {
    deny("CALLER_NOT_ENTITLED", `the token of caller \`${subject.caller}\` does not cover agent \`${request.agent.id}\``);
  }
  const giver = handedOnBy(situation);
  if (giver !== undefined && !coversAgent(subject.callerAgents, giver)) {
    deny("CALLER_NOT_ENTITLED", `the token of caller \`${subject.caller}\` does not cover agent \`${giver}\`, which it says handed its task on`);
  }
  if (request.credentialed) {
    deny("CREDENTIAL_UNVERIFIABLE", "the request carries a credential that this server cannot verify; leave it out or configure a verifier");
  }
  for (const suspension of subject.suspended ?? []) {
    deny("SUSPENDED", `suspension \`${suspension.id}\` stops ${targetInWords(suspension)}: ${suspension.reason}`);
  }
  const { refused } = subject;
  if (refused?.kind === "action") deny("APPROVAL_DENIED", `a person denied this very request, as approval \`${refused.id}\`; do not ask again`);
  taskInvariants(situation, deny);
  scopeInvariants(situation, deny);
  reachInvariants(situation, deny);
  return violations;
}

/** The agent of a registered task, where the caller says that it handed the task on: only who speaks for that agent can say so. */
function handedOnBy({ subject: { request, task }, handedOn }: Situation): string | undefined {
  if (!task.registered || handedOn.length === 0 || task.standing === "mismatch") return undefined;
  return request.delegation?.[task.registered.hops - 1]?.id;
}

type Deny = (code: InvariantCode, reason: string) => void;

function taskInvariants(situation: Situation, deny: Deny): void {
  const { subject, chainBroken } = situation;
  const { request, task } = subject;
  switch (task.standing) {
    case "unknown":
      deny("TASK_UNKNOWN", `no registered task \`${request.task?.id}\` is known, nor one that this caller began; leave out \`task.id\` to begin one`);
      break;
    case "closed":
      if (task.registered) deny("TASK_CLOSED", `${endedInWords(task)} was closed; its initiator can open another`);
      else deny("TASK_CLOSED", `task \`${task.id}\` has closed; leave out \`task.id\` to begin another`);
      break;
    case "expired":
      deny("TASK_EXPIRED", `the time of ${endedInWords(task)} is over; its initiator can open another`);
      break;
    case "revoked":
      deny("TASK_REVOKED", `${endedInWords(task)} was revoked, and everything that was handed on from it`);
      break;
    case "mismatch":
      if (task.registered) deny("CHAIN_MISMATCH", mismatchInWords(situation));
      else deny("CHAIN_MISMATCH", `task \`${request.task?.id}\` belongs to another agent or principal`);
      break;
    case "open":
    case "new":
      break;
  }
  if (chainBroken) {
    deny("CHAIN_BROKEN", `the chain must run from a person or service through agents to \`${request.agent.id}\``);
  }
}

/** The task that has ended, which may be one above the request's. */
const endedInWords = ({ id, registered }: Situation["subject"]["task"]): string =>
  registered?.endedTask === undefined || registered.endedTask === id ? `task \`${id}\`` : `task \`${registered.endedTask}\`, above \`${id}\`,`;

const mismatchInWords = ({ subject: { request, task } }: Situation): string =>
  request.delegation
    ? `the chain must repeat that of task \`${task.id}\`, or go on below its agent, and end with \`${request.agent.id}\`; leave out \`delegation\`, or see GetTask`
    : `task \`${task.id}\` is not for agent \`${request.agent.id}\`; ask for the task's agent, or hand the task on with DelegateTask`;

/** What the task was given bounds the action, whatever its words and the agent's reach. */
function scopeInvariants(situation: Situation, deny: Deny): void {
  const { policy, classification, classificationRank, subject } = situation;
  const { id, registered } = subject.task;
  if (!registered) return;
  const why = outsideScope(situation);
  if (why !== undefined && policy.settings.outsideIssuedScope === "deny") deny("OUTSIDE_SCOPE", why);
  const { boundary, budgets } = registered;
  if (boundary && classificationRank > capRank(boundary, policy.settings.classification.order)) {
    deny(
      "CLASSIFICATION_EXCEEDED",
      `\`${classification}\` data is above the scope of task \`${id}\`, which ends at \`${boundary.maxClassification}\``,
    );
  }
  const over = budgets && whyOverBudget(situation, budgets);
  if (over !== undefined) deny("BUDGET_SPENT", over);
}

/** Why the action lies outside what the task was given; undefined where it lies inside, or nothing was bound. */
export function outsideScope(situation: Situation): string | undefined {
  const { id, registered } = situation.subject.task;
  const why = registered?.boundary && whyOutsideScope(situation, registered.boundary, situation.handedOn);
  return why === undefined ? undefined : `outside the scope of task \`${id}\`: ${why}`;
}

/** What decides nothing, and has to be known to whoever reads the decision. */
export function remarks({ subject }: Situation): readonly Finding[] {
  const { task } = subject;
  if (!task.registered || !task.restated) return [];
  const reason = `the request states another task than the one that was registered as \`${task.id}\`; the registered words count`;
  return [{ rule: STATEMENT_DIFFERS, event: "risk", result: "matched", points: 0, reason, controls: [] }];
}

/** With a chain, the action must lie within the reach of every agent in it; one that is out of service has none, and neither has its chain. */
function reachInvariants(situation: Situation, deny: Deny): void {
  const { policy, classificationRank } = situation;
  for (const [agentId, reach] of situation.reaches) {
    const status = situation.outOfService.get(agentId);
    if (status) {
      deny("OUTSIDE_REACH", `agent \`${agentId}\` is ${status} in agents.json, and so has no reach at all`);
      continue;
    }
    if (classificationRank > reach.classificationRankMax) {
      const highest = policy.settings.classification.order[reach.classificationRankMax] ?? "nothing";
      deny(
        "CLASSIFICATION_EXCEEDED",
        `\`${situation.classification}\` data is above the reach of agent \`${agentId}\`, which ends at \`${highest}\``,
      );
    }
    const why = whyOutsideReach(situation, agentId, reach);
    if (why !== undefined) deny("OUTSIDE_REACH", why);
  }
}

/** A finding of Behest itself, under a name that no rule can have. */
export const builtIn = (code: InvariantCode, reason: string): Finding => ({
  rule: findingNameOf(code),
  event: "deny",
  result: "matched",
  points: 0,
  reason,
  controls: [],
});
