import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { Judgement } from "../../src/core/combine.ts";
import { judge } from "../../src/core/judge.ts";
import type { Policy } from "../../src/core/policy.ts";
import type { Subject } from "../../src/core/situation.ts";
import { policyOf } from "../policies.ts";
import { questions } from "./random-policies.ts";
import { randomRuns } from "./random-rules.ts";

type Judging = (policy: Policy, subject: Subject) => Judgement;
const judging: Judging = (policy, subject) => judge(policy, subject).judgement;

interface Pair {
  readonly policy: Policy;
  readonly subject: Subject;
}

/** The same question, asked by somebody who knows of no approval. */
function unapproved({ approval: _, ...subject }: Subject): Subject {
  const { approvalId: __, ...request } = subject.request;
  return { ...subject, request };
}

/** What an approval may do to an outcome: it turns a question into an ALLOW, and nothing else into anything. */
function changesNoDenial(decide: Judging, { policy, subject }: Pair): boolean {
  const bare = judging(policy, unapproved(subject));
  const said = decide(policy, subject);
  if (said.score !== bare.score || said.level !== bare.level) return false;
  if (bare.outcome !== "REQUIRE_APPROVAL") return said.outcome === bare.outcome && said.approvedBy === undefined;
  if (said.outcome === "ALLOW") return said.approvedBy === subject.approval?.id && said.basis === "AUTHORIZED" && said.validUntil !== undefined;
  return said.outcome === "REQUIRE_APPROVAL" && JSON.stringify(said.holds) === JSON.stringify(bare.holds);
}

/** Whatever the approval says of itself: each hold has its people, none of whom asks or acts. */
function isEarned(decide: Judging, { policy, subject }: Pair): boolean {
  const { approval, request, caller } = subject;
  const bare = judging(policy, unapproved(subject));
  const said = decide(policy, subject);
  if (bare.outcome === "ALLOW" || said.outcome !== "ALLOW") return true;
  if (approval?.standing !== "covers" || bare.score > approval.score || (said.validUntil ?? 0) >= approval.until) return false;
  const acting = [request.agent.id, ...(request.delegation ?? []).filter(({ type }) => type === "agent").map(({ id }) => id)];
  return bare.holds.every(({ name, quorum }) => {
    const yes = approval.answers.filter(({ verdict, holds }) => verdict === "approve" && holds.includes(name)).map(({ by }) => by);
    const others = new Set(yes.filter((by) => by !== caller && !acting.some((agent) => by === agent || by.endsWith(`:${agent}`))));
    return others.size >= quorum && approval.holds.some((shown) => shown.name === name && shown.quorum === quorum);
  });
}

/** A record is JSON. */
const rederives = (decide: Judging, { policy, subject }: Pair): boolean =>
  JSON.stringify(decide(policy, JSON.parse(JSON.stringify(subject)))) === JSON.stringify(judging(policy, subject));

const { seed, numRuns } = randomRuns(1_500);
const pairs: Pair[] = [];

beforeAll(() => {
  for (const { policy, subject } of fc.sample(questions, { seed, numRuns })) pairs.push({ policy: policyOf(policy), subject });
}, 300_000);

const firstBroken = (property: (decide: Judging, pair: Pair) => boolean, decide: Judging): Subject | undefined =>
  pairs.find((pair) => !property(decide, pair))?.subject;

describe(`of decisions drawn with seed ${seed}`, () => {
  it("none is made better than ALLOW of a question by an approval, and no denial is changed", () => {
    expect(firstBroken(changesNoDenial, judging)).toBeUndefined();
  });

  it("each that people allowed was earned", () => {
    expect(firstBroken(isEarned, judging)).toBeUndefined();
    expect(pairs.filter(({ policy, subject }) => judging(policy, subject).approvedBy !== undefined).length / numRuns).toBeGreaterThan(0.004);
  });

  it("each re-derives from what is recorded of it", () => {
    expect(firstBroken(rederives, judging)).toBeUndefined();
  });

  const allowed = (judgement: Judgement, { approval }: Subject): Judgement => ({
    ...judgement,
    outcome: "ALLOW",
    basis: "AUTHORIZED",
    ...(approval && { approvedBy: approval.id }),
    validUntil: 0 as NonNullable<Judgement["validUntil"]>,
  });
  const believing: Judging = (policy, subject) => {
    const judgement = judging(policy, subject);
    return subject.approval?.standing === "covers" && judgement.outcome === "REQUIRE_APPROVAL" ? allowed(judgement, subject) : judgement;
  };

  it.each<[says: string, property: typeof isEarned, twin: Judging]>([
    [
      "allows what was denied",
      changesNoDenial,
      (policy, subject) => (subject.approval?.standing === "covers" ? allowed(judging(policy, subject), subject) : judging(policy, subject)),
    ],
    [
      "takes any approval that is named",
      isEarned,
      (policy, subject) => (subject.approval ? allowed(judging(policy, subject), subject) : judging(policy, subject)),
    ],
    ["takes whatever says that it covers", isEarned, believing],
    [
      "reads what is not recorded",
      rederives,
      (policy, subject) => (pairs.some((pair) => pair.subject === subject) ? judging(policy, subject) : judging(policy, unapproved(subject))),
    ],
  ])("a broken twin is caught that %s", (_, property, twin) => {
    expect(firstBroken(property, twin)).toBeDefined();
  });
});
