import { coversAgent } from "./access.ts";
import { findingNameOf, type InvariantCode } from "./built-in.ts";
import { whyOutsideReach } from "./outside-reach.ts";
import type { Situation } from "./situation.ts";
import { targetInWords } from "./suspensions.ts";
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
  const { subject, agent } = situation;
  const { request } = subject;
  if (subject.lapsed !== undefined) {
    const why = subject.suspended ? "is stopped by a suspension" : "has lapsed";
    deny("NO_LONGER_STANDS", `the decision \`${subject.lapsed}\` on this attempt allowed it, and ${why}; ask again under a new request id`);
  }
  if (agent?.tenant !== undefined && agent.tenant !== subject.tenant) {
    deny("CALLER_NOT_ENTITLED", `agent \`${agent.id}\` belongs to another tenant`);
  } else if (agent?.callers && !agent.callers.has(subject.caller)) {
    deny("CALLER_NOT_ENTITLED", `caller \`${subject.caller}\` may not ask for agent \`${agent.id}\``);
  }
  if (!coversAgent(subject.callerAgents, request.agent.id)) {
    deny("CALLER_NOT_ENTITLED", `the token of caller \`${subject.caller}\` does not cover agent \`${request.agent.id}\``);
  }
  if (request.credentialed) {
    deny("CREDENTIAL_UNVERIFIABLE", "the request carries a credential that this server cannot verify; leave it out or configure a verifier");
  }
  for (const suspension of subject.suspended ?? []) {
    deny("SUSPENDED", `suspension \`${suspension.id}\` stops ${targetInWords(suspension)}: ${suspension.reason}`);
  }
  taskInvariants(situation, deny);
  reachInvariants(situation, deny);
  return violations;
}

type Deny = (code: InvariantCode, reason: string) => void;

function taskInvariants({ subject, chainBroken }: Situation, deny: Deny): void {
  const { request, task } = subject;
  switch (task.standing) {
    case "unknown":
      deny("TASK_UNKNOWN", `no task \`${request.task?.id}\` of this caller`);
      break;
    case "closed":
      deny("TASK_CLOSED", `task \`${task.id}\` has closed; leave out \`task.id\` to begin another`);
      break;
    case "mismatch":
      deny("CHAIN_MISMATCH", `task \`${request.task?.id}\` belongs to another agent or principal`);
      break;
    case "open":
    case "new":
      break;
  }
  if (chainBroken) {
    deny("CHAIN_BROKEN", `the chain must run from a person or service through agents to \`${request.agent.id}\``);
  }
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
