import { describe, expect, it } from "vitest";
import { formatComplaint, PolicyInvalid } from "../../src/policy/complaints.ts";
import { compilePolicy } from "../../src/policy/load.ts";
import { filesOf, starterSettings } from "../policies.ts";

/** `▶` marks where the complaint must point. */
const MARK = "▶";

function placeOfMark(text: string): string {
  const before = text.slice(0, text.indexOf(MARK));
  return `${before.split("\n").length}:${before.length - before.lastIndexOf("\n")}`;
}

function complaintsAbout(file: string, text: string): readonly string[] {
  try {
    compilePolicy({ ...filesOf({}), [file]: text.replace(MARK, "") });
    return [];
  } catch (error) {
    if (error instanceof PolicyInvalid) return error.complaints.map((complaint) => formatComplaint(complaint).split("\n")[0] ?? "");
    throw error;
  }
}

/** A rule file around one condition. */
const around = (condition: string, event = `{ "type": "deny", "params": { "reason": "r", "controls": ["owasp:ASI02"] } }`): string => `{
  "conditions": { "itself": { "not": { "condition": "other" } }, "other": { "any": [ { "condition": "itself" } ] } },
  "rules": [ { "name": "a-rule",
    "conditions": ${condition},
    "event": ${event} } ] }`;

const leaf = (fact: string, operator: string, value: string): string =>
  `{ "all": [ { "fact": ${fact}, "operator": ${operator}, "value": ${value} } ] }`;

