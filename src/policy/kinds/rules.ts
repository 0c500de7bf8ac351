import { ASK, type ComplaintKind, DENY, denying, error, HARMLESS, rule, ruleFile, settings, warning } from "./kind.ts";

const all = (...parts: readonly string[]): string => `{ "all": [${parts.join(", ")}] }`;
const risk = (points: number): string => `{ "type": "risk", "params": { "points": ${points}, "reason": "risky", "controls": ["owasp:ASI02"] } }`;
const ALLOW = `{ "type": "allow", "params": { "reason": "agreed with the bank", "controls": ["nist:GOVERN-1.3"] } }`;
const UNLISTED = `{ "fact": "tool.listed", "operator": "equal", "value": false }`;
const AMOUNT = `{ "fact": "action.arguments.amount", "operator": "greaterThan", "value": 1000 }`;
const controlled = (control: string): string => DENY.replace("owasp:ASI02", control);

const SEND_MONEY = {
  "catalog/bank.json": `{
  "tools": {
    "send_money": { "effect": "pay", "reversibility": "irreversible", "categories": ["financial"], "output": { "trust": "trusted" } }
  }
}
`,
};

/** About rules as a whole, and about all of them together. */
export const RULE_KINDS = {
  "event-misuse": error({
    title: "an event has parameters that it cannot have, or lacks one that it must have",
    explanation:
      "[docs/rules.md](../rules.md#a-rule) lists what each event takes. Points on an `allow`, or approvers on a `deny`, would have no effect.",
    wrong: ruleFile(rule(all(HARMLESS), DENY.replace(`"reason"`, `"quorum": 2, "reason"`))),
    right: ruleFile(rule(all(HARMLESS), ASK.replace(`"reason"`, `"quorum": 2, "reason"`))),
  }),
  "influenced-help": error({
    title: "a rule helps the caller by what the caller or the agent can bring about",
    explanation:
      "An `allow`, or negative points, must rest on what policy, a verified credential, an initiator or the enforcer says. Whatever the agent's side can state, an attacker who has won over the agent states too. `behest rules influence` lists who can influence what.",
    wrong: ruleFile(rule(all(`{ "fact": "context.environment", "operator": "equal", "value": "staging" }`), ALLOW)),
    right: ruleFile(rule(all(`{ "fact": "agent.id", "operator": "equal", "value": "finance-assistant" }`), ALLOW)),
  }),
  "softens-as-it-worsens": warning({
    title: "a rule helps more as a fact gets worse",
    explanation:
      "A restrictive rule stops applying, or a helping one starts to, when a fact takes a worse value. Who can bring that value about can switch the protection off; the message names them. Test a classification by its rank, a trust level with all below it, and an effect together with `unknown`.",
    wrong: denying(`{ "fact": "data.classification", "operator": "equal", "value": "confidential" }`),
    right: denying(`{ "fact": "data.classification_rank", "operator": "greaterThanInclusive", "value": 2 }`),
  }),
  "priority-of-rule": warning({
    title: "a rule has a priority, which changes no outcome",
    explanation: "Every rule is asked. `priority` orders the findings, which may be what you want; it never lets one rule win over another.",
    wrong: ruleFile(rule(all(HARMLESS)).replace(`"name"`, `"priority": 10,\n      "name"`)),
    right: denying(HARMLESS),
  }),
  "never-fires": warning({
    title: "a rule can never fire",
    explanation:
      "Its conditions are false whatever the facts say, so it protects nobody. The complaint points at the part that cannot be met. Facts are taken as docs/facts.md declares them: counts and ranks are never negative, and a rank is never above the last of `classification.order`.",
    wrong: denying(`{ "fact": "data.classification_rank", "operator": "greaterThan", "value": 3 }`),
    right: denying(`{ "fact": "data.classification_rank", "operator": "greaterThanInclusive", "value": 3 }`),
  }),
  "always-fires": warning({
    title: "a rule always fires",
    explanation:
      "Its conditions hold whatever the facts say. A `deny` like this denies everything; points like these only move the bands. Say when the rule is to hold, or write what is always so into policy.json. An `oblige` may hold for everything.",
    wrong: ruleFile(rule(`{ "any": [${HARMLESS}, { "fact": "action.tool", "operator": "notEqual", "value": "send_money" }] }`, ASK)),
    right: ruleFile(rule(all(HARMLESS), ASK)),
  }),
  "often-absent": warning({
    title: "a rule stands for every request that lacks an argument or attribute",
    explanation:
      "Arguments and attributes are partial facts: most requests do not have this one. A comparison with an absent fact is *unknown*, and unknown never helps the caller: the rule denies, asks or adds its points for every request of every other tool. Guard an argument by the tool that has it, or by `present`. No tool has an attribute: somebody has to say it, so only `present` guards it. Where nobody saying it is to count, say so: `any` of `present` `false` and the comparison.",
    wrong: denying(AMOUNT),
    right: denying(`${HARMLESS}, ${AMOUNT}`),
  }),
  "shadowed-by-deny": warning({
    title: "whenever a rule stands, a `deny` stands as well",
    explanation:
      "A standing `deny` denies, whatever else, so this rule decides nothing. Either the `deny` reaches further than it was meant to, or the rule can go.",
    wrong: ruleFile(rule(all(HARMLESS)), rule(all(HARMLESS, UNLISTED), ASK, "another-rule")),
    right: ruleFile(rule(all(HARMLESS, UNLISTED)), rule(all(HARMLESS), ASK, "another-rule")),
  }),
  "duplicate-rule": warning({
    title: "two rules have the same conditions and the same event",
    explanation:
      "The order of conditions and of lists does not count. Two `deny` rules say the same twice; the points of two `risk` rules add up, which one rule can say as well. Two holds with different approvers, and two different obligations, are no duplicates.",
    wrong: ruleFile(rule(all(HARMLESS, UNLISTED)), rule(all(UNLISTED, HARMLESS), DENY, "another-rule")),
    right: ruleFile(rule(all(HARMLESS, UNLISTED))),
  }),
  "unreachable-band": warning({
    title: "no combination of rules reaches a band",
    explanation:
      "The points of all rules that can stand together, with no `deny` among them, stay below the band. What policy.json says of it will never happen. Lower the band, or give the rules that matter more points. A policy without any points is not complained of.",
    wrong: { ...settings({ bands: `{ "middle": 40, "top": 80 }` }), ...ruleFile(rule(all(HARMLESS), risk(60))) },
    right: { ...settings({ bands: `{ "middle": 40, "top": 60 }` }), ...ruleFile(rule(all(HARMLESS), risk(60))) },
  }),
  "unknown-tool": warning({
    title: "the catalog has no tool of this name, but nearly",
    explanation:
      "A rule, or an agent's reach, names a tool that the catalog does not list, while it lists one of nearly the same name; or a glob of a reach matches no tool of the catalog, and the reach lacks the effect `unknown`, which all others have. A rule on a misspelt tool protects nobody, and a reach that misses grants nothing. A tool that is like none is not complained of: a rule may well be about one that is not catalogued.",
    wrong: { ...SEND_MONEY, ...denying(`{ "fact": "action.tool", "operator": "equal", "value": "send_mony" }`) },
    right: { ...SEND_MONEY, ...denying(HARMLESS) },
  }),
  "unknown-category": warning({
    title: "the catalog names no category of this name, but nearly",
    explanation:
      "A rule looks for a category of data that no tool and no label of the catalog has, while one of nearly the same name is there. It would never be found. A category that is like none is not complained of: a request may name it.",
    wrong: { ...SEND_MONEY, ...denying(`{ "fact": "data.categories", "operator": "contains", "value": "finacial" }`) },
    right: { ...SEND_MONEY, ...denying(`{ "fact": "data.categories", "operator": "contains", "value": "financial" }`) },
  }),
  "unknown-control": warning({
    title: "a control does not exist",
    explanation:
      'Known are `owasp:ASI01` to `owasp:ASI10` (agentic applications), `owasp:LLM01` to `owasp:LLM10`, `maestro:L1` to `maestro:L7`, and the subcategories of the NIST AI RMF 1.0, `nist:GOVERN-1.1` to `nist:MANAGE-4.3`. A report by control would miss this rule. Declare a framework of your own in policy.json: `"controls": ["acme"]`.',
    wrong: ruleFile(rule(all(HARMLESS), controlled("nist:GOVERN-1.9"))),
    right: ruleFile(rule(all(HARMLESS), controlled("nist:GOVERN-1.6"))),
  }),
} as const satisfies Readonly<Record<string, ComplaintKind>>;
