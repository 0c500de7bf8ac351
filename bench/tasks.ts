import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import * as wire from "../src/gen/behest/v1/decision_pb.ts";
import {
  DelegateTaskRequestSchema,
  DelegateTaskResponseSchema,
  OpenTaskRequestSchema,
  OpenTaskResponseSchema,
  TaskService,
} from "../src/gen/behest/v1/task_pb.ts";
import { connect, type LoadResult } from "./http2-load.ts";
import { numberedBodies } from "./numbered-bodies.ts";
import { type Asked, agentName, DISTINCT, requestTemplates } from "./requests.ts";

/** A server under measurement, and how its callers are known to it. */
export interface Server {
  readonly address: string;
  readonly tokens: { readonly enforcer: string; readonly initiator: string };
}

const OBSERVATIONS = 20;
/** Few enough that a server on a busy machine hardly refuses any for having waited. */
const AT_ONCE = 16;
const WITHIN_MS = 600_000;
/** What was refused is asked again, so often. */
const ROUNDS_MAX = 20;

/** Opens registered tasks, each with what a tool returned in it already: a record of so many values, read by one of its decisions. */
export async function openTasks(server: Server, count: number, observations = OBSERVATIONS): Promise<readonly Asked[]> {
  const { enforcer, initiator } = server.tokens;
  const opened = await callAll(
    server,
    methodOf(TaskService, "OpenTask", initiator),
    Array.from({ length: count }, (_, number) => openRequest(number)),
  );
  const asked = opened.map((body): Asked => {
    const { task } = fromBinary(OpenTaskResponseSchema, body);
    if (!task) throw new Error("a task was opened and not answered");
    return { agent: task.agentId, taskId: task.taskId };
  });
  if (observations === 0) return asked;
  const decisions = await decideInEach(server, asked);
  const reports = decisions.map((decision, number) => reportOf(decision, { number, observations }));
  await callAll(server, methodOf(wire.DecisionService, "ReportOutcome", enforcer), reports);
  return asked;
}

/** Hands each on, from agent to agent, so many times: the tasks at the ends of the chains. */
export async function delegateTasks(server: Server, asked: readonly Asked[], depth: number): Promise<readonly Asked[]> {
  let leaves = asked;
  for (let hop = 1; hop <= depth; hop++) {
    const bodies = leaves.map(({ taskId = "" }) => {
      const handedOn = create(DelegateTaskRequestSchema, { taskId, agentId: `agent-of-hop-${hop}` });
      return Buffer.from(toBinary(DelegateTaskRequestSchema, handedOn));
    });
    const answers = await callAll(server, methodOf(TaskService, "DelegateTask", server.tokens.initiator), bodies);
    leaves = answers.map((body): Asked => {
      const { task } = fromBinary(DelegateTaskResponseSchema, body);
      if (!task) throw new Error("a task was handed on and not answered");
      return { agent: task.agentId, taskId: task.taskId };
    });
  }
  return leaves;
}

async function decideInEach(server: Server, asked: readonly Asked[]): Promise<readonly wire.DecideResponse[]> {
  const decided = new Map<string, wire.DecideResponse>();
  let missing = asked;
  for (let round = 0; missing.length > 0; round++) {
    if (round === ROUNDS_MAX) throw new Error(`${missing.length} decisions were refused, however often they were asked for`);
    const bodies = numberedBodies(requestTemplates(DISTINCT, missing));
    const each = missing.map(() => Buffer.from(bodies.next().value ?? []));
    const { kept } = await call(server, methodOf(wire.DecisionService, "Decide", server.tokens.enforcer), each);
    for (const body of kept) {
      const answer = fromBinary(wire.DecideResponseSchema, body);
      decided.set(answer.taskId, answer);
    }
    missing = missing.filter(({ taskId = "" }) => !decided.has(taskId));
  }
  return [...decided.values()];
}

interface Method {
  readonly path: string;
  readonly token: string;
}

const methodOf = ({ typeName }: { readonly typeName: string }, method: string, token: string): Method => ({ path: `/${typeName}/${method}`, token });

/** The answers, in whatever order they came. @throws {Error} when a call failed. */
async function callAll(server: Server, method: Method, bodies: readonly Buffer[]): Promise<readonly Buffer[]> {
  const { kept, failed } = await call(server, method, bodies);
  if (kept.length !== bodies.length) throw new Error(`${bodies.length - kept.length} calls of \`${method.path}\` failed: ${JSON.stringify(failed)}`);
  return kept;
}

async function call({ address }: Server, method: Method, bodies: readonly Buffer[]): Promise<LoadResult> {
  const load = await connect({ address, ...method });
  try {
    return await load.run({ concurrency: AT_ONCE, durationMs: WITHIN_MS, keptEvery: 1, bodies: bodies.values() });
  } finally {
    load.close();
  }
}

const openRequest = (number: number): Buffer =>
  Buffer.from(
    toBinary(
      OpenTaskRequestSchema,
      create(OpenTaskRequestSchema, {
        statement: `Summarise what chapter 12 of the handbook says on topic ${number}, and list whom to ask`,
        principal: { type: wire.PrincipalType.USER, id: `person-${number % 1_000}` },
        agentId: agentName(number),
        scope: { effects: [wire.Effect.READ, wire.Effect.CREATE], resources: [], tools: ["filesystem/*"] },
      }),
    ),
  );

function reportOf(
  { decisionId, outcome, reasonCodes }: wire.DecideResponse,
  { number, observations }: { readonly number: number; readonly observations: number },
): Buffer {
  if (outcome !== wire.Outcome.ALLOW)
    throw new Error(`a decision was not ALLOW but ${reasonCodes.join(" ")}: the figures would be of something else`);
  const values = Array.from({ length: observations }, (_, at) => [`entry_${at}`, `/srv/handbook/chapter-12/section-${number}-${at}.md`] as const);
  const resultForm = { case: "resultText" as const, value: JSON.stringify(Object.fromEntries(values)) };
  const report = create(wire.ReportOutcomeRequestSchema, { decisionId, status: wire.ReportStatus.EXECUTED, resultForm });
  return Buffer.from(toBinary(wire.ReportOutcomeRequestSchema, report));
}
