import type { Policy, RegisteredAgent } from "../../core/policy.ts";
import type { Instant } from "../../core/words.ts";
import type { Complaint } from "../complaints.ts";
import { type Document, type Property, propertiesOf } from "../document.ts";
import type { LoadedPolicy } from "../load.ts";

/**
 * What nobody answers for or looks after. An agent that is paused or retired can do nothing, and is left alone. Without an instant, no review is
 * told to be overdue.
 */
export function registryComplaints({ policy, documents }: LoadedPolicy, at: Instant | undefined): readonly Complaint[] {
  return [...documents].flatMap(([name, document]) => {
    if (name === "agents.json") return entriesOf(document, "agents").flatMap((entry) => agentComplaints(document, entry, { policy, at }));
    if (name.startsWith("catalog/")) return entriesOf(document, "tools").flatMap((entry) => toolComplaints(document, entry, policy));
    return [];
  });
}

const entriesOf = ({ root }: Document, list: string): readonly Property[] => {
  const found = propertiesOf(root).find(({ key }) => key === list);
  return found ? propertiesOf(found.valueNode) : [];
};

interface Looked {
  readonly policy: Policy;
  readonly at: Instant | undefined;
}

function agentComplaints(document: Document, { key: id, keyNode, valueNode }: Property, { policy, at }: Looked): readonly Complaint[] {
  const agent = policy.agents.get(id);
  if (agent?.status !== "active") return [];
  const found: Complaint[] = [];
  if (!isOwned(agent)) {
    const message = `nobody answers for the agent \`${id}\`: name its \`owner\`, or set its \`status\` to \`paused\` until it has one`;
    found.push(document.complaintAt("missing-owner", keyNode, message));
  }
  if (agent.overdueFrom === undefined) {
    const message = `nobody has said when the agent \`${id}\` is looked at again: give it a \`review_by\``;
    found.push(document.complaintAt("missing-review", keyNode, message));
  } else if (at !== undefined && at >= agent.overdueFrom) {
    const stated = propertiesOf(valueNode).find(({ key }) => key === "review_by")?.valueNode ?? keyNode;
    const message = `the review of the agent \`${id}\` was due by \`${stated.value}\`: look whether its entry is still right, and set the next day`;
    found.push(document.complaintAt("overdue-review", stated, message));
  }
  return found;
}

function toolComplaints(document: Document, { key: name, keyNode }: Property, policy: Policy): readonly Complaint[] {
  const tool = policy.tools.get(name);
  if (!tool || isOwned(tool)) return [];
  return [document.complaintAt("missing-owner", keyNode, `nobody answers for the tool \`${name}\`: name its \`owner\``)];
}

/** Rules read `none` where there is no owner, so an owner of that name is none either. */
const isOwned = ({ owner }: Pick<RegisteredAgent, "owner">): boolean => owner !== undefined && owner !== "none";

/** One line for all tools: who has just begun has pinned none. */
export function pinNote({ tools }: Policy): readonly string[] {
  const unpinned = [...tools.values()].filter(({ definitionDigest }) => definitionDigest === undefined).length;
  if (unpinned === 0) return [];
  return [`${unpinned} of ${tools.size} tools have no pinned definition, so nobody notices when one changes; \`behest catalog pin\` pins them`];
}
