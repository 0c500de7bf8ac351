import { describe, expect, it } from "vitest";
import { INFLUENCES, type Influence } from "../../src/core/fact.ts";
import { FACTS } from "../../src/core/facts.ts";
import type { Known } from "../../src/core/json.ts";
import type { DecisionRequest, Hop } from "../../src/core/request.ts";
import { type Subject, situate } from "../../src/core/situation.ts";
import { NOTHING_SEEN } from "../../src/core/tasks/seen.ts";
import type { RegisteredStanding, TaskStanding } from "../../src/core/tasks/standing.ts";
import { instant } from "../../src/core/words.ts";
import { policyOf } from "../policies.ts";

const policy = policyOf({
  tools: {
    listed: {
      effect: "send",
      reversibility: "irreversible",
      arguments: { to: "destination", path: "target", key: "secret" },
      owner: "team:a",
      categories: ["c"],
      output: { trust: "trusted" },
      definition_digest: `sha256:${"0".repeat(64)}`,
    },
    manifold: { operations: { look: "read", purge: "delete" }, reversibility: "unknown", output: { trust: "untrusted" } },
  },
  resources: [{ match: "/etc/**", classification: "restricted", categories: ["system"] }],
  agents: { known: { trust: "medium", owner: "team:b", review_by: "1969-12-31", reach: {} } },
});

const REQUEST: DecisionRequest = { agent: { id: "bot" }, action: { tool: "listed", arguments: { to: "a@example.org", path: "/srv/x" } } };

const subjectOf = (request: DecisionRequest, change: Partial<Subject> = {}): Subject => ({
  at: instant(0),
  tenant: "default",
  caller: "gateway",
  request,
  masked: 0,
  task: { standing: "open", id: "t", restated: false, seen: NOTHING_SEEN },
  ...change,
});

const valuesOf = (subject: Subject): Readonly<Record<string, Known>> => {
  const situation = situate(policy, subject);
  return Object.fromEntries(Object.entries(FACTS).map(([name, { read }]) => [name, read(situation)]));
};

const REGISTERED: RegisteredStanding = {
  root: "t",
  depth: 0,
  principal: { type: "user", id: "alice", attributes: { department: "finance" } },
  issuer: "portal",
  scopeKind: "issued",
  hops: 2,
  until: instant(1),
};
const OWN_CHAIN: readonly Hop[] = [
  { type: "user", id: "alice" },
  { type: "agent", id: "bot", taskId: "t" },
];

const underTask = (change: Partial<RegisteredStanding> = {}, standing: Partial<TaskStanding> = {}): Subject =>
  subjectOf(
    { ...REQUEST, delegation: OWN_CHAIN },
    { task: { standing: "open", id: "t", restated: false, seen: NOTHING_SEEN, registered: { ...REGISTERED, ...change }, ...standing } },
  );

/** One thing changed at a time, and who can change it. */
interface OneChange {
  readonly says: string;
  readonly by: Influence;
  readonly subject: Subject;
  /** What it is a change of; absent: of a task of the agent's own. */
  readonly from?: Subject;
}

