import type { Settings } from "../../core/policy.ts";
import type { Complaint } from "../complaints.ts";
import type { Node } from "../document.ts";
import type { LoadedPolicy } from "../load.ts";
import type { StatedRule } from "../rules.ts";
import { nodeAt } from "../settings.ts";
import { nameNodeOf } from "./verdicts.ts";

/** Holds that ask for more people than there are: nobody could ever release them. */
export function quorumComplaints({ policy: { settings }, documents, stated }: LoadedPolicy): readonly Complaint[] {
  const document = documents.get("policy.json");
  const { approvers } = settings;
  const message = messageFor("every hold that does not say otherwise", approvers, settings);
  const ofSettings = document && message !== undefined;
  return [
    ...(ofSettings ? [document.complaintAt("unreachable-quorum", nodeAt(document.root, ["approvers", "quorum"]), message)] : []),
    ...stated.flatMap((rule) => ofRule(rule, settings)),
  ];
}

function ofRule(rule: StatedRule, settings: Settings): readonly Complaint[] {
  const { approvers, quorum } = rule.params;
  // What a rule leaves to policy.json is told there.
  if (rule.event !== "require-approval" || (approvers === undefined && quorum === undefined)) return [];
  const asked = { default: approvers ?? settings.approvers.default, quorum: quorum ?? settings.approvers.quorum };
  const message = messageFor(`rule \`${rule.name}\``, asked, settings);
  return message === undefined ? [] : [rule.document.complaintAt("unreachable-quorum", placeOf(rule), message)];
}

function placeOf(rule: StatedRule): Node {
  return rule.params.quorum === undefined ? nameNodeOf(rule) : nodeAt(rule.node, ["event", "params", "quorum"]);
}

function messageFor(
  who: string,
  { default: approvers, quorum }: Pick<Settings["approvers"], "default" | "quorum">,
  settings: Settings,
): string | undefined {
  const people = peopleMax(approvers, settings);
  if (people === undefined || people >= quorum) return undefined;
  const named = approvers.map((approver) => `\`${approver}\``).join(", ");
  return `${who} asks for ${quorum === 1 ? "1 person" : `${quorum} people`}, and ${named} ${people === 0 ? "has none" : `has ${people}`}: nothing could ever release it; add members to \`groups\` of policy.json, or ask for fewer`;
}

/** How many different people these can be at most. Undefined where policy.json does not say who is in a group. */
function peopleMax(approvers: readonly string[], { groups }: Settings): number | undefined {
  const people = new Set<string>();
  for (const approver of approvers) {
    if (!approver.startsWith("group:")) {
      // `principal` and `issuer` are one person each, and may be anybody.
      people.add(approver);
      continue;
    }
    const name = approver.slice("group:".length);
    const members = Object.hasOwn(groups, name) ? groups[name] : undefined;
    if (!members || members.some((member) => member.startsWith("group:"))) return undefined;
    for (const member of members) people.add(member);
  }
  return people.size;
}
