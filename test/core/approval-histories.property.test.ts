import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { ApprovalStatus } from "../../src/core/approvals/status.ts";
import { ServiceError } from "../../src/core/errors.ts";
import { judge } from "../../src/core/judge.ts";
import type { Policy } from "../../src/core/policy.ts";
import { subjectOf } from "../../src/core/record.ts";
import type { Caller } from "../../src/core/request.ts";
import { instant } from "../../src/core/words.ts";
import {
  APPROVAL_LAWS,
  type ApprovalLaws,
  createApprovalModel,
  type HoldModel,
  type PolicyModel,
  type RequestModel,
  type Said,
  type Step,
  type WorldModel,
} from "./approval-specification.ts";
import { asking, GATEWAY, type LiveApprovals, liveApprovals, PORTAL, payPolicy } from "./live-approvals.ts";
import { type Dice, diceOf } from "./random-histories.ts";
import { randomRuns } from "./random-rules.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const PER_HOUR = { agent: 3, task: 2 };

const PAYMENTS: HoldModel = { name: "payments-are-asked", approvers: ["group:finance"], quorum: 1 };
const MEANT: HoldModel = { name: "was-it-meant", approvers: ["principal"], quorum: 1 };
const FINANCE = ["user:ann", "user:bo", "user:alice", "user:payer", "gateway"];
const usual: PolicyModel = { holds: [PAYMENTS], score: 0, finance: FINANCE };

/** The usual one mostly; what follows each changes what people are asked, or who they are. */
const POLICIES: readonly PolicyModel[] = [
  usual,
  usual,
  { ...usual, holds: [{ ...PAYMENTS, quorum: 2 }] },
  { ...usual, finance: ["user:bo", "user:cy", "user:payer"] },
  { ...usual, holds: [PAYMENTS, MEANT] },
  { ...usual, score: 10 },
  { ...usual, finance: ["user:alice", "user:payer", "gateway"] },
];

const compiled: ReadonlyMap<PolicyModel, Policy> = new Map(
  POLICIES.map((policy) => [
    policy,
    payPolicy({
      finance: policy.finance,
      quorum: policy.holds[0]?.quorum ?? 1,
      points: policy.score,
      rules: policy.holds.includes(MEANT) ? [asking(MEANT.name, MEANT.approvers)] : [],
      settings: { asked_per_hour: PER_HOUR, endorsement_uses_max: 3 },
    }),
  ]),
);
const compiledOf = (policy: PolicyModel): Policy => compiled.get(policy) as Policy;

/** By hand. */
const MEMOS: Readonly<Record<string, readonly string[]>> = {
  "invoice of May": [],
  "invoice of June": [],
  "for x@corp.example": ["x"],
  "y@corp.example asks for it": ["y"],
};
const TASKS = ["id-1", "id-2"];
const START = Date.UTC(2026, 0, 5, 9);
const WORLD: WorldModel = {
  policy: usual,
  tasks: { "id-1": START + 30 * HOUR, "id-2": START + 100 * MINUTE },
  agent: "payer",
  principal: "user:alice",
  lifetimeMs: HOUR,
  perHour: PER_HOUR,
  usesMax: 3,
  namedIn: (text) => MEMOS[text] ?? [],
};

const callerOf = (id: string): Caller => ({ ...GATEWAY, id });
const approverOf = (id: string): Caller => ({ tenant: "default", id, roles: ["approver"] });

async function started(): Promise<LiveApprovals> {
  const live = liveApprovals({ policy: compiledOf(usual) });
  for (const task of TASKS) {
    await live.tasks.open(PORTAL, {
      statement: "pay the invoices",
      principal: { type: "user", id: "alice" },
      agent: WORLD.agent,
      scopeKind: "issued",
      scope: {},
      expiresAt: instant(WORLD.tasks[task] ?? 0),
    });
  }
  return live;
}

const shown = ({ standing, state }: ApprovalStatus): Said => ({
  standing,
  used: state.used,
  answers: state.answers.length,
  kind: state.approval.kind,
});

