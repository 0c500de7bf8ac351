import { globSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { schemaText } from "../../src/cli/schema-files.ts";
import { readRequestJson } from "../../src/client/request-json.ts";
import { STARTER_RULES } from "../../src/config.ts";
import { readCases } from "../../src/policy/cases.ts";
import { type Complaint, PolicyInvalid } from "../../src/policy/complaints.ts";
import { readDocument } from "../../src/policy/document.ts";
import { compilePolicy } from "../../src/policy/load.ts";
import { SCHEMA_NAMES } from "../../src/policy/schemas.ts";
import { questions, questionsOfEntries } from "../core/random-policies.ts";
import { randomRuns } from "../core/random-rules.ts";
import { filesOf, starterSettings } from "../policies.ts";
import { schemaComplaints, schemaOf } from "./schema-validator.ts";

/** What the loader says against a file, by the ids of its complaints. */
function loaderComplaints(file: string, text: string): readonly string[] {
  if (schemaOf(file) === "cases") {
    const complaints: Complaint[] = [];
    const document = readDocument(file, text, complaints);
    for (const { request } of document ? readCases([document]) : []) readRequestJson(request);
    return complaints.map(({ id }) => id);
  }
  try {
    compilePolicy({ ...filesOf({}), [file]: text });
    return [];
  } catch (error) {
    if (error instanceof PolicyInvalid) return error.complaints.map(({ id }) => id);
    throw error;
  }
}

const always = `{ "all": [{ "fact": "agent.id", "operator": "equal", "value": "x" }] }`;
const deny = `{ "type": "deny", "params": { "reason": "r", "controls": ["owasp:ASI02"] } }`;
const rules = (conditions: string, event = deny): string => `{ "rules": [{ "name": "a-rule", "conditions": ${conditions}, "event": ${event} }] }`;
const leaf = (fact: string, operator: string, value: string): string =>
  rules(`{ "all": [{ "fact": "${fact}", "operator": "${operator}", "value": ${value} }] }`);
const event = (type: string, more = ""): string => rules(always, `{ "type": "${type}", "params": { "reason": "r", "controls": []${more} } }`);
const obligation = (stated: string): string => event("oblige", `, "obligation": ${stated}`);
const settings = (changes: object): string => JSON.stringify({ ...starterSettings(), ...changes });
const tool = (more: string): string => `{ "tools": { "t": { "reversibility": "reversible", "output": { "trust": "trusted" }${more} } } }`;
const agent = (stated: string): string => `{ "agents": { "a": ${stated} } }`;
const one = (more: string): string => `{ "cases": [{ "name": "c", "request": {}, "expect": { "outcome": "DENY" }${more} }] }`;

describe("every file of the starter policy", () => {
  it.each(globSync(["*.json", "catalog/*.json"], { cwd: STARTER_RULES }).sort())("is what its schema says: %s", (file) => {
    const value: Readonly<Record<string, unknown>> = JSON.parse(readFileSync(`${STARTER_RULES}/${file}`, "utf8"));
    expect(schemaComplaints(schemaOf(file), value)).toEqual([]);
    const place = file.startsWith("catalog") ? "../schema/" : "./schema/";
    expect(Object.entries(value)[0]).toEqual(["$schema", `${place}${schemaOf(file)}.schema.json`]);
  });
});

describe("what the loader accepts, a schema accepts:", () => {
  it.each([
    { what: "a path into an open map", file: "x.rules.json", text: leaf("action.arguments.to[0]", "equal", `"a"`) },
    {
      what: "a path of its own",
      file: "x.rules.json",
      text: rules(`{ "all": [{ "fact": "action.arguments", "path": "$.n", "operator": "lessThan", "value": 3 }] }`),
    },
    {
      what: "a name that is told apart",
      file: "x.rules.json",
      text: rules(`{ "not": { "fact": "task", "path": "$.seen.trust", "operator": "equal", "value": "trusted" } }`),
    },
    { what: "decorators", file: "x.rules.json", text: leaf("data.categories", "everyFact:not:in", `["personal"]`) },
    { what: "many decorators", file: "x.rules.json", text: leaf("agent.id", "not:not:not:equal", `"a"`) },
    { what: "exchanged sides", file: "x.rules.json", text: leaf("agent.id", "swap:contains", `["a"]`) },
    { what: "another fact", file: "x.rules.json", text: leaf("action.target_count", "lessThan", `{ "fact": "action.destination_count" }`) },
    {
      what: "what is in an open map as a value",
      file: "x.rules.json",
      text: leaf("agent.id", "equal", `{ "fact": "resource.attributes", "path": "$.owner" }`),
    },
    { what: "a list of several kinds", file: "x.rules.json", text: leaf("action.effect", "in", `["send", 1, null]`) },
    {
      what: "names and priorities",
      file: "x.rules.json",
      text: rules(`{ "all": [{ "fact": "agent.id", "operator": "equal", "value": "x", "name": "n", "priority": 1 }], "priority": 2 }`),
    },
    { what: "conditions alone", file: "x.rules.json", text: `{ "conditions": {} }` },
    { what: "each obligation", file: "x.rules.json", text: obligation(`{ "type": "redact", "paths": ["$.rows[*].ssn"] }`) },
    { what: "an empty file of cases", file: "x.cases.json", text: "{}" },
    {
      what: "a fixture's request",
      file: "x.cases.json",
      text: `{ "fixtures": { "f": { "request": { "action": { "effect": "EFFECT_SEND" } } } }, "cases": [{ "name": "c", "use": ["f"], "expect": { "outcome": "DENY", "score": { "min": 1, "max": 2 } } }] }`,
    },
    {
      what: "camel case of a request",
      file: "x.cases.json",
      text: `{ "cases": [{ "name": "c", "request": { "requestId": "r" }, "expect": { "outcome": "DENY", "score": 3 } }] }`,
    },
    {
      what: "an agent that is paused",
      file: "agents.json",
      text: agent(`{ "trust": "low", "reach": {}, "status": "paused", "review_by": "2028-02-29" }`),
    },
    { what: "an agent of no reach", file: "agents.json", text: agent(`{ "trust": "low", "reach": {} }`) },
    {
      what: "a row of a basis",
      file: "policy.json",
      text: settings({ basis: { AUTHORIZED: {}, INFERRED: { "*": "ask" }, AVAILABLE: { unknown: "deny" } } }),
    },
  ])("$what", ({ file, text }) => {
    expect(loaderComplaints(file, text)).toEqual([]);
    expect(schemaComplaints(schemaOf(file), JSON.parse(text))).toEqual([]);
  });

  it.each([
    { what: "random policies", of: questions, runs: 150 },
    { what: "random policies that read open maps", of: questionsOfEntries, runs: 50 },
  ])("$what", ({ of, runs }) => {
    const holds = fc.property(of, ({ policy }) => {
      for (const [file, text] of Object.entries(filesOf(policy))) expect(schemaComplaints(schemaOf(file), JSON.parse(text)), file).toEqual([]);
    });
    fc.assert(holds, randomRuns(runs));
  });
});

/** What authors get wrong: each is refused twice, by the loader and by the schema. */
const MISTAKES: readonly { readonly when: string; readonly file: string; readonly text: string }[] = [
  { when: "a fact does not exist", file: "x.rules.json", text: leaf("agnet.id", "equal", `"x"`) },
  { when: "a fact has no such part", file: "x.rules.json", text: leaf("agent.id.length", "equal", "1") },
  {
    when: "a path leads nowhere",
    file: "x.rules.json",
    text: rules(`{ "all": [{ "fact": "task", "path": "$.sen.trust", "operator": "equal", "value": "trusted" }] }`),
  },
  {
    when: "a path has a filter",
    file: "x.rules.json",
    text: rules(`{ "all": [{ "fact": "action.arguments", "path": "$.a[?(@.b)]", "operator": "equal", "value": 1 }] }`),
  },
  {
    when: "a path lacks its root",
    file: "x.rules.json",
    text: rules(`{ "all": [{ "fact": "action.arguments", "path": ".a", "operator": "equal", "value": 1 }] }`),
  },
  { when: "an operator does not exist", file: "x.rules.json", text: leaf("agent.id", "equals", `"x"`) },
  { when: "a decorator does not exist", file: "x.rules.json", text: leaf("agent.id", "each:equal", `"x"`) },
  { when: "`present` is decorated", file: "x.rules.json", text: leaf("action.arguments.a", "not:present", "true") },
  { when: "`present` has text", file: "x.rules.json", text: leaf("action.arguments.a", "present", `"yes"`) },
  { when: "an operator is of another type", file: "x.rules.json", text: leaf("agent.id", "greaterThan", "3") },
  { when: "`contains` has no list", file: "x.rules.json", text: leaf("action.effect", "contains", `"send"`) },
  { when: "`someFact` has no list", file: "x.rules.json", text: leaf("agent.id", "someFact:equal", `"x"`) },
  { when: "`in` has a string", file: "x.rules.json", text: leaf("action.effect", "in", `"send"`) },
  { when: "`in` has an empty list", file: "x.rules.json", text: leaf("action.effect", "in", "[]") },
  { when: "`in` has only other kinds", file: "x.rules.json", text: leaf("action.effect", "in", "[1, true]") },
  { when: "`equal` has a list", file: "x.rules.json", text: leaf("action.effect", "equal", `["send"]`) },
  { when: "a word is none of the fact's", file: "x.rules.json", text: leaf("action.effect", "equal", `"sned"`) },
  { when: "a word of a list is none of the fact's", file: "x.rules.json", text: leaf("agent.trust", "in", `["low", "lowest"]`) },
  { when: "a number is text", file: "x.rules.json", text: leaf("chain.depth", "greaterThan", `"3"`) },
  { when: "true is text", file: "x.rules.json", text: leaf("tool.listed", "equal", `"true"`) },
  { when: "a value is an object", file: "x.rules.json", text: leaf("action.arguments.a", "equal", `{ "a": 1 }`) },
  { when: "another fact does not exist", file: "x.rules.json", text: leaf("agent.id", "equal", `{ "fact": "agnet.id" }`) },
  { when: "another fact is of another type", file: "x.rules.json", text: leaf("agent.id", "equal", `{ "fact": "chain.depth" }`) },
  { when: "another fact has parameters", file: "x.rules.json", text: leaf("agent.id", "equal", `{ "fact": "agent.id", "params": {} }`) },
  { when: "`any` is empty", file: "x.rules.json", text: rules(`{ "any": [] }`) },
  { when: "`all` is no list", file: "x.rules.json", text: rules(`{ "all": ${always} }`) },
  { when: "`not` is a list", file: "x.rules.json", text: rules(`{ "not": [${always}] }`) },
  { when: "`all` and `any` stand in one", file: "x.rules.json", text: rules(`{ "all": [${always}], "any": [${always}] }`) },
  {
    when: "a comparison stands beside `all`",
    file: "x.rules.json",
    text: rules(`{ "not": { "all": [${always}], "fact": "agent.id", "operator": "equal", "value": "x" } }`),
  },
  { when: "conditions are a comparison", file: "x.rules.json", text: rules(`{ "fact": "agent.id", "operator": "equal", "value": "x" }`) },
  { when: "conditions are empty", file: "x.rules.json", text: rules("{}") },
  { when: "a condition is empty", file: "x.rules.json", text: rules(`{ "all": [{}] }`) },
  { when: "a comparison lacks its value", file: "x.rules.json", text: rules(`{ "all": [{ "fact": "agent.id", "operator": "equal" }] }`) },
  {
    when: "a comparison has an extra key",
    file: "x.rules.json",
    text: rules(`{ "all": [{ "fact": "agent.id", "operator": "equal", "value": "x", "params": {} }] }`),
  },
  { when: "a named condition is no name", file: "x.rules.json", text: rules(`{ "condition": 1 }`) },
  { when: "a rule lacks its conditions", file: "x.rules.json", text: `{ "rules": [{ "name": "a", "event": ${deny} }] }` },
  {
    when: "a rule has an extra key",
    file: "x.rules.json",
    text: `{ "rules": [{ "name": "a", "conditions": ${always}, "event": ${deny}, "enabled": true }] }`,
  },
  { when: "a rule's name is none", file: "x.rules.json", text: `{ "rules": [{ "name": "A Rule", "conditions": ${always}, "event": ${deny} }] }` },
  {
    when: "a rule's name is long",
    file: "x.rules.json",
    text: `{ "rules": [{ "name": "${"a".repeat(129)}", "conditions": ${always}, "event": ${deny} }] }`,
  },
  { when: "rules are no list", file: "x.rules.json", text: `{ "rules": {} }` },
  { when: "a file has neither rules nor conditions", file: "x.rules.json", text: "{}" },
  { when: "a file has an extra key", file: "x.rules.json", text: `{ "rules": [], "rule": [] }` },
  { when: "a file is a list", file: "x.rules.json", text: "[]" },
  {
    when: "`$schema` stands inside",
    file: "x.rules.json",
    text: `{ "rules": [{ "$schema": "x", "name": "a", "conditions": ${always}, "event": ${deny} }] }`,
  },
  { when: "an event does not exist", file: "x.rules.json", text: event("dney") },
  { when: "a risk has no points", file: "x.rules.json", text: event("risk") },
  { when: "points are a fraction", file: "x.rules.json", text: event("risk", `, "points": 1.5`) },
  { when: "points are too many", file: "x.rules.json", text: event("risk", `, "points": 101`) },
  { when: "a deny lowers the score", file: "x.rules.json", text: event("deny", `, "points": -1`) },
  { when: "an allow has points", file: "x.rules.json", text: event("allow", `, "points": 1`) },
  { when: "a deny has approvers", file: "x.rules.json", text: event("deny", `, "approvers": ["principal"]`) },
  { when: "an approver is none", file: "x.rules.json", text: event("require-approval", `, "approvers": ["alice"]`) },
  { when: "there is no approver", file: "x.rules.json", text: event("require-approval", `, "approvers": []`) },
  { when: "a quorum is none", file: "x.rules.json", text: event("require-approval", `, "quorum": 0`) },
  { when: "a duration has no unit", file: "x.rules.json", text: event("require-approval", `, "lifetime": "60"`) },
  { when: "a duration is nothing", file: "x.rules.json", text: event("require-approval", `, "lifetime": "0s"`) },
  { when: "a duration is a number", file: "x.rules.json", text: event("require-approval", `, "lifetime": 60`) },
  { when: "a reason is missing", file: "x.rules.json", text: rules(always, `{ "type": "deny", "params": { "controls": [] } }`) },
  { when: "a reason is empty", file: "x.rules.json", text: rules(always, `{ "type": "deny", "params": { "reason": "", "controls": [] } }`) },
  { when: "a control is none", file: "x.rules.json", text: rules(always, `{ "type": "deny", "params": { "reason": "r", "controls": ["ASI02"] } }`) },
  { when: "params have an extra key", file: "x.rules.json", text: event("deny", `, "pionts": 3`) },
  { when: "an oblige obliges to nothing", file: "x.rules.json", text: event("oblige") },
  { when: "a deny obliges", file: "x.rules.json", text: event("deny", `, "obligation": { "type": "log", "level": "warn" }`) },
  { when: "an obligation is none", file: "x.rules.json", text: obligation(`{ "type": "watermark" }`) },
  { when: "an obligation lacks its part", file: "x.rules.json", text: obligation(`{ "type": "limit_rows" }`) },
  { when: "an obligation says another's part", file: "x.rules.json", text: obligation(`{ "type": "log", "level": "warn", "rows_max": 5 }`) },
  { when: "a redaction takes nothing out", file: "x.rules.json", text: obligation(`{ "type": "redact", "paths": [] }`) },
  { when: "a redaction's path is none", file: "x.rules.json", text: obligation(`{ "type": "redact", "paths": ["ssn"] }`) },
  {
    when: "an obligation names too many",
    file: "x.rules.json",
    text: obligation(`{ "type": "notify", "recipients": ${JSON.stringify(Array.from({ length: 257 }, (_, at) => `user:u${at}`))} }`),
  },
  { when: "a log level is none", file: "x.rules.json", text: obligation(`{ "type": "log", "level": "loud" }`) },
  { when: "a setting is missing", file: "policy.json", text: settings({ bands: undefined }) },
  { when: "a setting is extra", file: "policy.json", text: settings({ bandz: {} }) },
  { when: "a band is too high", file: "policy.json", text: settings({ bands: { middle: 40, top: 101 } }) },
  {
    when: "a basis answers something else",
    file: "policy.json",
    text: settings({ basis: { AUTHORIZED: {}, INFERRED: {}, AVAILABLE: { read: "maybe" } } }),
  },
  { when: "a basis names no effect", file: "policy.json", text: settings({ basis: { AUTHORIZED: {}, INFERRED: {}, AVAILABLE: { reed: "ask" } } }) },
  { when: "a basis is missing", file: "policy.json", text: settings({ basis: { AUTHORIZED: {}, INFERRED: {} } }) },
  { when: "there is no classification", file: "policy.json", text: settings({ classification: { order: [], default: "a" } }) },
  { when: "a classification stands twice", file: "policy.json", text: settings({ classification: { order: ["a", "a"], default: "a" } }) },
  { when: "nobody approves", file: "policy.json", text: settings({ approvers: { default: [], quorum: 1 } }) },
  {
    when: "a lifetime is no duration",
    file: "policy.json",
    text: settings({ lifetimes: { decision: "soon", self_asserted_idle: "1h", approval: "1h" } }),
  },
  { when: "a scope is left otherwise", file: "policy.json", text: settings({ outside_issued_scope: "allow" }) },
  { when: "a tool has neither effect nor operations", file: "catalog/x.json", text: tool("") },
  { when: "a tool has both", file: "catalog/x.json", text: tool(`, "effect": "read", "operations": {}`) },
  { when: "a tool's effect is none", file: "catalog/x.json", text: tool(`, "effect": "reed"`) },
  {
    when: "a tool's name is none",
    file: "catalog/x.json",
    text: `{ "tools": { "a tool": { "effect": "read", "reversibility": "reversible", "output": { "trust": "trusted" } } } }`,
  },
  { when: "an argument's role is none", file: "catalog/x.json", text: tool(`, "effect": "read", "arguments": { "to": "destinaton" }`) },
  { when: "an object is two words", file: "catalog/x.json", text: tool(`, "effect": "read", "objects": ["direct message"]`) },
  { when: "an object has a capital", file: "catalog/x.json", text: tool(`, "effect": "read", "objects": ["Invoice"]`) },
  {
    when: "a tool has too many objects",
    file: "catalog/x.json",
    text: tool(`, "effect": "read", "objects": ${JSON.stringify(Array(65).fill("bill"))}`),
  },
  {
    when: "nobody can write a field so",
    file: "catalog/x.json",
    text: `{ "tools": { "t": { "effect": "read", "reversibility": "reversible", "output": { "trust": "trusted", "fields": { "body": "outsider" } } } } }`,
  },
  { when: "a digest is none", file: "catalog/x.json", text: tool(`, "effect": "read", "definition_digest": "sha256:0"`) },
  { when: "a label labels nothing", file: "catalog/x.json", text: `{ "resources": [{ "match": "file:*" }] }` },
  { when: "an agent lacks its reach", file: "agents.json", text: agent(`{ "trust": "low" }`) },
  { when: "an agent's trust is none", file: "agents.json", text: agent(`{ "trust": "unregistered", "reach": {} }`) },
  { when: "an agent's effect is none", file: "agents.json", text: agent(`{ "trust": "low", "reach": { "effects": ["reed"] } }`) },
  { when: "an agent's status is none", file: "agents.json", text: agent(`{ "trust": "low", "reach": {}, "status": "unregistered" }`) },
  { when: "a review is due on no day", file: "agents.json", text: agent(`{ "trust": "low", "reach": {}, "review_by": "2026-13-01" }`) },
  { when: "agents are missing", file: "agents.json", text: "{}" },
  { when: "a case expects nothing", file: "x.cases.json", text: `{ "cases": [{ "name": "c", "request": {} }] }` },
  {
    when: "a case expects no outcome there is",
    file: "x.cases.json",
    text: `{ "cases": [{ "name": "c", "request": {}, "expect": { "outcome": "MAYBE" } }] }`,
  },
  { when: "a case asks nothing", file: "x.cases.json", text: `{ "cases": [{ "name": "c", "expect": { "outcome": "DENY" } }] }` },
  { when: "a case has an extra key", file: "x.cases.json", text: one(`, "expects": {}`) },
  { when: "a case is at no instant", file: "x.cases.json", text: one(`, "at": "tomorrow"`) },
  { when: "a case's task stands nowhere", file: "x.cases.json", text: one(`, "task": { "standing": "lost" }`) },
  {
    when: "a case's request is no object",
    file: "x.cases.json",
    text: `{ "cases": [{ "name": "c", "request": [], "expect": { "outcome": "DENY" } }] }`,
  },
];

describe("what authors get wrong is refused by the loader and by the schema:", () => {
  it.each(MISTAKES)("$when", ({ file, text }) => {
    expect(loaderComplaints(file, text)).not.toEqual([]);
    expect(schemaComplaints(schemaOf(file), JSON.parse(text))).not.toEqual([]);
  });

  it.each([
    { when: "a field does not exist", request: { action: { tol: "x" } } },
    { when: "an effect does not exist", request: { action: { effect: "reed" } } },
    { when: "a principal is none", request: { delegation: [{ principal: { type: "robot", id: "r" } }] } },
    { when: "an obligation is none", request: { supported_obligations: ["watermark"] } },
    { when: "arguments are text", request: { action: { arguments: "a" } } },
    { when: "arguments have both forms", request: { action: { arguments: {}, arguments_json: "{}" } } },
    { when: "a number is negative", request: { wait_ms: -1 } },
    { when: "true is text", request: { action: { arguments_truncated: "yes" } } },
    { when: "a list is none", request: { data: { categories: "personal" } } },
    { when: "a length of time has no unit", request: { permit: { audience: "a", ttl: "60" } } },
  ])("in the request of a case, $when", ({ request }) => {
    expect(() => readRequestJson(request)).toThrow();
    const file = { cases: [{ name: "c", request, expect: { outcome: "DENY" } }] };
    expect(schemaComplaints("cases", file)).not.toEqual([]);
  });
});

/** What a schema cannot know, or knows only in part; the loader does. */
const GAPS: readonly { readonly gap: string; readonly file: string; readonly text: string; readonly id: string }[] = [
  { gap: "which classifications there are", file: "x.rules.json", text: leaf("data.classification", "equal", `"secret"`), id: "impossible-value" },
  {
    gap: "which classification is listed",
    file: "policy.json",
    text: settings({ classification: { order: ["a"], default: "b" } }),
    id: "inconsistent-settings",
  },
  {
    gap: "which days a month has",
    file: "agents.json",
    text: agent(`{ "trust": "low", "reach": {}, "review_by": "2027-02-29" }`),
    id: "wrong-value",
  },
  { gap: "which groups there are", file: "x.rules.json", text: event("require-approval", `, "approvers": ["group:a"]`), id: "unknown-group" },
  { gap: "which number is the larger", file: "policy.json", text: settings({ bands: { middle: 80, top: 40 } }), id: "inconsistent-settings" },
  { gap: "which named conditions there are", file: "x.rules.json", text: rules(`{ "condition": "nowhere" }`), id: "unknown-condition" },
  { gap: "which fixtures there are", file: "x.cases.json", text: one(`, "use": ["nowhere"]`), id: "unknown-fixture" },
  {
    gap: "whether a fixture has a request",
    file: "x.cases.json",
    text: `{ "fixtures": { "f": {} }, "cases": [{ "name": "c", "use": ["f"], "expect": { "outcome": "DENY" } }] }`,
    id: "missing-key",
  },
  {
    gap: "which names are taken",
    file: "x.rules.json",
    text: `{ "rules": [${["a", "a"].map((name) => `{ "name": "${name}", "conditions": ${always}, "event": ${deny} }`).join(", ")}] }`,
    id: "duplicate-name",
  },
  {
    gap: "what the caller can bring about",
    file: "x.rules.json",
    text: rules(
      `{ "all": [{ "fact": "session", "operator": "equal", "value": "a" }] }`,
      `{ "type": "allow", "params": { "reason": "r", "controls": [] } }`,
    ),
    id: "influenced-help",
  },
  { gap: "how deep conditions nest", file: "x.rules.json", text: rules(`${`{ "not": `.repeat(33)}${always}${" }".repeat(33)}`), id: "too-big" },
  {
    gap: "how many conditions there are",
    file: "x.rules.json",
    text: rules(`{ "all": [${Array.from({ length: 200 }, () => always).join(", ")}] }`),
    id: "too-big",
  },
  { gap: "how long a duration is at most", file: "x.rules.json", text: event("require-approval", `, "lifetime": "366d"`), id: "wrong-value" },
  { gap: "which numbers lose precision", file: "x.rules.json", text: leaf("chain.depth", "equal", "9007199254740993"), id: "loses-precision" },
  { gap: "which keys stand twice", file: "x.rules.json", text: leaf("agent.id", "equal", `"x", "value": "y"`), id: "duplicate-key" },
  { gap: "what three decorators and more decide", file: "x.rules.json", text: leaf("agent.id", "not:not:not:in", `"x"`), id: "undecidable" },
  { gap: "what lists inside lists hold", file: "x.rules.json", text: leaf("agent.id", "someValue:in", "[[1]]"), id: "undecidable" },
];

describe("a schema does not know, and the loader does,", () => {
  it.each(GAPS)("$gap", ({ file, text, id }) => {
    expect(schemaComplaints(schemaOf(file), JSON.parse(text))).toEqual([]);
    expect(loaderComplaints(file, text)).toContain(id);
  });

  it("which conditions no rule uses: those the loader does not read, and a schema does", () => {
    const text = `{ "conditions": { "unused": { "any": [] } } }`;
    expect(loaderComplaints("x.rules.json", text)).toEqual([]);
    expect(schemaComplaints("rules", JSON.parse(text))).not.toEqual([]);
  });
});

describe("the schemas", () => {
  it.each(SCHEMA_NAMES)("of %s is small enough for an editor, and says what it is", (name) => {
    const text = schemaText(name);
    // Five kilobytes for each fact in that of rules: what it is and what it is compared with. Editors take a megabyte.
    expect(Buffer.byteLength(text)).toBeLessThan(400_000);
    expect(JSON.parse(text)).toMatchObject({
      $schema: "http://json-schema.org/draft-07/schema#",
      $id: `urn:behest:schema:${name}`,
      title: expect.stringMatching(/^Behest .*json$/),
      description: expect.stringMatching(/\w+ \w+/),
    });
  });

  it("check a thousand rules", () => {
    const conditions = (at: number) => ({ all: [{ fact: "action.arguments.amount", operator: "greaterThan", value: at }] });
    const rule = (at: number) => ({ name: `rule-${at}`, conditions: conditions(at), event: JSON.parse(deny) });
    expect(schemaComplaints("rules", { rules: Array.from({ length: 1_000 }, (_, at) => rule(at)) })).toEqual([]);
  });
});
