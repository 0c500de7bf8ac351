import { join } from "node:path";
import { StringDecoder } from "node:string_decoder";
import { create } from "@bufbuild/protobuf";
import { isObject } from "../src/core/json.ts";
import type { Json } from "../src/core/words.ts";
import * as wire from "../src/gen/behest/v1/decision_pb.ts";
import { ScopeKind } from "../src/gen/behest/v1/task_pb.ts";
import { ENGLISH } from "../src/inference/english.ts";
import type { LanguagePack } from "../src/inference/language.ts";
import { type Door, type Doors, type EvaluatedStep, isRefusal, openCore, openServer } from "./eval-doors.ts";
import { type Chooser, makeRules } from "./eval-rules.ts";
import type { Stage } from "./processes.ts";
import type { Recording, TraceSet } from "./trace-sets.ts";
import { type TraceCase, type TraceStep, TracesUnreadable } from "./traces.ts";

/** All of a case that a decision may depend on: not its name, which may tell what it is, and not the answer key. */
export type CaseSeen = Pick<TraceCase, "task" | "principal" | "proposedTools" | "steps">;

export interface Replay {
  /** `proposed`: with the tools that a planner proposed, where one was asked. */
  readonly scope: "none" | "proposed";
  /** The policy to which the imported tools are added. */
  readonly rules: string;
  readonly through: "core" | "server";
  /** Words by which tools and statements of a suite are read; a server reads them by all. */
  readonly packs?: ReadonlyMap<string, LanguagePack>;
  readonly onCase?: (done: number, all: number) => void;
}

/** One case, and what was answered to each of its steps. */
export interface EvaluatedCase {
  readonly suite: string;
  readonly one: TraceCase;
  readonly steps: readonly EvaluatedStep[];
}

/** Takes every case from its task to its last step, under rules made for its suite. */
export async function replayAll(stage: Stage, { sets, outputs }: Recording, replay: Replay): Promise<readonly EvaluatedCase[]> {
  const all = sets.reduce((sum, { cases }) => sum + cases.length, 0);
  const evaluated: EvaluatedCase[] = [];
  let done = 0;
  for (const [number, set] of sets.entries()) {
    const { doors, choosers } = await openDoors(stage, { name: `set-${number}`, set }, replay);
    try {
      const answered = await mapAtOnce(set.cases, AT_ONCE[replay.through], async (one, at): Promise<EvaluatedCase> => {
        const setting = { door: doors.forOneCase(), choosers, outputs, scope: replay.scope, agent: agentOf(at) };
        const steps = await replayCase(setting, seenOf(one)).catch((error: unknown) => refuseCase(one.id, error));
        replay.onCase?.(++done, all);
        return { suite: set.suite, one, steps };
      });
      evaluated.push(...answered);
    } finally {
      doors.close();
    }
  }
  return evaluated;
}

/** What a server would not take is wrong with the case; anything else is wrong with us. */
function refuseCase(id: string, error: unknown): never {
  if (!isRefusal(error)) throw error;
  throw new TracesUnreadable(`\`${id}\` cannot be replayed: ${error.message}`, { cause: error });
}

/** A server waits for its disk, and meanwhile can look at other cases. */
const AT_ONCE: Readonly<Record<Replay["through"], number>> = { core: 1, server: 16 };

/** Works on so many at a time, and answers in their order. */
async function mapAtOnce<T, R>(items: readonly T[], atOnce: number, work: (item: T, at: number) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  const left = items.entries();
  const takeTurns = async (): Promise<void> => {
    for (const [at, item] of left) results[at] = await work(item, at);
  };
  await Promise.all(Array.from({ length: atOnce }, takeTurns));
  return results;
}

const seenOf = ({ task, principal, proposedTools, steps }: TraceCase): CaseSeen => ({
  task,
  principal,
  ...(proposedTools && { proposedTools }),
  steps,
});

/** An agent of its own for each case, so that none inherits what another has seen or asked. */
const agentOf = (at: number): string => `agent-${at}`;

