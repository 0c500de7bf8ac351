import { ServiceError } from "./errors.ts";
import { serverOf } from "./facts.ts";
import type { Verdict } from "./judge.ts";
import type { NewId } from "./ports.ts";
import { type LedgerEvent, RECORD_VERSION, type TaskClosed } from "./record.ts";
import type { Situation } from "./situation.ts";
import type { StateView } from "./state.ts";
import { raiseSeen, type Seen } from "./tasks/seen.ts";
import { isIdle, type Task } from "./tasks/self-asserted.ts";

/** Bounds on what is remembered. */
export interface StateLimits {
  readonly openTasksMax: number;
  readonly agentsRememberedMax: number;
  readonly requestIdsMax: number;
  /** Different categories one task may have seen. */
  readonly categoriesSeenMax: number;
}

export interface Reservation {
  readonly events: readonly LedgerEvent[];
  readonly seenAfter?: Seen;
}

export interface ReserveInput {
  readonly verdict: Verdict;
  readonly view: StateView;
  readonly limits: StateLimits;
  readonly newId: NewId;
  readonly principal: string;
  /** The request carries an id that will have to be remembered. */
  readonly attempted: boolean;
}

/**
 * What a decision changes beside its own record: the task it opens, those it closes to make room, and what the task will have seen if the
 * allowed call happens, counted before anybody acts on it.
 * @throws {ServiceError} STATE_FULL: forgetting would make later decisions kinder, so nothing more is taken.
 */
export function reserve(input: ReserveInput): Reservation {
  const { verdict, limits } = input;
  const { situation, judgement } = verdict;
  refuseOverfull(input);
  const { task } = situation.subject;
  const events: LedgerEvent[] = task.standing === "new" ? [...makeRoom(input), opened(input)] : [];
  if (judgement.outcome !== "ALLOW") return { events };
  const seenAfter = raiseSeen(task.seen, whatItShows(situation));
  if (seenAfter === task.seen) return { events };
  if (seenAfter.categories.length > limits.categoriesSeenMax) {
    throw new ServiceError("STATE_FULL", `a task may see ${limits.categoriesSeenMax} different categories`, { limit: "categories_seen" });
  }
  return { events, seenAfter };
}

function refuseOverfull({ view, limits, attempted }: ReserveInput): void {
  if (!view.memory && view.agentsRemembered >= limits.agentsRememberedMax) {
    throw new ServiceError("STATE_FULL", `${limits.agentsRememberedMax} agents are remembered; raise \`agents_remembered_max\``, {
      limit: "agents_remembered",
    });
  }
  if (attempted && !view.attempt && view.attemptsRemembered >= limits.requestIdsMax) {
    throw new ServiceError("STATE_FULL", `${limits.requestIdsMax} request ids are remembered; raise \`request_ids_max\` or send fewer`, {
      limit: "request_ids",
    });
  }
}

/** The highest of what the action touches, and what the catalog says the tool brings back; an unlisted tool brings back untrusted data. */
function whatItShows({ subject, tool, classification, categories }: Situation): Seen {
  return {
    classifications: [classification],
    categories: tool ? [...categories, ...tool.output.categories] : categories,
    trust: tool?.output.trust ?? "untrusted",
    systems: [tool ? serverOf(subject.request.action.tool) : "unlisted"],
  };
}

function opened({ verdict, newId, principal }: ReserveInput): LedgerEvent {
  const { subject } = verdict.situation;
  const { at, request, task } = subject;
  const opens: Task = {
    id: task.id ?? newId(at),
    tenant: subject.tenant,
    caller: subject.caller,
    agent: request.agent.id,
    principal,
    session: request.session ?? "none",
    ...(task.statement !== undefined && { statement: task.statement }),
    openedAt: at,
    lastUsedAt: at,
    seen: task.seen,
  };
  return { kind: "task_opened", v: RECORD_VERSION, id: newId(at), at, task: opens };
}

/** Closes the idle task that this one replaces, and the least recently used one if it is idle or in the way. */
function makeRoom({ verdict, view, limits, newId }: ReserveInput): TaskClosed[] {
  const { policy, subject } = verdict.situation;
  const { at } = subject;
  const close = (task: Task, reason: TaskClosed["reason"]): TaskClosed => ({
    kind: "task_closed",
    v: RECORD_VERSION,
    id: newId(at),
    at,
    tenant: task.tenant,
    task: task.id,
    reason,
  });
  const closed = view.task ? [close(view.task, "idle")] : [];
  const { leastUsedTask } = view;
  if (leastUsedTask && leastUsedTask.id !== view.task?.id) {
    if (isIdle(leastUsedTask, policy, at)) closed.push(close(leastUsedTask, "idle"));
    else if (view.openTasks >= limits.openTasksMax) closed.push(close(leastUsedTask, "evicted"));
  }
  return closed;
}
