import { describe, expect, it } from "vitest";
import { instant } from "../../../src/core/words.ts";
import { formatComplaint } from "../../../src/policy/complaints.ts";
import { lintPolicy } from "../../../src/policy/lint/lint.ts";
import { compilePolicy } from "../../../src/policy/load.ts";
import { filesOf, load } from "../../policies.ts";

/** `▶` marks where the complaint must point. */
const MARK = "▶";

function placeOfMark(text: string): string {
  const before = text.slice(0, text.indexOf(MARK));
  return `${before.split("\n").length}:${before.length - before.lastIndexOf("\n")}`;
}

/** `id line:column message` of all that is said of a rule file. */
function said(text: string, settings: object = {}): readonly string[] {
  const loaded = compilePolicy({ ...filesOf({ settings }), "test.rules.json": text.replace(MARK, "") });
  return lintPolicy(loaded).complaints.map(({ id, at, message }) => `${id} ${at?.line}:${at?.column} ${message}`);
}

const rule = (name: string, conditions: string, event = "deny", params = ""): string =>
  `{ "name": ${name},\n "conditions": ${conditions},\n "event": { "type": "${event}", "params": { ${params}"reason": "r", "controls": ["owasp:ASI02"] } } }`;
const file = (...rules: readonly string[]): string => `{ "rules": [\n${rules.join(",\n")} ] }`;
const one = (conditions: string, event?: string, params?: string): string => file(rule(`"a-rule"`, conditions, event, params));
const leaf = (fact: string, operator: string, value: string): string => `{ "fact": "${fact}", "operator": "${operator}", "value": ${value} }`;

const IS_X = leaf("action.tool", "equal", `"x"`);
const IS_Y = leaf("action.tool", "equal", `"y"`);
const UNLISTED = leaf("tool.listed", "equal", "false");
const AMOUNT = leaf("action.arguments.amount", "greaterThan", "9");

describe("a rule that can never fire is found, with the part that cannot be met:", () => {
  it.each([
    {
      says: "a rank above the last",
      text: one(`{ "all": [${IS_X}, ▶${leaf("data.classification_rank", "greaterThan", "3")}] }`),
      words: "data.classification_rank greaterThan 3",
    },
    { says: "a count below 0", text: one(`{ "all": [▶${leaf("chain.depth", "lessThan", "0")}] }`), words: "chain.depth lessThan 0" },
    { says: "a count between two neighbours", text: one(`{ "all": [▶${leaf("chain.depth", "equal", "1.5")}] }`), words: "chain.depth equal 1.5" },
    {
      says: "a comparison that is always so, under `not`",
      text: one(`{ "all": [${IS_X}, ▶{ "not": ${leaf("chain.depth", "greaterThanInclusive", "0")} }] }`),
      because: "this is false whatever the facts say",
    },
  ])("$says", ({ text, words, because = `\`${words}\` never holds` }) => {
    expect(said(text)).toContain(`never-fires ${placeOfMark(text)} rule \`a-rule\` can never fire: ${because}`);
  });

  it("a helping rule that is at most unknown", () => {
    const text = file(rule(`▶"a-rule"`, `{ "all": [${leaf("action.arguments.a", "in", `[["b"]]`)}] }`, "allow"));
    expect(said(text)).toEqual([
      `never-fires ${placeOfMark(text)} rule \`a-rule\` can never fire: its conditions are never known to hold, and unknown helps nobody`,
    ]);
  });
});

