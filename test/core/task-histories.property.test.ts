import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { ServiceError } from "../../src/core/errors.ts";
import type { IntentStanding } from "../../src/core/intent/standing.ts";
import type { Policy } from "../../src/core/policy.ts";
import type { Caller } from "../../src/core/request.ts";
import type { Spent } from "../../src/core/tasks/budget.ts";
import type { TaskStatus } from "../../src/core/tasks/status.ts";
import { policyOf } from "../policies.ts";
import { type LiveTasks, liveTasks } from "./live-tasks.ts";
import { diceOf, type Past, POLICIES, passes, stepOf, worldOf } from "./random-histories.ts";
import { randomRuns } from "./random-rules.ts";
import { createTreeModel, type Said, type Step, TREE_LAWS, type TreeLaws } from "./task-specification.ts";

const compiled: readonly Policy[] = POLICIES.map((policy) => policyOf(policy));

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

async function live({ keeper, decider, reports }: LiveTasks, step: Step): Promise<Said> {
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
        const { task, intent } = record.subject;
        const budgets = task.registered?.budgets?.map((budget) => ({ ...budget, spent: spentOf(budget.spent) }));
        const standing = { ...task, ...(task.registered && { registered: { ...task.registered, ...(budgets && { budgets }) } }) };
        const known = task.standing === "unknown" ? { standing: "unknown" } : standing;
        return { id: record.id, outcome, basis, reasonCodes, validUntil, intent, standing: known };
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
  const real = liveTasks({ policy: compiled[policyAt] as Policy, limits: worldOf(POLICIES[policyAt] as (typeof POLICIES)[number]).limits });
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
    const specified = model.live(step, at, { id: String(said["id"]), intent: said["intent"] as IntentStanding | undefined });
    if (!isSame(specified, said)) return { step, at, said, specified };
  }
  return undefined;
}

/** What was lived through up to where the two differ, and how. */
function told({ policyAt, lived }: History, { step, said, specified }: NonNullable<ReturnType<typeof firstDifference>>): string {
  const before = lived
    .slice(0, lived.findIndex((one) => one.step === step) + 1)
    .map((one) => `${new Date(one.at).toISOString()} ${JSON.stringify(one.step)}`);
  const parts = [...new Set([...Object.keys(said), ...Object.keys(specified)])].filter((key) => !isSame(said[key], specified[key]));
  const differ = parts.map((key) => `${key}\n  is        ${JSON.stringify(said[key])}\n  should be ${JSON.stringify(specified[key])}`);
  return [`under policy ${policyAt}`, ...before, ...differ].join("\n");
}

/** Equal but for keys that hold nothing. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || a === null || typeof b !== "object" || b === null) return false;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, index) => isSame(item, b[index]));
  const [left, right] = [a as Said, b as Said];
  return (
    Object.keys(left).every((key) => isSame(left[key], right[key])) &&
    Object.keys(right).every((key) => right[key] === undefined || left[key] !== undefined)
  );
}

const runs = randomRuns(20_000);
/** Of these each property and each broken twin is asked. */
const KEPT = 3_000;
const kept: History[] = [];
let lived = 0;
let failure: string | undefined;

beforeAll(async () => {
  // Refusals are many, and where they were thrown is told to nobody.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  const numbers = fc.array(fc.nat({ max: 2 ** 31 - 1 }), { minLength: 5, maxLength: 13, size: "max" });
  const property = fc.asyncProperty(numbers, async (drawn) => {
    const history = await liveThrough(drawn);
    lived++;
    if (kept.length < KEPT) kept.push(history);
    const difference = firstDifference(history);
    if (difference) throw new Error(told(history, difference));
  });
  const details = await fc.check(property, { ...runs, includeErrorInReport: true });
  Error.stackTraceLimit = stackTraceLimit;
  if (details.failed) failure = fc.defaultReportMessage(details);
}, 600_000);

describe("the real tasks", () => {
  it("answer every step of every history as the specification does", () => {
    expect(failure).toBeUndefined();
    expect(lived).toBe(runs.numRuns);
  });
});