const CHANGES: readonly OneChange[] = [
  { says: "a registered task", by: "enforcer", subject: underTask() },
  { says: "a task that only a planner proposed", by: "initiator", subject: underTask({ scopeKind: "proposed" }), from: underTask() },
  {
    says: "whom a task is for",
    by: "initiator",
    subject: underTask({ principal: { type: "service", id: "cron" } }),
    from: underTask(),
  },
  { says: "words whose time is over", by: "initiator", subject: underTask({ statementExpired: true }), from: underTask() },
  { says: "words of a planner's own", by: "agent", subject: underTask({ reworded: true }), from: underTask() },
  {
    says: "what was used of a budget",
    by: "reported",
    subject: underTask({ budgets: [{ task: "t", spent: { calls: { send: 4 }, amounts: {} }, maxCalls: { send: 5 } }] }),
    from: underTask(),
  },
  { says: "calls that nobody reported", by: "reported", subject: underTask({}, { unreported: 1 }), from: underTask() },
  {
    says: "agents that the caller adds below the task's own",
    by: "caller",
    subject: { ...underTask(), request: { ...REQUEST, delegation: [...OWN_CHAIN, { type: "agent", id: "known" }, { type: "agent", id: "bot" }] } },
    from: underTask(),
  },
  { says: "another caller's token", by: "verified", subject: subjectOf(REQUEST, { caller: "other" }) },
  { says: "another agent", by: "enforcer", subject: subjectOf({ ...REQUEST, agent: { id: "known" } }) },
  { says: "another tool", by: "enforcer", subject: subjectOf({ ...REQUEST, action: { ...REQUEST.action, tool: "manifold" } }) },
  { says: "an unknown tool of a server", by: "enforcer", subject: subjectOf({ ...REQUEST, action: { ...REQUEST.action, tool: "srv/unlisted" } }) },
  { says: "an operation", by: "enforcer", subject: subjectOf({ ...REQUEST, action: { ...REQUEST.action, tool: "manifold", operation: "look" } }) },
  { says: "a worse effect", by: "enforcer", subject: subjectOf({ ...REQUEST, action: { ...REQUEST.action, effect: "execute" } }) },
  {
    says: "other recipients",
    by: "enforcer",
    subject: subjectOf({ ...REQUEST, action: { ...REQUEST.action, arguments: { to: ["a", "b"], path: ["/srv/../x", "/y"] } } }),
  },
  { says: "arguments that are cut", by: "enforcer", subject: subjectOf({ ...REQUEST, action: { ...REQUEST.action, argumentsTruncated: true } }) },
  {
    says: "another definition of the tool",
    by: "caller",
    subject: subjectOf({ ...REQUEST, action: { ...REQUEST.action, toolDefinitionDigest: `sha256:${"1".repeat(64)}` } }),
  },
  {
    says: "what the task has seen",
    by: "reported",
    subject: subjectOf(REQUEST, {
      task: {
        standing: "open",
        id: "t",
        restated: false,
        seen: { classifications: ["restricted"], categories: ["c"], trust: "untrusted", systems: ["s"] },
      },
    }),
  },
  {
    says: "a chain",
    by: "caller",
    subject: subjectOf({
      ...REQUEST,
      delegation: [
        { type: "agent", id: "a" },
        { type: "agent", id: "bot" },
      ],
    }),
  },
  { says: "how often people were asked", by: "caller", subject: subjectOf(REQUEST, { asked: { byAgent: 2, forTask: 1 } }) },
  { says: "what a person endorsed", by: "initiator", subject: subjectOf(REQUEST, { endorsed: { values: ["b@example.org"], sources: ["listed"] } }) },
  { says: "what a scorer says", by: "reported", subject: subjectOf(REQUEST, { scorer: { id: "s", version: "1", risk: 0, reason: "" } }) },
  { says: "a session", by: "caller", subject: subjectOf({ ...REQUEST, session: "s" }) },
  { says: "data", by: "caller", subject: subjectOf({ ...REQUEST, data: { classification: "restricted", categories: ["x", "y"] } }) },
  {
    says: "an environment and attributes",
    by: "caller",
    subject: subjectOf({ ...REQUEST, context: { environment: "staging", attributes: { a: 1 } } }),
  },
  { says: "attributes of the agent", by: "caller", subject: subjectOf({ ...REQUEST, agent: { id: "bot", attributes: { a: 1 } } }) },
  { says: "secrets", by: "caller", subject: subjectOf(REQUEST, { masked: 2 }) },
  {
    says: "a statement",
    by: "agent",
    subject: subjectOf(REQUEST, { task: { standing: "open", id: "t", statement: "do it", restated: false, seen: NOTHING_SEEN } }),
  },
  {
    says: "what was found beside the words of the task",
    by: "agent",
    subject: subjectOf(REQUEST, {
      intent: {
        scope: "inside",
        alignment: "full",
        object: "bound",
        words: ["send"],
        provenance: {
          destination: "stated",
          target: "own",
          secret: "attested",
          amount: "named_source",
          currency: "free_text",
          free_text: "same_host",
        },
      },
    }),
  },
  {
    says: "another statement",
    by: "agent",
    subject: subjectOf(REQUEST, { task: { standing: "open", id: "t", restated: true, seen: NOTHING_SEEN } }),
  },
];