describe("an `all` whose parts exclude each other is found:", () => {
  const message = "the parts of this `all` exclude each other: it is false whatever the facts say";

  it.each([
    { says: "two words for one fact", parts: [IS_X, IS_Y] },
    { says: "two lists without a common word", parts: [leaf("action.effect", "in", `["send", "unknown"]`), leaf("action.effect", "in", `["pay"]`)] },
    { says: "a number above and below", parts: [leaf("chain.depth", "greaterThan", "3"), leaf("chain.depth", "lessThan", "4")] },
    {
      says: "a fact that is absent and compared",
      parts: [leaf("action.arguments.a", "present", "false"), `{ "not": ${leaf("action.arguments.a", "present", "false")} }`],
    },
    { says: "a comparison and its opposite", parts: [IS_X, `{ "not": ${IS_X} }`] },
    {
      says: "two comparisons of two facts",
      parts: [leaf("action.tool", "equal", `{ "fact": "session" }`), `{ "not": ${leaf("action.tool", "equal", `{ "fact": "session" }`)} }`],
      unknown: true,
    },
  ])("$says", ({ parts, unknown }) => {
    const text = one(`▶{ "all": [${parts.join(", ")}] }`);
    const expected = `contradictory-condition ${placeOfMark(text)} ${message}, so rule \`a-rule\` can never fire`;
    // What can be unknown and its opposite can be unknown both, and then the rule stands.
    expect(said(text).filter((line) => /never|contra/.test(line))).toEqual(unknown ? [] : [expected]);
  });

  it("is told without the rule where the rule can fire all the same", () => {
    const text = one(`{ "any": [${UNLISTED}, ▶{ "all": [${IS_X}, ${IS_Y}] }] }`);
    expect(said(text)).toEqual([`contradictory-condition ${placeOfMark(text)} ${message}`]);
  });

  it("is told once in a named condition, and each rule that it makes impossible is named", () => {
    const text = `{ "conditions": { "both": ▶{ "all": [${IS_X}, ${IS_Y}] } },\n"rules": [\n${rule(`"a-rule"`, `{ "condition": "both" }`)},\n${rule(`"b-rule"`, `{ "all": [${UNLISTED}, { "condition": "both" }] }`)} ] }`;
    expect(said(text)).toEqual([
      `contradictory-condition ${placeOfMark(text)} ${message}`,
      "never-fires 3:11 rule `a-rule` can never fire: this is false whatever the facts say",
      "never-fires 6:11 rule `b-rule` can never fire: this is false whatever the facts say",
    ]);
  });
});

describe("a rule that always fires is found:", () => {
  it.each([
    { says: "a comparison that always holds", conditions: `{ "any": [${IS_X}, ${leaf("data.classification_rank", "greaterThanInclusive", "0")}] }` },
    { says: "every word there is", conditions: `{ "any": [${leaf("tool.listed", "in", "[true, false]")}] }` },
    { says: "a comparison or its opposite", conditions: `{ "any": [${IS_X}, { "not": ${IS_X} }] }` },
    {
      says: "present or not",
      conditions: `{ "any": [${leaf("action.arguments.a", "present", "true")}, ${leaf("action.arguments.a", "present", "false")}] }`,
    },
  ])("$says", ({ conditions }) => {
    const text = file(rule(`▶"a-rule"`, conditions, "require-approval"));
    expect(said(text)).toEqual([`always-fires ${placeOfMark(text)} rule \`a-rule\` always fires: its conditions hold whatever the facts say`]);
  });
});

it("an obligation for everything is not complained of", () => {
  const text = one(`{ "all": [${leaf("action.tool", "present", "true")}] }`, "oblige", `"obligation": { "type": "log", "level": "info" }, `);
  expect(said(text)).toEqual([]);
});

describe("a rule that a `deny` shadows is found:", () => {
  const shadowed = (by: string, place: string): string =>
    `rule \`b-rule\` decides nothing: whenever it stands, the \`deny\` of \`${by}\` stands as well, at rules/test.rules.json:${place}`;

  it.each([
    { says: "the same conditions", deny: `{ "all": [${IS_X}] }`, conditions: `{ "all": [${IS_X}] }` },
    { says: "fewer tools", deny: leaf("action.tool", "in", `["x", "y"]`), conditions: `{ "all": [${IS_X}, ${UNLISTED}] }` },
    { says: "a higher bound", deny: leaf("chain.depth", "greaterThan", "2"), conditions: `{ "all": [${leaf("chain.depth", "greaterThan", "5")}] }` },
    { says: "an argument that the deny does not read", deny: IS_X, conditions: `{ "all": [${IS_X}, ${AMOUNT}] }` },
    {
      says: "the same comparison of two facts",
      deny: leaf("chain.depth", "lessThan", `{ "fact": "action.target_count" }`),
      conditions: `{ "all": [${leaf("chain.depth", "lessThan", `{ "fact": "action.target_count" }`)}, ${UNLISTED}] }`,
    },
  ])("$says", ({ deny, conditions }) => {
    const denying = deny.startsWith(`{ "all"`) ? deny : `{ "all": [${deny}] }`;
    for (const [event, params] of [
      ["require-approval", ""],
      ["risk", `"points": 90, `],
      ["deny", ""],
    ] as const) {
      const text = file(rule(`"a-rule"`, denying), rule(`▶"b-rule"`, conditions, event, params));
      const found = said(text).filter((line) => line.startsWith("shadowed"));
      expect(found).toEqual(
        denying === conditions && event === "deny" ? [] : [`shadowed-by-deny ${placeOfMark(text)} ${shadowed("a-rule", "2:11")}`],
      );
    }
  });

  it.each([
    { says: "the deny demands more", deny: `{ "all": [${IS_X}, ${UNLISTED}] }`, conditions: `{ "all": [${IS_X}] }` },
    { says: "the deny reads an argument that may be small", deny: `{ "all": [${IS_X}, ${AMOUNT}] }`, conditions: `{ "all": [${IS_X}] }` },
    {
      says: "they only overlap",
      deny: `{ "all": [${leaf("action.tool", "in", `["x", "y"]`)}] }`,
      conditions: `{ "all": [${leaf("action.tool", "in", `["x", "z"]`)}] }`,
    },
  ])("but not where $says", ({ deny, conditions }) => {
    expect(said(file(rule(`"a-rule"`, deny), rule(`"b-rule"`, conditions, "require-approval")))).toEqual([]);
  });

  it("of two denials that stand together, only the later one is told", () => {
    const text = file(rule(`"a-rule"`, `{ "all": [${IS_X}] }`), rule(`"b-rule"`, `{ "not": ${leaf("action.tool", "notEqual", `"x"`)} }`));
    expect(said(text)).toEqual([`shadowed-by-deny 5:11 ${shadowed("a-rule", "2:11")}`]);
  });
});

