import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { Judgement } from "../../src/core/combine.ts";
import { judge } from "../../src/core/judge.ts";
import type { Policy } from "../../src/core/policy.ts";
import type { DecisionRequest } from "../../src/core/request.ts";
import type { Subject } from "../../src/core/situation.ts";
import { NOTHING_SEEN } from "../../src/core/tasks/seen.ts";
import { type Finding, instant, type Json, type JsonObject, type Outcome } from "../../src/core/words.ts";
import { FULL_REACH, policyOf } from "../policies.ts";
import { type Question, questionsOfEntries } from "./random-policies.ts";
import { isReference, leavesOf, locate, randomRuns, valueOfKind } from "./random-rules.ts";
import { LAWS, type Laws, type PolicyJson, specify } from "./specification.ts";

const runs = randomRuns(1_500);

const MAPS = ["action.arguments", "agent.attributes", "context.attributes", "resource.attributes"] as const;
/** One entry of one open map. */
interface Entry {
  readonly map: (typeof MAPS)[number];
  readonly key: string;
}

/** Every entry that a rule reads. */
function entriesRead({ rules, conditions }: PolicyJson): readonly Entry[] {
  const references = rules.flatMap((rule) =>
    leavesOf(rule.conditions, conditions).flatMap((leaf) => (isReference(leaf.value) ? [leaf, leaf.value] : [leaf])),
  );
  const facts = Object.fromEntries(MAPS.map((map) => [map, undefined]));
  return references.flatMap((reference) => {
    const { name, parts } = locate(reference, facts);
    const map = MAPS.find((one) => one === name);
    return map ? [{ map, key: String(parts[0]) }] : [];
  });
}

/** The same subject with a value in that entry, or with none. */
function withEntry(subject: Subject, { map, key }: Entry, value: Json | undefined): Subject {
  const put = (entries: JsonObject | undefined): JsonObject => {
    const { [key]: _, ...others } = entries ?? {};
    return value === undefined ? others : { ...others, [key]: value };
  };
  const { request } = subject;
  const { action, agent, context } = request;
  switch (map) {
    case "action.arguments":
      return { ...subject, request: { ...request, action: { ...action, arguments: put(action.arguments) } } };
    case "agent.attributes":
      return { ...subject, request: { ...request, agent: { ...agent, attributes: put(agent.attributes) } } };
    case "context.attributes":
      return { ...subject, request: { ...request, context: { ...context, attributes: put(context?.attributes) } } };
    case "resource.attributes": {
      const resource = action.resource ?? { type: "file", id: "/srv/a" };
      return { ...subject, request: { ...request, action: { ...action, resource: { ...resource, attributes: put(resource.attributes) } } } };
    }
  }
}

/** Nothing but the rules can deny, and there is always somebody to ask; no argument has a role, so that none is a target or a destination; no rule asks whether something is there. */
function onlyRulesDecide({ policy, subject }: Question): Question {
  const { settings, tools, rules, conditions } = policy;
  const { lapsed: _, callerAgents: _____, refused: ______, request, task, ...calm } = subject;
  const { delegation: __, credentialed: ___, ...plain } = request;
  return {
    policy: {
      ...policy,
      settings: { ...settings, reach: { default: FULL_REACH }, approvers: { default: ["user:ann", "user:bo", "user:cy"], quorum: 1 } },
      agents: {},
      tools: Object.fromEntries(Object.entries(tools).map(([name, { arguments: ____, ...tool }]) => [name, tool])),
      rules: rules.filter((rule) => leavesOf(rule.conditions, conditions).every(({ operator }) => operator !== "present")),
    },
    subject: { ...calm, request: plain, task: { ...task, standing: "open" } },
    evaluates: true,
  };
}

const STRICTNESS: Readonly<Record<Outcome, number>> = { ALLOW: 0, REQUIRE_APPROVAL: 1, DENY: 2 };

type Decision = Pick<Judgement, "outcome" | "score"> & {
  /** Rules that speak against the caller. */
  readonly against: readonly string[];
  /** Rules that speak for it. */
  readonly granting: readonly string[];
};

/** Obligations that contradict each other are not looked at further, so one more of them takes the place of one that is not supported: either denies. */
const speaker = (rule: string): string => (/^behest:obligation-(conflict|unsupported)$/.test(rule) ? "behest:obligations" : rule);

/** Said only where people would be asked, and so no more where something denies before that. */
const OF_PEOPLE: readonly string[] = ["behest:no-approver", "behest:arguments-truncated", "behest:approval-denied"];

