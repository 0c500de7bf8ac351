import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { FACTS } from "../../src/core/facts.ts";
import { judge } from "../../src/core/judge.ts";
import type { Obligation } from "../../src/core/obligations.ts";
import { AGENT_TRUST_LEVELS, REASON_CODES } from "../../src/core/words.ts";
import { policyOf } from "../policies.ts";
import { type Question, questions, READ_FACTS } from "./random-policies.ts";
import { randomRuns } from "./random-rules.ts";
import { LAWS, type Laws, type ObligationJson, type Specified, specify } from "./specification.ts";

const runs = randomRuns(6_000);

const failing = (): never => {
  throw new RangeError("the rules cannot be asked");
};

/** What the real decision says, in the words of the specification. */
function decide({ policy, subject, evaluates }: Question): Specified {
  const { judgement } = judge(policyOf(policy), subject, evaluates ? {} : { evaluate: failing });
  const { outcome, basis, score, level, reasonCodes, holds, findings, obligations = [], approvedBy, validUntil } = judgement;
  const standing = findings.map(({ rule, event, result, points }) => `${rule} ${event} ${result === "matched" ? "TRUE" : "UNKNOWN"} ${points}`);
  return {
    outcome,
    basis,
    score,
    level,
    reasonCodes,
    standing,
    holds,
    obligations: obligations.map(obligationJson),
    ...(approvedBy !== undefined && { approvedBy }),
    ...(validUntil !== undefined && { validUntil }),
  };
}

const obligationJson = (obligation: Obligation): ObligationJson =>
  obligation.type === "limit_rows" ? { type: obligation.type, rows_max: obligation.rowsMax } : obligation;

const decided: { readonly question: Question; readonly said: Specified }[] = [];
let failure: string | undefined;
beforeAll(async () => {
  const property = fc.property(questions, (question) => {
    const said = decide(question);
    decided.push({ question, said });
    expect(said).toEqual(specify(question.policy, question.subject, question.evaluates));
  });
  const details = fc.check(property, { ...runs, includeErrorInReport: true });
  if (details.failed) failure = fc.defaultReportMessage(details);
}, 300_000);

describe("the real decision", () => {
  it("is what the specification says, in every part", () => {
    expect(failure).toBeUndefined();
    expect(decided).toHaveLength(runs.numRuns);
  });
});

/** Rules and bands that ask. */
const asksOf = ({ standing, level }: Specified): number =>
  standing.filter((text) => text.includes(" require-approval ")).length + (level === "middle" ? 1 : 0);
const assertedBy = ({ request: { delegation: [first] = [] } }: Question["subject"]): string | undefined =>
  first?.type === "user" ? `user:${first.id}` : undefined;
const countOf = (is: (said: Specified) => boolean): number => decided.filter(({ said }) => is(said)).length;