async function decided({ decider }: LiveApprovals, { caller, task, amount, memo, approvalId }: RequestModel, policy: PolicyModel): Promise<Said> {
  const { record } = await decider.decide({
    caller: callerOf(caller),
    request: {
      agent: { id: WORLD.agent },
      task: { id: task },
      action: { tool: "bank/pay", arguments: { to: "somebody", amount, currency: "EUR", memo } },
      ...(approvalId !== undefined && { approvalId }),
    },
  });
  expect(judge(compiledOf(policy), subjectOf(record)).judgement).toEqual(record.judgement);
  const { outcome, reasonCodes: codes } = record.judgement;
  return { outcome, codes, ...(record.approval && { approval: record.approval.id, state: record.approval.state }) };
}

async function live(real: LiveApprovals, step: Step, policy: PolicyModel): Promise<Said> {
  try {
    switch (step.kind) {
      case "decide":
        return await decided(real, step.request, policy);
      case "answer": {
        const { by, id, verdict, comment, uses = 1 } = step;
        const said = { id, verdict, ...(comment !== undefined && { comment }), ...(uses > 1 && { endorsement: { uses } }) };
        return shown(await real.approvals.resolve(approverOf(by), said));
      }
      case "look":
        return shown(real.approvals.status(approverOf("user:ann"), step.id));
      case "close":
        await real.tasks.close(PORTAL, { id: step.task });
        return {};
      case "load":
        real.load(compiledOf(step.policy));
        return {};
      case "sweep":
        return { swept: await real.approvals.sweep() };
    }
  } catch (error) {
    if (error instanceof ServiceError) return { error: error.code };
    throw error;
  }
}

const PEOPLE = ["user:ann", "user:ann", "user:bo", "user:bo", "user:cy", "user:alice", "user:payer", "gateway", "user:local"];

function stepOf(dice: Dice, ids: readonly string[]): Step {
  const latest = (): string => (dice.once(30) ? "id-0" : (ids.at(-1 - Math.min(dice.roll(ids.length), dice.roll(4))) ?? "id-0"));
  const kind = dice.pick(["decide", "decide", "decide", "decide", "answer", "answer", "answer", "answer", "load", "sweep", "close", "look"]);
  switch (kind) {
    case "answer": {
      const verdict = dice.pick(["approve", "approve", "approve", "approve", "deny", "revoke"] as const);
      const uses = dice.pick([1, 1, 2, 3, 3, 4]);
      return {
        kind,
        by: dice.pick(PEOPLE),
        id: latest(),
        verdict,
        ...(verdict === "deny" && !dice.once(6) && { comment: "no" }),
        ...(verdict === "approve" && { uses }),
      };
    }
    case "load":
      return { kind, policy: dice.pick(POLICIES) };
    case "sweep":
      return { kind };
    case "close":
      return dice.once(6) ? { kind, task: dice.pick(TASKS) } : { kind: "sweep" };
    case "look":
      return { kind, id: latest() };
    default:
      return { kind: "decide", request: requestOf(dice, ids, latest) };
  }
}

function requestOf(dice: Dice, ids: readonly string[], latest: () => string): RequestModel {
  return {
    caller: dice.once(12) ? "gateway-2" : "gateway",
    task: dice.once(8) ? "id-2" : "id-1",
    amount: dice.pick([50, 50, 50, 50, 20, 100]),
    memo: dice.once(3) ? dice.pick(Object.keys(MEMOS)) : "invoice of May",
    ...(ids.length > 0 && !dice.once(3) && { approvalId: latest() }),
  };
}

/** Mostly a moment, sometimes past some end; and now and then somebody puts the clock back. */
const passes = (dice: Dice): number => dice.pick([0, 0, 0, 0, 1, 1, MINUTE, 10 * MINUTE, 10 * MINUTE, 35 * MINUTE, HOUR, -5 * MINUTE, -50 * MINUTE]);

interface Lived {
  readonly step: Step;
  readonly at: number;
  readonly said: Said;
}

