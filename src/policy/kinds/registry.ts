import { ASK, type ComplaintKind, HARMLESS, rule, ruleFile, settings, warning } from "./kind.ts";

const agent = (said: string) => ({
  "agents.json": `{\n  "agents": {\n    "support-bot": { ${said}"trust": "medium", "reach": { "tools": ["crm/*"], "effects": ["read"] } }\n  }\n}\n`,
});
const OWNED = `"owner": "team:support", `;
const treasury = (members: string) => ({
  ...settings({ groups: `{ "approvers": ["user:local"], "treasury": ${members} }` }),
  ...ruleFile(rule(`{ "all": [${HARMLESS}] }`, ASK.replace(`"reason"`, `"approvers": ["group:treasury"], "quorum": 2, "reason"`))),
});

/** About who answers for agents, tools and holds. */
export const REGISTRY_KINDS = {
  "missing-owner": warning({
    title: "nobody answers for an agent or a tool",
    explanation:
      'When it does harm, somebody has to be asked, and has to be able to stop it. `owner` names a team or a person; `none` is what rules read where there is none, and no owner either. An agent that has lost its owner is set to `"status": "paused"` until it has another: it has no reach then, and nothing is said of it.',
    wrong: agent(`"review_by": "2026-12-31", `),
    right: agent(`${OWNED}"review_by": "2026-12-31", `),
  }),
  "missing-review": warning({
    title: "nobody has said when an agent is looked at again",
    explanation:
      "Agents outlive what they were made for, and keep their reach. `review_by` is the day by whose end, in UTC, somebody has looked whether the entry is still right; rules then read `agent.review_overdue`. Without it that fact is never true.",
    wrong: agent(OWNED),
    right: agent(`${OWNED}"review_by": "2026-12-31", `),
  }),
  "overdue-review": warning({
    title: "the review of an agent is overdue",
    explanation:
      "The day in `review_by` is over. Look whether the agent is still needed, who answers for it, and whether it needs all of its reach; then set the next day, or set its `status` to `paused` or `retired`. Lint compares with the day on which it runs.",
    wrong: agent(`${OWNED}"review_by": "2020-12-31", `),
    right: agent(`${OWNED}"review_by": "2026-12-31", `),
  }),
  "unreachable-quorum": warning({
    title: "a hold asks for more people than there are",
    explanation:
      "`quorum` is how many different people must agree, and the approvers that are named come to fewer, so whatever would ask them is denied with `NO_APPROVER`. Each counts once, however often and in however many groups they are named; `principal` and `issuer` count one each. Add members to the group in policy.json, or ask for fewer. Nothing is said where policy.json lists no groups at all.",
    wrong: treasury(`["user:ann"]`),
    right: treasury(`["user:ann", "user:bob"]`),
  }),
  "principal-may-be-nobody": warning({
    title: "a hold needs the person behind the task, and there may be none",
    explanation:
      "`principal` is the person for whom an initiator opened the task. A task that came from the agent's side, and one of a service, has none, whatever its chain asserts: what would ask is denied with `NO_APPROVER` there. Whether an action was meant is the principal's question, so name `principal`; and beside it who answers where there is none. Nothing is said of a rule whose conditions hold only for a person's task.",
    wrong: ruleFile(rule(`{ "all": [${HARMLESS}] }`, ASK.replace(`"reason"`, `"approvers": ["principal"], "reason"`))),
    right: ruleFile(rule(`{ "all": [${HARMLESS}] }`, ASK.replace(`"reason"`, `"approvers": ["principal", "group:approvers"], "reason"`))),
  }),
} as const satisfies Readonly<Record<string, ComplaintKind>>;
