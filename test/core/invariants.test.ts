import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { judge } from "../../src/core/judge.ts";
import type { Policy } from "../../src/core/policy.ts";
import type { DecisionRequest, Hop } from "../../src/core/request.ts";
import type { Subject } from "../../src/core/situation.ts";
import { NOTHING_SEEN } from "../../src/core/tasks/seen.ts";
import type { TaskStanding } from "../../src/core/tasks/standing.ts";
import { EFFECTS, instant } from "../../src/core/words.ts";
import { FULL_REACH, policyOf } from "../policies.ts";

const allowing = Object.fromEntries(["AUTHORIZED", "INFERRED", "AVAILABLE"].map((basis) => [basis, { "*": "allow", unknown: "allow" }]));
const tool = (effect: string, args: object = {}): object => ({ effect, reversibility: "reversible", arguments: args, output: { trust: "trusted" } });
const TOOLS = { look: tool("read", { path: "target" }), change: tool("update") };

/** No rule files, and a policy.json that grants everything: only invariants are left. */
const OPEN = policyOf({
  settings: { reach: { default: FULL_REACH }, basis: allowing },
  tools: TOOLS,
  agents: {
    narrow: { trust: "low", reach: { tools: ["look"], effects: ["read"], resources: ["/srv/**"], max_classification: "internal" } },
    tenants: { trust: "low", tenant: "elsewhere", reach: FULL_REACH },
    callers: { trust: "low", callers: ["payments"], reach: FULL_REACH },
    nothing: { trust: "low", reach: {} },
    paused: { trust: "high", status: "paused", reach: FULL_REACH },
    retired: { trust: "high", status: "retired", reach: FULL_REACH },
    active: { trust: "high", status: "active", reach: FULL_REACH },
  },
});

const OPEN_TASK: TaskStanding = { standing: "open", id: "t", restated: false, seen: NOTHING_SEEN };

const subjectOf = (request: Partial<DecisionRequest>, change: Partial<Subject> = {}): Subject => ({
  at: instant(0),
  tenant: "default",
  caller: "gateway",
  request: { agent: { id: "bot" }, action: { tool: "change", arguments: {} }, ...request },
  masked: 0,
  task: OPEN_TASK,
  ...change,
});

const agent = (id: string): Pick<DecisionRequest, "agent"> => ({ agent: { id } });
const agents = (...ids: readonly string[]): readonly Hop[] => ids.map((id) => ({ type: "agent", id }));
const look = (path: string | undefined): Pick<DecisionRequest, "action"> => ({
  action: { tool: "look", arguments: path === undefined ? {} : { path } },
});