describe("two rules that say the same are found:", () => {
  it("whatever the order of conditions and of words", () => {
    const text = file(
      rule(`"a-rule"`, `{ "all": [${UNLISTED}, ${leaf("action.tool", "in", `["x", "y"]`)}] }`, "risk", `"points": 90, `),
      rule(`▶"b-rule"`, `{ "all": [${leaf("action.tool", "in", `["y", "x"]`)}, ${UNLISTED}] }`, "risk", `"points": 5, `),
    );
    expect(said(text)).toEqual([
      `duplicate-rule ${placeOfMark(text)} rule \`b-rule\` has the same conditions and the same event as \`a-rule\`, at rules/test.rules.json:2:11`,
    ]);
  });

  it("but not two holds that ask different people", () => {
    const asks = (name: string, who: string): string => rule(`"${name}"`, `{ "all": [${IS_X}] }`, "require-approval", `"approvers": ["${who}"], `);
    expect(said(file(asks("a-rule", "user:ann"), asks("b-rule", "user:bo")))).toEqual([]);
  });
});

describe("a band that no combination reaches is found:", () => {
  const points = (name: string, tool: string, count: number): string =>
    rule(`"${name}"`, `{ "all": [${leaf("action.tool", "equal", `"${tool}"`)}] }`, "risk", `"points": ${count}, `);

  it.each([
    {
      says: "rules of two tools never add up",
      rules: [points("a-rule", "x", 50), points("b-rule", "y", 60)],
      message: "the top band, from 80, cannot be reached: where no `deny` stands, the points of all rules come to at most 60",
    },
    {
      says: "nor do both bands",
      rules: [points("a-rule", "x", 30)],
      message:
        "neither the middle band, from 40, nor the top one, from 80, can be reached: where no `deny` stands, the points of all rules come to at most 30",
    },
    {
      says: "the points of a `deny` do not count",
      rules: [points("a-rule", "x", 50), rule(`"b-rule"`, `{ "all": [${UNLISTED}] }`, "deny", `"points": 90, `)],
      message: "the top band, from 80, cannot be reached: where no `deny` stands, the points of all rules come to at most 50",
    },
  ])("$says", ({ rules, message }) => {
    const { complaints } = lintPolicy(compilePolicy({ ...filesOf({}), "test.rules.json": file(...rules) }));
    expect(complaints.map(({ id, file: where, message: text }) => [id, where, text])).toEqual([["unreachable-band", "rules/policy.json", message]]);
  });

  it("but not where rules of one tool add up, or where nothing has points", () => {
    expect(said(file(points("a-rule", "x", 50), rule(`"b-rule"`, `{ "all": [${UNLISTED}] }`, "risk", `"points": 30, `)))).toEqual([]);
    expect(said(file(rule(`"a-rule"`, `{ "all": [${IS_X}] }`)))).toEqual([]);
  });
});

