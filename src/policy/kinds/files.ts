import { type ComplaintKind, DENY, denying, error, HARMLESS, rule, ruleFile } from "./kind.ts";

const CATALOG = `{\n  "tools": { "send_money": { "effect": "pay", "reversibility": "irreversible", "output": { "trust": "trusted" }, "owner": "team:finance" } }\n}\n`;

/** About files and what stands in them, whatever it means. */
export const FILE_KINDS = {
  "missing-file": error({
    title: "a file that every policy has is missing",
    explanation:
      "`policy.json` says what everything else refers to: classifications, bands, reach, approvers. Without it nothing can be decided, so nothing is. `behest init` writes one to begin with.",
    wrong: { "policy.json": null },
    right: {},
  }),
  "unreadable-file": error({
    title: "a file or directory cannot be read",
    explanation:
      "The file is no regular file, is too large, is not valid UTF-8, or this account may not read it. A rule that is not read protects nobody, so the policy is refused as a whole. Put a readable file there, or remove it.",
    wrong: { "money.rules.json/": "" },
    right: denying(HARMLESS),
  }),
  "stray-file": error({
    title: "a file stands where Behest reads nothing of its kind",
    explanation:
      "A rules directory holds `policy.json`, `agents.json`, `NAME.rules.json`, `NAME.cases.json`, `catalog/NAME.json`, `*.md` and `schema/`. Any other name may be a rule file that somebody misspelled, and that would then silently not be loaded. Rename it, or move it away.",
    wrong: { "money.rule.json": `{ "rules": [] }\n` },
    right: { "money.rules.json": `{ "rules": [] }\n` },
  }),
  "not-json": error({
    title: "a file is not JSON",
    explanation:
      "Files are strict JSON: no comments, no trailing commas, double quotes. The complaint points at the first character that does not fit.",
    wrong: { "example.rules.json": `{ "rules": [] } // none yet\n` },
    right: { "example.rules.json": `{ "rules": [] }\n` },
  }),
  "too-big": error({
    title: "a file, a rule or a policy is beyond a limit",
    explanation:
      "A policy has at most 10,000 rules, a rule at most 200 conditions, 32 deep, a file at most 200 levels of nesting. The limits keep loading and deciding fast whatever somebody writes. Split the rule, or name its parts.",
    wrong: denying(`${`{ "not": `.repeat(33)}${HARMLESS}${" }".repeat(33)}`),
    right: denying(`{ "not": ${HARMLESS} }`),
  }),
  "loses-precision": error({
    title: "a number cannot be kept exactly",
    explanation:
      "Numbers are IEEE doubles. This one would quietly become another, and a comparison would be made with a value that nobody wrote. Write fewer digits, or compare a string.",
    wrong: denying(`{ "fact": "action.tool", "operator": "in", "value": ["a", 12345678901234567890] }`),
    right: denying(`{ "fact": "action.tool", "operator": "in", "value": ["a", "12345678901234567890"] }`),
  }),
  "lone-surrogate": error({
    title: "a string is not valid Unicode",
    explanation: "Half of a surrogate pair is no character. It cannot be written to a file or a database and read back, so it is refused here.",
    wrong: denying(`{ "fact": "action.tool", "operator": "equal", "value": "\\ud83d" }`),
    right: denying(`{ "fact": "action.tool", "operator": "equal", "value": "\\ud83d\\ude00" }`),
  }),
  "duplicate-key": error({
    title: "a key stands twice in one object",
    explanation: "JSON readers keep one of the two and forget the other without a word. Which one was meant? Remove one.",
    wrong: denying(`{ "fact": "action.tool", "operator": "equal", "value": "send_money", "value": "pay" }`),
    right: denying(`{ "fact": "action.tool", "operator": "in", "value": ["send_money", "pay"] }`),
  }),
  "forbidden-key": error({
    title: "a key has a meaning of its own in JavaScript",
    explanation: "`__proto__`, `constructor` and `prototype` are keys by which readers of JSON have been attacked. Behest reads nothing under them.",
    wrong: { "catalog/tools.json": CATALOG.replace("send_money", "constructor") },
    right: { "catalog/tools.json": CATALOG },
  }),
  "wrong-type": error({
    title: "a value has another type than is read there",
    explanation:
      'The message says what is expected. A value of another type is never converted: `"20"` is not 20, and one thing is not a list of one.',
    wrong: ruleFile(rule(`{ "all": [${HARMLESS}] }`, `{ "type": "deny", "params": { "reason": "nobody may", "controls": "owasp:ASI02" } }`)),
    right: ruleFile(rule(`{ "all": [${HARMLESS}] }`, `{ "type": "deny", "params": { "reason": "nobody may", "controls": ["owasp:ASI02"] } }`)),
  }),
  "wrong-value": error({
    title: "a value is not one of those that are read there",
    explanation: "The message names the values that are read, or their range and form, and the nearest one if one is near.",
    wrong: ruleFile(rule(`{ "all": [${HARMLESS}] }`, `{ "type": "denny", "params": { "reason": "nobody may", "controls": [] } }`)),
    right: ruleFile(rule(`{ "all": [${HARMLESS}] }`, `{ "type": "deny", "params": { "reason": "nobody may", "controls": [] } }`)),
  }),
  "unknown-key": error({
    title: "a key is not read there",
    explanation: "A key that nobody reads is usually a misspelled one, and what stands under it would have no effect.",
    wrong: denying(`{ "fact": "action.tool", "operator": "equal", "value": "send_money", "paht": "$.to" }`),
    right: denying(HARMLESS),
  }),
  "missing-key": error({
    title: "a key that has to be there is missing",
    explanation: "The message names it. Nothing that can change a decision has a default that is not written down.",
    wrong: ruleFile(rule(`{ "all": [${HARMLESS}] }`, `{ "type": "deny", "params": { "controls": ["owasp:ASI02"] } }`)),
    right: denying(HARMLESS),
  }),
  "duplicate-name": error({
    title: "a name stands for two things",
    explanation:
      "Names of rules, of conditions and of tools are unique over all files, because findings, cases and reports refer to them. Rename one.",
    wrong: ruleFile(rule(`{ "all": [${HARMLESS}] }`), rule(`{ "all": [{ "fact": "tool.listed", "operator": "equal", "value": false }] }`)),
    right: ruleFile(
      rule(`{ "all": [${HARMLESS}] }`),
      rule(`{ "all": [{ "fact": "tool.listed", "operator": "equal", "value": false }] }`, DENY, "another-rule"),
    ),
  }),
} as const satisfies Readonly<Record<string, ComplaintKind>>;
