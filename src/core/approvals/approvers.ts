import type { Settings } from "../policy.ts";
import type { Hold } from "../words.ts";
import type { GivenAnswer, Parties } from "./approval.ts";

/** What of the policy says who may answer. */
export type ApproverSettings = Pick<Settings, "approvers" | "groups">;

/** Everybody who may answer a hold, by the ids of their callers, each once. */
export function eligibleFor(hold: Hold, parties: Parties, { groups, approvers }: ApproverSettings): readonly string[] {
  // So far people are known by token files alone.
  if (approvers.requireVerified) return [];
  const named = new Set<string>();
  for (const approver of hold.approvers) {
    if (approver === "principal") add(named, parties.principal);
    else if (approver === "issuer") add(named, parties.issuer);
    else if (approver.startsWith("group:")) for (const member of membersOf(approver.slice("group:".length), groups)) add(named, member);
    else add(named, approver);
  }
  return [...named].filter((id) => !isExcluded(id, hold, parties));
}

/** A group that nobody declared has none, whatever it is called. */
const membersOf = (group: string, groups: ApproverSettings["groups"]): readonly string[] =>
  Object.hasOwn(groups, group) ? (groups[group] ?? []) : [];

function add(ids: Set<string>, id: string | undefined): void {
  if (id !== undefined) ids.add(id);
}

/** Nobody answers for themselves: not who asks, no agent of the chain, nobody who is only said to stand behind it, and the principal only where the hold asks the principal. */
const isExcluded = (id: string, hold: Hold, parties: Parties): boolean =>
  isParty(id, parties) || id === parties.onBehalfOf || (id === parties.principal && !hold.approvers.includes("principal"));

/** Who asks for the decision and every agent of its chain, under whatever kind of name. */
export function isParty(id: string, { caller, agents }: Parties): boolean {
  if (id === caller) return true;
  const bare = id.replace(/^(user|service|agent):/, "");
  return agents.some((agent) => agent === id || agent === bare || agent.replace(/^(user|service|agent):/, "") === bare);
}

/** The holds that this person may answer. */
export const holdsFor = (id: string, holds: readonly Hold[], { parties, settings }: Asking): readonly Hold[] =>
  holds.filter((hold) => eligibleFor(hold, parties, settings).includes(id));

export interface Asking {
  readonly parties: Parties;
  readonly settings: ApproverSettings;
}

/** Who has said yes to a hold, each once, and only who may answer now. */
export function agreedTo(hold: Hold, answers: readonly GivenAnswer[], { parties, settings }: Asking): readonly string[] {
  const eligible = new Set(eligibleFor(hold, parties, settings));
  const agreed = new Set<string>();
  for (const { by, verdict, holds } of answers) {
    if (verdict === "approve" && holds.includes(hold.name) && eligible.has(by)) agreed.add(by);
  }
  return [...agreed];
}

/** Whether so many different people have said yes to a hold as it asks for. */
export const isAnswered = (hold: Hold, answers: readonly GivenAnswer[], asking: Asking): boolean =>
  agreedTo(hold, answers, asking).length >= hold.quorum;

/** A token file proves that whoever calls can read a file, and not who that is. */
export const isVerified = (verified: GivenAnswer["verified"], { approvers }: ApproverSettings): boolean =>
  verified !== "local_file" || !approvers.requireVerified;

/** The first hold for which there are not enough people, however many of them say yes. */
export const unanswerable = (holds: readonly Hold[], { parties, settings }: Asking): Hold | undefined =>
  holds.find((hold) => eligibleFor(hold, parties, settings).length < hold.quorum);