const rank = (influence: Influence): number => INFLUENCES.indexOf(influence);

/** Facts about the action's resource are part of the question; what the caller says of it is the caller's. */
const RESOURCE: Subject = subjectOf({
  ...REQUEST,
  action: { ...REQUEST.action, resource: { type: "file", id: "/etc/passwd", attributes: { classification: "public" } } },
});

describe("a fact", () => {
  const ownTask = subjectOf(REQUEST);
  const changedBy = ({ subject, from = ownTask }: Pick<OneChange, "subject" | "from">): readonly string[] => {
    const [before, after] = [valuesOf(from), valuesOf(subject)];
    return Object.keys(FACTS).filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
  };

  it.each(CHANGES)("is at least as weak as whoever can change it: $says", ({ by, ...change }) => {
    const changed = changedBy(change);
    expect(changed.length).toBeGreaterThan(0);
    const tooStrong = changed.filter((name) => rank(FACTS[name]?.influence ?? "policy") < rank(by));
    expect(tooStrong).toEqual([]);
  });

  it("is changed by one of these, so that none goes untested", () => {
    const changed = new Set([...CHANGES, { subject: RESOURCE }].flatMap(changedBy));
    // Nothing can prove an agent's identity yet, and this policy's tools state their categories whatever is asked.
    expect(Object.keys(FACTS).filter((name) => !changed.has(name))).toEqual(["agent.identity"]);
  });

  it.each(Object.entries(FACTS))("%s has a value of its type, always if it is total, and a meaning and an example", (_, fact) => {
    for (const { subject } of CHANGES) {
      const value = fact.read(situate(policy, subject));
      if (fact.total) expect(value).toBeDefined();
      if (value !== undefined) expect(typeOf(value)).toBe(fact.type);
    }
    expect(typeOf(fact.example)).toBe(fact.type);
    expect(fact.meaning).toMatch(/\w+ \w+/);
    if (fact.values && fact.worsening?.by === "tiers") expect([...fact.values].sort()).toEqual(fact.worsening.tiers.flat().sort());
  });
});

function typeOf(value: Known): string {
  if (Array.isArray(value)) return "list";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value === "object" ? "map" : typeof value;
}

describe("what the registry says", () => {
  const DAY_MS = 86_400_000;
  const end = Date.UTC(2028, 1, 29) + DAY_MS;
  const registry = policyOf({ agents: { reviewed: { trust: "low", reach: {}, review_by: "2028-02-29" }, unreviewed: { trust: "low", reach: {} } } });

  it.each([
    { says: "not before the day", id: "reviewed", at: end - DAY_MS - 1, overdue: false },
    { says: "not until the day is over", id: "reviewed", at: end - 1, overdue: false },
    { says: "from then on", id: "reviewed", at: end, overdue: true },
    { says: "never where nobody has said when", id: "unreviewed", at: end * 9, overdue: false },
    { says: "never for an agent that is not registered", id: "stranger", at: end, overdue: false },
  ])("a review is overdue $says", ({ id, at, overdue }) => {
    const situation = situate(registry, subjectOf({ ...REQUEST, agent: { id } }, { at: instant(at) }));
    expect(FACTS["agent.review_overdue"]?.read(situation)).toBe(overdue);
  });

  it.each([
    { says: "the same definition", tool: "listed", stated: "0", drifted: false },
    { says: "another one", tool: "listed", stated: "1", drifted: true },
    { says: "none stated", tool: "listed", stated: undefined, drifted: false },
    { says: "none pinned", tool: "manifold", stated: "1", drifted: false },
    { says: "no such tool", tool: "nobody/knows", stated: "1", drifted: false },
  ])("a tool has drifted by what the agent was shown: $says", ({ tool, stated, drifted }) => {
    const action = { ...REQUEST.action, tool, ...(stated !== undefined && { toolDefinitionDigest: `sha256:${stated.repeat(64)}` }) };
    expect(FACTS["tool.drifted"]?.read(situate(policy, subjectOf({ ...REQUEST, action })))).toBe(drifted);
  });
});