describe("the random histories", () => {
  const saidOf = (kind: Step["kind"]) => kept.flatMap((history) => history.lived.filter(({ step }) => step.kind === kind).map(({ said }) => said));
  const codesOf = (said: Said): readonly unknown[] => (said["reasonCodes"] as readonly unknown[] | undefined) ?? [];

  it.each(["ALLOW", "DENY", "REQUIRE_APPROVAL"])("reach %s often enough", (outcome) => {
    const decisions = saidOf("decide");
    expect(decisions.filter((said) => said["outcome"] === outcome).length / decisions.length).toBeGreaterThan(0.05);
  });

  it.each([
    "TASK_UNKNOWN",
    "TASK_CLOSED",
    "TASK_EXPIRED",
    "TASK_REVOKED",
    "CHAIN_MISMATCH",
    "CHAIN_BROKEN",
    "OUTSIDE_SCOPE",
    "CLASSIFICATION_EXCEEDED",
    "BUDGET_SPENT",
    "RULE_ASKS",
    "RISK_MIDDLE",
    "BASIS_ASKS",
    "BASIS_DENIED",
    "NO_APPROVER",
  ])("reach the reason code %s", (code) => {
    expect(saidOf("decide").filter((said) => codesOf(said).includes(code)).length / kept.length).toBeGreaterThan(0.005);
  });

  it.each<[kind: Step["kind"], code: string]>([
    ["open", "CALLER_FORBIDDEN"],
    ["open", "REQUEST_MALFORMED"],
    ["delegate", "TASK_UNKNOWN"],
    ["delegate", "TASK_ENDED"],
    ["delegate", "CALLER_FORBIDDEN"],
    ["delegate", "SCOPE_TOO_WIDE"],
    ["delegate", "REQUEST_MALFORMED"],
    ["delegate", "REQUEST_TOO_BIG"],
    ["delegate", "STATE_FULL"],
    ["close", "CALLER_FORBIDDEN"],
    ["revoke", "TASK_UNKNOWN"],
    ["report", "DECISION_UNKNOWN"],
    ["report", "REPORT_CONFLICT"],
    ["report", "REQUEST_MALFORMED"],
  ])("reach a refusal to %s: %s", (kind, code) => {
    expect(saidOf(kind).filter((said) => said["error"] === code).length).toBeGreaterThan(0);
  });

  it.each<[what: string, is: (said: Said) => boolean]>([
    ["what is inferred from the words of a task", (said) => said["basis"] === "INFERRED"],
    ["a task handed on twice", (said) => said["depth"] === 2],
    ["something trimmed", (said) => ((said["trimmed"] as readonly string[] | undefined) ?? []).length > 0],
    ["a call that nobody reported", (said) => Number(said["unreported"] ?? 0) > 0],
    ["something given back", (said) => said["givesBack"] === true],
    ["a report that comes again", (said) => said["repeated"] === true],
    ["a late report", (said) => said["late"] === true],
    ["something done without leave", (said) => said["bypassed"] === true],
  ])("reach %s", (_, is) => {
    expect(kept.filter((history) => history.lived.some(({ said }) => is(said))).length / kept.length).toBeGreaterThan(0.003);
  });
});

describe("a broken twin of the specification is caught when it", () => {
  it.each<[says: string, twin: Partial<TreeLaws>]>([
    ["asks the task alone whether it has ended", { above: (chain) => chain.slice(-1) }],
    ["asks the root alone whether it has ended", { above: (chain) => chain.slice(0, 1) }],
    ["lets a later end take the place of an earlier one", { ends: (_, now) => now }],
    ["lets a task live on when the clock is put back", { keepsExpired: false }],
    ["charges the task alone", { charged: (chain) => chain.slice(-1) }],
    ["charges the root alone", { charged: (chain) => chain.slice(0, 1) }],
    ["gives nothing back", { givesBack: () => false }],
    ["gives back whatever failed", { givesBack: ({ status }) => status !== "executed" }],
    ["takes a second report for the first", { takesAgain: true }],
    ["lets nobody but an initiator hand on what was issued", { kind: (parent, entitled) => (entitled ? parent : "proposed") }],
    ["takes whatever is handed on for issued", { kind: (parent) => parent }],
    ["issues below what was proposed", { kind: (_, entitled, named) => (entitled || named ? "issued" : "proposed") }],
    ["lets what a planner proposed bound a root", { binds: () => true }],
    ["lets what was proposed bound nothing", { binds: (kind) => kind === "issued" }],
    ["lets a child outlive its parent", { latest: (expiries) => Math.max(...expiries) }],
    ["leaves open what a child does not ask for", { inherits: (asked) => asked }],
    ["gives a child what it asks for", { least: (asked) => asked }],
    ["gives a child whatever its parent has", { least: (_, parent) => parent }],
    ["lets a task be handed on as deep as its parent", { depthBelow: (maxDepth) => maxDepth }],
    ["takes any chain for the task's own", { repeats: () => true }],
    ["lets nobody go on below the task's agent", { repeats: (own, said, agent) => TREE_LAWS.repeats(own, said?.slice(0, own.length), agent) }],
    [
      "hears of no hop's task",
      {
        repeats: (own, said, agent) =>
          TREE_LAWS.repeats(
            own,
            said?.map(({ type, id }) => ({ type, id })),
            agent,
          ),
      },
    ],
    ["counts the calls of one task alone as unreported", { shares: (_, own) => own }],
    ["waits one moment longer for a report", { isOverdue: (age, within) => age > within + 60_000 }],
    ["waits for reports for ever", { isOverdue: () => false }],
    ["sees nothing in what was done without leave", { bypasses: () => false }],
    ["takes everything that was reported for done without leave", { bypasses: () => true }],
    ["forgets with a late report what had to be assumed", { keepsWorst: false }],
    ["lets words outlast their time", { wordsEnd: () => false }],
    ["takes a report from anybody", { isTheirs: () => true }],
    ["lets anybody end a task", { mayEnd: () => true }],
    ["lets whoever handed on a task not end it", { mayEnd: (caller, _, root) => TREE_LAWS.mayEnd(caller, root, root) }],
    ["lets whoever opened the root not end what is below it", { mayEnd: (caller, task) => TREE_LAWS.mayEnd(caller, task, task) }],
  ])("%s", (_, twin) => {
    const laws = { ...TREE_LAWS, ...twin };
    expect(kept.some((history) => firstDifference(history, laws) !== undefined)).toBe(true);
  });
});
