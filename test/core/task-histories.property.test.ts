import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { canonical } from "../../src/canonical.ts";
import { createDecider } from "../../src/core/decide.ts";
import { ServiceError } from "../../src/core/errors.ts";
import { createKeyedDigest } from "../../src/core/masking.ts";
import type { Policy } from "../../src/core/policy.ts";
import { createReports } from "../../src/core/reports.ts";
import type { Caller } from "../../src/core/request.ts";
import type { Spent } from "../../src/core/tasks/budget.ts";
import { createTaskKeeper } from "../../src/core/tasks/keeper.ts";
import type { TaskStatus } from "../../src/core/tasks/status.ts";
import { durationMs, instant } from "../../src/core/words.ts";
import { createMemoryDecisionCache } from "../../src/storage/memory/decision-cache.ts";
import { createMemoryLedger } from "../../src/storage/memory/ledger.ts";
import { policyOf } from "../policies.ts";
import { LIMITS, MASK_KEY } from "../storage/deciders.ts";
import { diceOf, type Past, POLICIES, passes, stepOf, worldOf } from "./random-histories.ts";
import { randomRuns } from "./random-rules.ts";
import { createTreeModel, type Said, type Step, TREE_LAWS, type TreeLaws } from "./task-specification.ts";

const compiled: readonly Policy[] = POLICIES.map((policy) => policyOf(policy));
const keyedDigest = createKeyedDigest(MASK_KEY);

/** The real keeper, decider and reports over a ledger in memory. */
function begin(policyAt: number) {
  const ledger = createMemoryLedger();
  const world = worldOf(POLICIES[policyAt] as (typeof POLICIES)[number]);
  let now = Date.UTC(2026, 0, 5, 9);
  let ids = 0;
  const ports = {
    ledger,
    policies: { current: () => compiled[policyAt] as Policy },
    clock: { now: () => instant(now) },
    newId: () => `id-${++ids}`,
    keyedDigest,
  };
  const { childrenMax, depthMax, lifetimeMs, lifetimeMaxMs } = world.limits;
  return {
    world,
    keeper: createTaskKeeper({
      ...ports,
      limits: {
        registeredTasksMax: 1_000,
        taskChildrenMax: childrenMax,
        delegationDepthMax: depthMax,
        taskLifetime: durationMs(lifetimeMs),
        taskLifetimeMax: durationMs(lifetimeMaxMs),
      },
    }),
    decider: createDecider({
      ...ports,
      cache: createMemoryDecisionCache(100),
      canonical,
      limits: LIMITS,
      onEvaluationError: (error) => {
        throw error;
      },
    }),
    reports: createReports({ ...ports, limits: LIMITS }),
    now: () => now,
    pass(ms: number) {
      now += ms;
    },
  };
}
type Real = ReturnType<typeof begin>;

const nonZero = (counts: Readonly<Record<string, number | undefined>>): Said =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0));
const spentOf = ({ calls, amounts }: Spent): Said => ({ calls: nonZero(calls), amounts: nonZero(amounts) });

/** A task as it stands, in the words of the specification. */
function statusSaid({ task, ended, spent, left, seen, unreported, decided, children }: TaskStatus): Said {
  return {
    id: task.id,
    root: task.root,
    parent: task.parent,
    depth: task.depth,
    kind: task.scopeKind,
    agent: task.agent,
    statement: task.statement,
    scope: task.scope,
    expires: task.expiresAt,
    ended: ended && { task: ended.task, how: ended.how },
    spent: spentOf(spent),
    left: { ...left.calls, ...left.amounts },
    seen,
    unreported,
    decided: [decided.allowed, decided.denied, decided.held],
    children,
  };
}

const sorted = (words: readonly string[]): readonly string[] => [...new Set(words)].sort();

async function live({ keeper, decider, reports }: Real, step: Step): Promise<Said> {
  try {
    switch (step.kind) {
      case "open":
        return statusSaid(await keeper.open(step.caller, step.asked));
      case "delegate": {
        const { status, trimmed } = await keeper.delegate(step.caller, step.asked);
        return { ...statusSaid(status), trimmed: sorted(trimmed.map(({ part }) => part)) };
      }
      case "close":
        return statusSaid(await keeper.close(step.caller, { id: step.id }));
      case "revoke":
        return statusSaid((await keeper.revoke(step.caller, { id: step.id })).status);
      case "look":
        return statusSaid(keeper.get(step.caller, step.id).status);
      case "decide": {
        const { record } = await decider.decide({ caller: step.caller, request: step.request });
        const { outcome, basis, reasonCodes, validUntil } = record.judgement;
        const { task } = record.subject;
        const budgets = task.registered?.budgets?.map((budget) => ({ ...budget, spent: spentOf(budget.spent) }));
        const standing = { ...task, ...(task.registered && { registered: { ...task.registered, ...(budgets && { budgets }) } }) };
        return { id: record.id, outcome, basis, reasonCodes, validUntil, standing: task.standing === "unknown" ? { standing: "unknown" } : standing };
      }
      case "report": {
        const { report, repeated } = await reports.report(step.caller, step.asked);
        return { bypassed: report.bypassed, late: report.late, givesBack: report.refund !== undefined, repeated };
      }
    }
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    const wide = error.code === "SCOPE_TOO_WIDE" ? { wide: sorted((error.detail.violations ?? []).map(({ field }) => field)) } : {};
    return { error: error.code, ...wide };
  }
}

