import { eligibleFor } from "../../core/approvals/approvers.ts";
import type { Settings } from "../../core/policy.ts";
import type { Complaint } from "../complaints.ts";
import type { Node } from "../document.ts";
import type { LoadedPolicy } from "../load.ts";
import type { StatedRule } from "../rules.ts";
import { nodeAt } from "../settings.ts";
import { nameNodeOf } from "./verdicts.ts";

/** Whom a hold asks, and how many of them. */
export interface Asked {
  readonly approvers: readonly string[];
  readonly quorum: number;
}

/** Holds that ask for more people than there are: whatever they stand for is denied. */
export function quorumComplaints({ policy: { settings }, documents, stated }: LoadedPolicy): readonly Complaint[] {
  const document = documents.get("policy.json");
  const { default: approvers, quorum } = settings.approvers;
  const message = messageFor("every hold that does not say otherwise", { approvers, quorum }, settings);
  const ofSettings = document && message !== undefined;
  return [
    ...(ofSettings ? [document.complaintAt("unreachable-quorum", nodeAt(document.root, ["approvers", "quorum"]), message)] : []),
    ...stated.flatMap((rule) => ofRule(rule, settings)),
  ];
}

/** Undefined where the rule asks nobody, or leaves it to policy.json, where it is told. */
export function askedBy({ event, params: { approvers, quorum } }: StatedRule, settings: Settings): Asked | undefined {
  if (event !== "require-approval" || (approvers === undefined && quorum === undefined)) return undefined;
  return { approvers: approvers ?? settings.approvers.default, quorum: quorum ?? settings.approvers.quorum };
}

function ofRule(rule: StatedRule, settings: Settings): readonly Complaint[] {
  const asked = askedBy(rule, settings);
  const message = asked && messageFor(`rule \`${rule.name}\``, asked, settings);
  return message === undefined ? [] : [rule.document.complaintAt("unreachable-quorum", placeOf(rule), message)];
}

function placeOf(rule: StatedRule): Node {
  return rule.params.quorum === undefined ? nameNodeOf(rule) : nodeAt(rule.node, ["event", "params", "quorum"]);
}

function messageFor(who: string, { approvers, quorum }: Asked, settings: Settings): string | undefined {
  const people = peopleOf(approvers, settings);
  if (people === undefined || people >= quorum) return undefined;
  const named = approvers.map((approver) => `\`${approver}\``).join(", ");
  return `${who} asks for ${quorum === 1 ? "1 person" : `${quorum} people`}, and ${named} ${people === 0 ? "has none" : `has ${people}`}: what would ask is denied with NO_APPROVER; add members to \`groups\` of policy.json, or ask for fewer`;
}

/** Not one of these is anybody's id, so that whom an action concerns is counted as another person than all who are named. */
const SOMEBODY = { caller: "\0caller", agents: [], principal: "\0principal", issuer: "\0issuer" };

/** How many different people may answer at most, as a decision counts them. Undefined where policy.json does not say who is in a group. */
export function peopleOf(approvers: readonly string[], settings: Settings): number | undefined {
  const groups = approvers.filter((approver) => approver.startsWith("group:")).map((approver) => approver.slice("group:".length));
  if (groups.some((group) => !Object.hasOwn(settings.groups, group))) return undefined;
  return eligibleFor({ name: "lint", approvers, quorum: 1 }, SOMEBODY, settings).length;
}