describe("a control that does not exist is found:", () => {
  const tagged = (control: string): string => one(`{ "all": [${IS_X}] }`).replace(`"owasp:ASI02"`, `"owasp:ASI02", ▶"${control}"`);

  it.each([
    { control: "owasp:ASI11", message: "`owasp` has no control `ASI11`; did you mean `owasp:ASI01`?" },
    { control: "owasp:LLM00", message: "`owasp` has no control `LLM00`; did you mean `owasp:LLM01`?" },
    { control: "maestro:L8", message: "`maestro` has no control `L8`; did you mean `maestro:L1`?" },
    { control: "nist:GOVERN-1.8", message: "`nist` has no control `GOVERN-1.8`; did you mean `nist:GOVERN-1.1`?" },
    { control: "nist:MANAGE-4.4", message: "`nist` has no control `MANAGE-4.4`; did you mean `nist:MANAGE-1.4`?" },
    {
      control: "owsap:ASI02",
      message: "the framework `owsap` of `owsap:ASI02` is not known; declare it under `controls` of policy.json; did you mean `owasp:ASI02`?",
    },
    {
      control: "acme:access-control-7",
      message: "the framework `acme` of `acme:access-control-7` is not known; declare it under `controls` of policy.json",
    },
  ])("$control", ({ control, message }) => {
    const text = tagged(control);
    expect(said(text)).toEqual([`unknown-control ${placeOfMark(text)} ${message}`]);
  });

  it.each(["owasp:ASI10", "owasp:LLM10", "maestro:L7", "nist:GOVERN-1.7", "nist:MAP-3.5", "nist:MEASURE-2.13", "nist:MANAGE-2.4"])(
    "but not %s",
    (control) => {
      expect(said(tagged(control))).toEqual([]);
    },
  );

  it("but not one of a framework that policy.json declares", () => {
    expect(said(tagged("acme:7"), { controls: ["acme"] })).toEqual([]);
    expect(said(tagged("owasp:ASI99"), { controls: ["owasp"] })).toHaveLength(1);
  });
});

describe("a fact that is often absent is found:", () => {
  const message =
    "rule `a-rule` stands for every request without `action.arguments.amount`: with it absent this is unknown, which never helps the caller; guard it by the tool that has it, or by `present`";

  it.each([
    { says: "alone", conditions: `{ "all": [▶${AMOUNT}] }` },
    { says: "beside another", conditions: `{ "all": [▶${AMOUNT}, ${leaf("context.attributes.ticket", "equal", "7")}] }` },
    { says: "as one of several ways", conditions: `{ "any": [${IS_X}, ▶${AMOUNT}] }` },
    { says: "under `not`", conditions: `{ "not": ▶${AMOUNT} }` },
  ])("$says", ({ conditions }) => {
    for (const [event, params] of [
      ["deny", ""],
      ["risk", `"points": 90, `],
      ["require-approval", ""],
    ] as const) {
      const text = one(conditions, event, params);
      expect(said(text)).toEqual([`often-absent ${placeOfMark(text)} ${message}`]);
    }
  });

  it.each([
    { says: "guarded by its tool", conditions: `{ "all": [${IS_X}, ${AMOUNT}] }` },
    { says: "guarded by `present`", conditions: `{ "all": [${leaf("action.arguments.amount", "present", "true")}, ${AMOUNT}] }` },
    { says: "meant to be there", conditions: `{ "any": [${leaf("action.arguments.amount", "present", "false")}, ${AMOUNT}] }` },
  ])("but not where it is $says", ({ conditions }) => {
    expect(said(one(conditions))).toEqual([]);
  });

  const HOUR = leaf("context.attributes.hour", "greaterThan", "18");
  const hourMessage =
    "where the rest holds, rule `a-rule` stands without `context.attributes.hour` too: with it absent this is unknown, which never helps the caller, and no tool brings attributes along; guard it by `present`";

  it.each([
    { says: "its tool", conditions: `{ "all": [${IS_X}, ▶${HOUR}] }` },
    { says: "an argument", conditions: `{ "all": [${leaf("action.arguments.amount", "present", "true")}, ▶${HOUR}] }` },
    { says: "an attribute of something else", conditions: `{ "all": [${leaf("agent.attributes.team", "present", "true")}, ▶${HOUR}] }` },
    {
      says: "`present` of another way to match",
      conditions: `{ "any": [{ "all": [${leaf("context.attributes.day", "present", "true")}, ${leaf("context.attributes.day", "equal", "6")}] }, { "all": [${IS_X}, ▶${HOUR}] }] }`,
    },
    {
      says: "its tool, under decorators",
      conditions: `{ "all": [${IS_X}, ▶${leaf("context.attributes.hour", "not:greaterThan", "18")}] }`,
    },
  ])("an attribute that is guarded only by $says", ({ conditions }) => {
    const text = one(conditions);
    expect(said(text)).toEqual([`often-absent ${placeOfMark(text)} ${hourMessage}`]);
  });

  it.each([
    { says: "by `present`", conditions: `{ "all": [${IS_X}, ${leaf("context.attributes.hour", "present", "true")}, ${HOUR}] }` },
    { says: "by an attribute said along with it", conditions: `{ "all": [${IS_X}, ${leaf("context.attributes.day", "present", "true")}, ${HOUR}] }` },
    {
      says: "by saying that nobody saying it counts",
      conditions: `{ "all": [${IS_X}, { "any": [${leaf("context.attributes.hour", "present", "false")}, ${HOUR}] }] }`,
    },
  ])("but not one that is guarded $says", ({ conditions }) => {
    expect(said(one(conditions))).toEqual([]);
  });

  it("nor in a rule that helps: unknown grants nothing", () => {
    expect(said(one(`{ "all": [${AMOUNT}] }`, "allow"))).toEqual([]);
  });
});