const unknownOperator = (name: string, meant?: string): string =>
  `unknown operator \`${name}\`: there are \`equal\` \`notEqual\` \`in\` \`notIn\` \`contains\` \`doesNotContain\` \`lessThan\` \`lessThanInclusive\` \`greaterThan\` \`greaterThanInclusive\` \`present\`, and before them may stand \`someFact:\` \`everyFact:\` \`someValue:\` \`everyValue:\` \`swap:\` \`not:\`${meant === undefined ? "" : `; did you mean \`${meant}\`?`}`;

describe("a condition is refused, with its place,", () => {
  it.each([
    { when: "`any` is empty", condition: `{ "any": ▶[] }`, message: "`any` is a list of at least one condition" },
    { when: "`all` is empty", condition: `{ "all": ▶[] }`, message: "`all` is a list of at least one condition" },
    { when: "`all` is no list", condition: `{ "all": ▶{} }`, message: "`all` is a list of at least one condition" },
    {
      when: "`all` and `any` stand in one node",
      condition: `{ "all": [ { "condition": "other" } ], ▶"any": [ { "condition": "other" } ] }`,
      message: "`all` and `any` stand in one condition; nest one in the other",
    },
    {
      when: "a key stands twice",
      condition: `{ "all": [ { "fact": "agent.id", ▶"fact": "session", "operator": "equal", "value": "x" } ] }`,
      message: "the key `fact` stands twice in this object",
    },
    {
      when: "`__proto__` is a key",
      condition: `{ ▶"__proto__": { "any": [] }, "all": [ { "fact": "agent.id", "operator": "equal", "value": "x" } ] }`,
      message: "`__proto__` is no key that Behest reads",
    },
    {
      when: "`constructor` is a key",
      condition: `{ "all": [ { ▶"constructor": 1, "fact": "agent.id", "operator": "equal", "value": "x" } ] }`,
      message: "`constructor` is no key that Behest reads",
    },
    { when: "`in` has a string", condition: leaf(`"agent.id"`, `"in"`, `▶"abc"`), message: "`in` needs a list value" },
    { when: "a list is empty", condition: leaf(`"agent.id"`, `"in"`, "▶[]"), message: "an empty list: nothing is in it" },
    {
      when: "a list holds several kinds, none of them the fact's",
      condition: leaf(`"agent.id"`, `"in"`, "▶[1, true]"),
      message: "`in` cannot compare string with a list",
    },
    {
      when: "a path is no `$.a.b[0]`",
      condition: `{ "all": [ { "fact": "action.arguments", "path": ▶"$..a", "operator": "equal", "value": 1 } ] }`,
      message: "a path has the form `$.a.b[0]`: names and list positions, nothing else",
    },
    {
      when: "a path holds a filter",
      condition: `{ "all": [ { "fact": "action.arguments", "path": ▶"$.a[?(@.b)]", "operator": "equal", "value": 1 } ] }`,
      message: "a path has the form `$.a.b[0]`: names and list positions, nothing else",
    },
    {
      when: "a fact is mistyped",
      condition: leaf(`▶"agnet.trust"`, `"equal"`, `"low"`),
      message: "unknown fact `agnet.trust`; did you mean `agent.trust`?",
    },
    {
      when: "a path goes into a scalar",
      condition: leaf(`▶"agent.id.length"`, `"equal"`, "1"),
      message: "unknown fact `agent.id.length`: `agent.id` is of type string and has no parts",
    },
    {
      when: "an operator is mistyped",
      condition: leaf(`"agent.id"`, `▶"equals"`, `"x"`),
      message: unknownOperator("equals", "equal"),
    },
    { when: "a decorator is not known", condition: leaf(`"agent.id"`, `▶"each:equal"`, `"x"`), message: unknownOperator("each:equal") },
    ...[
      ["==", "equal"],
      ["!=", "notEqual"],
      ["<", "lessThan"],
      ["<=", "lessThanInclusive"],
      [">", "greaterThan"],
      ["gte", "greaterThanInclusive"],
      ["nin", "notIn"],
      ["not_in", "notIn"],
    ].map(([other = "", meant]) => ({
      when: `an operator is called \`${other}\``,
      condition: leaf(`"agent.id"`, `▶"${other}"`, `"x"`),
      message: unknownOperator(other, meant),
    })),
    {
      when: "a fact is like none",
      condition: leaf(`▶"weather"`, `"equal"`, `"rain"`),
      message: "unknown fact `weather`; `behest facts` lists them all",
    },
    {
      when: "a fact is about the time",
      condition: leaf(`▶"context.time"`, `"greaterThan"`, "18"),
      message:
        "unknown fact `context.time`: a decision can be made again at any time, so rules have no clock; let the gateway say `context.attributes.hour`, and guard it by `present`",
    },
    {
      when: "`present` is decorated",
      condition: leaf(`"action.arguments.a"`, `▶"not:present"`, "true"),
      message: "`present` takes no decorator",
    },
    { when: "numbers are compared with text", condition: leaf(`"chain.depth"`, `"greaterThan"`, `▶"3"`), message: "`greaterThan` needs numbers" },
    {
      when: "the order of words is asked for",
      condition: leaf(`"chain.person_distance"`, `"greaterThan"`, "▶2"),
      message: "`greaterThan` needs numbers, not text; name the words that count with `in`",
    },
    { when: "text is compared with a number", condition: leaf(`"agent.id"`, `"equal"`, "▶3"), message: "`equal` cannot compare string with number" },
    { when: "`contains` has a fact that is no list", condition: leaf(`"agent.id"`, `"contains"`, `▶"a"`), message: "`contains` needs a list fact" },
    {
      when: "`someFact` has a fact that is no list",
      condition: leaf(`"agent.id"`, `"someFact:equal"`, `▶"a"`),
      message: "`someFact` needs a list fact",
    },
    {
      when: "`present` has another value than true or false",
      condition: leaf(`"action.arguments.a"`, `"present"`, `▶"yes"`),
      message: "`present` needs true or false",
    },
    {
      when: "a word can never be the fact's",
      condition: leaf(`"action.effect"`, `"in"`, `▶["sned", "unknown"]`),
      message:
        "`action.effect` is never `sned`: it is one of `read` `browse` `create` `update` `delete` `send` `share` `pay` `credential` `execute` `unknown`; did you mean `send`?",
    },
    {
      when: "a classification is not in policy.json",
      condition: leaf(`"data.classification"`, `"equal"`, `▶"secret"`),
      message: "`data.classification` is never `secret`: it is one of `public` `internal` `confidential` `restricted`",
    },
    {
      when: "a number would lose precision",
      condition: leaf(`"chain.depth"`, `"equal"`, "▶9007199254740993"),
      message: "the number `9007199254740993` would lose precision",
    },
    {
      when: "a fraction would lose precision",
      condition: leaf(`"action.arguments.a"`, `"equal"`, "▶0.1000000000000000055"),
      message: "the number `0.1000000000000000055` would lose precision",
    },
    {
      when: "`params` stands in it",
      condition: `{ "all": [ { "fact": "agent.id", ▶"params": {}, "operator": "equal", "value": "x" } ] }`,
      message: "`params` is not served: facts take no parameters",
    },
    {
      when: "its value is an object",
      condition: leaf(`"action.arguments.a"`, `"equal"`, `▶{ "a": 1 }`),
      message: 'a value is a string, a number, true, false, null, a list of those, or another fact: `{"fact": …}`',
    },
    {
      when: "it refers to itself",
      condition: `{ "all": [ { "condition": "other" } ] }`,
      message: "the condition `other` refers to itself: `other` → `itself` → `other`",
      at: "2:53",
    },
    {
      when: "it names no condition",
      condition: `{ "all": [ { "condition": ▶"othr" } ] }`,
      message: "unknown condition `othr`; did you mean `other`?",
    },
    {
      when: "a part is missing",
      condition: `{ "all": [ ▶{ "fact": "agent.id", "value": 1 } ] }`,
      message: "a condition has `all`, `any`, `not` or `condition`, or `fact`, `operator` and `value`; missing `operator`",
    },
    {
      when: "a key is mistyped",
      condition: `{ "all": [ { ▶"fcat": "agent.id", "fact": "agent.id", "operator": "equal", "value": "x" } ] }`,
      message: "unknown key `fcat` in a condition; did you mean `fact`?",
    },
    {
      when: "its top is a comparison",
      condition: `▶{ "fact": "agent.id", "operator": "equal", "value": "x" }`,
      message: "`conditions` is an object with `all`, `any`, `not` or `condition`",
    },
    {
      when: "it nests too deeply",
      condition: `${'{ "not": '.repeat(33)}▶{ "fact": "agent.id", "operator": "equal", "value": "x" }${" }".repeat(33)}`,
      message: "conditions nest at most 32 deep",
      at: "4:307",
    },
    {
      when: "a rule has too many",
      condition: `▶{ "all": [ ${Array.from({ length: 200 }, () => `{ "fact": "agent.id", "operator": "equal", "value": "x" }`).join(", ")} ] }`,
      message: "more than 200 conditions in one rule",
    },
  ])("when $when", ({ condition, message, at }) => {
    const text = around(condition);
    expect(complaintsAbout("bad.rules.json", text)).toContain(`rules/bad.rules.json:${at ?? placeOfMark(text)}: ${message}`);
  });
});

