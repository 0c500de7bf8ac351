import { describe, expect, it } from "vitest";
import { type Entry, factPage, factsList } from "../../src/cli/facts-page.ts";
import { FACTS } from "../../src/core/facts.ts";
import { exampleCondition } from "../../src/policy/fact-example.ts";
import { load } from "../policies.ts";
import { run } from "./running-command.ts";

const entries: readonly Entry[] = Object.entries(FACTS);

describe("behest facts", () => {
  it("prints a line for each fact, whole, where nobody looks", async () => {
    const { code, stdout, stderr } = await run(["facts"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [header, ...lines] = stdout.trimEnd().split("\n");
    expect(header?.split(/ +/)).toEqual(["fact", "type", "presence", "influence", "worse", "meaning", "example"]);
    expect(lines.map((line) => line.split(" ")[0])).toEqual(Object.keys(FACTS));
    expect(lines.find((line) => line.startsWith("agent.trust"))).toMatch(
      /^agent.trust +string +total +enforcer +high → medium → low → unregistered +how far agents.json trusts the agent +"medium"$/,
    );
  });

  it("prints them for programs", async () => {
    const [json, ndjson] = await Promise.all([run(["facts", "-o", "json"]), run(["facts", "-o", "ndjson"])]);
    const facts: readonly Readonly<Record<string, unknown>>[] = JSON.parse(json.stdout);
    expect(facts.find(({ fact }) => fact === "chain.weakest_hop")).toEqual({
      fact: "chain.weakest_hop",
      type: "string",
      total: true,
      influence: "caller",
      may_help: false,
      worse: "none → registered → asserted",
      values: ["none", "registered", "asserted"],
      meaning: FACTS["chain.weakest_hop"]?.meaning,
      example: "asserted",
    });
    expect(
      ndjson.stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual(facts);
  });

  it("says all about one fact", async () => {
    const { code, stdout } = await run(["facts", "action.effect"]);
    expect(code).toBe(0);
    expect(stdout).toBe(`action.effect
  what the action does: the catalog's word, or the request's if worse

  type       string: read, browse, create, update, delete, send, share, pay, credential, execute,
             unknown
  presence   total: it is always there
  influence  enforcer: the enforcement point's question itself: to lie is to get an answer to
             another one
  help       \`allow\` rules and negative points may read it
  worse      any other → unknown: a restrictive rule must not stop applying in that direction
  example    "send"

operators
  equal                 the fact is the value
  notEqual              the fact is not the value
  in                    the value, a list, holds the fact
  notIn                 the value, a list, does not hold the fact

a condition
  { "fact": "action.effect", "operator": "in", "value": ["send", "unknown"] }
`);
  });

  it("says all about one fact for programs", async () => {
    const { stdout } = await run(["facts", "action.arguments", "-o", "json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      fact: "action.arguments",
      total: false,
      operators: {
        present: expect.stringContaining("the fact has a value"),
        "everyFact:in": "for each of the fact's list: the value, a list, holds it",
      },
      condition: { fact: "action.arguments.to", operator: "contains", value: "a@example.org" },
    });
  });

  it.each([
    { says: "a path into an open map", name: "action.arguments.to[0]", first: "action.arguments" },
    { says: "facts whose names begin so", name: "task.seen", first: /^fact +type/ },
  ])("takes $says", async ({ name, first }) => {
    const { code, stdout } = await run(["facts", name]);
    expect(code).toBe(0);
    expect(stdout.split("\n")[0]).toMatch(first);
  });

  it.each([
    { name: "agnet.id", message: "behest: no fact `agnet.id`; did you mean `agent.id`? `bin/behest facts` lists them all\n" },
    { name: "weather", message: "behest: no fact `weather`; `bin/behest facts` lists them all\n" },
    {
      name: "time",
      message:
        "behest: no fact `time`: a decision can be made again at any time, so rules have no clock; let the gateway say `context.attributes.hour`, and guard it by `present`\n",
    },
    { name: "toString", message: "behest: no fact `toString`; `bin/behest facts` lists them all\n" },
    { name: "", message: "behest: no fact ``; `bin/behest facts` lists them all\n" },
    { name: "a\u001b[31m", message: "behest: no fact `a�[31m`; `bin/behest facts` lists them all\n" },
  ])("knows no fact $name", async ({ name, message }) => {
    expect(await run(["facts", name])).toEqual({ code: 2, stdout: "", stderr: message });
  });
});

describe("on a terminal", () => {
  it.each([40, 80, 100, 160])("of %d columns no line of the catalogue is longer, and every fact is there", (columns) => {
    const lines = factsList(entries, columns).trimEnd().split("\n");
    expect(lines.filter((line) => line.length > columns)).toEqual([]);
    for (const [name, { meaning }] of entries) {
      expect(
        lines.some((line) => line.startsWith(`${name} `)),
        name,
      ).toBe(true);
      expect(lines.join(" ").replaceAll(/ +/g, " "), name).toContain(meaning);
    }
  });

  it.each([80, 100, 160])("of %d columns no line about a fact is longer, but for the condition to copy", (columns) => {
    for (const entry of entries) {
      const lines = factPage(entry, columns).split("\n");
      expect(lines.filter((line) => line.length > columns && !line.startsWith("  { "))).toEqual([]);
    }
  });

  it("shows a fact in two lines or three", () => {
    const [trust] = entries.filter(([name]) => name === "agent.trust");
    expect(trust && factsList([trust], 80)).toBe(`fact         type    presence  influence  example
agent.trust  string  total     enforcer   "medium"
  how far agents.json trusts the agent · worse: high → medium → low →
  unregistered
`);
  });
});

describe("the condition that is shown for a fact", () => {
  const deny = { type: "deny", params: { reason: "r", controls: [] } };
  it.each(entries)("loads without a warning in a rule that denies: %s", (name, fact) => {
    expect(load({ rules: [{ name: "a", conditions: { all: [exampleCondition(name, fact)] }, event: deny }] }).warnings).toEqual([]);
  });
});