describe("a name that the catalog nearly has is found:", () => {
  const tool = (categories: readonly string[] = []) => ({
    effect: "read",
    reversibility: "reversible",
    categories,
    output: { trust: "trusted" },
    owner: "team:it",
  });
  const CATALOG = JSON.stringify({
    tools: { "git/push": tool(["code"]), "git/pull": tool() },
    resources: [{ match: "file:/hr/**", categories: ["personal"] }],
  });
  const saidOf = (files: Readonly<Record<string, string>>): readonly string[] => {
    const unmarked = Object.fromEntries(Object.entries(files).map(([name, text]) => [name, text.replace(MARK, "")]));
    const { complaints } = lintPolicy(compilePolicy({ ...filesOf({}), "catalog/test.json": CATALOG, ...unmarked }));
    return complaints.map(({ id, file: where, at, message }) => `${where.slice("rules/".length)} ${id} ${at?.line}:${at?.column} ${message}`);
  };
  const asking = (fact: string, operator: string, value: string): string => one(`{ "all": [${leaf(fact, operator, value)}] }`, "require-approval");
  const reach = (tools: string): string =>
    `{ "agents": { "a": { "owner": "team:it", "review_by": "2026-12-31", "trust": "low", "reach": { "tools": [${tools}] } } } }`;

  it.each([
    {
      says: "a tool",
      name: "test.rules.json",
      text: asking("action.tool", "equal", `▶"git/psuh"`),
      message: "unknown-tool the catalog has no tool `git/psuh`; did you mean `git/push`?",
    },
    {
      says: "a tool in a list",
      name: "test.rules.json",
      text: asking("action.tool", "in", `["git/pull", ▶"git/psh"]`),
      message: "unknown-tool the catalog has no tool `git/psh`; did you mean `git/push`?",
    },
    {
      says: "a tool of a reach",
      name: "agents.json",
      text: reach(`▶"git/psuh"`),
      message: "unknown-tool the catalog has no tool `git/psuh`; did you mean `git/push`?",
    },
    {
      says: "a glob of a reach",
      name: "agents.json",
      text: reach(`"git/*", ▶"gti/*"`),
      message: "unknown-tool no tool of the catalog matches `gti/*`, so it grants nothing",
    },
    {
      says: "a category of a label",
      name: "test.rules.json",
      text: asking("data.categories", "contains", `▶"persnal"`),
      message: "unknown-category the catalog has no category `persnal`; did you mean `personal`?",
    },
    {
      says: "a category of a tool",
      name: "test.rules.json",
      text: asking("task.seen.categories", "someFact:in", `["cod", ▶"coed"]`).replace(`"cod", `, ""),
      message: "unknown-category the catalog has no category `coed`; did you mean `code`?",
    },
  ])("$says", ({ name, text, message }) => {
    const [id = "", ...rest] = message.split(" ");
    expect(saidOf({ [name]: text })).toEqual([`${name} ${id} ${placeOfMark(text)} ${rest.join(" ")}`]);
  });

  it.each([
    { says: "one that is listed", name: "test.rules.json", text: asking("action.tool", "equal", `"git/push"`) },
    { says: "one that is like none", name: "test.rules.json", text: asking("action.tool", "equal", `"rm/everything"`) },
    { says: "a category that is like none", name: "test.rules.json", text: asking("data.categories", "contains", `"health"`) },
    {
      says: "a glob of a reach that is meant for tools which nobody has described",
      name: "agents.json",
      text: reach(`"gti/*"`).replace(`"tools"`, `"effects": ["unknown"], "tools"`),
    },
    { says: "every tool", name: "agents.json", text: reach(`"*", "**"`) },
    { says: "a reach without tools", name: "agents.json", text: reach("").replace(`"tools": []`, "") },
  ])("but not $says", ({ name, text }) => {
    expect(saidOf({ [name]: text })).toEqual([]);
  });

  it("nor anything without a catalog, and a named condition once", () => {
    expect(saidOf({ "catalog/test.json": `{ "tools": {} }`, "agents.json": reach(`"gti/*"`) })).toEqual([]);
    const named = `{ "conditions": { "c": ${leaf("action.tool", "equal", `"git/psuh"`)} },\n"rules": [${["a", "b"].map((name) => rule(`"${name}"`, `{ "any": [{ "condition": "c" }, ${leaf("chain.depth", "greaterThan", name === "a" ? "3" : "4")}] }`, "require-approval")).join(", ")}] }`;
    expect(saidOf({ "test.rules.json": named })).toHaveLength(1);
  });
});