describe("with no rule files and full reach", () => {
  it("an honest action is allowed", () => {
    expect(judge(OPEN, subjectOf({})).judgement).toMatchObject({ outcome: "ALLOW", basis: "AVAILABLE", reasonCodes: [], score: 0 });
  });

  it.each<{ says: string; subject: Subject; codes: readonly string[]; reason: string; policy?: Policy }>([
    {
      says: "another tenant's agent",
      subject: subjectOf(agent("tenants")),
      codes: ["CALLER_NOT_ENTITLED"],
      reason: "agent `tenants` belongs to another tenant",
    },
    {
      says: "a caller that may not ask",
      subject: subjectOf(agent("callers")),
      codes: ["CALLER_NOT_ENTITLED"],
      reason: "caller `gateway` may not ask for agent `callers`",
    },
    {
      says: "an agent that the token does not cover",
      subject: subjectOf({}, { callerAgents: ["support-*", "teams/*/bot"] }),
      codes: ["CALLER_NOT_ENTITLED"],
      reason: "the token of caller `gateway` does not cover agent `bot`",
    },
    {
      says: "an agent when the token covers none",
      subject: subjectOf({}, { callerAgents: [] }),
      codes: ["CALLER_NOT_ENTITLED"],
      reason: "the token of caller `gateway` does not cover agent `bot`",
    },
    {
      says: "a credential nobody can verify",
      subject: subjectOf({ credentialed: true }),
      codes: ["CREDENTIAL_UNVERIFIABLE"],
      reason: "the request carries a credential that this server cannot verify; leave it out or configure a verifier",
    },
    {
      says: "what is suspended",
      subject: subjectOf({}, { suspended: [{ id: "s1", kind: "agent", value: "bot", reason: "it runs amok" }] }),
      codes: ["SUSPENDED"],
      reason: "suspension `s1` stops agent `bot`: it runs amok",
    },
    {
      says: "everything while it is suspended",
      subject: subjectOf({}, { suspended: [{ id: "s1", kind: "all", value: "", reason: "INC-4711" }] }),
      codes: ["SUSPENDED"],
      reason: "suspension `s1` stops everything: INC-4711",
    },
    {
      says: "an attempt whose ALLOW is suspended",
      subject: subjectOf({}, { lapsed: "d1", suspended: [{ id: "s1", kind: "all", value: "", reason: "r" }] }),
      codes: ["NO_LONGER_STANDS", "SUSPENDED"],
      reason: "the decision `d1` on this attempt allowed it, and is stopped by a suspension; ask again under a new request id",
    },
    {
      says: "an unknown task",
      subject: subjectOf({ task: { id: "x" } }, { task: { ...OPEN_TASK, standing: "unknown" } }),
      codes: ["TASK_UNKNOWN"],
      reason: "no registered task `x` is known, nor one that this caller began; leave out `task.id` to begin one",
    },
    {
      says: "a closed task",
      subject: subjectOf({}, { task: { ...OPEN_TASK, standing: "closed" } }),
      codes: ["TASK_CLOSED"],
      reason: "task `t` has closed; leave out `task.id` to begin another",
    },
    {
      says: "another agent's task",
      subject: subjectOf({ task: { id: "x" } }, { task: { ...OPEN_TASK, standing: "mismatch" } }),
      codes: ["CHAIN_MISMATCH"],
      reason: "task `x` belongs to another agent or principal",
    },
    {
      says: "a chain that ends elsewhere",
      subject: subjectOf({
        delegation: [
          { type: "user", id: "alice" },
          { type: "agent", id: "other" },
        ],
      }),
      codes: ["CHAIN_BROKEN"],
      reason: "the chain must run from a person or service through agents to `bot`",
    },
    {
      says: "a chain that ends with a person",
      subject: subjectOf({ delegation: [{ type: "user", id: "bot" }] }),
      codes: ["CHAIN_BROKEN"],
      reason: "the chain must run from a person or service through agents to `bot`",
    },
    {
      says: "a person in the middle",
      subject: subjectOf({
        delegation: [
          { type: "agent", id: "a" },
          { type: "user", id: "u" },
          { type: "agent", id: "bot" },
        ],
      }),
      codes: ["CHAIN_BROKEN"],
      reason: "the chain must run from a person or service through agents to `bot`",
    },
    {
      says: "a lapsed attempt",
      subject: subjectOf({}, { lapsed: "d1" }),
      codes: ["NO_LONGER_STANDS"],
      reason: "the decision `d1` on this attempt allowed it, and has lapsed; ask again under a new request id",
    },
    {
      says: "an agent without reach",
      subject: subjectOf(agent("nothing")),
      codes: ["CLASSIFICATION_EXCEEDED", "OUTSIDE_REACH"],
      reason: "`internal` data is above the reach of agent `nothing`, which ends at `nothing`",
    },
    {
      says: "a tool outside reach",
      subject: subjectOf(agent("narrow")),
      codes: ["OUTSIDE_REACH"],
      reason:
        "outside the reach of agent `narrow`: the tool `change` (granted: `look`), the effect `update` (granted: `read`), an action that names no resource (granted: `/srv/**`); agents.json says what is granted",
    },
    {
      says: "an agent under a mistyped id, with a mistyped tool,",
      subject: subjectOf({ agent: { id: "narow" }, action: { tool: "lok", arguments: {} } }),
      codes: ["OUTSIDE_REACH"],
      reason:
        "outside the reach of agent `narow`: the tool `lok` (granted: `a/*`, `b/*`, `c/*`, …), the effect `unknown` (granted: `read`, `create`, `update`); tool `lok` is not in the catalog, so its effect is `unknown`; agent `narow` is not in agents.json, so `reach.default` of policy.json says what is granted",
      policy: policyOf({
        settings: {
          reach: {
            default: { tools: ["a/*", "b/*", "c/*", "d/*"], effects: ["read", "create", "update"], resources: ["*"], max_classification: "internal" },
          },
        },
      }),
    },
    {
      says: "a resource outside reach",
      subject: subjectOf({ ...agent("narrow"), ...look("/etc/x") }),
      codes: ["OUTSIDE_REACH"],
      reason: "outside the reach of agent `narrow`: the resource `/etc/x` (granted: `/srv/**`); agents.json says what is granted",
    },
    {
      says: "an obscured resource",
      subject: subjectOf({ ...agent("narrow"), ...look("/srv/../etc/x") }),
      codes: ["OUTSIDE_REACH"],
      reason: "outside the reach of agent `narrow`: a resource in an obscured spelling (granted: `/srv/**`); agents.json says what is granted",
    },
    {
      says: "no resource at all",
      subject: subjectOf({ ...agent("narrow"), ...look(undefined) }),
      codes: ["OUTSIDE_REACH"],
      reason: "outside the reach of agent `narrow`: an action that names no resource (granted: `/srv/**`); agents.json says what is granted",
    },
    {
      says: "a classification above reach",
      subject: subjectOf({ ...agent("narrow"), ...look("/srv/x"), data: { classification: "confidential" } }),
      codes: ["CLASSIFICATION_EXCEEDED"],
      reason: "`confidential` data is above the reach of agent `narrow`, which ends at `internal`",
    },
    {
      says: "a classification nobody listed",
      subject: subjectOf({ ...agent("narrow"), ...look("/srv/x"), data: { classification: "cosmic" } }),
      codes: ["CLASSIFICATION_EXCEEDED"],
      reason: "`restricted` data is above the reach of agent `narrow`, which ends at `internal`",
    },
    {
      says: "reach that only a handing agent lacks",
      subject: subjectOf({
        delegation: [
          { type: "agent", id: "narrow" },
          { type: "agent", id: "bot" },
        ],
      }),
      codes: ["OUTSIDE_REACH"],
      reason:
        "outside the reach of agent `narrow`: the tool `change` (granted: `look`), the effect `update` (granted: `read`), an action that names no resource (granted: `/srv/**`); agents.json says what is granted",
    },
    {
      says: "a paused agent",
      subject: subjectOf(agent("paused")),
      codes: ["OUTSIDE_REACH"],
      reason: "agent `paused` is paused in agents.json, and so has no reach at all",
    },
    {
      says: "a retired agent that only reads",
      subject: subjectOf({ ...agent("retired"), ...look("/srv/x") }),
      codes: ["OUTSIDE_REACH"],
      reason: "agent `retired` is retired in agents.json, and so has no reach at all",
    },
    {
      says: "work that a paused agent began",
      subject: subjectOf({ delegation: agents("paused", "active", "bot") }),
      codes: ["OUTSIDE_REACH"],
      reason: "agent `paused` is paused in agents.json, and so has no reach at all",
    },
    {
      says: "work that a retired agent only handed on",
      subject: subjectOf({ delegation: [{ type: "user", id: "alice" }, ...agents("active", "retired", "bot")] }),
      codes: ["OUTSIDE_REACH"],
      reason: "agent `retired` is retired in agents.json, and so has no reach at all",
    },
  ])("$says is denied", ({ subject, codes, reason, policy = OPEN }) => {
    const { judgement } = judge(policy, subject);
    expect(judgement).toMatchObject({ outcome: "DENY", basis: "NONE", reasonCodes: codes, holds: [] });
    expect(judgement.findings[0]?.reason).toBe(reason);
    expect(judgement.validUntil).toBeUndefined();
  });

  it("agents that the registry calls active hand work on", () => {
    expect(judge(OPEN, subjectOf({ ...agent("active"), delegation: agents("bot", "active") })).judgement.outcome).toBe("ALLOW");
  });

  it("a person may have the name of a paused agent", () => {
    const delegation: readonly Hop[] = [{ type: "user", id: "paused" }, ...agents("bot")];
    expect(judge(OPEN, subjectOf({ delegation })).judgement.outcome).toBe("ALLOW");
  });

  it.each(["bot", "b*", "*", "**"])("an agent is allowed that the token covers by `%s`", (glob) => {
    expect(judge(OPEN, subjectOf({}, { callerAgents: ["other", glob] })).judgement).toMatchObject({ outcome: "ALLOW", reasonCodes: [] });
  });

  it("what lies within the reach is allowed", () => {
    expect(judge(OPEN, subjectOf({ ...agent("narrow"), ...look("/srv/a/b") })).judgement.outcome).toBe("ALLOW");
  });

  it("an error inside the evaluation is a DENY that says so", () => {
    const errors: unknown[] = [];
    const fail = (): never => {
      throw new RangeError("broken");
    };
    const { judgement } = judge(OPEN, subjectOf({}), { evaluate: fail, onError: (error) => errors.push(error) });
    expect(judgement).toMatchObject({ outcome: "DENY", basis: "NONE", reasonCodes: ["EVALUATION_ERROR"], score: 0 });
    expect(errors).toEqual([new RangeError("broken")]);
  });
});

