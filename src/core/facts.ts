import { type FactDeclaration, growing, map, ranked, rising, total, worseWhen } from "./fact.ts";
import { INTENT_FACTS } from "./intent/facts.ts";
import { SCORER_FACTS } from "./intent/scorer-facts.ts";
import type { Policy } from "./policy.ts";
import { rankOf, type Situation } from "./situation.ts";
import { percentUsed } from "./tasks/budget.ts";
import { AGENT_STATUSES, AGENT_TRUST_LEVELS, EFFECTS, REVERSIBILITIES, TRUST_LEVELS } from "./words.ts";

const COUNTED_DISTANCE_MAX = 8;
const PERSON_DISTANCES = [...Array.from({ length: COUNTED_DISTANCE_MAX }, (_, at) => String(at + 1)), "more", "none"];

/** Every fact that rules can read, declared once: this is their documentation, their type and their lint. */
export const FACTS: Readonly<Record<string, FactDeclaration>> = {
  "caller.id": total("string", "verified", { meaning: "who asks, as its token says", example: "gateway", read: ({ subject }) => subject.caller }),
  session: total("string", "caller", {
    meaning: "the conversation, as the caller names it, or `none`",
    example: "chat-7",
    read: ({ subject }) => subject.request.session ?? "none",
  }),

  "agent.id": total("string", "enforcer", {
    meaning: "the agent that wants to act",
    example: "support-bot",
    read: ({ subject }) => subject.request.agent.id,
  }),
  "agent.identity": total("string", "verified", {
    meaning: "whether a credential proved the agent's id, or the caller only claims it",
    example: "claimed",
    read: () => "claimed",
    ...ranked(["proven", "claimed"]),
  }),
  "agent.registered": total("boolean", "enforcer", {
    meaning: "whether agents.json lists the agent",
    example: true,
    read: ({ agent }) => agent !== undefined,
    ...worseWhen(false),
  }),
  "agent.trust": total("string", "enforcer", {
    meaning: "how far agents.json trusts the agent",
    example: "medium",
    read: ({ agent }) => agent?.trust ?? "unregistered",
    ...ranked(AGENT_TRUST_LEVELS),
  }),
  "agent.owner": total("string", "enforcer", {
    meaning: "who answers for the agent, or `none`",
    example: "team:support",
    read: ({ agent }) => agent?.owner ?? "none",
  }),
  "agent.status": total("string", "enforcer", {
    meaning: "whether agents.json lets the agent act; one that is `paused` or `retired` has no reach, and is denied whatever rules say",
    example: "active",
    read: ({ agent }) => agent?.status ?? "unregistered",
    values: AGENT_STATUSES,
    worsening: { by: "tiers", tiers: [["active"], AGENT_STATUSES.filter((status) => status !== "active")] },
  }),
  "agent.review_overdue": total("boolean", "enforcer", {
    meaning: "whether the day `review_by` of agents.json is over, in UTC; never without one",
    example: false,
    read: ({ agent, subject }) => agent?.overdueFrom !== undefined && subject.at >= agent.overdueFrom,
    ...worseWhen(true),
  }),
  "agent.approvals_asked": total("integer", "caller", {
    meaning:
      "how many approvals were opened for the agent in the last hour, and how often it asked for more than people can be asked; of an action that they are asked about already, before that",
    example: 3,
    read: ({ subject }) => subject.asked?.byAgent ?? 0,
    ...rising,
  }),
  "agent.attributes": map("caller", {
    meaning: "what the caller says of the agent",
    example: { framework: "langgraph" },
    read: ({ subject }) => subject.request.agent.attributes,
  }),

  "principal.type": total("string", "enforcer", {
    meaning: "whom the task is for, as its initiator says; `none` if no initiator opened it, whoever the chain asserts",
    example: "user",
    read: ({ subject }) => subject.task.registered?.principal.type ?? "none",
    ...ranked(["user", "service", "none"]),
  }),
  "principal.id": total("string", "enforcer", {
    meaning: "the id of whom the task is for, as its initiator says, or `none`",
    example: "alice",
    read: ({ subject }) => subject.task.registered?.principal.id ?? "none",
  }),
  "principal.attributes": map("enforcer", {
    meaning: "what the task's initiator says of whom it is for",
    example: { department: "finance" },
    read: ({ subject }) => subject.task.registered?.principal.attributes,
  }),

  "task.registered": total("boolean", "enforcer", {
    meaning: "whether an initiator opened the task, or it was handed on below one that was; false for what comes from the agent's side",
    example: true,
    read: ({ subject }) => subject.task.registered !== undefined,
    ...worseWhen(false),
  }),
  "task.scope_kind": total("string", "enforcer", {
    meaning: "who stands behind the task's scope: `issued` by an initiator, `proposed` by a planner or an agent, or `none`",
    example: "issued",
    read: ({ subject }) => subject.task.registered?.scopeKind ?? "none",
    ...ranked(["issued", "proposed", "none"]),
  }),
  "task.reworded": total("boolean", "agent", {
    meaning: "whether the task was handed on in other words than those of the one who opened it",
    example: false,
    read: ({ subject }) => subject.task.registered?.reworded === true,
    ...worseWhen(true),
  }),
  "task.statement_expired": total("boolean", "enforcer", {
    meaning: "whether the time of the registered statement is over, while the task goes on",
    example: false,
    read: ({ subject }) => subject.task.registered?.statementExpired === true,
    ...worseWhen(true),
  }),
  "task.budget_used_percent": total("integer", "reported", {
    meaning: "how much is used of that budget of the task, or of a task above it, which is nearest its end, before this call; 0 if nothing is capped",
    example: 80,
    read: ({ subject }) => percentUsed(subject.task.registered?.budgets ?? []),
    ...rising,
  }),
  "task.unreported": total("integer", "reported", {
    meaning: "how many allowed calls of the task were not reported within windows.report_within of policy.json",
    example: 1,
    read: ({ subject }) => subject.task.unreported ?? 0,
    ...rising,
  }),
  "task.statement_given": total("boolean", "agent", {
    meaning: "whether the task has a statement",
    example: true,
    read: ({ subject }) => subject.task.statement !== undefined,
    ...worseWhen(false),
  }),
  "task.restated": total("boolean", "agent", {
    meaning: "whether the request states another task than the one it belongs to",
    example: false,
    read: ({ subject }) => subject.task.restated,
    ...worseWhen(true),
  }),
  "task.approvals_asked": total("integer", "caller", {
    meaning: "how many approvals were opened for the task in the last hour; of an action that people are asked about already, before that",
    example: 3,
    read: ({ subject }) => subject.asked?.forTask ?? 0,
    ...rising,
  }),
  "task.endorsed_values": total("list", "initiator", {
    meaning: "values of which an approver said that they may be used in the task, or in one above it",
    example: ["bob@example.com"],
    read: ({ subject }) => subject.endorsed?.values ?? [],
  }),
  "task.endorsed_sources": total("list", "initiator", {
    meaning: "tools of which an approver said that what they return may be followed in the task, or in one above it",
    example: ["mail/read_inbox"],
    read: ({ subject }) => subject.endorsed?.sources ?? [],
  }),
  "task.seen.classification": total("string", "reported", {
    meaning: "the highest classification the task has seen, or the lowest there is if none",
    example: "confidential",
    read: ({ policy, subject }) => policy.settings.classification.order[seenRank(policy, subject.task.seen.classifications)],
    worsening: { by: "classification" },
  }),
  "task.seen.classification_rank": total("integer", "reported", {
    meaning: "its place in classification.order of policy.json, from 0",
    example: 2,
    read: ({ policy, subject }) => seenRank(policy, subject.task.seen.classifications),
    ...rising,
  }),
  "task.seen.categories": total("list", "reported", {
    meaning: "every category of data the task has seen",
    example: ["personal"],
    read: ({ subject }) => subject.task.seen.categories,
    ...growing,
  }),
  "task.seen.trust": total("string", "reported", {
    meaning: "the least trust of what the task has seen; a tool that the catalog does not list returns untrusted data",
    example: "untrusted",
    read: ({ subject }) => subject.task.seen.trust,
    ...ranked(TRUST_LEVELS),
  }),
  "task.seen.systems": total("list", "reported", {
    meaning: "the servers the task has called; `unlisted` for a tool not in the catalog",
    example: ["crm"],
    read: ({ subject }) => subject.task.seen.systems,
    ...growing,
  }),

  ...INTENT_FACTS,
  ...SCORER_FACTS,

  "chain.depth": total("integer", "caller", {
    meaning: "how many agents the work was handed on to, after the first",
    example: 2,
    read: ({ chainDepth }) => chainDepth,
    ...rising,
  }),
  "chain.weakest_hop": total("string", "caller", {
    meaning: "the weakest proof of any hop: `registered` is Behest's own record, `asserted` is the caller's word, `none` is no chain at all",
    example: "asserted",
    read: weakestHop,
    ...ranked(["none", "registered", "asserted"]),
  }),
  "chain.person_distance": total("string", "caller", {
    meaning: "how many agents away the person is whom the task is for, the acting one counted; `none` without one whom an initiator named",
    example: "3",
    read: personDistance,
    ...ranked(PERSON_DISTANCES),
  }),
  "chain.least_trust": total("string", "caller", {
    meaning: "the least trust of any agent in the chain, the acting one included",
    example: "medium",
    read: ({ leastTrust }) => leastTrust,
    ...ranked(AGENT_TRUST_LEVELS),
  }),
  "chain.crosses_owner": total("boolean", "caller", {
    meaning: "whether the agents of the chain answer to different owners; an agent without one shares it with nobody",
    example: false,
    read: ({ crossesOwner }) => crossesOwner,
    ...worseWhen(true),
  }),

  "action.tool": total("string", "enforcer", {
    meaning: "the tool's name",
    example: "filesystem/read_file",
    read: ({ subject }) => subject.request.action.tool,
  }),
  "action.server": total("string", "enforcer", {
    meaning: "what stands before the first `/` of the tool's name, or `none`",
    example: "filesystem",
    read: ({ subject }) => serverOf(subject.request.action.tool),
  }),
  "action.operation": total("string", "enforcer", {
    meaning: "the tool's operation, or `none`",
    example: "append",
    read: ({ subject }) => subject.request.action.operation ?? "none",
  }),
  "action.effect": total("string", "enforcer", {
    meaning: "what the action does: the catalog's word, or the request's if worse",
    example: "send",
    read: ({ effect }) => effect,
    values: EFFECTS,
    worsening: { by: "tiers", tiers: [EFFECTS.filter((effect) => effect !== "unknown"), ["unknown"]] },
  }),
  "action.arguments": map("enforcer", {
    meaning: "the call's arguments, secrets masked as `{kind, length, digest}`",
    example: { to: ["a@example.org"] },
    read: ({ subject }) => subject.request.action.arguments,
  }),
  "action.arguments_truncated": total("boolean", "enforcer", {
    meaning: "whether the arguments were cut",
    example: false,
    read: ({ subject }) => subject.request.action.argumentsTruncated === true,
    ...worseWhen(true),
  }),
  "action.secret_count": total("integer", "caller", {
    meaning: "how many values of the request were masked as secrets",
    example: 1,
    read: ({ subject }) => subject.masked,
    ...rising,
  }),
  "action.target_count": total("integer", "enforcer", {
    meaning: "how many values the call names as targets",
    example: 3,
    read: ({ targetCount }) => targetCount,
    ...rising,
  }),
  "action.destination_count": total("integer", "enforcer", {
    meaning: "how many recipients or other destinations the call names",
    example: 1,
    read: ({ destinationCount }) => destinationCount,
    ...rising,
  }),
  "action.resource_obscured": total("boolean", "enforcer", {
    meaning:
      "whether a resource is spelled with `.` or `..` segments, backslashes, percent-escapes, control characters, space around it or a stream's name",
    example: false,
    read: ({ resourceObscured }) => resourceObscured,
    ...worseWhen(true),
  }),

  "tool.listed": total("boolean", "enforcer", {
    meaning: "whether the catalog lists the tool",
    example: true,
    read: ({ tool }) => tool !== undefined,
    ...worseWhen(false),
  }),
  "tool.owner": total("string", "enforcer", {
    meaning: "who answers for the tool, or `none`",
    example: "team:it",
    read: ({ tool }) => tool?.owner ?? "none",
  }),
  "tool.definition_pinned": total("boolean", "enforcer", {
    meaning: "whether the catalog pins the tool's definition, by `definition_digest`",
    example: true,
    read: ({ tool }) => tool?.definitionDigest !== undefined,
  }),
  // What the caller states of the tool, or leaves out, is not the question but a circumstance of it: no rule may help by it.
  "tool.definition_stated": total("boolean", "caller", {
    meaning: "whether the request says which definition of the tool the agent was shown, by `tool_definition_digest`",
    example: true,
    read: ({ subject }) => subject.request.action.toolDefinitionDigest !== undefined,
    ...worseWhen(false),
  }),
  "tool.drifted": total("boolean", "caller", {
    meaning: "whether the agent was shown another definition of the tool than the catalog pins; false where one of the two is missing",
    example: false,
    read: ({ tool, subject }) => hasDrifted(tool?.definitionDigest, subject.request.action.toolDefinitionDigest),
    ...worseWhen(true),
  }),
  "tool.reversibility": total("string", "enforcer", {
    meaning: "whether what the tool does can be taken back",
    example: "irreversible",
    read: ({ reversibility }) => reversibility,
    ...ranked(REVERSIBILITIES),
  }),

  "resource.type": total("string", "enforcer", {
    meaning: "the kind of the action's resource, or `none`",
    example: "file",
    read: ({ subject }) => subject.request.action.resource?.type ?? "none",
  }),
  "resource.id": total("string", "enforcer", {
    meaning: "the name of the action's resource, or `none`",
    example: "/srv/report.md",
    read: ({ subject }) => subject.request.action.resource?.id ?? "none",
  }),
  "resource.attributes": map("caller", {
    meaning: "what the caller says of the resource",
    example: { owner: "alice" },
    read: ({ subject }) => subject.request.action.resource?.attributes,
  }),

  "data.classification": total("string", "caller", {
    meaning: "the highest of request, resource and catalog, or classification.default of policy.json",
    example: "confidential",
    read: ({ classification }) => classification,
    worsening: { by: "classification" },
  }),
  "data.classification_rank": total("integer", "caller", {
    meaning: "its place in classification.order of policy.json, from 0",
    example: 2,
    read: ({ classificationRank }) => classificationRank,
    ...rising,
  }),
  "data.classification_stated": total("boolean", "caller", {
    meaning: "whether request, resource or catalog says a classification",
    example: true,
    read: ({ classificationStated }) => classificationStated,
  }),
  "data.categories": total("list", "caller", {
    meaning: "the categories that request, resource and catalog name, together",
    example: ["personal"],
    read: ({ categories }) => categories,
    ...growing,
  }),
  "data.categories_stated": total("boolean", "caller", {
    meaning: "whether request, resource or catalog names a category",
    example: true,
    read: ({ categoriesStated }) => categoriesStated,
  }),

  "context.environment": total("string", "caller", {
    meaning: "where this happens, or environment.default of policy.json",
    example: "production",
    read: ({ environment }) => environment,
  }),
  "context.attributes": map("caller", {
    meaning: "anything else the caller says of the circumstances",
    example: { ticket: "OPS-7" },
    read: ({ subject }) => subject.request.context?.attributes,
  }),
};

export function serverOf(tool: string): string {
  const slash = tool.indexOf("/");
  return slash > 0 ? tool.slice(0, slash) : "none";
}

function weakestHop({ subject, handedOn }: Situation): string {
  if (subject.task.registered) return handedOn.length > 0 ? "asserted" : "registered";
  return (subject.request.delegation?.length ?? 0) > 0 ? "asserted" : "none";
}

function personDistance({ subject }: Situation): string {
  const { registered } = subject.task;
  if (registered?.principal.type !== "user") return "none";
  const agents = Math.max(1, (subject.request.delegation?.length ?? 2) - 1);
  return agents <= COUNTED_DISTANCE_MAX ? String(agents) : "more";
}

const hasDrifted = (pinned: string | undefined, stated: string | undefined): boolean =>
  pinned !== undefined && stated !== undefined && pinned !== stated;

function seenRank(policy: Policy, classifications: readonly string[]): number {
  let rank = 0;
  for (const classification of classifications) rank = Math.max(rank, rankOf(policy, classification));
  return rank;
}