describe("what the catalog says", () => {
  const situation = (change: Partial<DecisionRequest["action"]>) =>
    situate(policy, subjectOf({ ...REQUEST, action: { ...REQUEST.action, ...change } }));

  it.each([
    { says: "the catalog's effect counts", change: {}, effect: "send" },
    { says: "a better effect in the request does not", change: { effect: "read" as const }, effect: "send" },
    { says: "a worse one does", change: { effect: "pay" as const }, effect: "pay" },
    { says: "an operation has its own", change: { tool: "manifold", operation: "look" }, effect: "read" },
    { says: "no operation is unknown", change: { tool: "manifold" }, effect: "unknown" },
    { says: "an unlisted operation is unknown", change: { tool: "manifold", operation: "peek" }, effect: "unknown" },
    { says: "an unlisted tool is unknown, whatever it says", change: { tool: "nobody/knows", effect: "read" as const }, effect: "unknown" },
    { says: "a homoglyph is no listed tool", change: { tool: "listеd" }, effect: "unknown" },
  ])("$says", ({ change, effect }) => {
    expect(situation(change).effect).toBe(effect);
  });

  it.each([
    { says: "plain", path: "/etc/passwd" },
    { says: "in capitals", path: "/ETC/passwd" },
    { says: "with doubled slashes", path: "//etc//passwd" },
    { says: "with `.` segments", path: "/./etc/./passwd" },
    { says: "with backslashes", path: "\\etc\\passwd" },
    { says: "percent-escaped", path: "%2Fetc%2fpasswd" },
    { says: "escaped twice", path: "%252fetc%252fpasswd" },
    { says: "among others", path: ["/srv/x", "/etc/passwd"] },
    { says: "with a slash at its end", path: "/etc/passwd/" },
    { says: "with `.` at its end", path: "/etc/passwd/." },
    { says: "with a space at its end", path: "/etc/passwd " },
    { says: "with a line break", path: "/etc/passwd\n" },
    { says: "with a zero byte", path: "/etc/pass\u0000wd" },
    { says: "by way of a parent", path: "/srv/../etc/passwd" },
    { says: "with a query", path: "/etc/passwd?x" },
    { says: "with a stream's name", path: "/etc/passwd::$DATA" },
    { says: "with compatibility characters", path: "/ｅtc/paſſwd" },
    { says: "as a key", path: { "/etc/passwd": true } },
    { says: "under a key that looks secret", path: { token: "/etc/passwd" } },
  ])("of a resource is found in every spelling: $says", ({ path }) => {
    expect(situation({ arguments: { path } })).toMatchObject({ classification: "restricted", categories: ["c", "system"] });
  });

  it("raises a classification and never lowers it", () => {
    expect(situate(policy, RESOURCE).classification).toBe("public");
    const unlisted = subjectOf({ ...REQUEST, data: { classification: "cosmic" } });
    expect(situate(policy, unlisted)).toMatchObject({ classification: "restricted", classificationStated: true });
    expect(situate(policy, subjectOf(REQUEST))).toMatchObject({ classification: "internal", classificationStated: false });
  });
});