async function openDoors(
  stage: Stage,
  { name, set }: { readonly name: string; readonly set: TraceSet },
  { rules, through, packs }: Replay,
): Promise<{ readonly doors: Doors; readonly choosers: ReadonlyMap<string, Chooser> }> {
  const pack = packs?.get(set.suite) ?? ENGLISH;
  const into = join(stage.directory, `${name}-rules`);
  const { directory, choosers } = makeRules({ from: rules, into, tools: set.tools, agents: set.cases.map((_, at) => agentOf(at)), pack });
  const doors = through === "core" ? openCore(directory, pack) : await openServer(stage, { name: `${name}-data`, rules: directory });
  return { doors, choosers };
}

/** Where and how one case is taken. */
export interface Setting {
  readonly door: Door;
  readonly choosers: ReadonlyMap<string, Chooser>;
  readonly outputs: ReadonlyMap<string, string>;
  readonly scope: Replay["scope"];
  readonly agent: string;
}

/** Every step is reported as if it had run, whatever was decided: that is what the recorded agent saw. */
export async function replayCase({ door, choosers, outputs, scope, agent }: Setting, seen: CaseSeen): Promise<readonly EvaluatedStep[]> {
  const { task, principal, proposedTools, steps } = seen;
  // A message wants an object of its own.
  const attributes = JSON.parse(JSON.stringify(principal));
  const taskId = await door.openTask({
    statement: task,
    principal: { type: wire.PrincipalType.USER, id: `user-of-${agent}`, attributes },
    agentId: agent,
    // A scope cannot say that nothing was proposed: an empty one would let everything in.
    ...(scope === "proposed" && proposedTools && proposedTools.length > 0 && { scopeKind: ScopeKind.PROPOSED, scope: { tools: [...proposedTools] } }),
  });
  const evaluated: EvaluatedStep[] = [];
  for (const step of steps) {
    const { decisionId, ...answer } = await door.decide(requestOf(step, { agent, taskId, chooser: choosers.get(step.tool) }));
    evaluated.push(answer);
    if (decisionId === undefined) continue;
    const { value, truncated } = reportable(outputs.get(step.outputRef ?? "") ?? "");
    await door.report({ decisionId, status: wire.ReportStatus.EXECUTED, resultForm: { case: "resultText", value }, truncated });
  }
  await door.closeTask(taskId);
  return evaluated;
}

/** What a server takes in one report (`report_bytes_max`), and room for the rest of it. */
const RESULT_BYTES_MAX = 1_024 * 1_024 - 4_096;

/** As an enforcement point would do it: what is longer is cut, between two characters, and said to be cut. */
function reportable(text: string): { readonly value: string; readonly truncated: boolean } {
  const bytes = Buffer.from(text);
  const truncated = bytes.length > RESULT_BYTES_MAX;
  return { value: truncated ? new StringDecoder("utf8").write(bytes.subarray(0, RESULT_BYTES_MAX)) : text, truncated };
}

interface Asking {
  readonly agent: string;
  readonly taskId: string;
  readonly chooser: Chooser | undefined;
}

function requestOf({ tool, argumentsJson }: TraceStep, { agent, taskId, chooser }: Asking): wire.DecideRequest {
  return create(wire.DecideRequestSchema, {
    agent: { id: agent },
    task: { id: taskId },
    action: { tool, operation: operationIn(argumentsJson, chooser), argumentsForm: { case: "argumentsJson", value: argumentsJson } },
  });
}

/** What an enforcement point would say, that knows the tool by its catalog. */
function operationIn(argumentsJson: string, chooser: Chooser | undefined): string {
  if (!chooser) return "";
  const stated = objectIn(argumentsJson)?.[chooser.argument];
  return typeof stated === "string" && chooser.choices.has(stated) ? stated : "";
}

/** Undefined for what is no JSON object: a server refuses it. */
export function objectIn(text: string): Readonly<Record<string, Json>> | undefined {
  try {
    const value: Json = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
