import { type ComplaintKind, DENY, error, HARMLESS, rule, ruleFile, warning } from "./kind.ts";

const cases = (names: readonly string[]): string =>
  `{\n  "cases": [\n${names
    .map(
      (name) => `    {
      "name": "${name} is stopped",
      "request": { "agent": { "id": "bot" }, "action": { "tool": "${name}", "arguments": {} } },
      "expect": { "outcome": "DENY" }
    }`,
    )
    .join(",\n")}\n  ]\n}\n`;

const twoRules = ruleFile(
  rule(`{ "all": [${HARMLESS}] }`),
  rule(`{ "all": [{ "fact": "action.tool", "operator": "equal", "value": "wipe_disk" }] }`, DENY, "another-rule"),
);

const caseFile = (file: string): Readonly<Record<string, string>> => ({ ...ruleFile(rule(`{ "all": [${HARMLESS}] }`)), "example.cases.json": file });

const withFixture = (used: string): string =>
  cases(["send_money"])
    .replace(`{\n`, `{\n  "fixtures": { "bot": { "caller": "gateway" } },\n`)
    .replace(`"request"`, `"use": ["${used}"],\n      "request"`);

const expecting = (expected: string): string => cases(["send_money"]).replace(`"outcome": "DENY"`, expected);

/** About cases. They change no decision, and `serve` does not read them. */
export const CASE_KINDS = {
  "rule-without-case": warning({
    title: "no case makes a rule stand",
    explanation:
      "Nothing shows that the rule does what its author meant, and nobody will notice when a change breaks it. Add a case to a `*.cases.json` beside the rules. Without any such file this is not said rule by rule.",
    wrong: { ...twoRules, "example.cases.json": cases(["send_money"]) },
    right: { ...twoRules, "example.cases.json": cases(["send_money", "wipe_disk"]) },
  }),
  "unknown-fixture": error({
    title: "a case uses a fixture that does not exist",
    explanation:
      "A case takes parts that it shares with others from `fixtures`, by the names under `use`. A fixture of any `*.cases.json` can be used in each. The message names the nearest one if one is near.",
    wrong: caseFile(withFixture("bott")),
    right: caseFile(withFixture("bot")),
  }),
  "unknown-rule": error({
    title: "a case names a rule that does not exist",
    explanation:
      "`fires`, `silent` and `holds` name rules of the policy, and what Behest itself says: findings such as `behest:outside-reach`, the holds `behest:risk` and `behest:basis`. Under any other name nothing ever stands, so a case that wants it silent could never fail. The message names the nearest one if one is near.",
    wrong: caseFile(expecting(`"outcome": "DENY", "fires": ["a-rule"], "silent": ["behest:outside-raech"]`)),
    right: caseFile(expecting(`"outcome": "DENY", "fires": ["a-rule"], "silent": ["behest:outside-reach"]`)),
  }),
  "unreadable-request": error({
    title: "the request of a case is none that a server would read",
    explanation:
      "A case's `request` is read just as a server reads one that it is sent, with the same limits. What a server refuses is never decided, so it can be no example. The message says what is wrong with it.",
    wrong: caseFile(cases(["send_money"]).replace(`"arguments": {}`, `"argument": {}`)),
    right: caseFile(cases(["send_money"])),
  }),
} as const satisfies Readonly<Record<string, ComplaintKind>>;