describe("a fact in two parts is found", () => {
  it("in conditions, in values and in named conditions", () => {
    const split = (mark: string): string => `{ "fact": ${mark}"action", "path": "$.arguments.to[0]", "operator": "equal", "value": "a" }`;
    const text = one(`{ "all": [${IS_X}, ${split(MARK)}] }`);
    expect(said(text)).toEqual([`path-spelling ${placeOfMark(text)} \`fact\` and \`path\` are one name: write \`action.arguments.to[0]\``]);
    const named = `{ "conditions": { "c": ${split("")}, "path": ${IS_X}, "fact": ${IS_X} },\n"rules": [${rule(`"a-rule"`, `{ "all": [${IS_X}, { "condition": "c" }, { "condition": "path" }, { "condition": "fact" }] }`)}] }`;
    expect(said(named)).toHaveLength(1);
    const compared = one(
      `{ "all": [{ "fact": "action.target_count", "operator": "greaterThan", "value": { "fact": ${MARK}"chain", "path": "$.depth" } }] }`,
    );
    expect(said(compared)).toContain(`path-spelling ${placeOfMark(compared)} \`fact\` and \`path\` are one name: write \`chain.depth\``);
  });
});

describe("cases", () => {
  const { complaints } = lintPolicy(
    load({ rules: JSON.parse(file(rule(`"a-rule"`, `{ "all": [${IS_X}] }`), rule(`"b-rule"`, `{ "all": [${IS_Y}] }`))).rules }),
    {
      standing: new Set(["a-rule"]),
    },
  );

  it("that make no rule stand leave it without one", () => {
    expect(complaints.map(formatComplaint)).toEqual([
      expect.stringMatching(/^rules\/test\.rules\.json:1:\d+: warning: no case makes rule `b-rule` stand\n/),
    ]);
  });
});