describe("rules cannot lift an invariant", () => {
  const generous = policyOf({
    settings: { basis: allowing },
    tools: TOOLS,
    agents: { nothing: { trust: "low", reach: {} } },
    rules: [
      {
        name: "all-is-well",
        conditions: { all: [{ fact: "agent.id", operator: "notEqual", value: "" }] },
        event: { type: "allow", params: { reason: "r", controls: [] } },
      },
      {
        name: "less-risk",
        conditions: { all: [{ fact: "agent.id", operator: "notEqual", value: "" }] },
        event: { type: "risk", params: { points: -100, reason: "r", controls: [] } },
      },
    ],
  });
  it("neither by allowing nor by negative points, and they are evaluated and reported all the same", () => {
    const { judgement } = judge(generous, subjectOf(agent("nothing")));
    expect(judgement).toMatchObject({ outcome: "DENY", reasonCodes: ["CLASSIFICATION_EXCEEDED", "OUTSIDE_REACH"] });
    expect(judgement.findings.map(({ rule }) => rule)).toEqual([
      "behest:classification-exceeded",
      "behest:outside-reach",
      "all-is-well",
      "less-risk",
    ]);
  });
});

describe("intent only narrows", () => {
  it("no statement, session or task makes an outcome better", () => {
    const policy = policyOf({ tools: TOOLS });
    const better = { DENY: 0, REQUIRE_APPROVAL: 1, ALLOW: 2 };
    fc.assert(
      fc.property(
        fc.string(),
        fc.boolean(),
        fc.constantFrom(...EFFECTS),
        fc.constantFrom("look", "change", "nobody"),
        (statement, restated, effect, name) => {
          const request = { action: { tool: name, arguments: {}, effect } };
          const silent = judge(policy, subjectOf(request)).judgement;
          const stated = judge(policy, subjectOf({ ...request, task: { statement } }, { task: { ...OPEN_TASK, statement, restated } })).judgement;
          expect(better[stated.outcome]).toBeLessThanOrEqual(better[silent.outcome]);
        },
      ),
    );
  });
});