describe("the random decisions", () => {
  it.each<[what: string, share: number, is: (said: Specified) => boolean]>([
    ["ALLOW", 0.05, ({ outcome }) => outcome === "ALLOW"],
    ["REQUIRE_APPROVAL", 0.05, ({ outcome }) => outcome === "REQUIRE_APPROVAL"],
    ["DENY", 0.05, ({ outcome }) => outcome === "DENY"],
    ["basis AVAILABLE", 0.05, ({ basis }) => basis === "AVAILABLE"],
    ["basis AUTHORIZED", 0.02, ({ basis }) => basis === "AUTHORIZED"],
    ["basis INFERRED", 0.0005, ({ basis }) => basis === "INFERRED"],
    [
      "a basis that the scope keeps from being AUTHORIZED",
      0.001,
      ({ basis, reasonCodes }) => basis !== "NONE" && reasonCodes.includes("OUTSIDE_SCOPE"),
    ],
    ["another statement than the registered one", 0.05, ({ standing }) => standing.some((text) => text.startsWith("behest:statement-differs"))],
    ["basis NONE", 0.05, ({ basis }) => basis === "NONE"],
    ["the low band", 0.05, ({ level }) => level === "low"],
    ["the middle band", 0.02, ({ level }) => level === "middle"],
    ["the top band", 0.02, ({ level }) => level === "top"],
    ["a score of 100", 0.002, ({ score }) => score === 100],
    ["merged obligations", 0.01, ({ obligations }) => obligations.length > 1],
    ["several holds", 0.01, ({ holds }) => holds.length > 1],
    ["a hold of one's own approvers", 0.005, ({ holds }) => holds.some(({ approvers }) => approvers.includes("issuer"))],
    ["what people have agreed to", 0.005, ({ approvedBy }) => approvedBy !== undefined],
    ["several holds that people have agreed to", 0.0005, (said) => said.approvedBy !== undefined && asksOf(said) > 1],
    ["a question to the person whose task it is", 0.005, ({ holds }) => holds.some(({ approvers }) => approvers[0] === "principal")],
    ["an unknown rule", 0.05, ({ standing }) => standing.some((text) => text.includes(" UNKNOWN "))],
    [
      "an unknown deny and nothing else",
      0.001,
      ({ standing, reasonCodes }) => reasonCodes.join() === "RULE_DENY" && standing.every((text) => !text.includes("deny TRUE")),
    ],
    ["a grant", 0.02, ({ standing }) => standing.some((text) => text.includes("allow TRUE"))],
    ["an unknown grant", 0.002, ({ standing }) => standing.some((text) => text.includes("allow UNKNOWN"))],
    ["negative points", 0.02, ({ standing }) => standing.some((text) => /-\d+$/.test(text))],
    ["two agents outside their reach", 0.005, ({ standing }) => standing.filter((text) => text.startsWith("behest:outside-reach")).length > 1],
  ])("reach %s often enough", (_, share, is) => {
    expect(countOf(is) / decided.length).toBeGreaterThan(share);
  });

  /** No credential can be verified yet, so no identity can be found to differ. */
  const UNREACHABLE = ["IDENTITY_MISMATCH"];
  it.each(REASON_CODES.filter((code) => !UNREACHABLE.includes(code)))("reach the reason code %s", (code) => {
    expect(countOf(({ reasonCodes }) => reasonCodes.includes(code)) / decided.length).toBeGreaterThan(0.002);
  });

  it.each(["allow", "ask", "deny"])("reach the basis answer `%s` where it decides", (answer) => {
    const decides: Readonly<Record<string, (said: Specified) => boolean>> = {
      allow: ({ outcome }) => outcome === "ALLOW",
      ask: ({ reasonCodes }) => reasonCodes.includes("BASIS_ASKS"),
      deny: ({ reasonCodes }) => reasonCodes.includes("BASIS_DENIED"),
    };
    expect(countOf(decides[answer] ?? (() => false)) / decided.length).toBeGreaterThan(0.01);
  });

  it("are made by rules that read every declared fact", () => {
    expect(Object.keys(FACTS).filter((name) => !READ_FACTS.has(name))).toEqual([]);
  });
});