const always = `{ "all": [ { "fact": "agent.id", "operator": "equal", "value": "x" } ] }`;
const params = (more: string): string => `{ "reason": "r", "controls": ["owasp:ASI02"]${more} }`;

describe("a rule is refused", () => {
  it.each([
    {
      when: "its event is mistyped",
      event: `{ "type": ▶"dney", "params": ${params("")} }`,
      message: "`dney` is none of `risk` `deny` `require-approval` `allow` `oblige`; did you mean `deny`?",
    },
    ...[
      ["ask", "require-approval"],
      ["approve", "require-approval"],
      ["approval", "require-approval"],
      ["require_approval", "require-approval"],
      ["block", "deny"],
      ["obligation", "oblige"],
    ].map(([other, meant]) => ({
      when: `its event is called \`${other}\``,
      event: `{ "type": ▶"${other}", "params": ${params("")} }`,
      message: `\`${other}\` is none of \`risk\` \`deny\` \`require-approval\` \`allow\` \`oblige\`; did you mean \`${meant}\`?`,
    })),
    {
      when: "a deny has too many points",
      event: `{ "type": "deny", "params": ${params(`, "points": ▶101`)} }`,
      message: "expected an integer from 0 to 100, found `101`",
    },
    {
      when: "a hold has points that are none",
      event: `{ "type": "require-approval", "params": ${params(`, "points": ▶"many"`)} }`,
      message: "expected an integer from 0 to 100, found a string",
    },
    {
      when: "it obliges to nothing",
      event: `{ "type": "oblige", "params": ${params("")} }`,
      at: "3:14",
      message: "rule `a-rule`: an `oblige` rule says its `obligation`",
    },
    {
      when: "another event carries an obligation",
      event: `{ "type": "deny", "params": ${params(`, "obligation": { "type": "log", "level": "warn" }`)} }`,
      at: "3:14",
      message: "rule `a-rule`: an `obligation` belongs to `oblige`",
    },
    {
      when: "an `oblige` carries points",
      event: `{ "type": "oblige", "params": ${params(`, "points": 5, "obligation": { "type": "log", "level": "warn" }`)} }`,
      at: "3:14",
      message: "rule `a-rule`: an `oblige` rule carries no `points`",
    },
    {
      when: "an obligation says the part of another",
      event: `{ "type": "oblige", "params": ${params(`, "obligation": ▶{ "type": "log", "level": "warn", "rows_max": 5 }`)} }`,
      message: "`rows_max` belongs to `limit_rows`, not to `log`",
    },
    {
      when: "an obligation lacks its part",
      event: `{ "type": "oblige", "params": ${params(`, "obligation": ▶{ "type": "redact", "paths": [] }`)} }`,
      message: "`redact` says its `paths`",
    },
    {
      when: "an obligation is none of the closed list",
      event: `{ "type": "oblige", "params": ${params(`, "obligation": { "type": ▶"watermark" }`)} }`,
      message: "`watermark` is none of `redact` `limit_rows` `log` `notify`",
    },
    {
      when: "a redaction names no path",
      event: `{ "type": "oblige", "params": ${params(`, "obligation": { "type": "redact", "paths": [▶"ssn"] }`)} }`,
      message: "`ssn` is not a path into what the tool returns, such as `$.rows[*].ssn`",
    },
    {
      when: "an obligation names too many",
      event: `{ "type": "oblige", "params": ${params(`, "obligation": ▶{ "type": "redact", "paths": ${JSON.stringify(Array.from({ length: 257 }, (_, at) => `$.a${at}`))} }`)} }`,
      message: "an obligation names at most 256 paths or recipients",
    },
    {
      when: "a risk has no points",
      event: `{ "type": "risk", "params": ${params("")} }`,
      message: "rule `a-rule`: a `risk` rule says its `points`",
      at: "3:14",
    },
    {
      when: "an allow has points",
      event: `{ "type": "allow", "params": ${params(`, "points": 3`)} }`,
      message: "rule `a-rule`: an `allow` rule carries no `points`",
      at: "3:14",
    },
    {
      when: "a deny lowers the score",
      event: `{ "type": "deny", "params": ${params(`, "points": -3`)} }`,
      message: "rule `a-rule`: a `deny` rule cannot lower the score",
      at: "3:14",
    },
    {
      when: "points are no integer",
      event: `{ "type": "risk", "params": ${params(`, "points": ▶1.5`)} }`,
      message: "expected an integer from -100 to 100, found `1.5`",
    },
    {
      when: "a deny names approvers",
      event: `{ "type": "deny", "params": ${params(`, "approvers": ["principal"]`)} }`,
      message: "rule `a-rule`: `approvers`, `quorum` and `lifetime` belong to `require-approval`",
      at: "3:14",
    },
    {
      when: "an approver is unknown",
      event: `{ "type": "require-approval", "params": ${params(`, "approvers": [▶"alice"]`)} }`,
      message: "`alice` is no approver: write `principal`, `issuer`, `user:…` or `group:…`",
    },
    {
      when: "an approver is a group that policy.json does not have",
      event: `{ "type": "require-approval", "params": ${params(`, "approvers": ["principal", ▶"group:aprovers"]`)} }`,
      message: "`group:aprovers` is not among `groups` of policy.json; did you mean `group:approvers`?",
    },
    {
      when: "a lifetime has no unit",
      event: `{ "type": "require-approval", "params": ${params(`, "lifetime": ▶"60"`)} }`,
      message: "expected a duration such as `60s`, `10m` or `24h`, at most `365d`, found `60`",
    },
    {
      when: "a control is no control",
      event: `{ "type": "deny", "params": { "reason": "r", "controls": [▶"ASI02"] } }`,
      message: "`ASI02` is not a control such as `owasp:ASI02`",
    },
    {
      when: "the reason is missing",
      event: `{ "type": "deny", "params": ▶{ "controls": ["owasp:ASI02"] } }`,
      message: "the key `reason` is missing",
    },
    {
      when: "a key is mistyped",
      event: `{ "type": "deny", "params": { "reason": "r", "controls": [], ▶"pionts": 3 } }`,
      message: "unknown key `pionts`; did you mean `points`?",
    },
  ])("when $when", ({ event, message, at }) => {
    const text = around(always, event);
    expect(complaintsAbout("bad.rules.json", text)).toContain(`rules/bad.rules.json:${at ?? placeOfMark(text)}: ${message}`);
  });

  it("when two files have one of its name", () => {
    const text = around(always);
    const files = { ...filesOf({}), "a.rules.json": text, "b.rules.json": text };
    expect(() => compilePolicy(files)).toThrow(PolicyInvalid);
    try {
      compilePolicy(files);
    } catch (error) {
      const lines = error instanceof PolicyInvalid ? error.complaints.map((complaint) => formatComplaint(complaint).split("\n")[0]) : [];
      expect(lines).toContain("rules/b.rules.json:3:24: the rule `a-rule` stands twice; the first stands at rules/a.rules.json:3:24");
      expect(lines).toContain("rules/b.rules.json:2:19: the condition `itself` is named twice; the first stands at rules/a.rules.json:2:29");
    }
  });
});