function decide(policy: Policy, subject: Subject): Decision {
  const { outcome, score, findings } = judge(policy, subject).judgement;
  const named = (is: (finding: Finding) => boolean): readonly string[] => findings.filter(is).map(({ rule }) => speaker(rule));
  return {
    outcome,
    score,
    against: named(({ rule, event, points }) => !OF_PEOPLE.includes(rule) && (event === "deny" || event === "require-approval" || points > 0)),
    granting: named(({ event, points, result }) => result === "matched" && (event === "allow" || points < 0)),
  };
}

/** Every way in which leaving a value out was better for the caller than giving it. */
function gains(without: Decision, given: Decision): readonly string[] {
  const found: string[] = [];
  if (STRICTNESS[without.outcome] < STRICTNESS[given.outcome]) found.push(`${given.outcome} became ${without.outcome}`);
  if (without.score < given.score) found.push(`the score fell from ${given.score} to ${without.score}`);
  for (const rule of given.against) if (!without.against.includes(rule)) found.push(`\`${rule}\` stands no more`);
  for (const rule of without.granting) if (!given.granting.includes(rule)) found.push(`\`${rule}\` grants`);
  return found;
}

const inputs = fc.record({
  question: questionsOfEntries.map(onlyRulesDecide).filter(({ policy }) => entriesRead(policy).length > 0),
  pick: fc.nat(),
  values: fc.array(fc.oneof(...["string", "number", "number[]", "string[]", "any"].map(valueOfKind)), { minLength: 4, maxLength: 4 }),
});

interface Tried {
  readonly policy: PolicyJson;
  readonly without: Subject;
  readonly given: readonly Subject[];
  /** Some value would have given a better outcome than none. */
  readonly costs: boolean;
}

const tried: Tried[] = [];
let failure: string | undefined;
beforeAll(() => {
  const property = fc.property(inputs, ({ question: { policy, subject }, pick, values }) => {
    const entries = entriesRead(policy);
    const entry = entries[pick % entries.length];
    if (!entry) throw new RangeError("no rule reads an entry");
    const without = withEntry(subject, entry, undefined);
    const given = values.map((value) => withEntry(subject, entry, value));
    const compiled = policyOf(policy);
    const decision = decide(compiled, without);
    const others = given.map((other) => decide(compiled, other));
    tried.push({ policy, without, given, costs: others.some(({ outcome }) => STRICTNESS[outcome] < STRICTNESS[decision.outcome]) });
    expect(others.flatMap((other) => gains(decision, other))).toEqual([]);
  });
  const details = fc.check(property, { ...runs, includeErrorInReport: true });
  if (details.failed) failure = fc.defaultReportMessage(details);
}, 300_000);

describe("leaving out an entry of an open map that only rules read, where none of them asks whether it is there,", () => {
  it("never gives a better outcome, a lower score, a finding less or a grant more than any value would", () => {
    expect(failure).toBeUndefined();
    expect(tried).toHaveLength(runs.numRuns);
  });

  it("often gives a worse outcome", () => {
    expect(tried.filter(({ costs }) => costs).length / tried.length).toBeGreaterThan(0.02);
  });

  it.each<[says: string, twin: Partial<Laws>]>([
    ["an unknown deny were ignored", { denies: (truth) => truth === "TRUE" }],
    ["an unknown require-approval were ignored", { asks: (truth) => truth === "TRUE" }],
    ["an unknown allow granted", { lifts: (truth) => truth !== "FALSE" }],
    ["unknown points were not added", { points: (truth, points) => (truth === "UNKNOWN" ? 0 : points) }],
    ["unknown points were subtracted", { points: (_, points) => points }],
  ])("would help if %s", (_, twin) => {
    const laws = { ...LAWS, ...twin };
    const helps = ({ policy, without, given }: Tried): boolean => {
      const said = specify(policy, without, true, laws);
      return given
        .map((other) => specify(policy, other, true, laws))
        .some(({ outcome, score }) => score > said.score || STRICTNESS[outcome] > STRICTNESS[said.outcome]);
    };
    expect(tried.some(helps)).toBe(true);
  });

  it("helps where a rule asks whether it is there, as its author wrote", () => {
    const conditions = { all: [{ fact: "context.attributes.ticket", operator: "present", value: true }] };
    const event = { type: "deny", params: { reason: "tickets are closed", controls: [] } };
    const policy = policyOf({ rules: [{ name: "no-tickets", conditions, event }] });
    const codesWith = (attributes: JsonObject): readonly string[] => {
      const request: DecisionRequest = { agent: { id: "bot" }, action: { tool: "t", arguments: {} }, context: { attributes } };
      const task: Subject["task"] = { standing: "new", id: "task-1", restated: false, seen: NOTHING_SEEN };
      return judge(policy, { at: instant(0), tenant: "default", caller: "gateway", request, masked: 0, task }).judgement.reasonCodes;
    };
    expect(codesWith({ ticket: null })).toContain("RULE_DENY");
    expect(codesWith({})).not.toContain("RULE_DENY");
  });
});