describe("of the registry", () => {
  const NOON = Date.UTC(2026, 0, 5, 12);
  /** `id line:column message` of all that is said of a registry of one agent on one tool, at noon of 2026-01-05. */
  function saidOf({ agent, tool = `"owner": "team:it"` }: { readonly agent: string; readonly tool?: string }): readonly string[] {
    const agents = `{ "agents": {\n  "bot": { "trust": "low", "reach": {}${agent === "" ? "" : `, ${agent}`} } } }`;
    const catalog = `{ "tools": {\n  "crm/read": { ${tool === "" ? "" : `${tool}, `}"effect": "read", "reversibility": "reversible", "output": { "trust": "trusted" } } } }`;
    const loaded = compilePolicy({ ...filesOf({}), "agents.json": agents, "catalog/test.json": catalog });
    return lintPolicy(loaded, { at: instant(NOON) }).complaints.map(
      ({ id, file, at, message }) => `${id} ${file}:${at?.line}:${at?.column} ${message}`,
    );
  }
  const OWNED = `"owner": "team:support"`;
  const DUE = `"review_by": "2026-01-05"`;

  it.each([
    {
      says: "an agent without owner",
      agent: DUE,
      found: [
        "missing-owner rules/agents.json:2:3 nobody answers for the agent `bot`: name its `owner`, or set its `status` to `paused` until it has one",
      ],
    },
    {
      says: "an agent whose owner is `none`",
      agent: `"owner": "none", ${DUE}`,
      found: [
        "missing-owner rules/agents.json:2:3 nobody answers for the agent `bot`: name its `owner`, or set its `status` to `paused` until it has one",
      ],
    },
    {
      says: "an agent that nobody looks at again",
      agent: OWNED,
      found: ["missing-review rules/agents.json:2:3 nobody has said when the agent `bot` is looked at again: give it a `review_by`"],
    },
    {
      says: "an agent whose review is overdue, at its day",
      agent: `${OWNED}, "review_by": "2026-01-04"`,
      found: [
        "overdue-review rules/agents.json:2:79 the review of the agent `bot` was due by `2026-01-04`: look whether its entry is still right, and set the next day",
      ],
    },
    {
      says: "a tool without owner",
      agent: `${OWNED}, ${DUE}`,
      tool: "",
      found: ["missing-owner rules/catalog/test.json:2:3 nobody answers for the tool `crm/read`: name its `owner`"],
    },
    {
      says: "a tool whose owner is `none`",
      agent: `${OWNED}, ${DUE}`,
      tool: `"owner": "none"`,
      found: ["missing-owner rules/catalog/test.json:2:3 nobody answers for the tool `crm/read`: name its `owner`"],
    },
    { says: "nothing of an agent whose day is not over", agent: `${OWNED}, ${DUE}`, found: [] },
    { says: "nothing of one that is paused", agent: `"status": "paused"`, found: [] },
    { says: "nothing of one that is retired", agent: `"status": "retired", "review_by": "2020-01-01"`, found: [] },
  ])("lint says: $says", ({ found, ...stated }) => {
    expect(saidOf(stated)).toEqual(found);
  });

  it("lint takes no review for overdue where nobody says what day it is", () => {
    const agents = { bot: { trust: "low", reach: {}, owner: "team:support", review_by: "1970-01-01" } };
    expect(lintPolicy(load({ agents })).complaints).toEqual([]);
  });

  it.each([
    { says: "none", pinned: [false, false], notes: ["2 of 2 tools have"] },
    { says: "some", pinned: [true, false], notes: ["1 of 2 tools have"] },
    { says: "all", pinned: [true, true], notes: [] },
    { says: "no tools at all", pinned: [], notes: [] },
  ])("one note counts the tools without pinned definition: $says", ({ pinned, notes }) => {
    const tool = { effect: "read", reversibility: "reversible", output: { trust: "trusted" }, owner: "team:it" };
    const digest = `sha256:${"0".repeat(64)}`;
    const tools = Object.fromEntries(pinned.map((is, at) => [`t${at}`, { ...tool, ...(is && { definition_digest: digest }) }]));
    const report = lintPolicy(load({ tools }));
    expect(report.complaints).toEqual([]);
    expect(report.notes).toEqual(
      notes.map((count) => `${count} no pinned definition, so nobody notices when one changes; \`behest catalog pin\` pins them`),
    );
  });
});

describe("a hold that asks for more people than there are is found:", () => {
  const GROUPS = { approvers: ["user:local"], pair: ["user:ann", "user:bob"], twice: ["user:ann", "user:ann"], nobody: [] };
  const asking = (params: string): string => one(`{ "all": [${IS_X}] }`, "require-approval", params);
  const end = ": what would ask is denied with NO_APPROVER; add members to `groups` of policy.json, or ask for fewer";

  it.each([
    { says: "a group of two", params: `"approvers": ["group:pair"], "quorum": ▶3, `, people: "3 people, and `group:pair` has 2" },
    { says: "one person twice", params: `"approvers": ["group:twice"], "quorum": ▶2, `, people: "2 people, and `group:twice` has 1" },
    { says: "a group of nobody", params: `"approvers": ["group:nobody"], "quorum": ▶1, `, people: "1 person, and `group:nobody` has none" },
    {
      says: "several approvers",
      params: `"approvers": ["principal", "user:ann", "group:pair"], "quorum": ▶4, `,
      people: "4 people, and `principal`, `user:ann`, `group:pair` has 3",
    },
    { says: "the approvers of policy.json", params: `"quorum": ▶2, `, people: "2 people, and `group:approvers` has 1" },
  ])("$says", ({ params, people }) => {
    const text = asking(params);
    expect(said(text, { groups: GROUPS })).toEqual([`unreachable-quorum ${placeOfMark(text)} rule \`a-rule\` asks for ${people}${end}`]);
  });

  it("the quorum of policy.json, told of the rule that names the approvers, and of policy.json itself", () => {
    const text = one(`{ "all": [${IS_X}] }`, "require-approval", `"approvers": ["user:ann"], `).replace(`"a-rule"`, `${MARK}"a-rule"`);
    expect(said(text, { groups: GROUPS, approvers: { default: ["group:approvers"], quorum: 2 } })).toEqual([
      expect.stringMatching(/^unreachable-quorum 1:\d+ every hold that does not say otherwise asks for 2 people, and `group:approvers` has 1: /),
      `unreachable-quorum ${placeOfMark(text)} rule \`a-rule\` asks for 2 people, and \`user:ann\` has 1${end}`,
    ]);
  });

  it.each([
    { says: "just as many", params: `"approvers": ["group:pair"], "quorum": 2, ` },
    { says: "a group and who is not in it", params: `"approvers": ["group:pair", "issuer"], "quorum": 3, ` },
    { says: "nothing beside policy.json", params: "" },
  ])("but not $says", ({ params }) => {
    expect(said(asking(params), { groups: GROUPS })).toEqual([]);
  });
});