describe("one mistake is one complaint:", () => {
  const only = (file: string, text: string): readonly string[] => complaintsAbout(file, text).map((line) => line.replace(/^\S+ /, ""));
  const named = (text: string): string => text.replace(/"conditions": \{ "itself.*\n/, "");

  it.each([
    {
      says: "a misspelt key is not also missing",
      event: `{ "type": "deny", "params": { "raeson": "r", "controls": [] } }`,
      said: ["unknown key `raeson`; did you mean `reason`?"],
    },
    {
      says: "a wrong approver is not also none at all",
      event: `{ "type": "require-approval", "params": ${params(`, "approvers": ["alice"]`)} }`,
      said: ["`alice` is no approver: write `principal`, `issuer`, `user:…` or `group:…`"],
    },
    {
      says: "a hold that lowers the score is not also one that helps",
      condition: `{ "all": [ { "fact": "session", "operator": "equal", "value": "x" } ] }`,
      event: `{ "type": "require-approval", "params": ${params(`, "points": -3`)} }`,
      said: ["rule `a-rule`: a `require-approval` rule cannot lower the score"],
    },
    {
      says: "a misspelt key of a comparison is not also missing",
      condition: `{ "all": [ { "fact": "session", "operater": "equal", "value": "x" } ] }`,
      said: ["unknown key `operater` in a condition; did you mean `operator`?"],
    },
    {
      says: "a misspelt `any` is not also a comparison without parts",
      condition: `{ "all": [ { "ayn": [] } ] }`,
      said: ["unknown key `ayn` in a condition; did you mean `any`?"],
    },
  ])("$says", ({ condition = always, event = `{ "type": "deny", "params": ${params("")} }`, said }) => {
    expect(only("bad.rules.json", named(around(condition, event)))).toEqual(said);
  });

  it("a wrong effect is not also a missing one", () => {
    const text = `{ "tools": { "t": { "effect": "paying", "reversibility": "reversible", "output": { "trust": "trusted" } } } }`;
    expect(only("catalog/x.json", text)).toEqual([expect.stringContaining("`paying` is none of")]);
  });

  it.each(["group:approvers", "principal", "issuer"])("a group has people in it, and not `%s`", (member) => {
    const text = JSON.stringify({ ...starterSettings(), groups: { approvers: ["user:local"], others: [member] } });
    expect(only("policy.json", text)).toEqual([
      `\`${member}\` is no member of a group: a member is one person, by the id of their token, such as \`user:ann\``,
    ]);
  });

  it("a wrong approver by default is not also none at all", () => {
    const text = JSON.stringify({ ...starterSettings(), approvers: { default: ["alice"], quorum: 1 } });
    expect(only("policy.json", text)).toEqual(["`alice` is no approver: write `principal`, `issuer`, `user:…` or `group:…`"]);
  });
});

describe("an allow rule, or one with negative points, may not read what the agent's side can bring about:", () => {
  const readers = [
    "data.classification_rank",
    "context.environment",
    "session",
    "task.seen.trust",
    "task.restated",
    "agent.attributes.team",
    "chain.depth",
  ];
  it.each(readers)("%s", (fact) => {
    const condition = leaf(
      JSON.stringify(fact),
      `"${fact.includes("rank") || fact.includes("depth") ? "lessThan" : "present"}"`,
      fact.includes("rank") || fact.includes("depth") ? "3" : "true",
    );
    const allow = complaintsAbout("bad.rules.json", around(condition, `{ "type": "allow", "params": ${params("")} }`));
    const lower = complaintsAbout("bad.rules.json", around(condition, `{ "type": "risk", "params": ${params(`, "points": -5`)} }`));
    expect(allow).toContainEqual(expect.stringContaining(`rules/bad.rules.json:4:30: rule \`a-rule\`: an \`allow\` rule may not read \`${fact}\``));
    expect(lower).toContainEqual(
      expect.stringContaining(`rules/bad.rules.json:4:30: rule \`a-rule\`: a rule with negative points may not read \`${fact}\``),
    );
  });

  it("also not by way of a value", () => {
    const condition = leaf(`"action.destination_count"`, `"lessThan"`, `{ "fact": "chain.depth" }`);
    expect(complaintsAbout("bad.rules.json", around(condition, `{ "type": "allow", "params": ${params("")} }`))).toContainEqual(
      expect.stringContaining("may not read `chain.depth`"),
    );
  });

  it.each(["agent.id", "agent.trust", "action.tool", "tool.listed", "caller.id", "action.arguments.limit"])("but %s is fine", (fact) => {
    const files = {
      ...filesOf({}),
      "good.rules.json": around(leaf(JSON.stringify(fact), `"present"`, "true"), `{ "type": "allow", "params": ${params("")} }`).replace(
        /"conditions": \{ "itself.*\n/,
        "",
      ),
    };
    expect(() => compilePolicy(files)).not.toThrow();
  });
});

describe("a file is refused, with its place,", () => {
  const settings = (change: (text: string) => string): string => change(JSON.stringify(starterSettings(), null, 1));
  it.each([
    { when: "it is not JSON", file: "bad.rules.json", text: `{ "rules": [ ▶} ] }`, message: "not JSON: value expected" },
    { when: "it has comments", file: "bad.rules.json", text: `{ ▶// no\n "rules": [] }`, message: "not JSON: comments are not allowed" },
    { when: "a comma ends a list", file: "bad.rules.json", text: `{ "rules": [ 1▶, \n ] }`, message: "not JSON: a comma before the end of the list" },
    { when: "a comma ends an object", file: "bad.rules.json", text: `{ "rules": []▶, }`, message: "not JSON: a comma before the end of the object" },
    { when: "it is empty", file: "bad.rules.json", text: "▶", message: "not JSON: the file is empty" },
    { when: "it is no object", file: "bad.rules.json", text: "▶[]", message: "a rule file is an object with `rules`" },
    {
      when: "it nests without end",
      file: "bad.rules.json",
      text: `${"[".repeat(200)}▶${"[".repeat(9_800)}`,
      message: "more than 200 levels of nesting",
    },
    {
      when: "policy.json has an unknown key",
      file: "policy.json",
      text: settings((text) => text.replace('"bands"', '▶"bandz"')),
      message: "unknown key `bandz`; did you mean `bands`?",
    },
    {
      when: "the bands are upside down",
      file: "policy.json",
      text: settings((text) => text.replace('"middle": 40', '"middle": ▶90')),
      message: "`middle` must be below `top`, which is 80",
    },
    {
      when: "the default classification is not listed",
      file: "policy.json",
      text: settings((text) => text.replace('"default": "internal"', '"default": ▶"interal"')),
      message: "`interal` is not in `classification.order`",
    },
    {
      when: "a group that is asked by default is not listed",
      file: "policy.json",
      text: settings((text) => text.replace('"group:approvers"', '▶"group:aprovers"')),
      message: "`group:aprovers` is not among `groups` of policy.json; did you mean `group:approvers`?",
    },
    {
      when: "a basis answer is none",
      file: "policy.json",
      text: settings((text) => text.replace('"*": "ask"', '"*": ▶"maybe"')),
      message: "`maybe` is none of `allow` `ask` `deny`",
    },
    {
      when: "a tool has neither effect nor operations",
      file: "catalog/x.json",
      text: `{ "tools": { "t": ▶{ "reversibility": "reversible", "output": { "trust": "trusted" } } } }`,
      message: "give exactly one of `effect` and `operations`",
    },
    {
      when: "a tool's name is none",
      file: "catalog/x.json",
      text: `{ "tools": { ▶"a tool": { "effect": "read", "reversibility": "reversible", "output": { "trust": "trusted" } } } }`,
      message: "`a tool` is no tool name: at most 128 of `A-Z a-z 0-9 _ . - /`",
    },
    {
      when: "an argument's role is mistyped",
      file: "catalog/x.json",
      text: `{ "tools": { "t": { "effect": "read", "reversibility": "reversible", "arguments": { "to": ▶"destinaton" }, "output": { "trust": "trusted" } } } }`,
      message: "`destinaton` is none of `destination` `target` `secret` `amount` `currency` `free_text`; did you mean `destination`?",
    },
    {
      when: "an agent's effect is mistyped",
      file: "agents.json",
      text: `{ "agents": { "a": { "trust": "low", "reach": { "effects": [▶"reed"] } } } }`,
      message:
        "`reed` is none of `read` `browse` `create` `update` `delete` `send` `share` `pay` `credential` `execute` `unknown` `*`; did you mean `read`?",
    },
    {
      when: "an agent's status is mistyped",
      file: "agents.json",
      text: `{ "agents": { "a": { "trust": "low", "reach": {}, "status": ▶"pausd" } } }`,
      message: "`pausd` is none of `active` `paused` `retired`; did you mean `paused`?",
    },
    {
      when: "an agent's review is due on a day that there is not",
      file: "agents.json",
      text: `{ "agents": { "a": { "trust": "low", "reach": {}, "review_by": ▶"2027-02-29" } } }`,
      message: "`2027-02-29` is not a day such as `2026-12-31`",
    },
    {
      when: "an agent's review is due at an instant",
      file: "agents.json",
      text: `{ "agents": { "a": { "trust": "low", "reach": {}, "review_by": ▶"2027-02-28T00:00:00Z" } } }`,
      message: "`2027-02-28T00:00:00Z` is not a day such as `2026-12-31`",
    },
    {
      when: "an agent's review is due in a year",
      file: "agents.json",
      text: `{ "agents": { "a": { "trust": "low", "reach": {}, "review_by": ▶2027 } } }`,
      message: "expected a day such as `2026-12-31`, found a number",
    },
  ])("when $when", ({ file, text, message }) => {
    expect(complaintsAbout(file, text)).toContain(`rules/${file}:${placeOfMark(text)}: ${message}`);
  });

  it("when a tool is listed in two catalogs", () => {
    const tool = { effect: "read", reversibility: "reversible", output: { trust: "trusted" } };
    const files = { ...filesOf({ tools: { t: tool } }), "catalog/z.json": `{ "tools": { "t": ${JSON.stringify(tool)} } }` };
    expect(() => compilePolicy(files)).toThrow("the rules have an error");
    expect(complaintsAbout("catalog/z.json", files["catalog/z.json"])).toEqual([]);
  });

  it("when policy.json is missing", () => {
    const { "policy.json": _, ...files } = filesOf({});
    expect(() => compilePolicy(files)).toThrow(PolicyInvalid);
  });

  it("and all complaints are there, each with its line and a caret under the place", () => {
    const text = `{ "rules": [\n  { "name": "Bad Name", "conditions": { "any": [] }, "event": { "type": "deny", "params": {} } } ] }`;
    try {
      compilePolicy({ ...filesOf({}), "bad.rules.json": text });
      expect.unreachable();
    } catch (error) {
      const complaints = error instanceof PolicyInvalid ? error.complaints.map((one) => formatComplaint(one)) : [];
      expect(complaints).toEqual([
        `rules/bad.rules.json:2:13: \`Bad Name\` is not a rule name: words of \`a-z 0-9\`, joined by \`-\`\n    { "name": "Bad Name", "conditions": { "any": [] }, "event": { "type": "deny", "params": {} } } ] }\n              ^`,
        `rules/bad.rules.json:2:48: \`any\` is a list of at least one condition\n    { "name": "Bad Name", "conditions": { "any": [] }, "event": { "type": "deny", "params": {} } } ] }\n                                                 ^`,
        `rules/bad.rules.json:2:91: the key \`reason\` is missing\n    { "name": "Bad Name", "conditions": { "any": [] }, "event": { "type": "deny", "params": {} } } ] }\n                                                                                            ^`,
        `rules/bad.rules.json:2:91: the key \`controls\` is missing\n    { "name": "Bad Name", "conditions": { "any": [] }, "event": { "type": "deny", "params": {} } } ] }\n                                                                                            ^`,
      ]);
    }
  });
});