async function liveThrough(numbers: readonly number[]): Promise<readonly Lived[]> {
  const real = await started();
  const lived: Lived[] = [];
  const ids: string[] = [];
  let policy = usual;
  const take = async (step: Step): Promise<Said> => {
    const said = await live(real, step, policy);
    lived.push({ step, at: real.now(), said });
    return said;
  };
  for (const number of numbers) {
    const dice = diceOf(number);
    real.pass(passes(dice));
    const step = stepOf(dice, ids);
    const said = await take(step);
    if (step.kind === "load") policy = step.policy;
    const id = said["approval"];
    if (typeof id === "string" && !ids.includes(id)) ids.push(id);
  }
  for (const id of ids) await take({ kind: "look", id });
  return lived;
}

function firstDifference(lived: readonly Lived[], laws: ApprovalLaws = APPROVAL_LAWS) {
  const model = createApprovalModel(WORLD, laws);
  for (const { step, at, said } of lived) {
    const specified = model.live(step, at, String(said["approval"]));
    if (!isSame(specified, said)) return { step, at, said, specified };
  }
  return undefined;
}

const keyed = (said: Said): string => JSON.stringify(Object.entries(said).sort(([a], [b]) => (a < b ? -1 : 1)));
const isSame = (a: Said, b: Said): boolean => keyed(a) === keyed(b);

function told(lived: readonly Lived[], { step, said, specified }: NonNullable<ReturnType<typeof firstDifference>>): string {
  const before = lived.slice(0, lived.findIndex((one) => one.step === step) + 1);
  const lines = before.map((one) => `${new Date(one.at).toISOString()} ${JSON.stringify(one.step)} → ${JSON.stringify(one.said)}`);
  return [...lines, `is        ${keyed(said)}`, `should be ${keyed(specified)}`].join("\n");
}

const runs = randomRuns(2_000);
/** Of these each broken twin is asked. */
const KEPT = 4_000;
const kept: (readonly Lived[])[] = [];
let failure: string | undefined;

beforeAll(async () => {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  const numbers = fc.array(fc.nat({ max: 2 ** 31 - 1 }), { minLength: 8, maxLength: 30, size: "max" });
  const property = fc.asyncProperty(numbers, async (drawn) => {
    const lived = await liveThrough(drawn);
    if (kept.length < KEPT) kept.push(lived);
    const difference = firstDifference(lived);
    if (difference) throw new Error(told(lived, difference));
  });
  const details = await fc.check(property, { ...runs, includeErrorInReport: true });
  Error.stackTraceLimit = stackTraceLimit;
  if (details.failed) failure = fc.defaultReportMessage(details);
}, 600_000);