describe("a hold that needs the person behind the task", () => {
  const PERSONS = leaf("principal.type", "equal", `"user"`);
  const asking = (conditions: string, params: string): string => one(`{ "all": [${IS_X}${conditions}] }`, "require-approval", params);
  const told = (text: string, settings: object = {}): readonly string[] =>
    said(text, settings).filter((line) => line.startsWith("principal-may-be-nobody "));
  const ALONE = `"approvers": ▶["principal"], `;
  const message = (who: string): string =>
    `${who} cannot be answered without \`principal\`, and where no person stands behind the task that is nobody: it is DENY with NO_APPROVER; name further approvers`;

  it.each([
    { says: "that asks nobody else", conditions: "", params: ALONE },
    { says: "that asks one more, and needs two", conditions: "", params: `"approvers": ▶["principal", "user:ann"], "quorum": 2, ` },
    { says: "of a task that somebody opened, if only for a service", conditions: `, ${leaf("task.registered", "equal", "true")}`, params: ALONE },
    { says: "of words that are out of date, if only a service's", conditions: `, ${leaf("task.statement_expired", "equal", "true")}`, params: ALONE },
    { says: "of everybody but one", conditions: `, { "not": ${leaf("principal.id", "equal", `"ann"`)} }`, params: ALONE },
    {
      says: "of an attribute, which may be absent",
      conditions: `, { "any": [${leaf("principal.attributes.team", "equal", `"a"`)}, ${leaf("principal.attributes.team", "present", "false")}] }`,
      params: ALONE,
    },
  ])("is told, $says", ({ conditions, params }) => {
    const text = asking(conditions, params);
    expect(told(text)).toEqual([`principal-may-be-nobody ${placeOfMark(text)} ${message("rule `a-rule`")}`]);
  });

  it.each([
    { says: "one with somebody else to answer", conditions: "", params: `"approvers": ["principal", "group:approvers"], ` },
    { says: "one of a person's task", conditions: `, ${PERSONS}`, params: ALONE },
    { says: "one that a person is near", conditions: `, ${leaf("chain.person_distance", "in", `["1", "2"]`)}`, params: ALONE },
    { says: "one of which that cannot be told", conditions: `, ${leaf("principal.type", "equal", `{ "fact": "session" }`)}`, params: ALONE },
    { says: "one that asks no person", conditions: "", params: `"approvers": ["issuer"], ` },
    { says: "one that nobody could answer anyway", conditions: "", params: `"approvers": ["principal"], "quorum": 2, ` },
  ])("is not told: $says", ({ conditions, params }) => {
    expect(told(asking(conditions, params))).toEqual([]);
  });

  it("is told of policy.json, where its approvers come to no more", () => {
    expect(told(asking("", ""), { approvers: { default: ["principal"], quorum: 1 } })).toEqual([
      expect.stringMatching(/^principal-may-be-nobody 1:\d+ a hold that names nobody cannot be answered/),
    ]);
  });
});

it("a hold is left alone where policy.json lists no groups at all, which is told by itself", () => {
  const text = one(`{ "all": [${IS_X}] }`, "require-approval", `"approvers": ["group:constructor"], "quorum": 9, `);
  expect(said(text, { groups: {} })).toEqual([expect.stringMatching(/^no-groups /)]);
});

describe("what is too much to try", () => {
  it("is left alone, and said to be", () => {
    const parts = Array.from({ length: 12 }, (_, at) => leaf(`action.arguments.a${at}`, "greaterThan", "1"));
    const { complaints, notes } = lintPolicy(compilePolicy({ ...filesOf({}), "test.rules.json": one(`{ "all": [${IS_X}, ${parts.join(", ")}] }`) }));
    expect(complaints).toEqual([]);
    expect(notes).toEqual([
      "whether 1 rule can fire is not known: at most 16384 combinations of facts are tried for one rule, and so many for all that it takes seconds",
    ]);
  });
});
