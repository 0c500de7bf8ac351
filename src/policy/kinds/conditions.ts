import { type ComplaintKind, denying, error, HARMLESS, rule, ruleFile, warning, withConditions } from "./kind.ts";

/** About conditions. */
export const CONDITION_KINDS = {
  "condition-incomplete": error({
    title: "a condition lacks a part",
    explanation: "A comparison has `fact`, `operator` and `value`; any other condition is one of `all`, `any`, `not` and `condition`.",
    wrong: denying(`{ "fact": "action.tool", "value": "send_money" }`),
    right: denying(HARMLESS),
  }),
  "ambiguous-condition": error({
    title: "a condition can be read in two ways",
    explanation: "json-rules-engine drops `all` where `any` stands beside it, and a rule loses half of what it demands. Nest one in the other.",
    wrong: ruleFile(rule(`{ "all": [${HARMLESS}], "any": [${HARMLESS}] }`)),
    right: ruleFile(rule(`{ "all": [${HARMLESS}, { "any": [{ "fact": "tool.listed", "operator": "equal", "value": false }] }] }`)),
  }),
  "empty-condition": error({
    title: "a list of conditions is empty",
    explanation: "json-rules-engine matches everything on an empty `all` or `any`. Say what is demanded.",
    wrong: ruleFile(rule(`{ "all": [] }`)),
    right: denying(HARMLESS),
  }),
  "unknown-condition": error({
    title: "a named condition does not exist",
    explanation: "A rule refers to a condition by a name under `conditions` of any rule file. The message names the nearest one if one is near.",
    wrong: withConditions(`{ "sends-money": ${HARMLESS} }`, `{ "condition": "sends-money" }, { "condition": "send-money" }`),
    right: withConditions(`{ "sends-money": ${HARMLESS} }`, `{ "condition": "sends-money" }`),
  }),
  "self-reference": error({
    title: "a named condition refers to itself",
    explanation: "What refers to itself, directly or over others, can never be decided. The message shows the way round.",
    wrong: withConditions(`{ "sends-money": { "not": { "condition": "sends-money" } } }`, `{ "condition": "sends-money" }`),
    right: withConditions(`{ "sends-money": ${HARMLESS} }`, `{ "condition": "sends-money" }`),
  }),
  "unknown-fact": error({
    title: "a fact does not exist",
    explanation:
      "Rules read the facts of [docs/facts.md](../facts.md), and what lies in the open maps among them. The message names the nearest one if one is near.",
    wrong: denying(`{ "fact": "action.tol", "operator": "equal", "value": "send_money" }`),
    right: denying(HARMLESS),
  }),
  "fact-path": error({
    title: "a path is not served",
    explanation:
      "A path leads into an open map by names and list positions: `$.to[0]`. Filters, wildcards and expressions of JSONPath are not served: they could run for a long time, and nobody could say what a rule reads.",
    wrong: denying(`${HARMLESS}, { "fact": "action.arguments", "path": "$..to", "operator": "equal", "value": "DE02" }`),
    right: denying(`${HARMLESS}, { "fact": "action.arguments.to", "operator": "equal", "value": "DE02" }`),
  }),
  "fact-parameters": error({
    title: "a fact is given parameters",
    explanation: "Facts take no parameters; `params` belongs to events. What it was to select is usually a path.",
    wrong: denying(`{ "fact": "action.tool", "params": { "case": "lower" }, "operator": "equal", "value": "send_money" }`),
    right: denying(HARMLESS),
  }),
  "unknown-operator": error({
    title: "an operator does not exist",
    explanation:
      "[docs/rules.md](../rules.md#conditions) lists the operators and the decorators that may stand before them. The message names the nearest one if one is near.",
    wrong: denying(`{ "fact": "action.tool", "operator": "equals", "value": "send_money" }`),
    right: denying(HARMLESS),
  }),
  undecidable: error({
    title: "a comparison can never be decided",
    explanation:
      "The fact and the value are of types that this operator cannot compare, so the condition would be unknown for ever, and the rule would stand for everything.",
    wrong: denying(`{ "fact": "chain.depth", "operator": "greaterThan", "value": "3" }`),
    right: denying(`{ "fact": "chain.depth", "operator": "greaterThan", "value": 3 }`),
  }),
  "impossible-value": error({
    title: "a fact never has the value it is compared with",
    explanation: "The fact is one of a closed list of words, and this is none of them. The message lists them.",
    wrong: denying(`{ "fact": "action.effect", "operator": "in", "value": ["paying", "unknown"] }`),
    right: denying(`{ "fact": "action.effect", "operator": "in", "value": ["pay", "unknown"] }`),
  }),
  "priority-of-condition": warning({
    title: "a condition has a priority, which changes nothing",
    explanation: "All conditions are always asked, in one go. `behest rules lint --fix` removes it.",
    wrong: denying(`{ "priority": 2, "fact": "action.tool", "operator": "equal", "value": "send_money" }`),
    right: denying(HARMLESS),
  }),
  "unused-condition": warning({
    title: "no rule uses a named condition",
    explanation: "It is not even checked. It may be left over, or a rule may lack it. `behest rules lint --fix` removes it.",
    wrong: withConditions(`{ "sends-money": ${HARMLESS} }`, HARMLESS),
    right: withConditions(`{ "sends-money": ${HARMLESS} }`, `{ "condition": "sends-money" }`),
  }),
  "path-spelling": warning({
    title: "a fact is written in two parts",
    explanation:
      "`fact` and `path` together are one dotted name. Written as one it can be searched for, completed by an editor, and found in reports, which always write one name. `behest rules lint --fix` joins them.",
    wrong: denying(`${HARMLESS}, { "fact": "action.arguments", "path": "$.to[0]", "operator": "equal", "value": "DE02" }`),
    right: denying(`${HARMLESS}, { "fact": "action.arguments.to[0]", "operator": "equal", "value": "DE02" }`),
  }),
  "contradictory-condition": warning({
    title: "an `all` whose parts exclude each other",
    explanation:
      "Each part can be met, but never all of them at once, so the `all` is false whatever the facts say. Often an `any` was meant, or an `in`. Where this makes the whole rule impossible, the message says so.",
    wrong: ruleFile(rule(`{ "all": [${HARMLESS}, { "fact": "action.tool", "operator": "equal", "value": "schedule_payment" }] }`)),
    right: denying(`{ "fact": "action.tool", "operator": "in", "value": ["send_money", "schedule_payment"] }`),
  }),
} as const satisfies Readonly<Record<string, ComplaintKind>>;