describe(`approvals in histories drawn with seed ${runs.seed}`, () => {
  it("are as the specification says at every step", () => {
    expect(failure).toBeUndefined();
  });

  const saidOf = (kind: Step["kind"]) => kept.flatMap((lived) => lived.filter(({ step }) => step.kind === kind));
  it.each<[what: string, kind: Step["kind"], is: (one: Lived) => boolean, share: number]>([
    ["ALLOW", "decide", ({ said }) => said["outcome"] === "ALLOW", 0.02],
    ["DENY of what was denied", "decide", ({ said }) => String(said["codes"]).includes("APPROVAL_DENIED"), 0.005],
    ["DENY of what nobody can answer", "decide", ({ said }) => String(said["codes"]) === "NO_APPROVER", 0.02],
    ["DENY of a task that is over", "decide", ({ said }) => String(said["codes"]).includes("TASK_"), 0.02],
    ["an approval that does not help", "decide", ({ said }) => String(said["codes"]).includes("NOT_APPLICABLE"), 0.1],
    ["one that has been approved and is not named", "decide", ({ said }) => said["outcome"] !== "ALLOW" && said["state"] === "approved", 0.002],
    ["one use of several", "decide", ({ said }) => said["outcome"] === "ALLOW" && said["state"] === "approved", 0.002],
    ["approved", "answer", ({ said }) => said["standing"] === "approved", 0.05],
    [
      "one of two who are needed",
      "answer",
      ({ step, said }) => step.kind === "answer" && step.verdict === "approve" && said["standing"] === "pending",
      0.005,
    ],
    ["denied", "answer", ({ said }) => said["standing"] === "denied", 0.02],
    ["taken back", "answer", ({ step, said }) => step.kind === "answer" && step.verdict === "revoke" && said["standing"] === "cancelled", 0.02],
    ["forbidden", "answer", ({ said }) => said["error"] === "CALLER_FORBIDDEN", 0.1],
    ["settled", "answer", ({ said }) => said["error"] === "APPROVAL_SETTLED", 0.05],
    ["unknown", "answer", ({ said }) => said["error"] === "APPROVAL_UNKNOWN", 0.02],
    ["going too far", "answer", ({ said }) => said["error"] === "REQUEST_MALFORMED", 0.01],
    ["a flood that somebody answers", "answer", ({ said }) => said["kind"] === "flood", 0.003],
    ["something written down", "sweep", ({ said }) => Number(said["swept"]) > 0, 0.05],
  ])("reach %s often enough", (_, kind, is, share) => {
    const all = saidOf(kind);
    expect(all.filter(is).length / all.length).toBeGreaterThan(share);
  });

  it.each<[says: string, twin: Partial<ApprovalLaws>]>([
    ["binds to whatever words", { binds: ({ memo: _, ...request }) => [request.caller, request.task, request.amount] }],
    ["binds to whatever amount", { binds: ({ caller, task, memo }) => [caller, task, memo] }],
    ["binds to whatever task", { binds: ({ caller, amount, memo }) => [caller, amount, memo] }],
    ["binds to whatever caller", { binds: ({ task, amount, memo }) => [task, amount, memo] }],
    ["lets a wider yes hold in other tasks", { fixes: ({ caller }) => [caller] }],
    ["lets a wider yes hold for others", { fixes: ({ task }) => [task] }],
    ["lets a wider yes hold for more", { isNoMore: () => true }],
    ["lets a wider yes name others", { namesNoOthers: () => true }],
    ["lets a yes be used for ever", { isUsedUp: () => false }],
    ["lets a wider yes be used once", { isUsedUp: () => true }],
    ["lets the widest yes count", { agreed: (uses) => Math.max(...uses) }],
    ["hears the same yes twice", { hearsTwice: true }],
    ["lets a yes become a wider one", { isSameYes: () => true }],
    ["lets those who ask answer", { mayAnswer: (person, hold, asks) => APPROVAL_LAWS.mayAnswer(person, hold, { ...asks, caller: "" }) }],
    ["lets those who act answer", { mayAnswer: (person, hold, asks) => APPROVAL_LAWS.mayAnswer(person, hold, { ...asks, agent: "" }) }],
    [
      "lets people decide about their own task",
      { mayAnswer: (person, hold, asks) => APPROVAL_LAWS.mayAnswer(person, hold, { ...asks, principal: "" }) },
    ],
    ["counts those who have lost the role", { membersAtUse: (_, then) => then }],
    ["takes holds of one name for the same", { isSameHold: (a, b) => a.name === b.name }],
    ["lets the risk be higher than it was shown", { isShown: () => true }],
    ["lets an approval be used at its end", { isOver: (at, end) => at > end }],
    ["lets an approval last", { isOver: () => false }],
    ["lets an approval come back with the clock", { staysOver: false }],
    ["lets an approval outlast its task", { endsWithTask: false }],
    ["asks until somebody says yes", { denialStands: false }],
    ["asks no more about what has changed", { replaces: false }],
    ["asks each time anew", { groups: false }],
    ["asks as often as it is wished", { isFlood: () => false }],
    ["asks once more in an hour", { isFlood: (asked, max) => asked > max }],
    ["hears an agent again at once that was told not to ask", { silencedFor: 0 }],
    ["never hears an agent again that was told not to ask", { silencedFor: Number.POSITIVE_INFINITY }],
    ["forgives nothing", { forgives: false }],
    ["takes nothing back", { takesBack: false }],
  ])("a broken twin of the specification is caught when it %s", (_, twin) => {
    const laws = { ...APPROVAL_LAWS, ...twin };
    expect(kept.some((lived) => firstDifference(lived, laws) !== undefined)).toBe(true);
  });
});