interface Lived {
  readonly step: Step;
  readonly at: number;
  readonly said: Said;
}
interface History {
  readonly policyAt: number;
  readonly lived: readonly Lived[];
}

const OPERATORS: readonly Caller[] = ["default", "elsewhere"].map((tenant) => ({ tenant, id: "ops", roles: ["operator"] }));

/** Lives a history through, and looks at every task in the end. */
async function liveThrough(numbers: readonly number[]): Promise<History> {
  const [first = 0, ...seeds] = numbers;
  const policyAt = first % POLICIES.length;
  const real = begin(policyAt);
  const lived: Lived[] = [];
  const tasks: Past["tasks"][number][] = [];
  const decisions: Past["decisions"][number][] = [];
  const take = async (step: Step): Promise<Said> => {
    const said = await live(real, step);
    lived.push({ step, at: real.now(), said });
    return said;
  };
  for (const seed of seeds) {
    const dice = diceOf(seed);
    real.pass(passes(dice));
    const step = stepOf(dice, { now: real.now(), tasks, decisions });
    const said = await take(step);
    if ("error" in said) continue;
    if (step.kind === "open") {
      const { type, id } = step.asked.principal;
      tasks.push({
        id: String(said["id"]),
        hops: [
          { type, id },
          { type: "agent", id: step.asked.agent, taskId: String(said["id"]) },
        ],
      });
    } else if (step.kind === "delegate") {
      const above = tasks.find(({ id }) => id === step.asked.taskId)?.hops ?? [];
      tasks.push({ id: String(said["id"]), hops: [...above, { type: "agent", id: step.asked.agent, taskId: String(said["id"]) }] });
    } else if (step.kind === "decide") decisions.push({ id: String(said["id"]), caller: step.caller });
  }
  for (const { id } of tasks) for (const caller of OPERATORS) await take({ kind: "look", caller, id });
  return { policyAt, lived };
}

/** The first step that the specification answers otherwise. */
function firstDifference({ policyAt, lived }: History, laws: TreeLaws = TREE_LAWS) {
  const model = createTreeModel(worldOf(POLICIES[policyAt] as (typeof POLICIES)[number]), laws);
  for (const { step, at, said } of lived) {
    const specified = model.live(step, at, String(said["id"]));
    if (canonicalText(specified) !== canonicalText(said)) return { step, at, said, specified };
  }
  return undefined;
}

/** What was lived through up to where the two differ, and how. */
function told({ policyAt, lived }: History, { step, said, specified }: NonNullable<ReturnType<typeof firstDifference>>): string {
  const before = lived
    .slice(0, lived.findIndex((one) => one.step === step) + 1)
    .map((one) => `${new Date(one.at).toISOString()} ${JSON.stringify(one.step)}`);
  const parts = [...new Set([...Object.keys(said), ...Object.keys(specified)])].filter(
    (key) => canonicalText({ key: said[key] }) !== canonicalText({ key: specified[key] }),
  );
  const differ = parts.map((key) => `${key}\n  is        ${JSON.stringify(said[key])}\n  should be ${JSON.stringify(specified[key])}`);
  return [`under policy ${policyAt}`, ...before, ...differ].join("\n");
}

/** Without what is undefined, keys in order. */
const canonicalText = (said: Said): string => canonical(JSON.parse(JSON.stringify(said)));

const runs = randomRuns(20_000);
const histories: History[] = [];
let failure: string | undefined;

beforeAll(async () => {
  const numbers = fc.array(fc.nat({ max: 2 ** 31 - 1 }), { minLength: 5, maxLength: 13, size: "max" });
  const property = fc.asyncProperty(numbers, async (drawn) => {
    const history = await liveThrough(drawn);
    histories.push(history);
    const difference = firstDifference(history);
    if (difference) throw new Error(told(history, difference));
  });
  const details = await fc.check(property, { ...runs, includeErrorInReport: true });
  if (details.failed) failure = fc.defaultReportMessage(details);
}, 600_000);

describe("the real tasks", () => {
  it("answer every step of every history as the specification does", () => {
    expect(failure).toBeUndefined();
    expect(histories).toHaveLength(runs.numRuns);
  });
});
