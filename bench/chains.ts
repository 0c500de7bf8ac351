import { create } from "@bufbuild/protobuf";
import type { Decider } from "../src/core/decide.ts";
import { ServiceError } from "../src/core/errors.ts";
import type { Policy } from "../src/core/policy.ts";
import type { DecisionRecord } from "../src/core/record.ts";
import type { Caller } from "../src/core/request.ts";
import type { TaskKeeper } from "../src/core/tasks/keeper.ts";
import type { ScopeKind } from "../src/core/tasks/registered.ts";
import type { Scope } from "../src/core/tasks/scope.ts";
import type { Outcome } from "../src/core/words.ts";
import { fromWire } from "../src/endpoints/grpc/convert.ts";
import * as wire from "../src/gen/behest/v1/decision_pb.ts";
import { compilePolicy } from "../src/policy/load.ts";
import type { PolicyFiles } from "../src/policy/walk.ts";
import { type Core, createCore, LIMITS } from "./core.ts";
import type { TraceCase, TraceStep } from "./traces.ts";

/** One way of getting a person's task to the agent that acts. */
export interface Variant {
  readonly name: string;
  /** Absent: no task is opened, and the caller asserts one hop. */
  readonly scopeKind?: ScopeKind;
  /** Absent: the person's words are handed down. */
  readonly reword?: (tools: readonly string[]) => string;
}

/** What a planner says to a worker: what to use, and nothing of what the person said. */
export const ownWords = (tools: readonly string[]): string =>
  tools.length === 0
    ? "Do what is needed and tell me what you found."
    : `${tools.map((tool, at) => `Step ${at + 1}: use ${tool}.`).join(" ")} Tell me what you found.`;

export const VARIANTS: readonly Variant[] = [
  { name: "self-asserted, one hop" },
  { name: "issued, words handed down", scopeKind: "issued" },
  { name: "issued, the planner's words", scopeKind: "issued", reword: ownWords },
  { name: "proposed, words handed down", scopeKind: "proposed" },
  { name: "proposed, the planner's words", scopeKind: "proposed", reword: ownWords },
];

/** One decided step; `REFUSED`: its call could not even be read. */
export interface DecidedStep {
  readonly outcome: Outcome | "REFUSED";
  readonly reasonCodes: readonly string[];
}

const PLANNER = "replay-planner";
const WORKER = "replay-worker";
const PERSON = { type: "user", id: "alice" } as const;
const INITIATOR: Caller = { tenant: "default", id: "initiator", roles: ["initiator"] };
const GATEWAY: Caller = { tenant: "default", id: "gateway", roles: ["enforcer"] };

/** The policy, with a planner and a worker that it grants everything: what differs between two runs is then how the task got to the worker. */
export function policyOfReplay(files: PolicyFiles): Policy {
  const { classification }: { classification: { readonly order: readonly string[] } } = JSON.parse(files["policy.json"] ?? "{}");
  const stated: { readonly agents?: object } = JSON.parse(files["agents.json"] ?? "{}");
  const reach = { tools: ["*"], effects: ["*", "unknown"], resources: ["*"], max_classification: classification.order.at(-1) };
  const agent = { owner: "team:replay", trust: "medium", reach };
  const agents = { ...stated.agents, [PLANNER]: agent, [WORKER]: agent };
  return compilePolicy({ ...files, "agents.json": JSON.stringify({ ...stated, agents }) }).policy;
}

/** Takes every case, on its own, the way that the variant says: opens and hands on its task, then asks for each step and reports it. */
export async function replayChains(policy: Policy, cases: readonly TraceCase[], variant: Variant): Promise<readonly (readonly DecidedStep[])[]> {
  const decided: (readonly DecidedStep[])[] = [];
  for (const one of cases) decided.push(await replayCase(createCore(policy), one, variant));
  return decided;
}

async function replayCase(core: Core, one: TraceCase, variant: Variant): Promise<readonly DecidedStep[]> {
  const taskId = await workersTask(core.tasks, one, variant);
  const steps: DecidedStep[] = [];
  for (const step of one.steps) steps.push(await takeStep(core, requestOf(one, step, taskId)));
  return steps;
}

/** The task that is handed to the worker; undefined where the gateway only says that there is one. */
async function workersTask(
  tasks: TaskKeeper,
  { task, proposedTools: tools }: TraceCase,
  { scopeKind, reword }: Variant,
): Promise<string | undefined> {
  if (!scopeKind) return undefined;
  const scope: Scope = { ...(tools && { tools }), delegates: [WORKER], maxDepth: 1 };
  const root = await tasks.open(INITIATOR, { statement: task, principal: PERSON, agent: PLANNER, scopeKind, scope });
  const { status } = await tasks.delegate(GATEWAY, {
    taskId: root.task.id,
    agent: WORKER,
    ...(reword && { statement: reword(tools ?? []) }),
    scope: {},
    narrow: false,
  });
  return status.task.id;
}

function requestOf({ task }: TraceCase, { tool, argumentsJson }: TraceStep, taskId: string | undefined): wire.DecideRequest {
  const asserted = [{ principal: { type: wire.PrincipalType.USER, id: PERSON.id } }, { principal: { type: wire.PrincipalType.AGENT, id: WORKER } }];
  return create(wire.DecideRequestSchema, {
    agent: { id: WORKER },
    task: taskId === undefined ? { statement: task } : { id: taskId },
    delegation: taskId === undefined ? asserted : [],
    action: { tool, argumentsForm: { case: "argumentsJson", value: argumentsJson } },
  });
}

async function takeStep({ decider, reports }: Core, request: wire.DecideRequest): Promise<DecidedStep> {
  const record = await decide(decider, request);
  if (!record) return { outcome: "REFUSED", reasonCodes: [] };
  const { outcome, reasonCodes } = record.judgement;
  await reports.report(GATEWAY, { decision: record.id, status: outcome === "ALLOW" ? "executed" : "blocked", result: "", truncated: false });
  return { outcome, reasonCodes };
}

/** Undefined for a call that no server reads. */
async function decide(decider: Decider, request: wire.DecideRequest): Promise<DecisionRecord | undefined> {
  try {
    const { record } = await decider.decide({ caller: GATEWAY, ...fromWire(request, LIMITS) });
    return record;
  } catch (error) {
    if (error instanceof ServiceError && (error.code === "REQUEST_MALFORMED" || error.code === "REQUEST_TOO_BIG")) return undefined;
    throw error;
  }
}
