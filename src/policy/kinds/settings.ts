import { ASK, type ComplaintKind, error, HARMLESS, rule, ruleFile, settings, warning } from "./kind.ts";

const asking = (approvers: string): string => ASK.replace(`"reason"`, `"approvers": ${approvers}, "reason"`);
const tool = (body: string) => ({
  "catalog/bank.json": `{\n  "tools": { "send_money": { ${body}"reversibility": "irreversible", "output": { "trust": "trusted" }, "owner": "team:finance" } }\n}\n`,
});
const label = (body: string) => ({ "catalog/resources.json": `{\n  "resources": [{ "match": "file:/srv/payroll/**"${body} }]\n}\n` });

/** About policy.json, agents.json and the catalog. */
export const SETTINGS_KINDS = {
  "unknown-approver": error({
    title: "a name can approve nothing",
    explanation:
      "Approvers are `principal` (the person for whom an initiator opened the task), `issuer` (the caller that opened it), `user:NAME` and `group:NAME`. Members of a group are people, by the ids of their tokens: a group has no groups in it. What nobody can answer is denied with `NO_APPROVER`.",
    wrong: ruleFile(rule(`{ "all": [${HARMLESS}] }`, asking(`["principal", "treasury"]`))),
    right: ruleFile(rule(`{ "all": [${HARMLESS}] }`, asking(`["principal", "group:approvers"]`))),
  }),
  "unknown-group": error({
    title: "a group approves that does not exist",
    explanation:
      "`group:NAME` is a group under `groups` of policy.json, which says who is in it. Nobody is in any other, so nobody could ever answer. The message names the nearest one if one is near.",
    wrong: ruleFile(rule(`{ "all": [${HARMLESS}] }`, asking(`["group:aprovers"]`))),
    right: ruleFile(rule(`{ "all": [${HARMLESS}] }`, asking(`["group:approvers"]`))),
  }),
  "no-groups": warning({
    title: "a group approves, and no group is declared",
    explanation:
      "`groups` of policy.json is empty, so nobody is in the group that is asked. While a policy is being begun that may be meant; before it decides anything, say who answers.",
    wrong: settings({ groups: `{}` }),
    right: settings({ groups: `{ "approvers": ["user:local"] }` }),
  }),
  "inconsistent-settings": error({
    title: "two settings contradict each other",
    explanation: "The message says which two. Bands must rise, the default classification must be one of the order, each classification stands once.",
    wrong: settings({ bands: `{ "middle": 80, "top": 40 }` }),
    right: settings({ bands: `{ "middle": 40, "top": 80 }` }),
  }),
  "basis-order": warning({
    title: "a weaker basis is answered more kindly than a stronger one",
    explanation:
      "`AUTHORIZED` says more for an action than `INFERRED`, and that more than `AVAILABLE`. Where the weaker one is answered more kindly, an action that loses its authority gets a better answer: a hop that nobody has registered would turn DENY into ALLOW. The message names the effect.",
    wrong: settings({ basis: `{ "AUTHORIZED": { "*": "ask" }, "INFERRED": { "*": "ask" }, "AVAILABLE": { "read": "allow", "*": "ask" } }` }),
    right: settings({ basis: `{ "AUTHORIZED": { "*": "allow" }, "INFERRED": { "*": "allow" }, "AVAILABLE": { "read": "allow", "*": "ask" } }` }),
  }),
  "tool-effect": error({
    title: "a tool states both or neither of effect and operations",
    explanation:
      "A tool does one thing, and says its `effect`, or several, and says the effect of each of its `operations`. Without either nobody knows what it does.",
    wrong: tool(""),
    right: tool(`"effect": "pay", `),
  }),
  "empty-label": error({
    title: "a label labels nothing",
    explanation: "A label puts a `classification`, `categories` or both on the resources that it matches. With neither it protects nothing.",
    wrong: label(""),
    right: label(`, "classification": "confidential"`),
  }),
} as const satisfies Readonly<Record<string, ComplaintKind>>;
