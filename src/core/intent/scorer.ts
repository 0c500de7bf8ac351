import type { Policy } from "../policy.ts";
import type { Canonical } from "../ports.ts";
import { effectsOf, type Subject } from "../situation.ts";
import { standingOf, type TaskQuestion, type TaskStanding } from "../tasks/standing.ts";
import type { Effect } from "../words.ts";

/** What an outside judge is asked: exactly this decides what it answers, and nothing else leaves. */
export interface ScorerQuestion {
  readonly statement: string;
  readonly tool: string;
  readonly operation?: string;
  readonly effect: Effect;
  /** RFC 8785 text of the arguments, masked. */
  readonly argumentsJson: string;
  readonly argumentsTruncated: boolean;
  readonly resource?: { readonly type: string; readonly id: string };
}

export interface ScorerAnswer {
  readonly id: string;
  readonly version: string;
  /** Integer from 0 to 100. */
  readonly risk: number;
  /** At most `REASON_LENGTH_MAX` characters, none of which a terminal would obey. */
  readonly reason: string;
}

export interface Scorer {
  /**
   * Asks how far an action lies from its task. Undefined where nothing usable was answered in time, for whatever reason. Never throws, and never waits
   * longer than its deadline.
   */
  score(question: ScorerQuestion): Promise<ScorerAnswer | undefined>;
}

const NAME = /^[A-Za-z0-9._\-/:@+]{1,128}$/;
export const REASON_LENGTH_MAX = 200;

/** What somebody outside says, as a decision may use it; undefined where it is no answer. */
export function asScorerAnswer({ id, version, risk, reason }: Omit<ScorerAnswer, "risk"> & { readonly risk?: number }): ScorerAnswer | undefined {
  if (!NAME.test(id) || !NAME.test(version) || risk === undefined || !Number.isInteger(risk) || risk < 0 || risk > 100) return undefined;
  const plain = reason.slice(0, 4 * REASON_LENGTH_MAX).replaceAll(/[\s\p{C}]+/gu, " ");
  return { id, version, risk, reason: [...plain.trim()].slice(0, REASON_LENGTH_MAX).join("") };
}

/** An answer, and what of the state it was given for. */
export interface Consulted {
  readonly policy: string;
  readonly statement: string;
  readonly answer: ScorerAnswer;
}

/** Asks the scorer, before the turn. Without words there is nothing to judge by, and nothing is asked. */
export async function consult(scorer: Scorer, canonical: Canonical, task: Omit<TaskQuestion, "freshId">): Promise<Consulted | undefined> {
  const { policy, request } = task;
  const { statement } = standingOf({ ...task, freshId: () => "" });
  if (statement === undefined) return undefined;
  const answer = await scorer.score(questionOf({ policy, request, canonical, statement }));
  return answer && { policy: policy.digest, statement, answer };
}

interface Asked extends Pick<TaskQuestion, "policy" | "request"> {
  readonly canonical: Canonical;
  readonly statement: string;
}

function questionOf({ policy, request: { action }, canonical, statement }: Asked): ScorerQuestion {
  const { tool, operation, resource, argumentsTruncated = false } = action;
  return {
    statement,
    tool,
    ...(operation !== undefined && { operation }),
    effect: effectsOf({ action }, policy.tools.get(tool)).effect,
    argumentsJson: canonical(action.arguments),
    argumentsTruncated,
    ...(resource && { resource: { type: resource.type, id: resource.id } }),
  };
}

/** What counts of it in the turn: nothing, where the turn finds another statement or policy than those it was given for. */
export function heeded(consulted: Consulted | undefined, policy: Policy, { statement }: TaskStanding): Pick<Subject, "scorer"> {
  return consulted?.policy === policy.digest && consulted.statement === statement ? { scorer: consulted.answer } : {};
}