describe("a broken twin of the specification is caught when it", () => {
  it.each<[says: string, twin: Partial<Laws>]>([
    ["ignores the reach of all agents but the acting one", { bound: (_, agent) => [agent] }],
    ["ignores the reach of agents in the middle", { bound: (chain, agent) => LAWS.bound(chain.slice(0, 1), agent) }],
    ["lets a paused agent keep its reach", { serves: (status) => status !== "retired" }],
    ["lets a retired agent keep its reach", { serves: (status) => status !== "paused" }],
    ["takes the day of its review for too late", { isOverdue: (at, reviewBy) => new Date(at).toISOString().slice(0, 10) >= reviewBy }],
    ["takes no review for overdue", { isOverdue: () => false }],
    ["takes a definition that nobody stated for another one", { hasDrifted: (pinned, stated) => pinned !== undefined && pinned !== stated }],
    ["takes a definition that nobody pinned for another one", { hasDrifted: (pinned, stated) => stated !== undefined && pinned !== stated }],
    ["lets a suspension be", { stops: () => [] }],
    ["tells of one suspension alone", { stops: (suspended) => suspended.slice(0, 1) }],
    ["believes whoever says that another's agent handed a task on", { giver: () => undefined }],
    ["lets a token ask for every agent", { entitles: () => true }],
    ["lets a token without a list ask for none", { entitles: (agents, agent) => LAWS.entitles(agents ?? [], agent) }],
    ["lets a token ask for those agents alone that it spells out", { entitles: (agents, agent) => agents === undefined || agents.includes(agent) }],
    ["ignores an unknown deny", { denies: (truth) => truth === "TRUE" }],
    ["ignores an unknown require-approval", { asks: (truth) => truth === "TRUE" }],
    ["lifts by an unknown allow", { lifts: (truth) => truth !== "FALSE" }],
    ["lowers the score by unknown negative points", { points: (_, points) => points }],
    ["adds nothing for an unknown risk", { points: (truth, points) => (truth === "UNKNOWN" ? 0 : points) }],
    ["lets `*` cover the unknown effect", { covers: (words, effect) => words.includes(effect) || words.includes("*") }],
    ["takes an unlisted classification for the lowest", { rank: (order, word) => Math.max(0, order.indexOf(word)) }],
    [
      "keeps the top band for what lies above its border",
      { level: (score, { middle, top }) => (score > top ? "top" : score >= middle ? "middle" : "low") },
    ],
    ["begins the middle band above its border", { level: (score, { middle, top }) => (score >= top ? "top" : score > middle ? "middle" : "low") }],
    ["leaves out an unknown obligation", { obliges: (truth) => truth === "TRUE" }],
    ["merges limits to the largest", { rows: (all) => Math.max(...all) }],
    ["merges log levels to the lowest", { loudest: (all) => ["debug", "info", "warn", "error"].find((level) => all.includes(level)) }],
    ["allows what the enforcement point cannot fulfil", { fulfils: () => true }],
    ["holds nobody to a bound on obligations", { itemsMax: Number.POSITIVE_INFINITY }],
    ["lets a score fall below 0", { clamp: (sum) => Math.min(100, sum) }],
    ["lets a score rise above 100", { clamp: (sum) => Math.max(0, sum) }],
    ["believes a better effect than the catalog's", { worse: (listed, stated) => stated ?? listed }],
    ["does not hear a worse effect than the catalog's", { worse: (listed) => listed }],
    ["forgets the catalog's effect for a worse one", { named: (_, effect) => [effect] }],
    ["labels resources as they are spelled", { spellings: (resource) => [resource.toLowerCase()] }],
    ["labels resources with regard to case", { spellings: (resource) => LAWS.spellings(resource).filter((spelling) => resource.includes(spelling)) }],
    ["takes an obscured spelling for a plain one", { isObscured: () => false }],
    ["takes only `..` for an obscured spelling", { isObscured: (resource) => resource.includes("..") }],
    ["lets `*` cross segments", { matches: (glob, text) => LAWS.matches(glob.replaceAll("*", "**"), text) }],
    ["lets a closed task go on", { refusals: { ...LAWS.refusals, closed: undefined } }],
    ["lets an expired task go on", { refusals: { ...LAWS.refusals, expired: undefined } }],
    ["lets a revoked task go on", { refusals: { ...LAWS.refusals, revoked: undefined } }],
    ["takes a chain of one's own for the task's", { refusals: { ...LAWS.refusals, mismatch: undefined } }],
    ["lets another tenant's agent hand work on", { serving: (chain) => chain.slice(-1) }],
    ["takes what a planner proposed for issued", { authorizes: (_, added) => added === 0 }],
    ["infers nothing", { infers: () => false }],
    ["infers what the words do not ask for", { infers: (intent) => LAWS.infers({ ...intent, scope: "inside" }) }],
    [
      "infers what goes to somebody whom free text names",
      { infers: ({ provenance: { destination }, ...intent }) => intent.scope === "inside" && destination !== "unseen" },
    ],
    [
      "infers what goes to somebody whom nobody names",
      { infers: ({ provenance: { destination }, ...intent }) => intent.scope === "inside" && destination !== "free_text" },
    ],
    ["infers below the task's agent", { infersBelow: () => true }],
    ["lets a grant go on below the task's agent", { authorizes: (kind) => kind === "issued" }],
    ["lets an empty list restrict nothing", { allows: (list, text) => list?.length === 0 || LAWS.allows(list, text) }],
    ["lets what names no resource lie in any scope", { within: (globs, resources) => resources.length === 0 || LAWS.within(globs, resources) }],
    ["lets one resource inside do for all", { within: (globs, resources) => LAWS.within(globs, resources.slice(0, 1)) }],
    ["hands a task on to whomever", { handsOn: ({ delegates: _, ...scope }, added) => LAWS.handsOn(scope, added) }],
    ["hands a task on however deep", { handsOn: ({ maxDepth: _, ...scope }, added) => LAWS.handsOn(scope, added) }],
    ["takes a cap that is not listed for the highest", { cap: LAWS.rank }],
    [
      "charges a worse effect under its own name alone",
      { charged: (listed, effect) => LAWS.charged(effect === "unknown" ? effect : listed, effect).slice(-1) },
    ],
    ["charges the catalog's effect alone", { charged: (listed) => [listed] }],
    ["charges what is unknown as nothing else", { charged: (listed, effect) => [listed, effect] }],
    ["counts the task's own budget alone", { counted: (budgets) => budgets.slice(-1) }],
    ["counts the root's budget alone", { counted: (budgets) => budgets.slice(0, 1) }],
    ["makes one call more than it may", { isOver: ({ used, max }, more) => used + more > max + 1 }],
    ["makes one call less than it may", { isOver: ({ used, max }, more) => used + more >= max }],
    ["moves a currency without a budget", { amount: (amounts, currency) => amounts[currency] ?? Number.POSITIVE_INFINITY }],
    ["moves what nobody can read", { spendsUnclear: true }],
    ["takes every currency for one of two digits", { digits: () => 2 }],
    ["takes the first of several amounts", { total: (amounts) => LAWS.total(amounts.slice(0, 1)) }],
    ["measures the first budget alone", { percent: (caps) => LAWS.percent(caps.slice(0, 1)) }],
    ["takes a cap of nothing for used up", { percent: (caps) => (caps.some(({ max }) => max === 0) ? 100 : LAWS.percent(caps)) }],
    ["allows until the instant at which a task expires", { lastMoment: (until) => until }],
    ["allows beyond the end of a task", { lastMoment: () => Number.POSITIVE_INFINITY }],
    ["keeps silent about other words", { remarks: () => false }],
    ["takes what its issuer is asked for as issued", { isAvailable: (_, authorized) => !authorized }],
    ["trusts a chain as far as its most trusted agent", { leastTrust: (levels) => AGENT_TRUST_LEVELS.find((level) => levels.includes(level)) }],
    ["lets agents without an owner share one", { crosses: (owners) => new Set(owners).size > 1 }],
    ["takes a service for a person", { distance: (type, agents) => LAWS.distance(type === "service" ? "user" : type, agents) }],
    ["counts no agent between a person and the one that acts", { distance: (type) => LAWS.distance(type, 1) }],
    ["takes a service for the person whose task it is", { principal: ({ task: { registered } }) => registered && `user:${registered.principal.id}` }],
    ["takes an asserted person for the one whose task it is", { principal: (subject) => LAWS.principal(subject) ?? assertedBy(subject) }],
    ["asks others what was meant", { intent: (_, otherwise) => otherwise }],
    ["asks whoever asks", { asker: () => "" }],
    ["asks the agent that acts", { agents: (subject) => LAWS.agents(subject).filter((agent) => agent !== subject.request.agent.id) }],
    ["asks agents that handed the task on", { agents: ({ request }) => [request.agent.id] }],
    ["does not know an agent by another kind of name", { isNamed: () => false }],
    ["lets a person decide what their own task may do", { answersForOneself: () => true }],
    ["never asks the person whose task it is", { answersForOneself: () => false }],
    ["counts one person twice", { isEnough: (people, quorum) => people.length >= quorum }],
    ["asks one person fewer than the hold does", { isEnough: (people, quorum) => new Set(people).size >= Math.max(1, quorum - 1) }],
    ["takes a no for a yes", { says: () => true }],
    ["takes an answer to one hold for an answer to all", { answers: () => true }],
    ["counts whoever might answer once", { isStill: () => true }],
    ["lets whoever is said to stand behind it decide", { standsBehind: () => [] }],
    ["believes a token file", { isVerified: () => true }],
    ["takes holds of one name for the same", { isSame: (a, b) => a.name === b.name }],
    ["takes holds of other people for the same", { isSame: (a, b) => a.name === b.name && a.quorum === b.quorum }],
    [
      "takes holds of another quorum for the same",
      { isSame: (a, b) => a.name === b.name && JSON.stringify(a.approvers) === JSON.stringify(b.approvers) },
    ],
    ["lets an approval cover a higher score", { isShown: () => true }],
    ["lets an approval cover a lower score alone", { isShown: (score, shown) => score < shown }],
    ["asks people about what they cannot see", { isWhole: () => true }],
    ["goes on asking for whoever was told not to", { isHeard: () => true }],
    ["asks until somebody says yes", { isDenied: () => false }],
    ["lets an approval be used at its end", { usableUntil: ({ until }) => until }],
    ["lets an approved action outlast its approval", { usableUntil: () => Number.POSITIVE_INFINITY }],
    ["keeps silent about an approval that does not help", { isInapplicable: () => false }],
    ["takes one that has to be waited for as one that does not help", { isInapplicable: ({ request }) => request.approvalId !== undefined }],
    ["lets `**` cross no segment", { matches: (glob, text) => LAWS.matches(glob === "*" ? glob : glob.replaceAll("**", "*"), text) }],
  ])("%s", (_, twin) => {
    const laws = { ...LAWS, ...twin };
    const differs = ({ question: { policy, subject, evaluates }, said }: (typeof decided)[number]): boolean =>
      !isDeepStrictEqual(specify(policy, subject, evaluates, laws), said);
    expect(decided.some(differs)).toBe(true);
  });
});
